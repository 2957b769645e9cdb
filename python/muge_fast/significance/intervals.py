"""Confidence intervals: of means, of functions of sums, and of values whose error is known to first order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.checks import check_choice, finite_number, true_or_false, whole_number
from muge_fast._internal.labelled import refuse_other_index
from muge_fast.significance import RESAMPLES, SEED, mean_of_sums
from muge_fast.significance.clusters import cluster_codes, sum_by_cluster
from muge_fast.significance.ordered import ExactScores, OrderedScores, rounded_means
from muge_fast.significance.stream import block_length, pcg64, sums_in_blocks
from muge_fast.significance.student_t import student_t_quantile
from muge_fast.significance.values import numbers

IntervalMethod = Literal["bootstrap", "bca", "normal", "wilson"]
"""Names of the methods, for type checkers."""

METHODS: tuple[IntervalMethod, ...] = get_args(IntervalMethod)

MOST_RESAMPLES = 2**56
"""More of them have no size in bytes; memory ends long before."""

ROUNDING = 100 * np.finfo(np.float64).eps
"""Relative difference of two scores that are equal but for rounding, as in SciPy's permutation test."""

TOO_LARGE = "the values are too large for an interval: sums or squares overflow"

FloatArray = npt.NDArray[np.float64]

OfSums = Callable[[FloatArray, FloatArray], FloatArray]
"""Takes sums of rows, of shape ``(samples, columns)``, and the number of items in each; returns the scores."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval. It can be unpacked: ``low, high = interval``.

    Attributes:
        low: Lower bound.
        high: Upper bound.
        level: Nominal probability that such intervals contain the true value, such as 0.95.
        method: Name of the method.

    Example:
        >>> import muge_fast as mf
        >>> low, high = mf.bootstrap_interval([0, 1, 1, 1, 0, 1, 1, 1])
        >>> low, high
        (0.375, 1.0)

    """

    low: float
    high: float
    level: float
    method: IntervalMethod

    def __iter__(self) -> Iterator[float]:
        return iter((self.low, self.high))


@dataclass(frozen=True)
class IntervalOptions:
    """Checked options of an interval.

    Attributes:
        level: Nominal probability, between 0 and 1.
        method: Name of the method.
        resamples: Number of resamples.
        seed: Seed of the resamples.
        threads: Number of threads; None for all cores.
        expand: Whether intervals of few items are widened as Student's t demands.

    """

    level: float
    method: IntervalMethod
    resamples: int
    seed: int
    threads: int | None = None
    expand: bool = False

    @classmethod
    def check(
        cls,
        *,
        level: float,
        method: str,
        resamples: int,
        seed: int,
        threads: int | None = None,
        expand: bool = False,
    ) -> IntervalOptions:
        """Check all options.

        Args:
            level: A number between 0 and 1.
            method: One of :data:`METHODS`.
            resamples: At least ``2 / (1 - level)``, so that a resample is expected beyond each bound.
            seed: An integer, at least 0.
            threads: Number of threads, at least 1; None for all cores.
            expand: True or False; not True with ``"wilson"``.

        Returns:
            The options.

        Raises:
            TypeError: An option of the wrong type.
            ValueError: An unknown method, a number out of range, or ``expand`` with ``"wilson"``.

        """
        level = finite_number("level", level)
        if not 0 < level < 1:
            raise ValueError(f"level must be between 0 and 1, got {level}, such as 0.95 for 95 %")
        check_choice("method", method, METHODS)
        resamples = whole_number("resamples", resamples)
        needed = math.ceil(round(2 / (1 - level), 6))
        if resamples < needed:
            raise ValueError(f"resamples must be at least {needed} for level {level:g}, got {resamples}")
        if resamples > MOST_RESAMPLES:
            raise ValueError("resamples must be at most 2**56")
        seed = whole_number("seed", seed, least=0)
        threads = None if threads is None else whole_number("threads", threads)
        expand = true_or_false("expand", expand)
        if expand and method == "wilson":
            raise ValueError("expand is not for method 'wilson', which is right for few items; leave expand out")
        return cls(level, cast("IntervalMethod", method), resamples, seed, threads, expand)

    def tail(self, units: int) -> float:
        """Return the fraction of the resamples beyond each bound.

        Args:
            units: Number of items or clusters that are resampled.

        Returns:
            ``(1 - level) / 2``, or a smaller fraction for few units if intervals are expanded (Hesterberg, 2015): the
            standard deviation of resamples lacks a factor ``sqrt(n / (n - 1))``, and the quantile of Student's t is
            further out than that of the normal distribution.

        """
        tail = (1 - self.level) / 2
        if not self.expand:
            return tail
        return _normal_probability(-math.sqrt(units / (units - 1)) * student_t_quantile(tail, units - 1))

    def interval(self, low: float, high: float) -> Interval:
        """Return an interval with these bounds.

        Args:
            low: Lower bound.
            high: Upper bound.

        Returns:
            The interval, with plain Python floats.

        Raises:
            ValueError: A bound is not finite, because the values are too large.

        """
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError(TOO_LARGE)
        return Interval(float(low), float(high), self.level, self.method)


def bootstrap_interval(
    values: npt.ArrayLike,
    *,
    level: float = 0.95,
    method: IntervalMethod = "bootstrap",
    resamples: int = RESAMPLES,
    seed: int = SEED,
    clusters: Sequence[object] | npt.NDArray[Any] | None = None,
    threads: int | None = None,
    expand: bool = False,
) -> Interval:
    """Compute a confidence interval of the mean of values, by default with a bootstrap over the items.

    The resamples of ``n`` items are ``numpy.random.default_rng(seed).integers(0, n, (resamples, n))``, drawn without
    NumPy: with the generator PCG64 and Lemire's rule. The bounds of ``"bootstrap"`` and ``"bca"`` are those of
    ``scipy.stats.bootstrap`` (1.17) with this generator and the methods ``"percentile"`` and ``"BCa"``.

    Args:
        values: The score of each item, at least two finite numbers.
        level: Nominal probability that such intervals contain the true mean, between 0 and 1.
        method: How the bounds are computed.

            - ``"bootstrap"``: quantiles of the means of resamples, with linear interpolation (percentile method).
            - ``"bca"``: the same quantiles after a correction of bias and skewness (BCa, Efron 1987), for fewer than
              about 200 items. Where the correction is not defined, because all resamples are on one side of the mean
              or ``level`` is nearly 1, the bounds are those of ``"bootstrap"``. Resamples that equal the mean but for
              rounding are ties, which differs from SciPy for a few real numbers.
            - ``"normal"``: mean ± z · standard error, with ``n - 1`` degrees of freedom. No resamples.
            - ``"wilson"``: Wilson's interval of a proportion (1927), for values that are 0 or 1. No resamples.
        resamples: Number of resamples, at least ``2 / (1 - level)``.
        seed: Seed of the resamples, an integer of at least 0.
        clusters: A key for each item, an integer or a string: items with equal keys, such as the captions of one image
            or the queries of one user, are not independent, so whole clusters are resampled, numbered by their first
            items. None if each item stands alone. Not for ``"wilson"``.
        threads: Number of threads, at least 1; None for all cores. The result does not depend on it.
        expand: Whether to widen the interval for few items (Hesterberg, 2015), which matters below about 100:
            ``"bootstrap"`` and ``"bca"`` take quantiles further out, by 9 % of the width for 20 normal values and 1 %
            for 200, and ``"normal"`` takes the quantile of Student's t. Not for ``"wilson"``, which needs no such
            correction.

    Returns:
        The interval. Equal values give an interval of zero width.

    Raises:
        TypeError: ``values`` are not numbers of one dimension, or an option has the wrong type.
        ValueError: Fewer than two values, a value that is not finite, an option out of range, an unknown method,
            another number of keys than of values, fewer than two clusters, or ``"wilson"`` with clusters or with values
            that are not 0 or 1.

    Example:
        >>> import muge_fast as mf
        >>> reciprocal_ranks = [1, 1, 1, 0.5, 0.25, 0.5, 0.25, 0.25]
        >>> mf.bootstrap_interval(reciprocal_ranks)
        Interval(low=0.375, high=0.84375, level=0.95, method='bootstrap')
        >>> low, high = mf.bootstrap_interval(reciprocal_ranks, clusters=["a", "a", "b", "b", "c", "c", "d", "d"])
        >>> low, high
        (0.3125, 0.875)
        >>> mf.bootstrap_interval(reciprocal_ranks, expand=True)
        Interval(low=0.3125, high=0.875, level=0.95, method='bootstrap')

    """
    options = IntervalOptions.check(
        level=level, method=method, resamples=resamples, seed=seed, threads=threads, expand=expand
    )
    array = numbers("values", values)
    check_items(array, "values")
    refuse_other_index(values, clusters, ("values", "clusters"))
    if options.method == "wilson":
        return wilson_interval(array, options, "values", clusters=clusters)
    mean = _core.mean(array)
    if not math.isfinite(mean):
        raise ValueError(TOO_LARGE)
    if options.method == "normal":
        return normal_interval(mean, [array - mean], options, "values", clusters=clusters)
    return resampled_interval(mean, array.reshape(-1, 1), mean_of_sums, options, "values", clusters=clusters)


def resampled_interval(
    value: float, rows: FloatArray, of_sums: OfSums, options: IntervalOptions, name: str, *, clusters: object = None
) -> Interval:
    """Compute the interval of a function of sums with a bootstrap, by percentiles or BCa.

    Memory is that of the rows, of a few numbers for each resample and of a block of sums. Of means of one column, only
    those next to the bounds are computed to the last bit.

    Args:
        value: The function of the sum of all rows.
        rows: Additive statistics of the items, float64 of shape ``(items, columns)``.
        of_sums: The function of sums; :func:`muge_fast.significance.mean_of_sums` of one column is fastest.
        options: Options with the method ``"bootstrap"`` or ``"bca"``.
        name: What the rows are, for errors.
        clusters: A key for each item; None if each item stands alone.

    Returns:
        The interval.

    Raises:
        TypeError: ``clusters`` are not integers or strings.
        ValueError: Fewer than two rows, a value that is not finite, or invalid clusters.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance.intervals import IntervalOptions, resampled_interval
        >>> options = IntervalOptions.check(level=0.95, method="bootstrap", resamples=1000, seed=1)
        >>> ratio = lambda sums, counts: sums[:, 0] / sums[:, 1]
        >>> tuple(resampled_interval(0.5, np.array([[1.0, 2.0], [3.0, 6.0]]), ratio, options, "rows"))
        (0.5, 0.5)

    """
    check_items(rows, name)
    if clusters is None:
        resampled = _Resampled(rows, of_sums)
    else:
        with_sizes = np.hstack([rows, np.ones((len(rows), 1))])
        sums = sum_by_cluster(with_sizes, cluster_codes(clusters, len(rows)))
        resampled = _Resampled(sums, of_sums, has_sizes=True)
    if (rows == rows[0]).all():
        # The scores of resamples may differ in their last bits.
        return options.interval(value, value)
    tail = options.tail(resampled.units)
    tails = (tail, 1 - tail)
    # Bounds that are not finite are errors.
    with np.errstate(over="ignore", invalid="ignore"):
        scores = resampled.scores(options)
        if options.method == "bca":
            tails = _corrected_tails(value, tail, scores, resampled) or tails
    return options.interval(*(quantile(scores, p) for p in tails))


def normal_interval(
    value: float,
    influence: Sequence[FloatArray],
    options: IntervalOptions,
    name: str,
    *,
    clusters: object = None,
) -> Interval:
    """Compute the interval of a value whose error is, to first order, a sum of means of independent rows.

    Args:
        value: The value.
        influence: Rows of each sample, with a mean of zero: the variance of the value is the sum of the variances of
            their means.
        options: Options with the method ``"normal"``.
        name: What the rows are, for errors.
        clusters: A key for each item of the only sample; None if each item stands alone.

    Returns:
        The interval; it may exceed the range of the metric.

    Raises:
        TypeError: ``clusters`` are not integers or strings.
        ValueError: Fewer than two items in a sample, a value that is not finite, invalid clusters, or clusters for
            several samples.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance.intervals import IntervalOptions, normal_interval
        >>> options = IntervalOptions.check(level=0.95, method="normal", resamples=1000, seed=1)
        >>> low, high = normal_interval(0.5, [np.array([-0.5, 0.5, 0.5, -0.5])], options, "values")
        >>> round(low, 4), round(high, 4)
        (-0.0658, 1.0658)

    """
    for rows in influence:
        check_items(rows, name)
    is_constant = all(bool((rows == rows[0]).all()) for rows in influence)
    if clusters is not None:
        if len(influence) != 1:
            raise ValueError(f"{name} has {len(influence)} samples, clusters are for metrics of one")
        codes = cluster_codes(clusters, len(influence[0]))
        sums = sum_by_cluster(influence[0].reshape(-1, 1), codes)[:, 0]
        influence = [sums * (len(sums) / len(codes))]
    if is_constant:
        # The mean, and so the influence, may be rounded.
        return options.interval(value, value)
    with np.errstate(over="ignore", invalid="ignore"):
        variance = sum(float(rows.var(ddof=1)) / len(rows) for rows in influence)
    tail = (1 - options.level) / 2
    # Of two samples, those of the smaller one: Welch's are never fewer.
    freedom = min(len(rows) for rows in influence) - 1
    factor = student_t_quantile(tail, freedom) if options.expand else -_normal_quantile(tail)
    margin = factor * math.sqrt(variance)
    return options.interval(value - margin, value + margin)


def wilson_interval(values: FloatArray, options: IntervalOptions, name: str, *, clusters: object = None) -> Interval:
    """Compute Wilson's interval of a proportion.

    Args:
        values: Zeros and ones, at least two.
        options: Options with the method ``"wilson"``.
        name: What the values are, for errors.
        clusters: None; keys are refused.

    Returns:
        The interval, within 0 and 1.

    Raises:
        ValueError: Fewer than two values, a value that is not 0 or 1, or clusters.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance.intervals import IntervalOptions, wilson_interval
        >>> options = IntervalOptions.check(level=0.95, method="wilson", resamples=1000, seed=1)
        >>> low, high = wilson_interval(np.array([0.0, 0.0, 1.0, 0.0]), options, "values")
        >>> round(low, 4), round(high, 4)
        (0.0456, 0.6994)

    """
    check_items(values, name)
    if clusters is not None:
        raise ValueError("method 'wilson' assumes independent items; use 'bootstrap' or 'normal' with clusters")
    is_hit = values == 1
    wrong = ~(is_hit | (values == 0))
    if wrong.any():
        first = int(wrong.argmax())
        raise ValueError(f"method 'wilson' needs values that are 0 or 1, {name}[{first}] is {float(values[first])!r}")
    items, hits = len(values), int(is_hit.sum())
    z, rate = -_normal_quantile((1 - options.level) / 2), hits / items
    scale = 1 + z**2 / items
    center = (rate + z**2 / (2 * items)) / scale
    margin = z * math.sqrt(rate * (1 - rate) / items + z**2 / (4 * items**2)) / scale
    # Exact at the ends, where center and margin are equal but for rounding.
    return options.interval(0.0 if hits == 0 else center - margin, 1.0 if hits == items else center + margin)


class _Resampled:
    """A function of sums of rows of items, or of clusters if the last column is the number of their items."""

    def __init__(self, rows: FloatArray, of_sums: OfSums, *, has_sizes: bool = False) -> None:
        self._rows = np.ascontiguousarray(rows)
        self._of_sums = of_sums
        self._has_sizes = has_sizes

    @property
    def units(self) -> int:
        """Number of items or clusters."""
        return len(self._rows)

    def scores(self, options: IntervalOptions) -> OrderedScores:
        """Return the scores of the resamples."""
        if self._of_sums is mean_of_sums and self._rows.shape[1] == 1:
            means = rounded_means(self._rows[:, 0], options.seed, options.resamples, options.threads)
            if means is not None:
                return means
        scores, start = np.empty(options.resamples), 0
        draw = pcg64(options.seed).resample_sums
        for sums in sums_in_blocks(draw, self._rows, options.resamples, options.threads):
            scores[start : start + len(sums)] = self._of(sums, len(self._rows))
            start += len(sums)
        return ExactScores(scores)

    def without_each(self) -> FloatArray:
        """Return the scores without one row, for each row."""
        count, columns = self._rows.shape
        total, block = self._rows.sum(axis=0), block_length(columns)
        return np.concatenate(
            [self._of(total - self._rows[start : start + block], count - 1) for start in range(0, count, block)]
        )

    def _of(self, sums: FloatArray, count: int) -> FloatArray:
        """Return the score of each sum of ``count`` rows."""
        if self._has_sizes:
            return self._of_sums(np.ascontiguousarray(sums[:, :-1]), sums[:, -1])
        return self._of_sums(sums, np.full(len(sums), float(count)))


def _corrected_tails(
    value: float, tail: float, scores: OrderedScores, resampled: _Resampled
) -> tuple[float, float] | None:
    """Return the probabilities whose quantiles are the bounds of BCa; None where they are not defined."""
    rounding = ROUNDING * max(-scores[0], scores[len(scores) - 1])
    below, up_to = scores.counts(value - rounding, value + rounding)
    middle = (below + up_to) / (2 * len(scores))
    left_out = resampled.without_each()
    changes = left_out.mean() - left_out
    squares = float((changes**2).sum())
    if not 0 < middle < 1 or squares == 0:
        return None
    bias, z = _normal_quantile(middle), _normal_quantile(tail)
    acceleration = float((changes**3).sum()) / (6 * squares**1.5)
    shifts = [bias + side for side in (z, -z)]
    scales = [1 - acceleration * shift for shift in shifts]
    if min(scales) <= 0:
        return None
    low, high = (_normal_probability(bias + shift / scale) for shift, scale in zip(shifts, scales, strict=True))
    return low, high


def quantile(ordered: FloatArray | OrderedScores, p: float) -> float:
    """Return a quantile of sorted values with linear interpolation (type 7 of Hyndman and Fan).

    Args:
        ordered: Values in ascending order, at least two.
        p: The fraction of the values that is below, from 0 to 1.

    Returns:
        The quantile, with the bits of ``scipy.stats.bootstrap``.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance.intervals import quantile
        >>> quantile(np.array([1.0, 2.0, 4.0]), 0.75)
        3.0

    """
    # In the order of SciPy's operations, for the same bits.
    rank = p * len(ordered) + (1 - p)
    first = min(max(int(rank), 1), len(ordered) - 1)
    low, high = float(ordered[first - 1]), float(ordered[first])
    return low if low == high else (1 - (rank - first)) * low + (rank - first) * high


def _normal_quantile(p: float) -> float:
    from statistics import NormalDist  # noqa: PLC0415 - with its dependencies, as large as NumPy's start

    return NormalDist().inv_cdf(p)


def _normal_probability(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2


def check_items(rows: FloatArray, name: str) -> None:
    """Check that rows suffice for an interval.

    Args:
        rows: Values of the items, of shape ``(items,)`` or ``(items, columns)``.
        name: What they are, for errors.

    Raises:
        ValueError: Fewer than two items, or a value that is not finite; the message has its index.

    """
    if len(rows) < 2:  # noqa: PLR2004
        raise ValueError(f"{name} has {len(rows)} item{'' if len(rows) == 1 else 's'}, an interval needs at least two")
    finite = np.isfinite(rows) if rows.ndim == 1 else np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise ValueError(f"{name}[{int(finite.argmin())}] is not finite")
