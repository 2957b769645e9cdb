"""The Inception Score of logits."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import whole_number
from muge_fast._internal.npz import Array
from muge_fast.image.backend import NO_ROW, NumpyBackend, backend_for, device_of, host
from muge_fast.image.statistics import Float64

SEED = 2020
# NumPy seeds an order by numbers of 32 bits.
MOST_IMAGES = 1 << 32


class MeanAndSpread(NamedTuple):
    """A score over several parts.

    Attributes:
        mean: The mean over parts.
        std: The standard deviation over parts, by their number.

    Example:
        >>> from muge_fast.image import MeanAndSpread
        >>> MeanAndSpread(mean=2.0, std=0.1).mean
        2.0

    """

    mean: float
    std: float


def inception_score_of(
    logits: npt.ArrayLike, *, splits: int = 10, shuffle: bool = True, seed: int = SEED
) -> MeanAndSpread:
    """Compute the Inception Score (Salimans et al., 2016) as torch-fidelity does, in double precision.

    Args:
        logits: Of shape ``(images, classes)``, without bias in the definition by the weights of 2015.
        splits: How many parts; part ``k`` of ``n`` images has the rows from ``k n // splits`` to
            ``(k + 1) n // splits``.
        shuffle: Whether rows are put in the order of ``RandomState(seed).permutation`` before.
        seed: Of the order.

    Returns:
        Mean and standard deviation over parts.

    Raises:
        ValueError: No matrix, a number that is not finite, or fewer images than parts.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import inception_score_of
        >>> round(inception_score_of(100 * np.eye(4)[[0, 1, 2, 3] * 5], splits=1).mean, 6)
        4.0

    """
    matrix = np.asarray(logits, dtype=np.float64)
    splits = whole_number("splits", splits)
    if matrix.ndim != 2 or len(matrix) < splits:  # noqa: PLR2004
        raise ValueError(f"logits have shape {matrix.shape}, need (images, classes) with at least {splits} images")
    if not np.isfinite(matrix).all():
        raise ValueError(f"logits[{np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0]}] is not finite")
    if shuffle:
        matrix = matrix[np.random.RandomState(seed).permutation(len(matrix))]
    scores = [_score(matrix[start:end]) for start, end in pairwise(_ends(len(matrix), splits))]
    return MeanAndSpread(float(np.mean(scores)), float(np.std(scores)))


class SplitSums:
    """What the Inception Score needs of each part: sums that add, whatever the number of images.

    Where the number of images is known, image ``i`` goes to the part that :func:`inception_score_of` puts it into: that
    of torch-fidelity. Otherwise each run of ``splits`` images from the beginning on is dealt one to each part, run
    ``r`` in the order of ``RandomState([seed, r]).permutation(splits)``: parts are as large as each other, whatever
    comes, and a stream whose classes come in turn does not put each class into a part of its own.

    Without a seed images keep their order: where their number is known, each part has those that follow each other, and
    otherwise each run of ``splits`` images is dealt in turn.

    Args:
        splits: How many parts.
        images: How many images there will be; None if nobody knows.
        seed: Of the order; None for that in which images come.
        device: As for :class:`muge_fast.image.Statistics`.

    Raises:
        ValueError: No parts, fewer images than parts, or a negative seed.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image._inception_score import SplitSums
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
        device: Any = None,  # noqa: ANN401 - torch's
    ) -> None:
        splits = whole_number("splits", splits)
        images, seed = (None if number is None else int(number) for number in (images, seed))
        fits = images is None or splits <= images < MOST_IMAGES
        if not 0 <= (seed or 0) < MOST_IMAGES or not fits:
            raise ValueError(
                f"splits is {splits}, images {images}, seed {seed}: need at least one image for each split"
            )
        self.splits, self.images, self.seed = splits, images, seed
        self.counts = np.zeros(splits, dtype=np.int64)
        self.classes = 0
        self._place = backend_for(device)
        self._bad: Any = None
        self._entropies: Any = None
        self._shares: Any = None
        # Made with the first images: a file that was saved may promise any number of them.
        self._parts: npt.NDArray[np.int64] | None = None

    def update(self, logits: Any, indices: npt.NDArray[np.int64]) -> None:  # noqa: ANN401 - an array or a tensor
        """Add a batch.

        Args:
            logits: An array or a tensor of shape ``(images, classes)``.
            indices: The number of each image among all.

        Raises:
            ValueError: Another shape, a number that is not finite, or an index beyond the number of images.

        """
        if not self.classes and self._place.device is None:
            self._place = backend_for(device_of(logits))
        batch = self._place.doubles(logits)
        if batch.ndim != 2 or not batch.shape[1] or self.classes not in (0, batch.shape[1]):  # noqa: PLR2004
            raise ValueError(f"logits have shape {tuple(batch.shape)}, need (images, {self.classes or 'classes'})")
        parts = self._parts_of(indices, len(batch))
        self._bad = self._place.first_bad(batch, "logits", int(self.counts.sum()), self._bad)
        if not self.classes:
            self._begin(batch.shape[1])
        logs, shares = self._place.log_shares(batch)
        members = np.zeros((self.splits, len(batch)))
        members[parts, np.arange(len(batch))] = 1
        members = self._place.doubles(members)
        self.counts += np.bincount(parts, minlength=self.splits)
        self._entropies = self._place.add(self._entropies, members @ (logs * shares).sum(1))
        self._shares = self._place.add(self._shares, members @ shares)

    def extend(self, logits: Any) -> None:  # noqa: ANN401 - an array or a tensor
        """Add the batch of the images that come next, see :meth:`update`."""
        start = int(self.counts.sum())
        self.update(logits, np.arange(start, start + len(logits)))

    def merge(self, other: SplitSums) -> None:
        """Add what another part of the stream has seen.

        Raises:
            ValueError: Another number of parts, images or classes, or another seed. Nothing changes then.

        """
        counts, entropies, shares = other.sums()
        if other.rule != self.rule or (self.classes and other.classes and self.classes != other.classes):
            found = f"{other.classes} classes and the rule {other.rule}"
            raise ValueError(f"other: has {found}, this one has {self.classes} and {self.rule}")
        if other.classes:
            self.add(counts, entropies, shares)

    def add(self, counts: npt.NDArray[np.int64], entropies: Any, shares: Any) -> None:  # noqa: ANN401 - arrays
        """Add sums, as :meth:`sums` gives them."""
        if not self.classes:
            self._begin(shares.shape[1])
        self.counts += counts
        self._entropies = self._place.add(self._entropies, self._place.doubles(entropies))
        self._shares = self._place.add(self._shares, self._place.doubles(shares))

    @property
    def device(self) -> Any:  # noqa: ANN401 - torch's
        """The torch device that keeps the sums; None for NumPy on the host."""
        return self._place.device

    @property
    def rule(self) -> tuple[int, int | None, int | None]:
        """Number of parts, number of images if it is known, and seed if there is one."""
        return self.splits, self.images, self.seed

    def flaw(self) -> str | None:
        """Say what is wrong with a batch that came to a device."""
        row = NO_ROW if self._bad is None else int(self._bad)
        return f"logits[{row}] is not finite, counted over all batches" if row < NO_ROW else None

    def sums(self) -> tuple[npt.NDArray[np.int64], Float64, Float64]:
        """Give for each part the number of images, the sum of ``p log p``, and the sum of ``p``, on the host.

        Raises:
            ValueError: A batch on a device had a number that is not finite.

        """
        if flaw := self.flaw():
            raise ValueError(flaw)
        if not self.classes:
            return self.counts, np.zeros(self.splits), np.zeros((self.splits, 0))
        return self.counts, host(self._entropies), host(self._shares)

    def score(self) -> MeanAndSpread:
        """Compute the score.

        Raises:
            ValueError: A part without images, or parts that miss some.

        """
        counts, entropies, shares = self.sums()
        wanted = None if self.images is None else np.diff(_ends(self.images, self.splits))
        if wanted is not None and (counts != wanted).any():
            raise ValueError(f"has seen {counts.sum()} images in parts of {counts.tolist()}, needs {wanted.tolist()}")
        if not counts.all():
            raise ValueError(f"has seen {counts.sum()} images, needs one in each of {self.splits} splits at least")
        return score_of_sums(counts, entropies, shares)

    def state(self) -> dict[str, Array]:
        """Give everything as arrays, for :meth:`from_state`."""
        counts, entropies, shares = self.sums()
        rule = {name: np.array(-1 if n is None else n) for name, n in (("images", self.images), ("seed", self.seed))}
        return {"counts": counts.copy(), "entropies": entropies.copy(), "shares": shares.copy(), **rule}

    @classmethod
    def from_state(cls, state: Mapping[str, Array], *, device: Any = None) -> SplitSums:  # noqa: ANN401 - torch's
        """Make sums of :meth:`state`.

        Raises:
            ValueError: Arrays that are missing or cannot be sums of shares.

        """
        missing = sorted({"counts", "entropies", "shares", "images", "seed"} - set(state))
        if missing:
            raise ValueError(f"has arrays {sorted(state)}, needs {', '.join(missing)}")
        counts = np.asarray(state["counts"])
        images, seed = (None if int(state[name]) == -1 else int(state[name]) for name in ("images", "seed"))
        entropies, shares = (np.array(state[name], dtype=np.float64) for name in ("entropies", "shares"))
        if counts.dtype.kind not in "iu" or counts.ndim != 1 or shares.ndim != 2:  # noqa: PLR2004
            raise ValueError(f"counts have dtype {counts.dtype} and shape {counts.shape}, shares shape {shares.shape}")
        sums = cls(len(counts), images=images, seed=seed, device=device)
        # Shares of an image add up to one, and their logarithms are not above zero.
        fit = entropies.shape == counts.shape == shares.shape[:1] and (counts >= 0).all() and (shares >= 0).all()
        if not fit or not (entropies <= 0).all() or not np.isfinite(entropies).all():
            raise ValueError("counts, entropies and shares are no sums of shares")
        if not np.allclose(shares.sum(axis=1), counts, rtol=1e-9, atol=0):
            raise ValueError("shares do not add up to the counts")
        if shares.shape[1]:
            sums.add(counts.astype(np.int64), entropies, shares)
        return sums

    def _begin(self, classes: int) -> None:
        self.classes = classes
        self._entropies, self._shares = self._place.zeros(self.splits), self._place.zeros(self.splits, classes)

    def _parts_of(self, indices: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
        if indices.shape != (count,) or indices.dtype.kind not in "iu":
            raise ValueError(f"indices have shape {indices.shape} and dtype {indices.dtype}, need {count} integers")
        end = MOST_IMAGES if self.images is None else self.images
        bad = np.flatnonzero((indices < 0) | (indices >= end))
        if len(bad):
            raise ValueError(f"indices[{bad[0]}] is {indices[bad[0]]}, needs 0 to {end - 1}")
        if self.images is not None:
            if self._parts is None:
                self._parts = _known_parts(self.images, self.splits, self.seed)
            return self._parts[indices]
        if self.seed is None:
            return indices % self.splits
        runs, places = np.divmod(indices, self.splits)
        orders = {run: np.random.RandomState([self.seed, run]).permutation(self.splits) for run in set(runs)}
        return np.array([orders[run][place] for run, place in zip(runs, places, strict=True)], dtype=np.int64)


def score_of_sums(counts: npt.NDArray[np.int64], entropies: Float64, shares: Float64) -> MeanAndSpread:
    """Compute the score of parts from their sums.

    Args:
        counts: Images of each part, at least one.
        entropies: The sum of ``p log p`` of each.
        shares: The sum of ``p`` of each, of shape ``(parts, classes)``.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image._inception_score import score_of_sums
        >>> round(score_of_sums(np.array([4]), np.zeros(1), np.ones((1, 4))).mean, 9)
        4.0

    """
    means = shares / counts[:, None]
    # Where no image has a class, its share is zero, and what its logarithm is does not matter.
    logs = np.log(np.maximum(means, np.finfo(np.float64).tiny))
    scores = np.exp(entropies / counts - (means * logs).sum(axis=1))
    return MeanAndSpread(float(scores.mean()), float(scores.std()))


def _ends(images: int, splits: int) -> list[int]:
    """Where each part begins, and the last one ends."""
    return [part * images // splits for part in range(splits + 1)]


def _known_parts(images: int, splits: int, seed: int | None) -> npt.NDArray[np.int64]:
    """The part of each image, as in :func:`inception_score_of`."""
    parts = np.empty(images, dtype=np.int64)
    order = np.arange(images) if seed is None else np.random.RandomState(seed).permutation(images)
    parts[order] = np.repeat(np.arange(splits), np.diff(_ends(images, splits)))
    return parts


def _score(logits: Float64) -> float:
    """The exponential of the mean divergence of images from all of the part."""
    logs, shares = NumpyBackend().log_shares(logits)
    mean = shares.mean(axis=0, keepdims=True)
    # Where no image has a class, its share and with it the divergence are zero.
    divergence = shares * (logs - np.log(np.maximum(mean, np.finfo(np.float64).tiny)))
    return float(np.exp(divergence.sum(axis=1).mean()))
