"""Scores of resamples in ascending order, of which an interval needs only a few to the last bit."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast.significance.stream import pcg64

FloatArray = npt.NDArray[np.float64]

LEAST_DRAWS = 2**20
"""With fewer draws, computing all scores to the last bit takes a millisecond."""

REACH = 2.5
"""Exact scores are wanted up to this many times the error of a rounded one from it. Twice is enough, as is once from a
fixed bound: both the rounded score of a rank and each score next to it are wrong by the error at most."""


class OrderedScores(Protocol):
    """Scores in ascending order."""

    def __len__(self) -> int: ...

    def __getitem__(self, rank: int, /) -> float: ...

    def counts(self, low: float, high: float) -> tuple[int, int]:
        """Return how many scores are below ``low``, and how many up to ``high``, which is not smaller."""
        ...


class ExactScores:
    """Scores that are all known to the last bit.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance.ordered import ExactScores
        >>> scores = ExactScores(np.array([3.0, 1.0, 2.0, 2.0]))
        >>> len(scores), scores[0], scores.counts(2.0, 2.0)
        (4, 1.0, (1, 3))

    """

    def __init__(self, scores: FloatArray) -> None:
        self._ordered = np.sort(scores)

    def __len__(self) -> int:
        return len(self._ordered)

    def __getitem__(self, rank: int, /) -> float:
        return float(self._ordered[rank])

    def counts(self, low: float, high: float) -> tuple[int, int]:
        """Return how many scores are below ``low``, and how many up to ``high``, which is not smaller."""
        below, up_to = self._ordered.searchsorted(low, "left"), self._ordered.searchsorted(high, "right")
        return int(below), int(up_to)


class RoundedMeans:
    """Means of resamples of rounded values; those that are looked at, and all next to them, are made exact first.

    Args:
        drawn: Sums of the resamples of rounded values.
        items: Number of items.

    """

    def __init__(self, drawn: _core.RoundedSums, items: int) -> None:
        self._drawn = drawn
        self._items = items
        self._sums = drawn.sums()
        self._is_exact = np.full(len(self._sums), drawn.error == 0)
        self._ordered = np.sort(self._sums)

    def __len__(self) -> int:
        return len(self._sums)

    def __getitem__(self, rank: int, /) -> float:
        around = self._ordered[rank]
        self._make_exact(around, around)
        return float(self._ordered[rank] / self._items)

    def counts(self, low: float, high: float) -> tuple[int, int]:
        """Return how many means are below ``low``, and how many up to ``high``, which is not smaller."""
        self._make_exact(low * self._items, high * self._items)
        return ExactScores(self._ordered / self._items).counts(low, high)

    def _make_exact(self, low: float, high: float) -> None:
        reach = REACH * self._drawn.error
        is_near = (self._sums >= low - reach) & (self._sums <= high + reach) & ~self._is_exact
        if is_near.any():
            self._sums[is_near] = self._drawn.exact(np.flatnonzero(is_near))
            self._is_exact |= is_near
            self._ordered = np.sort(self._sums)


def rounded_means(values: FloatArray, seed: int, resamples: int, threads: int | None) -> RoundedMeans | None:
    """Draw the means of resamples of rounded values, in half the time of exact ones.

    Args:
        values: Finite values, at least two.
        seed: Seed of the resamples.
        resamples: Number of resamples.
        threads: Number of threads; None for all cores. The means do not depend on it.

    Returns:
        The means, whose ranks and counts are those of exact means; None where computing exact ones takes no longer.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance.ordered import rounded_means
        >>> means = rounded_means(np.arange(5000) % 100.0, 1, 1000, None)
        >>> means[0], means[999]
        (48.2302, 51.0234)

    """
    if len(values) * resamples < LEAST_DRAWS:
        return None
    drawn = pcg64(seed).rounded_sums(values, resamples, threads)
    return None if drawn is None else RoundedMeans(drawn, len(values))
