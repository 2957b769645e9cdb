"""The main score, and the table of all scores."""

from __future__ import annotations

from collections.abc import Iterator

from muge_fast._internal.display import plain_markdown
from muge_fast._internal.metric_names import arrow, metric_title
from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.elements import Markup, element
from muge_fast.evaluation.report_page.intervals import LEVEL, interval_text, score_intervals
from muge_fast.evaluation.report_page.scales import Scales, heading
from muge_fast.evaluation.report_page.words import WORDS
from muge_fast.scores import Score, Scores
from muge_fast.significance.intervals import Interval
from muge_fast.tasks.task import Task

# Parts of scores that are numbers of tokens or images, and the one that is a factor.
COUNTS = ("prediction_length", "reference_length", "ties")
UNSCALED = ("brevity_penalty",)


def main_score(content: PageContent, scores: Scores, scales: Scales) -> Markup:
    """Return the main score in large digits.

    Args:
        content: The content of the page.
        scores: The scores.
        scales: Factors of the scores.

    Returns:
        The element.

    """
    score = scores[content.task.main]
    factor, limits = scales.factor(score.name), scales.range_of(score.name)
    notes = [content.word("main_score")]
    notes += [] if factor == 1 else [content.word("factor").format(factor)]
    notes += [f"{content.word('range')} {limits}"] if limits else []
    return element(
        "div",
        element("div", heading(score), class_="name"),
        element("div", scales.text(score.name, score.value), class_="main"),
        element("div", " · ".join(notes), class_="muted"),
        class_="headline",
    )


def score_section(content: PageContent, scores: Scores, scales: Scales) -> Markup:
    """Return the table of scores, with ranges, parts and signatures.

    Args:
        content: The content of the page.
        scores: The scores.
        scales: Factors of the scores.

    Returns:
        The section.

    """
    word = content.word
    head = element(
        "tr",
        element("th", word("score")),
        element("th", _unit(content, scores, scales), class_="number"),
        element("th", word("interval").format(f"{100 * LEVEL:g}"), class_="number"),
        element("th", word("range")),
        element("th", word("items"), class_="number"),
    )
    intervals = score_intervals(scores)
    is_same = _is_same(scores, scales)
    rows = (
        row
        for score in scores.values()
        for row in _rows(content, score, scales, intervals.get(score.name), is_same=is_same)
    )
    table = element("table", head, *rows, class_="scores")
    notes = [element("p", word("arrows"), class_="muted")]
    notes += [element("p", word("interval_note"), class_="muted")] if intervals else []
    return element("section", element("h2", word("scores")), element("div", table, class_="scroll"), *notes)


def _is_same(scores: Scores, scales: Scales) -> bool:
    return len({scales.factor(name) for name in scores}) == 1


def _unit(content: PageContent, scores: Scores, scales: Scales) -> str:
    """Return the title of the column of values: with the factor if all scores have the same one."""
    factor = scales.factor(content.task.main)
    value = content.word("value")
    is_plain = factor == 1 or not _is_same(scores, scales)
    return value if is_plain else f"{value} {content.word('factor').format(factor)}"


def _rows(
    content: PageContent, score: Score, scales: Scales, interval: Interval | None, *, is_same: bool
) -> Iterator[Markup]:
    factor = scales.factor(score.name)
    unit = "" if is_same or factor == 1 else f" ({content.word('factor').format(factor)})"
    limits = scales.range_of(score.name)
    yield element(
        "tr",
        element("td", element("b", heading(score)), unit),
        element("td", scales.text(score.name, score.value), class_="number"),
        element("td", interval_text(score.name, interval, scales), class_="number bounds"),
        element("td", limits, class_="range"),
        element("td", f"{len(score.per_item):,}" if len(score.per_item) else "", class_="number"),
        class_="group",
    )
    parts = " · ".join(_parts(content, score, scales))
    yield element(
        "tr",
        element("td", *([element("div", parts)] if parts else []), element("code", score.signature), colspan="5"),
    )


def _parts(content: PageContent, score: Score, scales: Scales) -> Iterator[str]:
    """Yield the parts of a score that are not scores of the table."""
    for name, value in score.parts.items():
        title = content.word(name) if name in (*COUNTS, *UNSCALED, "std") else metric_title(name)
        if name.startswith("recall@") or name == "bleu_4":
            continue
        if name in COUNTS:
            yield f"{title} {value:,.0f}"
        elif name == "std":
            yield f"{title} {value * scales.factor(score.name):.3g}"
        else:
            yield f"{title} {value:.4f}" if name in UNSCALED else f"{title} {scales.text(score.name, value)}"


def markdown_scores(task: Task, scores: Scores, lang: str) -> Iterator[str]:
    """Yield the lines of the table of scores in Markdown.

    Args:
        task: The task.
        scores: The scores.
        lang: ``"en"`` or ``"zh"``.

    Yields:
        Lines. A bar within a cell is escaped, because it would end the cell, also within code.

    """
    words, scales, intervals = WORDS[lang], Scales(task), score_intervals(scores)
    is_plain = task.score_scale == 1
    head = (
        words["score"],
        words["value"] if is_plain else f"{words['value']} {words['factor'].format(task.score_scale)}",
        words["interval"].format(f"{100 * LEVEL:g}"),
        words["signature"],
    )
    yield f"| {' | '.join(head)} |"
    yield "| --- | ---: | ---: | --- |"
    for name, score in scores.items():
        factor = scales.factor(name)
        label = f"{metric_title(name)} {arrow(score.higher_is_better)}"
        label += "" if factor == task.score_scale else f" ({words['factor'].format(factor)})"
        cells = (
            label,
            scales.text(name, score.value),
            interval_text(name, intervals.get(name), scales),
            plain_markdown(score.signature),
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
