"""Statistics of image features for the Fréchet distance: mean and covariance, from sums that can be added."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import whole_number
from muge_fast._internal.display import quantity
from muge_fast._internal.npz import Array, checked_arrays, load_arrays, save_arrays
from muge_fast._internal.states import pack, unpack
from muge_fast.image.backend import (
    NO_ROW,
    A,
    ArrayOrTensor,
    Backend,
    DeviceLike,
    Float64Array,
    NumpyBackend,
    backend_for,
    device_of,
    to_numpy,
)
from muge_fast.image.feature_sums import FeatureSums
from muge_fast.image.inputs import checked_features, refuse_masked

if TYPE_CHECKING:
    import torch

# Largest asymmetry of a loaded covariance, as a fraction of its largest entry: it may have been saved as float32.
ASYMMETRY_ALLOWED = 1e-5
# Largest feature: sums of squares of thousands of them are finite in double precision.
MAX_FEATURE = 1e150


@dataclass(frozen=True)
class Moments(Generic[A]):
    """Mean and covariance of a set of features, as arrays of one backend.

    Attributes:
        mean: Mean of each feature.
        centred: Features minus their mean, divided by ``sqrt(count - 1)``, so that ``centred.T @ centred`` is the
            covariance; None if only sums are kept.
        covariance: The covariance; None if ``centred`` is not None.

    Example:
        >>> from muge_fast.image import Statistics
        >>> Statistics.from_features([[0.0, 5.0], [2.0, 5.0]]).moments().centred.tolist()
        [[-1.0, 0.0], [1.0, 0.0]]

    """

    mean: A
    centred: A | None
    covariance: A | None


class Statistics:
    """Count, mean and covariance of image features, accumulated in double precision.

    Up to ``dims`` images, the features themselves are kept: the covariance is then singular, and a Fréchet distance
    computed from it is wrong in the fifth digit. Beyond that, memory does not grow with the number of images.

    Args:
        dims: Number of features, at least 1.
        extractor_signature: Signature of the extractor that makes the features (network, preprocessing, precision).
            Statistics with different signatures are not compared or merged; ``""`` if unknown.
        device: torch device that keeps the sums, or its name. None to follow the first batch: NumPy for arrays and
            for tensors in host memory, the GPU for tensors on one. Updates on a GPU do not wait for it, so a value
            that is not finite raises when the sums are read. A device without float64 leaves the sums to NumPy.

    Raises:
        TypeError: ``dims`` is not an integer.
        ValueError: ``dims`` is smaller than 1.
        RuntimeError: torch has no such device.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import Statistics
        >>> statistics = Statistics(2)
        >>> statistics.update(np.array([[0.0, 1.0], [2.0, 3.0]]))
        >>> statistics.count, statistics.mean.tolist()
        (2, [1.0, 2.0])

    """

    def __init__(self, dims: int, *, extractor_signature: str = "", device: DeviceLike = None) -> None:
        self.dims = whole_number("dims", dims)
        self.extractor_signature = extractor_signature
        self.sums: FeatureSums[Any] = FeatureSums(self.dims, backend_for(device))
        self._mean_cov: tuple[Float64Array, Float64Array] | None = None
        self._first_nonfinite: Any = None

    @property
    def count(self) -> int:
        """Number of images; 0 if mean and covariance were loaded without it."""
        return self.sums.count

    @property
    def device(self) -> torch.device | None:
        """Device that keeps the sums; None for NumPy."""
        device: torch.device | None = self.sums.backend.device
        return device

    @classmethod
    def from_features(cls, features: ArrayOrTensor, *, extractor_signature: str = "") -> Statistics:
        """Return the statistics of a matrix of features.

        Args:
            features: Array or tensor of shape ``(images, features)``.
            extractor_signature: Signature of the extractor that made the features; ``""`` if unknown.

        Returns:
            Statistics of these features.

        Raises:
            TypeError: ``features`` are not numbers.
            ValueError: ``features`` is not a matrix, or a value is not finite; the message names the row.

        Example:
            >>> from muge_fast.image import Statistics
            >>> Statistics.from_features([[0.0, 1.0], [2.0, 3.0]]).count
            2

        """
        rows = checked_features("features", features)
        statistics = cls(rows.shape[1], extractor_signature=extractor_signature)
        statistics.update(rows)
        return statistics

    def update(self, features: ArrayOrTensor) -> None:
        """Add a batch of features.

        Args:
            features: Array or tensor of shape ``(images, dims)``.

        Raises:
            TypeError: ``features`` are not numbers.
            ValueError: The shape is wrong, these statistics were loaded from a mean and covariance alone, or a value is
                not finite; the message names the row. On a GPU, the last error is raised when the sums are read, with
                the row counted over all batches.

        Example:
            >>> from muge_fast.image import Statistics
            >>> statistics = Statistics(1)
            >>> statistics.update([[float("nan")]])
            Traceback (most recent call last):
            ...
            ValueError: features[0] is not finite

        """
        features = checked_features("features", features)
        device = device_of(features)
        if not self.count and self.device is None and device is not None:
            self.sums = FeatureSums(self.dims, backend_for(device))
        backend = self.sums.backend
        batch = backend.as_float64(features)
        if batch.shape[1] != self.dims:
            raise ValueError(f"features have shape {tuple(batch.shape)}, need (images, {self.dims})")
        if self._mean_cov is not None:
            raise ValueError(self.why_not_addable())
        self._first_nonfinite = backend.first_nonfinite_row(
            batch, "features", seen=self.count, earlier=self._first_nonfinite
        )
        self.sums.update(batch)

    def features(self) -> Float64Array | None:
        """Return the features of all images, in the order in which they were added.

        Returns:
            Matrix of shape ``(count, dims)``; None if only sums are kept, as of more than ``dims`` images, or if a mean
            and covariance were loaded.

        Example:
            >>> from muge_fast.image import Statistics
            >>> statistics = Statistics.from_features([[0.0, 1.0], [2.0, 3.0]])
            >>> statistics.features().tolist()
            [[0.0, 1.0], [2.0, 3.0]]
            >>> statistics.update([[4.0, 5.0]])
            >>> statistics.features() is None
            True

        """
        rows = None if self.has_only_moments else self.sums.features()
        return None if rows is None else np.asarray(to_numpy(rows))

    def merge(self, other: Statistics) -> None:
        """Add the images of other statistics.

        Args:
            other: Statistics with the same ``dims`` and ``extractor_signature``.

        Raises:
            ValueError: ``other`` is this object or has a different ``dims`` or ``extractor_signature``; or one of the
                two was loaded from a mean and covariance alone, or has a value that is not finite. This object is then
                unchanged.

        Example:
            >>> from muge_fast.image import Statistics
            >>> first = Statistics.from_features([[1.0]])
            >>> first.merge(Statistics.from_features([[2.0], [3.0]]))
            >>> first.count, first.mean.tolist()
            (3, [2.0])

        """
        self.check_mergeable(other)
        self.sums.merge(other.sums)

    def check_mergeable(self, other: Statistics) -> None:
        """Raise the error that :meth:`merge` would raise, without merging.

        Args:
            other: The statistics to merge.

        Raises:
            TypeError: ``other`` is not :class:`Statistics`.
            ValueError: ``other`` is this object or has a different ``dims`` or ``extractor_signature``; or one of the
                two was loaded from a mean and covariance alone, or has a value that is not finite.

        Example:
            >>> from muge_fast.image import Statistics
            >>> Statistics(3).check_mergeable(Statistics(3))

        """
        if not isinstance(other, Statistics):
            raise TypeError(f"other must be Statistics, got {type(other).__name__}")
        if other is self:
            raise ValueError("other is this object itself: its images would count twice")
        if (other.dims, other.extractor_signature) != (self.dims, self.extractor_signature):
            features = f"{other.dims} features of {other.extractor_signature!r}"
            raise ValueError(f"other: has {features}, this one has {self.dims} of {self.extractor_signature!r}")
        for statistics in (self, other):
            problem = statistics.why_not_addable()
            if problem:
                raise ValueError(problem)

    def why_not_addable(self) -> str | None:
        """Return the reason why these statistics cannot be added to others; None if they can.

        Example:
            >>> from muge_fast.image import Statistics
            >>> Statistics.from_state({"mu": [0.5], "sigma": [[2.0]]}).why_not_addable()
            'statistics loaded from a mean and covariance alone cannot take more images'

        """
        if self._mean_cov is not None:
            return "statistics loaded from a mean and covariance alone cannot take more images"
        row = NO_ROW if self._first_nonfinite is None else int(self._first_nonfinite)
        return f"features[{row}] is not finite, counted over all batches" if row < NO_ROW else None

    @property
    def has_only_moments(self) -> bool:
        """Whether only a mean and covariance were loaded, without the number of images."""
        return self._mean_cov is not None

    @property
    def mean(self) -> Float64Array:
        """Mean of each feature, float64 of shape ``(dims,)``."""
        if self._mean_cov is not None:
            return self._mean_cov[0]
        self._check_finite()
        return NumpyBackend().as_float64(self.sums.mean)

    @property
    def covariance(self) -> Float64Array:
        """Covariance with divisor ``count - 1``, float64 of shape ``(dims, dims)``; zeros for a single image."""
        return _covariance(self.moments())

    @property
    def centred(self) -> Float64Array | None:
        """Features minus their mean, divided by ``sqrt(count - 1)``; None if only sums are kept."""
        return self.moments().centred

    def moments(self) -> Moments[npt.NDArray[np.float64]]:
        """Return mean and covariance as NumPy arrays, or the factor of the covariance if features are kept.

        Raises:
            ValueError: A batch on a GPU had a value that is not finite.

        Example:
            >>> from muge_fast.image import Statistics
            >>> Statistics.from_state({"mu": [0.5], "sigma": [[2.0]]}).moments().covariance.tolist()
            [[2.0]]

        """
        return self.moments_on(NumpyBackend())

    def moments_on(self, backend: Backend[A]) -> Moments[A]:
        """Return mean and covariance as arrays of a backend, or the factor of the covariance if features are kept.

        Args:
            backend: The backend of the arrays; the sums may be kept by another.

        Returns:
            The mean, and either the covariance or the centred features that it follows from.

        Raises:
            ValueError: A batch on a GPU had a value that is not finite.

        Example:
            >>> from muge_fast.image import Statistics
            >>> from muge_fast.image.backend import NumpyBackend
            >>> Statistics.from_features([[0.0], [2.0]]).moments_on(NumpyBackend()).mean.tolist()
            [1.0]

        """
        if self._mean_cov is not None:
            mean, covariance = self._mean_cov
            return Moments(backend.as_float64(mean), None, backend.as_float64(covariance))
        self._check_finite()
        sum_mean, divisor = self.sums.mean, max(self.count - 1, 1)
        features = self.sums.features()
        if features is not None:
            centred = (features - sum_mean) / divisor**0.5
            return Moments(backend.as_float64(sum_mean), backend.as_float64(centred), None)
        outer = self.sums.outer_sum_about(sum_mean) / divisor
        return Moments(backend.as_float64(sum_mean), None, backend.as_float64(outer))

    def state(self) -> dict[str, Array]:
        """Return the state as arrays, for :meth:`from_state`.

        Returns:
            ``"mu"``, ``"sigma"`` and ``"extractor_signature"``. Unless only a mean and covariance were loaded, also
            ``"count"``, ``"sum"``, ``"shift"``, ``"outer"``, and ``"features"`` if the features are kept.

        Raises:
            ValueError: A batch on a GPU had a value that is not finite.

        Example:
            >>> from muge_fast.image import Statistics
            >>> sorted(Statistics.from_features([[1.0], [2.0]]).state())
            ['count', 'extractor_signature', 'mu', 'outer', 'shift', 'sigma', 'sum']

        """
        moments = self.moments()
        state: dict[str, Array] = {
            "mu": moments.mean,
            "sigma": _covariance(moments),
            "extractor_signature": np.array(self.extractor_signature),
        }
        return state if self._mean_cov is not None else {**state, **self.sums.state()}

    @classmethod
    def from_state(cls, state: Mapping[str, npt.ArrayLike], *, device: DeviceLike = None) -> Statistics:
        """Return statistics from :meth:`state`, or from ``"mu"`` and ``"sigma"`` alone.

        Args:
            state: Arrays by name.
            device: torch device that keeps the sums, or its name; None for NumPy.

        Returns:
            Statistics that can be updated, unless they have only a mean and a covariance.

        Raises:
            TypeError: An array is masked.
            ValueError: Arrays are missing, have wrong shapes, or are not finite.

        Example:
            >>> from muge_fast.image import Statistics
            >>> Statistics.from_state({"mu": [0.5], "sigma": [[2.0]]}).covariance.tolist()
            [[2.0]]

        """
        refuse_masked(state)
        if "mu" not in state or "sigma" not in state:
            raise ValueError(f"has arrays {sorted(state)}, needs mu and sigma")
        mean, covariance = (np.asarray(state[name], dtype=np.float64) for name in ("mu", "sigma"))
        if mean.ndim != 1 or not mean.size or covariance.shape != (mean.size, mean.size):
            raise ValueError(f"mu has shape {mean.shape}, sigma {covariance.shape}: need (features,) and its square")
        signature = str(state.get("extractor_signature", ""))
        statistics = cls(mean.size, extractor_signature=signature, device=device)
        if {"sum", "outer", "count"} <= set(state):
            statistics.sums.restore(state)
            if not np.allclose(statistics.mean, mean, rtol=1e-6, atol=1e-6 * np.abs(mean).max()):
                raise ValueError("mu is not the mean of the sums")
        else:
            statistics._mean_cov = (mean, covariance)
        _check_covariance(mean, covariance)
        return statistics

    def to_bytes(self) -> bytes:
        """Return the statistics as bytes, which :meth:`from_bytes` reads on any machine.

        Returns:
            An ``.npz`` archive.

        Raises:
            ValueError: A batch on a GPU had a value that is not finite.

        Example:
            >>> from muge_fast.image import Statistics
            >>> Statistics.from_bytes(Statistics.from_features([[1.0], [2.0]]).to_bytes()).count
            2

        """
        return pack("Statistics", self.state())

    @classmethod
    def from_bytes(cls, data: bytes, *, device: DeviceLike = None) -> Statistics:
        """Return the statistics of :meth:`to_bytes`; bytes of any origin are safe.

        Args:
            data: The bytes.
            device: torch device that keeps the sums, or its name; None for NumPy.

        Returns:
            The statistics.

        Raises:
            TypeError: ``data`` is not bytes.
            ValueError: The bytes are damaged, or are not statistics.

        Example:
            >>> from muge_fast.image import Statistics
            >>> Statistics.from_bytes(Statistics(2).to_bytes())
            <Statistics of 0 images, 2 features>

        """
        return unpack(data, "Statistics", lambda arrays: cls.from_state(checked_arrays(arrays), device=device))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an ``.npz`` file, atomically; pytorch-fid and clean-fid read its ``mu`` and ``sigma``.

        Args:
            path: The file.

        Raises:
            OSError: The file cannot be written.
            ValueError: A batch on a GPU had a value that is not finite.

        Example:
            >>> from muge_fast.image import Statistics
            >>> Statistics.from_features([[1.0], [2.0]]).save("real.npz")  # doctest: +SKIP

        """
        save_arrays(path, self.state())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Statistics:
        """Read a file that :meth:`save` wrote, or the ``mu`` and ``sigma`` of pytorch-fid and clean-fid.

        Args:
            path: The file.

        Returns:
            The statistics of the file.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is not a file of statistics.

        Example:
            >>> from muge_fast.image import Statistics
            >>> Statistics.load("real.npz").count  # doctest: +SKIP
            5000

        """
        return load_arrays(path, "statistics", cls.from_state)

    def __repr__(self) -> str:
        images = "unknown" if self._mean_cov is not None else f"{self.count:,}"
        return f"<Statistics of {quantity(images, 'image')}, {quantity(self.dims, 'feature')}>"

    def _check_finite(self) -> None:
        problem = None if self._mean_cov is not None else self.why_not_addable()
        if problem:
            raise ValueError(problem)


def _covariance(moments: Moments[npt.NDArray[np.float64]]) -> Float64Array:
    if moments.centred is None:
        assert moments.covariance is not None  # noqa: S101 - one of the two is there
        return moments.covariance
    covariance: Float64Array = moments.centred.T @ moments.centred
    return covariance


def _check_covariance(mean: Float64Array, covariance: Float64Array) -> None:
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise ValueError("mu and sigma must be finite")
    asymmetry = np.abs(covariance - covariance.T).max()
    if asymmetry > ASYMMETRY_ALLOWED * np.abs(covariance).max() or covariance.diagonal().min() < 0:
        raise ValueError("sigma is not a covariance: not symmetric, or negative on its diagonal")


def feature_pair(real: npt.ArrayLike, generated: npt.ArrayLike) -> tuple[Float64Array, Float64Array]:
    """Return two matrices of features as float64, after checking that they can be compared.

    Args:
        real: Features of real images, of shape ``(images, features)``.
        generated: Features of generated images, with the same number of columns.

    Returns:
        Both as float64 of shape ``(images, features)``.

    Raises:
        TypeError: Features are not numbers.
        ValueError: Shapes do not match, or a value is not finite or above 1e150, so that squares could overflow.

    Example:
        >>> from muge_fast.image.statistics import feature_pair
        >>> [features.shape for features in feature_pair([[1, 2]], [[3, 4], [5, 6]])]
        [(1, 2), (2, 2)]

    """
    left, right = (
        NumpyBackend().as_float64(checked_features(name, features))
        for name, features in (("real", real), ("generated", generated))
    )
    if left.shape[1] != right.shape[1] or not left.shape[1]:
        raise ValueError(f"real has shape {left.shape} and generated {right.shape}, need (images, features)")
    for name, features in (("real", left), ("generated", right)):
        nonfinite = np.flatnonzero(~np.isfinite(features).all(axis=1))
        if len(nonfinite):
            raise ValueError(f"{name}[{nonfinite[0]}] is not finite")
        if np.abs(features).max(initial=0) > MAX_FEATURE:
            raise ValueError(f"{name}: features are too large, need at most {MAX_FEATURE:g} to be squared and summed")
    return left, right
