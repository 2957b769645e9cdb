"""What the numbers of options may be."""

from __future__ import annotations

import math
from numbers import Integral, Real

from muge_fast.problems import shown


def whole_number(name: str, value: object, least: int = 1) -> int:
    """Take a whole number: Python's, or one of NumPy.

    Args:
        name: What errors call it.
        value: What a caller gave.
        least: The smallest that is allowed.

    Returns:
        The number as Python's: sums with one of NumPy's few bits would be wrong.

    Raises:
        ValueError: It is something else, or too small.

    Example:
        >>> from muge_fast.image.options import whole_number
        >>> whole_number("splits", 2.5)
        Traceback (most recent call last):
        ...
        ValueError: splits is 2.5, needs a whole number of at least 1

    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is {value!r}, needs a whole number of at least {least}")
    return int(value)


def finite_number(name: str, value: object) -> float:
    """Take a number that is finite.

    Args:
        name: What errors call it.
        value: What a caller gave.

    Raises:
        ValueError: It is something else.

    Example:
        >>> from muge_fast.image.options import finite_number
        >>> finite_number("gamma", float("nan"))
        Traceback (most recent call last):
        ...
        ValueError: gamma is nan, needs a finite number

    """
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} is {shown(value)}, needs a finite number")
    return number
