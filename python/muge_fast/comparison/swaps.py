"""Random and exhaustive swaps of items between systems: differences under the null hypothesis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from muge_fast.scores import FloatArray
from muge_fast.significance.sign_flips import Alternative, extreme_sums
from muge_fast.significance.stream import pcg64, sums_in_blocks

__all__ = ["REVERSE", "PairTest", "Swaps", "Tails"]

REVERSE: dict[Alternative, Alternative] = {"two-sided": "two-sided", "greater": "less", "less": "greater"}
"""The alternative of the same pair in the other order."""


@dataclass(frozen=True)
class PairTest:
    """The result of testing one pair of systems.

    Attributes:
        p: The p-value in the direction of the pair.
        reverse_p: The p-value of the same pair in the other order; equal to ``p`` for two-sided tests.
        exact: Whether the p-values are exact.

    """

    p: float
    reverse_p: float
    exact: bool


@dataclass(frozen=True)
class Swaps:
    """How items are swapped.

    Attributes:
        alternative: The alternative hypothesis.
        count: Number of random swaps.
        seed: Seed of the generator.
        threads: Number of threads; None for all cores.

    """

    alternative: Alternative
    count: int
    seed: int
    threads: int | None

    def blocks(self, rows: FloatArray) -> Iterator[FloatArray]:
        """Return an iterator over the sums of randomly selected rows, each row with probability 1/2.

        Args:
            rows: Rows of all systems side by side, float64 of shape ``(units, columns)``.

        Returns:
            Sums of each block of trials, float64 of shape ``(trials, columns)``. Trials are those of
            ``numpy.random.default_rng(seed).integers(2, size=(count, units), dtype=bool)``.

        """
        return sums_in_blocks(pcg64(self.seed).swap_sums, rows, self.count, self.threads)


class Tails:
    """Counts how many differences under the null hypothesis are at least as extreme as the observed one."""

    def __init__(self, observed: float, size: float, alternative: Alternative) -> None:
        """Start with no differences.

        Args:
            observed: The observed difference.
            size: Sum of the absolute values of the terms of a difference, which bounds its rounding.
            alternative: The alternative hypothesis.

        """
        self._observed, self._size = observed, size
        self._alternatives = (alternative, REVERSE[alternative])
        self._counts = [0, 0]
        self._total = 0

    def add(self, differences: FloatArray) -> None:
        """Count more differences."""
        for index, alternative in enumerate(self._alternatives):
            self._counts[index] += sum(extreme_sums(differences, self._observed, self._size, alternative))
        self._total += len(differences)

    def result(self, *, exact: bool) -> PairTest:
        """Return the p-values.

        Args:
            exact: Whether all differences were counted. Otherwise they are random, and the observed one is added to
                them, so that no p-value is 0 (Phipson and Smyth, 2010).

        Returns:
            The result.

        """
        added = 0 if exact else 1
        p, reverse_p = ((count + added) / (self._total + added) for count in self._counts)
        return PairTest(p, reverse_p, exact)
