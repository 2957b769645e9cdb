"""Checks of ids and features that hold for every format of feature files."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Features = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]


def check_features(ids: npt.NDArray[Any], features: npt.NDArray[Any]) -> Features:
    """Return ids as int64 and features as float32.

    Args:
        ids: Integers of shape ``(rows,)``.
        features: Numbers of shape ``(rows, dimensions)``, rounded to float32.

    Returns:
        Both arrays, features in C order.

    Raises:
        ValueError: Shapes do not match, there are no features, or one is not finite in float32.
        TypeError: Ids are not integers that fit in int64, or features are not numbers.

    Example:
        >>> import numpy as np
        >>> from muge_fast.features.validation import check_features
        >>> check_features(np.array([7]), np.array([[0.5, 1.0]]))[1].dtype
        dtype('float32')

    """
    # By kind and size, because a dtype of the other byte order is not equal to the native one.
    if ids.dtype.kind not in "iu" or (ids.dtype.kind == "u" and ids.dtype.itemsize == 8):  # noqa: PLR2004
        raise TypeError(f"ids have dtype {ids.dtype}, need integers that fit in int64")
    if features.dtype.kind not in "fiu":
        raise TypeError(f"features have dtype {features.dtype}, need numbers")
    if not features.size:
        raise ValueError("features are empty, need at least one number")
    if ids.ndim != 1 or features.ndim != 2 or len(ids) != len(features):  # noqa: PLR2004
        raise ValueError(f"ids have shape {ids.shape}, features {features.shape}: need (rows,) and (rows, dimensions)")
    with np.errstate(over="ignore"):
        matrix = np.ascontiguousarray(features, dtype=np.float32)
    finite = np.isfinite(matrix)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(f"features[{row}, {column}] is {features[row, column]}, needs a finite float32")
    return ids.astype(np.int64), matrix


def check_unique_ids(ids: npt.NDArray[np.int64]) -> None:
    """Raise an error if an id occurs twice.

    Args:
        ids: The id of each row.

    Raises:
        ValueError: An id occurs twice; the message has both rows.

    Example:
        >>> import numpy as np
        >>> from muge_fast.features.validation import check_unique_ids
        >>> check_unique_ids(np.array([3, 5, 3]))
        Traceback (most recent call last):
        ...
        ValueError: id 3 occurs twice, in rows 0 and 2

    """
    order = np.argsort(ids, kind="stable")
    repeated = np.flatnonzero(ids[order[1:]] == ids[order[:-1]])
    if len(repeated):
        first, second = order[repeated[0]], order[repeated[0] + 1]
        raise ValueError(f"id {ids[first]} occurs twice, in rows {first} and {second}")
