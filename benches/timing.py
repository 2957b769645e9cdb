"""One row of the table, and what it takes to make it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

Row = tuple[str, str, str, str]
"""What was measured, the rival's time, ours, and the ratio or the limit."""


def clock(run: Callable[[], object]) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def check(name: str, difference: float, bound: float) -> None:
    """No timing without the right answer."""
    if not difference <= bound:
        raise SystemExit(f"{name}: answers differ by {difference}, more than {bound}")


def show(seconds: float) -> str:
    """Seconds for people."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.{0 if seconds >= 0.01 else 2}f} ms"


def times(ratios: list[float]) -> str:
    """The median of ratios."""
    return f"{statistics.median(ratios):.1f}x"
