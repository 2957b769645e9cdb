"""``CiderScorer``: captions one by one, or sets of captions, by ``+=``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from muge_fast.caption.document_frequency import MAX_ORDER, DocumentFrequency
from muge_fast.compat.pycocoevalcap.cider import cider_d_scores
from muge_fast.compat.pycocoevalcap.items import Items, mean_and_scores

if TYPE_CHECKING:
    from muge_fast.scores import FloatArray


class CiderScorer:
    """CIDEr-D of captions that are added by ``scorer += (caption, references)``.

    Args:
        test: The first caption; None for none.
        refs: Its references; None for none.
        n: Number of orders that the score is averaged over, as for :class:`Cider`.
        sigma: Standard deviation of the length penalty, in tokens.

    Attributes:
        n: Number of orders.
        sigma: Standard deviation of the length penalty.
        ctest: The captions.
        crefs: The references of each. (The original has counts of n-grams here.)

    Example:
        >>> from muge_fast.compat.pycocoevalcap import CiderScorer
        >>> scorer = CiderScorer()
        >>> scorer += ("红 色 长 裙", ["红 色 长 裙"])
        >>> scorer += ("黑 色 皮 鞋", ["黑 色 男 鞋"])
        >>> scorer.compute_score()[1].round(2).tolist()
        [10.0, 2.5]

    """

    def __init__(
        self, test: str | None = None, refs: Sequence[str] | None = None, n: int = 4, sigma: float = 6.0
    ) -> None:
        self.n = n
        self.sigma = sigma
        self.crefs: list[list[str]] = []
        self.ctest: list[str | None] = []
        self._counted: list[int] = []
        self.cook_append(test, refs)

    def copy(self) -> CiderScorer:
        """Return a scorer of the same captions."""
        new = CiderScorer(n=self.n)
        new.ctest, new.crefs = list(self.ctest), list(self.crefs)
        return new

    def cook_append(self, test: str | None, refs: Sequence[str] | None) -> None:
        """Add a caption, unless it has no references.

        Args:
            test: The caption.
            refs: Its references; None for none.

        """
        if refs is not None:
            self.crefs.append(list(refs))
            self.ctest.append(test)

    def __iadd__(self, other: tuple[str, Sequence[str]] | CiderScorer) -> CiderScorer:  # noqa: PYI034 - Self is of Python 3.11
        if type(other) is tuple:
            self.cook_append(other[0], other[1])
        else:
            self.ctest.extend(other.ctest)  # type: ignore[union-attr]
            self.crefs.extend(other.crefs)  # type: ignore[union-attr]
        return self

    def size(self) -> int:
        """Return the number of captions."""
        if len(self.crefs) != len(self.ctest):
            raise AssertionError(f"refs/test mismatch! {len(self.crefs)}<>{len(self.ctest)}")
        return len(self.crefs)

    def compute_score(
        self,
        option: object = None,  # noqa: ARG002 - the signature is the original's
        verbose: int = 0,  # noqa: ARG002
    ) -> tuple[np.float64, FloatArray]:
        """Compute CIDEr-D of the whole set and of each caption.

        Each call counts the references again and adds to the counts of earlier calls, as in the original. So a second
        call has other scores, or is an ``AssertionError`` if an n-gram occurs in more than half of the items.

        Args:
            option: Not used, as in the original.
            verbose: Not used, as in the original.

        Returns:
            The mean score, and the score of each caption.

        Raises:
            AssertionError: More documents with an n-gram than captions; a caption without references.
            IndexError: ``n`` is below 4 and a text has more than ``n`` tokens.
            ZeroDivisionError: ``sigma`` is 0.
            TypeError: A text that is not a string.
            ValueError: No reference has a token, or a text is not valid Unicode.

        """
        self._counted.append(len(self.crefs))
        items = Items.from_rows(
            (index, [caption], texts) for index, (caption, texts) in enumerate(zip(self.ctest, self.crefs, strict=True))
        )
        frequency = self._frequency() if len(self._counted) > 1 else None
        return mean_and_scores(cider_d_scores(items, self.n, self.sigma, frequency))

    def _frequency(self) -> DocumentFrequency:
        """Count the n-grams of all calls together."""
        counts: Counter[tuple[str, ...]] = Counter()
        for index, texts in enumerate(self.crefs):
            times = sum(index < counted for counted in self._counted)
            for ngram in {ngram for text in texts for ngram in _ngrams(text.split())}:
                counts[ngram] += times
        if max(counts.values()) > len(self.ctest):
            raise AssertionError(f"an n-gram is counted {max(counts.values())} times for {len(self.ctest)} captions")
        return DocumentFrequency.from_counts(len(self.crefs), counts)


def _ngrams(tokens: list[str]) -> list[tuple[str, ...]]:
    orders = range(1, MAX_ORDER + 1)
    return [tuple(tokens[start : start + n]) for n in orders for start in range(len(tokens) - n + 1)]
