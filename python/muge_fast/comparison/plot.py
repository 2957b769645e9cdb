"""The plot of a comparison by one metric, with matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from muge_fast._internal.display import printable
from muge_fast._internal.metric_names import arrow, metric_title
from muge_fast._internal.optional import import_optional
from muge_fast.comparison.metric_comparison import MetricComparison, verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_metric"]

# Inches of a figure, and of each row.
WIDTH, MARGIN, ROW = 7.0, 1.2, 0.3
# Characters of the name of a system.
NAME_WIDTH = 28
COLORS = {"better": "C2", "tied": "C0", "worse": "C3"}


def plot_metric(
    metric: MetricComparison, *, baseline: str | None, scale: float, ax: Axes | None
) -> tuple[Figure, Axes]:
    """Plot the difference of each system to the first one, or to the baseline, with intervals and rank ranges.

    Args:
        metric: The comparison by a metric.
        baseline: Name of the baseline, if there is one.
        scale: Factor of the scores.
        ax: Axes to draw into; None for a new figure.

    Returns:
        The figure and the axes.

    Raises:
        ImportError: matplotlib is not installed.

    """
    pyplot = import_optional("matplotlib.pyplot", purpose="plot()", install="muge-fast[plot]")
    reference, order = baseline or metric.order[0], metric.order
    if ax is None:
        _, ax = pyplot.subplots(figsize=(WIDTH, MARGIN + ROW * len(order)), layout="constrained")
    ax.axvline(0, color="0.5", linewidth=1)
    for row, name in enumerate(order):
        color = _color(metric, name, baseline)
        if name == reference:
            ax.plot([0], [row], "o", color=color)
            continue
        pair = metric[name, reference]
        low, high = (scale * bound for bound in pair.interval)
        ax.plot([low, high], [row, row], "-", color=color, linewidth=2)
        ax.plot([scale * pair.difference], [row], "o", color=color)
    _label_rows(ax, [printable(name, NAME_WIDTH) for name in order])
    _label_rows(
        cast("Axes", ax.secondary_yaxis("right")), [str(metric.ranks[name]) for name in order], "possible ranks"
    )
    ax.set_ylim(len(order) - 0.5, -0.5)
    unit = "" if scale == 1 else f", times {scale:g}"
    level = f"{100 * metric.level:g} % interval"
    title = f"{metric_title(metric.name)} {arrow(metric.higher_is_better)}{unit}: difference to "
    ax.set_xlabel(f"{title}{printable(reference, NAME_WIDTH)}, {level}", parse_math=False)
    return cast("Figure", ax.get_figure()), ax


def _color(metric: MetricComparison, name: str, baseline: str | None) -> str:
    """Return the color of a row: green, blue and red as on pages."""
    if baseline is None:
        return COLORS["tied" if metric.ranks[name].tied_with_first else "worse"]
    return COLORS[verdict(metric, name, baseline)]


def _label_rows(axis: Axes, labels: list[str], title: str = "") -> None:
    """Put a label at each row; names are not formulas, whatever dollar signs are in them."""
    axis.set_yticks(range(len(labels)), labels, parse_math=False)
    axis.set_ylabel(title)
