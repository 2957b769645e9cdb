"""Objects of pandas, polars, Arrow, xarray and torch as mappings, lists and ids, without importing these packages.

A pandas Series has ids, its index, and iterating over it loses them. A DataFrame iterates over the names of its
columns, and a masked array loses its mask in a conversion. This module recognizes such objects by the names of their
classes, so that every function treats them alike: as what they mean, or as an error that shows what to pass instead.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from muge_fast._internal.display import format_argument, format_id
from muge_fast._internal.dlpack import resolve_negation

Kind = Literal["series", "column", "frame", "groups", "other_series", "xarray", "masked", "records", "tensor"]
"""Kinds of objects that :func:`labelled_kind` recognizes."""

KINDS: dict[tuple[str, str], Kind] = {
    ("pandas", "Series"): "series",
    ("pandas", "DataFrame"): "frame",
    ("pandas", "BaseGroupBy"): "groups",
    ("pandas", "Index"): "column",
    ("pandas", "ExtensionArray"): "column",
    ("polars", "Series"): "column",
    ("polars", "DataFrame"): "frame",
    ("polars", "LazyFrame"): "frame",
    ("polars", "GroupBy"): "groups",
    ("pyarrow", "Array"): "column",
    ("pyarrow", "ChunkedArray"): "column",
    ("pyarrow", "Table"): "frame",
    ("pyarrow", "RecordBatch"): "frame",
    ("datasets", "Column"): "column",
    ("datasets", "Dataset"): "frame",
    ("datasets", "IterableDataset"): "frame",
    ("datasets", "DatasetDict"): "frame",
    ("xarray", "DataArray"): "xarray",
    ("xarray", "Dataset"): "xarray",
    ("numpy", "MaskedArray"): "masked",
    ("torch", "Tensor"): "tensor",
}
"""Kinds by package and class, for instances of subclasses too."""

PLAIN = {int, str}
"""Types of ids that need no conversion."""

UNLABELLED = {list, dict, tuple, str, bytes, int, float, np.str_, np.int64, type(None)}


def labelled_kind(value: object) -> Kind | None:
    """Return what an object of pandas, polars, Arrow, xarray, NumPy or torch is, or None for any other object.

    No package is imported, and the answer for a type is remembered. A list, tuple or dict takes a fraction of a
    microsecond.

    Args:
        value: Any object.

    Returns:
        - ``"series"``: a pandas Series, which has ids if its index is not the default one.
        - ``"column"``: values without ids: a pandas Index, Categorical or other extension array, a polars Series, an
          Arrow Array or ChunkedArray, a column of Hugging Face datasets. :func:`to_list` returns its values.
        - ``"frame"``: a table of pandas, polars, Arrow or Hugging Face, or any object with ``__dataframe__``.
        - ``"groups"``: a GroupBy of pandas or polars.
        - ``"other_series"``: a Series of a package that resembles pandas.
        - ``"xarray"``: a DataArray or Dataset.
        - ``"masked"``: a NumPy masked array, with or without masked entries.
        - ``"records"``: a NumPy array with named fields.
        - ``"tensor"``: a torch tensor.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.labelled import labelled_kind
        >>> labelled_kind(np.ma.array([1, 2], mask=[0, 1])), labelled_kind([1, 2])
        ('masked', None)

    """
    value_type = type(value)
    if value_type in UNLABELLED:
        return None
    kind = _kind_of_type(cast("Any", value_type))
    return "records" if kind is None and isinstance(value, np.ndarray) and value.dtype.names else kind


def plain_items(value: object, name: str, *, columns: tuple[str, str] = ("image_id", "text")) -> Any:  # noqa: ANN401
    """Return an argument that holds something for each item as a plain mapping or sequence.

    Args:
        value: The argument. A pandas Series whose index is not the default one (0, 1, 2, … without a name) becomes a
            dict from its index; other columns become lists. Lists in the cells of polars and Arrow become lists too.
            Bytes in a column or in a NumPy array (dtype ``S``) become text, as UTF-8.
        name: Name of the argument, for errors.
        columns: Typical names of the columns of ids and of values, for errors.

    Returns:
        A dict, a list, or the argument itself if :func:`labelled_kind` does not know it or it is a tensor.

    Raises:
        TypeError: A table, a GroupBy, an xarray object, a masked array, an array with named fields, a Series of a
            package that resembles pandas, or an index of several levels, of floats or of booleans; the message shows
            what to pass instead.
        ValueError: The index of a Series has an id twice, or a missing one; bytes are not UTF-8.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.labelled import plain_items
        >>> plain_items(["红鞋"], "predictions")
        ['红鞋']
        >>> plain_items(np.ma.array([1, 2], mask=[0, 1]), "ids")
        Traceback (most recent call last):
        ...
        TypeError: ids is a masked array with 1 masked entry; fill or drop the masked entries, then pass a plain array

    """
    kind = labelled_kind(value)
    if kind is None:
        return decoded_array(value, name) if type(value) is np.ndarray and value.dtype.kind == "S" else value
    if kind == "tensor":
        return value
    refuse_unordered(value, name, columns=columns)
    if kind == "series" and not has_default_index(value):
        series = cast("Any", value)
        return dict(zip(_index_ids(series, name), decoded_list(series.tolist(), name), strict=True))
    return decoded_list(to_list(value), name)


def plain_ids(ids: object, name: str) -> list[Hashable]:
    """Return an argument that lists ids as a list, with integers and strings of NumPy and torch as ``int`` and ``str``.

    Args:
        ids: A list, another iterable, a one-dimensional array or torch tensor of integers or strings, or a column of
            pandas, polars or Arrow. The index of a Series is not used.
        name: Name of the argument, for errors.

    Returns:
        The ids. A list of ``int`` and ``str`` is returned itself.

    Raises:
        TypeError: Floats, booleans, a table, a masked array, an array that does not have one dimension, a set, which
            has no order, a mapping, a string, or not an iterable.
        ValueError: A missing id (None, NaN or NA), or bytes of a column or a NumPy array that are not UTF-8.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.labelled import plain_ids
        >>> plain_ids(np.arange(3), "ids"), plain_ids(("a", np.int32(2)), "ids")
        ([0, 1, 2], ['a', 2])
        >>> plain_ids(np.array([1.0, 2.0]), "ids")
        Traceback (most recent call last):
        ...
        TypeError: ids are float64, needs integers or strings; convert whole numbers with .astype("int64")

    """
    if type(ids) is not list:
        ids = _listed_ids(ids, name)
    types = set(map(type, ids))
    return ids if types <= PLAIN else [_plain_id(item, name, index) for index, item in enumerate(ids)]


def to_list(column: object) -> list[Any]:
    """Return the values of a Series or column as a list; lists in cells become lists.

    Args:
        column: An object that :func:`labelled_kind` calls ``"series"`` or ``"column"``.

    Returns:
        Python objects, in order.

    Example:
        >>> from muge_fast._internal.labelled import to_list
        >>> to_list(pandas.Series([1, 2], index=["a", "b"]))  # doctest: +SKIP
        [1, 2]

    """
    if type(column).__module__.startswith("datasets."):
        # All at once: reading row by row takes ten times as long. What it is depends on the format of the dataset.
        return to_list(cast("Any", column)[:])
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, method):
            return list(getattr(column, method)())
    return list(cast("Iterable[Any]", column))


def missing_hint(value: object) -> str:
    """Return what an error adds if a value is missing: None, NaN or NA.

    Args:
        value: Any object.

    Returns:
        Text that follows the type of the value; empty for any other object.

    Example:
        >>> from muge_fast._internal.labelled import missing_hint
        >>> missing_hint(float("nan")), missing_hint("nan")
        (' (a missing value)', '')

    """
    is_nan = isinstance(value, float) and value != value  # noqa: PLR0124
    is_missing = value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")
    return " (a missing value)" if is_missing else ""


def decoded_list(values: list[Any], name: str) -> list[Any]:
    """Return the values of a column, with bytes as text.

    Args:
        values: Any values.
        name: Name of the argument, for errors.

    Returns:
        The list itself if none of them is bytes.

    Raises:
        ValueError: Bytes are not UTF-8.

    Example:
        >>> from muge_fast._internal.labelled import decoded_list
        >>> decoded_list([b"a", None], "texts")
        ['a', None]

    """
    if bytes not in set(map(type, values)):
        return values
    try:
        return [value.decode() if type(value) is bytes else value for value in values]
    except UnicodeDecodeError:
        raise _bytes_error(values, name) from None


def decoded_array(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Return a NumPy array of bytes as an array of text.

    Args:
        array: An array of dtype ``S``, such as h5py reads.
        name: Name of the argument, for errors.

    Returns:
        An array of dtype ``U`` of the same shape.

    Raises:
        ValueError: An element is not UTF-8.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.labelled import decoded_array
        >>> decoded_array(np.array([b"a1"]), "ids").tolist()
        ['a1']

    """
    try:
        return np.char.decode(array, "utf-8")
    except UnicodeDecodeError:
        raise _bytes_error(array.ravel().tolist(), name) from None


def refuse_other_index(first: object, second: object, names: tuple[str, str]) -> None:
    """Raise ``ValueError`` for two pandas objects with different indexes, which would be matched by position.

    Args:
        first: Any object.
        second: Any object.
        names: Names of both arguments, for the error.

    Raises:
        ValueError: Both are Series or DataFrames, of equal length, and their indexes differ.

    Example:
        >>> from muge_fast._internal.labelled import refuse_other_index
        >>> refuse_other_index([1], [2], ("values", "clusters"))

    """
    for value in (first, second):
        if labelled_kind(value) != "series" and not is_pandas_frame(value):
            return
    left, right = cast("Any", first).index, cast("Any", second).index
    if len(left) == len(right) and not left.equals(right):
        raise ValueError(
            f"{names[0]} and {names[1]} have different indexes; pass {names[1]}.reindex({names[0]}.index) to match "
            f"them by id, or {names[0]}.to_numpy() and {names[1]}.to_numpy() to match them in order"
        )


def is_pandas_frame(value: object) -> bool:
    """Return whether an object is a pandas DataFrame.

    Args:
        value: Any object.

    Returns:
        True for a DataFrame of pandas, False for one of another package.

    Example:
        >>> from muge_fast._internal.labelled import is_pandas_frame
        >>> is_pandas_frame([[1.0]])
        False

    """
    return labelled_kind(value) == "frame" and type(value).__module__.partition(".")[0] == "pandas"


def has_default_index(series: object) -> bool:
    """Return whether the index of a pandas Series is 0, 1, 2, … as pandas makes it if none is given.

    Args:
        series: A pandas Series.

    Returns:
        False for any other index, also for whole numbers in another order, and for an index with a name.

    Example:
        >>> from muge_fast._internal.labelled import has_default_index
        >>> has_default_index(pandas.Series(["a", "b"]).iloc[::-1])  # doctest: +SKIP
        False

    """
    index = cast("Any", series).index
    return type(index).__name__ == "RangeIndex" and (index.start, index.step, index.name) == (0, 1, None)


def refuse_unordered(value: object, name: str, *, columns: tuple[str, str] = ("image_id", "text")) -> None:
    """Raise ``TypeError`` for a table, a GroupBy, an xarray object, a masked array and the like.

    Args:
        value: Any object.
        name: Name of the argument, for the error.
        columns: Typical names of the columns of ids and of values, for the error.

    Raises:
        TypeError: The object is one of these; the message shows what to pass instead.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.labelled import refuse_unordered
        >>> refuse_unordered(np.zeros(2), "items")

    """
    kind = labelled_kind(value)
    if kind in (None, "series", "column", "tensor"):
        return
    if kind == "masked":
        count = int(np.ma.getmaskarray(cast("Any", value)).sum())
        entries = "1 masked entry" if count == 1 else f"{count} masked entries"
        fix = "fill or drop the masked entries, then pass a plain array" if count else f"pass {name}.data"
        raise TypeError(f"{name} is a masked array with {entries}; {fix}")
    root = type(value).__module__.partition(".")[0]
    ids, values = columns
    fixes = {
        "frame": f'pass a dict of two columns: dict(zip(df["{ids}"], df["{values}"]))',
        "groups": f'pass a Series of lists: df.groupby("{ids}")["{values}"].agg(list)',
        "other_series": f"convert it to pandas or to a dict from {ids} first",
        "xarray": f'pass a dict: dict(zip(x["{ids}"].values.tolist(), x.values.tolist()))',
        "records": f'pass a dict of two fields: dict(zip(x["{ids}"].tolist(), x["{values}"].tolist()))',
    }
    if kind == "frame" and root == "pandas":
        fixes["frame"] = f'pass a column with its ids: df.set_index("{ids}")["{values}"]'
    elif kind == "groups" and root == "polars":
        fixes["groups"] = f'pass a dict: {{key[0]: df["{values}"].to_list() for key, df in groups}}'
    elif kind == "frame" and root in ("polars", "pyarrow"):
        method = "to_list" if root == "polars" else "to_pylist"
        fixes["frame"] = f'pass a dict: dict(zip(df["{ids}"].{method}(), df["{values}"].{method}()))'
    found = "an array with named fields" if kind == "records" else f"a {root} {format_id(type(value).__name__)}"
    raise TypeError(f"{name} is {found}; {fixes[cast('str', kind)]}")


def refuse_labelled_matrix(value: object, name: str) -> None:
    """Raise ``TypeError`` for an object that has labels or a mask, where rows and columns are numbers.

    Args:
        value: Any object.
        name: Name of the argument, for the error.

    Raises:
        TypeError: The object is a table, a Series or another column, an xarray object or a masked array; the message
            shows what to pass instead.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.labelled import refuse_labelled_matrix
        >>> refuse_labelled_matrix(np.zeros((2, 2)), "items")

    """
    kind = labelled_kind(value)
    if kind in (None, "tensor"):
        return
    if kind in ("masked", "records", "groups"):
        refuse_unordered(value, name)
    root = type(value).__module__.partition(".")[0]
    matrix = {"xarray": f"{name}.values", "pyarrow": f"{name}.to_pandas().to_numpy()"}.get(root, f"{name}.to_numpy()")
    raise TypeError(
        f"{name} is a {root} {format_id(type(value).__name__)}, whose labels would be lost; "
        f"pass {matrix}, whose rows and columns are numbered from 0 in this order"
    )


@lru_cache(maxsize=512)
def _kind_of_type(value_type: type) -> Kind | None:
    for base in value_type.__mro__:
        kind = KINDS.get((base.__module__.partition(".")[0], base.__name__))
        if kind is not None:
            return kind
    if hasattr(value_type, "__dataframe__") or (value_type.__name__ == "DataFrame" and hasattr(value_type, "columns")):
        return "frame"
    return "other_series" if value_type.__name__ == "Series" and hasattr(value_type, "index") else None


def _index_ids(series: Any, name: str) -> list[Hashable]:  # noqa: ANN401 - pandas is not imported
    """Return the ids in the index of a Series, which must be different, present, and no floats or booleans."""
    index = series.index
    _refuse_dtype(index, f"the ids in the index of {name}")
    if hasattr(index, "levels"):
        levels = "1 level" if index.nlevels == 1 else f"{index.nlevels} levels"
        fix = (
            "drop the others with .droplevel, or collect the values of an id in a list with .groupby(level=0).agg(list)"
        )
        if index.nlevels == 1:
            fix = f"set its level as the index: {name}.set_axis({name}.index.get_level_values(0))"
        raise TypeError(f"the index of {name} is a MultiIndex of {levels}, needs one id for each value; {fix}")
    ids: list[Hashable] = index.tolist()
    if index.hasnans:
        raise ValueError(f"the index of {name} lacks an id at position {int(index.isna().argmax())}; drop that row")
    if not index.is_unique:
        repeated = format_argument(ids[int(index.duplicated().argmax())])
        raise ValueError(
            f"the index of {name} has {repeated} more than once; collect the values of an id in a list with "
            f".groupby(level=0).agg(list), or keep one of them"
        )
    return plain_ids(ids, f"the index of {name}")


def _listed_ids(ids: object, name: str) -> list[Hashable]:
    refuse_unordered(ids, name, columns=("id", "text"))
    kind = labelled_kind(ids)
    _refuse_dtype(ids, name)
    if kind == "tensor":
        ids = np.asarray(resolve_negation(cast("Any", ids).detach().cpu()))
    elif kind is not None:
        return decoded_list(to_list(ids), name)
    if isinstance(ids, np.ndarray):
        ids = decoded_array(ids, name) if ids.dtype.kind == "S" else ids
        if ids.ndim != 1:
            raise TypeError(f"{name} must have one dimension, got an array of shape {ids.shape}")
        return cast("list[Hashable]", ids.tolist())
    if isinstance(ids, Mapping):
        # Its keys may be positions, and its values the ids.
        raise TypeError(f"{name} must be a list of ids, got {type(ids).__name__}; pass list(x) or list(x.values())")
    if isinstance(ids, (str, bytes, set, frozenset)) or not isinstance(ids, Iterable):
        raise TypeError(f"{name} must be a list of ids, got {type(ids).__name__}")
    return list(ids)


def _bytes_error(values: list[Any], name: str) -> ValueError:
    """Return the error for the first bytes that are not UTF-8."""
    index = next(index for index, value in enumerate(values) if type(value) is bytes and not _is_utf8(value))
    return ValueError(f"{name}[{index}] is bytes that are not UTF-8; decode them with their own encoding")


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _refuse_dtype(array: Any, name: str) -> None:  # noqa: ANN401 - of any package
    """Raise ``TypeError`` for floats and booleans, as NumPy, torch, pandas, polars and Arrow name them."""
    dtype = str(getattr(array, "dtype", getattr(array, "type", ""))).removeprefix("torch.")
    if dtype.lower().startswith(("float", "double", "half", "bfloat")):
        missing = _first_missing(array)
        raise TypeError(
            f'{name} are {dtype}, needs integers or strings; {missing}convert whole numbers with .astype("int64")'
        )
    if dtype.lower().startswith("bool"):
        raise TypeError(
            f"{name} are booleans, needs integers or strings; is it a mask? np.flatnonzero(mask) has indices"
        )


def _first_missing(array: object) -> str:
    """Return what an error adds if floats of NumPy or pandas have NaN, which makes floats of all integers."""
    is_pandas = type(array).__module__.partition(".")[0] == "pandas"
    values = cast("Any", array).to_numpy() if is_pandas else array
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        return ""
    rows = np.flatnonzero(np.isnan(values).ravel())
    return f"[{rows[0]}] is missing, drop it, and " if len(rows) else ""


def _plain_id(item: Any, name: str, index: int) -> Hashable:  # noqa: ANN401 - of any package
    """Return an id of NumPy, torch or Arrow as ``int`` or ``str``; other hashable objects unchanged."""
    if getattr(item, "shape", None) == () and hasattr(item, "item"):
        item = item.item()
    elif hasattr(item, "as_py"):
        item = item.as_py()
    item_type = type(item)
    if item_type in PLAIN:
        return cast("Hashable", item)
    if item is None or item_type.__name__ in ("NAType", "NaTType") or item != item:  # noqa: PLR0124 - NaN
        raise ValueError(f"{name}[{index}] is missing ({format_id(item)}), every item needs an id")
    if item_type in (bool, float):
        kind = "a boolean" if item_type is bool else "a float"
        raise TypeError(f"{name}[{index}] is {format_argument(item)}, {kind}; ids are integers or strings")
    if not isinstance(item, Hashable):
        raise TypeError(f"{name}[{index}] is a {item_type.__name__}, which cannot be an id")
    return item
