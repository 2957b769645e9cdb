"""Options of caption scoring, checked before any text is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from muge_fast import _core
from muge_fast._internal.checks import check_choice, check_names, finite_number

METRICS = ("cider_d", "bleu", "rouge_l", "cider")
DEFAULT_METRICS = ("cider_d", "bleu", "rouge_l")
SMOOTHINGS = ("tiny", "none", "floor", "add-k", "exp")

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
        names = check_names("metrics", metrics, METRICS)
        check_choice("smoothing", smoothing, SMOOTHINGS)
        value = None if smoothing_value is None else _positive("smoothing_value", smoothing_value)
        if not isinstance(effective_order, (bool, np.bool_)):
            raise TypeError(f"effective_order must be True or False, got {effective_order!r}")
        if value is not None:
            # The core checks that the smoothing has a value; the score of no items is not used.
            _core.bleu_score(np.zeros((0, len(BLEU_COLUMNS))), smoothing, value, effective_order=bool(effective_order))
        return cls(names, smoothing, value, bool(effective_order), _positive("sigma", sigma))


def _positive(name: str, value: float) -> float:
    number = finite_number(name, value)
    if number <= 0:
        raise ValueError(f"{name} must be positive, got {value}")
    return number
