"""Axes of drawings: ranges of values with round ends."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# Round steps of scores.
ROUND_SCORES = (1, 2, 2.5, 5, 10)


class Axis(NamedTuple):
    """A range of values with round ends.

    Attributes:
        low: Lowest value.
        high: Highest value.
        step: Distance of the labels, or of the edges of bins.

    """

    low: float
    high: float
    step: float


def round_axis(low: float, high: float, parts: int, factors: Sequence[float] = ROUND_SCORES) -> Axis:
    """Return round ends and a round step for a range of values.

    Args:
        low: Lowest value.
        high: Highest value.
        parts: Number of parts of the axis, about.
        factors: Steps that are round, times a power of ten.

    Returns:
        The axis.

    Example:
        >>> from muge_fast.evaluation.report_page.axes import round_axis
        >>> round_axis(-3.2, 11, 4)
        Axis(low=-5.0, high=15.0, step=5.0)

    """
    high = high if high > low else low + 1
    raw = (high - low) / parts
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in factors if factor * power >= raw * (1 - 1e-9))
    return Axis(step * math.floor(low / step + 1e-9), step * math.ceil(high / step - 1e-9), step)


def ticks(axis: Axis) -> Iterator[float]:
    """Yield the values of an axis that have labels.

    Args:
        axis: The axis.

    Yields:
        The values.

    """
    yield from (
        round(axis.low + index * axis.step, 9) for index in range(round((axis.high - axis.low) / axis.step) + 1)
    )
