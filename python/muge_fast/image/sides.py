"""What one source of images leaves behind for some metrics, in one pass of whatever makes features."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from muge_fast.image.device import host
from muge_fast.image.extraction import Extractor, ScoreRules, extracted, rules_of, signature_of
from muge_fast.image.inception_score import SEED, SplitSums
from muge_fast.image.sources import count_images, open_images
from muge_fast.image.statistics import Array, Statistics

METRICS = ("fid", "is", "kid")
FEATURES = "2048"


def outputs_of(metrics: Sequence[str], rules: ScoreRules | None = None) -> tuple[str, ...]:
    """Name what an extractor must give for some metrics.

    Args:
        metrics: Any of ``METRICS``.
        rules: How the Inception Score is made; None for the rules of torch-fidelity.

    Raises:
        ValueError: No metrics, or one that is not known.

    Example:
        >>> from muge_fast.image.sides import outputs_of
        >>> outputs_of(["fid", "is"])
        ('2048', 'logits_unbiased')

    """
    for name in metrics:
        if name not in METRICS:
            raise ValueError(f'unknown metric "{name}", choose one of {", ".join(METRICS)}')
    if not metrics:
        raise ValueError(f"metrics is empty, choose one or more of {', '.join(METRICS)}")
    features = (FEATURES,) if {"fid", "kid"} & set(metrics) else ()
    return (*features, (rules or ScoreRules()).logits) if "is" in metrics else features


class Side:
    """What one source leaves behind for some metrics: sums, and the features themselves for KID alone.

    Args:
        source: As for :func:`muge_fast.image.fid`, statistics too if FID is all that is asked for.
        extractor: What makes features, see :func:`muge_fast.image.extraction.extracted`.
        metrics: Any of ``METRICS``.
        splits: Parts of the Inception Score; None for as many as the extractor's rules say.
        options: For :func:`muge_fast.image.extraction.extracted`.

    Raises:
        OSError: A path that cannot be read.
        ValueError: A broken image, with its name; no images; statistics where images are needed; one array where
            features and logits are needed.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.sides import Side
        >>> def brightness(images):
        ...     return np.array([[image.mean()] for image in images])
        >>> Side(np.zeros((3, 8, 8, 3), dtype="uint8"), brightness, ["fid"]).statistics.count
        3

    """

    def __init__(
        self,
        source: Any,  # noqa: ANN401 - what callers have
        extractor: Extractor,
        metrics: Sequence[str],
        *,
        splits: int | None = None,
        **options: Any,  # noqa: ANN401
    ) -> None:
        self._statistics = known_statistics(source)
        self._sums: SplitSums | None = None
        self._features: list[Array] = []
        if self._statistics is None:
            self._look(source, extractor, metrics, splits, options)
        elif set(metrics) - {"fid"}:
            raise ValueError(f"statistics give FID alone, not {', '.join(metrics)}: needs the images")

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

    def _look(
        self,
        source: Any,  # noqa: ANN401
        extractor: Extractor,
        metrics: Sequence[str],
        splits: int | None,
        options: dict[str, Any],
    ) -> None:
        rules = rules_of(extractor)
        found = open_images(source)
        if "is" in metrics:
            number, seed = rules.splits if splits is None else splits, SEED if rules.shuffle else None
            self._sums = SplitSums(number, images=count_images(found), seed=seed)
        is_empty = True
        for batch in extracted(extractor, found, outputs_of(metrics, rules), **options):
            is_empty = False
            if "fid" in metrics:
                if self._statistics is None:
                    dims = np.shape(batch[FEATURES])[1]
                    self._statistics = Statistics(dims, protocol=signature_of(extractor))
                self._statistics.update(batch[FEATURES])
            if self._sums is not None:
                self._sums.extend(batch[rules.logits])
            if "kid" in metrics:
                self._features.append(np.array(host(batch[FEATURES]), dtype=np.float32))
        if is_empty:
            raise ValueError("there are no images")


def known_statistics(source: object) -> Statistics | None:
    """Take or read statistics, which need no network.

    Returns:
        None for a source of images.

    Example:
        >>> from muge_fast.image.sides import known_statistics
        >>> print(known_statistics("generated/"))
        None

    """
    if isinstance(source, Statistics):
        return source
    if isinstance(source, (str, os.PathLike)) and Path(source).suffix.lower() == ".npz":
        return Statistics.load(source)
    return None
