"""What the numbers of options may be."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable
from numbers import Integral, Real

from muge_fast._internal.display import format_value


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
        >>> from muge_fast._internal.checks import whole_number
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
        >>> from muge_fast._internal.checks import finite_number
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
        raise ValueError(f"{name} is {format_value(value)}, needs a finite number")
    return number


def find_repeated(items: Collection[Hashable]) -> int | None:
    """Find the place at which an item comes a second time; None if all differ.

    Args:
        items: The items of one list, which may be as long as a hostile line: it is walked once.

    Returns:
        The first such place, from 0.

    Example:
        >>> from muge_fast._internal.checks import find_repeated
        >>> find_repeated([7, 3, 7, 3])
        2

    """
    if len(set(items)) == len(items):
        return None
    seen: set[Hashable] = set()
    for place, item in enumerate(items):
        if item in seen:
            return place
        seen.add(item)
    return None
