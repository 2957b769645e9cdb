"""The Fréchet distance of features, against the square root of a matrix that all other tools take."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.linalg

from benches.timing import Row, check, clock, show, times
from muge_fast.image import Statistics, frechet_distance

ROUNDS = 3
# Images of each set, and how far the answers may be from each other: with fewer images than features the covariances
# are singular, and what is made of their root is wrong in the fifth digit.
SETS = {500: 1e-3, 5_000: 1e-9}


def frechet(dims: int = 2048, sets: dict[int, float] = SETS) -> Iterator[Row]:
    """From statistics to the distance."""
    yield from (row(count, dims, bound) for count, bound in sets.items())


def row(count: int, dims: int, bound: float) -> Row:
    """Sets of one size."""
    sides = [Statistics.of(features(count, dims, seed)) for seed in range(2)]
    moments = [(side.mean, side.covariance) for side in sides]
    found: dict[str, float] = {}
    slow, quick = [], []
    for _ in range(ROUNDS):
        slow.append(clock(lambda: found.update(theirs=by_root(*moments))))
        quick.append(clock(lambda: found.update(ours=frechet_distance(*sides))))
    check(f"distance of {count}", abs(found["ours"] / found["theirs"] - 1), bound)
    work = f"Fréchet distance, {count:,} and {count:,} images, {dims} features"
    ratios = [left / right for left, right in zip(slow, quick, strict=True)]
    return work, f"scipy sqrtm {show(np.median(slow))}", show(np.median(quick)), times(ratios)


def features(count: int, dims: int, seed: int) -> np.ndarray:
    """Features above zero, some of which go together, as those of a network do."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(count, dims)) @ np.random.default_rng(9).normal(size=(dims, dims)) / dims**0.5
    return np.maximum(mixed + 0.1 * seed, 0) + 0.01 * rng.normal(size=(count, dims))


def by_root(first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]) -> float:
    """The formula as it stands, which pytorch-fid, clean-fid and others compute."""
    difference = first[0] - second[0]
    root = scipy.linalg.sqrtm(first[1] @ second[1])
    return float(difference @ difference + np.trace(first[1]) + np.trace(second[1]) - 2 * np.trace(root.real))
