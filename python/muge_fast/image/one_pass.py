"""Several metrics of two sources from one pass of whatever makes features: each image goes through it once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from muge_fast.image._fid import fid_of
from muge_fast.image._inception_score import SEED
from muge_fast.image._kid import kid_of, refuse_subsets
from muge_fast.image.extractors.interface import FeatureExtractor, signature_of
from muge_fast.image.image_set import Side
from muge_fast.scores import Score, set_score, signature


class OnePass:
    """Some metrics of generated images against real ones; see :func:`muge_fast.image.score_images`.

    Made, it has looked at no image: what can be wrong with its options is told before anything takes time.

    Args:
        generated: Generated images.
        real: Real ones. The Inception Score does not need them: where it is all, they are not looked at.
        extractor: What makes features.
        metrics: Any of :data:`muge_fast.image.image_set.METRICS`.
        splits: Of the Inception Score.
        subsets: Of KID.
        subset_size: Images of each.

    Raises:
        OSError: As for :class:`muge_fast.image.image_set.Side`.
        ValueError: As for :class:`muge_fast.image.image_set.Side`, or fewer images than a subset has.

    Example:
        >>> from muge_fast.image.one_pass import OnePass
        >>> OnePass("generated/", "real/", extractor, ("fid",)).scores()  # doctest: +SKIP

    """

    def __init__(
        self,
        generated: Any,  # noqa: ANN401 - what callers have
        real: Any,  # noqa: ANN401
        extractor: FeatureExtractor,
        metrics: Sequence[str],
        *,
        splits: int | None = None,
        subsets: int = 100,
        subset_size: int = 1000,
    ) -> None:
        self.metrics, self.signature = metrics, signature_of(extractor)
        self.subsets, self.subset_size = subsets, subset_size
        compared = [name for name in metrics if name != "is"]
        self._theirs = Side(real, extractor, compared) if compared else None
        self._own = Side(generated, extractor, metrics, splits=splits)
        if "kid" in metrics and self._theirs is not None:
            self.subsets, self.subset_size = refuse_subsets(subsets, subset_size, self._own.count, self._theirs.count)

    def scores(self, **options: Any) -> dict[str, Score]:  # noqa: ANN401
        """Go through the images and compute the metrics, in the order in which they were asked for.

        Args:
            options: For :func:`muge_fast.image.extractors.running.extract_features`.

        Raises:
            ValueError: As for :meth:`muge_fast.image.image_set.Side.look`.

        """
        if self._theirs is not None:
            self._theirs.look(**options)
        self._own.look(**options)
        of = {"fid": self._fid, "is": self._inception_score, "kid": self._kid}
        return {name: of[name]() for name in self.metrics}

    def _fid(self) -> Score:
        assert self._theirs is not None  # noqa: S101 - it is compared
        with warnings.catch_warnings():
            # The signature tells how many images there were.
            warnings.simplefilter("ignore")
            return fid_of(self._theirs.statistics, self._own.statistics)

    def _kid(self) -> Score:
        assert self._theirs is not None  # noqa: S101 - it is compared
        sizes = {"subsets": self.subsets, "subset_size": self.subset_size}
        found = kid_of(self._theirs.features, self._own.features, **sizes)
        signed = signature("kid", self.signature, **sizes, seed=SEED)
        return set_score("kid", signed, found.mean, parts={"std": found.std}, higher_is_better=False)

    def _inception_score(self) -> Score:
        sums = self._own.sums
        found = sums.score()
        # Of a single part nothing is dealt.
        rule = "dealt" if sums.images is None and (sums.splits > 1 or sums.seed is not None) else "shuffle"
        order = "none" if sums.seed is None else sums.seed
        signed = signature("is", self.signature, splits=sums.splits, **{rule: order})
        return set_score("is", signed, found.mean, parts={"std": found.std})
