"""The best items of each query from a ready similarity matrix."""

from __future__ import annotations

import operator
from typing import Any, SupportsIndex

import numpy as np

from muge_fast import _core
from muge_fast._internal.dlpack import as_array
from muge_fast.retrieval.ranking import Ranking

DTYPES = ("float32", "float64", "float16")


def top_k_of(similarity: Any, k: SupportsIndex, *, threads: int | None = None) -> Ranking:  # noqa: ANN401 - any array
    """Find the ``k`` best items of each row of a similarity matrix.

    Descending scores; where scores are equal, the lower index first; NaN last. Unlike with ``torch.topk``, whose order
    of equal scores is left open, the same input gives the same ranking everywhere.

    Args:
        similarity: Scores of shape ``(queries, items)``, float32, float64 or float16, in any memory layout: a NumPy
            array, or anything on the CPU with ``__dlpack__``, such as a torch tensor. It is not copied.
        k: How many items for each row, 1 to the number of columns.
        threads: Number of threads; None for all cores. The result does not depend on it.

    Returns:
        A :class:`Ranking` of ``scores``, in the dtype of ``similarity``, and ``indices``, int64, both of shape
        ``(queries, k)``.

    Raises:
        ValueError: A matrix that does not have two dimensions, or ``k`` that is not within its columns.
        TypeError: Something that is no array, or of another dtype.

    Example:
        >>> import numpy as np
        >>> import muge_fast as mf
        >>> similarity = np.array([[0.1, 0.9, 0.9], [0.3, float("nan"), -1.0]], dtype="float32")
        >>> mf.top_k_of(similarity, 2).indices.tolist()
        [[1, 2], [0, 2]]
        >>> mf.top_k_of(similarity, 1).scores.dtype
        dtype('float32')

    """
    matrix = as_array("similarity", similarity, DTYPES)
    if matrix.ndim != 2:  # noqa: PLR2004
        raise ValueError(f"similarity has shape {matrix.shape}, needs two dimensions, (queries, items)")
    if matrix.dtype not in DTYPES or not matrix.dtype.isnative:
        raise TypeError(f"similarity has dtype {matrix.dtype}, needs one of {', '.join(DTYPES)}")
    count = operator.index(k)
    if not 1 <= count <= matrix.shape[1]:
        raise ValueError(f"k is {count}, needs 1 to {matrix.shape[1]}, the number of columns of similarity")
    # Code that steps over strides needs aligned values, which every array has that was not cut out of bytes.
    return Ranking(*_core.top_k_of(np.require(matrix, requirements="A"), count, threads))
