"""Drawings of a board: the best number over time, and an interval in each row.

Positions are percentages, so that drawings fit a screen of any width while letters and dots keep their size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from markupsafe import Markup

from muge_fast.evaluation.report_page.axes import Axis, round_axis, ticks
from muge_fast.evaluation.report_page.elements import Markup as Element
from muge_fast.evaluation.report_page.elements import element
from muge_fast.leaderboard.rules.calendar_months import month_of, month_start

# Pixels of a row of the board.
ROW = 26
# Percent of the width that is left free at either end of a row.
MARGIN = 4.0
# Rows below this part of the rows do not widen the axis.
LOWEST_PART = 0.85
ROWS_FOR_PARTS = 8
# Pixels of the line over time: of the drawing, above the highest value, and below the lowest.
HEIGHT, ABOVE, BELOW = 170, 26, 24
# Percent of the width before the first moment, for labels, and after the last one.
BEFORE, AFTER = 3.5, 1.0
PARTS = 3
# Percent of the width in which dots may touch labels, and pixels between a dot and a label that do not touch.
LABELS, CLEAR = 12.0, 14
LONG = timedelta(days=45)
MOST_LABELS = 8


class Point(NamedTuple):
    """A moment at which the best number improved.

    Attributes:
        at: The moment.
        number: The number.
        label: What the dot says.

    """

    at: datetime
    number: Decimal
    label: str


# Intervals of rows


def interval_axis(intervals: Sequence[tuple[float, float]], *, higher_is_better: bool) -> Axis:
    """Return the axis for the intervals of all rows, best first. Rows far below the others do not widen it.

    Args:
        intervals: Low and high of each row.
        higher_is_better: Whether a larger number is better.

    Returns:
        The axis.

    """
    kept = intervals
    if len(intervals) > ROWS_FOR_PARTS:
        kept = intervals[: max(ROWS_FOR_PARTS, round(LOWEST_PART * len(intervals)))]
    low, high = min(low for low, _ in kept), max(high for _, high in kept)
    if len(kept) < len(intervals):
        # The axis still begins a little before the first row that is left out.
        reach = 0.02 * (high - low)
        low, high = (low - reach, high) if higher_is_better else (low, high + reach)
    return Axis(low, high, 1.0) if high > low else Axis(low - 1, high + 1, 1.0)


def interval_drawing(value: float, interval: tuple[float, float], first: float, axis: Axis, label: str) -> Markup:
    """Return the drawing of the interval of a row.

    Args:
        value: The number.
        interval: Low and high.
        first: The number of the first row, which is a line in every row.
        axis: The axis of all rows.
        label: What the drawing says, for readers who do not see it.

    Returns:
        The drawing.

    """
    middle = str(ROW // 2)
    at_first = _position(first, axis)
    parts = [_line(at_first, "0", at_first, str(ROW), "first")]
    low, high = (_position(bound, axis) for bound in interval)
    if low != high:
        parts.append(_line(low, middle, high, middle, "interval"))
    if axis.low <= value <= axis.high:
        parts.append(element("circle", cx=_percent(_position(value, axis)), cy=middle, r="4"))
    else:
        is_low = value < axis.low
        anchor = "start" if is_low else "end"
        x = _percent(0 if is_low else 100)
        parts.append(element("text", "◂" if is_low else "▸", x=x, y=str(ROW // 2 + 4), text_anchor=anchor))
    return Markup(element("svg", *parts, height=str(ROW), role="img", aria_label=label))  # noqa: S704 - escaped parts


def _position(value: float, axis: Axis) -> float:
    inside = min(max(value, axis.low), axis.high)
    return MARGIN + (inside - axis.low) / (axis.high - axis.low) * (100 - 2 * MARGIN)


# The best number over time


def frontier_drawing(points: Sequence[Point], *, end: datetime, zone: ZoneInfo, label: str) -> Markup:
    """Return the best number over time as a line of steps.

    Args:
        points: The improvements, at least one, the earliest first.
        end: Last moment of the axis, at or after the last improvement.
        zone: Zone of the labels.
        label: What the drawing says, for readers who do not see it.

    Returns:
        The drawing.

    """
    numbers = [float(point.number) for point in points]
    axis = round_axis(min(numbers), max(numbers), PARTS)
    start = points[0].at
    times = _Times(start, max(end, points[-1].at + timedelta(minutes=1)))
    parts = [
        *_grid(axis, points, times),
        *_time_labels(times, zone),
        *_steps(points, times, axis),
        *_dots(points, times, axis),
    ]
    return Markup(element("svg", *parts, height=str(HEIGHT), role="img", aria_label=label))  # noqa: S704 - escaped


class _Times(NamedTuple):
    start: datetime
    end: datetime

    def x(self, moment: datetime) -> float:
        return BEFORE + (moment - self.start) / (self.end - self.start) * (100 - BEFORE - AFTER)


def _y(number: float, axis: Axis) -> float:
    room = HEIGHT - ABOVE - BELOW
    return ABOVE + room - (number - axis.low) / (axis.high - axis.low) * room


def _grid(axis: Axis, points: Sequence[Point], times: _Times) -> Iterator[Element]:
    digits = max(0, -int(points[0].number.as_tuple().exponent))
    near = [_y(float(point.number), axis) for point in points if times.x(point.at) < LABELS]
    for tick in ticks(axis):
        y = _y(tick, axis)
        yield _line(0, f"{y:.1f}", 100, f"{y:.1f}", "grid")
        if any(abs(y - 8 - dot) < CLEAR for dot in near):
            continue
        text = f"{tick:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{tick:g}"
        yield element("text", text.replace("-", "\u2212"), x="0", y=f"{y - 4:.1f}", class_="halo")


def _time_labels(times: _Times, zone: ZoneInfo) -> Iterator[Element]:
    for moment, text in _time_ticks(times, zone):
        x = times.x(moment)
        yield _line(x, str(ABOVE), x, str(HEIGHT - BELOW), "grid")
        anchor = "start" if x < 5 else "end" if x > 95 else "middle"  # noqa: PLR2004 - percent
        yield element("text", text, x=_percent(x), y=str(HEIGHT - 7), text_anchor=anchor)


def _time_ticks(times: _Times, zone: ZoneInfo) -> list[tuple[datetime, str]]:
    """Return the starts of months, or dates at equal distances within a short time."""
    if times.end - times.start > LONG:
        month = month_of(times.start, zone).plus(1)
        found = []
        while (moment := month_start(month, zone)) <= times.end:
            found.append((moment, str(month)))
            month = month.plus(1)
        return found[:: -(-len(found) // MOST_LABELS)]
    step = (times.end - times.start) / PARTS
    moments = [times.start + index * step for index in range(PARTS + 1)]
    form = "%m-%d" if step >= timedelta(days=1) else "%H:%M"
    return [(moment, moment.astimezone(zone).strftime(form)) for moment in moments]


def _steps(points: Sequence[Point], times: _Times, axis: Axis) -> Iterator[Element]:
    ends = [*(point.at for point in points[1:]), times.end]
    floor = HEIGHT - BELOW
    for point, until in zip(points, ends, strict=True):
        x, right, y = times.x(point.at), times.x(until), _y(float(point.number), axis)
        size = {"width": _percent(right - x), "height": f"{floor - y:.1f}"}
        yield element("rect", x=_percent(x), y=f"{y:.1f}", class_="area", **size)
        yield _line(x, f"{y:.1f}", right, f"{y:.1f}", "step")
    for before, after in pairwise(points):
        x = times.x(after.at)
        heights = (f"{_y(float(one.number), axis):.1f}" for one in (before, after))
        yield _line(x, next(heights), x, next(heights), "step")


def _dots(points: Sequence[Point], times: _Times, axis: Axis) -> Iterator[Element]:
    for point in points:
        at = {"cx": _percent(times.x(point.at)), "cy": f"{_y(float(point.number), axis):.1f}", "r": "4"}
        yield element("circle", element("title", point.label), class_="hollow", **at)
    last = points[-1]
    y = _y(float(last.number), axis)
    yield element(
        "text",
        f"{last.number:f}".replace("-", "\u2212"),
        x="100%",
        y=f"{y - 9:.1f}",
        text_anchor="end",
        class_="value halo",
    )


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _line(x1: float, y1: str, x2: float, y2: str, name: str) -> Element:
    return element("line", x1=_percent(x1), y1=y1, x2=_percent(x2), y2=y2, class_=name)
