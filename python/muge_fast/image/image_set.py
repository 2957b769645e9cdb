"""Accumulation of the statistics, sums and features of one image source, in one pass of the feature extractor."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import check_names
from muge_fast.image.backend import to_numpy
from muge_fast.image.extractors.interface import (
    FeatureExtractor,
    FeatureMatrix,
    InceptionScoreConvention,
    convention_of_extractor,
    signature_of,
)
from muge_fast.image.extractors.running import extract_features
from muge_fast.image.frechet import check_same_extractor
from muge_fast.image.options import SEED, LoadOptions
from muge_fast.image.sources import ImageSource, OpenedSource, count_images, open_images
from muge_fast.image.split_sums import SplitSums
from muge_fast.image.statistics import Statistics

ImageMetric = Literal["fid", "is", "kid"]
"""Names of the metrics of images, for type checkers."""

METRICS: tuple[ImageMetric, ...] = ("fid", "is", "kid")
# Name of the extractor's output that FID and KID are computed from.
FEATURES = "2048"

ImagesOrStatistics: TypeAlias = "ImageSource | Statistics"


def outputs_for(metrics: Sequence[str], convention: InceptionScoreConvention | None = None) -> tuple[str, ...]:
    """Return the names of the extractor outputs that metrics need.

    Args:
        metrics: One or more of :data:`METRICS`, without repetitions.
        convention: Convention of the Inception Score; None for that of torch-fidelity.

    Raises:
        TypeError: ``metrics`` is not a sequence of strings.
        ValueError: ``metrics`` is empty, has an unknown or a repeated name, or names R-precision.

    Example:
        >>> from muge_fast.image.image_set import outputs_for
        >>> outputs_for(["fid", "is"])
        ('2048', 'logits_unbiased')

    """
    if isinstance(metrics, (list, tuple)) and "r_precision" in metrics:
        raise ValueError(
            "metrics has 'r_precision', which is computed wherever there are texts: leave it out, and pass texts and "
            "clip, or image_features and text_features"
        )
    names = check_names("metrics", metrics, METRICS)
    features = (FEATURES,) if {"fid", "kid"} & set(names) else ()
    return (*features, (convention or InceptionScoreConvention()).logits) if "is" in names else features


class ImageSetAccumulator:
    """Statistics, split sums and features of one image source, whichever the metrics need.

    The constructor reads no images, so that invalid options raise before any expensive work.

    Args:
        source: A source of :func:`muge_fast.image.sources.open_images`; for FID alone also :class:`Statistics`, or the
            path of an ``.npz`` file with saved ones.
        extractor: The feature extractor.
        metrics: One or more of :data:`METRICS`, without repetitions.
        splits: Number of splits of the Inception Score; None for the extractor's convention.
        influence: Whether to keep the features for FID too, and the logits, to compute the influence of each image.

    Attributes:
        count: Number of images; None if it is unknown before all have been read.

    Raises:
        OSError: A path cannot be read.
        ValueError: No images, or too few for a metric, if their number is known; statistics for a metric other
            than FID, or of a different extractor.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.image_set import ImageSetAccumulator
        >>> from muge_fast.image.options import LoadOptions
        >>> def brightness(images):
        ...     return np.array([[image.mean()] for image in images])
        >>> image_set = ImageSetAccumulator(np.zeros((3, 8, 8, 3), dtype="uint8"), brightness, ["fid"])
        >>> image_set.run(LoadOptions())
        >>> image_set.statistics.count
        3

    """

    def __init__(
        self,
        source: ImagesOrStatistics,
        extractor: FeatureExtractor,
        metrics: Sequence[str],
        *,
        splits: int | None = None,
        influence: bool = False,
    ) -> None:
        self.extractor, self.metrics = extractor, tuple(metrics)
        self._influence = influence
        self.convention = convention_of_extractor(extractor)
        self.count: int | None = None
        self._statistics = load_statistics(source)
        self._split_sums: SplitSums | None = None
        self._features: list[npt.NDArray[np.float32]] = []
        self._logits: list[npt.NDArray[np.float32]] = []
        self._images: OpenedSource | None = None
        if isinstance(source, Statistics) or self._statistics is not None:
            self._check_statistics(self.statistics)
            return
        self._images = open_images(source)
        self.count = count_images(self._images)
        self._check_count()
        if "is" in self.metrics:
            self._split_sums = SplitSums(
                self.convention.splits if splits is None else splits,
                images=self.count,
                seed=SEED if self.convention.shuffle else None,
            )

    @property
    def statistics(self) -> Statistics:
        """Statistics for FID, after :meth:`run`."""
        assert self._statistics is not None  # noqa: S101 - FID is among the metrics
        return self._statistics

    @property
    def split_sums(self) -> SplitSums:
        """Sums for the Inception Score, after :meth:`run`."""
        assert self._split_sums is not None  # noqa: S101 - the Inception Score is among the metrics
        return self._split_sums

    @property
    def features(self) -> npt.NDArray[np.float32]:
        """Features of all images for KID, of shape ``(images, features)``, after :meth:`run`."""
        return np.concatenate(self._features)

    @property
    def logits(self) -> npt.NDArray[np.float32] | None:
        """Logits of all images, after :meth:`run`; None unless the influence of images was asked for."""
        return np.concatenate(self._logits) if self._logits else None

    @property
    def has_features(self) -> bool:
        """Whether features were kept, after :meth:`run`; none are if the source is statistics."""
        return bool(self._features)

    def run(self, load: LoadOptions) -> None:
        """Read all images and accumulate their features, once; do nothing if the source is statistics.

        Args:
            load: Options of reading images.

        Raises:
            ValueError: A broken image, named; no images; or an extractor that lacks an output.

        """
        if self._images is None:
            return
        is_empty = True
        for batch in extract_features(
            self.extractor,
            self._images,
            outputs_for(self.metrics, self.convention),
            batch_size=load.batch_size,
            threads=load.threads,
            progress=load.progress,
        ):
            is_empty = False
            self._add(batch)
        if is_empty:
            raise ValueError("there are no images")
        self._images = None

    def _add(self, batch: Mapping[str, FeatureMatrix]) -> None:
        if "fid" in self.metrics:
            if self._statistics is None:
                dims = batch[FEATURES].shape[1]
                self._statistics = Statistics(dims, extractor_signature=signature_of(self.extractor))
            self._statistics.update(batch[FEATURES])
        if self._split_sums is not None:
            self._split_sums.extend(batch[self.convention.logits])
            if self._influence:
                self._logits.append(np.array(to_numpy(batch[self.convention.logits]), dtype=np.float32))
        if "kid" in self.metrics or (self._influence and "fid" in self.metrics):
            self._features.append(np.array(to_numpy(batch[FEATURES]), dtype=np.float32))

    def _check_statistics(self, statistics: Statistics) -> None:
        if set(self.metrics) - {"fid"}:
            raise ValueError(f"statistics suffice for FID alone, {', '.join(self.metrics)} need the images")
        check_same_extractor(statistics.extractor_signature, signature_of(self.extractor))

    def _check_count(self) -> None:
        if self.count == 0:
            raise ValueError("there are no images")
        if self.count == 1 and "fid" in self.metrics:
            raise ValueError("there is 1 image, FID needs at least two")


def load_statistics(source: ImagesOrStatistics) -> Statistics | None:
    """Return the statistics that a caller passed in place of images: an object, or the path of an ``.npz`` file.

    Args:
        source: Images or statistics.

    Returns:
        The statistics; None for a source of images.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not a file of statistics.

    Example:
        >>> from muge_fast.image.image_set import load_statistics
        >>> print(load_statistics("generated/"))
        None

    """
    if isinstance(source, Statistics):
        return source
    if isinstance(source, (str, os.PathLike)) and Path(source).suffix.lower() == ".npz":
        return Statistics.load(source)
    return None
