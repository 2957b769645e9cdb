"""How sure scores are: what more images would give, and between which bounds they lie."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast.image._inception_score import SEED, inception_score_of, score_of_sums
from muge_fast.image.backend import NumpyBackend
from muge_fast.image.frechet import frechet_distance
from muge_fast.image.statistics import Statistics


class Extrapolation(NamedTuple):
    """A distance carried on to infinitely many images.

    Attributes:
        value: The distance where one by the number of images is zero.
        counts: Numbers of images that were tried.
        distances: The distance of each.

    Example:
        >>> from muge_fast.image import Extrapolation
        >>> Extrapolation(value=3.0, counts=[10, 20], distances=[5.0, 4.0]).value
        3.0

    """

    value: float
    counts: list[int]
    distances: list[float]


class Interval(NamedTuple):
    """Bounds of a score.

    Attributes:
        low: The lower bound.
        high: The upper bound.

    Example:
        >>> from muge_fast.image import Interval
        >>> Interval(low=3.0, high=4.0).high
        4.0

    """

    low: float
    high: float


def fid_infinity(
    real: Statistics, generated: npt.ArrayLike, *, points: int = 15, least: int | None = None, seed: int = SEED
) -> Extrapolation:
    """Extrapolate the Fréchet distance to infinitely many generated images (Chong and Forsyth, 2020).

    The distance of ``n`` images is larger than that of all by about a constant over ``n``. Subsets of several sizes are
    drawn, and the line through their distances over ``1 / n`` is carried on to zero.

    Args:
        real: Statistics of the real images.
        generated: Features of the generated images, of shape ``(images, features)``.
        points: How many sizes.
        least: The smallest of them; None for a fifth of all images.
        seed: Of the drawing.

    Returns:
        An :class:`Extrapolation`.

    Raises:
        ValueError: Fewer than two sizes, or a smallest one that is not between 2 and the number of images.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import Statistics, fid_infinity
        >>> random = np.random.default_rng(0)
        >>> real = Statistics.from_state({"mu": np.zeros(4), "sigma": np.eye(4)})
        >>> abs(fid_infinity(real, random.normal(size=(2000, 4))).value) < 0.01
        True

    """
    features = np.asarray(generated, dtype=np.float64)
    smallest = max(2, len(features) // 5) if least is None else least
    if points < 2 or not 2 <= smallest < len(features):  # noqa: PLR2004
        raise ValueError(f"points is {points} and least {smallest}, there are {len(features)} images")
    random = np.random.default_rng(seed)
    counts = [int(count) for count in np.linspace(smallest, len(features), points)]
    distances = [
        frechet_distance(
            real, Statistics.of(features[random.permutation(len(features))[:count]], protocol=real.protocol)
        )
        for count in counts
    ]
    _, value = np.polyfit([1 / count for count in counts], distances, 1)
    return Extrapolation(float(value), counts, distances)


def fid_interval(
    real: npt.ArrayLike,
    generated: npt.ArrayLike,
    *,
    resamples: int = 200,
    level: float = 0.95,
    seed: int = SEED,
) -> Interval:
    """Bound the Fréchet distance by a bootstrap over the images of both sets.

    A resample has copies, so its distance is larger than that of the sample, as that is larger than the true one. The
    bounds are those of the basic bootstrap, ``2 d`` less the quantiles, which takes this out to first order.

    Args:
        real: Features of the real images, of shape ``(images, features)``.
        generated: Features of the generated images.
        resamples: How often both sets are drawn anew.
        level: The share of intervals that hold the true distance, about.
        seed: Of the drawing.

    Returns:
        An :class:`Interval`.

    Raises:
        ValueError: A level that is not between 0 and 1, or no resamples.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import fid_interval
        >>> features = np.random.default_rng(0).normal(size=(2, 100, 4)) + np.array([[[0.0]], [[1.0]]])
        >>> interval = fid_interval(*features, resamples=20)
        >>> 2 < interval.low < interval.high < 6
        True

    """
    _refuse_options(level, resamples)
    sides = [np.asarray(side, dtype=np.float64) for side in (real, generated)]
    random = np.random.default_rng(seed)
    distance = frechet_distance(*(Statistics.of(side) for side in sides))
    drawn = [
        frechet_distance(*(Statistics.of(side[random.integers(len(side), size=len(side))]) for side in sides))
        for _ in range(resamples)
    ]
    return _interval(distance, drawn, level, least=0.0)


def inception_score_interval(
    logits: npt.ArrayLike,
    *,
    splits: int = 10,
    resamples: int = 200,
    level: float = 0.95,
    seed: int = SEED,
) -> Interval:
    """Bound the Inception Score by a bootstrap over the images.

    Each resample is split as the images are. It has fewer different images than the sample, so its score is off to the
    same side as that of the sample is from the true one; the bounds are those of the basic bootstrap, twice the score
    less the quantiles, which takes this out to first order.

    Args:
        logits: As for :func:`muge_fast.image.inception_score_of`.
        splits: As there.
        resamples: How often the images are drawn anew.
        level: The share of intervals that hold the true score, about.
        seed: Of the drawing.

    Returns:
        An :class:`Interval` of the mean over splits.

    Raises:
        ValueError: As for :func:`muge_fast.image.inception_score_of`; a level that is not between 0 and 1, or no
            resamples.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import inception_score_interval
        >>> interval = inception_score_interval(np.random.default_rng(0).normal(size=(400, 5)), splits=1)
        >>> 1 < interval.low < interval.high < 2
        True

    """
    _refuse_options(level, resamples)
    score = inception_score_of(logits, splits=splits).mean
    logs, shares = NumpyBackend().log_shares(np.asarray(logits, dtype=np.float64))
    count = len(shares)
    random = np.random.default_rng(seed)
    ends = [part * count // splits for part in range(splits + 1)]
    sizes, entropies, drawn = np.diff(ends), (logs * shares).sum(axis=1), []
    for _ in range(resamples):
        rows = random.integers(count, size=count)
        # How often each part has each image.
        times = [np.bincount(rows[start:end], minlength=count) for start, end in pairwise(ends)]
        weights = np.array(times, dtype=np.float64)
        drawn.append(score_of_sums(sizes, weights @ entropies, weights @ shares).mean)
    return _interval(score, drawn, level, least=1.0)


def _refuse_options(level: float, resamples: int) -> None:
    if not 0 < level < 1 or resamples < 1:
        raise ValueError(f"level is {level} and resamples {resamples}, need a share and at least one")


def _interval(score: float, drawn: list[float], level: float, least: float) -> Interval:
    """The basic bootstrap: what resamples are off by, the sample is taken to be off by too."""
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(max(least, float(2 * score - high)), max(least, float(2 * score - low)))
