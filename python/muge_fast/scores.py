"""Scores: what every metric returns."""

from __future__ import annotations

import html
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.checks import find_repeated
from muge_fast._internal.optional import import_pandas

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]

SET_MERGE_ERROR = "a score of a whole set cannot be computed from scores of its parts; merge the metrics instead"
"""Why FID and its like are not merged: ``Scores.merge`` says so."""


@dataclass(frozen=True, eq=False)
class ItemStatistics:
    """The sufficient statistics of a metric: a few numbers for each item, from which the score of any items follows.

    Rows of several sets of items, or of a bootstrap sample, put below one another are the statistics of all of them, so
    merging, resampling and paired tests need nothing else. :meth:`Score.with_statistics` turns rows into a score.

    Attributes:
        columns: Names of the columns, such as ``("prediction_length", "reference_length", "matches_1", …)`` for BLEU.
        rows: float64 of shape ``(items, columns)``, in the order of ``Scores.ids``; no rows for metrics of a whole
            set, such as FID.

    Example:
        >>> import muge_fast as mf
        >>> score = mf.score_captions(["红色连衣裙", "黑鞋"], [["红色连衣裙"], ["黑色皮鞋"]])["bleu"]
        >>> score.statistics.columns[:3], score.statistics.rows[:, :3].tolist()
        (('prediction_length', 'reference_length', 'matches_1'), [[5.0, 5.0, 5.0], [2.0, 4.0, 2.0]])

    """

    columns: tuple[str, ...]
    rows: FloatArray

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False, repr=False)
class Score:
    """The score of one metric over a set of items.

    Scores can be pickled and copied. ``float(score)`` is its value, and format specifications apply to it:
    ``f"{score:.2f}"``.

    Attributes:
        name: The metric's name, such as ``"cider_d"``.
        value: The score of the whole set, in the range that the metric's documentation gives.
        per_item: The score of each item, float64 of shape ``(items,)``, in the order of ``Scores.ids``. Empty for a
            metric that a single item has no value of, such as FID.
        signature: Everything needed to get the same number again: options, tokenizer, version.
        parts: Numbers that belong to the value, by name, such as ``"brevity_penalty"`` of BLEU, or ``"std"`` of a mean
            over splits.
        statistics: The sufficient statistics of each item, see :class:`ItemStatistics`. Other code may build on them.
        higher_is_better: Whether a larger value is a better one.

    Example:
        >>> import muge_fast as mf
        >>> score = mf.score_captions(["红色连衣裙", "黑鞋"], [["红色连衣裙"], ["黑色皮鞋"]])["rouge_l"]
        >>> score.name, round(score.value, 4), score.per_item.round(4).tolist()
        ('rouge_l', 0.8144, [1.0, 0.6289])
        >>> score
        Score(rouge_l=0.8144, items=2, signature='rouge_l|beta:1.2|tokenizer:muge|version:0.2.0')

    """

    name: str
    value: float
    per_item: FloatArray
    signature: str
    parts: Mapping[str, float]
    statistics: ItemStatistics
    higher_is_better: bool = True
    _rescore: Callable[[FloatArray], Score] | None = field(default=None, kw_only=True)
    _merge_error: str = field(default="", kw_only=True)

    def __float__(self) -> float:
        return self.value

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else repr(self)

    def __repr__(self) -> str:
        items = f", items={len(self.per_item)}" if len(self.per_item) else ""
        return f"Score({self.name}={self.value:.4f}{items}, signature={self.signature!r})"

    def _repr_html_(self) -> str:
        return _html_table([self])

    def to_dict(self) -> dict[str, Any]:
        """Return name, value, parts and signature as plain Python objects, ready for JSON.

        Returns:
            A dictionary with ``"name"``, ``"value"``, ``"parts"``, ``"items"`` (how many there are), ``"signature"``
            and ``"higher_is_better"``.

        Example:
            >>> import muge_fast as mf
            >>> mf.score_captions(["红鞋"], [["红鞋"]], metrics=["rouge_l"])["rouge_l"].to_dict()["value"]
            1.0

        """
        return {
            "name": self.name,
            "value": float(self.value),
            "parts": {name: float(value) for name, value in self.parts.items()},
            "items": len(self.per_item),
            "signature": self.signature,
            "higher_is_better": self.higher_is_better,
        }

    def to_pandas(self) -> pd.Series[Any]:
        """Return the score of each item as a pandas Series, named like the metric; ``Scores.to_pandas`` has the ids.

        Raises:
            ImportError: pandas is not installed.

        Example:
            >>> import muge_fast as mf
            >>> score = mf.score_captions(["红鞋"], [["红鞋"]], metrics=["rouge_l"])["rouge_l"]
            >>> score.to_pandas().tolist()  # doctest: +SKIP
            [1.0]

        """
        return import_pandas().Series(self.per_item, name=self.name)

    def with_statistics(self, rows: npt.ArrayLike) -> Score:
        """Compute the score of other items from their statistics, under the same options.

        Args:
            rows: Rows as in ``statistics.rows``, float64 of shape ``(items, columns)``: a subset, a sample with
                repetitions, or rows of several shards.

        Returns:
            A score with the signature of this one.

        Raises:
            ValueError: Another number of columns, no rows, or a metric of a whole set.

        Example:
            >>> import muge_fast as mf
            >>> score = mf.score_captions(["红色连衣裙", "黑鞋"], [["红色连衣裙"], ["黑色皮鞋"]])["bleu"]
            >>> round(score.with_statistics(score.statistics.rows[:1]).value, 4)
            1.0

        """
        table = np.ascontiguousarray(rows, dtype=np.float64)
        if self._rescore is None:
            raise ValueError(f"{self.name}: {SET_MERGE_ERROR}")
        if table.ndim != 2 or table.shape[1] != len(self.statistics.columns) or not len(table):  # noqa: PLR2004
            needed = f"(items, {len(self.statistics.columns)}) with at least one item"
            raise ValueError(f"rows has shape {table.shape}, needs {needed}")
        return self._rescore(table)


class Scores(Mapping[str, Score]):
    """Scores by metric name, in the order in which the metrics were requested.

    It is a read-only mapping that can be pickled and copied.

    Args:
        scores: The scores by name.
        items: Number of items; 0 where the metrics are of a whole set.
        ids: The id of each item; None where items have no ids.

    Example:
        >>> import muge_fast as mf
        >>> scores = mf.score_captions({"a": "红鞋"}, {"a": ["红鞋"]}, metrics=["bleu", "rouge_l"])
        >>> list(scores), scores.ids, scores["rouge_l"].value
        (['bleu', 'rouge_l'], ['a'], 1.0)

    """

    def __init__(self, scores: Mapping[str, Score], items: int = 0, ids: list[Hashable] | None = None) -> None:
        self._scores = dict(scores)
        self._ids = ids
        self._items = items

    @property
    def ids(self) -> list[Hashable]:
        """The id of each item; its index where items came without ids."""
        return list(range(self._items)) if self._ids is None else self._ids

    def __getitem__(self, name: str) -> Score:
        try:
            return self._scores[name]
        except KeyError:
            raise KeyError(f"no metric {name!r} here, there is {', '.join(self._scores)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._scores)

    def __len__(self) -> int:
        return len(self._scores)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={score.value:.4f}" for name, score in self._scores.items())
        return f"Scores({f'{self._items} items, ' if self._items else ''}{values})"

    def _repr_html_(self) -> str:
        return _html_table(self._scores.values())

    def to_dict(self) -> dict[str, float]:
        """Return the value of each metric as a plain float, by name, as loggers take it.

        Example:
            >>> import muge_fast as mf
            >>> mf.score_captions(["红鞋"], [["红鞋"]], metrics=["rouge_l"]).to_dict()
            {'rouge_l': 1.0}

        """
        return {name: float(score.value) for name, score in self._scores.items()}

    def to_pandas(self) -> pd.DataFrame:
        """Return the score of each item as a pandas DataFrame: a row for each item, a column for each metric.

        Returns:
            A frame with the index ``"id"``. Metrics of a whole set have no column.

        Raises:
            ImportError: pandas is not installed.

        Example:
            >>> import muge_fast as mf
            >>> scores = mf.score_captions({"a": "红鞋"}, {"a": ["红鞋"]}, metrics=["rouge_l"])
            >>> scores.to_pandas().loc["a", "rouge_l"]  # doctest: +SKIP
            1.0

        """
        pandas = import_pandas()
        columns = {name: score.per_item for name, score in self._scores.items() if len(score.per_item) == self._items}
        return pandas.DataFrame(columns, index=pandas.Index(self.ids, name="id", tupleize_cols=False))

    @classmethod
    def merge(cls, shards: Iterable[Scores]) -> Scores:
        """Merge the scores of several shards: the same, bit for bit, as scoring all items at once.

        Args:
            shards: Scores of the same metrics under the same options, in the order that the items should have.

        Returns:
            The scores of all items together.

        Raises:
            ValueError: No shards, different metrics or signatures, an id in two shards, the same object twice, CIDEr
                scores whose document frequencies were counted in each shard's references, or a metric of a whole set.

        Example:
            >>> import muge_fast as mf
            >>> references = [["红色连衣裙"], ["黑色皮鞋"], ["白色衬衫"]]
            >>> options = {"document_frequency": mf.DocumentFrequency.from_references(references)}
            >>> first = mf.score_captions(["红色裙子"], references[:1], **options)
            >>> second = mf.score_captions(["黑色皮鞋", "白衬衫"], references[1:], **options)
            >>> whole = mf.score_captions(["红色裙子", "黑色皮鞋", "白衬衫"], references, **options)
            >>> mf.Scores.merge([first, second])["cider_d"].value == whole["cider_d"].value
            True

        """
        shards = list(shards)
        if not shards:
            raise ValueError("shards is empty, needs at least one")
        first = shards[0]
        again = find_repeated([id(shard) for shard in shards])
        if again is not None:
            raise ValueError(f"shards[{again}] is the same object as an earlier shard: its items would count twice")
        for number, shard in enumerate(shards):
            if list(shard) != list(first):
                raise ValueError(f"shards[{number}] has the metrics {list(shard)}, shards[0] has {list(first)}")
        merged = {name: _merge([shard[name] for shard in shards]) for name in first}
        return cls(merged, sum(shard._items for shard in shards), _merge_ids(shards))  # noqa: SLF001


def signature(name: str, *details: str, **options: object) -> str:
    """Return the signature of a metric: its name, what it depends on, and the version, separated by ``|``.

    Args:
        name: The metric's name.
        details: Parts of a signature that something else has, such as an extractor.
        options: Options by name; None is left out.

    Example:
        >>> from muge_fast.scores import signature
        >>> signature("cider_d", n=4, sigma="6", tokenizer="muge")
        'cider_d|n:4|sigma:6|tokenizer:muge|version:0.2.0'

    """
    named = [f"{option}:{value}" for option, value in options.items() if value is not None]
    return "|".join([name, *named, *details, f"version:{_core.__version__}"])


def mean_score(
    name: str, signature: str, values: FloatArray, *, merge_error: str = "", higher_is_better: bool = True
) -> Score:
    """Return the score of a metric whose value is the mean of its items.

    The sum runs in pairs, as NumPy's, and does not depend on the CPU.

    Args:
        name: The metric's name.
        signature: Its signature.
        values: The score of each item, float64 of shape ``(items,)`` or ``(items, 1)``.
        merge_error: Why the items must not be merged with those of other sets; empty if they may.
        higher_is_better: Whether a larger value is a better one.

    Example:
        >>> import numpy as np
        >>> from muge_fast.scores import mean_score
        >>> mean_score("accuracy", "accuracy|version:0", np.array([1.0, 0.0])).value
        0.5

    """
    per_item = np.ascontiguousarray(values, dtype=np.float64).reshape(-1)
    return Score(
        name=name,
        value=_core.mean(per_item),
        per_item=per_item,
        signature=signature,
        parts={},
        statistics=ItemStatistics((name,), per_item.reshape(-1, 1)),
        higher_is_better=higher_is_better,
        _rescore=partial(mean_score, name, signature, merge_error=merge_error, higher_is_better=higher_is_better),
        _merge_error=merge_error,
    )


def set_score(
    name: str,
    signature: str,
    value: float,
    *,
    parts: Mapping[str, float] | None = None,
    higher_is_better: bool = True,
) -> Score:
    """Return the score of a whole set of items, which no single item has a share of, such as FID.

    Args:
        name: The metric's name.
        signature: Its signature.
        value: The score.
        parts: Numbers that belong to it, by name.
        higher_is_better: Whether a larger value is a better one.

    Example:
        >>> from muge_fast.scores import set_score
        >>> set_score("is", "is|splits:10|version:0", 9.1, parts={"std": 0.2})
        Score(is=9.1000, signature='is|splits:10|version:0')

    """
    return Score(
        name=name,
        value=float(value),
        per_item=np.empty(0),
        signature=signature,
        parts=dict(parts or {}),
        statistics=ItemStatistics((), np.empty((0, 0))),
        higher_is_better=higher_is_better,
        _merge_error=SET_MERGE_ERROR,
    )


def _merge(scores: list[Score]) -> Score:
    first = scores[0]
    for number, score in enumerate(scores):
        if score.signature != first.signature:
            raise ValueError(f"shards[{number}] was scored as {score.signature}, shards[0] as {first.signature}")
        if score._merge_error and len(scores) > 1:  # noqa: SLF001
            raise ValueError(f"{score.name} of shards cannot be merged: {score._merge_error}")  # noqa: SLF001
    if len(scores) == 1:
        return first
    return first.with_statistics(np.concatenate([score.statistics.rows for score in scores]))


def _merge_ids(shards: list[Scores]) -> list[Hashable] | None:
    if all(shard._ids is None for shard in shards):  # noqa: SLF001
        return None
    ids = [item for shard in shards for item in shard.ids]
    again = find_repeated(ids)
    if again is not None:
        ends = list(accumulate(len(shard.ids) for shard in shards))
        number, first = (bisect_right(ends, index) for index in (again, ids.index(ids[again])))
        where = f"shards[{number}] more than once" if first == number else "more than one shard"
        raise ValueError(f"id {ids[again]!r} is in {where}")
    return ids


def _html_table(scores: Iterable[Score]) -> str:
    """Return a table for notebooks: a row for each metric, its parts and signature after the value."""
    rows = []
    for score in scores:
        parts = ", ".join(f"{name} {value:.4g}" for name, value in score.parts.items())
        cells = (score.name, f"{score.value:.4f}", str(len(score.per_item) or ""), parts, score.signature)
        rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("metric", "value", "items", "parts", "signature"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
