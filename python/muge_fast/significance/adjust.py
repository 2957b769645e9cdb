"""P-values adjusted for the number of tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import check_choice
from muge_fast.significance.values import numbers

__all__ = ["METHODS", "adjust"]

METHODS = ("holm", "bh", "by", "bonferroni")

FloatArray = npt.NDArray[np.float64]


def adjust(p: object, method: str) -> FloatArray:
    """Return p-values adjusted for their number.

    An adjusted p-value is the smallest level at which its test is significant when all are corrected together.

    Args:
        p: The p-value of each test, a sequence or an array of one dimension. Tests that were not made, such as a
            system against itself, must not be among them.
        method: One of

            - ``"holm"``: the probability of any false claim is at most the level (Holm 1979), whether or not the tests
              depend on each other. Never larger than ``"bonferroni"``.
            - ``"bonferroni"``: p times the number of tests.
            - ``"bh"``: the expected fraction of false claims is at most the level (Benjamini and Hochberg 1995), for
              tests that are independent or positively correlated.
            - ``"by"``: as ``"bh"``, for any dependence (Benjamini and Yekutieli 2001).

    Returns:
        Adjusted p-values, float64, in the order of ``p``.

    Raises:
        TypeError: ``p`` is not numbers in one dimension.
        ValueError: A p-value is NaN, below 0 or above 1; or the method is unknown.

    Example:
        >>> import muge_fast as mf
        >>> mf.adjust([0.001, 0.008, 0.012, 0.03], "holm").round(3).tolist()
        [0.004, 0.024, 0.024, 0.03]
        >>> mf.adjust([0.001, 0.008, 0.012, 0.03], "bh").round(3).tolist()
        [0.004, 0.016, 0.016, 0.03]

    """
    check_choice("method", method, METHODS)
    values = numbers("p", p)
    wrong = np.flatnonzero(~((values >= 0) & (values <= 1)))
    if wrong.size:
        raise ValueError(f"p[{wrong[0]}] is {values[wrong[0]]:g}, needs a probability from 0 to 1")
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(_adjust_sorted(values[order], method), 1.0)
    return adjusted


def _adjust_sorted(p: FloatArray, method: str) -> FloatArray:
    """Adjust increasing p-values; the results may be above 1."""
    count = len(p)
    ranks = np.arange(1, count + 1)
    if method == "bonferroni":
        return p * count
    if method == "holm":
        return np.maximum.accumulate(p * (count - ranks + 1))
    factor = count / ranks
    if method == "by":
        factor *= np.sum(1 / ranks)
    return np.minimum.accumulate((p * factor)[::-1])[::-1]
