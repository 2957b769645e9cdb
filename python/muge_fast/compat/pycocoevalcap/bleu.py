"""``Bleu`` and ``BleuScorer``."""
# ruff: noqa: T201 - printed lines are those of the originals

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muge_fast import _core
from muge_fast.caption.document_frequency import MAX_ORDER
from muge_fast.compat.pycocoevalcap.items import Items, Texts, warn_about_uncut_text

if TYPE_CHECKING:
    from muge_fast.scores import FloatArray


class Bleu:
    """BLEU-1 to BLEU-n as in pycocoevalcap, each 0 to 1.

    Args:
        n: Largest order of n-grams, up to 4. With more, ``compute_score`` raises ``IndexError``, as the original does.

    Example:
        >>> from muge_fast.compat.pycocoevalcap import Bleu
        >>> score, scores = Bleu(2).compute_score({"a": ["红 色 长 裙"]}, {"a": ["红 色 裙 子"]})
        {'testlen': 4, 'reflen': 4, 'guess': [4, 3], 'correct': [3, 1]}
        ratio: 0.9999999997500002
        >>> [round(value, 4) for value in score], len(scores[0])
        ([0.75, 0.5], 1)

    """

    def __init__(self, n: int = 4) -> None:
        self._n = n

    def compute_score(self, gts: Texts, res: Texts, verbose: int = 1) -> tuple[list[float], list[list[float]]]:
        """Compute BLEU of the whole set and of each caption.

        Args:
            gts: References: a list of tokenized texts for each id.
            res: Captions: a list of one tokenized text for the same ids.
            verbose: 1 to print the counts of the set, 2 to print those of each caption too, 0 to print nothing.

        Returns:
            BLEU-1 to BLEU-n of the set, and for each order the scores of the captions in the order of ``gts``.

        Raises:
            AssertionError: Ids that differ, an id without exactly one caption, or without references.
            IndexError: ``n`` is larger than 4.
            TypeError: A text that is not a string.
            ValueError: A text that is not valid Unicode (a lone surrogate).

        Example:
            >>> from muge_fast.compat.pycocoevalcap import Bleu
            >>> score, scores = Bleu(2).compute_score({"a": ["红 色 长 裙"]}, {"a": ["红 色 裙 子"]}, verbose=0)
            >>> [round(value, 4) for value in score]
            [0.75, 0.5]

        """
        warn_about_uncut_text(gts, res)
        items = Items.from_mappings(gts, res)
        if self._n > MAX_ORDER:
            raise IndexError(f"n is {self._n}, but n-grams are counted up to {MAX_ORDER} tokens")
        rows = items.statistics("bleu", "whitespace") if items.ids else np.zeros((0, 2 + 2 * MAX_ORDER))
        if verbose > 1:
            _print_items(rows, items.references)
        if verbose > 0:
            _print_totals(rows, range(self._n))
        by_order, _ = _core.bleu_score(rows, "tiny", smoothing_value=None, effective_order=False)
        by_item = _core.bleu_items(rows, "tiny", smoothing_value=None, effective_order=False).T.tolist()
        return [by_order[order] for order in range(self._n)], [by_item[order] for order in range(self._n)]

    def method(self) -> str:
        """Return the name of the metric."""
        return "Bleu"


def _print_items(rows: FloatArray, references: list[list[str]]) -> None:
    for row, texts in zip(rows.astype(int).tolist(), references, strict=True):
        lengths = [len(text.split()) for text in texts]
        print({"reflen": lengths, "testlen": row[0], "guess": row[-MAX_ORDER:], "correct": row[2:-MAX_ORDER]}, row[1])


def _print_totals(rows: FloatArray, orders: range) -> None:
    testlen, reflen, *counts = rows.sum(axis=0).astype(int).tolist()
    guess, correct = [counts[MAX_ORDER + order] for order in orders], [counts[order] for order in orders]
    print({"testlen": testlen, "reflen": reflen, "guess": guess, "correct": correct})
    print("ratio:", (testlen + 1e-15) / (reflen + 1e-9))
