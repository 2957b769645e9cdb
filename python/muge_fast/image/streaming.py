"""Metrics that take images batch by batch, in a training loop or on several machines, and add up."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast.atomic import replacing
from muge_fast.image.extraction import array_of, output_of, rules_of
from muge_fast.image.fid import fid_of
from muge_fast.image.inception_score import MeanAndSpread, inception_score_of
from muge_fast.image.kid import kid_of
from muge_fast.image.statistics import Statistics, load_arrays
from muge_fast.score import Score

Extractor = Callable[[Any], Any]
Features = npt.NDArray[Any]


class FID:
    """The Fréchet distance of two streams of images. Its size does not grow with their number.

    Args:
        extractor: Makes features of a batch: an :class:`muge_fast.image.extractor.InceptionExtractor`, a
            ``torch.nn.Module`` or any function; None for batches that are features already.
        dims: Number of features.
        protocol: What the features are, for the signature; None for what the extractor says.

    Example:
        >>> import warnings
        >>> import numpy as np
        >>> from muge_fast.image import FID
        >>> metric = FID(dims=2)
        >>> metric.update(np.array([[0.0, 0.0], [2.0, 0.0]]), real=True)
        >>> metric.update(np.array([[1.0, 0.0], [3.0, 0.0]]), real=False)
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     metric.compute().value
        1.0

    """

    def __init__(self, extractor: Extractor | None = None, *, dims: int = 2048, protocol: str | None = None) -> None:
        self.extractor = extractor
        name = str(getattr(extractor, "signature", "")) if protocol is None else protocol
        self.real = Statistics(dims, protocol=name)
        self.generated = Statistics(dims, protocol=name)

    def update(self, batch: Any, *, real: bool) -> None:  # noqa: ANN401 - what the extractor takes
        """Add a batch of real or of generated images.

        Raises:
            ValueError: Features of another shape, or one that is not finite.

        """
        (self.real if real else self.generated).update(_features(self.extractor, batch, "2048"))

    def merge(self, other: FID) -> None:
        """Add what another part has seen.

        Raises:
            ValueError: Another number of features, or another protocol. Nothing changes then.

        """
        for own, more in ((self.real, other.real), (self.generated, other.generated)):
            own.refuse(more)
        self.real.merge(other.real)
        self.generated.merge(other.generated)

    def gather(self) -> FID:
        """Put together what all processes of ``torch.distributed`` have seen; every process gets the same.

        Returns:
            A new metric, merged in the order of ranks. It is not to be updated and gathered again, which would count
            images twice; go on with this one.

        Raises:
            RuntimeError: torch.distributed has not been initialised.

        """
        from torch import distributed  # noqa: PLC0415 - whoever calls this has torch

        states: list[Any] = [None] * distributed.get_world_size()
        distributed.all_gather_object(states, (self.real.state(), self.generated.state()))
        whole = FID(self.extractor, dims=self.real.dims, protocol=self.real.protocol)
        for real, generated in states:
            whole.real.merge(Statistics.from_state(real))
            whole.generated.merge(Statistics.from_state(generated))
        return whole

    def compute(self) -> Score:
        """Give the distance, see :func:`muge_fast.image.fid_of`.

        Raises:
            ValueError: Fewer than two images on a side.

        """
        return fid_of(self.real, self.generated)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write both sides to an ``.npz``, whole or not at all.

        Raises:
            OSError: The file cannot be written.

        """
        sides = {"real": self.real, "generated": self.generated}
        arrays = {f"{side}_{name}": array for side, kept in sides.items() for name, array in kept.state().items()}
        with replacing(path) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: str | os.PathLike[str], extractor: Extractor | None = None) -> FID:
        """Read a file of :meth:`save`, to go on where it ended.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is no such file.

        """

        def sides_of(state: dict[str, Features]) -> dict[str, Statistics]:
            sides = {}
            for side in ("real", "generated"):
                own = {name.removeprefix(f"{side}_"): state[name] for name in state if name.startswith(f"{side}_")}
                sides[side] = Statistics.from_state(own)
            return sides

        sides = load_arrays(path, "FID", sides_of)
        metric = cls(extractor, dims=sides["real"].dims, protocol=sides["real"].protocol)
        metric.real, metric.generated = sides["real"], sides["generated"]
        return metric


class InceptionScore:
    """The Inception Score of a stream of images.

    It keeps their logits, in single precision, to shuffle them at the end.

    Args:
        extractor: As for :class:`FID`; an :class:`~muge_fast.image.extractor.InceptionExtractor` needs the output
            ``"logits_unbiased"``, or ``"logits"`` for the protocol ``"ofa"``, which takes one split.
        splits: As for :func:`muge_fast.image.inception_score_of`.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import InceptionScore
        >>> metric = InceptionScore(splits=1)
        >>> metric.update(100 * np.eye(4))
        >>> round(metric.compute().mean, 6)
        4.0

    """

    def __init__(self, extractor: Extractor | None = None, *, splits: int = 10) -> None:
        self.extractor, self.splits = extractor, splits
        self._logits: list[Features] = []

    def update(self, batch: Any) -> None:  # noqa: ANN401 - what the extractor takes
        """Add a batch of generated images."""
        self._logits.append(
            np.array(_features(self.extractor, batch, rules_of(self.extractor).logits), dtype=np.float32)
        )

    def merge(self, other: InceptionScore) -> None:
        """Add what another part has seen: its images come after those seen here."""
        self._logits += other._logits

    def compute(self) -> MeanAndSpread:
        """Give the score, see :func:`muge_fast.image.inception_score_of`.

        Raises:
            ValueError: Fewer images than splits.

        """
        logits = np.concatenate(self._logits) if self._logits else np.empty((0, 1))
        return inception_score_of(logits, splits=self.splits)


class KID:
    """The kernel distance of two streams of images. It keeps their features, in single precision.

    Args:
        extractor: As for :class:`FID`.
        subsets: As for :func:`muge_fast.image.kid_of`.
        subset_size: As for :func:`muge_fast.image.kid_of`.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import KID
        >>> metric = KID(subsets=2, subset_size=2)
        >>> metric.update(np.zeros((3, 4)), real=True)
        >>> metric.update(np.zeros((3, 4)), real=False)
        >>> metric.compute().mean
        0.0

    """

    def __init__(self, extractor: Extractor | None = None, *, subsets: int = 100, subset_size: int = 1000) -> None:
        self.extractor, self.subsets, self.subset_size = extractor, subsets, subset_size
        self._sides: tuple[list[Features], list[Features]] = ([], [])

    def update(self, batch: Any, *, real: bool) -> None:  # noqa: ANN401 - what the extractor takes
        """Add a batch of real or of generated images."""
        self._sides[not real].append(np.array(_features(self.extractor, batch, "2048"), dtype=np.float32))

    def merge(self, other: KID) -> None:
        """Add what another part has seen: its images come after those seen here."""
        for own, more in zip(self._sides, other._sides, strict=True):
            own.extend(more)

    def compute(self) -> MeanAndSpread:
        """Give the distance, see :func:`muge_fast.image.kid_of`.

        Raises:
            ValueError: Fewer images than a subset has.

        """
        left, right = (np.concatenate(side) if side else np.empty((0, 1)) for side in self._sides)
        return kid_of(left, right, subsets=self.subsets, subset_size=self.subset_size)


def _features(extractor: Extractor | None, batch: Any, output: str) -> Features:  # noqa: ANN401
    """Features of a batch as a NumPy array."""
    return array_of(output_of(batch if extractor is None else extractor(batch), output))
