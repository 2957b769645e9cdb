"""The Fréchet distance of two Gaussians, without the square root of a matrix."""

from __future__ import annotations

from typing import cast

import numpy as np

from muge_fast.image.statistics import Float64, Statistics


def frechet_distance(first: Statistics, second: Statistics) -> float:
    """Compute ``|m1 - m2|² + tr S1 + tr S2 - 2 tr sqrt(S1 S2)`` (Dowson and Landau, 1982; Heusel et al., 2017).

    With ``S1 = A Aᵀ`` and ``S2 = B Bᵀ`` the last trace is the sum of the singular values of ``Aᵀ B``. Where a set has
    no more images than features, its own features are such a factor: the result is exact to rounding, where every way
    through the covariance is wrong in the fifth digit. Otherwise the factor is Cholesky's.

    Args:
        first: Statistics of one set, at least two images.
        second: Statistics of the other, of the same protocol.

    Returns:
        The distance, at least zero but for rounding: of a set with itself zero to 1e-9 of its trace.

    Raises:
        ValueError: Another number of features, another protocol, or fewer than two images.

    Example:
        >>> from muge_fast.image import Statistics, frechet_distance
        >>> one = Statistics.from_state({"mu": [0.0], "sigma": [[1.0]]})
        >>> other = Statistics.from_state({"mu": [3.0], "sigma": [[4.0]]})
        >>> frechet_distance(one, other)
        10.0

    """
    if first.dims != second.dims:
        raise ValueError(f"the sets have {first.dims} and {second.dims} features, need the same")
    if first.protocol != second.protocol and first.protocol and second.protocol:
        raise ValueError(f"the sets have the protocols {first.protocol!r} and {second.protocol!r}, need the same")
    for statistics in (first, second):
        if statistics.count < 2 and statistics.centred is not None:  # noqa: PLR2004
            raise ValueError(f"a set has {statistics.count} images, needs at least two")
    difference = first.mean - second.mean
    trace = _trace(first) + _trace(second) - 2 * _root_trace(first, second)
    return float(difference @ difference + trace)


def _trace(statistics: Statistics) -> float:
    centred = statistics.centred
    return float(np.trace(statistics.covariance) if centred is None else (centred * centred).sum())


def _root_trace(first: Statistics, second: Statistics) -> float:
    """The trace of sqrt(S1 S2)."""
    left, right = first.centred, second.centred
    if left is not None and right is not None:
        return _nuclear_norm(left @ right.T)
    if left is None and right is None:
        factor = _factor(first.covariance)
        values = np.linalg.eigvalsh(factor.T @ second.covariance @ factor)
        return float(np.sqrt(np.maximum(values, 0)).sum())
    features = cast("Float64", left if left is not None else right)
    return _nuclear_norm(features @ _factor((second if right is None else first).covariance))


def _nuclear_norm(matrix: Float64) -> float:
    return float(np.linalg.svd(matrix, compute_uv=False).sum())


def _factor(covariance: Float64) -> Float64:
    """A matrix whose product with its transpose is the covariance."""
    try:
        return cast("Float64", np.linalg.cholesky(covariance))
    except np.linalg.LinAlgError:
        # Singular: what rounding made negative is zero.
        values, vectors = np.linalg.eigh(covariance)
        return cast("Float64", vectors * np.sqrt(np.maximum(values, 0)))
