"""Numbers as a page shows them: one factor and one number of digits for each metric, everywhere on the page."""

from __future__ import annotations

from muge_fast._internal.metric_names import arrow, metric_bounds, metric_title
from muge_fast.scores import Score, Scores
from muge_fast.tasks.task import Task

# Digits after the point of metrics with small values.
DIGITS = {"kid": 5}


class Scales:
    """The factors of a task's scores.

    Args:
        task: The task.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.evaluation.report_page.scales import Scales
        >>> scales = Scales(mf.tasks.get("caption"))
        >>> scales.text("cider_d", 0.91639), scales.range_of("cider_d"), scales.factor("bleu")
        ('91.64', '0–1000', 100.0)

    """

    def __init__(self, task: Task) -> None:
        self._task = task

    def factor(self, name: str) -> float:
        """Return the factor of a score."""
        return self._task.official_value(name, 1.0)

    def value(self, name: str, value: float) -> float:
        """Return a score times its factor, rounded to the digits that are shown."""
        return round(self._task.official_value(name, value), DIGITS.get(name, 2))

    def columns(self, scores: Scores) -> dict[str, list[float]]:
        """Return the scores of items times their factors, by name; metrics of a whole set have none."""
        return {
            name: [self.value(name, value) for value in score.per_item.tolist()]
            for name, score in scores.items()
            if len(score.per_item)
        }

    def text(self, name: str, value: float) -> str:
        """Return a score times its factor as text."""
        return f"{self._task.official_value(name, value):.{DIGITS.get(name, 2)}f}"

    def range_of(self, name: str) -> str:
        """Return the lowest and the highest value of a score times its factor; an empty text if they are unknown."""
        bounds = metric_bounds(name)
        if bounds is None:
            return ""
        factor, (low, high) = self.factor(name), bounds
        return f"{low * factor:g}–{'∞' if high is None else f'{high * factor:g}'}"


def heading(score: Score) -> str:
    """Return the title of a score, with an arrow in the direction of better values.

    Args:
        score: The score.

    Returns:
        The text.

    """
    return f"{metric_title(score.name)}\u00a0{arrow(score.higher_is_better)}"
