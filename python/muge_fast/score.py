"""What a metric returns: a value, the value of each item, and a signature."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

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
            ``brevity_penalty``, ``prediction_length`` and ``reference_length`` (in tokens).
        rows: What the metric keeps of each item, float64 of shape ``(items, width)``; rows of several sets can be
            put together and scored again, see :meth:`Scores.merge`.

    """

    name: str
    value: float
    per_item: FloatArray = field(repr=False)
    signature: str
    parts: Mapping[str, float] = field(default_factory=dict, repr=False)
    rows: FloatArray = field(default_factory=lambda: np.empty((0, 0)), repr=False)

    def __float__(self) -> float:
        return self.value


class Scores(Mapping[str, Score]):
    """Scores by metric name, in the order in which the metrics were asked for.

    Attributes:
        ids: The id of each item, or its index where items came without ids.

    """

    def __init__(self, ids: list[Hashable], scores: Mapping[str, Score]) -> None:
        self.ids = ids
        self._scores = dict(scores)

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
        return f"Scores({len(self.ids)} items, {values})"
