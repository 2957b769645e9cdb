"""Numbers as tables show them: scores with the digits that their error supports."""

from __future__ import annotations

import math

__all__ = ["decimals_for", "format_difference", "format_interval", "format_p", "format_score"]

MOST_DECIMALS = 6
SMALLEST_P = 0.0001


def decimals_for(error: float) -> int:
    """Return how many decimals show two significant digits of a standard error.

    Args:
        error: The standard error, in the unit of the numbers that are shown.

    Returns:
        The number of decimals, from 0 to 6; 2 if there is no error.

    Example:
        >>> from muge_fast.comparison.numbers import decimals_for
        >>> decimals_for(0.71), decimals_for(12.3), decimals_for(0.0123)
        (2, 0, 3)

    """
    if not error > 0 or math.isinf(error):
        return 2
    return min(MOST_DECIMALS, max(0, 1 - math.floor(math.log10(error))))


def format_score(value: float, decimals: int) -> str:
    """Return a score with a number of decimals; never ``-0``."""
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


def format_difference(value: float, decimals: int) -> str:
    """Return a difference with its sign."""
    text = format_score(value, decimals)
    return text if text.startswith("-") or float(text) == 0 else f"+{text}"


def format_interval(low: float, high: float, decimals: int) -> str:
    """Return an interval in brackets."""
    return f"[{format_score(low, decimals)}, {format_score(high, decimals)}]"


def format_p(p: float) -> str:
    """Return a p-value with three decimals, four below 0.1, and never as 0.

    Args:
        p: The p-value.

    Returns:
        The text.

    Example:
        >>> from muge_fast.comparison.numbers import format_p
        >>> format_p(0.0414), format_p(0.00123), format_p(1e-9), format_p(1.0)
        ('0.0414', '0.0012', '<0.0001', '1')

    """
    if p < SMALLEST_P:
        return f"<{SMALLEST_P}"
    if p >= 1:
        return "1"
    return f"{p:.4f}" if p < 0.1 else f"{p:.3f}"  # noqa: PLR2004 - where p is near common levels
