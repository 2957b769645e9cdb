"""Top-k of each row of a similarity matrix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.caller_warnings import warn_caller
from muge_fast._internal.dlpack import DLPackArray, as_array
from muge_fast.retrieval.ranking import Ranking, attach_ids, check_ids
from muge_fast.retrieval.top_k_arguments import check_array, check_k, dtype_error, with_labels

DTYPES = ("float32", "float64", "float16")


def top_k_of(
    similarity: DLPackArray,
    k: SupportsIndex,
    *,
    query_ids: Iterable[Any] | None = None,
    item_ids: Iterable[Any] | None = None,
    threads: int | None = None,
) -> Ranking:
    """Find the ``k`` items with the highest score in each row of a similarity matrix.

    Scores are in descending order, NaN last, and equal scores are ordered by index. ``torch.topk`` leaves the order of
    equal scores open; here the same matrix has the same ranking everywhere.

    Args:
        similarity: Scores of shape ``(queries, items)``, float32, float64 or float16, in any memory layout: a NumPy
            array, or any array on the CPU with ``__dlpack__``, such as a torch tensor, which is not copied; a pandas
            DataFrame, whose index and columns have the ids of queries and items unless they are numbered from 0; or a
            column of lists of scores of polars, Arrow or Hugging Face datasets.
        k: Number of items to find in each row, from 1 to the number of columns.
        query_ids: A different id for each row, integers or strings: a list, a one-dimensional array or tensor, or a
            column of pandas, polars, Arrow or Hugging Face datasets. The result has them. None for the index of
            ``similarity``, and for no ids if there is none.
        item_ids: A different id for each column, in the same forms.
        threads: Number of threads; None for all cores. The result does not depend on it.

    Returns:
        A :class:`Ranking` of ``scores``, in the dtype of ``similarity``, and ``indices``, int64, both NumPy arrays of
        shape ``(queries, k)``. With ids it has ``ids``, the matrix of item ids, and ``to_dict()``, the item ids by
        query id.

    Raises:
        ValueError: ``similarity`` does not have two dimensions, ``k`` is below 1 or above the number of columns, there
            is another number of ids than of rows or columns, an id occurs twice or is missing, or ``threads`` is below
            1.
        TypeError: ``similarity`` is not an array (a list or a table, for instance), has a mask or an unsupported dtype,
            ``k`` is not an integer, or ids are neither all integers nor all strings.

    Warns:
        UserWarning: NaN is among the ``k`` best of a row, which has fewer than ``k`` numbers; or more than ``k`` scores
            of a row are infinite, so that rank ``k`` cuts through a tie.

    Example:
        >>> import numpy as np
        >>> import muge_fast as mf
        >>> similarity = np.array([[0.1, 0.9, 0.9], [0.3, float("nan"), -1.0]], dtype="float32")
        >>> mf.top_k_of(similarity, 2).indices.tolist()
        [[1, 2], [0, 2]]
        >>> mf.top_k_of(similarity, 1).scores.dtype
        dtype('float32')
        >>> mf.top_k_of(similarity, 2, query_ids=[8426, 8427], item_ids=["a", "b", "c"]).to_dict()
        {8426: ['b', 'c'], 8427: ['a', 'c']}

    """
    similarity, query_ids, columns = with_labels(
        similarity, "similarity", query_ids, "query_ids", columns=item_ids is None
    )
    item_ids = columns if item_ids is None else item_ids
    check_array("similarity", similarity)
    matrix = as_array("similarity", similarity, DTYPES)
    if matrix.ndim != 2:  # noqa: PLR2004
        raise ValueError(f"similarity must have two dimensions, (queries, items), got shape {matrix.shape}")
    if matrix.dtype not in DTYPES or not matrix.dtype.isnative:
        raise dtype_error("similarity", DTYPES, matrix.dtype)
    count = check_k(k, matrix.shape[1], "the number of columns of similarity")
    ids = check_ids(query_ids, item_ids, *matrix.shape)
    # The core reads through strides, which needs aligned values. Only arrays over raw bytes may be unaligned.
    ranking = Ranking(*_core.top_k_of(np.require(matrix, requirements="A"), count, threads))
    _warn_about_missing(ranking.scores, count)
    _warn_about_infinite(matrix, ranking.scores, count)
    return attach_ids(ranking, ids)


def _warn_about_missing(scores: npt.NDArray[Any], k: int) -> None:
    """Warn if NaN is among the best scores of a row, which has fewer numbers than ``k`` then."""
    # NaN comes last.
    rows = np.flatnonzero(np.isnan(scores[:, -1]))
    if len(rows):
        warn_caller(
            f"similarity: {len(rows)} of {len(scores)} rows have NaN among the {k} best, the first is row {rows[0]}; "
            f"their last items are ranked by index alone. Find out where NaN comes from, or leave these rows out"
        )


def _warn_about_infinite(matrix: npt.NDArray[Any], scores: npt.NDArray[Any], k: int) -> None:
    """Warn if more than ``k`` scores of a row are infinite, all of them equal."""
    full = np.flatnonzero(np.isposinf(scores[:, -1]))
    # Row by row, without a copy of the matrix.
    rows = [row for row in full.tolist() if np.count_nonzero(np.isposinf(matrix[row])) > k]
    if rows:
        warn_caller(
            f"similarity: {len(rows)} of {len(scores)} rows have more than {k} infinite scores, the first is row "
            f"{rows[0]}; their best items are ranked by index alone. Find out where the overflow comes from, for "
            f"example in float16, or compute the scores in float32"
        )
