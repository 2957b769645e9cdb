"""Confidence intervals of the scores of a report."""

from __future__ import annotations

from muge_fast.evaluation.report_page.scales import Scales
from muge_fast.scores import Score, Scores
from muge_fast.significance.intervals import Interval, IntervalMethod

LEVEL = 0.95
"""Confidence level of the intervals of a report."""

MAX_NUMBERS = 1 << 23
"""Numbers that are added up again in each of a thousand resamples, for seconds.

Macro F1 has two for each item and label, and a submission may have as many labels as items.
"""


def score_intervals(scores: Scores) -> dict[str, Interval]:
    """Return the confidence interval of each score that has one.

    Args:
        scores: The scores.

    Returns:
        Intervals by name, those of :meth:`muge_fast.Score.interval` with its defaults. Left out are scores of one item,
        metrics of a whole set of images without influence, and macro F1 of more than 4,194,304 items times labels.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.evaluation.report_page.intervals import score_intervals
        >>> scores = mf.score_retrieval({1: [2], 2: [3], 3: [4]}, {1: [2], 2: [3], 3: [5]}, ks=(1,))
        >>> score_intervals(scores)["recall@1"].high
        1.0

    """
    found = {name: _interval(score) for name, score in scores.items()}
    return {name: interval for name, interval in found.items() if interval is not None}


def interval_text(name: str, interval: Interval | None, scales: Scales) -> str:
    """Return an interval times its factor as text.

    Args:
        name: Name of the score.
        interval: The interval, if there is one.
        scales: Factors of the scores.

    Returns:
        The bounds in brackets; empty without an interval.

    """
    return "" if interval is None else f"[{scales.text(name, interval.low)}, {scales.text(name, interval.high)}]"


def _interval(score: Score) -> Interval | None:
    if "predicted_label" in score.statistics.columns:
        labels = int(score.statistics.rows.max(initial=0)) + 1
        if 2 * labels * len(score.statistics) > MAX_NUMBERS:
            return None
    # Only metrics of a whole set have no statistics of items; they have an interval if computed with influence.
    method: IntervalMethod = "bootstrap" if len(score.statistics.rows) else "normal"
    try:
        return score.interval(LEVEL, method)
    except ValueError:
        return None
