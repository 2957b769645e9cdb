"""The Fréchet distance of two Gaussians, computed without a matrix square root."""

from __future__ import annotations

import math

import numpy as np

from muge_fast.image.backend import A, Backend, NumpyBackend, torch_backend
from muge_fast.image.statistics import Moments, Statistics
from muge_fast.scores import without_engine


def frechet_distance(real: Statistics, generated: Statistics) -> float:
    """Compute the Fréchet distance of two sets of features (Dowson and Landau, 1982; Heusel et al., 2017).

    It is ``|m1 - m2|² + tr S1 + tr S2 - 2 tr sqrt(S1 S2)`` of the means and covariances. With ``S1 = A Aᵀ`` and
    ``S2 = B Bᵀ``, the last trace is the sum of the singular values of ``Aᵀ B``. If a set has no more images than
    features, its centred features are such a factor, and the result is exact to rounding; implementations that go
    through the singular covariance are wrong in the fifth digit. Otherwise the factor is Cholesky's. A covariance that
    is singular, of a file with nothing else or of features that are linearly dependent, has a factor of its
    eigenvectors without the eigenvalues that are zero up to rounding.

    Sums on a device are compared there; NumPy takes over if the device's solver fails or returns NaN.

    Args:
        real: Statistics of the real images, of at least two.
        generated: Statistics of the generated images, of at least two, with the same extractor signature.

    Returns:
        The distance, at least 0: a result that rounding makes negative is 0. It is symmetric in its arguments. Its
        error is below 1e-9 of the traces of the covariances, for singular ones if their other eigenvalues exceed 1e-12
        of the largest. Rounding to single precision, in which some tools save mean and covariance, comes on top.

    Raises:
        ValueError: Different numbers of features or extractor signatures, fewer than two images, a loaded covariance
            with a negative eigenvalue, or features whose squares overflow double precision.

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
    """Check that two sets of features come from the same extractor; the engine that ran it may differ.

    Args:
        real: Extractor signature of the real images; empty if unknown.
        generated: Extractor signature of the generated images; empty if unknown.

    Raises:
        ValueError: Both are known, and they differ.

    Example:
        >>> from muge_fast.image.frechet import check_same_extractor
        >>> check_same_extractor("", "inception|resize:tf1")

    """
    if real and generated and without_engine(real) != without_engine(generated):
        raise ValueError(f"real has features of {real!r}, generated of {generated!r}: need the same extractor")


def joint_signature(real: str, generated: str) -> str:
    """Return the signature of the extractor of two sets of features that :func:`check_same_extractor` accepts.

    Args:
        real: Extractor signature of the real images; empty if unknown.
        generated: Extractor signature of the generated images; empty if unknown.

    Returns:
        The signature, with ``engine:mixed`` if the engines differ; empty if both are unknown.

    Example:
        >>> from muge_fast.image.frechet import joint_signature
        >>> joint_signature("inception|resize:tf1", "inception|resize:tf1|engine:openvino-2026.4.1")
        'inception|resize:tf1|engine:mixed'

    """
    if not (real and generated) or real == generated:
        return real or generated
    return f"{without_engine(real)}|engine:mixed"


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
    traces, root_trace = _trace(left) + _trace(right), _root_trace(backend, left, right)
    distance = float(difference @ difference) + traces - 2 * root_trace
    # Matrices with a negative eigenvalue are refused, so that nothing but rounding makes it negative.
    return 0.0 if distance < 0 else distance


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
        if factor is not None and backend.cholesky_factor(right.covariance) is not None:
            # Eigenvalues take half of the time of singular values, and both are regular.
            roots = backend.eigenvalues(factor.T @ right.covariance @ factor).clip(0) ** 0.5
            return float(roots.sum())
    return float(backend.singular_values(_factor(backend, left).T @ _factor(backend, right)).sum())


def _factor(backend: Backend[A], moments: Moments[A]) -> A:
    """Return a matrix ``F`` with ``F @ F.T`` equal to the covariance, with as few columns as known."""
    if moments.centred is not None:
        return moments.centred.T
    assert moments.covariance is not None  # noqa: S101 - one of the two is there
    factor = backend.cholesky_factor(moments.covariance)
    return backend.eigen_factor(moments.covariance) if factor is None else factor
