"""Count, sum and sum of outer products of feature vectors: sums that can be added over batches and processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic

import numpy as np
import numpy.typing as npt

from muge_fast._internal.npz import Array
from muge_fast.image.backend import A, ArrayOrTensor, Backend, to_numpy

# Rows per update of the sum of outer products, which has 32 MiB for 2048 features: too much to rewrite for each batch.
ROWS_PER_UPDATE = 256


class FeatureSums(Generic[A]):
    """Count, sum and sum of outer products of feature vectors, in double precision.

    Up to ``dims`` rows, the features themselves are kept. Beyond that, only sums are, of features minus a shift, which
    is the mean of the first rows: features far from zero then lose few digits.

    Args:
        dims: Number of features.
        backend: Where the sums are kept.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.backend import NumpyBackend
        >>> from muge_fast.image.feature_sums import FeatureSums
        >>> sums = FeatureSums(1, NumpyBackend())
        >>> sums.update(np.array([[1.0], [3.0]]))
        >>> sums.count, sums.sum_about([1.0]).tolist(), sums.outer_sum_about([2.0]).tolist()
        (2, [2.0], [[2.0]])

    """

    def __init__(self, dims: int, backend: Backend[A]) -> None:
        self.dims = dims
        self.backend: Backend[A] = backend
        self.count = 0
        # Rows that have not been added to the sums yet, and whether that is true of all rows.
        self._pending: list[A] = []
        self._keeps_features = True
        # Sums of the other rows minus the shift, which is None before any row has been added.
        self._shift: A | None = None
        self._sum: A = backend.zeros(dims)
        self._outer_sum: A = backend.zeros(dims, dims)

    def update(self, batch: A) -> None:
        """Add a batch.

        Args:
            batch: float64 array of the backend, of shape ``(images, dims)``. It is copied.

        """
        if not len(batch):
            return
        self.count += len(batch)
        self._pending.append(self.backend.concat([batch]))
        limit = self.dims if self._keeps_features else min(self.dims, ROWS_PER_UPDATE)
        if sum(map(len, self._pending)) > limit:
            self._fold_pending_rows()

    def merge(self, other: FeatureSums[Any]) -> None:
        """Add the sums of another accumulator, which may use another backend.

        Args:
            other: Sums of the same number of features.

        Raises:
            ValueError: ``other`` is this object.

        """
        if other is self:
            raise ValueError("other is this object itself: its images would count twice")
        features = other.features()
        if features is not None:
            self.update(self.backend.as_float64(features))
        elif other.count:
            self._fold_pending_rows()
            shift = other.shift if self._shift is None else self._shift
            self.add_sums(other.count, other.sum_about(shift), other.outer_sum_about(shift), shift)

    def add_sums(self, count: int, total: ArrayOrTensor, outer: ArrayOrTensor, shift: ArrayOrTensor) -> None:
        """Add sums of feature vectors minus a shift.

        Args:
            count: Number of vectors.
            total: Their :meth:`sum_about` the shift.
            outer: Their :meth:`outer_sum_about` the shift.
            shift: The shift; if this object has sums already, it must be theirs.

        """
        self._fold_pending_rows()
        self._shift = self.backend.as_float64(shift)
        self.count += count
        self._sum = self.backend.add(self._sum, self.backend.as_float64(total))
        self._outer_sum = self.backend.add(self._outer_sum, self.backend.as_float64(outer))

    def features(self) -> A | None:
        """Return all features, of shape ``(count, dims)``; None if only their sums are kept."""
        if not self._keeps_features:
            return None
        rows = self.backend.concat(self._pending) if self._pending else self.backend.zeros(0, self.dims)
        self._pending = [rows]
        return rows

    @property
    def mean(self) -> A:
        """Mean of each feature; zeros if there are none."""
        count = max(self.count, 1)
        rows = self.features()
        if rows is not None:
            mean: A = rows.sum(0) / count
            return mean
        self._fold_pending_rows()
        mean = self._sum / count
        # Without a shift there are no rows.
        return mean if self._shift is None else self._shift + mean

    @property
    def shift(self) -> A:
        """Offset subtracted from every feature before summing; the mean if nothing has been summed yet."""
        return self.mean if self._shift is None else self._shift

    def sum_about(self, point: ArrayOrTensor) -> A:
        """Return the sum of the features minus a point.

        Args:
            point: Vector of shape ``(dims,)``.

        """
        origin = self.backend.as_float64(point)
        rows = self.features()
        if rows is None:
            self._fold_pending_rows()
            total: A = self._sum + self.count * (self.shift - origin)
        else:
            total = (rows - origin).sum(0)
        return total

    def outer_sum_about(self, point: ArrayOrTensor) -> A:
        """Return the sum of the outer products of the features minus a point.

        Args:
            point: Vector of shape ``(dims,)``. The result is most accurate near the mean.

        """
        origin = self.backend.as_float64(point)
        rows = self.features()
        if rows is None:
            self._fold_pending_rows()
            # Not computed from the mean, because adding the shift would lose low bits.
            mean_minus_shift = self._sum / max(self.count, 1)
            difference = _outer(mean_minus_shift + (self.shift - origin)) - _outer(mean_minus_shift)
            outer: A = self._outer_sum + self.count * difference
        else:
            outer = (rows - origin).T @ (rows - origin)
        return outer

    def state(self) -> dict[str, Array]:
        """Return the state as arrays, for :meth:`restore`.

        Returns:
            ``"count"``, ``"sum"`` and ``"outer"`` about ``"shift"``, and ``"features"`` if they are kept.

        """
        shift = self.shift
        sums = {"sum": self.sum_about(shift), "shift": shift, "outer": self.outer_sum_about(shift)}
        features = self.features()
        if features is not None:
            sums["features"] = features
        return {"count": np.array(self.count), **{name: to_numpy(array) for name, array in sums.items()}}

    def restore(self, state: Mapping[str, npt.ArrayLike]) -> None:
        """Set the sums from :meth:`state`.

        Args:
            state: Arrays by name. Without ``"shift"``, sums are about zero.

        Raises:
            ValueError: Arrays have wrong shapes or types, or are not finite.

        """
        count = np.asarray(state["count"])
        if count.dtype.kind not in "iu":
            raise ValueError(f"count must be an integer, got {count}")
        self.count = int(count)
        shapes: dict[str, tuple[int, ...]] = {"sum": (self.dims,), "shift": (self.dims,), "outer": (self.dims,) * 2}
        if "features" in state:
            shapes["features"] = (self.count, self.dims)
        state = {"shift": np.zeros(self.dims), **state}
        arrays = {name: np.array(state[name], dtype=np.float64) for name in shapes}
        actual = {name: array.shape for name, array in arrays.items()}
        if self.count < 0 or actual != shapes:
            raise ValueError(f"count is {self.count}, arrays have shapes {actual}, need {shapes}")
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise ValueError(f"{', '.join(arrays)} must be finite")
        self._keeps_features = "features" in arrays
        if self._keeps_features:
            self._pending = [self.backend.as_float64(arrays["features"])]
        elif self.count:
            self._sum, self._shift, self._outer_sum = (
                self.backend.as_float64(arrays[name]) for name in ("sum", "shift", "outer")
            )

    def _fold_pending_rows(self) -> None:
        """Add the pending rows to the sums; from then on features are not kept."""
        self._keeps_features = False
        pending, self._pending = [rows for rows in self._pending if len(rows)], []
        if pending:
            rows = self.backend.concat(pending)
            if self._shift is None:
                self._shift = rows.mean(0)
            rows = rows - self._shift
            self._sum = self.backend.add(self._sum, rows.sum(0))
            self._outer_sum = self.backend.add(self._outer_sum, rows.T @ rows)


def _outer(vector: A) -> A:
    product: A = vector[:, None] * vector
    return product
