"""What a set of features keeps for the Fréchet distance: sums that add, whatever the number of images."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast._internal.npz import Array, load_arrays, save_arrays
from muge_fast.image.backend import NO_ROW, backend_for, device_of
from muge_fast.image.feature_sums import Sums

Float64 = npt.NDArray[np.float64]

# How far the two halves of a covariance that was read may be from each other, as a share of its largest number.
SYMMETRY = 1e-5
# Sums of squares of thousands of such features are finite in double precision.
LARGEST = 1e150


class Moments(NamedTuple):
    """What the Fréchet distance takes of a set, as arrays of one place.

    Attributes:
        mean: The mean of each feature.
        centred: Features less their mean, divided by the root of ``count - 1``; None where only sums are kept.
        covariance: None where there are centred features, whose product it is.

    Example:
        >>> from muge_fast.image import Statistics
        >>> Statistics.of([[0.0, 5.0], [2.0, 5.0]]).moments().centred.tolist()
        [[-1.0, 0.0], [1.0, 0.0]]

    """

    mean: Any
    centred: Any
    covariance: Any


class Statistics:
    """Count, sum and sum of outer products of features, in double precision.

    Up to as many images as features the features themselves are kept, because then the covariance says less than they
    do: it is singular, and the distance made from it is wrong in the fifth digit.

    Args:
        dims: Number of features.
        protocol: What the features are: network, preprocessing, precision. Sets of different protocols are not
            compared.
        device: Where sums are kept, a torch device; None for where the first batch is: NumPy's arrays on the host, or
            the GPU. A GPU is not waited for: what is wrong with a batch there is told when the sums are read. A device
            without double precision leaves them to the host.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import Statistics
        >>> statistics = Statistics(2)
        >>> statistics.update(np.array([[0.0, 1.0], [2.0, 3.0]]))
        >>> statistics.count, statistics.mean.tolist()
        (2, [1.0, 2.0])

    """

    def __init__(self, dims: int, *, protocol: str = "", device: Any = None) -> None:  # noqa: ANN401 - torch's
        if dims < 1:
            raise ValueError(f"dims is {dims}, needs at least 1")
        self.dims = dims
        self.protocol = protocol
        self.sums = Sums(dims, device)
        self._given: tuple[Float64, Float64] | None = None
        self._bad: Any = None

    @property
    def count(self) -> int:
        """How many images have been seen; 0 where mean and covariance were read."""
        return self.sums.count

    @property
    def device(self) -> Any:  # noqa: ANN401 - torch's
        """The torch device that keeps the sums; None for NumPy on the host."""
        return self.sums.place.device

    @classmethod
    def of(cls, features: npt.ArrayLike, *, protocol: str = "") -> Statistics:
        """Make the statistics of a matrix of features.

        Example:
            >>> from muge_fast.image import Statistics
            >>> Statistics.of([[0.0, 1.0], [2.0, 3.0]]).count
            2

        """
        matrix = np.asarray(features)
        if matrix.ndim != 2:  # noqa: PLR2004
            raise ValueError(f"features have shape {matrix.shape}, need (images, features)")
        statistics = cls(matrix.shape[1], protocol=protocol)
        statistics.update(matrix)
        return statistics

    def update(self, features: Any) -> None:  # noqa: ANN401 - an array or a tensor
        """Add a batch.

        Args:
            features: An array or a tensor of shape ``(images, features)``.

        Raises:
            ValueError: Another shape, or a number that is not finite; the message names the row. On a device the
                second is raised when the sums are read, with the row counted over all batches.

        Example:
            >>> from muge_fast.image import Statistics
            >>> statistics = Statistics(1)
            >>> statistics.update([[float("nan")]])
            Traceback (most recent call last):
            ...
            ValueError: features[0] is not finite

        """
        if not self.count and self.device is None and device_of(features) is not None:
            self.sums = Sums(self.dims, device_of(features))
        place = self.sums.place
        batch = place.doubles(features)
        if batch.ndim != 2 or batch.shape[1] != self.dims:  # noqa: PLR2004
            raise ValueError(f"features have shape {tuple(batch.shape)}, need (images, {self.dims})")
        if self._given is not None:
            raise ValueError(self.flaw())
        self._bad = place.first_bad(batch, "features", self.count, self._bad)
        self.sums.update(batch)

    def merge(self, other: Statistics) -> None:
        """Add what another part has seen.

        Args:
            other: Statistics of the same protocol.

        Raises:
            ValueError: Another number of features, another protocol, or statistics that were read from mean and
                covariance alone.

        Example:
            >>> from muge_fast.image import Statistics
            >>> first, second = Statistics.of([[1.0]]), Statistics.of([[2.0], [3.0]])
            >>> first.merge(second)
            >>> first.count, first.mean.tolist()
            (3, [2.0])

        """
        self.refuse(other)
        self.sums.merge(other.sums)

    def refuse(self, other: Statistics) -> None:
        """Raise what :meth:`merge` would raise, and change nothing.

        Raises:
            ValueError: As for :meth:`merge`.

        Example:
            >>> from muge_fast.image import Statistics
            >>> Statistics(3).refuse(Statistics(3))

        """
        if (other.dims, other.protocol) != (self.dims, self.protocol):
            found = f"{other.dims} features of {other.protocol!r}"
            raise ValueError(f"other: has {found}, this one has {self.dims} of {self.protocol!r}")
        for statistics in (self, other):
            if flaw := statistics.flaw():
                raise ValueError(flaw)

    def flaw(self) -> str | None:
        """Say why these statistics cannot be added to others."""
        if self._given is not None:
            return "statistics of mean and covariance alone cannot take more images"
        row = NO_ROW if self._bad is None else int(self._bad)
        return f"features[{row}] is not finite, counted over all batches" if row < NO_ROW else None

    @property
    def is_given(self) -> bool:
        """Whether mean and covariance were read, and nothing else is known."""
        return self._given is not None

    @property
    def mean(self) -> Float64:
        """The mean of each feature, float64 of shape ``(features,)``."""
        if self._given is not None:
            return self._given[0]
        if flaw := self.flaw():
            raise ValueError(flaw)
        mean: Float64 = backend_for(None).doubles(self.sums.mean)
        return mean

    @property
    def covariance(self) -> Float64:
        """The covariance by ``count - 1``, float64 of shape ``(features, features)``; zeros for a single image."""
        return _covariance(self.moments())

    @property
    def centred(self) -> Float64 | None:
        """Features less their mean, divided by the root of ``count - 1``; None where only sums are kept."""
        centred: Float64 | None = self.moments().centred
        return centred

    def moments(self, device: Any = None) -> Moments:  # noqa: ANN401 - torch's
        """Give mean and covariance, or what the covariance is the product of.

        Args:
            device: Where the arrays shall be, a torch device; None for NumPy on the host.

        Raises:
            ValueError: A batch on a device had a number that is not finite.

        Example:
            >>> from muge_fast.image import Statistics
            >>> Statistics.from_state({"mu": [0.5], "sigma": [[2.0]]}).moments().covariance.tolist()
            [[2.0]]

        """
        place = backend_for(device)
        if self._given is not None:
            mean, covariance = self._given
            return Moments(place.doubles(mean), None, place.doubles(covariance))
        if flaw := self.flaw():
            raise ValueError(flaw)
        mean, divisor = self.sums.mean, max(self.count - 1, 1)
        if (kept := self.sums.kept()) is not None:
            return Moments(place.doubles(mean), place.doubles((kept - mean) / divisor**0.5), None)
        return Moments(place.doubles(mean), None, place.doubles(self.sums.outer(mean) / divisor))

    def state(self) -> dict[str, Array]:
        """Give everything as arrays, for :meth:`from_state`.

        Example:
            >>> from muge_fast.image import Statistics
            >>> sorted(Statistics.of([[1.0], [2.0]]).state())
            ['count', 'mu', 'outer', 'protocol', 'shift', 'sigma', 'sum']

        """
        moments = self.moments()
        state = {"mu": moments.mean, "sigma": _covariance(moments), "protocol": np.array(self.protocol)}
        return state if self._given is not None else {**state, **self.sums.state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Array], *, device: Any = None) -> Statistics:  # noqa: ANN401 - torch's
        """Make statistics of :meth:`state`, or of ``mu`` and ``sigma`` alone.

        Args:
            state: Arrays by name.
            device: As for the class.

        Raises:
            ValueError: Arrays that are missing, do not fit or are not finite.

        Example:
            >>> from muge_fast.image import Statistics
            >>> Statistics.from_state({"mu": [0.5], "sigma": [[2.0]]}).covariance.tolist()
            [[2.0]]

        """
        if "mu" not in state or "sigma" not in state:
            raise ValueError(f"has arrays {sorted(state)}, needs mu and sigma")
        mean, covariance = (np.asarray(state[name], dtype=np.float64) for name in ("mu", "sigma"))
        if mean.ndim != 1 or not mean.size or covariance.shape != (mean.size, mean.size):
            raise ValueError(f"mu has shape {mean.shape}, sigma {covariance.shape}: need (features,) and its square")
        statistics = cls(mean.size, protocol=str(state.get("protocol", "")), device=device)
        if {"sum", "outer", "count"} <= set(state):
            statistics.sums.restore(state)
            if not np.allclose(statistics.mean, mean, rtol=1e-6, atol=1e-6 * np.abs(mean).max()):
                raise ValueError("mu is not the mean of what was summed")
        else:
            statistics._given = (mean, covariance)
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise ValueError("mu or sigma is not finite")
        # Single precision may have rounded it.
        if (
            np.abs(covariance - covariance.T).max() > SYMMETRY * np.abs(covariance).max()
            or covariance.diagonal().min() < 0
        ):
            raise ValueError("sigma is no covariance: it is not symmetric, or has a negative number on its diagonal")
        return statistics

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an ``.npz`` that pytorch-fid and clean-fid read too (``mu``, ``sigma``), whole or not at all.

        Raises:
            OSError: The file cannot be written.

        """
        save_arrays(path, self.state())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Statistics:
        """Read a file of :meth:`save`, or the ``mu`` and ``sigma`` of pytorch-fid and clean-fid.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is no such file.

        """
        return load_arrays(path, "statistics", cls.from_state)

    def __repr__(self) -> str:
        images = f"{self.count:,}" if self._given is None or self.count else "unknown"
        return f"<Statistics of {images} images, {self.dims} features>"


def _covariance(moments: Moments) -> Float64:
    _, centred, covariance = moments
    found: Float64 = covariance if centred is None else centred.T @ centred
    return found


def feature_pair(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[Float64, Float64]:
    """Check two sets of features that are to be compared.

    Returns:
        Both as float64 of shape ``(images, features)``.

    Raises:
        ValueError: Shapes that do not fit, or a number that is not finite, or has no finite square.

    Example:
        >>> from muge_fast.image.statistics import feature_pair
        >>> [side.shape for side in feature_pair([[1, 2]], [[3, 4], [5, 6]])]
        [(1, 2), (2, 2)]

    """
    left, right = (np.asarray(side, dtype=np.float64) for side in (first, second))
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1] or not left.shape[1]:  # noqa: PLR2004
        raise ValueError(f"the sets have shapes {left.shape} and {right.shape}, need (images, features)")
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise ValueError("features are not finite")
    if max(np.abs(side).max(initial=0) for side in (left, right)) > LARGEST:
        raise ValueError(f"features are too large: need at most {LARGEST:g}, so that their squares have a sum")
    return left, right
