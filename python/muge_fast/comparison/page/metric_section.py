"""The section of a metric: drawings, the table of systems, and the matrix of pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from muge_fast._internal.metric_names import arrow, metric_title
from muge_fast.comparison.adjusted import NO_CORRECTION
from muge_fast.comparison.metric_comparison import MetricComparison
from muge_fast.comparison.numbers import format_p
from muge_fast.comparison.page.charts import chart_table
from muge_fast.comparison.page.content import ComparisonContent, system_name
from muge_fast.comparison.tables import MetricTable, ranks_note
from muge_fast.evaluation.report_page.elements import Markup, element, join
from muge_fast.significance.step_down import significance_level

# Systems of a matrix.
MATRIX_SYSTEMS = 30
# Of more systems, the cells have fewer digits.
WIDE_SYSTEMS = 10
# Shades of significant cells: the smaller p, the darker.
SHADES = ((0.001, 5), (0.01, 4), (1.0, 2))


def metric_section(content: ComparisonContent, metric: MetricComparison, table: MetricTable) -> Markup:
    """Return the section of a metric, open if it is the main one.

    Args:
        content: The content of the page.
        metric: The comparison by the metric.
        table: Its table.

    Returns:
        The element.

    """
    legend = content.word("legend_first" if content.baseline is None else "legend_baseline")
    parts = [
        element("summary", element("h2", table.title)),
        chart_table(content, metric, table),
        element("p", legend, class_="muted"),
        element("div", _system_table(content, metric, table), class_="scroll"),
        element("p", content.space.join(_notes(content)), class_="muted"),
        element("p", content.space.join(table.notes), class_="muted"),
        *_matrix(content, metric),
    ]
    is_open = {"open": ""} if metric.name == content.main else {}
    return element("details", *parts, class_="metric", **is_open)


def _notes(content: ComparisonContent) -> Iterator[str]:
    if content.baseline is None:
        yield content.text("tied_note", content.percent)
    ranks = ranks_note(content.correction, f"{content.percent} %", content.lang)
    if ranks:
        yield ranks
    yield content.text("digits_note")


# The table of systems


def _system_table(content: ComparisonContent, metric: MetricComparison, table: MetricTable) -> Markup:
    ranks, system, score, interval, _, other_interval, p, *more = table.head
    reference = content.reference(metric)
    difference = content.word("difference_to", system_name(reference))
    head = (
        element("th", ranks),
        element("th", system),
        element("th", _two_lines(score, interval), class_="number"),
        element("th", _two_lines(difference, other_interval), class_="number"),
        *(element("th", title, class_="number") for title in (p, *more)),
    )
    rows = (
        element("tr", *_cells(content, metric, name, row)) for name, row in zip(metric.order, table.rows, strict=True)
    )
    return element(
        "table",
        element("thead", element("tr", *head)),
        element("tbody", *rows),
        class_="systems",
        data_sort=content.text("sort"),
    )


def _cells(content: ComparisonContent, metric: MetricComparison, name: str, row: tuple[str, ...]) -> Iterator[Markup]:
    ranks, reference = metric.ranks[name], content.reference(metric)
    yield element("td", str(ranks), data_value=f"{ranks.low + ranks.high / 1e6:.6f}")
    marks = []
    if content.baseline is None and ranks.tied_with_first and ranks.rank > 1:
        marks.append(element("span", content.word("tied"), class_="badge tied"))
    if name == content.baseline:
        marks.append(element("span", content.word("baseline"), class_="badge plain"))
    yield element("td", system_name(name), *(part for mark in marks for part in (" ", mark)), class_="name")
    _, _, score, interval, difference, other_interval, p, *more = row
    yield element("td", _two_lines(score, interval), class_="number", data_value=repr(metric.scores[name]))
    yield element(
        "td",
        _two_lines(difference, other_interval),
        class_="number",
        data_value=repr(metric.scores[name] - metric.scores[reference]),
    )
    value = 1.0 if name == reference else metric.adjusted_p[name, reference]
    yield element("td", p, class_="number", data_value=repr(value))
    for cell in more:
        yield element("td", cell, class_="number", data_value=str(content.missing.get(name, -1)))


def _two_lines(first: str, second: str) -> Markup:
    return join([element("div", first), element("div", second, class_="soft")], " ")


# The matrix of pairs


def _matrix(content: ComparisonContent, metric: MetricComparison) -> Iterator[Markup]:
    """Yield the matrix of adjusted p-values; nothing for comparisons with a baseline, which the table has all."""
    if content.baseline is not None:
        return
    shown = metric.order[:MATRIX_SYSTEMS]
    numbers = (element("th", str(number), scope="col") for number in range(1, len(shown) + 1))
    head = element("tr", element("td", ""), *numbers)
    adjusted, is_compact = metric.adjusted_p, len(shown) > WIDE_SYSTEMS
    rows = []
    for number, row in enumerate(shown, 1):
        cells = (_cell(metric, (row, column), adjusted, is_compact=is_compact) for column in shown)
        rows.append(element("tr", element("th", f"{number} ", system_name(row), scope="row"), *cells))
    yield element("h3", content.word("matrix"))
    note = [content.word("p" if content.correction == NO_CORRECTION else "adjusted_p")]
    note.append(content.word("matrix_note", content.percent))
    if len(shown) < len(metric.order):
        note.append(content.word("matrix_cut", str(len(shown)), str(len(metric.order))))
    yield element("p", join(note, content.space), class_="muted")
    yield element("div", element("table", head, *rows, class_=f"matrix{' compact' * is_compact}"), class_="scroll")


def _cell(
    metric: MetricComparison, pair: tuple[str, str], adjusted: Mapping[tuple[str, str], float], *, is_compact: bool
) -> Markup:
    if pair[0] == pair[1]:
        return element("td", "", class_="same")
    p, difference = adjusted[pair], metric.scores[pair[0]] - metric.scores[pair[1]]
    is_better = (difference > 0) == metric.higher_is_better
    sign = "=" if difference == 0 else "▲" if is_better else "▼"
    text = f"{sign} {_short_p(p) if is_compact else format_p(p)}"
    if difference == 0 or p > significance_level(metric.level):
        return element("td", text, class_="number soft")
    shade = next(shade for limit, shade in SHADES if p < limit)
    return element("td", text, class_=f"number {'right' if is_better else 'wrong'} shade{shade}")


def _short_p(p: float) -> str:
    """Return a p-value with three decimals and without the zero before the point."""
    text = f"{p:.3f}"
    return "<.001" if p < 0.001 else "1" if text == "1.000" else text[1:]  # noqa: PLR2004 - three decimals


def heading(metric: MetricComparison) -> str:
    """Return the title of a metric with the arrow of its direction.

    Args:
        metric: The comparison by the metric.

    Returns:
        The text.

    """
    return f"{metric_title(metric.name)}\u00a0{arrow(metric.higher_is_better)}"
