"""The Fréchet distance of two Gaussians, without the square root of a matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from muge_fast.image.backend import NumpyBackend, TorchBackend, backend_for
from muge_fast.image.statistics import Moments, Statistics


def frechet_distance(first: Statistics, second: Statistics) -> float:
    """Compute ``|m1 - m2|² + tr S1 + tr S2 - 2 tr sqrt(S1 S2)`` (Dowson and Landau, 1982; Heusel et al., 2017).

    With ``S1 = A Aᵀ`` and ``S2 = B Bᵀ`` the last trace is the sum of the singular values of ``Aᵀ B``. Where a set has
    no more images than features, its own features are such a factor: the result is exact to rounding, where every way
    through the covariance is wrong in the fifth digit. Otherwise the factor is Cholesky's.

    Where sums are on a device, the distance is computed there; on the host if the device fails or gives what is not
    finite.

    Args:
        first: Statistics of one set, at least two images.
        second: Statistics of the other, of the same protocol.

    Returns:
        The distance, at least zero but for rounding: of a set with itself zero to 1e-9 of its trace.

    Raises:
        ValueError: Another number of features, another protocol, fewer than two images, or features whose squares are
            beyond double precision.

    Example:
        >>> from muge_fast.image import Statistics, frechet_distance
        >>> one = Statistics.from_state({"mu": [0.0], "sigma": [[1.0]]})
        >>> other = Statistics.from_state({"mu": [3.0], "sigma": [[4.0]]})
        >>> frechet_distance(one, other)
        10.0

    """
    if first.dims != second.dims:
        raise ValueError(f"the sets have {first.dims} and {second.dims} features, need the same")
    refuse_protocols(first.protocol, second.protocol)
    for statistics in (first, second):
        if statistics.count < 2 and not statistics.is_given:  # noqa: PLR2004
            raise ValueError(f"a set has {statistics.count} images, needs at least two")
    device = first.device or second.device
    if device is not None:
        try:
            value = _distance(first, second, device)
        except RuntimeError:
            # A device's solver that does not converge, or no memory there.
            value = math.nan
        if math.isfinite(value):
            return value
    value = _on_host(first, second)
    if not math.isfinite(value):
        raise ValueError("the distance is beyond double precision: features are too large")
    return value


def refuse_protocols(first: str, second: str) -> None:
    """Refuse to compare features of one protocol with those of another.

    Args:
        first: What the features of one set are; empty if nobody knows.
        second: The same of the other set.

    Raises:
        ValueError: They are not the same.

    Example:
        >>> from muge_fast.image.frechet import refuse_protocols
        >>> refuse_protocols("", "inception|resize:tf1")

    """
    if first and second and first != second:
        raise ValueError(f"the sets have the protocols {first!r} and {second!r}, need the same")


def _on_host(first: Statistics, second: Statistics) -> float:
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            return _distance(first, second, None)
    except np.linalg.LinAlgError:
        return math.nan


def _distance(first: Statistics, second: Statistics, device: Any) -> float:  # noqa: ANN401 - torch's
    """The distance, computed on a device, or on the host."""
    place = backend_for(device)
    left, right = first.moments(device), second.moments(device)
    difference = left.mean - right.mean
    trace = _trace(left) + _trace(right) - 2 * _root_trace(place, left, right)
    return float(difference @ difference + trace)


def _trace(side: Moments) -> Any:  # noqa: ANN401 - a number of the place
    return side.covariance.trace() if side.centred is None else (side.centred * side.centred).sum()


def _root_trace(place: NumpyBackend | TorchBackend, left: Moments, right: Moments) -> Any:  # noqa: ANN401 - a number of the place
    """The trace of sqrt(S1 S2)."""
    if left.centred is not None and right.centred is not None:
        return place.singular_values(left.centred @ right.centred.T).sum()
    if left.centred is None and right.centred is None:
        factor = place.factor(left.covariance)
        return (place.eigenvalues(factor.T @ right.covariance @ factor).clip(0) ** 0.5).sum()
    features, covariance = (
        (right.centred, left.covariance) if left.centred is None else (left.centred, right.covariance)
    )
    return place.singular_values(features @ place.factor(covariance)).sum()
