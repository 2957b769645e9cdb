"""The rows of one metric for all systems: what is resampled and swapped."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.display import format_argument, format_id
from muge_fast.comparison.systems import Systems, reordered
from muge_fast.scores import AdditiveStatistics, FloatArray, Score, additive_statistics
from muge_fast.significance.clusters import cluster_codes, sum_by_cluster
from muge_fast.significance.multiples import rounding_of
from muge_fast.significance.stream import pcg64, sums_in_blocks

__all__ = ["MetricRows", "Units", "differ", "metric_rows", "resampled_scores", "units_of"]

# Bytes of rows that get codes at once.
CODE_BYTES = 1 << 19

# Squares of sums of larger numbers overflow.
LARGEST = 1e150

Kind = Literal["mean", "sums", "influence"]


@dataclass(frozen=True)
class Units:
    """What is resampled: items, or clusters of items.

    Attributes:
        codes: Cluster of each item, from 0; None if each item is a unit.
        counts: Number of items of each unit, float64.

    """

    codes: npt.NDArray[np.intp] | None
    counts: FloatArray

    def sums(self, rows: FloatArray) -> FloatArray:
        """Return the sums of the rows of each unit, float64 of shape ``(units, columns)``."""
        if self.codes is None:
            return rows
        return sum_by_cluster(rows, self.codes)


def units_of(items: int, clusters: object) -> Units:
    """Return the units of a comparison.

    Args:
        items: Number of items.
        clusters: A key for each item; None if items are independent.

    Returns:
        The units.

    Raises:
        ValueError: A wrong number of keys, or fewer than two clusters.

    """
    if clusters is None:
        return Units(None, np.ones(items))
    codes = cluster_codes(clusters, items)
    return Units(codes, np.bincount(codes).astype(np.float64))


@dataclass(frozen=True)
class MetricRows:
    """One metric of all systems.

    Attributes:
        name: Name of the metric.
        values: The score of each system.
        kind: ``"mean"`` if the score is a mean of one number per item, ``"sums"`` if it is another function of sums of
            rows, ``"influence"`` if only its influence rows are known.
        samples: Rows of each sample of units that is drawn, float64 of shape ``(units, systems * columns)``: one
            sample, or generated and real images.
        items: Rows of the items of the first sample; the same array as the sample if each item is a unit.
        counts: Number of items of each unit of the first sample.
        statistics: How sums become scores; None for influence rows.

    """

    name: str
    values: FloatArray
    kind: Kind
    samples: tuple[FloatArray, ...]
    items: FloatArray
    counts: FloatArray
    statistics: AdditiveStatistics | None

    @property
    def systems(self) -> int:
        """Number of systems."""
        return len(self.values)

    def of_system(self, system: int) -> FloatArray:
        """Return the rows of a system of the first sample, float64 of shape ``(units, columns)``."""
        rows = self.samples[0]
        columns = rows.shape[1] // self.systems
        return rows[:, system * columns : (system + 1) * columns]

    def differing_items(self, pair: tuple[int, int]) -> int:
        """Return the number of items whose rows differ between two systems."""
        return int(np.count_nonzero(self._differ(self._item_codes, pair)))

    def differing_units(self, pair: tuple[int, int]) -> npt.NDArray[np.bool_]:
        """Return for each unit of the first sample whether two systems differ there, means by more than rounding."""
        return self._differ(self._unit_codes, pair)

    def _differ(self, codes: npt.NDArray[Any], pair: tuple[int, int]) -> npt.NDArray[np.bool_]:
        first, second = (codes[system] for system in pair)
        unequal = differ(first, second) if self.kind == "mean" else first != second
        found: npt.NDArray[np.bool_] = np.logical_or.reduce(unequal, axis=0)
        return found

    @cached_property
    def _item_codes(self) -> npt.NDArray[Any]:
        return self._codes(self.items)

    @cached_property
    def _unit_codes(self) -> npt.NDArray[Any]:
        return self._item_codes if self.items is self.samples[0] else self._codes(self.samples[0])

    def _codes(self, table: FloatArray) -> npt.NDArray[Any]:
        """Return what differs where rows differ, of shape ``(systems, columns, rows)``: numbers, or one code for all.

        Many pairs of many systems are compared, so rows of counts are replaced by one integer each.
        """
        rows = table.reshape(len(table), self.systems, -1)
        if self.kind == "sums":
            codes = row_codes(rows)
            if codes is not None:
                return np.ascontiguousarray(codes.T)[:, None]
        return np.ascontiguousarray(rows.transpose(1, 2, 0))

    def item_scores(self) -> FloatArray | None:
        """Return the score of each item scored alone, float64 of shape ``(items, systems)``; None without rows.

        For macro F1 it is 1 if the label is right, else 0.
        """
        return None if self.statistics is None else self.scores_of(self.items, np.ones(len(self.items)))

    def scores_of(self, sums: FloatArray, counts: FloatArray) -> FloatArray:
        """Return the score of each system for sums of rows.

        Args:
            sums: Sums of rows of any systems side by side, float64 of shape ``(resamples, systems * columns)``.
            counts: Number of items in each sum, float64 of shape ``(resamples,)``.

        Returns:
            float64 of shape ``(resamples, systems)``.

        """
        assert self.statistics is not None  # noqa: S101 - influence rows have no sums
        columns = self.samples[0].shape[1] // self.systems
        systems = sums.shape[1] // columns
        table = np.ascontiguousarray(sums).reshape(-1, columns)
        return self.statistics.of_sums(table, np.repeat(counts, systems)).reshape(-1, systems)


def row_codes(rows: FloatArray) -> npt.NDArray[np.uint64] | None:
    """Return an integer for each row, equal within an item if and only if the rows are.

    Args:
        rows: Rows of items and systems, float64 of shape ``(items, systems, columns)``.

    Returns:
        Codes of shape ``(items, systems)``; None if different rows of an item have the same code, which has a
        probability of about 1e-19 for each pair.

    Example:
        >>> import numpy as np
        >>> from muge_fast.comparison.metric_rows import row_codes
        >>> codes = row_codes(np.array([[[1.0, 2.0], [1.0, 2.0], [2.0, 1.0]]]))
        >>> (codes[0, :1] == codes[0]).tolist()
        [True, True, False]

    """
    weights = np.random.default_rng(0).integers(0, 2**64, rows.shape[2], dtype=np.uint64) | np.uint64(1)
    codes = np.empty(rows.shape[:2], dtype=np.uint64)
    # Blocks that stay in the cache.
    size = max(1, CODE_BYTES // (rows.itemsize * rows.shape[1] * rows.shape[2]))
    for start in range(0, len(rows), size):
        block = rows[start : start + size]
        # Zero has two representations.
        bits = (block + 0.0).view(np.uint64)
        bits ^= bits >> np.uint64(29)
        bits *= np.uint64(0xBF58476D1CE4E5B9)
        bits ^= bits >> np.uint64(32)
        found = bits @ weights
        order = np.argsort(found, axis=1)
        ordered = np.take_along_axis(found, order, axis=1)
        in_order = np.take_along_axis(block, order[:, :, None], axis=1)
        unequal = (in_order[:, 1:] != in_order[:, :-1]).any(axis=2)
        if (unequal & (ordered[:, 1:] == ordered[:, :-1])).any():
            return None
        codes[start : start + size] = found
    return codes


def metric_rows(systems: Systems, metric: str, units: Units) -> MetricRows:
    """Return the rows of one metric for all systems, with the items in one order.

    Args:
        systems: The systems.
        metric: Name of the metric.
        units: What is resampled.

    Returns:
        The rows.

    Raises:
        ValueError: The options of the systems differ, a row is not finite, or the metric is one of a whole set without
            influence rows, or of sets of different sizes.

    """
    scores = systems.of_metric(metric)
    values = np.array([score.value for score in scores])
    additive = [statistics for statistics in map(additive_statistics, scores) if statistics is not None]
    if len(additive) < len(scores):
        items, *others = _influence_samples(systems, metric, scores)
        samples = (np.ascontiguousarray(units.sums(items)), *others)
        return MetricRows(metric, values, "influence", samples, items, units.counts, None)
    columns = list(dict.fromkeys(name for statistics in additive for name in statistics.columns))
    tables = [
        # Some metrics of images have other items, such as the real images, which are in one order.
        reordered(_with_columns(statistics, columns), order if len(statistics.rows) == len(systems.ids or ()) else None)
        for statistics, order in zip(additive, systems.orders, strict=True)
    ]
    for name, table in zip(systems.names, tables, strict=True):
        if len(table) != len(tables[0]):
            raise ValueError(
                f"{metric} of {format_argument(name)} is a mean over {len(table)} items, of "
                f"{format_argument(systems.names[0])} over {len(tables[0])}; score the same items with all systems"
            )
        _check_rows(name, metric, table, systems.ids)
    items = np.concatenate(tables, axis=1)
    kind: Kind = "mean" if additive[0].is_mean else "sums"
    return MetricRows(
        metric, values, kind, (np.ascontiguousarray(units.sums(items)),), items, units.counts, additive[0]
    )


def _with_columns(statistics: AdditiveStatistics, columns: list[str]) -> FloatArray:
    """Return the rows with a column for each name; zeros for labels that a system has nowhere."""
    if list(statistics.columns) == columns:
        return statistics.rows
    rows = np.zeros((len(statistics.rows), len(columns)))
    rows[:, [columns.index(name) for name in statistics.columns]] = statistics.rows
    return rows


def differ(first: FloatArray, second: FloatArray) -> npt.NDArray[np.bool_]:
    """Return where numbers differ by more than rounding.

    Args:
        first: Rows or scores of one system.
        second: Those of another one, of the same shape.

    Returns:
        bool of the same shape.

    Example:
        >>> import numpy as np
        >>> from muge_fast.comparison.metric_rows import differ
        >>> differ(np.array([0.1 + 0.2, 1.0]), np.array([0.3, 2.0])).tolist()
        [False, True]

    """
    sizes = np.maximum(np.abs(first), np.abs(second))
    found: npt.NDArray[np.bool_] = np.abs(first - second) > rounding_of(sizes, float(np.finfo(np.float64).eps))
    return found


def _check_rows(name: str, metric: str, rows: FloatArray, ids: Sequence[Hashable] | None) -> None:
    """Raise for numbers that are not finite, or too large."""
    # A sum is finite unless a number is not or the sum overflows, and is much faster than looking at each row.
    finite = np.isfinite(rows).all(axis=1) if not math.isfinite(float(np.einsum("nc->", rows))) else None
    if finite is not None and not finite.all():
        index = int(finite.argmin())
        item = f"item {index}" if ids is None or len(ids) != len(rows) else f"id {format_id(ids[index])}"
        found = float(rows[index, int(np.isfinite(rows[index]).argmin())])
        raise ValueError(f"{metric} of {format_argument(name)} is {found} for {item}, not a finite number")
    if float(max(rows.max(), -rows.min())) * len(rows) > LARGEST:
        fix = "divide the scores of all systems by a constant"
        raise ValueError(f"{metric} of {format_argument(name)} is too large, its sums or squares overflow; {fix}")


def _influence_samples(systems: Systems, metric: str, scores: list[Score]) -> list[FloatArray]:
    """Return the influence rows of a metric of a whole set, a column for each system."""
    influence = [score.influence for score in scores]
    for name, score, samples in zip(systems.names, scores, influence, strict=True):
        if not (math.isfinite(score.value) and all(np.isfinite(rows).all() for rows in samples)):
            raise ValueError(f"{metric} of {format_argument(name)} or its influence is not a finite number")
    sizes = [tuple(len(rows) for rows in samples) for samples in influence]
    for name, size in zip(systems.names, sizes, strict=True):
        if size != sizes[0]:
            raise ValueError(
                f"{metric} of {format_argument(name)} is that of {_counted(size)}, of {systems.names[0]!r} that of "
                f"{_counted(sizes[0])}; its bias depends on the number of images, so compare equal numbers"
            )
    generated = [reordered(samples[0], order) for samples, order in zip(influence, systems.orders, strict=True)]
    return [
        np.stack(columns, axis=1)
        for columns in (generated, *([samples[k] for samples in influence] for k in range(1, len(sizes[0]))))
    ]


def _counted(sizes: tuple[int, ...]) -> str:
    return " and ".join(f"{size} images" for size in sizes)


def resampled_scores(rows: MetricRows, resamples: int, seed: int, threads: int | None) -> FloatArray:
    """Return the scores of all systems on the same resamples of the units.

    The units of a resample are those of ``numpy.random.default_rng(seed).integers(0, n, (resamples, n))``. Where two
    samples are drawn, those of the second follow in the same stream.

    Args:
        rows: Rows of a metric.
        resamples: Number of resamples.
        seed: Seed of the generator.
        threads: Number of threads; None for all cores. Results do not depend on it.

    Returns:
        float64 of shape ``(resamples, systems)``.

    """
    generator = pcg64(seed)
    scores = np.empty((resamples, rows.systems))
    if rows.kind == "influence":
        scores[:] = rows.values
        for index, sample in enumerate(rows.samples):
            counts = rows.counts if index == 0 else np.ones(len(sample))
            for block, sums, sizes in _blocks(generator, sample, counts, resamples, threads):
                scores[block] += sums / sizes[:, None]
        return scores
    for block, sums, sizes in _blocks(generator, rows.samples[0], rows.counts, resamples, threads):
        scores[block] = rows.scores_of(sums, sizes)
    return scores


def _blocks(
    generator: _core.Pcg64, rows: FloatArray, counts: FloatArray, resamples: int, threads: int | None
) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
    """Yield the sums of blocks of resamples, and the number of items in each sum."""
    equal = bool((counts == 1).all())
    table = rows if equal else np.ascontiguousarray(np.concatenate([rows, counts[:, None]], axis=1))
    start = 0
    for sums in sums_in_blocks(generator.resample_sums, table, resamples, threads):
        block, start = slice(start, start + len(sums)), start + len(sums)
        if equal:
            yield block, sums, np.full(len(sums), float(len(rows)))
        else:
            yield block, sums[:, :-1], sums[:, -1]
