"""Metrics that take images batch by batch, in a training loop or on several machines, and add up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast._internal.npz import Array
from muge_fast.image._fid import fid_of
from muge_fast.image._inception_score import SEED, MeanAndSpread, SplitSums
from muge_fast.image._kid import kid_of, refuse_subsets
from muge_fast.image.backend import host
from muge_fast.image.extractors.interface import FeatureExtractor, convention_of_extractor
from muge_fast.image.image_set import FEATURES
from muge_fast.image.statistics import Statistics
from muge_fast.image.streaming import Stream, refuse_other
from muge_fast.scores import Score


class FID(Stream):
    """The Fréchet distance of two streams of images. Its size does not grow with their number.

    Args:
        extractor: Makes features of a batch: an :class:`muge_fast.image.extractors.inception.InceptionExtractor`, a
            ``torch.nn.Module`` or any function; None for batches that are features already.
        dims: Number of features.
        protocol: What the features are, for the signature; None for what the extractor says.
        device: Where sums are kept, as for :class:`muge_fast.image.Statistics`.

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

    def __init__(
        self,
        extractor: FeatureExtractor | None = None,
        *,
        dims: int = 2048,
        protocol: str | None = None,
        device: Any = None,  # noqa: ANN401 - torch's
    ) -> None:
        super().__init__(extractor, protocol)
        self.real = Statistics(dims, protocol=self.protocol, device=device)
        self.generated = Statistics(dims, protocol=self.protocol, device=device)

    def update(self, batch: Any, *, real: bool) -> None:  # noqa: ANN401 - what the extractor takes
        """Add a batch of real or of generated images.

        Raises:
            ValueError: Features of another shape, or one that is not finite.

        """
        (self.real if real else self.generated).update(self._output(batch, FEATURES))

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
        """Put together what all processes of ``torch.distributed`` have seen; every process gets the same bits.

        Returns:
            A new metric. It is not to be updated and gathered again, which would count images twice; go on with this
            one.

        Raises:
            RuntimeError: torch.distributed has not been initialised.
            ValueError: Processes that do not belong together; in every process.

        """
        from muge_fast.image.distributed import gather_statistics  # noqa: PLC0415 - whoever calls this has torch

        whole = FID(self.extractor, dims=self.real.dims, protocol=self.protocol)
        whole.real, whole.generated = gather_statistics(self.real), gather_statistics(self.generated)
        return whole

    def compute(self) -> Score:
        """Give the distance, see :func:`muge_fast.image.fid_of`.

        Raises:
            ValueError: Fewer than two images on a side.

        """
        return fid_of(self.real, self.generated)

    def state(self) -> dict[str, Array]:
        """Give both sides as arrays, for :meth:`from_state`."""
        sides = {"real": self.real, "generated": self.generated}
        arrays = {f"{side}_{name}": array for side, kept in sides.items() for name, array in kept.state().items()}
        return arrays | self._extractor_state()

    @classmethod
    def from_state(cls, state: Mapping[str, Array], extractor: FeatureExtractor | None = None) -> FID:
        """Make a metric of :meth:`state`, to go on where it ended.

        Raises:
            ValueError: Arrays that are missing or do not fit, or another extractor.

        """
        refuse_other(extractor, state)
        sides = []
        for side in ("real_", "generated_"):
            own = {name.removeprefix(side): state[name] for name in state if name.startswith(side)}
            sides.append(Statistics.from_state(own))
        if (sides[0].dims, sides[0].protocol) != (sides[1].dims, sides[1].protocol):
            raise ValueError("the sides have other features, or another protocol, than each other")
        metric = cls(extractor, dims=sides[0].dims, protocol=sides[0].protocol)
        metric.real, metric.generated = sides
        return metric


class InceptionScore(Stream):
    """The Inception Score of a stream of images. Its size does not grow with their number.

    Args:
        extractor: As for :class:`FID`; an :class:`~muge_fast.image.extractors.inception.InceptionExtractor` needs the
            output ``"logits_unbiased"``, or ``"logits"`` for the protocol ``"ofa"``.
        splits: As for :func:`muge_fast.image.inception_score_of`; None for 10, or 1 for the protocol ``"ofa"``.
        images: How many images there will be, in all parts together: the score is then that of
            :func:`~muge_fast.image.inception_score_of` and torch-fidelity. None if nobody knows: images are dealt to
            splits by the rule of :class:`muge_fast.image.inception_score.SplitSums`, as good an estimate,
            another number.
        shuffle: As for :func:`~muge_fast.image.inception_score_of`; None for True, or False for the protocol ``"ofa"``.
        seed: Of the order.
        protocol: As for :class:`FID`.
        device: Where sums are kept, as for :class:`muge_fast.image.Statistics`.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import InceptionScore
        >>> metric = InceptionScore(splits=1)
        >>> metric.update(100 * np.eye(4))
        >>> round(metric.compute().mean, 6)
        4.0

    """

    def __init__(
        self,
        extractor: FeatureExtractor | None = None,
        *,
        splits: int | None = None,
        images: int | None = None,
        shuffle: bool | None = None,
        seed: int = SEED,
        protocol: str | None = None,
        device: Any = None,  # noqa: ANN401 - torch's
    ) -> None:
        super().__init__(extractor, protocol)
        rules = convention_of_extractor(extractor)
        is_shuffled = rules.shuffle if shuffle is None else shuffle
        number = rules.splits if splits is None else splits
        self.sums = SplitSums(number, images=images, seed=seed if is_shuffled else None, device=device)

    def update(self, batch: Any, *, indices: npt.ArrayLike | None = None) -> None:  # noqa: ANN401 - see the class
        """Add a batch of generated images.

        Args:
            batch: The images.
            indices: The number of each among all images, from 0, which says the split that it belongs to; None for the
                numbers that come next here. With them, parts that are merged give the score of the whole.

        Raises:
            ValueError: Logits of another shape, or one that is not finite; an index beyond the number of images.

        """
        logits = self._output(batch, convention_of_extractor(self.extractor).logits)
        if indices is None:
            self.sums.extend(logits)
        else:
            self.sums.update(logits, np.asarray(indices))

    def merge(self, other: InceptionScore) -> None:
        """Add what another part has seen.

        Raises:
            ValueError: Other splits, images, seeds, classes or protocols. Nothing changes then.

        """
        self._refuse_protocol(other)
        self.sums.merge(other.sums)

    def gather(self) -> InceptionScore:
        """Put together what all processes of ``torch.distributed`` have seen, as :meth:`FID.gather` does.

        Give ``indices`` to :meth:`update`, or each process takes its images for the first ones.

        Raises:
            RuntimeError: As :meth:`FID.gather`.
            ValueError: As :meth:`FID.gather`.

        """
        from muge_fast.image.distributed import gather_splits  # noqa: PLC0415 - whoever calls this has torch

        whole = InceptionScore(self.extractor, protocol=self.protocol)
        whole.sums = gather_splits(self.sums, self.protocol)
        return whole

    def compute(self) -> MeanAndSpread:
        """Give the score.

        Raises:
            ValueError: A split without images, or fewer images than there should be.

        """
        return self.sums.score()

    def state(self) -> dict[str, Array]:
        """Give everything as arrays, for :meth:`from_state`."""
        return {**self.sums.state(), "protocol": np.array(self.protocol), **self._extractor_state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Array], extractor: FeatureExtractor | None = None) -> InceptionScore:
        """Make a metric of :meth:`state`, to go on where it ended.

        Raises:
            ValueError: Arrays that are missing or do not fit, or another extractor.

        """
        refuse_other(extractor, state)
        sums = SplitSums.from_state(state)
        metric = cls(extractor, protocol=str(state.get("protocol", "")))
        metric.sums = sums
        return metric


class KID(Stream):
    """The kernel distance of two streams of images. It keeps their features, in single precision.

    Args:
        extractor: As for :class:`FID`.
        subsets: As for :func:`muge_fast.image.kid_of`.
        subset_size: As for :func:`muge_fast.image.kid_of`.
        protocol: As for :class:`FID`.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import KID
        >>> metric = KID(subsets=2, subset_size=2)
        >>> metric.update(np.zeros((3, 4)), real=True)
        >>> metric.update(np.zeros((3, 4)), real=False)
        >>> metric.compute().mean
        0.0

    """

    def __init__(
        self,
        extractor: FeatureExtractor | None = None,
        *,
        subsets: int = 100,
        subset_size: int = 1000,
        protocol: str | None = None,
    ) -> None:
        super().__init__(extractor, protocol)
        self.subsets, self.subset_size = refuse_subsets(subsets, subset_size)
        self._sides: tuple[list[Array], list[Array]] = ([], [])

    def update(self, batch: Any, *, real: bool) -> None:  # noqa: ANN401 - what the extractor takes
        """Add a batch of real or of generated images.

        Raises:
            ValueError: Features of another shape, or one that is not finite.

        """
        self._add(np.array(host(self._output(batch, FEATURES)), dtype=np.float32), real=real)

    def _add(self, features: Array, *, real: bool) -> None:
        first = next((part for side in self._sides for part in side), features)
        if features.ndim != 2 or features.shape[1:] != first.shape[1:]:  # noqa: PLR2004
            dims = first.shape[1] if first is not features else "features"
            raise ValueError(f"features have shape {features.shape}, need (images, {dims})")
        bad = np.flatnonzero(~np.isfinite(features).all(axis=1))
        if len(bad):
            raise ValueError(f"features[{bad[0]}] is not finite")
        self._sides[not real].append(features)

    def merge(self, other: KID) -> None:
        """Add what another part has seen: its images come after those seen here.

        Raises:
            ValueError: Another number of features, or another protocol. Nothing changes then.

        """
        self._refuse_protocol(other)
        dims = {part.shape[1] for side in (*self._sides, *other._sides) for part in side}
        if len(dims) > 1:
            raise ValueError(f"other: the parts have {sorted(dims)} features, need the same")
        for own, more in zip(self._sides, other._sides, strict=True):
            own.extend(more)

    def gather(self) -> KID:
        """Put together what all processes of ``torch.distributed`` have seen, as :meth:`FID.gather` does.

        Features are laid below each other in the order of ranks.

        Raises:
            RuntimeError: As :meth:`FID.gather`.
            ValueError: As :meth:`FID.gather`.

        """
        from muge_fast.image.distributed import gather_rows  # noqa: PLC0415 - whoever calls this has torch

        whole = KID(self.extractor, subsets=self.subsets, subset_size=self.subset_size, protocol=self.protocol)
        settings = f"{self.subsets} subsets of {self.subset_size} of {self.protocol!r}"
        for side, features in zip(whole._sides, self._features(), strict=True):
            side.append(gather_rows(features, settings))
        return whole

    def compute(self) -> MeanAndSpread:
        """Give the distance, see :func:`muge_fast.image.kid_of`.

        Raises:
            ValueError: Fewer images than a subset has.

        """
        return kid_of(*self._features(), subsets=self.subsets, subset_size=self.subset_size)

    def state(self) -> dict[str, Array]:
        """Give everything as arrays, for :meth:`from_state`."""
        sides = dict(zip(("real", "generated"), self._features(), strict=True))
        sizes = {"subsets": np.array(self.subsets), "subset_size": np.array(self.subset_size)}
        return {**sides, **sizes, "protocol": np.array(self.protocol), **self._extractor_state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Array], extractor: FeatureExtractor | None = None) -> KID:
        """Make a metric of :meth:`state`, to go on where it ended.

        Raises:
            ValueError: Arrays that are missing or do not fit, or another extractor.

        """
        refuse_other(extractor, state)
        missing = sorted({"real", "generated", "subsets", "subset_size"} - set(state))
        if missing:
            raise ValueError(f"has arrays {sorted(state)}, needs {', '.join(missing)}")
        sizes = {name: int(state[name]) for name in ("subsets", "subset_size")}
        metric = cls(extractor, **sizes, protocol=str(state.get("protocol", "")))
        for side in ("real", "generated"):
            if len(np.atleast_2d(state[side])):
                metric._add(np.array(state[side], dtype=np.float32), real=side == "real")
        return metric

    def _features(self) -> tuple[Array, Array]:
        left, right = (np.concatenate(side) if side else np.empty((0, 1), np.float32) for side in self._sides)
        return left, right
