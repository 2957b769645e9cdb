"""The sign-flip test of paired scores: exact where it can be, drawn otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.checks import check_choice, true_or_false, whole_number
from muge_fast._internal.labelled import refuse_other_index
from muge_fast.significance import RESAMPLES, SEED
from muge_fast.significance.clusters import cluster_codes
from muge_fast.significance.multiples import rounding_of, whole_multiples
from muge_fast.significance.stream import pcg64, sums_in_blocks
from muge_fast.significance.values import numbers

__all__ = [
    "ALTERNATIVES",
    "MOST_PATTERNS",
    "SUM_ROUNDING",
    "Alternative",
    "PairedDifferences",
    "SignFlipMethod",
    "SignFlipTest",
    "exact_sign_flips",
    "extreme_sums",
    "sign_flip_test",
]

Alternative = Literal["two-sided", "greater", "less"]
"""Which differences count as at least as extreme as the observed one, for type checkers."""

ALTERNATIVES: tuple[Alternative, ...] = get_args(Alternative)

SignFlipMethod = Literal["convolution", "patterns", "draws"]
"""How a p-value was computed, for type checkers."""

MOST_PATTERNS = 20
"""All patterns are computed for at most this many items that differ: about a million."""

LARGEST_SUM = 1e307
"""Differences are summed with both signs, and doubled."""

TIE = 100 * np.finfo(np.float64).eps
"""Relative distance of sums that are equal but for rounding, as in SciPy's permutation test."""

SUM_ROUNDING = 16 * np.finfo(np.float64).eps
"""Rounding of a sum, relative to the sum of absolute values: it matters where the terms nearly cancel."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SignFlipTest:
    """Result of :func:`sign_flip_test`.

    Attributes:
        difference: Mean of the first scores minus mean of the second.
        p: The p-value. The smallest is ``1 / (resamples + 1)`` for a drawn test, 2.2e-308 for an exact one.
        exact: Whether the p-value is exact; else patterns were drawn.
        method: ``"convolution"``, ``"patterns"`` (all of them) or ``"draws"``.
        items: Number of items.
        differing_items: Number of items, or clusters, with a difference.
        clusters: Number of clusters; None without clusters.
        alternative: The alternative hypothesis.
        mid_p: Whether sums as extreme as the observed one count half.
        resamples: Number of patterns that were drawn; None for an exact test.
        seed: Seed of the draws; None for an exact test.

    Example:
        >>> import muge_fast as mf
        >>> test = mf.sign_flip_test([1, 1, 1, 0, 1], [0, 0, 0, 0, 0])
        >>> test.difference, test.p, test.method, test.differing_items
        (0.8, 0.125, 'convolution', 4)

    """

    difference: float
    p: float
    exact: bool
    method: SignFlipMethod
    items: int
    differing_items: int
    clusters: int | None
    alternative: Alternative
    mid_p: bool
    resamples: int | None
    seed: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a dictionary of plain Python objects, which JSON can represent.

        Returns:
            The attributes by name.

        Example:
            >>> import muge_fast as mf
            >>> mf.sign_flip_test([1, 1, 0], [0, 0, 0]).to_dict()["p"]
            0.5

        """
        return asdict(self)


def sign_flip_test(
    a: npt.ArrayLike,
    b: npt.ArrayLike | None = None,
    *,
    alternative: Alternative = "two-sided",
    resamples: int = RESAMPLES,
    seed: int = SEED,
    clusters: Sequence[object] | npt.NDArray[Any] | None = None,
    mid_p: bool = False,
    threads: int | None = None,
) -> SignFlipTest:
    """Test whether two systems differ in the mean of a score, by the scores of the same items.

    If the systems do not differ, each item's difference is as likely to have the other sign. The p-value is the
    probability that signs at random give a difference at least as extreme as the observed one:

    - exact by convolution, if the differences are whole multiples of a simple fraction such as 1, 1/3 or 1/8. For
      scores of 0 and 1 this is McNemar's exact test.
    - exact from all patterns of signs, if at most 20 items differ.
    - else from ``resamples`` patterns drawn at random: (1 + the number of those at least as extreme) / (resamples + 1).
      They are the rows of ``numpy.random.default_rng(seed).integers(2, size=(resamples, items), dtype=bool)`` with
      PCG64.

    Sums that are equal but for rounding count as equal.

    Args:
        a: The score of each item, of the first system: a sequence of numbers, an array or a tensor of one dimension.
        b: The scores of the second system, in the same order; None if ``a`` holds differences.
        alternative: ``"two-sided"``, ``"greater"`` (the first system is better) or ``"less"``.
        resamples: Number of patterns to draw, where no exact test is possible.
        seed: Seed of the draws.
        clusters: A key for each item, such as its image or user. Items with equal keys change sign together, because
            they are not independent.
        mid_p: Count patterns exactly as extreme as the observed one half. This is less conservative where few items
            differ, and may exceed the level slightly.
        threads: Number of threads; None for all cores. Results do not depend on it.

    Returns:
        The difference and its p-value, 1 for systems that do not differ in any item.

    Raises:
        TypeError: Scores are not numbers in one dimension, or an option has the wrong type.
        ValueError: A score is NaN, infinite or too large, ``a`` and ``b`` have unequal lengths or are pandas Series
            with different indexes, there are fewer than two items or clusters, or an option is unknown or out of range.

    Example:
        >>> import muge_fast as mf
        >>> hits_a = [1, 1, 1, 0, 1, 1, 1, 1]
        >>> hits_b = [0, 0, 1, 0, 0, 0, 0, 0]
        >>> test = mf.sign_flip_test(hits_a, hits_b)
        >>> test.difference, test.p, test.exact
        (0.75, 0.03125, True)

    """
    check_choice("alternative", alternative, ALTERNATIVES)
    resamples = whole_number("resamples", resamples)
    seed = whole_number("seed", seed, least=0)
    threads = None if threads is None else whole_number("threads", threads)
    mid_p = true_or_false("mid_p", mid_p)
    paired = PairedDifferences.of_scores(a, b, clusters)
    found = exact_sign_flips(paired.differences, paired.units, alternative, mid_p=mid_p)
    method: SignFlipMethod
    if found is not None:
        p, method = found
    else:
        method = "draws"
        p = _drawn_p(paired.differences, alternative, resamples, seed, mid_p=mid_p, threads=threads)
    return SignFlipTest(
        difference=paired.mean,
        p=p,
        exact=method != "draws",
        method=method,
        items=paired.items,
        differing_items=int(np.count_nonzero(paired.differences)),
        clusters=None if clusters is None else len(paired.differences),
        alternative=alternative,
        mid_p=mid_p,
        resamples=resamples if method == "draws" else None,
        seed=seed if method == "draws" else None,
    )


@dataclass(frozen=True, eq=False)
class PairedDifferences:
    """Differences of two systems, whose signs are flipped.

    Attributes:
        differences: The difference of each item, or the sum of those of each cluster; 0 where only rounding differs.
        units: The same as whole multiples of a simple fraction; None if they are not.
        mean: Mean difference of the items.
        items: Number of items.

    """

    differences: FloatArray
    units: IntArray | None
    mean: float
    items: int

    @classmethod
    def of_scores(cls, a: object, b: object | None, clusters: object | None = None) -> PairedDifferences:
        """Take the differences of scores of the same items.

        Args:
            a: The score of each item, of the first system.
            b: The scores of the second system; None if ``a`` holds differences.
            clusters: A key for each item; None if items are independent.

        Returns:
            The differences.

        Raises:
            TypeError: Scores are not numbers in one dimension.
            ValueError: A score is NaN or infinite, there are unequal numbers of scores, or fewer than two items or
                clusters; or two of the arguments are pandas Series with different indexes.

        """
        differences, tolerance = _differences(a, b)
        items = len(differences)
        found = whole_multiples(differences, tolerance)
        units, denominator = (None, 1) if found is None else found
        mean = float(differences.mean()) if units is None else float(units.sum()) / (denominator * items)
        if clusters is not None:
            refuse_other_index(a, clusters, ("a", "clusters"))
            codes = cluster_codes(clusters, items)
            if units is None:
                differences = _sum_real(differences, codes)
            else:
                units = _sum_whole(units, codes)
        return cls(differences if units is None else units / denominator, units, mean, items)


def exact_sign_flips(
    differences: FloatArray, units: IntArray | None, alternative: Alternative, *, mid_p: bool = False
) -> tuple[float, SignFlipMethod] | None:
    """Return the exact p-value of differences under sign flips and its method, or None if it would take too long.

    Args:
        differences: Differences of items or clusters.
        units: The differences as whole multiples of a fraction, None if they are not.
        alternative: The alternative hypothesis.
        mid_p: Whether sums as extreme as the observed one count half.

    Returns:
        The p-value and ``"convolution"`` or ``"patterns"``.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance.sign_flips import exact_sign_flips
        >>> exact_sign_flips(np.array([0.5, 0.25, 0.75]), None, "greater")
        (0.125, 'patterns')

    """
    differing = differences[differences != 0] if units is None else units[units != 0]
    if not len(differing):
        return 1.0, "patterns" if units is None else "convolution"
    if units is not None:
        p = _core.sign_flip_exact(np.ascontiguousarray(units), alternative, mid_p)
        if p is not None:
            return p, "convolution"
    if len(differing) > MOST_PATTERNS:
        return None
    terms = differing.astype(np.float64)
    sums = _core.subset_sums(terms[:, None])[:, 0]
    beyond, ties = extreme_sums(2 * sums - sums[-1], float(sums[-1]), float(np.abs(terms).sum()), alternative)
    return (beyond + (ties / 2 if mid_p else ties)) / len(sums), "patterns"


def extreme_sums(sums: FloatArray, observed: float, size: float, alternative: Alternative) -> tuple[int, int]:
    """Return how many sums are more extreme than the observed one, and how many are equal to it but for rounding.

    Args:
        sums: Sums under sign flips.
        observed: The observed sum.
        size: Sum of the absolute values of the terms.
        alternative: The alternative hypothesis.

    Returns:
        Both counts.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance.sign_flips import extreme_sums
        >>> extreme_sums(np.array([-3.0, -1.0, 1.0, 3.0]), 1.0, 3.0, "two-sided")
        (2, 2)

    """
    if alternative == "two-sided":
        sums, observed = np.abs(sums), abs(observed)
    elif alternative == "less":
        sums, observed = -sums, -observed
    tolerance = max(TIE * abs(observed), SUM_ROUNDING * size)
    at_least = int(np.count_nonzero(sums >= observed - tolerance))
    beyond = int(np.count_nonzero(sums > observed + tolerance))
    return beyond, at_least - beyond


def _differences(a: object, b: object) -> tuple[FloatArray, FloatArray]:
    """Return the differences, zero where the scores are equal but for rounding, and the tolerance of each."""
    first = _finite_numbers("a", a)
    if b is None:
        sizes = np.full_like(first, np.abs(first).max(initial=0.0))
        differences = first
    else:
        second = _finite_numbers("b", b)
        if len(first) != len(second):
            raise ValueError(f"a has {len(first)} scores but b has {len(second)}, needs scores of the same items")
        refuse_other_index(a, b, ("a", "b"))
        sizes = np.maximum(np.abs(first), np.abs(second))
        with np.errstate(over="ignore"):
            differences = first - second
    if len(differences) < 2:  # noqa: PLR2004
        raise ValueError(f"a has {len(differences)} score{'' if len(differences) else 's'}, needs at least two items")
    if float(sizes.max()) * len(sizes) > LARGEST_SUM:
        raise ValueError("the scores are too large: sums of their differences overflow; divide all by a constant")
    tolerance = rounding_of(sizes, max(_precision(a), _precision(b)))
    return np.where(np.abs(differences) <= tolerance, 0.0, differences), tolerance


def _finite_numbers(name: str, values: object) -> FloatArray:
    array = numbers(name, values)
    wrong = np.flatnonzero(~np.isfinite(array))
    if wrong.size:
        raise ValueError(f"{name}[{wrong[0]}] is {array[wrong[0]]:g}, needs a finite number")
    return array


def _precision(values: object) -> float:
    """Return the machine epsilon of the numbers; scores of float32 are rounded to that."""
    single = str(getattr(values, "dtype", "")).rpartition(".")[2] == "float32"
    return float(np.finfo(np.float32 if single else np.float64).eps)


def _sum_real(differences: FloatArray, codes: npt.NDArray[np.intp]) -> FloatArray:
    """Return the sum of each cluster, 0 where the terms cancel but for rounding."""
    sums = np.bincount(codes, weights=differences)
    sizes = np.bincount(codes, weights=np.abs(differences))
    return np.where(np.abs(sums) <= SUM_ROUNDING * sizes, 0.0, sums)


def _sum_whole(units: IntArray, codes: npt.NDArray[np.intp]) -> IntArray:
    sums = np.zeros(codes.max() + 1, np.int64)
    np.add.at(sums, codes, units)
    return sums


def _drawn_p(
    differences: FloatArray, alternative: Alternative, resamples: int, seed: int, *, mid_p: bool, threads: int | None
) -> float:
    rows = np.ascontiguousarray(differences[:, None])
    observed, size = float(differences.sum()), float(np.abs(differences).sum())
    beyond = ties = 0
    for selected in sums_in_blocks(pcg64(seed).swap_sums, rows, resamples, threads):
        counts = extreme_sums(2 * selected[:, 0] - observed, observed, size, alternative)
        beyond, ties = beyond + counts[0], ties + counts[1]
    # The observed pattern is one of the patterns.
    ties += 1
    return (beyond + (ties / 2 if mid_p else ties)) / (resamples + 1)
