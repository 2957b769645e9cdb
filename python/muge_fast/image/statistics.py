"""What a set of features keeps for the Fréchet distance: sums that add, whatever the number of images."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from muge_fast.atomic import replacing

Array = npt.NDArray[Any]
Float64 = npt.NDArray[np.float64]
T = TypeVar("T")


class Statistics:
    """Count, sum and sum of outer products of features, in double precision.

    Up to as many images as features the features themselves are kept, because then the covariance says less than they
    do: it is singular, and the distance made from it is wrong in the fifth digit.

    Args:
        dims: Number of features.
        protocol: What the features are: network, preprocessing, precision. Sets of different protocols are not
            compared.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import Statistics
        >>> statistics = Statistics(2)
        >>> statistics.update(np.array([[0.0, 1.0], [2.0, 3.0]]))
        >>> statistics.count, statistics.mean.tolist()
        (2, [1.0, 2.0])

    """

    def __init__(self, dims: int, *, protocol: str = "") -> None:
        if dims < 1:
            raise ValueError(f"dims is {dims}, needs at least 1")
        self.dims = dims
        self.protocol = protocol
        self.count = 0
        self._sum = np.zeros(dims)
        self._outer = np.zeros((dims, dims))
        self._features: Float64 | None = np.empty((0, dims))
        self._given: tuple[Float64, Float64] | None = None

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

    def update(self, features: npt.ArrayLike) -> None:
        """Add a batch.

        Args:
            features: Of shape ``(images, features)``.

        Raises:
            ValueError: Another shape, or a number that is not finite; the message names the row.

        Example:
            >>> from muge_fast.image import Statistics
            >>> statistics = Statistics(1)
            >>> statistics.update([[float("nan")]])
            Traceback (most recent call last):
            ...
            ValueError: features[0] is not finite

        """
        batch = np.asarray(features, dtype=np.float64)
        if batch.ndim != 2 or batch.shape[1] != self.dims:  # noqa: PLR2004
            raise ValueError(f"features have shape {batch.shape}, need (images, {self.dims})")
        self._refuse_given()
        bad = np.flatnonzero(~np.isfinite(batch).all(axis=1))
        if len(bad):
            raise ValueError(f"features[{bad[0]}] is not finite")
        self.count += len(batch)
        self._sum += batch.sum(axis=0)
        self._outer += batch.T @ batch
        self._keep(batch)

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
        self.count += other.count
        self._sum += other._sum
        self._outer += other._outer
        if other._features is None:
            self._features = None
        else:
            self._keep(other._features)

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
        self._refuse_given()
        other._refuse_given()

    @property
    def mean(self) -> Float64:
        """The mean of each feature, float64 of shape ``(features,)``."""
        if self._given is not None:
            return self._given[0]
        return self._sum / max(self.count, 1)

    @property
    def covariance(self) -> Float64:
        """The covariance by ``count - 1``, float64 of shape ``(features, features)``; zeros for a single image."""
        if self._given is not None:
            return self._given[1]
        if self._features is not None:
            centred = self._features - self.mean
            return centred.T @ centred / max(self.count - 1, 1)
        mean = self.mean
        return (self._outer - self.count * np.outer(mean, mean)) / max(self.count - 1, 1)

    @property
    def centred(self) -> Float64 | None:
        """Features less their mean, divided by the root of ``count - 1``; None where only sums are kept."""
        if self._features is None or self._given is not None:
            return None
        centred: Float64 = (self._features - self.mean) / np.sqrt(max(self.count - 1, 1))
        return centred

    def state(self) -> dict[str, Array]:
        """Give everything as arrays, for :meth:`from_state`.

        Example:
            >>> from muge_fast.image import Statistics
            >>> sorted(Statistics.of([[1.0], [2.0]]).state())
            ['count', 'mu', 'outer', 'protocol', 'sigma', 'sum']

        """
        state = {"mu": self.mean, "sigma": self.covariance, "count": np.array(self.count)}
        state["protocol"] = np.array(self.protocol)
        if self._given is None:
            state |= {"sum": self._sum, "outer": self._outer}
            if self._features is not None:
                state["features"] = self._features
        return state

    @classmethod
    def from_state(cls, state: Mapping[str, Array]) -> Statistics:
        """Make statistics of :meth:`state`, or of ``mu`` and ``sigma`` alone.

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
        statistics = cls(mean.size, protocol=str(state.get("protocol", "")))
        if "sum" in state and "outer" in state and "count" in state:
            statistics._restore(state)
        else:
            statistics._given = (mean, covariance)
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise ValueError("mu or sigma is not finite")
        return statistics

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an ``.npz`` that pytorch-fid and clean-fid read too (``mu``, ``sigma``), whole or not at all.

        Raises:
            OSError: The file cannot be written.

        """
        with replacing(path) as file:
            np.savez(file, **self.state())  # type: ignore[arg-type]

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

    def _restore(self, state: Mapping[str, Array]) -> None:
        self.count = int(state["count"])
        self._sum = np.array(state["sum"], dtype=np.float64)
        self._outer = np.array(state["outer"], dtype=np.float64)
        self._features = np.array(state["features"], dtype=np.float64) if "features" in state else None
        sizes = self._sum.shape, self._outer.shape, None if self._features is None else self._features.shape
        wanted = (self.dims,), (self.dims, self.dims), None if self._features is None else (self.count, self.dims)
        if sizes != wanted:
            raise ValueError(f"sum, outer and features have shapes {sizes}, need {wanted}")

    def _keep(self, batch: Float64) -> None:
        if self._features is not None:
            few = self.count <= self.dims
            self._features = np.concatenate([self._features, batch]) if few else None

    def _refuse_given(self) -> None:
        if self._given is not None:
            raise ValueError("statistics of mean and covariance alone cannot take more images")


def load_arrays(path: str | os.PathLike[str], kind: str, make: Callable[[dict[str, Array]], T]) -> T:
    """Make something of the arrays of an ``.npz``.

    Args:
        path: The file.
        kind: What errors call it.
        make: Takes the arrays by name, and may raise ``ValueError``.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no such file, or ``make`` does not take it.

    Example:
        >>> from muge_fast.image.statistics import load_arrays
        >>> load_arrays("real.npz", "names", sorted)  # doctest: +SKIP
        ['mu', 'sigma']

    """
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return make(dict(arrays))
    except (ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{os.fspath(path)}: not a file of {kind}: {error}") from None


def feature_pair(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[Float64, Float64]:
    """Check two sets of features that are to be compared.

    Returns:
        Both as float64 of shape ``(images, features)``.

    Raises:
        ValueError: Shapes that do not fit, or a number that is not finite.

    Example:
        >>> from muge_fast.image.statistics import feature_pair
        >>> [side.shape for side in feature_pair([[1, 2]], [[3, 4], [5, 6]])]
        [(1, 2), (2, 2)]

    """
    left, right = (np.asarray(side, dtype=np.float64) for side in (first, second))
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1]:  # noqa: PLR2004
        raise ValueError(f"the sets have shapes {left.shape} and {right.shape}, need (images, features)")
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise ValueError("features are not finite")
    return left, right
