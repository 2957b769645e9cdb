"""What a metric returns: a value, the value of each item, and a signature."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from muge_fast.files import find_repeated

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Score:
    """One metric over a set of items.

    Attributes:
        name: The metric's name, such as ``"cider_d"``.
        value: The score of the whole set. BLEU and ROUGE-L are 0 to 1, CIDEr and CIDEr-D 0 to 10.
        per_item: The score of each item, float64 of shape ``(items,)``, in the order of ``Scores.ids``.
        signature: Everything that is needed to get the same number again: options, tokenizer, version.
        parts: Numbers that the value was made from, by name. BLEU has ``bleu_1`` to ``bleu_4``,
            ``brevity_penalty``, and ``prediction_length`` and ``reference_length`` in tokens.
        rows: What the metric keeps of each item, float64 of shape ``(items, width)``. Rows of several sets put
            together give the score of the whole, see :meth:`Scores.merge`.
        of_rows: Makes the score of other rows under the same options.
        unmergeable: Why rows of another set must not be added to these; empty if they may.

    Example:
        >>> import muge_fast as mf
        >>> score = mf.score_captions(["红色连衣裙", "黑鞋"], [["红色连衣裙"], ["黑色皮鞋"]])["rouge_l"]
        >>> score.name, round(score.value, 4), score.per_item.round(4).tolist()
        ('rouge_l', 0.8144, [1.0, 0.6289])

    """

    name: str
    value: float
    per_item: FloatArray = field(repr=False)
    signature: str
    parts: Mapping[str, float] = field(repr=False)
    rows: FloatArray = field(repr=False)
    of_rows: Callable[[FloatArray], Score] = field(repr=False)
    unmergeable: str = field(default="", repr=False)

    def __float__(self) -> float:
        return self.value


class Scores(Mapping[str, Score]):
    """Scores by metric name, in the order in which the metrics were asked for."""

    def __init__(self, scores: Mapping[str, Score], items: int, ids: list[Hashable] | None = None) -> None:
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
        values = ", ".join(f"{score.name}={score.value:.4f}" for score in self._scores.values())
        return f"Scores({self._items} items, {values})"

    @classmethod
    def merge(cls, shards: Iterable[Scores]) -> Scores:
        """Put the scores of several shards together: the same, bit for bit, as scoring all items at once.

        Args:
            shards: Scores of the same metrics under the same options, in the order that the items should have.

        Raises:
            ValueError: No shards, different metrics or signatures, an id in two shards, or CIDEr scores whose
                document frequencies were counted in each shard's own references.

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
        for number, shard in enumerate(shards):
            if list(shard) != list(first):
                raise ValueError(f"shards[{number}] has the metrics {list(shard)}, shards[0] has {list(first)}")
        merged = {name: _merge([shard[name] for shard in shards]) for name in first}
        return cls(merged, sum(shard._items for shard in shards), _merge_ids(shards))  # noqa: SLF001


def _merge(scores: list[Score]) -> Score:
    first = scores[0]
    for number, score in enumerate(scores):
        if score.signature != first.signature:
            raise ValueError(f"shards[{number}] was scored as {score.signature}, shards[0] as {first.signature}")
        if score.unmergeable and len(scores) > 1:
            raise ValueError(f"{score.name} of shards cannot be merged: {score.unmergeable}")
    return first.of_rows(np.concatenate([score.rows for score in scores]))


def _merge_ids(shards: list[Scores]) -> list[Hashable] | None:
    # Shards without ids are numbered anew.
    if all(shard._ids is None for shard in shards):  # noqa: SLF001
        return None
    ids = [item for shard in shards for item in shard.ids]
    again = find_repeated(ids)
    if again is not None:
        ends = list(accumulate(len(shard.ids) for shard in shards))
        number, first = (bisect_right(ends, place) for place in (again, ids.index(ids[again])))
        where = f"shards[{number}] more than once" if first == number else "more than one shard"
        raise ValueError(f"id {ids[again]!r} is in {where}")
    return ids
