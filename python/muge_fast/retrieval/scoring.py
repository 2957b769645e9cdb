"""Retrieval metrics: Recall@K, MeanRecall and what other suites report."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from itertools import chain
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.checks import find_repeated
from muge_fast._internal.dlpack import negated
from muge_fast.retrieval.ranking import Ranking
from muge_fast.scores import FloatArray, ItemStatistics, Score, Scores, mean_score, signature
from muge_fast.text.tokenizers import split_ids

AT_K = ("recall", "relevant_recall", "precision", "ndcg")
WHOLE = ("mrr", "map")
METRICS = (*AT_K, *WHOLE)
MAX_K = 2**63 - 1

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
    """Score ranked items of each query against the items that are relevant to it.

    Args:
        predictions: Items of each query, best first: a mapping from query id, a sequence, a matrix of integers or
            strings of shape ``(queries, items)``, or the :class:`Ranking` of a search, of arrays or of torch tensors
            on any device (then items are row numbers). A list may be shorter than the largest of ``ks``: what is
            missing is no hit.
        references: The relevant items of each query, at least one: a mapping with the same query ids, or a sequence of
            the same length. Items are integers or strings, NumPy's and those of an ``IntEnum`` among them.
        ks: Where to cut the ranking.
        metrics: Any of

            - ``"recall"``: Recall@K as in MUGE and Chinese-CLIP, the share of queries with any relevant item among the
              first K, for each of ``ks``, and ``"mean_recall"``, their mean. Others call it hit rate or success.
            - ``"relevant_recall"``: the share of a query's relevant items among the first K; trec_eval's and ranx'
              recall.
            - ``"precision"``: the share of the first K that is relevant, as in trec_eval.
            - ``"ndcg"``: nDCG@K with gains of 0 and 1 (Järvelin and Kekäläinen, 2002), trec_eval's ndcg_cut.
            - ``"mrr"``: the mean of one by the rank of the first relevant item in the whole list.
            - ``"map"``: the mean average precision of the whole list, by the number of relevant items.
        threads: Number of threads; None for all cores. The result does not depend on it.

    Returns:
        Scores by name, each from 0 to 1: ``"recall@1"``, …, ``"mean_recall"``, ``"ndcg@10"``, ``"map"``.

    Raises:
        ValueError: Query ids that differ, unequal lengths, no queries, a query without relevant items, an item twice
            in a list, an unknown metric, or a K below 1 or twice. The message names the query.
        TypeError: Items that are neither all integers nor all strings, or a set of predictions, which has no order.

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
    names = _check_metrics(metrics)
    cuts = _check_ks(ks)
    ids, relevant = split_ids(references, "references")
    ranked = _align(predictions, ids)
    if len(ranked) != len(relevant):
        raise ValueError(f"predictions has {len(ranked)} items but references has {len(relevant)}")
    columns = [(name, k) for name in names for k in (cuts if name in AT_K else [1])]
    own, expected = _Lists("predictions", ranked, ids), _Lists("references", relevant, ids)
    expected.find_empty()
    numbers = _as_numbers(own, expected)
    try:
        rows = _core.retrieval_rows(*numbers, columns, threads)
    except ValueError:
        # An item that comes twice has a name here.
        own.find_twice()
        expected.find_twice()
        raise
    scores = {}
    for place, (name, k) in enumerate(columns):
        key = f"{name}@{k}" if name in AT_K else name
        scores[key] = mean_score(key, signature(key), rows[:, place])
        if name == "recall" and k == cuts[-1]:
            scores["mean_recall"] = _mean_recall(cuts, rows[:, place - len(cuts) + 1 : place + 1])
    return Scores(scores, len(relevant), ids)


def transpose_references(references: Mapping[Any, Sequence[Any]]) -> dict[Any, list[Any]]:
    """Turn relevant items by query into relevant queries by item, for scoring the other direction.

    Args:
        references: Relevant items by query id.

    Returns:
        Query ids by item, items and queries in the order in which they occur.

    Raises:
        ValueError: A query with an item twice.

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


class _Lists:
    """Item ids of each query, end to end."""

    def __init__(self, name: str, rows: Sequence[Any], ids: list[Hashable] | None) -> None:
        self.name = name
        self.ids = ids
        if not set(map(type, rows)) <= {list, tuple}:
            rows = list(map(_as_array, rows))
            self.refuse_others(rows)
        self.lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        self.flat: list[Any] = list(chain.from_iterable(rows))

    def refuse_others(self, rows: list[Any]) -> None:
        for row, items in enumerate(rows):
            if self.name == "predictions" and isinstance(items, AbstractSet):
                raise TypeError(f"{self.row(row)} is a set ({type(items).__name__}), needs a list, best first")
            # An array without axes has a length by name alone.
            is_list = hasattr(items, "__len__") and getattr(items, "ndim", 1) > 0
            if isinstance(items, (str, bytes, Mapping)) or not is_list:
                found = type(items).__name__
                raise TypeError(f"{self.row(row)}: expected a list of item ids, found {found}")

    def row(self, row: int) -> str:
        return f"{self.name}[{row if self.ids is None else self.ids[row]!r}]"

    def find_twice(self) -> None:
        start = 0
        for row, length in enumerate(self.lengths.tolist()):
            items = self.flat[start : start + length]
            place = find_repeated(items)
            if place is not None:
                raise ValueError(f"{self.row(row)} has the item {items[place]!r} twice")
            start += length

    def find_empty(self) -> None:
        empty = np.flatnonzero(self.lengths == 0)
        if len(empty):
            raise ValueError(f"{self.row(int(empty[0]))} is empty, needs at least one reference")

    def settle(self) -> type | None:
        """Make all ids plain integers or plain strings; which of them, None if there are none."""
        types = set(map(type, self.flat))
        kinds = set(map(_kind, types))
        if not kinds <= {int} and not kinds <= {str}:
            self.refuse_mixed()
        if not types <= {int, str}:
            # Members of an Enum have hashes of their own, though they equal the string.
            self.flat = [operator.index(item) if kinds == {int} else str.__str__(item) for item in self.flat]
        return next(iter(kinds), None)

    def refuse_mixed(self) -> NoReturn:
        kinds = [_kind(type(item)) for item in self.flat]
        wanted = str if kinds[0] is str else int
        found = next(place for place, kind in enumerate(kinds) if kind is not wanted)
        row = int(np.searchsorted(np.cumsum(self.lengths), found, side="right"))
        place = found - int(self.lengths[:row].sum())
        item = self.flat[found]
        raise TypeError(
            f"{self.row(row)}: item {place} is {item!r} ({type(item).__name__}), "
            "all items must be integers or all strings"
        )


def _kind(found: type) -> type:
    """``int`` or ``str`` for all that are one, such as NumPy's and members of an ``IntEnum``; bool is no number."""
    if issubclass(found, str):
        return str
    is_number = issubclass(found, (int, np.integer)) and not issubclass(found, (bool, np.timedelta64))
    return int if is_number else found


def _as_numbers(own: _Lists, expected: _Lists) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    kinds = {own.settle(), expected.settle()} - {None}
    if len(kinds) > 1:
        raise TypeError("items are strings in one of predictions and references and integers in the other")
    try:
        if kinds <= {int}:
            return np.array(own.flat, np.int64), own.lengths, np.array(expected.flat, np.int64), expected.lengths
    except OverflowError:
        pass  # numbered below, like strings
    numbers: dict[Any, int] = {}
    flat = [
        np.fromiter((numbers.setdefault(item, len(numbers)) for item in lists.flat), np.int64, len(lists.flat))
        for lists in (own, expected)
    ]
    return flat[0], own.lengths, flat[1], expected.lengths


def _as_array(values: Any) -> Any:  # noqa: ANN401 - of any type
    """A torch tensor, wherever it is, as an array; all else as it is."""
    return np.asarray(negated(values.cpu())) if hasattr(values, "cpu") else values


def _align(predictions: Any, ids: list[Hashable] | None) -> Sequence[Any]:  # noqa: ANN401 - checked here
    """The rows of predictions in the order of the references."""
    if isinstance(predictions, Ranking):
        predictions = predictions.indices
    predictions = _as_array(predictions)
    if isinstance(predictions, np.ndarray):
        if predictions.ndim != 2 or predictions.dtype.kind not in "iuUT":  # noqa: PLR2004
            shape = f"shape {predictions.shape} and dtype {predictions.dtype}"
            raise ValueError(f"predictions has {shape}, needs an integer or string matrix (queries, items)")
        return predictions.tolist()  # type: ignore[no-any-return]
    given, rows = split_ids(predictions, "predictions")
    if given is None:
        return rows
    if ids is None:
        raise ValueError("predictions has ids, references has none")
    places = {query: place for place, query in enumerate(given)}
    _refuse("predictions has no query", [query for query in ids if query not in places])
    known = set(ids)
    _refuse("references has no query", [query for query in given if query not in known])
    return [rows[places[query]] for query in ids]


def _refuse(problem: str, queries: list[Hashable]) -> None:
    if queries:
        more = f" and {len(queries) - 1} more" if len(queries) > 1 else ""
        raise ValueError(f"{problem} {queries[0]!r}{more}")


def _check_metrics(metrics: Iterable[str]) -> list[str]:
    if isinstance(metrics, str):
        raise TypeError(f"metrics is the string {metrics!r}, needs a sequence of names")
    names = list(metrics)
    for name in names:
        if name not in METRICS:
            raise ValueError(f"unknown metric {name!r}, choose one of {', '.join(METRICS)}")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"metrics is {names}, needs at least one name and none twice")
    return names


def _check_ks(ks: Iterable[Any]) -> list[int]:
    cuts = [operator.index(k) for k in ks]
    if not cuts or len(set(cuts)) < len(cuts) or min(cuts) < 1:
        raise ValueError(f"ks is {cuts}, needs at least one, all above zero and none twice")
    if max(cuts) > MAX_K:
        raise ValueError(f"ks is {cuts}, needs none above {MAX_K}")
    return cuts


def _mean_recall(ks: list[int], rows: FloatArray) -> Score:
    """The mean over ``ks``, of the corpus and of each query."""
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
