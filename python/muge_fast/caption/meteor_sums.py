"""METEOR as a function of the sums of its statistics, for resampling and first-order errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast.scores import AdditiveStatistics, FloatArray, ItemStatistics

ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75
WEIGHTS = np.array([1.0, 0.6, 0.8, 0.6])
CHUNKS, MATCHES = 20, slice(21, 23)


def additive_meteor(statistics: ItemStatistics) -> AdditiveStatistics:
    """Return the additive statistics of METEOR.

    The rows are those of the score, except that items whose words all match in one chunk have no chunk: the original
    leaves those chunks out when it adds up items.

    Args:
        statistics: Statistics of the score, with 23 columns.

    Returns:
        The rows with METEOR's formula.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.caption.meteor_sums import additive_meteor
        >>> score = mf.score_captions(["红色裙", "黑鞋"], [["红色裙"], ["黑色皮鞋"]], metrics=["meteor"])["meteor"]
        >>> additive = additive_meteor(score.statistics)
        >>> additive.of_sums(additive.rows.sum(axis=0, keepdims=True), [2]).tolist() == [score.value]
        True

    """
    rows = _core.meteor_additive(np.ascontiguousarray(statistics.rows))
    return AdditiveStatistics(statistics.columns, rows, _of_sums, _gradient)


def _of_sums(sums: FloatArray, counts: npt.NDArray[Any]) -> FloatArray:  # noqa: ARG001
    return _core.meteor_items(np.ascontiguousarray(sums, dtype=np.float64))


def _gradient(sums: FloatArray, count: int) -> FloatArray:
    """Return the derivative of METEOR by each sum: the product of a mean of precision and recall, and of a penalty."""
    score = _of_sums(sums[None], np.array([count]))[0]
    gradient = np.zeros(len(sums))
    if score == 0:
        return gradient
    matched = sums[4:CHUNKS].reshape(4, 2, 2)
    by_kind = np.array([DELTA, 1 - DELTA])
    weights = WEIGHTS[:, None, None] * by_kind[:, None]
    matches = (matched * weights).sum(axis=(0, 1))
    lengths = DELTA * (sums[:2] - sums[2:4]) + (1 - DELTA) * sums[2:4]
    # The mean is 1 / (Σ share · length / matches), of precision and recall.
    shares = np.array([1 - ALPHA, ALPHA])
    mean = 1 / (shares * lengths / matches).sum()
    by_length = -(mean**2) * shares / matches
    by_matches = mean**2 * shares * lengths / matches**2
    penalty = 1 - score / mean
    gradient[:2] = DELTA * by_length
    gradient[2:4] = (1 - 2 * DELTA) * by_length
    gradient[4:CHUNKS] = (weights * by_matches).ravel()
    gradient[:CHUNKS] *= 1 - penalty
    if sums[CHUNKS] > 0:
        gradient[CHUNKS] = -mean * BETA * penalty / sums[CHUNKS]
        gradient[MATCHES] = mean * BETA * penalty / sums[MATCHES].sum()
    return gradient
