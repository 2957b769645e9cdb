"""Warnings about sets of images that are too small for a metric."""

from __future__ import annotations

from muge_fast._internal.caller_warnings import warn_caller

# Below this number of images the bias of FID is visible.
MIN_IMAGES_FOR_FID = 10_000
# The score of a split is at most its number of images: with fewer images than classes, the limit of the network, 1008,
# is out of reach, and the score falls with the number of images.
MIN_IMAGES_PER_SPLIT = 1_000

# Regular expression that all messages match.
SMALL_SET = ".* is biased (upwards|downwards)"


def small_set_warning(metric: str, images: int, *, splits: int = 10) -> str | None:
    """Return the warning about the number of images of a score, or None if there are enough.

    Args:
        metric: Name of the metric: ``"fid"``, ``"is"``, or any other, which has no warning.
        images: Number of images of the set; of the smaller set if there are two.
        splits: Number of splits of the Inception Score.

    Returns:
        One sentence, or None.

    Example:
        >>> from muge_fast.image.small_sets import small_set_warning
        >>> small_set_warning("fid", 24)
        'FID of 24 images is biased upwards; compare it only with FID of sets of equal size'
        >>> print(small_set_warning("is", 50_000))
        None

    """
    if metric == "fid" and images < MIN_IMAGES_FOR_FID:
        return f"FID of {images} images is biased upwards; compare it only with FID of sets of equal size"
    if metric == "is" and images < splits * MIN_IMAGES_PER_SPLIT:
        sizes = f"{splits} splits of about {images // splits} images each" if splits > 1 else f"{images} images"
        return f"Inception Score of {sizes} is biased downwards; compare it only with scores of equal splits"
    return None


def warn_about_small_set(metric: str, images: int, *, splits: int = 10) -> None:
    """Issue :func:`small_set_warning` at the line that called this package, if there is one.

    Args:
        metric: Name of the metric.
        images: Number of images of the set; of the smaller set if there are two.
        splits: Number of splits of the Inception Score.

    Example:
        >>> from muge_fast.image.small_sets import warn_about_small_set
        >>> warn_about_small_set("fid", 10_000)

    """
    message = small_set_warning(metric, images, splits=splits)
    if message is not None:
        warn_caller(message)
