"""Columns of vectors and labelled tables of numbers as matrices, without importing the packages that they are of."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from muge_fast._internal.display import format_id
from muge_fast._internal.labelled import (
    has_default_index,
    is_pandas_frame,
    labelled_kind,
    missing_hint,
    plain_items,
    to_list,
)


class LabelledMatrix(NamedTuple):
    """A matrix with the labels of its rows and columns.

    Attributes:
        matrix: The numbers: an array of any library.
        rows: The id of each row; None without ids.
        columns: The label of each column; None for columns that are numbered.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.vectors import labelled_matrix
        >>> labelled_matrix(np.zeros((1, 2)), "items").rows is None
        True

    """

    matrix: Any
    rows: list[Hashable] | None = None
    columns: list[Hashable] | None = None


def labelled_matrix(value: object, name: str, *, columns: bool = False) -> LabelledMatrix:
    """Return a matrix with the labels that a pandas DataFrame or Series of vectors has.

    Args:
        value: A DataFrame of numbers, a column of vectors, or any other object.
        name: Name of the argument, for errors.
        columns: Whether the columns of a DataFrame have ids; else they are not read.

    Returns:
        The matrix and its labels; without labels the object itself if it is neither a DataFrame nor a column of
        vectors.

    Raises:
        TypeError: An index of several levels, of floats or of booleans.
        ValueError: An id is missing or occurs twice, or a row is missing or has another length than the first.

    Example:
        >>> from muge_fast._internal.vectors import labelled_matrix
        >>> frame = pandas.DataFrame([[0.5, 0.1]], index=["q7"], columns=["a", "b"])  # doctest: +SKIP
        >>> labelled_matrix(frame, "similarity").rows  # doctest: +SKIP
        ['q7']

    """
    if is_pandas_frame(value):
        frame = cast("Any", value)
        labels = _labels(frame.columns, f"{name}.columns") if columns else None
        return LabelledMatrix(frame.to_numpy(), _labels(frame.index, name), labels)
    if labelled_kind(value) == "series":
        return LabelledMatrix(_stacked(cast("Any", value).to_numpy(), name), _labels(cast("Any", value).index, name))
    matrix = matrix_of_column(value, name)
    return LabelledMatrix(value if matrix is None else matrix)


def matrix_of_column(value: object, name: str) -> npt.NDArray[Any] | None:
    """Return a column of vectors as a matrix with a row for each of them.

    Args:
        value: A column of polars, Arrow or Hugging Face datasets, a pandas Series with the default index, or any other
            object.
        name: Name of the argument, for errors.

    Returns:
        An array in the type of the column's numbers; None for any other object.

    Raises:
        ValueError: A row is missing or has another length than the first. The message names the row.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.vectors import matrix_of_column
        >>> print(matrix_of_column(np.zeros((1, 2)), "items"))
        None

    """
    kind = labelled_kind(value)
    if kind != "column" and (kind != "series" or not has_default_index(value)):
        return None
    if kind == "series":
        # Its vectors, whose type a list of numbers would not have.
        return _stacked(cast("Any", value).to_numpy(), name)
    column: Any = _arrow_of_dataset(value) if type(value).__module__.startswith("datasets.") else value
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
    if hasattr(column, "flatten") and hasattr(column, "value_lengths") and not column.null_count:
        flat, lengths = column.flatten(), column.value_lengths().to_numpy(zero_copy_only=False)
        if not flat.null_count and len(lengths) and (lengths == lengths[0]).all():
            return cast("npt.NDArray[Any]", flat.to_numpy(zero_copy_only=False).reshape(len(lengths), -1))
    # Arrow needs leave to copy; all others make arrays of objects for lists.
    if hasattr(column, "to_pylist") or isinstance(column, list | np.ndarray):
        return _stacked(to_list(column) if hasattr(column, "to_pylist") else column, name)
    if hasattr(column, "null_count") and column.null_count() == 0:
        return _stacked(column.to_numpy(), name)
    return _stacked(to_list(column), name)


def vectors_of_column(value: object, name: str) -> object:
    """Return a column of vectors as a matrix with a row for each; any other object unchanged.

    Args:
        value: A column of polars, Arrow or Hugging Face datasets, a pandas Series with the default index, or any other
            object.
        name: Name of the argument, for errors.

    Returns:
        The matrix, or the object.

    Raises:
        ValueError: A row is missing or has another length than the first. The message names the row.

    Example:
        >>> from muge_fast._internal.vectors import vectors_of_column
        >>> vectors_of_column([[0.5, 0.1]], "features")
        [[0.5, 0.1]]

    """
    matrix = matrix_of_column(value, name)
    return value if matrix is None else matrix


def refuse_other_columns(first: object, second: object, names: tuple[str, str]) -> None:
    """Raise ``ValueError`` for two DataFrames of vectors whose columns differ, as numbers are matched by position.

    Args:
        first: Any object.
        second: Any object.
        names: Names of both arguments, for the error.

    Raises:
        ValueError: Both are pandas DataFrames with equally many columns, of other names or in another order.

    Example:
        >>> from muge_fast._internal.vectors import refuse_other_columns
        >>> refuse_other_columns([[0.5]], [[0.5]], ("queries", "items"))

    """
    if not is_pandas_frame(first) or not is_pandas_frame(second):
        return
    left, right = cast("Any", first).columns, cast("Any", second).columns
    if len(left) == len(right) and not left.equals(right):
        raise ValueError(
            f"{names[0]} and {names[1]} have different columns; pass {names[1]}[{names[0]}.columns] to match them by "
            f"name, or {names[0]}.to_numpy() and {names[1]}.to_numpy() to match them in order"
        )


def _arrow_of_dataset(value: object) -> object:
    """Return a column of Hugging Face datasets as Arrow has it, or as values that a function makes of it."""
    column = cast("Any", value)
    source = column.source
    if not hasattr(source, "select_columns") or source.format["type"] == "custom":
        return column[:]
    table = source.select_columns([column.column_name]).with_format("arrow")[:]
    return table.column(column.column_name)


def _labels(index: object, name: str) -> list[Hashable] | None:
    """Return the ids in an index; None for the default one."""
    # A Series as the index has itself as its index.
    series = cast("Any", index).to_series()
    return None if has_default_index(series) else list(plain_items(series, name))


def _stacked(vectors: Sequence[Any], name: str) -> npt.NDArray[Any]:
    """Return vectors as the rows of a matrix; numbers as they are."""
    if isinstance(vectors, np.ndarray) and (vectors.dtype.kind != "O" or not len(vectors)):
        return vectors
    rows = list(vectors)
    for row, vector in enumerate(rows):
        if missing_hint(vector):
            raise ValueError(f"{name}[{row}] is missing ({format_id(vector)}), every row needs a vector")
    lengths = [len(vector) if hasattr(vector, "__len__") else 0 for vector in rows]
    other = next((row for row, length in enumerate(lengths) if length != lengths[0]), None)
    if other is not None:
        raise ValueError(f"{name}[{other}] has {lengths[other]} numbers, {name}[0] has {lengths[0]}")
    return np.array(rows)
