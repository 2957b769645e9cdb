"""Options of scoring images by several metrics, with their checks and their only defaults outside of signatures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy.typing as npt

from muge_fast._internal.checks import true_or_false, whole_number
from muge_fast.image._kid import check_subsets
from muge_fast.image._r_precision import NEGATIVES, check_negatives
from muge_fast.image.extractors.interface import FeatureExtractor, ProtocolName
from muge_fast.image.image_set import ImageMetric, outputs_for
from muge_fast.image.options import LoadOptions, NetworkOptions
from muge_fast.image.text_features import ImageTextModel, TextOptions


@dataclass(frozen=True)
class ScoringOptions:
    """Options of :func:`muge_fast.image.score_images`, which documents them.

    Raises:
        TypeError: An option has the wrong type.
        ValueError: An unknown metric, a number out of range, or texts without what they go together with. Other options
            are checked when files and the network are opened.

    Example:
        >>> from muge_fast.image.scoring_options import ScoringOptions
        >>> ScoringOptions(metrics=["fid"], splits=0)
        Traceback (most recent call last):
        ...
        ValueError: splits must be at least 1, got 0

    """

    metrics: Sequence[ImageMetric] = ("fid", "is")
    extractor: FeatureExtractor | None = None
    weights: str | os.PathLike[str] | None = None
    protocol: ProtocolName = "tf1"
    precision: str = "fp32"
    device: str | None = None
    batch_size: int = 32
    threads: int | None = None
    progress: bool | None = None
    splits: int | None = None
    subsets: int | None = 100
    subset_size: int = 1000
    texts: str | os.PathLike[str] | Mapping[str, str] | None = None
    clip: str | os.PathLike[str] | ImageTextModel | None = None
    image_features: str | os.PathLike[str] | npt.ArrayLike | None = None
    text_features: str | os.PathLike[str] | npt.ArrayLike | None = None
    negatives: int = NEGATIVES
    influence: bool = False

    def __post_init__(self) -> None:
        """Check the options that need no files."""
        _ = self.load, self.text, self.outputs
        if self.splits is not None:
            whole_number("splits", self.splits)
        check_subsets(self.subsets, self.subset_size)
        check_negatives(self.negatives, None)
        true_or_false("influence", self.influence)

    @property
    def network(self) -> NetworkOptions:
        """Options of the published network."""
        return NetworkOptions(self.weights, self.protocol, self.precision, self.device)

    @property
    def load(self) -> LoadOptions:
        """Options of reading images."""
        return LoadOptions(self.batch_size, self.threads, self.progress)

    @property
    def text(self) -> TextOptions:
        """Texts and a model for them, or features of images and texts, or neither."""
        return TextOptions(self.texts, self.clip, self.image_features, self.text_features)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Outputs of the network that the metrics need."""
        return outputs_for(self.metrics, self.network.convention(self.extractor))
