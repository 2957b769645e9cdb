"""What of a set of features adds: their number, their sum, and the sum of their outer products."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from muge_fast._internal.npz import Array
from muge_fast.image.backend import backend_for, host

# Rows whose outer products are added at a time: the sum of 2048 features is 32 MiB, too much to touch for each batch.
TOGETHER = 256


class Sums:
    """Count, sum and sum of outer products of features, in double precision.

    Up to as many rows as features the features themselves are kept. Beyond that, sums are of features less the mean of
    the first ones, the shift: so features that lie far from zero lose few digits.

    Args:
        dims: Number of features.
        device: Where the sums are, a torch device; None for NumPy on the host.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.feature_sums import Sums
        >>> sums = Sums(1)
        >>> sums.update(np.array([[1.0], [3.0]]))
        >>> sums.count, sums.total([1.0]).tolist(), sums.outer([2.0]).tolist()
        (2, [2.0], [[2.0]])

    """

    def __init__(self, dims: int, device: Any = None) -> None:  # noqa: ANN401 - torch's
        self.dims = dims
        self.place = backend_for(device)
        self.count = 0
        # Rows whose outer products have not been added yet, and whether those are all rows there are.
        self._rows: list[Any] = []
        self._has_all = True
        # Of the others, less the shift, which is none before there is one.
        self._shift: Any = None
        self._total = self.place.zeros(dims)
        self._outer = self.place.zeros(dims, dims)

    def update(self, batch: Any) -> None:  # noqa: ANN401 - an array of the place
        """Add rows."""
        if not len(batch):
            return
        self.count += len(batch)
        # A copy: callers use their arrays again.
        self._rows.append(self.place.join([batch]))
        if sum(map(len, self._rows)) > (self.dims if self._has_all else min(self.dims, TOGETHER)):
            self._settle()

    def merge(self, other: Sums) -> None:
        """Add those of another part, which may be elsewhere."""
        if (kept := other.kept()) is not None:
            self.update(self.place.doubles(kept))
        elif other.count:
            self._settle()
            shift = other.shift if self._shift is None else self._shift
            self.add(other.count, other.total(shift), other.outer(shift), shift)

    def add(self, count: int, total: Any, outer: Any, shift: Any) -> None:  # noqa: ANN401 - arrays
        """Add :meth:`total` and :meth:`outer` of a shift, which is the own one unless there is none yet."""
        self._settle()
        self._shift = self.place.doubles(shift)
        self.count += count
        self._total = self.place.add(self._total, self.place.doubles(total))
        self._outer = self.place.add(self._outer, self.place.doubles(outer))

    def kept(self) -> Any:  # noqa: ANN401 - an array of the place
        """Give the features themselves, where they are kept; None if only sums are."""
        if not self._has_all:
            return None
        self._rows = [self.place.join([self.place.zeros(0, self.dims), *self._rows])]
        return self._rows[0]

    @property
    def mean(self) -> Any:  # noqa: ANN401 - an array of the place
        """The mean of each feature."""
        many = max(self.count, 1)
        if (rows := self.kept()) is not None:
            return rows.sum(0) / many
        self._settle()
        # Without a shift nothing has been seen.
        return self._total / many if self._shift is None else self._shift + self._total / many

    @property
    def shift(self) -> Any:  # noqa: ANN401 - an array of the place
        """What features are less in the sums that are kept; the mean where there are none."""
        return self.mean if self._shift is None else self._shift

    def total(self, shift: Any) -> Any:  # noqa: ANN401 - arrays
        """Give the sum of features less something."""
        shift = self.place.doubles(shift)
        if (rows := self.kept()) is not None:
            return (rows - shift).sum(0)
        self._settle()
        return self._total + self.count * (self.shift - shift)

    def outer(self, shift: Any) -> Any:  # noqa: ANN401 - arrays
        """Give the sum of the outer products of features less something; its digits are best near the mean."""
        shift = self.place.doubles(shift)
        if (rows := self.kept()) is not None:
            return (rows - shift).T @ (rows - shift)
        self._settle()
        # The mean less the own shift, which has digits that the mean has not.
        rest = self._total / max(self.count, 1)
        return self._outer + self.count * (_square(rest + (self.shift - shift)) - _square(rest))

    def state(self) -> dict[str, Array]:
        """Give everything as arrays, for :meth:`restore`."""
        shift = self.shift
        sums = {"sum": self.total(shift), "shift": shift, "outer": self.outer(shift)}
        if (kept := self.kept()) is not None:
            sums["features"] = kept
        return {"count": np.array(self.count), **{name: host(array) for name, array in sums.items()}}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Take what :meth:`state` gave, sums of features less the shift; without one, of features as they are.

        Raises:
            ValueError: Arrays that do not fit or are not finite.

        """
        if np.asarray(state["count"]).dtype.kind not in "iu":
            raise ValueError(f"count is {state['count']}, needs a whole number")
        self.count = int(state["count"])
        shapes = {"sum": (self.dims,), "shift": (self.dims,), "outer": (self.dims,) * 2}
        if "features" in state:
            shapes["features"] = (self.count, self.dims)
        state = {"shift": np.zeros(self.dims), **state}
        sums = {name: np.array(state[name], dtype=np.float64) for name in shapes}
        found = {name: array.shape for name, array in sums.items()}
        if self.count < 0 or found != shapes:
            raise ValueError(f"count is {self.count}, arrays have shapes {found}, need {shapes}")
        if not all(np.isfinite(array).all() for array in sums.values()):
            raise ValueError(f"{', '.join(sums)}: not all are finite")
        total, shift, outer, *self._rows = map(self.place.doubles, sums.values())
        self._has_all = bool(self._rows)
        if not self._has_all and self.count:
            self._total, self._shift, self._outer = total, shift, outer

    def _settle(self) -> None:
        """Add the outer products of the rows that wait; from then on they are not kept."""
        self._has_all = False
        waiting, self._rows = [rows for rows in self._rows if len(rows)], []
        if waiting:
            rows = self.place.join(waiting)
            if self._shift is None:
                self._shift = rows.mean(0)
            rows = rows - self._shift
            self._total = self.place.add(self._total, rows.sum(0))
            self._outer = self.place.add(self._outer, rows.T @ rows)


def _square(vector: Any) -> Any:  # noqa: ANN401 - an array of a place
    """The outer product with itself."""
    return vector[:, None] * vector
