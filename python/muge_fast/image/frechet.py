"""The Fréchet distance of two Gaussians, computed without a matrix square root."""

from __future__ import annotations

import math

import numpy as np

from muge_fast.image.backend import A, Backend, NumpyBackend, torch_backend
from muge_fast.image.statistics import Moments, Statistics


def frechet_distance(real: Statistics, generated: Statistics) -> float:
    """Compute the Fréchet distance of two sets of features (Dowson and Landau, 1982; Heusel et al., 2017).

    It is ``|m1 - m2|² + tr S1 + tr S2 - 2 tr sqrt(S1 S2)`` of the means and covariances. With ``S1 = A Aᵀ`` and
    ``S2 = B Bᵀ``, the last trace is the sum of the singular values of ``Aᵀ B``. If a set has no more images than
    features, its centred features are such a factor, and the result is exact to rounding; implementations that go
    through the singular covariance are wrong in the fifth digit. Otherwise the factor is Cholesky's.

    Sums on a device are compared there; NumPy takes over if the device's solver fails or returns NaN.

    Args:
        real: Statistics of the real images, of at least two.
        generated: Statistics of the generated images, of at least two, with the same extractor signature.

    Returns:
        The distance, at least zero up to rounding; of a set with itself, zero to 1e-9 of the trace of its covariance.
        It is symmetric in its arguments.

    Raises:
        ValueError: Different numbers of features or extractor signatures, fewer than two images, or features whose
            squares overflow double precision.

    Example:
        >>> from muge_fast.image import Statistics, frechet_distance
        >>> real = Statistics.from_state({"mu": [0.0], "sigma": [[1.0]]})
        >>> generated = Statistics.from_state({"mu": [3.0], "sigma": [[4.0]]})
        >>> frechet_distance(real, generated)
        10.0

    """
    _check_comparable(real, generated)
    device = real.device or generated.device
    if device is not None:
        try:
            value = _distance(real, generated, torch_backend(str(device)))
        except RuntimeError:
            # The device's solver did not converge, or the device is out of memory.
            value = math.nan
        if math.isfinite(value):
            return value
    value = _distance_in_numpy(real, generated)
    if not math.isfinite(value):
        raise ValueError("features are too large: the distance overflows double precision")
    return value


def check_same_extractor(real: str, generated: str) -> None:
    """Check that two sets of features come from the same extractor.

    Args:
        real: Extractor signature of the real images; empty if unknown.
        generated: Extractor signature of the generated images; empty if unknown.

    Raises:
        ValueError: Both are known, and they differ.

    Example:
        >>> from muge_fast.image.frechet import check_same_extractor
        >>> check_same_extractor("", "inception|resize:tf1")

    """
    if real and generated and real != generated:
        raise ValueError(f"real has features of {real!r}, generated of {generated!r}: need the same extractor")


def _check_comparable(real: Statistics, generated: Statistics) -> None:
    if real.dims != generated.dims:
        raise ValueError(f"real and generated have {real.dims} and {generated.dims} features, need the same number")
    check_same_extractor(real.extractor_signature, generated.extractor_signature)
    for name, statistics in (("real", real), ("generated", generated)):
        if statistics.count < 2 and not statistics.has_only_moments:  # noqa: PLR2004
            raise ValueError(f"{name} has {statistics.count} images, needs at least two")


def _distance_in_numpy(real: Statistics, generated: Statistics) -> float:
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            return _distance(real, generated, NumpyBackend())
    except np.linalg.LinAlgError:
        return math.nan


def _distance(real: Statistics, generated: Statistics, backend: Backend[A]) -> float:
    left, right = real.moments_on(backend), generated.moments_on(backend)
    difference = left.mean - right.mean
    trace = _trace(left) + _trace(right) - 2 * _root_trace(backend, left, right)
    return float(difference @ difference) + trace


def _trace(moments: Moments[A]) -> float:
    """Return the trace of the covariance."""
    if moments.covariance is not None:
        return float(moments.covariance.trace())
    assert moments.centred is not None  # noqa: S101 - one of the two is there
    return float((moments.centred * moments.centred).sum())


def _root_trace(backend: Backend[A], left: Moments[A], right: Moments[A]) -> float:
    """Return the trace of sqrt(S1 S2)."""
    if left.centred is not None and right.centred is not None:
        return float(backend.singular_values(left.centred @ right.centred.T).sum())
    if left.covariance is not None and right.covariance is not None:
        factor = backend.cholesky_factor(left.covariance)
        roots = backend.eigenvalues(factor.T @ right.covariance @ factor).clip(0) ** 0.5
        return float(roots.sum())
    features = right.centred if left.centred is None else left.centred
    covariance = right.covariance if left.covariance is None else left.covariance
    assert features is not None  # noqa: S101 - one set has features, the other a covariance
    assert covariance is not None  # noqa: S101
    return float(backend.singular_values(features @ backend.cholesky_factor(covariance)).sum())
