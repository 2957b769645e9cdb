"""The scores of all systems after random exchanges of items: the null hypothesis of all pairs at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from muge_fast.comparison.metric_rows import MetricRows, differ
from muge_fast.comparison.swaps import Swaps
from muge_fast.scores import FloatArray
from muge_fast.significance.stream import pcg64, sums_in_blocks

__all__ = ["Exchanges", "exchange_items"]


class Exchanges(NamedTuple):
    """Scores before and after random exchanges, with another unit and origin than the metric.

    Attributes:
        observed: The score of each system.
        drawn: Scores after exchanges, float64 of shape ``(draws, systems)``. The difference of two columns is that of
            two systems after the items with a zero bit were exchanged between them.

    """

    observed: FloatArray
    drawn: FloatArray


def exchange_items(rows: MetricRows, swaps: Swaps) -> Exchanges:
    """Return the scores of all systems after exchanges of random items, the same items for each pair of systems.

    If the items of two systems are exchanged, the difference of their contributions to the scores changes its sign. So
    signs are drawn for the units, and the sums of the contributions with these signs are scores whose differences are
    those of every pair. Contributions to functions of sums, such as BLEU, are those of the first order.

    Args:
        rows: Rows of a metric.
        swaps: How many exchanges are drawn, and from which seed.

    Returns:
        The scores.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.comparison.exchanges import exchange_items
        >>> from muge_fast.comparison.metric_rows import metric_rows, units_of
        >>> from muge_fast.comparison.swaps import Swaps
        >>> from muge_fast.comparison.systems import align_systems
        >>> rows = metric_rows(align_systems({"a": [1, 0, 1], "b": [3, 4, 0]}), "mean", units_of(3, None))
        >>> found = exchange_items(rows, Swaps("two-sided", count=2, seed=12345, threads=1))
        >>> found.observed.tolist(), found.drawn.tolist()
        ([0.0, 5.0], [[0.0, -3.0], [0.0, 7.0]])

    """
    generator = pcg64(swaps.seed)
    observed, drawn = np.zeros(rows.systems), np.zeros((swaps.count, rows.systems))
    for table in _contributions(rows):
        # What is equal in all systems would only add rounding errors.
        changes = np.where(differ(table, table[:, :1]), table - table[:, :1], 0.0)
        total = changes.sum(axis=0)
        observed += total
        start = 0
        for sums in sums_in_blocks(generator.swap_sums, changes, swaps.count, swaps.threads):
            drawn[start : start + len(sums)] += 2 * sums - total
            start += len(sums)
    return Exchanges(observed, drawn)


def _contributions(rows: MetricRows) -> Iterator[FloatArray]:
    """Yield what each unit of each sample contributes to the scores of the systems, of shape ``(units, systems)``."""
    if rows.kind == "mean":
        # Not divided by the number of items, so that whole numbers stay whole and ties are exact.
        yield np.stack([rows.of_system(system).sum(axis=1) for system in range(rows.systems)], axis=1)
        return
    fractions = rows.counts[:, None] / rows.counts.sum()
    if rows.kind == "sums":
        yield _influence(rows) + fractions * rows.values
        return
    generated, *others = rows.samples
    yield generated / rows.counts.sum() + fractions * rows.values
    yield from (sample / len(sample) for sample in others)


def _influence(rows: MetricRows) -> FloatArray:
    """Return the change of each system's score with the weight of each unit, to first order; the sums are zero."""
    assert rows.statistics is not None  # noqa: S101 - influence rows have no sums
    items = rows.counts.sum()
    totals = rows.samples[0].sum(axis=0).reshape(rows.systems, -1)
    gradients = [rows.statistics.gradient(total, int(items)) for total in totals]
    products = np.stack([rows.of_system(system) @ gradient for system, gradient in enumerate(gradients)], axis=1)
    means = np.array([total @ gradient for total, gradient in zip(totals, gradients, strict=True)]) / items
    influence: FloatArray = products - rows.counts[:, None] * means
    return influence
