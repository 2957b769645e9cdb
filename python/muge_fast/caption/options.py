"""Options of caption scoring, checked before any text is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from muge_fast import _core
from muge_fast._internal.checks import check_choice, check_names, finite_number, fold_name, true_or_false
from muge_fast._internal.display import format_argument

CaptionMetric = Literal["cider_d", "bleu", "rouge_l", "cider", "meteor"]
"""Names of the metrics of captions, for type checkers."""

Smoothing = Literal["tiny", "none", "floor", "add-k", "exp"]
"""Names of the smoothings of BLEU, for type checkers."""

METRICS: tuple[CaptionMetric, ...] = ("cider_d", "bleu", "rouge_l", "cider", "meteor")
DEFAULT_METRICS: tuple[CaptionMetric, ...] = ("cider_d", "bleu", "rouge_l")
SMOOTHINGS: tuple[Smoothing, ...] = ("tiny", "none", "floor", "add-k", "exp")

ALIASES = {"bleu": "bleu", "bleu4": "bleu", "ciderd": "cider_d", "rougel": "rouge_l"}
"""Other names that mean exactly the same, in lower case and without separators."""

OF_RETRIEVAL = "it is a metric of score_retrieval"

ELSEWHERE = {
    "cider": "'CIDEr' has two meanings: write 'cider_d' for CIDEr-D, which pycocoevalcap calls CIDEr, or 'cider' for "
    "CIDEr without clipping and length penalty",
    **{
        f"bleu{order}": f"BLEU-{order} is scores['bleu'].parts['bleu_{order}'] of the metric 'bleu'"
        for order in (1, 2, 3)
    },
    "rouge": "write 'rouge_l' for ROUGE-L, which pycocoevalcap calls Rouge",
    **dict.fromkeys(("spice", "wmd"), "SPICE and WMD are not computed, they need Java or models"),
    **dict.fromkeys(("clipscore", "clips"), "muge_fast.image.clip_score computes CLIPScore"),
    **dict.fromkeys(("meanrecall", "recall", "precision", "mrr", "map", "hitrate"), OF_RETRIEVAL),
    **dict.fromkeys(("fid", "kid", "is", "rprecision"), "it is a metric of image.score_images"),
}
"""Advice for names that are not accepted, by the name in lower case without separators."""

ORDERS = range(1, 5)
BLEU_COLUMNS = (
    "prediction_length",
    "reference_length",
    *(f"matches_{order}" for order in ORDERS),
    *(f"ngrams_{order}" for order in ORDERS),
)
"""Columns of BLEU's statistics, see :func:`muge_fast.score_captions`."""


@dataclass(frozen=True)
class ScoringOptions:
    """Checked options of :func:`muge_fast.score_captions`, as plain Python values.

    Attributes:
        metrics: Names of the metrics, in the order of the result.
        smoothing: Smoothing of BLEU.
        smoothing_value: Its parameter; None for its default.
        effective_order: Whether BLEU skips orders that a text is too short for.
        sigma: Standard deviation of CIDEr-D's length penalty, in tokens.

    """

    metrics: tuple[str, ...]
    smoothing: str
    smoothing_value: float | None
    effective_order: bool
    sigma: float

    @classmethod
    def check(
        cls,
        *,
        metrics: Iterable[str],
        smoothing: str,
        smoothing_value: float | None,
        effective_order: bool,
        sigma: float,
    ) -> ScoringOptions:
        """Check all options.

        Numbers become Python floats, as the core computes with them and signatures show them: NumPy's 0.1 in single
        precision is 0.10000000149011612.

        Args:
            metrics: At least one of :data:`METRICS`, without repetitions.
            smoothing: One of :data:`SMOOTHINGS`.
            smoothing_value: A positive number; None unless ``smoothing`` is ``"floor"`` or ``"add-k"``.
            effective_order: Whether BLEU skips orders that a text is too short for.
            sigma: A positive number.

        Returns:
            The options.

        Raises:
            TypeError: An option of the wrong type.
            ValueError: An unknown or repeated name, a number out of range, or a ``smoothing_value`` for a smoothing
                that has none.

        """
        if type(metrics) is tuple:
            try:
                return _check_again(metrics, smoothing, smoothing_value, effective_order, sigma)
            except TypeError:
                # An option that cannot be a key; or an error that is raised again.
                pass
        return cls._check(metrics, smoothing, smoothing_value, effective_order, sigma)

    @classmethod
    def _check(
        cls,
        metrics: Iterable[str],
        smoothing: str,
        smoothing_value: float | None,
        effective_order: bool,
        sigma: float,
    ) -> ScoringOptions:
        names = _check_metrics(metrics)
        check_choice("smoothing", smoothing, SMOOTHINGS)
        value = None if smoothing_value is None else _positive("smoothing_value", smoothing_value)
        effective_order = true_or_false("effective_order", effective_order)
        if value is not None:
            # The core checks that the smoothing has a value; the score of no items is not used.
            _core.bleu_score(np.zeros((0, len(BLEU_COLUMNS))), smoothing, value, effective_order=effective_order)
        return cls(names, smoothing, value, effective_order, _positive("sigma", sigma))


# Cached for training loops, which score small batches many times. Different types are different keys: True is not 1.
@lru_cache(typed=True)
def _check_again(*options: Any) -> ScoringOptions:  # noqa: ANN401
    return ScoringOptions._check(*options)  # noqa: SLF001 - defined here


def _check_metrics(metrics: Iterable[str]) -> tuple[str, ...]:
    names = metrics if isinstance(metrics, (str, bytes)) or not isinstance(metrics, Iterable) else tuple(metrics)
    for name in names if isinstance(names, tuple) else ():
        hint = _hint(name) if isinstance(name, str) and name not in METRICS else None
        if hint is not None:
            raise ValueError(f"unknown metrics {format_argument(name)}, choose from {', '.join(METRICS)}; {hint}")
    return check_names("metrics", names, METRICS, ALIASES)


def _hint(name: str) -> str | None:
    """Return what to do about the name of another metric, such as ``"recall@5"``."""
    return OF_RETRIEVAL if "@" in name else ELSEWHERE.get(fold_name(name))


def _positive(name: str, value: float) -> float:
    number = finite_number(name, value)
    if number <= 0:
        raise ValueError(f"{name} must be positive, got {value}")
    return number
