"""Tests of many pairs of systems at once, and the ranks that they leave possible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast.significance.sign_flips import TIE, Alternative

__all__ = [
    "RankRanges",
    "StepDown",
    "all_pairs",
    "pairs_with_baseline",
    "rank_ranges",
    "significance_level",
    "step_down",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
PairArray = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class StepDown:
    """Adjusted p-values of pairs of systems, see :func:`step_down`.

    Attributes:
        pairs: The pairs, of shape ``(pairs, 2)``: is the first system better than the second?
        p: Adjusted p-value of each pair.
        errors: Standard error of the difference of each pair; 0 if the draws do not vary.
        critical_values: The critical value of each step, for standardized differences.
        level: Probability that no pair is falsely significant.

    """

    pairs: PairArray
    p: FloatArray
    errors: FloatArray
    critical_values: tuple[float, ...]
    level: float

    @property
    def significant(self) -> npt.NDArray[np.bool_]:
        """Whether the first system of each pair is significantly better than the second at the level."""
        return self.p <= significance_level(self.level)


@dataclass(frozen=True, eq=False)
class RankRanges:
    """Ranks of systems, see :func:`rank_ranges`.

    Attributes:
        rank: Rank of each system by its score; equal scores have the same rank.
        low: Smallest possible rank.
        high: Largest possible rank.

    """

    rank: IntArray
    low: IntArray
    high: IntArray

    @property
    def tied_with_first(self) -> npt.NDArray[np.bool_]:
        """Whether each system may have rank 1: no other is significantly better."""
        tied: npt.NDArray[np.bool_] = self.low == 1
        return tied


def significance_level(level: float) -> float:
    """Return the significance level of a confidence level: p-values up to it are significant.

    Args:
        level: The confidence level, such as 0.95.

    Returns:
        ``1 - level`` without its rounding error.

    Example:
        >>> from muge_fast.significance.step_down import significance_level
        >>> significance_level(0.9), 1 - 0.9
        (0.1, 0.09999999999999998)

    """
    return round(1 - level, 12)


def all_pairs(systems: int) -> PairArray:
    """Return all ordered pairs of systems, the family of rank ranges.

    Args:
        systems: Number of systems.

    Returns:
        Indices of shape ``(systems * (systems - 1), 2)``.

    Example:
        >>> from muge_fast.significance.step_down import all_pairs
        >>> all_pairs(3).tolist()
        [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]]

    """
    return np.argwhere(~np.eye(systems, dtype=bool)).astype(np.uint32)


def pairs_with_baseline(systems: int, baseline: int, alternative: Alternative = "two-sided") -> PairArray:
    """Return the pairs of each other system with one baseline, a smaller family than all pairs.

    Args:
        systems: Number of systems.
        baseline: Index of the baseline.
        alternative: ``"greater"`` asks whether other systems are better than the baseline, ``"less"`` whether they are
            worse, ``"two-sided"`` both.

    Returns:
        Indices of shape ``(pairs, 2)``; with ``"two-sided"`` the pairs of ``"greater"``, then those of ``"less"``.

    Example:
        >>> from muge_fast.significance.step_down import pairs_with_baseline
        >>> pairs_with_baseline(3, 1, "greater").tolist(), pairs_with_baseline(3, 1).tolist()
        ([[0, 1], [2, 1]], [[0, 1], [2, 1], [1, 0], [1, 2]])

    """
    others = np.delete(np.arange(systems), baseline)
    better = np.stack([others, np.full_like(others, baseline)], axis=1).astype(np.uint32)
    worse = better[:, ::-1]
    chosen = {"greater": [better], "less": [worse], "two-sided": [better, worse]}[alternative]
    return np.ascontiguousarray(np.concatenate(chosen))


def step_down(
    scores: FloatArray,
    observed: FloatArray,
    pairs: PairArray,
    *,
    level: float = 0.95,
    threads: int | None = None,
) -> StepDown:
    """Test for each pair whether the first system is better than the second, with p-values adjusted for all pairs.

    The step-down procedure of Romano and Wolf (2005) with signed standardized differences, as Mogstad, Romano, Shaikh
    and Wilhelm (2024) use it for ranks. Scores are drawn under the null hypothesis, for all systems at once. For a pair
    with observed difference d, B drawn differences d* and standard error e (the root mean square of d and all d*), the
    statistic is t = d / e, and its draws are d* / e. Of all pairs in the order of t:

    - The adjusted p-value of a pair is (1 + the number of draws whose maximum over this pair and all pairs of smaller t
      is at least its t) / (B + 1), and at least that of each pair of larger t.
    - The critical value of a step is the ``level`` quantile, as ``numpy.quantile`` defines it, of the maximum over the
      pairs that no earlier step rejected. It rejects the pairs of larger t.

    With draws by random signs of the items' differences, the probability that any p-value of a pair without a
    difference in its direction is at most ``1 - level`` is at most ``1 - level`` for any number of items, if the
    differences of these pairs have a joint distribution that is symmetric about zero. Signs do not change the squares
    of differences, so a draw's d* / e is an increasing function of its Student's t: nothing is left to correct for few
    items, as there would be with resampled scores minus the observed ones (the bootstrap).

    Args:
        scores: Score of each system for each draw, of shape ``(draws, systems)``; larger is better. Differences of two
            systems have an expectation of zero.
        observed: Scores of the whole set, of shape ``(systems,)``.
        pairs: Indices of systems, of shape ``(pairs, 2)``.
        level: Simultaneous level, between 0 and 1.
        threads: Number of threads; None for all cores. Results do not depend on it.

    Returns:
        Adjusted p-values, standard errors and critical values. Pairs whose draws do not differ have p = 1.

    Raises:
        ValueError: A score is not finite, there are fewer than two draws, or the level is out of range.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance.step_down import all_pairs, step_down
        >>> a, b = np.array([[3.0, 4, 5, 4, 3, 4, 5, 5], [1.0, 2, 1, 2, 2, 1, 1, 2]])
        >>> signs = np.random.default_rng(12345).choice([-1, 1], (9999, 8))
        >>> scores = np.stack([signs @ a, signs @ b], axis=1)
        >>> test = step_down(scores, np.array([a.sum(), b.sum()]), all_pairs(2))
        >>> test.p.round(3).tolist(), test.significant.tolist()
        ([0.009, 1.0], [True, False])

    """
    scores = np.ascontiguousarray(scores, dtype=np.float64)
    observed = np.ascontiguousarray(observed, dtype=np.float64)
    pairs = np.ascontiguousarray(pairs, dtype=np.uint32)
    p, errors, critical = _core.step_down(scores, observed, pairs, level, threads)
    return StepDown(pairs, p, errors, tuple(critical), level)


def rank_ranges(observed: FloatArray, pairs: npt.ArrayLike, significant: npt.ArrayLike) -> RankRanges:
    """Return the ranks that systems may have, from the tests of all pairs.

    A system's range begins behind the systems that are significantly better, and ends before those that are
    significantly worse. If pairs are significant by :func:`step_down` at a level, all ranges contain the true ranks at
    once with at least the probability of this level.

    Args:
        observed: Scores of the whole set; larger is better.
        pairs: Indices of two systems, of shape ``(pairs, 2)``, such as :func:`all_pairs`.
        significant: Whether the first system of each pair is significantly better than the second.

    Returns:
        The ranks.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance.step_down import all_pairs, rank_ranges
        >>> p = np.array([0.2, 0.01, 1.0, 0.07, 1.0, 1.0])
        >>> ranks = rank_ranges(np.array([0.9, 0.8, 0.5]), all_pairs(3), p <= 0.05)
        >>> ranks.rank.tolist(), ranks.low.tolist(), ranks.high.tolist(), ranks.tied_with_first.tolist()
        ([1, 2, 3], [1, 1, 2], [2, 3, 3], [True, True, False])

    """
    systems = len(observed)
    found = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)[np.asarray(significant, dtype=bool)]
    won, lost = (np.bincount(found[:, side], minlength=systems) for side in (0, 1))
    above = _is_larger(observed[None, :], observed[:, None]).sum(axis=1)
    return RankRanges(above + 1, lost + 1, systems - won)


def _is_larger(first: FloatArray, second: FloatArray) -> npt.NDArray[np.bool_]:
    """Return where scores are larger by more than rounding."""
    return first - second > TIE * np.maximum(np.abs(first), np.abs(second))
