"""Retrieval metrics: Recall@K and MeanRecall of MUGE, and the metrics of trec_eval."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any, NoReturn, cast

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.checks import align_ids, check_names, find_repeated, whole_number
from muge_fast._internal.dlpack import resolve_negation
from muge_fast.retrieval.ranking import Ranking, ranked_items
from muge_fast.scores import FloatArray, ItemStatistics, Score, Scores, mean_score, signature
from muge_fast.text.tokenizers import split_ids

METRICS_AT_K = ("recall", "relevant_recall", "precision", "ndcg")
METRICS = (*METRICS_AT_K, "mrr", "map")

MAX_K = 2**63 - 1
"""Largest cutoff, because the core counts in 64 bits."""

IntArray = npt.NDArray[np.int64]


def score_retrieval(
    predictions: Mapping[Any, Sequence[Any]]
    | Sequence[Sequence[Any]]
    | npt.NDArray[np.integer[Any] | np.str_]
    | Ranking,
    references: Mapping[Any, Sequence[Any]] | Sequence[Sequence[Any]],
    *,
    ks: Sequence[int] = (1, 5, 10),
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
        references: Relevant items of each query, at least one: a mapping with the same query ids, or a sequence of the
            same length. All items must be integers, or all strings; those of NumPy and of an ``IntEnum`` or a ``str``
            Enum are allowed.
        ks: Cutoffs K of the metrics that are followed by ``@K`` below: different integers of at least 1.
        metrics: One or more of

            - ``"recall"``: 1 if any of the first K items is relevant, else 0, for each of ``ks``, and
              ``"mean_recall"``, the mean over ``ks``. This is Recall@K as the MUGE benchmark and the papers on CLIP
              define it. It differs from recall in trec_eval, ranx and torchmetrics, which is ``"relevant_recall"``
              here; they call this one success or hit rate.
            - ``"relevant_recall"``: the fraction of a query's relevant items among the first K, ``recall`` in
              trec_eval.
            - ``"precision"``: the number of relevant items among the first K, divided by K, ``P`` in trec_eval.
            - ``"ndcg"``: nDCG@K with gains of 0 and 1 (Järvelin and Kekäläinen, 2002), ``ndcg_cut`` in trec_eval.
            - ``"mrr"``: the reciprocal rank of the first relevant item in the whole list, 0 without one,
              ``recip_rank`` in trec_eval.
            - ``"map"``: the average precision of the whole list: the precisions at the ranks of relevant items, summed
              and divided by the number of relevant items, ``map`` in trec_eval.

            The value of a metric is its mean over queries.
        threads: Number of threads; None for all cores. The result does not depend on it.

    Returns:
        Scores from 0 to 1, by name: ``"recall@1"``, …, ``"mean_recall"``, ``"ndcg@10"``, ``"map"``.

    Raises:
        ValueError: Query ids differ, only ``predictions`` has ids, lengths differ, a matrix has a wrong shape or dtype,
            there are no queries, a query has no relevant items, a list has an item twice, ``metrics`` is empty or has
            an unknown or repeated name, ``ks`` is empty or has a number that is repeated, below 1 or above 2**63 - 1,
            or ``threads`` is below 1. The message names the query or the argument.
        TypeError: Items are neither all integers nor all strings, the items of a query are not a list, a prediction is
            a set, ``metrics`` is a string, or one of ``ks`` is not an integer.

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
    names = check_names("metrics", metrics, METRICS)
    cutoffs = _check_ks(ks)
    ids, relevant = split_ids(references, "references")
    ranked = _align(predictions, ids)
    if len(ranked) != len(relevant):
        raise ValueError(f"predictions have {len(ranked)} queries, references have {len(relevant)}")
    columns = [(name, k) for name in names for k in (cutoffs if name in METRICS_AT_K else [1])]
    rows = _query_scores(
        _ItemLists("predictions", ranked, ids), _ItemLists("references", relevant, ids), columns, threads
    )
    scores = {}
    for column, (name, k) in enumerate(columns):
        key = f"{name}@{k}" if name in METRICS_AT_K else name
        scores[key] = mean_score(key, signature(key), rows[:, column])
        if name == "recall" and k == cutoffs[-1]:
            scores["mean_recall"] = _mean_recall(cutoffs, rows[:, column - len(cutoffs) + 1 : column + 1])
    return Scores(scores, len(relevant), ids)


def transpose_references(references: Mapping[Any, Sequence[Any]]) -> dict[Any, list[Any]]:
    """Return the relevant queries of each item, to score retrieval in the other direction.

    Args:
        references: Relevant items by query id.

    Returns:
        Query ids by item, items and queries in the order in which they occur.

    Raises:
        ValueError: A query has an item twice.

    Example:
        >>> import muge_fast as mf
        >>> mf.transpose_references({8426: [42967, 11], 8427: [11]})
        {42967: [8426], 11: [8426, 8427]}

    """
    transposed: dict[Any, list[Any]] = {}
    for query, items in references.items():
        if len(set(items)) < len(items):
            raise ValueError(f"references[{query!r}] has an item twice")
        for item in items:
            transposed.setdefault(item, []).append(query)
    return transposed


def _query_scores(
    predictions: _ItemLists, references: _ItemLists, columns: list[tuple[str, int]], threads: int | None
) -> FloatArray:
    """Return the value of each metric at each cutoff for each query, float64 of shape ``(queries, columns)``."""
    references.check_filled()
    ranked, relevant = _as_int64(predictions, references)
    try:
        return _core.retrieval_rows(ranked, predictions.lengths, relevant, references.lengths, columns, threads)
    except ValueError:
        # The core sees integers only; these errors name the item and the query.
        predictions.check_unique()
        references.check_unique()
        raise


class _ItemLists:
    """The item ids of all queries as one flat list, with the length of each query's list.

    Args:
        name: Name of the argument, for errors.
        lists: The items of each query.
        ids: The id of each query; None if queries have no ids.

    Raises:
        TypeError: The items of a query are not a list, or those of a prediction are a set, which has no order.

    """

    def __init__(self, name: str, lists: Sequence[Any], ids: list[Hashable] | None) -> None:
        self.name = name
        self.ids = ids
        if not set(map(type, lists)) <= {list, tuple}:
            lists = list(map(_to_numpy, lists))
            self._check_types(lists)
        self.lengths = np.fromiter(map(len, lists), np.int64, len(lists))
        self.flat: list[Any] = list(chain.from_iterable(lists))

    def _check_types(self, lists: list[Any]) -> None:
        for query, items in enumerate(lists):
            if self.name == "predictions" and isinstance(items, AbstractSet):
                raise TypeError(f"{self.label(query)} is a set ({type(items).__name__}), needs a list, best first")
            # An array without axes has a __len__ too, but calling it raises.
            is_list = hasattr(items, "__len__") and getattr(items, "ndim", 1) > 0
            if isinstance(items, (str, bytes, Mapping)) or not is_list:
                raise TypeError(f"{self.label(query)} must be a list of item ids, got {type(items).__name__}")

    def label(self, query: int) -> str:
        """Return how errors name a query, such as ``predictions['a']``."""
        return f"{self.name}[{query if self.ids is None else self.ids[query]!r}]"

    def check_unique(self) -> None:
        """Raise ``ValueError`` for the first query that has an item twice."""
        start = 0
        for query, length in enumerate(self.lengths.tolist()):
            items = self.flat[start : start + length]
            repeated = find_repeated(items)
            if repeated is not None:
                raise ValueError(f"{self.label(query)} has the item {items[repeated]!r} twice")
            start += length

    def check_filled(self) -> None:
        """Raise ``ValueError`` for the first query that has no items."""
        empty = np.flatnonzero(self.lengths == 0)
        if len(empty):
            raise ValueError(f"{self.label(int(empty[0]))} is empty, needs at least one item")

    def normalize(self) -> type | None:
        """Convert all ids to ``int`` or ``str``; return which of the two, or None if there are no items."""
        types = set(map(type, self.flat))
        id_types = set(map(_id_type, types))
        if not id_types <= {int} and not id_types <= {str}:
            self._raise_mixed()
        if not types <= {int, str}:
            # Members of a str Enum equal their string but have another hash.
            convert = operator.index if id_types == {int} else str.__str__
            self.flat = list(map(convert, self.flat))
        return next(iter(id_types), None)

    def _raise_mixed(self) -> NoReturn:
        id_types = [_id_type(type(item)) for item in self.flat]
        wanted = str if id_types[0] is str else int
        flat_index = next(index for index, id_type in enumerate(id_types) if id_type is not wanted)
        query = int(np.searchsorted(np.cumsum(self.lengths), flat_index, side="right"))
        index = flat_index - int(self.lengths[:query].sum())
        item = self.flat[flat_index]
        raise TypeError(
            f"{self.label(query)}: item {index} is {item!r} ({type(item).__name__}), "
            "all items must be integers or all strings"
        )


def _id_type(item_type: type) -> type:
    """Return ``int`` or ``str`` for types of integers and strings, such as NumPy's and ``IntEnum``; others unchanged.

    ``bool`` and ``timedelta64`` are subclasses of integers, but not ids.
    """
    if issubclass(item_type, str):
        return str
    is_integer = issubclass(item_type, (int, np.integer)) and not issubclass(item_type, (bool, np.timedelta64))
    return int if is_integer else item_type


def _as_int64(predictions: _ItemLists, references: _ItemLists) -> tuple[IntArray, IntArray]:
    """Return the flat items of both as int64: integers unchanged if they fit, otherwise codes in order of first use."""
    types = {predictions.normalize(), references.normalize()} - {None}
    if len(types) > 1:
        raise TypeError("items are strings in one of predictions and references and integers in the other")
    if types <= {int}:
        with suppress(OverflowError):
            return np.array(predictions.flat, np.int64), np.array(references.flat, np.int64)
    codes: dict[Any, int] = {}
    ranked, relevant = (
        np.fromiter((codes.setdefault(item, len(codes)) for item in lists.flat), np.int64, len(lists.flat))
        for lists in (predictions, references)
    )
    return ranked, relevant


def _to_numpy(values: object) -> object:
    """Return a torch tensor on any device as a NumPy array; other objects unchanged."""
    return np.asarray(resolve_negation(values.cpu())) if hasattr(values, "cpu") else values


def _align(predictions: object, ids: list[Hashable] | None) -> Sequence[Any]:
    """Return the items of each query in the order of the references."""
    values = _to_numpy(ranked_items(predictions) if isinstance(predictions, Ranking) else predictions)
    if isinstance(values, np.ndarray):
        if values.ndim != 2 or values.dtype.kind not in "iuUT":  # noqa: PLR2004
            got = f"shape {values.shape} and dtype {values.dtype}"
            raise ValueError(f"predictions must be an integer or string matrix (queries, items), got {got}")
        return values.tolist()  # type: ignore[no-any-return]
    query_ids, lists = split_ids(cast("Iterable[Any]", values), "predictions")
    if query_ids is None:
        return lists
    if ids is None:
        raise ValueError("predictions have ids, references have none")
    return [lists[index] for index in align_ids(query_ids, ids, given_name="predictions", wanted_name="references")]


def _check_ks(ks: Iterable[int]) -> list[int]:
    cutoffs = [whole_number(f"ks[{index}]", k) for index, k in enumerate(ks)]
    if not cutoffs:
        raise ValueError("ks is empty, needs at least one")
    repeated = find_repeated(cutoffs)
    if repeated is not None:
        raise ValueError(f"ks has {cutoffs[repeated]} more than once")
    if max(cutoffs) > MAX_K:
        raise ValueError(f"ks[{cutoffs.index(max(cutoffs))}] must be at most {MAX_K}, got {max(cutoffs)}")
    return cutoffs


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
    )
