"""nDCG of items with different gains."""

from __future__ import annotations

import numpy as np

from muge_fast.retrieval.item_lists import FloatArray, IntArray

LARGEST_EXPONENT = 1000
"""Largest gain of ``ndcg_exp``; 2 to the power of 1024 is infinite."""


def graded_ndcg(
    ranked: tuple[IntArray, IntArray],
    relevant: tuple[IntArray, IntArray],
    gains: FloatArray,
    ks: list[int],
    *,
    exponential: bool,
) -> FloatArray:
    """Return nDCG at several cutoffs for each query.

    The gain of the item at rank r is divided by log2(r + 1); the sum over the first K ranks is divided by that of the
    best order. Sums are in the order of ranks, as in trec_eval.

    Args:
        ranked: The ranked items of all queries, and the number of items of each.
        relevant: The relevant items of all queries, and the number of items of each, at least 1.
        gains: The gain of each relevant item, above 0.
        ks: The cutoffs.
        exponential: Whether a gain g counts as 2^g - 1 instead of g.

    Returns:
        An array of shape ``(queries, ks)``.

    Raises:
        ValueError: A gain is too large for its power of 2.

    Example:
        >>> import numpy as np
        >>> from muge_fast.retrieval.graded import graded_ndcg
        >>> ranked, relevant = (np.array([7, 8, 9]), np.array([3])), (np.array([9, 7]), np.array([2]))
        >>> graded_ndcg(ranked, relevant, np.array([3.0, 1.0]), [1, 3], exponential=False).round(4).tolist()
        [[0.3333, 0.6885]]

    """
    if exponential:
        if gains.max(initial=0) > LARGEST_EXPONENT:
            raise ValueError(f"references: a gain is {gains.max():g}, ndcg_exp needs at most {LARGEST_EXPONENT}")
        gains = np.exp2(gains) - 1
    ranked_starts, relevant_starts = _starts(ranked[1]), _starts(relevant[1])
    values = np.zeros((len(ranked[1]), len(ks)))
    for query in range(len(values)):
        items = ranked[0][ranked_starts[query] : ranked_starts[query + 1]].tolist()
        judged = slice(relevant_starts[query], relevant_starts[query + 1])
        gain_of = dict(zip(relevant[0][judged].tolist(), gains[judged].tolist(), strict=True))
        found = _cumulated(np.array([gain_of.get(item, 0.0) for item in items[: max(ks)]]))
        best = _cumulated(np.sort(gains[judged])[::-1][: max(ks)])
        values[query] = [_at(found, k) / _at(best, k) for k in ks]
    return values


def _starts(lengths: IntArray) -> IntArray:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


def _cumulated(gains: FloatArray) -> FloatArray:
    return np.cumsum(gains / np.log2(np.arange(2, len(gains) + 2)))


def _at(sums: FloatArray, k: int) -> float:
    return float(sums[min(k, len(sums)) - 1]) if len(sums) else 0.0
