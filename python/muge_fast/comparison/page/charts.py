"""Drawings of a metric: differences with intervals, and rank ranges, a row for each system.

Positions are percentages, so that drawings fit a screen of any width while letters and dots keep their size.
"""

from __future__ import annotations

from collections.abc import Iterator

from muge_fast._internal.display import printable
from muge_fast.comparison.metric_comparison import MetricComparison, verdict
from muge_fast.comparison.page.content import ComparisonContent, system_name
from muge_fast.comparison.tables import NAME_WIDTH, MetricTable
from muge_fast.evaluation.report_page.axes import Axis, round_axis, ticks
from muge_fast.evaluation.report_page.elements import Markup, element, join

# Pixels of a row, and of the row of labels.
ROW, LABELS = 26, 20
# Percent of the width that is left free at either end.
MARGIN = 6.0
# Differences that are smaller come from rounding.
SMALLEST_RANGE = 1e-9
# Parts of an axis, about.
PARTS = 4


def chart_table(content: ComparisonContent, metric: MetricComparison, table: MetricTable) -> Markup:
    """Return the drawings of a metric.

    Args:
        content: The content of the page.
        metric: The comparison by the metric.
        table: Its table, in the order of the drawings.

    Returns:
        A table with a drawing in each cell.

    """
    reference = content.reference(metric)
    axis = _difference_axis(content, metric, reference)
    head = element(
        "tr",
        element("th", content.word("system")),
        element("th", content.word("difference_to", system_name(reference)), element("div", table.head[5])),
        element("th", content.word("rank_range")),
    )
    rows = []
    for name, cells in zip(metric.order, table.rows, strict=True):
        label = printable(name, NAME_WIDTH)
        label += "" if name == reference else f": {cells[4]} {cells[5]}"
        color = _color(content, metric, name)
        rows.append(
            element(
                "tr",
                element("th", system_name(name), scope="row"),
                element("td", _drawing(_difference(content, metric, name, reference, axis), label, color)),
                element("td", _drawing(_ranks(metric, name), _rank_label(content, metric, name), color)),
            )
        )
    labels = element(
        "tr", element("td", ""), element("td", _difference_labels(axis)), element("td", _rank_labels(metric))
    )
    return element("table", head, *rows, labels, class_="plots")


def _color(content: ComparisonContent, metric: MetricComparison, name: str) -> str:
    """Return the class of a row by whether the system may be the best, or by how it differs from the baseline."""
    if content.baseline is None:
        return "tied" if metric.ranks[name].tied_with_first else "worse"
    return verdict(metric, name, content.baseline)


def _drawing(parts: Iterator[Markup], label: str, color: str) -> Markup:
    return element("svg", element("title", label), *parts, height=str(ROW), role="img", class_=color)


# Differences


def _difference_axis(content: ComparisonContent, metric: MetricComparison, reference: str) -> Axis:
    scale = content.scale(metric.name)
    intervals = [metric[name, reference].interval for name in metric.order if name != reference]
    low = min(0.0, *(scale * interval.low for interval in intervals))
    high = max(0.0, *(scale * interval.high for interval in intervals))
    return round_axis(low, high, PARTS) if high - low > SMALLEST_RANGE else Axis(-1.0, 1.0, 1.0)


def _difference(
    content: ComparisonContent, metric: MetricComparison, name: str, reference: str, axis: Axis
) -> Iterator[Markup]:
    scale = content.scale(metric.name)
    for tick in ticks(axis):
        yield _vertical(_position(tick, axis), "grid")
    yield _vertical(_position(0, axis), "zero")
    if name == reference:
        yield _dot(_position(0, axis))
        return
    pair = metric[name, reference]
    low, high = (_position(scale * bound, axis) for bound in pair.interval)
    yield _horizontal(low, high, "interval")
    yield _dot(_position(scale * pair.difference, axis))


def _difference_labels(axis: Axis) -> Markup:
    labels = [(f"{tick:g}".replace("-", "−"), _position(tick, axis)) for tick in ticks(axis)]
    return _labels(labels)


def _position(value: float, axis: Axis) -> float:
    return MARGIN + (value - axis.low) / (axis.high - axis.low) * (100 - 2 * MARGIN)


# Ranks


def _ranks(metric: MetricComparison, name: str) -> Iterator[Markup]:
    ranks, count = metric.ranks[name], len(metric.scores)
    for rank in _rank_ticks(count):
        yield _vertical(_rank_position(rank, count), "grid")
    yield _horizontal(_rank_position(ranks.low, count), _rank_position(ranks.high, count), "range")
    yield _dot(_rank_position(ranks.rank, count))


def _rank_label(content: ComparisonContent, metric: MetricComparison, name: str) -> str:
    ranks = metric.ranks[name]
    return content.text("rank_label", printable(name, NAME_WIDTH), str(ranks), str(ranks.rank))


def _rank_labels(metric: MetricComparison) -> Markup:
    count = len(metric.scores)
    return _labels([(str(rank), _rank_position(rank, count)) for rank in _rank_ticks(count)])


def _rank_ticks(count: int) -> list[int]:
    """Return the ranks that have labels: the first, the last and some between."""
    parts = min(count - 1, PARTS)
    return sorted({1 + round(part * (count - 1) / parts) for part in range(parts + 1)})


def _rank_position(rank: int, count: int) -> float:
    return MARGIN + (rank - 1) / (count - 1) * (100 - 2 * MARGIN)


# Elements


def _labels(labels: list[tuple[str, float]]) -> Markup:
    texts = [element("text", text, x=f"{x:.2f}%", y="14", text_anchor="middle") for text, x in labels]
    return element("svg", join(texts), height=str(LABELS), aria_hidden="true")


def _vertical(x: float, name: str) -> Markup:
    return element("line", x1=f"{x:.2f}%", y1="0", x2=f"{x:.2f}%", y2=str(ROW), class_=name)


def _horizontal(low: float, high: float, name: str) -> Markup:
    middle = str(ROW // 2)
    return element("line", x1=f"{low:.2f}%", y1=middle, x2=f"{high:.2f}%", y2=middle, class_=name)


def _dot(x: float) -> Markup:
    return element("circle", cx=f"{x:.2f}%", cy=str(ROW // 2), r="4.5")
