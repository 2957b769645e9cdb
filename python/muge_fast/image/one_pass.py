"""Several metrics of two sources from one pass of the network: each image goes through it once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from muge_fast.image.device import host
from muge_fast.image.fid import fid_of, known_statistics, set_score
from muge_fast.image.inception_score import SEED, SplitSums
from muge_fast.image.kid import kid_of
from muge_fast.image.sources import count_images, open_images
from muge_fast.image.statistics import Array, Statistics
from muge_fast.score import Score

if TYPE_CHECKING:
    from muge_fast.image.extractor import InceptionExtractor

METRICS = ("fid", "is", "kid")
FEATURES, LOGITS = "2048", "logits_unbiased"


def outputs_of(metrics: Sequence[str]) -> tuple[str, ...]:
    """Name what the network must give for some metrics.

    Raises:
        ValueError: No metrics, or one that is not known.

    Example:
        >>> from muge_fast.image.one_pass import outputs_of
        >>> outputs_of(["fid", "is"])
        ('2048', 'logits_unbiased')

    """
    for name in metrics:
        if name not in METRICS:
            raise ValueError(f'unknown metric "{name}", choose one of {", ".join(METRICS)}')
    if not metrics:
        raise ValueError(f"metrics is empty, choose one or more of {', '.join(METRICS)}")
    features = (FEATURES,) if {"fid", "kid"} & set(metrics) else ()
    return (*features, LOGITS) if "is" in metrics else features


class Side:
    """What one source leaves behind for some metrics: sums, and the features themselves for KID alone.

    Args:
        source: As for :func:`muge_fast.image.fid`, statistics too if FID is all that is asked for.
        extractor: The network.
        metrics: Any of ``METRICS``.
        splits: Parts of the Inception Score.
        options: For the stream of the extractor.

    Raises:
        OSError: A path that cannot be read.
        ValueError: A broken image, with its name; statistics where images are needed.

    Example:
        >>> from muge_fast.image.one_pass import Side
        >>> Side("generated/", extractor, ("fid",), 10).statistics.count  # doctest: +SKIP
        5000

    """

    def __init__(
        self,
        source: Any,  # noqa: ANN401 - what callers have
        extractor: InceptionExtractor,
        metrics: Sequence[str],
        splits: int,
        **options: Any,  # noqa: ANN401
    ) -> None:
        self.features: list[Array] = []
        self.statistics = Statistics(2048, protocol=extractor.signature)
        known = known_statistics(source)
        if known is not None:
            if set(metrics) - {"fid"}:
                raise ValueError(f"statistics give FID alone, not {', '.join(metrics)}: needs the images")
            self.statistics = known
            return
        found = open_images(source)
        self.sums = SplitSums(splits, images=count_images(found)) if "is" in metrics else None
        for batch in extractor.stream(found, **options):
            if "fid" in metrics:
                self.statistics.update(batch[FEATURES])
            if self.sums is not None:
                self.sums.extend(batch[LOGITS])
            if "kid" in metrics:
                self.features.append(host(batch[FEATURES]).astype(np.float32))

    def all_features(self) -> Array:
        """Features of all images, for KID."""
        return np.concatenate(self.features) if self.features else np.empty((0, 1))


def one_pass(
    generated: Any,  # noqa: ANN401 - what callers have
    real: Any,  # noqa: ANN401
    extractor: InceptionExtractor,
    metrics: Sequence[str],
    *,
    splits: int,
    subsets: int,
    subset_size: int,
    **options: Any,  # noqa: ANN401
) -> dict[str, Score]:
    """Compute some metrics of generated images against real ones; see :func:`muge_fast.image.score_images`.

    The Inception Score needs no real images: they are not looked at where it is all that is asked for.

    Example:
        >>> from muge_fast.image.one_pass import one_pass
        >>> one_pass("generated/", "real/", extractor, ("fid",), splits=10, subsets=1, subset_size=9)  # doctest: +SKIP

    """
    compared = [name for name in metrics if name != "is"]
    theirs = Side(real, extractor, compared, splits, **options) if compared else None
    own = Side(generated, extractor, metrics, splits, **options)
    scores = {}
    for name in metrics:
        if name == "is":
            assert own.sums is not None  # noqa: S101 - asked for
            scores[name] = _inception_score(own.sums, extractor.signature)
        elif theirs is not None and name == "fid":
            with warnings.catch_warnings():
                # The signature tells how many images there were.
                warnings.simplefilter("ignore")
                scores[name] = fid_of(theirs.statistics, own.statistics)
        elif theirs is not None:
            found = kid_of(theirs.all_features(), own.all_features(), subsets=subsets, subset_size=subset_size)
            signature = f"kid|subsets:{subsets}|subset_size:{subset_size}|seed:{SEED}|{extractor.signature}"
            scores[name] = set_score("kid", found.mean, signature, {"std": found.std})
    return scores


def _inception_score(sums: SplitSums, features: str) -> Score:
    found = sums.score()
    rule = "shuffle" if sums.images is not None else "dealt"
    return set_score("is", found.mean, f"is|splits:{sums.splits}|{rule}:{sums.seed}|{features}", {"std": found.std})
