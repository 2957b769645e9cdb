"""Rows of the table: timing, checking and formatting."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable

Row = tuple[str, str, str, str]
"""The work, the time of the other package, our time, and the ratio of both."""


def clock(run: Callable[[], object]) -> float:
    """Return the seconds that one call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def check(name: str, difference: float, bound: float) -> None:
    """Exit if two packages differ by more than a bound: only equal answers are timed."""
    if not difference <= bound:
        raise SystemExit(f"{name}: answers differ by {difference}, more than {bound}")


def show(seconds: float) -> str:
    """Format seconds as s or ms."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.{0 if seconds >= 0.01 else 2}f} ms"


def times(ratios: list[float]) -> str:
    """Format the median of ratios."""
    return f"{statistics.median(ratios):.1f}x"


def table(rows: Iterable[Row]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = ["| work | rival | muge_fast | ratio |", "| --- | --- | --- | --- |"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]
