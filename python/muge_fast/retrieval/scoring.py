"""Retrieval metrics: Recall@K and MeanRecall of MUGE, and the metrics of trec_eval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.caller_warnings import warn_caller
from muge_fast.retrieval.graded import graded_ndcg
from muge_fast.retrieval.item_lists import IntArray, ItemLists, as_int64
from muge_fast.retrieval.metric_names import METRICS_AT_K, Column, check_ks, check_metrics
from muge_fast.retrieval.ranked_lists import ranked_lists
from muge_fast.retrieval.ranking import Ranking
from muge_fast.retrieval.relevant_lists import relevant_lists
from muge_fast.scores import FloatArray, ItemStatistics, Score, Scores, mean_of_columns, mean_score, signature

FEW_QUERIES = 10
"""Number of queries from which a ranking without any hit is suspicious."""

RankedItems = Sequence[Any] | Mapping[Any, float] | npt.NDArray[Any]
"""The items of a query, best first, or their scores."""

RelevantItems = Sequence[Any] | AbstractSet[Any] | Mapping[Any, float] | npt.NDArray[Any] | int | str
"""The relevant items of a query, the gains of items, or a single item."""


def score_retrieval(
    predictions: Mapping[Any, RankedItems] | Sequence[RankedItems] | npt.NDArray[np.integer[Any] | np.str_] | Ranking,
    references: Mapping[Any, RelevantItems] | Sequence[RelevantItems] | npt.NDArray[Any],
    *,
    ks: int | Sequence[int] = (1, 5, 10),
    metrics: Sequence[str] = ("recall",),
    threads: int | None = None,
) -> Scores:
    """Compute retrieval metrics from the ranked items and the relevant items of each query.

    Args:
        predictions: Ranked items of each query, best first: a mapping from query id to a list, a sequence of lists, an
            integer or string matrix of shape ``(queries, items)``, or a :class:`Ranking`. Items of a ranking are its
            item ids, or indices if it has none; its queries are matched by id if they have ids, like those of a
            mapping. Arrays may be torch tensors on any device. A list may have fewer items than the largest of ``ks``;
            positions beyond its end count as not relevant.

            Instead of lists, dictionaries from item to score are allowed (a run of ranx or pytrec_eval). They are
            ranked as in trec_eval: by descending score, items of equal score by descending id, compared as text. Scores
            are compared exactly; trec_eval rounds them to single precision first.

            A pandas Series with an index is a mapping from it, other columns are sequences. A table of pandas, polars,
            Arrow or Hugging Face datasets has a row for each query, with the columns ``query_id`` and ``item_ids`` or
            those of Chinese-CLIP, or a row for each of its items: ``query_id``, ``item_id``, and ``rank`` or ``score``.
        references: Relevant items of each query, at least one: a mapping with the same query ids, or a sequence of the
            same length, of lists, of single items, or of dictionaries from item to gain (qrels). Items with a gain
            above 0 are relevant. Without ids also a matrix of shape ``(queries, items)``: a boolean array, whose items
            are the column numbers, or a sparse matrix of scipy, whose values are gains. A table like those of
            predictions; with a row for each item it may have the column ``gain``.
        ks: Cutoffs K of the metrics that are followed by ``@K`` below: different integers of at least 1, or one.
        metrics: One or more of

            - ``"recall"``: 1 if any of the first K items is relevant, else 0, for each of ``ks``, and
              ``"mean_recall"``, the mean over ``ks``. This is Recall@K as the MUGE benchmark and the papers on CLIP
              define it. It differs from recall in trec_eval, ranx and torchmetrics, which is ``"relevant_recall"``
              here; they call this one success or hit rate.
            - ``"relevant_recall"``: the fraction of a query's relevant items among the first K, ``recall`` in
              trec_eval.
            - ``"precision"``: the number of relevant items among the first K, divided by K, ``P`` in trec_eval.
            - ``"ndcg"``: nDCG@K (Järvelin and Kekäläinen, 2002), ``ndcg_cut`` in trec_eval: the gain of the item at
              rank r is divided by log2(r + 1). Gains are 1 unless ``references`` have others.
            - ``"ndcg_exp"``: the same with gains of 2^g - 1 (Burges et al., 2005), ``ndcg_burges`` in ranx.
            - ``"mrr"``: the reciprocal rank of the first relevant item in the whole list, 0 without one,
              ``recip_rank`` in trec_eval.
            - ``"map"``: the average precision of the whole list: the precisions at the ranks of relevant items, summed
              and divided by the number of relevant items, ``map`` in trec_eval.

            The value of a metric is its mean over queries. A name with a cutoff, such as ``"ndcg@10"``, is the metric
            at that cutoff only. Other names for the same metrics are allowed: ``"R@1"``, ``"hit_rate"``, ``"P@5"``,
            ``"nDCG@10"``, ``"ndcg_cut_10"``.
        threads: Number of threads; None for all cores. The result does not depend on it.

    All items must be integers, or all strings; those of NumPy and torch, of an ``IntEnum`` or a ``str`` Enum are
    allowed. The index of a pandas Series is its query ids, unless it is the default index. -1 at the end of a row of an
    array is refused, as is -1 at the end of both lists of a query: faiss and padded arrays have it for a missing item.

    Returns:
        Scores from 0 to 1, by name: ``"recall@1"``, …, ``"mean_recall"``, ``"ndcg@10"``, ``"map"``.

    Raises:
        ValueError: Query ids differ, lengths differ, an array has a wrong shape or dtype, there are no queries, a query
            has no relevant items, a list has an item twice, a score is NaN, a gain is not finite, -1 stands for a
            missing item, ``metrics`` is empty or has an unknown or repeated name, ``ks`` is empty or has a number that
            is repeated, below 1 or above 2**63 - 1, or ``threads`` is below 1. The message names the query or the
            argument.
        TypeError: Only one of predictions and references has ids, one is a table, a masked array or a Series whose
            index cannot be ids, items are neither all integers nor all strings, the items of a query are not a list, a
            prediction is a set, ``metrics`` is a string, or one of ``ks`` is not an integer.

    Warns:
        UserWarning: A cutoff is above the length of every list of predictions, and longer lists could change the score;
            or predictions seem to be indices where references are ids.

    Example:
        >>> import muge_fast as mf
        >>> references = {8426: [42967], 8427: [11, 12]}
        >>> predictions = {8426: [7, 42967, 8], 8427: [12, 3, 4]}
        >>> scores = mf.score_retrieval(predictions, references, ks=(1, 5))
        >>> scores["recall@1"].value, scores["recall@5"].value, scores["mean_recall"].value
        (0.5, 1.0, 0.75)
        >>> mf.score_retrieval(predictions, references, metrics=("mrr",))["mrr"].per_item.tolist()
        [0.5, 1.0]

    """
    cutoffs = check_ks(ks)
    requests = check_metrics(metrics, cutoffs)
    relevant = relevant_lists(references)
    columns = list(dict.fromkeys(column for _, requested in requests for column in requested))
    rows = _query_scores(ranked_lists(predictions, relevant.ids), relevant, columns, threads)
    scores = {}
    for name, requested in requests:
        indices = [columns.index(column) for column in requested]
        for index, column in zip(indices, requested, strict=True):
            scores[column.key] = mean_score(column.key, signature(column.key), rows[:, index])
        if name == "recall":
            scores["mean_recall"] = _mean_recall(cutoffs, rows[:, indices])
    return Scores(scores, len(rows), None if relevant.ids is None else list(relevant.ids))


def _query_scores(
    predictions: ItemLists, references: ItemLists, columns: list[Column], threads: int | None
) -> FloatArray:
    """Return the value of each metric at each cutoff for each query, float64 of shape ``(queries, columns)``."""
    if len(predictions.lengths) != len(references.lengths):
        raise ValueError(
            f"predictions have {len(predictions.lengths)} queries, references have {len(references.lengths)}"
        )
    references.check_filled()
    ranked, relevant = as_int64(predictions, references)
    names = [("ndcg" if metric == "ndcg_exp" else metric, k) for metric, k in columns]
    short = _short_columns(predictions, columns)
    try:
        rows = _core.retrieval_rows(
            ranked, predictions.lengths, relevant, references.lengths, [*names, *short], threads
        )
    except ValueError:
        # The core sees integers only; these errors name the item and the query.
        predictions.check_unique()
        references.check_unique()
        raise
    if predictions.padded and len(rows) >= FEW_QUERIES:
        _warn_about_indices(predictions, ranked, relevant)
    if short and (rows[:, -1] < 1).any():
        _warn_about_short_lists(short[0], int(predictions.lengths.max()))
    rows = np.ascontiguousarray(rows[:, : len(columns)]) if short else rows
    if references.gains is not None and (references.gains != 1).any():
        lists = (ranked, predictions.lengths), (relevant, references.lengths)
        _replace_ndcg(rows, columns, lists, references.gains)
    return rows


def _replace_ndcg(
    rows: FloatArray,
    columns: list[Column],
    lists: tuple[tuple[IntArray, IntArray], tuple[IntArray, IntArray]],
    gains: FloatArray,
) -> None:
    """Replace nDCG of gains of 1, which the core computes, by that of other gains."""
    for metric in ("ndcg", "ndcg_exp"):
        chosen = [index for index, column in enumerate(columns) if column.metric == metric]
        if chosen:
            ks = [columns[index].k for index in chosen]
            rows[:, chosen] = graded_ndcg(*lists, gains, ks, exponential=metric == "ndcg_exp")


def _short_columns(predictions: ItemLists, columns: list[Column]) -> list[tuple[str, int]]:
    """Return the column that is below 1 if longer lists could change a score; empty if a list reaches all cutoffs.

    A query has all that it can get with a relevant item in its list, for recall, or with all of them, for the others.
    """
    at_k = [column for column in columns if column.metric in METRICS_AT_K]
    longest = int(predictions.lengths.max(initial=0))
    largest = max((column.k for column in at_k), default=0)
    if not 0 < longest < largest:
        return []
    is_recall = all(column.metric == "recall" for column in at_k if column.k > longest)
    return [("recall" if is_recall else "relevant_recall", largest)]


def _warn_about_short_lists(column: tuple[str, int], longest: int) -> None:
    k = column[1]
    warn_caller(
        f"a cutoff is {k}, but no list of predictions has more than {longest}: the missing ranks count as not "
        f"relevant; pass longer lists, or cutoffs up to {longest}"
    )


def _warn_about_indices(predictions: ItemLists, ranked: IntArray, relevant: IntArray) -> None:
    """Warn if all ranked items are smaller than all relevant ones, as indices are smaller than ids of a data set."""
    # Strings have been replaced by codes.
    if len(ranked) and isinstance(predictions.flat[0], int) and ranked.max() < relevant.min():
        warn_caller(
            f"no query has a hit: ranked items are {ranked.min()} to {ranked.max()}, "
            f"relevant items {relevant.min()} to {relevant.max()}. "
            "If the ranked items are indices, look their ids up: ids[ranking.indices]"
        )


def _mean_recall(ks: list[int], rows: FloatArray) -> Score:
    """Return the mean of the recalls at ``ks``, of the set and of each query."""
    recalls = [_core.mean(np.ascontiguousarray(column)) for column in rows.T]
    return Score(
        name="mean_recall",
        value=sum(recalls) / len(ks),
        per_item=np.ascontiguousarray(rows.sum(axis=1) / len(ks)),
        signature=signature("mean_recall", ks=",".join(map(str, ks))),
        parts={f"recall@{k}": value for k, value in zip(ks, recalls, strict=True)},
        statistics=ItemStatistics(tuple(f"recall@{k}" for k in ks), np.ascontiguousarray(rows)),
        _rescore=partial(_mean_recall, ks),
        _additive=mean_of_columns,
    )
