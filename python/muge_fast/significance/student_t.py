"""Tail probabilities and quantiles of Student's t distribution."""

from __future__ import annotations

import math

__all__ = ["student_t_quantile", "student_t_tail"]

# Relative size of the terms at which the continued fraction ends, and most of its terms: it needs about the square root
# of the degrees of freedom.
PRECISION, MOST_TERMS = 1e-15, 100_000
SMALLEST = 1e-300
# From here on, the error of three terms of the series is below 1e-15.
LARGE = 100
# Halves of an interval after which its ends are neighbors.
MOST_HALVES = 100


def student_t_tail(t: float, freedom: int) -> float:
    """Return the probability that a t-distributed variable is above a value.

    Args:
        t: The value.
        freedom: Degrees of freedom, at least 1.

    Returns:
        The probability, with a relative error of about 1e-10, also far in the tail.

    Example:
        >>> from muge_fast.significance.student_t import student_t_tail
        >>> round(2 * student_t_tail(3.187523387131685, 11), 12)
        0.008644570579

    """
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    tail = 0.5 * _incomplete_beta(freedom, t * t)
    return tail if t >= 0 else 1.0 - tail


def student_t_quantile(tail: float, freedom: int) -> float:
    """Return the value above which a t-distributed variable is with a probability.

    Args:
        tail: The probability, above 0 and at most 0.5.
        freedom: Degrees of freedom, at least 1.

    Returns:
        The value, with a relative error of about 1e-10.

    Example:
        >>> from muge_fast.significance.student_t import student_t_quantile
        >>> round(student_t_quantile(0.025, 19), 9)
        2.093024054

    """
    low, high = 0.0, 1.0
    while student_t_tail(high, freedom) > tail:
        low, high = high, 2 * high
    for _ in range(MOST_HALVES):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if student_t_tail(middle, freedom) > tail:
            low = middle
        else:
            high = middle
    return high


def _incomplete_beta(freedom: int, square: float) -> float:
    """Return the regularized incomplete beta function of ``freedom / (freedom + square)`` for t."""
    a, b = freedom / 2, 0.5
    x, rest = freedom / (freedom + square), square / (freedom + square)
    if rest == 0:
        return 1.0
    if x == 0:
        return 0.0
    # Near 1, the logarithm of the smaller part has more digits.
    log_x = math.log(x) if x < rest else math.log1p(-rest)
    log_front = _log_gamma_ratio(a) - math.log(math.pi) / 2 + a * log_x + math.log(rest) / 2
    # The continued fraction converges quickly on this side of the mean only.
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _continued_fraction(a, b, x) / a
    return 1.0 - math.exp(log_front) * _continued_fraction(b, a, rest) / b


def _log_gamma_ratio(a: float) -> float:
    """Return log(gamma(a + 1/2) / gamma(a)), by its asymptotic series where the difference would lose digits."""
    if a < LARGE:
        return math.lgamma(a + 0.5) - math.lgamma(a)
    return math.log(a) / 2 - 1 / (8 * a) + 1 / (192 * a**3) - 1 / (640 * a**5)


def _continued_fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function (DLMF 8.17.22) by Lentz's algorithm."""
    numerator, denominator = 1.0, 1.0 / _nonzero(1.0 - (a + b) * x / (a + 1))
    value = denominator
    for m in range(1, MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for coefficient in (even, odd):
            denominator = 1.0 / _nonzero(1.0 + coefficient * denominator)
            numerator = _nonzero(1.0 + coefficient / numerator)
            factor = numerator * denominator
            value *= factor
        if abs(factor - 1.0) < PRECISION:
            break
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > SMALLEST else SMALLEST
