"""Sums per split from which the Inception Score is computed: counts, Σ p log p and Σ p."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import whole_number
from muge_fast._internal.npz import Array
from muge_fast.image.backend import (
    NO_ROW,
    ArrayOrTensor,
    Backend,
    DeviceLike,
    Float64Array,
    backend_for,
    device_of,
    to_numpy,
)
from muge_fast.image.inputs import checked_features
from muge_fast.image.options import SEED

if TYPE_CHECKING:
    import torch

Int64Array = npt.NDArray[np.int64]

# RandomState accepts seeds below this, and permutes numbers below this.
MAX_IMAGES = 1 << 32


class SplitConfig(NamedTuple):
    """Assignment of images to splits.

    Attributes:
        splits: Number of splits.
        images: Number of images; None if unknown.
        seed: Seed of the order; None to keep the order of the images.

    Example:
        >>> from muge_fast.image.split_sums import SplitConfig
        >>> SplitConfig(splits=10, images=5000, seed=2020).splits
        10

    """

    splits: int
    images: int | None
    seed: int | None


class SplitSums:
    """Count, sum of ``p log p`` and sum of ``p`` of the class probabilities in each split.

    If the number of images is known, image ``i`` belongs to the split of torch-fidelity: the images are shuffled by
    ``RandomState(seed).permutation`` and cut into runs of equal length. If it is unknown, each group of ``splits``
    consecutive images is dealt out round-robin, one image per split, group ``g`` in the order of
    ``RandomState([seed, g]).permutation(splits)``. Splits then have equal sizes at any time, and a stream that is
    sorted by class does not put each class into one split.

    Without a seed, images keep their order: consecutive runs if their number is known, plain round-robin otherwise.

    Args:
        splits: Number of splits, at least 1.
        images: Total number of images that will be added; None if unknown.
        seed: Seed of the order, from 0 to 2**32 - 1; None to keep the order of the images.
        device: torch device that keeps the sums, or its name; None to follow the first batch.

    Raises:
        TypeError: A number is not an integer.
        ValueError: ``splits`` is below 1, there are fewer images than splits, or the seed is out of range.
        RuntimeError: torch has no such device.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.split_sums import SplitSums
        >>> sums = SplitSums(2, images=4)
        >>> sums.update(100 * np.eye(2)[[0, 1, 1, 0]], np.arange(4))
        >>> sums.counts.tolist()
        [2, 2]

    """

    def __init__(
        self,
        splits: int,
        *,
        images: int | None = None,
        seed: int | None = SEED,
        device: DeviceLike = None,
    ) -> None:
        splits = whole_number("splits", splits)
        images = None if images is None else whole_number("images", images, least=0)
        seed = None if seed is None else whole_number("seed", seed, least=0)
        if images is not None and not splits <= images < MAX_IMAGES:
            raise ValueError(f"splits is {splits}, images {images}: need at least one image for each split")
        if seed is not None and seed >= MAX_IMAGES:
            raise ValueError(f"seed must be below 2**32, got {seed}")
        self.config = SplitConfig(splits, images, seed)
        self.counts: Int64Array = np.zeros(splits, dtype=np.int64)
        self._backend: Backend[Any] = backend_for(device)
        self._first_nonfinite: Any = None
        self._sum_p_log_p: Any = None
        self._sum_p: Any = None
        # Computed when the first images are added, because a loaded state may declare any number of images.
        self._shuffled: Int64Array | None = None

    @property
    def classes(self) -> int:
        """Number of classes; 0 before the first image."""
        return 0 if self._sum_p is None else int(self._sum_p.shape[1])

    @property
    def device(self) -> torch.device | None:
        """Device that keeps the sums; None for NumPy."""
        device: torch.device | None = self._backend.device
        return device

    def update(self, logits: ArrayOrTensor, indices: Int64Array) -> None:
        """Add a batch.

        Args:
            logits: Array or tensor of shape ``(images, classes)``.
            indices: Index of each image among all images, from 0.

        Raises:
            ValueError: A wrong shape, a value that is not finite, or an index beyond the number of images.

        """
        logits = checked_features("logits", logits)
        if not self.classes and self.device is None:
            self._backend = backend_for(device_of(logits))
        batch = self._backend.as_float64(logits)
        if not batch.shape[1] or self.classes not in (0, batch.shape[1]):
            raise ValueError(f"logits have shape {tuple(batch.shape)}, need (images, {self.classes or 'classes'})")
        split_of_row = self._split_of(indices, len(batch))
        self._first_nonfinite = self._backend.first_nonfinite_row(
            batch, "logits", seen=int(self.counts.sum()), earlier=self._first_nonfinite
        )
        log_p, p = self._backend.log_softmax(batch)
        membership = np.zeros((self.config.splits, len(batch)))
        membership[split_of_row, np.arange(len(batch))] = 1
        members = self._backend.as_float64(membership)
        counts = np.bincount(split_of_row, minlength=self.config.splits)
        self.add_sums(counts, members @ (log_p * p).sum(1), members @ p)

    def extend(self, logits: ArrayOrTensor) -> None:
        """Add a batch of consecutive images that follow those added so far.

        Args:
            logits: Array or tensor of shape ``(images, classes)``.

        Raises:
            ValueError: A wrong shape, a value that is not finite, or more images than the total number.

        """
        rows = checked_features("logits", logits)
        start = int(self.counts.sum())
        self.update(rows, np.arange(start, start + len(rows)))

    def merge(self, other: SplitSums) -> None:
        """Add the sums of another accumulator.

        Args:
            other: Sums with the same configuration and classes.

        Raises:
            ValueError: ``other`` is this object, or has different splits, images, seed or classes. This object is
                then unchanged.

        """
        if other is self:
            raise ValueError("other is this object itself: its images would count twice")
        counts, sum_p_log_p, sum_p = other.sums()
        if other.config != self.config or (self.classes and other.classes and self.classes != other.classes):
            raise ValueError(
                f"other: has {other.classes} classes and {other.config}, this one has {self.classes} and {self.config}"
            )
        if other.classes:
            self.add_sums(counts, sum_p_log_p, sum_p)

    def add_sums(self, counts: Int64Array, sum_p_log_p: ArrayOrTensor, sum_p: ArrayOrTensor) -> None:
        """Add sums of other images.

        Args:
            counts: Number of images in each split.
            sum_p_log_p: Sum of ``p log p`` over images and classes, of shape ``(splits,)``.
            sum_p: Sum of ``p`` over images, of shape ``(splits, classes)``.

        """
        probabilities = self._backend.as_float64(sum_p)
        if not self.classes:
            self._sum_p_log_p = self._backend.zeros(self.config.splits)
            self._sum_p = self._backend.zeros(self.config.splits, probabilities.shape[1])
        self.counts += counts
        self._sum_p_log_p = self._backend.add(self._sum_p_log_p, self._backend.as_float64(sum_p_log_p))
        self._sum_p = self._backend.add(self._sum_p, probabilities)

    def why_not_addable(self) -> str | None:
        """Return the reason why these sums cannot be read or added to others; None if they can."""
        row = NO_ROW if self._first_nonfinite is None else int(self._first_nonfinite)
        return f"logits[{row}] is not finite, counted over all batches" if row < NO_ROW else None

    def sums(self) -> tuple[Int64Array, Float64Array, Float64Array]:
        """Return the number of images, the sum of ``p log p`` and the sum of ``p`` of each split, as NumPy arrays.

        Raises:
            ValueError: A batch on a device had a value that is not finite.

        """
        problem = self.why_not_addable()
        if problem:
            raise ValueError(problem)
        if not self.classes:
            return self.counts, np.zeros(self.config.splits), np.zeros((self.config.splits, 0))
        return self.counts, to_numpy(self._sum_p_log_p), to_numpy(self._sum_p)

    def split_of_images(self) -> Int64Array:
        """Return the split of each image, if those so far were added in order from the first."""
        count = int(self.counts.sum())
        return self._split_of(np.arange(count), count)

    def mean_and_std(self) -> tuple[float, float]:
        """Return the mean and standard deviation of the Inception Score over the splits.

        Raises:
            ValueError: A split has no images, or images are missing.

        """
        counts, sum_p_log_p, sum_p = self.sums()
        splits, images, _ = self.config
        expected = None if images is None else np.diff(split_bounds(images, splits))
        if expected is not None and (counts != expected).any():
            raise ValueError(f"has {counts.sum()} images, in splits of {counts.tolist()}: needs {expected.tolist()}")
        if not counts.all():
            raise ValueError(f"has {counts.sum()} images, needs at least one in each of {splits} splits")
        return mean_and_std_of_sums(counts, sum_p_log_p, sum_p)

    def state(self) -> dict[str, Array]:
        """Return the state as arrays, for :meth:`from_state`."""
        counts, sum_p_log_p, sum_p = self.sums()
        _, images, seed = self.config
        numbers = {name: np.array(-1 if n is None else n) for name, n in (("images", images), ("seed", seed))}
        return {"counts": counts.copy(), "sum_p_log_p": sum_p_log_p.copy(), "sum_p": sum_p.copy(), **numbers}

    @classmethod
    def from_state(cls, state: Mapping[str, Array], *, device: DeviceLike = None) -> SplitSums:
        """Return sums from :meth:`state`.

        Args:
            state: Arrays by name.
            device: torch device that keeps the sums, or its name; None to follow the next batch.

        Raises:
            ValueError: Arrays are missing, or cannot be sums of probabilities.

        """
        missing = sorted({"counts", "sum_p_log_p", "sum_p", "images", "seed"} - set(state))
        if missing:
            raise ValueError(f"has arrays {sorted(state)}, needs {', '.join(missing)}")
        counts = np.asarray(state["counts"])
        images, seed = (None if int(state[name]) == -1 else int(state[name]) for name in ("images", "seed"))
        sum_p_log_p, sum_p = (np.array(state[name], dtype=np.float64) for name in ("sum_p_log_p", "sum_p"))
        if counts.dtype.kind not in "iu" or counts.ndim != 1 or sum_p.ndim != 2:  # noqa: PLR2004
            raise ValueError(f"counts have dtype {counts.dtype} and shape {counts.shape}, sum_p shape {sum_p.shape}")
        sums = cls(len(counts), images=images, seed=seed, device=device)
        _check_sums(counts, sum_p_log_p, sum_p)
        if sum_p.shape[1]:
            sums.add_sums(counts.astype(np.int64), sum_p_log_p, sum_p)
        return sums

    def _split_of(self, indices: Int64Array, count: int) -> Int64Array:
        """Return the split of each image of a batch."""
        if indices.shape != (count,) or indices.dtype.kind not in "iu":
            raise ValueError(f"indices have shape {indices.shape} and dtype {indices.dtype}, need {count} integers")
        splits, images, seed = self.config
        end = MAX_IMAGES if images is None else images
        outside = np.flatnonzero((indices < 0) | (indices >= end))
        if len(outside):
            raise ValueError(f"indices[{outside[0]}] is {indices[outside[0]]}, needs 0 to {end - 1}")
        if images is not None:
            if self._shuffled is None:
                self._shuffled = _shuffled_splits(images, splits, seed)
            return self._shuffled[indices]
        if seed is None:
            return indices % splits
        groups, positions = np.divmod(indices, splits)
        orders = {group: np.random.RandomState([seed, group]).permutation(splits) for group in set(groups)}
        pairs = zip(groups, positions, strict=True)
        return np.array([orders[group][position] for group, position in pairs], dtype=np.int64)


def mean_and_std_of_sums(counts: Int64Array, sum_p_log_p: Float64Array, sum_p: Float64Array) -> tuple[float, float]:
    """Return the mean and standard deviation of the Inception Score over splits.

    Args:
        counts: Number of images in each split, at least one.
        sum_p_log_p: Sum of ``p log p`` of each split.
        sum_p: Sum of ``p`` of each split, of shape ``(splits, classes)``.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.split_sums import mean_and_std_of_sums
        >>> round(mean_and_std_of_sums(np.array([4]), np.zeros(1), np.ones((1, 4)))[0], 9)
        4.0

    """
    mean_p = sum_p / counts[:, None]
    # A mean of zero is multiplied by its logarithm, which only has to be finite.
    log_mean_p = np.log(np.maximum(mean_p, np.finfo(np.float64).tiny))
    scores = np.exp(sum_p_log_p / counts - (mean_p * log_mean_p).sum(axis=1))
    return float(scores.mean()), float(scores.std())


def split_bounds(images: int, splits: int) -> list[int]:
    """Return the index of the first image of each split, ``k * n // splits`` for split ``k``, and then ``n``.

    Args:
        images: Number of images ``n``.
        splits: Number of splits.

    Example:
        >>> from muge_fast.image.split_sums import split_bounds
        >>> split_bounds(10, 3)
        [0, 3, 6, 10]

    """
    return [split * images // splits for split in range(splits + 1)]


def _shuffled_splits(images: int, splits: int, seed: int | None) -> Int64Array:
    """Return the split of each image, as ``inception_score_from_logits`` assigns them."""
    split_of_image = np.empty(images, dtype=np.int64)
    order = np.arange(images) if seed is None else np.random.RandomState(seed).permutation(images)
    split_of_image[order] = np.repeat(np.arange(splits), np.diff(split_bounds(images, splits)))
    return split_of_image


def _check_sums(counts: Array, sum_p_log_p: Float64Array, sum_p: Float64Array) -> None:
    """Check that sums may be of probabilities, which add up to 1 per image and have logarithms of at most 0."""
    same_splits = sum_p_log_p.shape == counts.shape == sum_p.shape[:1]
    if not same_splits or (counts < 0).any() or not (sum_p >= 0).all():
        raise ValueError("counts, sum_p_log_p and sum_p are not sums over the same splits, or are negative")
    if not (sum_p_log_p <= 0).all() or not np.isfinite(sum_p_log_p).all():
        raise ValueError("sum_p_log_p must be finite and at most 0")
    if not np.allclose(sum_p.sum(axis=1), counts, rtol=1e-9, atol=0):
        raise ValueError("sum_p does not add up to the counts")
