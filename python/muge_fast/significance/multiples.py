"""Differences that are multiples of a simple fraction, such as hits, thirds of hits, and ratings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["rounding_of", "whole_multiples"]

FloatArray = npt.NDArray[np.float64]

DENOMINATORS = (12, 5040, 11, 13, 1024, 10_000)
"""12 for whole numbers, halves and thirds; 5040 is a multiple of 1 to 10, 14, 15 and 16; then powers of two, and four
decimals."""

ROUNDINGS = 4
"""Distance from a multiple, in units in the last place of the larger value; a mean of a few hits is this exact."""

NEAR = 0.05
"""Multiples are recognized only where rounding is below this fraction of their distance."""

FEW = 32
"""Numbers that are tried first, because they rule out most fractions."""

LARGEST = float(2**40)
"""Multiples are at most this large, so that their sums fit in 64 bits."""


def rounding_of(sizes: FloatArray, precision: float) -> FloatArray:
    """Return how far two numbers may differ that are equal but for rounding.

    Args:
        sizes: The larger absolute value of the two numbers.
        precision: The machine epsilon of the type in which the numbers were stored.

    Returns:
        A tolerance for each pair of numbers.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance.multiples import rounding_of
        >>> bool(abs(0.1 + 0.2 - 0.3) <= rounding_of(np.array([0.3]), 2.0**-52)[0])
        True

    """
    return ROUNDINGS * precision * sizes


def whole_multiples(differences: FloatArray, tolerance: FloatArray) -> tuple[npt.NDArray[np.int64], int] | None:
    """Return differences as whole multiples of a fraction, or None if there is no such fraction.

    Args:
        differences: Finite differences.
        tolerance: How far each of them may be from a multiple.

    Returns:
        The multiples, and the denominator of the fraction.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance.multiples import whole_multiples
        >>> whole_multiples(np.array([1 / 3, -1.0]), np.full(2, 1e-15))
        (array([  4, -12]), 12)
        >>> whole_multiples(np.array([0.123456789]), np.full(1, 1e-15)) is None
        True

    """
    nonzero = np.flatnonzero(np.abs(differences) > tolerance)
    few = nonzero[:FEW]
    for denominator in DENOMINATORS:
        if not _are_multiples(differences[few], tolerance[few], denominator):
            continue
        if _are_multiples(differences, tolerance, denominator):
            return np.rint(differences * denominator).astype(np.int64), denominator
    return None


def _are_multiples(differences: FloatArray, tolerance: FloatArray, denominator: int) -> bool:
    if tolerance.max(initial=0.0) * denominator > NEAR:
        return False
    scaled = differences * denominator
    distance = np.abs(scaled - np.rint(scaled))
    return bool((np.abs(scaled) <= LARGEST).all() and (distance <= tolerance * denominator).all())
