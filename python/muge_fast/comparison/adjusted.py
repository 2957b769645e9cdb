"""p-values adjusted for the number of pairs, and the ranks that they allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from muge_fast.comparison.exchanges import exchange_items
from muge_fast.comparison.metric_rows import MetricRows
from muge_fast.comparison.pairs import RankRange
from muge_fast.comparison.swaps import Swaps
from muge_fast.scores import FloatArray
from muge_fast.significance.adjust import METHODS, adjust
from muge_fast.significance.sign_flips import Alternative
from muge_fast.significance.step_down import rank_ranges as step_down_ranks
from muge_fast.significance.step_down import significance_level, step_down

__all__ = ["CORRECTIONS", "NO_CORRECTION", "SIMULTANEOUS", "STEP_DOWN", "Family", "PValues", "rank_ranges"]

Pair = tuple[int, int]
PValues = Mapping[Pair, float]

STEP_DOWN, NO_CORRECTION = "step_down", "none"
CORRECTIONS = (STEP_DOWN, *METHODS, NO_CORRECTION)
SIMULTANEOUS = (STEP_DOWN, "holm", "bonferroni")
"""Corrections after which any wrong verdict is as rare as the level says; others bound the rate of wrong verdicts."""


@dataclass(frozen=True)
class Family:
    """The pairs of systems that are tested together.

    Attributes:
        pairs: Indices of the two systems of each pair, in one order.
        correction: Name of the correction.
        rows: Rows of the metric.
        swaps: How items are swapped.
        level: Confidence level.

    """

    pairs: Sequence[Pair]
    correction: str
    rows: MetricRows
    swaps: Swaps
    level: float

    def adjust(self, p_values: PValues, alternative: Alternative) -> dict[Pair, float]:
        """Return adjusted p-values for both orders of each pair.

        Args:
            p_values: The p-value of each pair in both orders, for the alternative.
            alternative: The alternative hypothesis.

        Returns:
            Adjusted p-values by pair, none below that of the pair alone.

        """
        reverse = [(second, first) for first, second in self.pairs]
        if self.correction == NO_CORRECTION or len(self.pairs) == 1:
            return dict(p_values)
        if self.correction != STEP_DOWN:
            return {
                pair: p
                for pairs in (self.pairs, reverse)
                for pair, p in zip(
                    pairs, adjust([p_values[pair] for pair in pairs], self.correction).tolist(), strict=True
                )
            }
        above = self._above
        adjusted = {}
        for pair, p in p_values.items():
            larger, smaller = above[pair], above[pair[::-1]]
            family = {"greater": larger, "less": smaller, "two-sided": min(larger, smaller)}[alternative]
            adjusted[pair] = max(p, family)
        return adjusted

    @cached_property
    def _above(self) -> dict[Pair, float]:
        """Return for both orders of each pair the adjusted p-value of the first system having the larger score."""
        pairs = [*self.pairs, *((second, first) for first, second in self.pairs)]
        indices = np.array(pairs, dtype=np.uint32)
        observed, drawn = exchange_items(self.rows, self.swaps)
        test = step_down(drawn, observed, indices, level=self.level, threads=self.swaps.threads)
        return dict(zip(pairs, test.p.tolist(), strict=True))


def rank_ranges(goodness: FloatArray, p_values: PValues, level: float) -> list[RankRange]:
    """Return the ranks that each system may have.

    A system is better than another if its score is and the p-value of the pair is significant. With p-values that are
    adjusted for all pairs by the step-down method, all ranges hold their true ranks together with the probability
    ``level`` (Mogstad, Romano, Shaikh and Wilhelm, 2024).

    Args:
        goodness: The score of each system, larger is better.
        p_values: Adjusted two-sided p-values by pair; without those of a pair, the order of its systems is unknown.
        level: Confidence level.

    Returns:
        A range for each system.

    Example:
        >>> import numpy as np
        >>> from muge_fast.comparison.adjusted import rank_ranges
        >>> p = {(0, 1): 0.5, (1, 0): 0.5, (0, 2): 0.01, (2, 0): 0.01, (1, 2): 0.2, (2, 1): 0.2}
        >>> [str(ranks) for ranks in rank_ranges(np.array([0.9, 0.8, 0.5]), p, 0.95)]
        ['1–2', '1–3', '2–3']

    """
    better = [(first, second) for first, second in p_values if goodness[first] > goodness[second]]
    significant = [p_values[pair] <= significance_level(level) for pair in better]
    ranges = step_down_ranks(goodness, better, significant)
    columns = (ranges.rank.tolist(), ranges.low.tolist(), ranges.high.tolist())
    return [RankRange(rank=rank, low=low, high=high) for rank, low, high in zip(*columns, strict=True)]
