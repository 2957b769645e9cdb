"""The comparison of two systems, and the ranks of a system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from muge_fast.significance.intervals import Interval

__all__ = ["PairComparison", "RankRange"]


@dataclass(frozen=True, kw_only=True)
class RankRange:
    """The ranks that a system may have, given the uncertainty of the scores.

    Attributes:
        rank: Rank of the score among the systems, from 1; equal scores have the same rank.
        low: Best rank that the data allow: 1 + the number of systems that are significantly better.
        high: Worst rank that the data allow: the number of systems that are not significantly worse.

    Example:
        >>> import muge_fast as mf
        >>> ranks = mf.compare({"a": [1, 1, 0], "b": [0, 0, 0]})["mean"].ranks["b"]
        >>> str(ranks), ranks.tied_with_first
        ('1–2', True)

    """

    rank: int
    low: int
    high: int

    @property
    def tied_with_first(self) -> bool:
        """Whether no system is significantly better, so that this one may be the best."""
        return self.low == 1

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as a dictionary of plain Python objects."""
        return {"rank": self.rank, "low": self.low, "high": self.high, "tied_with_first": self.tied_with_first}


@dataclass(frozen=True, kw_only=True)
class PairComparison:
    """The comparison of two systems by one metric.

    Attributes:
        first: Name of the first system.
        second: Name of the second system.
        difference: Score of the first minus score of the second.
        interval: Confidence interval of the difference, from resamples of the items that both systems share.
        p: p-value of this pair alone.
        adjusted_p: p-value adjusted for all pairs that are compared.
        wins: Number of items where the first system is better; None for metrics that do not score single items.
        losses: Number of items where the second system is better; None for such metrics.
        differing_items: Number of items whose statistics differ.
        resamples_won: Fraction of the resamples in which the first system is better, from 0 to 1 (Koehn, 2004). One
            minus this fraction is not a p-value.
        test: Name of the test, such as ``"sign_flip"``.
        exact: Whether ``p`` is exact; False if it was estimated from random draws or an approximation.
        detectable: Smallest true difference that this set of items would show in four of five cases, at the level of
            the comparison and for one pair; 0 if all items differ by the same amount.

    Example:
        >>> import muge_fast as mf
        >>> pair = mf.compare({"a": [1, 1, 0], "b": [0, 0, 0]})["mean"]["a", "b"]
        >>> pair.p, pair.wins, pair.losses, pair.test
        (0.5, 2, 0, 'sign_flip')

    """

    first: str
    second: str
    difference: float
    interval: Interval
    p: float
    adjusted_p: float
    wins: int | None
    losses: int | None
    differing_items: int
    resamples_won: float
    test: str
    exact: bool
    detectable: float

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as a dictionary of plain Python objects, which JSON can represent."""
        low, high = self.interval
        return {**self.__dict__, "interval": [low, high]}
