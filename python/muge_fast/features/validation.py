"""Checks of ids and features that hold for every format of feature files."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast._internal.ids import IdArray, id_array

Features = tuple[IdArray, npt.NDArray[np.float32]]


class FeatureFile(NamedTuple):
    """Content of a feature file.

    Attributes:
        ids: Ids of shape ``(rows,)``: int64, or ``str`` with dtype object.
        features: Features, float32 of shape ``(rows, dimensions)``.
        id_field: Name of the field, column or array of ids, such as ``"image_id"``; None if the file does not say whose
            ids they are.

    Example:
        >>> import numpy as np
        >>> from muge_fast.features.validation import FeatureFile
        >>> FeatureFile(np.array([7]), np.ones((1, 2), "float32"), "text_id").id_field
        'text_id'

    """

    ids: IdArray
    features: npt.NDArray[np.float32]
    id_field: str | None


def check_features(ids: object, features: npt.NDArray[Any]) -> Features:
    """Return ids as int64 or strings, and features as float32.

    Args:
        ids: Integers or strings of shape ``(rows,)``.
        features: Numbers of shape ``(rows, dimensions)``, rounded to float32.

    Returns:
        Both arrays, features in C order.

    Raises:
        ValueError: Shapes do not match, there are no features, one is not finite in float32, or an id is missing or
            does not fit in int64.
        TypeError: Ids are neither all integers nor all strings, or features are not numbers.

    Example:
        >>> import numpy as np
        >>> from muge_fast.features.validation import check_features
        >>> check_features(np.array([7]), np.array([[0.5, 1.0]]))[1].dtype
        dtype('float32')

    """
    if features.dtype.kind not in "fiu":
        raise TypeError(f"features have dtype {features.dtype}, need numbers")
    if not features.size:
        raise ValueError("features are empty, need at least one number")
    id_values = id_array(ids, "ids")
    if features.ndim != 2 or len(id_values) != len(features):  # noqa: PLR2004
        shapes = f"ids have shape {id_values.shape}, features {features.shape}"
        raise ValueError(f"{shapes}: need (rows,) and (rows, dimensions)")
    with np.errstate(over="ignore"):
        matrix = np.ascontiguousarray(features, dtype=np.float32)
    finite = np.isfinite(matrix)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(f"features[{row}, {column}] is {features[row, column]}, needs a finite float32")
    return id_values, matrix
