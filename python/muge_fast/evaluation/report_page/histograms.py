"""Histograms of the scores of items, as drawings with axes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from muge_fast._internal.metric_names import metric_title
from muge_fast.evaluation.report_page.axes import Axis, round_axis, ticks
from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.elements import Markup, element
from muge_fast.evaluation.report_page.scales import Scales
from muge_fast.scores import FloatArray, Score, Scores

# Pixels of a drawing, and the margins around the bars.
WIDTH, HEIGHT = 360, 200
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 22, 40
# Bins are as wide as a round number that gives about this many.
BINS = 20
# Labels of an axis, about.
TICKS = 5
# Round steps of numbers of items.
ROUND_COUNTS = (1, 2, 5, 10)


def histogram_section(content: PageContent, scores: Scores, scales: Scales) -> Markup:
    """Return the histograms of the metrics for which scores of items mean something.

    Args:
        content: The content of the page.
        scores: The scores.
        scales: Factors of the scores.

    Returns:
        The section; empty without such metrics.

    """
    cards = [_card(content, score, scales) for score in scores.values() if has_histogram(score)]
    if not cards:
        return Markup()
    return element("section", element("h2", content.word("distribution")), element("div", *cards, class_="row"))


def has_histogram(score: Score) -> bool:
    """Return whether the scores of items have a distribution worth a drawing.

    Macro-F1 has scores of labels, not of items, and recall of a query is 0 or 1, which the table says already.

    Args:
        score: The score.

    Returns:
        Whether the score is BLEU or a mean over items with other values than 0 and 1.

    """
    is_mean = score.statistics.columns == (score.name,)
    return (is_mean or score.name == "bleu") and not set(np.unique(score.per_item).tolist()) <= {0.0, 1.0}


def _card(content: PageContent, score: Score, scales: Scales) -> Markup:
    note = Markup()
    if score.name == "bleu":
        text = content.word("corpus_bleu").format(scales.text(score.name, score.value))
        note = element("p", text, class_="muted")
    return element("figure", element("h3", metric_title(score.name)), draw(content, score, scales), note, class_="card")


def draw(content: PageContent, score: Score, scales: Scales) -> Markup:
    """Return a histogram with titles and numbers at both axes, and a line at the mean of the items.

    Args:
        content: The content of the page.
        score: A score with values of items.
        scales: Factors of the scores.

    Returns:
        The drawing.

    """
    values = score.per_item * scales.factor(score.name)
    least, largest = float(values.min()), float(values.max())
    # From zero, unless that would leave much of the drawing empty.
    axis = round_axis(0.0 if 0 <= least < largest / 2 else least, largest, BINS)
    counts, edges = _count(values, axis)
    vertical = round_axis(0, int(counts.max()), TICKS, ROUND_COUNTS)
    vertical = vertical if vertical.step >= 1 else Axis(0, max(1, int(counts.max())), 1)
    mean = scales.text(score.name, float(score.per_item.mean()))
    factor = scales.factor(score.name)
    unit = "" if factor == 1 else f" ({content.word('factor').format(factor)})"
    return element(
        "svg",
        *_grid(axis, vertical),
        *_bars(counts, edges, axis, vertical),
        *_mean_line(axis, float(values.mean()), f"{content.word('mean_of_items')} {mean}"),
        _text(f"{metric_title(score.name)}{unit}", LEFT + _inner_width() / 2, HEIGHT - 6, "middle"),
        _text(content.word("number_of_items"), LEFT - 6, 12, "middle"),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"{metric_title(score.name)}: {content.word('mean_of_items')} {mean}",
    )


def _count(values: FloatArray, axis: Axis) -> tuple[npt.NDArray[np.int64], list[float]]:
    """Return the number of values in each bin, and the edges of the bins. The last bin includes its upper end."""
    bins = max(1, round((axis.high - axis.low) / axis.step))
    # Rounding must not push a value out of its bin: edges are multiples of the step, values are compared with them.
    edges = [axis.low + index * axis.step for index in range(bins + 1)]
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), bins=edges)
    return counts, edges


def _inner_width() -> float:
    return WIDTH - LEFT - RIGHT


def _x(value: float, axis: Axis) -> float:
    return LEFT + (value - axis.low) / (axis.high - axis.low) * _inner_width()


def _y(value: float, axis: Axis) -> float:
    return HEIGHT - BOTTOM - (value - axis.low) / (axis.high - axis.low) * (HEIGHT - TOP - BOTTOM)


def _grid(horizontal: Axis, vertical: Axis) -> Iterator[Markup]:
    labels = round_axis(horizontal.low, horizontal.high, TICKS)
    for value in ticks(vertical):
        y = _y(value, vertical)
        yield _line(LEFT, y, WIDTH - RIGHT, y, "grid")
        yield _text(f"{value:,.0f}", LEFT - 5, y + 4, "end")
    for value in ticks(labels):
        if horizontal.low - 1e-9 <= value <= horizontal.high + 1e-9:
            yield _text(f"{value:g}", _x(value, horizontal), HEIGHT - BOTTOM + 14, "middle")


def _bars(counts: npt.NDArray[np.int64], edges: list[float], axis: Axis, vertical: Axis) -> Iterator[Markup]:
    for index, count in enumerate(counts.tolist()):
        if not count:
            continue
        left, right, top = _x(edges[index], axis), _x(edges[index + 1], axis), _y(count, vertical)
        yield element(
            "rect",
            element("title", f"{edges[index]:g}–{edges[index + 1]:g}: {count:,}"),
            x=f"{left + 0.5:.1f}",
            y=f"{top:.1f}",
            width=f"{right - left - 1:.1f}",
            height=f"{HEIGHT - BOTTOM - top:.1f}",
        )


def _mean_line(axis: Axis, mean: float, label: str) -> Iterator[Markup]:
    x = _x(mean, axis)
    yield _line(x, TOP - 4, x, HEIGHT - BOTTOM, "mean")
    # The label is on the side with more room.
    is_right = x > LEFT + _inner_width() / 2
    yield _text(label, x + (-4 if is_right else 4), TOP - 8, "end" if is_right else "start")


def _line(x1: float, y1: float, x2: float, y2: float, name: str) -> Markup:
    return element("line", x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}", class_=name)


def _text(text: str, x: float, y: float, anchor: str) -> Markup:
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)
