"""Tables of comparisons: the same cells as text and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from muge_fast._internal.display import plain_markdown, printable
from muge_fast._internal.metric_names import arrow, metric_title
from muge_fast.comparison.adjusted import NO_CORRECTION, SIMULTANEOUS
from muge_fast.comparison.metric_comparison import MetricComparison
from muge_fast.comparison.numbers import decimals_for, format_difference, format_interval, format_p, format_score
from muge_fast.comparison.pairs import RankRange
from muge_fast.comparison.words import TESTS_IN_WORDS, WORDS

__all__ = ["NAME_WIDTH", "MetricTable", "closing_notes", "markdown_table", "metric_table", "ranks_note", "text_table"]

# Systems whose name is longer are cut in tables, and in the title of a column.
NAME_WIDTH, TITLE_WIDTH = 60, 20
# Column whose title has the name of a system.
DIFFERENCE = 4


@dataclass(frozen=True)
class MetricTable:
    """The table of one metric.

    Attributes:
        title: The metric with its direction, scale and number of items.
        head: Titles of the columns.
        rows: Cells of each system, the best first.
        notes: Lines below the table.

    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def metric_table(
    metric: MetricComparison,
    lang: str,
    *,
    baseline: str | None,
    item_count: int,
    scale: float,
    correction: str,
    missing: Mapping[str, int],
) -> MetricTable:
    """Return the table of one metric.

    Args:
        metric: The comparison by the metric.
        lang: ``"en"`` or ``"zh"``.
        baseline: Name of the baseline, if there is one.
        item_count: Number of items.
        scale: Factor of the scores.
        correction: How p-values are adjusted.
        missing: Number of missing items of systems that are runs of models; a last column if there are any.

    Returns:
        The cells. Differences are those to the baseline, or else to the first system.

    """
    words, level = WORDS[lang], f"{100 * metric.level:g} %"
    reference = baseline or metric.order[0]
    head = (
        words["ranks"],
        words["system"],
        words["score"],
        words["interval"].format(level=level),
        words["difference"].format(name=printable(reference, TITLE_WIDTH)),
        words["interval"].format(level=level),
        words["p" if correction == NO_CORRECTION else "adjusted_p"],
        *([words["missing"]] if missing else []),
    )
    intervals, errors = metric.intervals, metric.standard_errors
    rows = []
    for name in metric.order:
        low, high = intervals[name]
        decimals = decimals_for(scale * errors[name])
        ranks = metric.ranks[name]
        rows.append(
            (
                f"{ranks}{_mark(ranks, baseline)}",
                printable(name, NAME_WIDTH),
                format_score(scale * metric.scores[name], decimals),
                format_interval(scale * low, scale * high, decimals),
                *_difference_cells(metric, name, reference, scale),
                *([f"{missing[name]:,}" if name in missing else ""] if missing else []),
            )
        )
    return MetricTable(_title(metric, lang, item_count, scale), head, tuple(rows), _notes(metric, scale, lang))


def _difference_cells(metric: MetricComparison, name: str, reference: str, scale: float) -> tuple[str, str, str]:
    """Return the difference to another system with its interval and adjusted p-value; empty for the system itself."""
    if name == reference:
        return "", "", ""
    pair = metric[name, reference]
    low, high = pair.interval
    decimals = decimals_for(scale * (high - low) / 4)
    return (
        format_difference(scale * pair.difference, decimals),
        format_interval(scale * low, scale * high, decimals),
        format_p(pair.adjusted_p),
    )


def _title(metric: MetricComparison, lang: str, item_count: int, scale: float) -> str:
    words = WORDS[lang]
    details = [words["items"].format(items=f"{item_count:,}")]
    if scale != 1:
        details.insert(0, words["times"].format(factor=f"{scale:g}"))
    opening, closing, comma = ("（", "）", "，") if lang == "zh" else (" (", ")", ", ")
    return f"{metric_title(metric.name)} {arrow(metric.higher_is_better)}{opening}{comma.join(details)}{closing}"


def _notes(metric: MetricComparison, scale: float, lang: str) -> tuple[str, ...]:
    words = WORDS[lang]
    detectable = scale * metric.detectable
    if detectable:
        value = format_score(detectable, decimals_for(detectable / 4))
        shown = words["detectable"].format(value=value)
    else:
        shown = words["constant"]
    return words["test"].format(test=TESTS_IN_WORDS[lang][metric.test]), shown


def closing_notes(
    metrics: Sequence[MetricComparison], lang: str, *, baseline: str | None, level: float, correction: str
) -> list[str]:
    """Return the lines below all tables: what the mark means, and how sure the ranges are.

    Args:
        metrics: The comparisons by each metric.
        lang: ``"en"`` or ``"zh"``.
        baseline: Name of the baseline, if there is one.
        level: Confidence level.
        correction: How p-values are adjusted.

    Returns:
        The lines.

    """
    words, percent = WORDS[lang], f"{100 * level:g} %"
    lines = []
    if any(_mark(ranks, baseline) for metric in metrics for ranks in metric.ranks.values()):
        lines.append(words["tied_note"].format(level=percent))
    lines.append(ranks_note(correction, percent, lang))
    if baseline is not None:
        lines.append(words["baseline_note"].format(name=printable(baseline, NAME_WIDTH)))
    return list(filter(None, lines))


def ranks_note(correction: str, level: str, lang: str) -> str:
    """Return a sentence about the reach of rank ranges and p-values.

    Args:
        correction: How p-values are adjusted.
        level: The confidence level as text.
        lang: ``"en"`` or ``"zh"``.

    Returns:
        The sentence; empty for corrections that bound the rate of wrong verdicts.

    """
    if correction in SIMULTANEOUS:
        return WORDS[lang]["ranks_note"].format(level=level)
    return WORDS[lang]["not_adjusted"] if correction == NO_CORRECTION else ""


def _mark(ranks: RankRange, baseline: str | None) -> str:
    """Return the mark of a system below the first rank that is tied with the first; with a baseline it is unknown."""
    return " =" if ranks.tied_with_first and ranks.rank > 1 and baseline is None else ""


def _alignment(table: MetricTable) -> list[str]:
    """Return the alignment of each column: ranks and names at the left, numbers at the right."""
    return ["left", "left", *["right"] * (len(table.head) - 2)]


def text_table(table: MetricTable) -> str:
    """Return a table as text for a terminal, with Chinese letters two columns wide."""
    from tabulate import tabulate  # noqa: PLC0415 - few programs print tables

    body = tabulate(table.rows, table.head, tablefmt="simple", disable_numparse=True, colalign=_alignment(table))
    return "\n".join([table.title, "", body, "", *table.notes])


def markdown_table(table: MetricTable, lang: str) -> str:
    """Return a table in Markdown, in which names of systems are plain text."""
    from tabulate import tabulate  # noqa: PLC0415 - few programs print tables

    # A bar ends a cell, also within code.
    rows = [[row[0], plain_markdown(row[1]).replace("|", "\\|"), *row[2:]] for row in table.rows]
    head = [
        plain_markdown(cell).replace("|", "\\|") if index == DIFFERENCE else cell
        for index, cell in enumerate(table.head)
    ]
    body = tabulate(rows, head, tablefmt="pipe", disable_numparse=True, colalign=_alignment(table))
    return "\n\n".join([f"## {table.title}", body, WORDS[lang]["space"].join(table.notes)])
