"""What one source of images leaves behind for some metrics, in one pass of whatever makes features."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from muge_fast._internal.npz import Array
from muge_fast.image._inception_score import SEED, SplitSums
from muge_fast.image.backend import host
from muge_fast.image.extractors.interface import (
    FeatureExtractor,
    InceptionScoreConvention,
    convention_of_extractor,
    signature_of,
)
from muge_fast.image.extractors.running import extract_features
from muge_fast.image.frechet import refuse_protocols
from muge_fast.image.sources import count_images, open_images
from muge_fast.image.statistics import Statistics

METRICS = ("fid", "is", "kid")
FEATURES = "2048"


def outputs_of(metrics: Sequence[str], rules: InceptionScoreConvention | None = None) -> tuple[str, ...]:
    """Name what an extractor must give for some metrics.

    Args:
        metrics: Any of ``METRICS``.
        rules: How the Inception Score is made; None for the rules of torch-fidelity.

    Raises:
        ValueError: No metrics, or one that is not known.

    Example:
        >>> from muge_fast.image.image_set import outputs_of
        >>> outputs_of(["fid", "is"])
        ('2048', 'logits_unbiased')

    """
    for name in metrics:
        if name not in METRICS:
            raise ValueError(f'unknown metric "{name}", choose one of {", ".join(METRICS)}')
    if not metrics:
        raise ValueError(f"metrics is empty, choose one or more of {', '.join(METRICS)}")
    features = (FEATURES,) if {"fid", "kid"} & set(metrics) else ()
    return (*features, (rules or InceptionScoreConvention()).logits) if "is" in metrics else features


class Side:
    """What one source leaves behind for some metrics: sums, and the features themselves for KID alone.

    Made, it has looked at no image: what can be wrong with its options is told before anything takes time.

    Args:
        source: As for :func:`muge_fast.image.fid`, statistics too if FID is all that is asked for.
        extractor: What makes features, see :func:`muge_fast.image.extractors.running.extract_features`.
        metrics: Any of ``METRICS``.
        splits: Parts of the Inception Score; None for as many as the extractor's rules say.

    Attributes:
        count: How many images there are, if it is known before all have come.

    Raises:
        OSError: A path that cannot be read.
        ValueError: No images or too few, if their number is known; statistics where images are needed, or of another
            protocol.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.image_set import Side
        >>> def brightness(images):
        ...     return np.array([[image.mean()] for image in images])
        >>> Side(np.zeros((3, 8, 8, 3), dtype="uint8"), brightness, ["fid"]).look().statistics.count
        3

    """

    def __init__(
        self,
        source: Any,  # noqa: ANN401 - what callers have
        extractor: FeatureExtractor,
        metrics: Sequence[str],
        *,
        splits: int | None = None,
    ) -> None:
        self.extractor, self.metrics = extractor, metrics
        self._statistics = known_statistics(source)
        self._sums: SplitSums | None = None
        self._features: list[Array] = []
        self.count: int | None = None
        if self._statistics is None:
            self._open(source, splits)
            return
        if set(metrics) - {"fid"}:
            raise ValueError(f"statistics give FID alone, not {', '.join(metrics)}: needs the images")
        refuse_protocols(self._statistics.protocol, signature_of(extractor))

    @property
    def statistics(self) -> Statistics:
        """For FID."""
        assert self._statistics is not None  # noqa: S101 - asked for
        return self._statistics

    @property
    def sums(self) -> SplitSums:
        """For the Inception Score."""
        assert self._sums is not None  # noqa: S101 - asked for
        return self._sums

    @property
    def features(self) -> Array:
        """Features of all images, in single precision, for KID."""
        return np.concatenate(self._features)

    def look(self, **options: Any) -> Side:  # noqa: ANN401
        """Go through the images, if there are some.

        Args:
            options: For :func:`muge_fast.image.extractors.running.extract_features`.

        Raises:
            ValueError: A broken image, with its name; no images; one array where features and logits are needed.

        """
        if self._statistics is not None:
            return self
        rules = convention_of_extractor(self.extractor)
        is_empty = True
        for batch in extract_features(self.extractor, self._found, outputs_of(self.metrics, rules), **options):
            is_empty = False
            if "fid" in self.metrics:
                if self._statistics is None:
                    dims = np.shape(batch[FEATURES])[1]
                    self._statistics = Statistics(dims, protocol=signature_of(self.extractor))
                self._statistics.update(batch[FEATURES])
            if self._sums is not None:
                self._sums.extend(batch[rules.logits])
            if "kid" in self.metrics:
                self._features.append(np.array(host(batch[FEATURES]), dtype=np.float32))
        if is_empty:
            raise ValueError("there are no images")
        return self

    def _open(self, source: Any, splits: int | None) -> None:  # noqa: ANN401
        self._found = open_images(source)
        self.count = count_images(self._found)
        if self.count == 0:
            raise ValueError("there are no images")
        if self.count == 1 and "fid" in self.metrics:
            raise ValueError("a set has 1 images, needs at least two")
        if "is" in self.metrics:
            rules = convention_of_extractor(self.extractor)
            number, seed = rules.splits if splits is None else splits, SEED if rules.shuffle else None
            self._sums = SplitSums(number, images=self.count, seed=seed)


def known_statistics(source: object) -> Statistics | None:
    """Take or read statistics, which need no network.

    Returns:
        None for a source of images.

    Example:
        >>> from muge_fast.image.image_set import known_statistics
        >>> print(known_statistics("generated/"))
        None

    """
    if isinstance(source, Statistics):
        return source
    if isinstance(source, (str, os.PathLike)) and Path(source).suffix.lower() == ".npz":
        return Statistics.load(source)
    return None
