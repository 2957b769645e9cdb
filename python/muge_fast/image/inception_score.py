"""The Inception Score of logits."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast.image.statistics import Float64

SEED = 2020


class MeanAndSpread(NamedTuple):
    """A score over several parts.

    Attributes:
        mean: The mean over parts.
        std: The standard deviation over parts, by their number.

    Example:
        >>> from muge_fast.image import MeanAndSpread
        >>> MeanAndSpread(mean=2.0, std=0.1).mean
        2.0

    """

    mean: float
    std: float


def inception_score_of(
    logits: npt.ArrayLike, *, splits: int = 10, shuffle: bool = True, seed: int = SEED
) -> MeanAndSpread:
    """Compute the Inception Score (Salimans et al., 2016) as torch-fidelity does, in double precision.

    Args:
        logits: Of shape ``(images, classes)``, without bias in the definition by the weights of 2015.
        splits: How many parts; part ``k`` of ``n`` images has the rows from ``k n // splits`` to
            ``(k + 1) n // splits``.
        shuffle: Whether rows are put in the order of ``RandomState(seed).permutation`` before.
        seed: Of the order.

    Returns:
        Mean and standard deviation over parts.

    Raises:
        ValueError: No matrix, a number that is not finite, or fewer images than parts.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import inception_score_of
        >>> round(inception_score_of(100 * np.eye(4)[[0, 1, 2, 3] * 5], splits=1).mean, 6)
        4.0

    """
    matrix = np.asarray(logits, dtype=np.float64)
    if matrix.ndim != 2 or splits < 1 or len(matrix) < splits:  # noqa: PLR2004
        raise ValueError(f"logits have shape {matrix.shape}, need (images, classes) with at least {splits} images")
    if not np.isfinite(matrix).all():
        raise ValueError(f"logits[{np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0]}] is not finite")
    if shuffle:
        matrix = matrix[np.random.RandomState(seed).permutation(len(matrix))]
    ends = [part * len(matrix) // splits for part in range(splits + 1)]
    scores = [_score(matrix[start:end]) for start, end in pairwise(ends)]
    return MeanAndSpread(float(np.mean(scores)), float(np.std(scores)))


def _score(logits: Float64) -> float:
    """The exponential of the mean divergence of images from all of the part."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    shares = np.exp(logs)
    mean = shares.mean(axis=0, keepdims=True)
    # Where no image has a class, its share and with it the divergence are zero.
    divergence = shares * (logs - np.log(np.maximum(mean, np.finfo(np.float64).tiny)))
    return float(np.exp(divergence.sum(axis=1).mean()))
