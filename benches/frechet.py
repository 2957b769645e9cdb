"""The Fréchet distance of features, compared with the matrix square root that other tools compute."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.linalg

from benches.timing import Row, check, clock, show, times
from muge_fast.image import Statistics, frechet_distance

ROUNDS = 3
# Images of each set, and the allowed relative difference between the two results: with fewer images than features the
# covariances are singular, and a distance from their square root is wrong in the fifth digit.
SETS = {500: 1e-3, 5_000: 1e-9}


def frechet(dims: int = 2048, sets: dict[int, float] = SETS) -> Iterator[Row]:
    """Yield a row for each size of sets: the time from statistics to the distance."""
    yield from (row(count, dims, bound) for count, bound in sets.items())


def row(count: int, dims: int, bound: float) -> Row:
    """Compare both ways on sets of ``count`` images."""
    statistics = [Statistics.from_features(features(count, dims, seed)) for seed in range(2)]
    moments = [(each.mean, each.covariance) for each in statistics]
    distances: dict[str, float] = {}
    scipy_times, our_times = [], []
    for _ in range(ROUNDS):
        scipy_times.append(clock(lambda: distances.update(scipy=distance_by_sqrtm(*moments))))
        our_times.append(clock(lambda: distances.update(muge_fast=frechet_distance(*statistics))))
    check(f"distance of {count}", abs(distances["muge_fast"] / distances["scipy"] - 1), bound)
    work = f"Fréchet distance, {count:,} and {count:,} images, {dims} features"
    ratios = [slow / fast for slow, fast in zip(scipy_times, our_times, strict=True)]
    return work, f"scipy sqrtm {show(np.median(scipy_times))}", show(np.median(our_times)), times(ratios)


def features(count: int, dims: int, seed: int) -> np.ndarray:
    """Return non-negative, correlated features, like those of a network."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(count, dims)) @ np.random.default_rng(9).normal(size=(dims, dims)) / dims**0.5
    return np.maximum(mixed + 0.1 * seed, 0) + 0.01 * rng.normal(size=(count, dims))


def distance_by_sqrtm(real: tuple[np.ndarray, np.ndarray], generated: tuple[np.ndarray, np.ndarray]) -> float:
    """Compute the formula literally, as pytorch-fid, clean-fid and others do."""
    difference = real[0] - generated[0]
    root = scipy.linalg.sqrtm(real[1] @ generated[1])
    return float(difference @ difference + np.trace(real[1]) + np.trace(generated[1]) - 2 * np.trace(root.real))
