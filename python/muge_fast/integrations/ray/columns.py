"""Columns of batches of NumPy as matrices of features and as ids, with errors that name the row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from muge_fast.integrations.ray.passes import RowError, Worker

Columns = Mapping[str, NDArray[Any]]


class ColumnWorker(Worker[Columns]):
    """An actor that gets batches as arrays by field."""

    batch_format: ClassVar[str] = "numpy"

    def count(self, batch: Columns) -> int:
        """Return the number of rows."""
        return len(next(iter(batch.values())))


def features_of(batch: Columns, field: str) -> NDArray[Any]:
    """Return the features of all rows as a matrix.

    Args:
        batch: Arrays by field.
        field: The field of features.

    Returns:
        Array of shape ``(rows, features)``, of the type that the rows have.

    Raises:
        RowError: A row is not a vector of numbers, has another length than the first, or a value that is not finite.

    """
    column = batch[field]
    if column.dtype.kind == "O":
        column = _stacked(column, field)
    if column.ndim != 2 or column.dtype.kind not in "fiu":  # noqa: PLR2004
        raise RowError(0, field, f"needs a list of numbers, found {column.dtype} of shape {column.shape[1:]}")
    nonfinite = np.flatnonzero(~np.isfinite(column).all(axis=1))
    if len(nonfinite):
        raise RowError(int(nonfinite[0]), field, "has a value that is not finite")
    return column


def _stacked(column: NDArray[Any], field: str) -> NDArray[Any]:
    rows: list[NDArray[Any]] = []
    for index, value in enumerate(column):
        row = None if value is None else np.asarray(value)
        if row is None or row.ndim != 1 or row.dtype.kind not in "fiu":
            raise RowError(index, field, f"needs a list of numbers, found {type(value).__name__}", TypeError)
        if rows and len(row) != len(rows[0]):
            raise RowError(index, field, f"has {len(row)} numbers, other rows have {len(rows[0])}")
        rows.append(row)
    return np.stack(rows)


def ids_of(batch: Columns, field: str) -> list[int | str]:
    """Return the id of each row.

    Args:
        batch: Arrays by field.
        field: The field of ids.

    Returns:
        Integers and strings of Python.

    Raises:
        RowError: An id is neither an integer nor a string.

    """
    ids: list[int | str] = batch[field].tolist()
    for row, item in enumerate(ids):
        if type(item) not in (int, str):
            name = "null" if item is None else type(item).__name__
            raise RowError(row, field, f"expected an integer or a str, found {name}", TypeError)
    return ids
