"""Several metrics of two sources from one pass of whatever makes features: each image goes through it once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from muge_fast.image.extraction import Extractor, signature_of
from muge_fast.image.fid import fid_of, set_score
from muge_fast.image.inception_score import SEED, SplitSums
from muge_fast.image.kid import kid_of
from muge_fast.image.sides import Side
from muge_fast.score import Score


def one_pass(
    generated: Any,  # noqa: ANN401 - what callers have
    real: Any,  # noqa: ANN401
    extractor: Extractor,
    metrics: Sequence[str],
    *,
    splits: int | None,
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
    theirs = Side(real, extractor, compared, **options) if compared else None
    own = Side(generated, extractor, metrics, splits=splits, **options)
    signature = signature_of(extractor)
    scores = {}
    for name in metrics:
        if name == "is":
            scores[name] = _inception_score(own.sums, signature)
        elif theirs is not None and name == "fid":
            with warnings.catch_warnings():
                # The signature tells how many images there were.
                warnings.simplefilter("ignore")
                scores[name] = fid_of(theirs.statistics, own.statistics)
        elif theirs is not None:
            found = kid_of(theirs.features, own.features, subsets=subsets, subset_size=subset_size)
            rule = f"kid|subsets:{subsets}|subset_size:{subset_size}|seed:{SEED}"
            scores[name] = set_score("kid", found.mean, f"{rule}|{signature}", {"std": found.std})
    return scores


def _inception_score(sums: SplitSums, features: str) -> Score:
    found = sums.score()
    # Of a single part nothing is dealt.
    rule = "dealt" if sums.images is None and (sums.splits > 1 or sums.seed is not None) else "shuffle"
    order = "none" if sums.seed is None else sums.seed
    return set_score("is", found.mean, f"is|splits:{sums.splits}|{rule}:{order}|{features}", {"std": found.std})
