"""``BleuScorer``: captions one by one, or sets of captions, by ``+=``."""
# ruff: noqa: T201 - printed lines are those of the originals

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from muge_fast.caption.document_frequency import MAX_ORDER
from muge_fast.compat.pycocoevalcap.items import Items

SMALL = 1e-9
TINY = 1e-15

BleuResult = list[float] | tuple[list[float], list[list[float]]]
"""Scores of the set, and those of each caption unless the call repeats an earlier one."""


class BleuScorer:
    """BLEU-1 to BLEU-n of captions that are added by ``scorer += (caption, references)``.

    Args:
        test: The first caption; None for none.
        refs: Its references; None for none.
        n: Largest order of n-grams, up to 4. With more, ``compute_score`` raises ``IndexError``, as the original does.
        special_reflen: The length of the reference for every caption; None to compute it.

    Attributes:
        n: Largest order of n-grams.
        ctest: The captions.
        crefs: The references of each. (The original has counts of n-grams here.)
        special_reflen: The length of the reference for every caption, or None.

    Example:
        >>> from muge_fast.compat.pycocoevalcap import BleuScorer
        >>> scorer = BleuScorer(n=2)
        >>> scorer += ("红 色 裙 子", ["红 色 长 裙"])
        >>> score, scores = scorer.compute_score(option="closest")
        >>> [round(value, 4) for value in score], len(scores[0])
        ([0.75, 0.5], 1)

    """

    def __init__(
        self,
        test: str | None = None,
        refs: Sequence[str] | None = None,
        n: int = 4,
        special_reflen: float | None = None,
    ) -> None:
        self.n = n
        self.crefs: list[list[str]] = []
        self.ctest: list[str | None] = []
        self.special_reflen = special_reflen
        self._score: list[float] | None = None
        self._testlen: float = 0
        self._reflen: float = 0
        self.cook_append(test, refs)

    def copy(self) -> BleuScorer:
        """Return a scorer of the same captions."""
        new = BleuScorer(n=self.n)
        new.ctest, new.crefs = list(self.ctest), list(self.crefs)
        return new

    def cook_append(self, test: str | None, refs: Sequence[str] | None) -> None:
        """Add a caption, unless it has no references.

        Args:
            test: The caption; None for one that :meth:`retest` brings.
            refs: Its references; None for none.

        """
        if refs is not None:
            self.crefs.append(list(refs))
            self.ctest.append(test)
        self._score = None

    def __iadd__(self, other: tuple[str, Sequence[str]] | BleuScorer) -> BleuScorer:  # noqa: PYI034 - Self is of Python 3.11
        if type(other) is tuple:
            self.cook_append(other[0], other[1])
            return self
        if not isinstance(other, BleuScorer) or not self.compatible(other):
            raise AssertionError("incompatible BLEUs.")
        self.ctest.extend(other.ctest)
        self.crefs.extend(other.crefs)
        self._score = None
        return self

    def compatible(self, other: object) -> bool:
        """Return whether captions of another scorer can be added.

        Args:
            other: The other scorer.

        Returns:
            Whether it is a ``BleuScorer`` of as many orders.

        """
        return isinstance(other, BleuScorer) and self.n == other.n

    def size(self) -> int:
        """Return the number of captions."""
        if len(self.crefs) != len(self.ctest):
            raise AssertionError(f"refs/test mismatch! {len(self.crefs)}<>{len(self.ctest)}")
        return len(self.crefs)

    def retest(self, new_test: str | Sequence[str]) -> BleuScorer:
        """Replace all captions.

        Args:
            new_test: A caption for each list of references; a string is one caption.

        Returns:
            The scorer itself.

        Raises:
            AssertionError: Another number of captions.

        """
        texts = [new_test] if isinstance(new_test, str) else list(new_test)
        if len(texts) != len(self.crefs):
            raise AssertionError(texts)
        self.ctest = list(texts)
        self._score = None
        return self

    def rescore(self, new_test: str | Sequence[str]) -> BleuResult:
        """Replace all captions, and return the new scores.

        Args:
            new_test: A caption for each list of references; a string is one caption.

        Returns:
            The result of :meth:`compute_score`.

        """
        return self.retest(new_test).compute_score()

    def reflen(self, option: str | None = None) -> float:
        """Return the length of the references: one for each caption, by ``option``.

        Args:
            option: The argument of :meth:`compute_score`.

        Returns:
            The sum of the lengths.

        """
        self.compute_score(option)
        return self._reflen

    def testlen(self, option: str | None = None) -> float:
        """Return the number of tokens of all captions.

        Args:
            option: The argument of :meth:`compute_score`.

        Returns:
            The number.

        """
        self.compute_score(option)
        return self._testlen

    def single_reflen(self, option: str = "average") -> float:
        """Return the length of the references of the first caption.

        Args:
            option: ``"shortest"`` or ``"average"``.

        Returns:
            The length.

        """
        return _reference_length([len(text.split()) for text in self.crefs[0]], option, 0)

    def recompute_score(self, option: str | None = None, verbose: int = 0) -> BleuResult:
        """Return the scores, computed again.

        Args:
            option: The argument of :meth:`compute_score`.
            verbose: The argument of :meth:`compute_score`.

        Returns:
            The result of :meth:`compute_score`.

        """
        self._score = None
        return self.compute_score(option, verbose)

    def compute_score(self, option: str | None = None, verbose: int = 0) -> BleuResult:
        """Compute BLEU of the whole set and of each caption.

        Args:
            option: Which reference gives the length: ``"closest"``, ``"shortest"`` or ``"average"``. None is
                ``"average"`` for one caption, ``"closest"`` for more.
            verbose: 1 to print the counts of the set, 2 to print those of each caption too, 0 to print nothing.

        Returns:
            BLEU-1 to BLEU-n of the set, and for each order the scores of the captions. A second call without a change
            returns the former alone, as in the original.

        Raises:
            AssertionError: An unknown option, or a caption without references.
            IndexError: ``n`` is larger than 4.
            TypeError: A text that is not a string.
            ValueError: A text that is not valid Unicode (a lone surrogate).

        """
        if self._score is not None:
            return self._score
        option = option or ("average" if len(self.crefs) == 1 else "closest")
        rows = self._rows()
        lengths = [
            self.special_reflen if self.special_reflen is not None else _reference_length(texts, option, row[0])
            for row, texts in zip(rows, ([len(text.split()) for text in texts] for texts in self.crefs), strict=True)
        ]
        if verbose > 1:
            self._print_items(rows, lengths)
        by_item = [_bleu(self.n, *_counts(row), row[0], length) for row, length in zip(rows, lengths, strict=True)]
        self._testlen, self._reflen = sum(row[0] for row in rows), sum(lengths)
        sums = [sum(column) for column in zip(*rows, strict=True)] or [0] * (2 + 2 * MAX_ORDER)
        correct, guess = _counts(sums)
        if verbose > 0:
            counts = {"guess": guess[: self.n], "correct": correct[: self.n]}
            print({"testlen": self._testlen, "reflen": self._reflen, **counts})
            print("ratio:", _ratio(self._testlen, self._reflen))
        self._score = _bleu(self.n, correct, guess, self._testlen, self._reflen)
        return self._score, [[scores[order] for scores in by_item] for order in range(self.n)]

    def _rows(self) -> list[list[int]]:
        """Return lengths, matches and n-grams of each caption."""
        if not self.ctest:
            return []
        if self.n > MAX_ORDER:
            raise IndexError(f"n is {self.n}, but n-grams are counted up to {MAX_ORDER} tokens")
        items = Items.from_rows(
            (index, [caption], texts) for index, (caption, texts) in enumerate(zip(self.ctest, self.crefs, strict=True))
        )
        rows: list[list[int]] = np.asarray(items.statistics("bleu", "whitespace")).astype(np.int64).tolist()
        return rows

    def _print_items(self, rows: list[list[int]], lengths: list[float]) -> None:
        for row, texts, length in zip(rows, self.crefs, lengths, strict=True):
            correct, guess = _counts(row)
            counts = {"reflen": [len(text.split()) for text in texts], "testlen": row[0]}
            print({**counts, "guess": guess, "correct": correct}, length)


def _counts(row: list[int]) -> tuple[list[int], list[int]]:
    return row[2:-MAX_ORDER], row[-MAX_ORDER:]


def _reference_length(lengths: list[int], option: str, caption: int) -> float:
    match option:
        case "shortest":
            return min(lengths)
        case "average":
            return float(sum(lengths)) / len(lengths)
        case "closest":
            return min(lengths, key=lambda length: (abs(length - caption), length))
    raise AssertionError(f"unsupported reflen option {option}")


def _ratio(caption: float, references: float) -> float:
    return (caption + TINY) / (references + SMALL)


def _bleu(n: int, correct: list[int], guess: list[int], caption: float, references: float) -> list[float]:
    """Return BLEU-1 to BLEU-n of counts, in the order of the original's operations."""
    product, scores = 1.0, []
    for order in range(n):
        product *= (float(correct[order]) + TINY) / (guess[order] + SMALL)
        scores.append(product ** (1.0 / (order + 1)))
    ratio = _ratio(caption, references)
    return [score * math.exp(1 - 1 / ratio) for score in scores] if ratio < 1 else scores
