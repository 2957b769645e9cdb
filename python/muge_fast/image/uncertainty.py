"""Uncertainty of FID and the Inception Score: extrapolation to infinitely many images, and bootstrap intervals."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import finite_number, whole_number
from muge_fast.image._inception_score import inception_score_from_logits
from muge_fast.image.backend import NumpyBackend
from muge_fast.image.frechet import frechet_distance
from muge_fast.image.inputs import checked_features, describe
from muge_fast.image.options import SEED, UNKNOWN_EXTRACTOR
from muge_fast.image.split_sums import mean_and_std_of_sums, split_bounds
from muge_fast.image.statistics import Statistics, feature_pair
from muge_fast.scores import Score, set_score, signature


def fid_infinity(
    real: Statistics,
    generated: npt.ArrayLike,
    *,
    num_sizes: int = 15,
    min_size: int | None = None,
    seed: int = SEED,
) -> Score:
    """Extrapolate FID to infinitely many generated images (Chong and Forsyth, 2020).

    FID of ``n`` images exceeds that of infinitely many by about a constant over ``n``. Random subsets of several sizes
    are drawn, and the line through their FID over ``1 / n`` is extended to 0.

    Args:
        real: Statistics of the real images.
        generated: Features of the generated images, of shape ``(images, features)``.
        num_sizes: Number of sizes, at least 2, evenly spaced up to all images.
        min_size: Smallest size, at least 2 and smaller than the number of images; None for a fifth of them.
        seed: Seed of the subsets.

    Returns:
        The score ``"fid_infinity"``; lower is better. Its parts are the FID of each size, such as ``"fid@1000"``.

    Raises:
        TypeError: A number is not an integer, or ``real`` is not a :class:`Statistics`.
        ValueError: A number is out of range, shapes do not match, or a feature is not finite.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import Statistics, fid_infinity
        >>> random = np.random.default_rng(0)
        >>> real = Statistics.from_state({"mu": np.zeros(4), "sigma": np.eye(4)})
        >>> score = fid_infinity(real, random.normal(size=(2000, 4)), num_sizes=3)
        >>> list(score.parts), score.value < score.parts["fid@2000"]
        (['fid@400', 'fid@1200', 'fid@2000'], True)

    """
    if not isinstance(real, Statistics):
        raise TypeError(f"real must be a Statistics, got {describe(real)}: pass Statistics.from_features(real)")
    features = NumpyBackend().as_float64(checked_features("generated", generated))
    # Subsets are in another order, in which the row of an error would be a different one.
    NumpyBackend().first_nonfinite_row(features, "generated", seen=0, earlier=None)
    num_sizes = whole_number("num_sizes", num_sizes, least=2)
    smallest = max(2, len(features) // 5) if min_size is None else whole_number("min_size", min_size, least=2)
    if smallest >= len(features):
        raise ValueError(f"min_size is {smallest}, needs to be smaller than the {len(features)} images")
    random = np.random.default_rng(seed)
    sizes = [int(size) for size in np.linspace(smallest, len(features), num_sizes)]
    distances = []
    for size in sizes:
        subset = features[random.permutation(len(features))[:size]]
        statistics = Statistics.from_features(subset, extractor_signature=real.extractor_signature)
        distances.append(frechet_distance(real, statistics))
    _, value = np.polyfit([1 / size for size in sizes], distances, 1)
    score_signature = signature(
        "fid_infinity",
        real.extractor_signature or UNKNOWN_EXTRACTOR,
        real=real.count or "unknown",
        generated=len(features),
        num_sizes=num_sizes,
        min_size=smallest,
        seed=seed,
    )
    parts = {f"fid@{size}": distance for size, distance in zip(sizes, distances, strict=True)}
    return set_score("fid_infinity", score_signature, float(value), parts=parts, higher_is_better=False)


def fid_interval(
    real: npt.ArrayLike,
    generated: npt.ArrayLike,
    *,
    samples: int = 200,
    level: float = 0.95,
    seed: int = SEED,
    extractor_signature: str | None = None,
) -> Score:
    """Compute FID with a confidence interval, by a bootstrap over the images of both sets.

    A bootstrap sample repeats images, so its FID exceeds that of the set, just as FID of the set exceeds the true
    distance. The interval is that of the basic bootstrap, twice FID minus the quantiles, which removes this bias to
    first order.

    Args:
        real: Features of the real images, of shape ``(images, features)``.
        generated: Features of the generated images, with the same number of columns.
        samples: Number of bootstrap samples, at least 1.
        level: Nominal probability that the interval contains the true distance, between 0 and 1.
        seed: Seed of the samples.
        extractor_signature: Signature of the extractor that made the features, for the score's signature.

    Returns:
        The score ``"fid"`` of the images; lower is better. Its parts are the bounds ``"low"`` and ``"high"``,
        ``"level"`` and ``"samples"``.

    Raises:
        TypeError: A number has the wrong type.
        ValueError: A number is out of range, shapes do not match, or a feature is not finite.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import fid_interval
        >>> features = np.random.default_rng(0).normal(size=(2, 100, 4)) + np.array([[[0.0]], [[1.0]]])
        >>> score = fid_interval(*features, samples=20)
        >>> 2 < score.parts["low"] < score.parts["high"] < 6
        True

    """
    samples, level = _check_options(samples, level)
    sets = feature_pair(real, generated)
    random = np.random.default_rng(seed)
    distance = frechet_distance(*(Statistics.from_features(features) for features in sets))
    resampled = [
        frechet_distance(*(Statistics.from_features(rows[random.integers(len(rows), size=len(rows))]) for rows in sets))
        for _ in range(samples)
    ]
    low, high = _basic_bootstrap(distance, resampled, level, least=0.0)
    score_signature = signature(
        "fid",
        extractor_signature or UNKNOWN_EXTRACTOR,
        real=len(sets[0]),
        generated=len(sets[1]),
        **_bootstrap_options(samples, level, seed),
    )
    parts = {"low": low, "high": high, "level": level, "samples": samples}
    return set_score("fid", score_signature, distance, parts=parts, higher_is_better=False)


def inception_score_interval(
    logits: npt.ArrayLike,
    *,
    splits: int = 10,
    samples: int = 200,
    level: float = 0.95,
    seed: int = SEED,
    extractor_signature: str | None = None,
) -> Score:
    """Compute the Inception Score with a confidence interval, by a bootstrap over the images.

    Each bootstrap sample is split as the images are. It has fewer different images than the set, so its score is biased
    in the same direction as that of the set. The interval is that of the basic bootstrap, twice the score minus the
    quantiles, which removes this bias to first order.

    Args:
        logits: Class logits of shape ``(images, classes)``.
        splits: Number of splits, at least 1.
        samples: Number of bootstrap samples, at least 1.
        level: Nominal probability that the interval contains the true score, between 0 and 1.
        seed: Seed of the samples.
        extractor_signature: Signature of the extractor that made the logits, for the score's signature.

    Returns:
        The score ``"is"`` of the images, the mean over splits; higher is better. Its parts are the bounds ``"low"`` and
        ``"high"``, ``"level"`` and ``"samples"``.

    Raises:
        TypeError: A number has the wrong type.
        ValueError: A number is out of range; ``logits`` is not a matrix, has a value that is not finite, or has fewer
            rows than splits.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import inception_score_interval
        >>> score = inception_score_interval(np.random.default_rng(0).normal(size=(400, 5)), splits=1)
        >>> 1 < score.parts["low"] < score.parts["high"] < 2
        True

    """
    samples, level = _check_options(samples, level)
    splits = whole_number("splits", splits)
    score = inception_score_from_logits(logits, splits=splits).value
    log_p, p = NumpyBackend().log_softmax(NumpyBackend().as_float64(checked_features("logits", logits)))
    count = len(p)
    random = np.random.default_rng(seed)
    bounds = split_bounds(count, splits)
    sizes, p_log_p, resampled = np.diff(bounds), (log_p * p).sum(axis=1), []
    for _ in range(samples):
        rows = random.integers(count, size=count)
        # Number of times that each image occurs in each split.
        occurrences = [np.bincount(rows[start:end], minlength=count) for start, end in pairwise(bounds)]
        weights = np.array(occurrences, dtype=np.float64)
        resampled.append(mean_and_std_of_sums(sizes, weights @ p_log_p, weights @ p)[0])
    low, high = _basic_bootstrap(score, resampled, level, least=1.0)
    score_signature = signature(
        "is",
        extractor_signature or UNKNOWN_EXTRACTOR,
        splits=splits,
        shuffle=SEED,
        **_bootstrap_options(samples, level, seed),
    )
    return set_score("is", score_signature, score, parts={"low": low, "high": high, "level": level, "samples": samples})


def _check_options(samples: int, level: float) -> tuple[int, float]:
    level = finite_number("level", level)
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level:g}")
    return whole_number("samples", samples), level


def _bootstrap_options(samples: int, level: float, seed: int) -> dict[str, object]:
    return {"bootstrap": samples, "level": f"{level:g}", "seed": seed}


def _basic_bootstrap(score: float, resampled: list[float], level: float, *, least: float) -> tuple[float, float]:
    """Return the bounds of the basic bootstrap, at least ``least``."""
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return max(least, float(2 * score - high)), max(least, float(2 * score - low))
