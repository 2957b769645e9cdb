"""Tests of the difference of two systems, for every pair of a comparison."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import numpy as np

from muge_fast import _core
from muge_fast.comparison.metric_rows import MetricRows
from muge_fast.comparison.swaps import REVERSE, PairTest, Swaps, Tails
from muge_fast.scores import FloatArray
from muge_fast.significance.sign_flips import SUM_ROUNDING, PairedDifferences, exact_sign_flips
from muge_fast.significance.student_t import student_t_tail

__all__ = ["TESTS", "TestName", "choose_test", "run_pair_tests"]

Pair = tuple[int, int]

TestName = Literal["auto", "sign_flip", "swap", "bootstrap", "t", "normal"]
TESTS = get_args(TestName)

# Differing items of which all patterns of swaps are tried, with two scores for each of 2**16 patterns.
MOST_SWAPPED = 16

# Scores of whole sets whose relative difference is smaller are equal: their sums depend on the order of the images.
ROUNDING = 1e-9

# The smallest p-value that is not 0.
SMALLEST_P = float(np.finfo(np.float64).tiny)

USABLE: dict[str, tuple[str, ...]] = {
    "mean": ("sign_flip", "swap", "bootstrap", "t", "normal"),
    "sums": ("swap", "bootstrap"),
    "influence": ("normal",),
}
"""Tests of each kind of metric, the default first."""


def choose_test(test: str, rows: MetricRows) -> str:
    """Return the name of the test for a metric.

    Args:
        test: The test that was asked for, or ``"auto"``.
        rows: Rows of the metric.

    Returns:
        The name of a test that the metric allows.

    Raises:
        ValueError: The metric does not allow the test.

    """
    usable = USABLE[rows.kind]
    if test == "auto":
        return usable[0]
    if test not in usable:
        raise ValueError(f"the test {test} cannot be used for {rows.name}, choose from auto, {', '.join(usable)}")
    return test


def run_pair_tests(
    rows: MetricRows, pairs: Sequence[Pair], test: str, swaps: Swaps, resampled: FloatArray
) -> dict[Pair, PairTest]:
    """Return the result of a test for each pair of systems.

    Args:
        rows: Rows of a metric.
        pairs: Indices of the two systems of each pair.
        test: Name of the test, from :func:`choose_test`.
        swaps: How items are swapped.
        resampled: Scores of the systems on joint resamples, float64 of shape ``(resamples, systems)``.

    Returns:
        The results by pair. Systems without any difference have p = 1.

    """
    results = {pair: PairTest(1.0, 1.0, exact=True) for pair in pairs}
    open_pairs = [pair for pair in pairs if rows.differing_units(pair).any()]
    if test == "sign_flip":
        return results | _sign_flip_tests(rows, open_pairs, swaps)
    if test == "swap":
        return results | _swap_tests(rows, open_pairs, swaps)
    if test == "bootstrap":
        return results | {pair: _bootstrap_test(rows, pair, resampled, swaps) for pair in open_pairs}
    return results | {pair: _standard_error_test(rows, pair, test, swaps) for pair in open_pairs}


def _sign_flip_tests(rows: MetricRows, pairs: Sequence[Pair], swaps: Swaps) -> dict[Pair, PairTest]:
    """Return sign-flip tests: exact for whole numbers and where few items differ, else with the same draws for all."""
    totals = np.stack([rows.of_system(system).sum(axis=1) for system in range(rows.systems)], axis=1)
    results = {pair: _exact_sign_flips(totals[:, list(pair)], swaps) for pair in pairs}
    drawn = {
        pair: Tails(_difference(totals, pair), float(np.abs(totals[:, list(pair)]).sum()), swaps.alternative)
        for pair, result in results.items()
        if result is None
    }
    if drawn:
        for sums in swaps.blocks(totals):
            for (first, second), tails in drawn.items():
                tails.add(2 * (sums[:, first] - sums[:, second]) - _difference(totals, (first, second)))
    found = {pair: result for pair, result in results.items() if result is not None}
    return found | {pair: tails.result(exact=False) for pair, tails in drawn.items()}


def _difference(totals: FloatArray, pair: Pair) -> float:
    return float((totals[:, pair[0]] - totals[:, pair[1]]).sum())


def _exact_sign_flips(totals: FloatArray, swaps: Swaps) -> PairTest | None:
    """Return the exact test of two systems, None if it would take too long."""
    paired = PairedDifferences.of_scores(totals[:, 0], totals[:, 1])
    found = exact_sign_flips(paired.differences, paired.units, swaps.alternative)
    if found is None or swaps.alternative == "two-sided":
        return None if found is None else PairTest(found[0], found[0], exact=True)
    reverse = exact_sign_flips(paired.differences, paired.units, REVERSE[swaps.alternative])
    return None if reverse is None else PairTest(found[0], reverse[0], exact=True)


def _swap_tests(rows: MetricRows, pairs: Sequence[Pair], swaps: Swaps) -> dict[Pair, PairTest]:
    """Return swap tests (approximate randomization): exact where few items differ, else with the same draws for all."""
    results: dict[Pair, PairTest] = {}
    drawn: dict[Pair, Tails] = {}
    for pair in pairs:
        tails = Tails(*_observed(rows, pair), swaps.alternative)
        chosen = rows.differing_units(pair)
        if np.count_nonzero(chosen) <= MOST_SWAPPED:
            selected = tuple(_core.subset_sums(np.ascontiguousarray(rows.of_system(system)[chosen])) for system in pair)
            kept = rows.of_system(pair[0])[~chosen].sum(axis=0)
            totals = tuple(rows.of_system(system)[chosen].sum(axis=0) for system in pair)
            tails.add(_swapped_difference(rows, selected, totals, kept))
            results[pair] = tails.result(exact=True)
        else:
            drawn[pair] = tails
    if drawn:
        columns = rows.samples[0].shape[1] // rows.systems
        totals = rows.samples[0].sum(axis=0).reshape(rows.systems, columns)
        for sums in swaps.blocks(rows.samples[0]):
            by_system = sums.reshape(len(sums), rows.systems, columns)
            for pair, tails in drawn.items():
                selected = tuple(by_system[:, system] for system in pair)
                tails.add(_swapped_difference(rows, selected, tuple(totals[list(pair)]), np.zeros(columns)))
    return results | {pair: tails.result(exact=False) for pair, tails in drawn.items()}


def _swapped_difference(
    rows: MetricRows, selected: Sequence[FloatArray], totals: Sequence[FloatArray], kept: FloatArray
) -> FloatArray:
    """Return the differences of two systems that keep the selected items and swap all others.

    Args:
        rows: Rows of a metric.
        selected: Sums of the selected rows of each system, float64 of shape ``(trials, columns)``.
        totals: Sum of all rows of each system.
        kept: Sum of the rows that both systems share, to be added to both.

    Returns:
        float64 of shape ``(trials,)``.

    """
    first = selected[0] + (totals[1] - selected[1]) + kept
    second = selected[1] + (totals[0] - selected[0]) + kept
    items = np.full(len(first), rows.counts.sum())
    scores = rows.scores_of(np.concatenate([first, second], axis=1), items)
    difference: FloatArray = scores[:, 0] - scores[:, 1]
    return difference


def _observed(rows: MetricRows, pair: Pair) -> tuple[float, float]:
    """Return the difference of two scores, and the sum of their absolute values."""
    first, second = rows.values[list(pair)].tolist()
    return first - second, abs(first) + abs(second)


def _bootstrap_test(rows: MetricRows, pair: Pair, resampled: FloatArray, swaps: Swaps) -> PairTest:
    """Return the test of resamples shifted to a difference of zero (Berg-Kirkpatrick et al., 2012), two-sided."""
    observed, size = _observed(rows, pair)
    tails = Tails(observed, size, swaps.alternative)
    tails.add(resampled[:, pair[0]] - resampled[:, pair[1]] - observed)
    return tails.result(exact=False)


def _standard_error_test(rows: MetricRows, pair: Pair, test: str, swaps: Swaps) -> PairTest:
    """Return the paired t-test, or the z-test of the first-order standard error."""
    difference, size = _observed(rows, pair)
    error = math.sqrt(sum(_variances(rows, pair)))
    if rows.kind == "influence" and max(abs(difference), error) <= ROUNDING * size:
        # The same images in another order.
        return PairTest(1.0, 1.0, exact=True)
    units = len(rows.counts)
    if error <= SUM_ROUNDING * size:
        # The same difference everywhere: its signs alone say how likely it is, and no p-value is 0.
        tails = (0.5**units, 1.0) if difference > 0 else (1.0, 0.5**units)
    elif test == "t":
        tails = student_t_tail(difference / error, units - 1), student_t_tail(-difference / error, units - 1)
    else:
        z = difference / error / math.sqrt(2)
        tails = math.erfc(z) / 2, math.erfc(-z) / 2
    upper, lower = (max(tail, SMALLEST_P) for tail in tails)
    if swaps.alternative == "two-sided":
        p = min(1.0, 2 * min(upper, lower))
        return PairTest(p, p, exact=False)
    p, reverse_p = (upper, lower) if swaps.alternative == "greater" else (lower, upper)
    return PairTest(p, reverse_p, exact=False)


def _variances(rows: MetricRows, pair: Pair) -> Iterator[float]:
    """Yield the variance of the mean difference of each sample."""
    for index, sample in enumerate(rows.samples):
        columns = sample.shape[1] // rows.systems
        first, second = (sample[:, system * columns : (system + 1) * columns].mean(axis=1) for system in pair)
        differences = first - second
        counts = rows.counts if index == 0 else np.ones(len(differences))
        # The residuals of a ratio estimator: clusters differ in their number of items.
        residuals = differences - counts * (differences.sum() / counts.sum())
        units = len(differences)
        yield float(residuals @ residuals) / (units - 1) * units / counts.sum() ** 2
