"""The page of a comparison: the first system, a section for each metric, items, and what was compared."""

from __future__ import annotations

from collections import Counter

from muge_fast import _core
from muge_fast._internal.display import format_id
from muge_fast.comparison.metric_comparison import MetricComparison, verdict
from muge_fast.comparison.numbers import decimals_for, format_interval, format_score
from muge_fast.comparison.page.content import ComparisonContent, system_name
from muge_fast.comparison.page.inputs import inputs_section, limits_section
from muge_fast.comparison.page.items import pairs_section
from muge_fast.comparison.page.metric_section import heading, metric_section
from muge_fast.comparison.page.script import SCRIPT
from muge_fast.comparison.page.style import STYLE
from muge_fast.comparison.words import WORDS
from muge_fast.evaluation.report_page.document import html_document
from muge_fast.evaluation.report_page.elements import Markup, element, join

# Names of systems in a sentence.
LISTED = 8


def render_comparison(content: ComparisonContent) -> str:
    """Return the page of a comparison.

    Args:
        content: The content of the page.

    Returns:
        The HTML, with the same bytes for the same content.

    """
    names = [content.main, *(name for name in content.metrics if name != content.main)]
    title = WORDS[content.lang]["title"].format(count=len(content.systems))
    body = [
        _header(content, title),
        _first(content, content.metrics[content.main]),
        *(metric_section(content, content.metrics[name], content.tables[name]) for name in names),
        pairs_section(content),
        limits_section(content),
        inputs_section(content),
    ]
    return html_document(title, body, lang=content.lang, script=SCRIPT, style=STYLE)


def _header(content: ComparisonContent, title: str) -> Markup:
    facts = [content.text("items", f"{content.item_count:,}"), content.text("level", content.percent)]
    report = next(iter(content.reports.values()), None)
    if report is not None:
        facts.insert(0, report.task.title_zh if content.lang == "zh" else report.task.title)
    facts += [f"muge_fast {_core.__version__}", *([] if content.date is None else [format_id(content.date)])]
    return element("header", element("h1", title), element("p", " · ".join(facts), class_="muted"))


def _first(content: ComparisonContent, metric: MetricComparison) -> Markup:
    """Return the first system by the main metric, and those that are tied with it."""
    scale, leader = content.scale(metric.name), metric.order[0]
    low, high = metric.intervals[leader]
    decimals = decimals_for(scale * metric.standard_errors[leader])
    score = format_score(scale * metric.scores[leader], decimals)
    interval = format_interval(scale * low, scale * high, decimals)
    factor = [] if scale == 1 else [WORDS[content.lang]["times"].format(factor=f"{scale:g}")]
    first = [name for name in metric.order if metric.ranks[name].rank == 1]
    equal = [" ", content.word("equal_score", str(len(first) - 1))] if len(first) > 1 else []
    return element(
        "div",
        element("div", content.word("first_by", heading(metric)), class_="name"),
        element("div", system_name(leader), *equal, class_="leader"),
        element("p", element("b", score), " · ".join([f" {interval}", *factor]), class_="muted"),
        element("p", _tied(content, metric)),
        class_="headline",
    )


def _tied(content: ComparisonContent, metric: MetricComparison) -> Markup:
    """Return a sentence about the systems that the data do not separate from the first, or from the baseline."""
    if content.baseline is not None:
        found = Counter(verdict(metric, name, content.baseline) for name in metric.order if name != content.baseline)
        counts = (str(found[kind]) for kind in ("better", "worse", "tied"))
        return content.word("against", system_name(content.baseline), *counts)
    tied = [name for name in metric.order[1:] if metric.ranks[name].tied_with_first]
    if not tied:
        return content.word("alone", content.percent)
    names = [system_name(name) for name in tied[:LISTED]]
    names += [content.word("more_systems", str(len(tied) - LISTED))] if len(tied) > LISTED else []
    return content.word("tied_systems", content.percent, join(names, ", " if content.lang == "en" else "、"))
