"""Results as tables of pandas and Arrow, from columns by name."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from muge_fast._internal.display import format_argument
from muge_fast._internal.optional import import_optional, import_pandas

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Columns = Mapping[str, Any]
"""Values of equal number by the name of their column."""


def pandas_frame(columns: Columns, index: Sequence[Hashable] | None = None) -> pd.DataFrame:
    """Return columns as a DataFrame.

    Args:
        columns: The columns.
        index: Ids of the rows, for an index named ``"id"``; None for the default index.

    Returns:
        The frame.

    Raises:
        ImportError: pandas is not installed.

    Example:
        >>> from muge_fast._internal.output_tables import pandas_frame
        >>> pandas_frame({"score": [0.5]}, ["a"]).loc["a", "score"]  # doctest: +SKIP
        0.5

    """
    pandas = import_pandas()
    rows = None if index is None else pandas.Index(index, name="id", tupleize_cols=False)
    return pandas.DataFrame(dict(columns), index=rows)


def arrow_table(columns: Columns) -> pa.Table:
    """Return columns as a table of Arrow.

    Args:
        columns: The columns. Arrays of numbers are not copied.

    Returns:
        The table.

    Raises:
        ImportError: pyarrow is not installed.
        TypeError: Values of a column have no common type in Arrow, such as integers and strings.

    Example:
        >>> from muge_fast._internal.output_tables import arrow_table
        >>> arrow_table({"score": [0.5]}).column_names  # doctest: +SKIP
        ['score']

    """
    pyarrow = import_arrow()
    return pyarrow.table({name: _arrow_array(pyarrow, name, values) for name, values in columns.items()})


def arrow_ids(ids: Sequence[Hashable]) -> pa.Array:
    """Return ids as an array of Arrow.

    Args:
        ids: Integers of 64 bits or strings.

    Returns:
        The array; of strings if there are no ids.

    Raises:
        ImportError: pyarrow is not installed.
        TypeError: Ids are not all integers of 64 bits or all strings.

    Example:
        >>> from muge_fast._internal.output_tables import arrow_ids
        >>> arrow_ids([7, 8]).to_pylist()  # doctest: +SKIP
        [7, 8]

    """
    if len(set(map(type, ids)) - {str, int}):
        wrong = next(item for item in ids if type(item) not in (str, int))
        raise TypeError(f"id {format_argument(wrong)} is {type(wrong).__name__}; Arrow has ids of integers or strings")
    pyarrow = import_arrow()
    return _arrow_array(pyarrow, "id", ids) if len(ids) else pyarrow.array([], pyarrow.string())


def import_arrow() -> ModuleType:
    """Import pyarrow, for the ``to_arrow`` methods.

    Returns:
        The module.

    Raises:
        ImportError: pyarrow is not installed.

    Example:
        >>> from muge_fast._internal.output_tables import import_arrow
        >>> import_arrow().array([1.0]).to_pylist()  # doctest: +SKIP
        [1.0]

    """
    return import_optional("pyarrow", purpose="to_arrow()", install="muge-fast[arrow]")


def _arrow_array(pyarrow: ModuleType, name: str, values: object) -> pa.Array:
    if hasattr(values, "type") and hasattr(values, "null_count"):
        return values
    plain = values.tolist() if isinstance(values, np.ndarray) and values.dtype.kind == "O" else values
    try:
        return pyarrow.array(plain)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, OverflowError, UnicodeEncodeError) as error:
        raise TypeError(f"the column {name!r} has values that Arrow cannot hold in one type: {error}") from None
