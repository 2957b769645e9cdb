"""What pages show of a task: its titles, its main score, and the tabs of its pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote

from muge_fast._internal.metric_names import arrow, metric_title
from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.web.pages.frame import task_title
from muge_fast.leaderboard.web.pages.words import Words


def task_path(slug: str, page: str = "") -> str:
    """Return the path of a page of a task.

    Args:
        slug: The task.
        page: Last part of the path; empty for the board.

    Returns:
        The path.

    Example:
        >>> from muge_fast.leaderboard.web.pages.task_parts import task_path
        >>> task_path("caption"), task_path("caption", "data")
        ('/tasks/caption', '/tasks/caption/data')

    """
    return f"/tasks/{quote(slug)}" + (f"/{page}" if page else "")


def main_metric(task: TaskSettings) -> str:
    """Return the name of the score that ranks, with an arrow in the direction of better values.

    Args:
        task: The task.

    Returns:
        The text.

    """
    return f"{metric_title(task.main)}\u00a0{arrow(task.ranking.higher_is_better)}"


def task_parts(task: TaskSettings, words: Words, tab: str = "", *, now: datetime | None = None) -> dict[str, object]:
    """Return what pages show of a task.

    Args:
        task: The task.
        words: The words.
        tab: The tab that is open: ``"board"``, ``"months"``, ``"data"`` or ``"submit"``.
        now: The time, for pages that say when the task opens or closes.

    Returns:
        Values for the templates.

    """
    tabs = [("board", ""), ("months", "months"), ("data", "data"), ("submit", "submit")]
    return {
        "slug": task.slug,
        "title": task_title(task, words.language),
        "short": task_title(task, words.language, short=True),
        "metric": main_metric(task),
        "anonymous": task.disclosure.anonymous,
        "href": task_path(task.slug),
        "submit": task_path(task.slug, "submit"),
        "times": list(_times(task, now)) if now else [],
        "tabs": [
            {"label": words(f"nav_{name}"), "href": task_path(task.slug, page), "current": name == tab, "act": False}
            for name, page in tabs
        ],
    }


def _times(task: TaskSettings, now: datetime) -> Iterator[tuple[str, datetime]]:
    """Yield when the task opens, if it has not, and when it closes."""
    if task.opens and now < task.opens:
        yield "task_opens", task.opens
    if task.closes:
        yield "task_closes" if now < task.closes else "task_closed", task.closes
