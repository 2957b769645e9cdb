"""BLEU as a function of the sums of its statistics, for resampling and first-order errors."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast.caption.options import ORDERS
from muge_fast.scores import AdditiveStatistics, FloatArray, ItemStatistics

ADD_K_DEFAULT = 1.0

Options = tuple[str, "float | None", bool]
"""Smoothing, its value, and effective order."""


def additive_bleu(
    smoothing: str, smoothing_value: float | None, effective_order: bool, statistics: ItemStatistics
) -> AdditiveStatistics:
    """Return the additive statistics of BLEU-4.

    Args:
        smoothing: Name of the smoothing.
        smoothing_value: Value of the smoothing; None for its default.
        effective_order: Whether orders that predictions are too short for are left out.
        statistics: Statistics of the score, with ten columns.

    Returns:
        The same rows with the formula of these options.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.caption.bleu_sums import additive_bleu
        >>> score = mf.score_captions(["红色连衣裙", "黑鞋"], [["红色连衣裙"], ["黑色皮鞋"]])["bleu"]
        >>> additive = additive_bleu("tiny", None, False, score.statistics)
        >>> additive.of_sums(additive.rows.sum(axis=0, keepdims=True), [2]).tolist() == [score.value]
        True

    """
    options = (smoothing, smoothing_value, effective_order)
    return AdditiveStatistics(
        statistics.columns, statistics.rows, partial(_of_sums, options), partial(_gradient, options)
    )


def _of_sums(options: Options, sums: FloatArray, counts: npt.NDArray[Any]) -> FloatArray:  # noqa: ARG001
    smoothing, value, effective_order = options
    rows = np.ascontiguousarray(sums, dtype=np.float64)
    return _core.bleu_of_sums(rows, smoothing, value, effective_order, "float64")


def _gradient(options: Options, sums: FloatArray, count: int) -> FloatArray:
    """Return the derivative of BLEU-4 by each sum.

    An order without a match has none in any sample of the same items, so its smoothed number of matches is constant.
    """
    smoothing, value, effective_order = options
    bleu = _of_sums(options, sums[None], np.array([count]))[0]
    if bleu == 0:
        return np.zeros(len(sums))
    highest = len(ORDERS)
    matches, ngrams = sums[2:].reshape(2, highest).copy()
    if smoothing == "add-k":
        k = ADD_K_DEFAULT if value is None else value
        matches[1:] += k
        ngrams[1:] += k
    # Effective order leaves out the orders that all predictions are too short for.
    used = ngrams > 0
    orders = int(used.sum()) if effective_order and smoothing != "tiny" else highest
    by_match = np.divide(1, matches * orders, out=np.zeros(highest), where=used & (matches > 0))
    by_ngram = np.divide(-1, ngrams * orders, out=np.zeros(highest), where=used)
    by_length = np.zeros(2)
    prediction, reference = sums[:2]
    if 0 < prediction < reference:
        by_length[:] = reference / prediction**2, -1 / prediction
    gradient: FloatArray = bleu * np.concatenate([by_length, by_match, by_ngram])
    return gradient
