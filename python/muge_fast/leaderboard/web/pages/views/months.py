"""Months: the list of all tasks or of one, and a month with its winners."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from starlette.requests import Request

from muge_fast.leaderboard.rules.calendar_months import parse_month
from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.standings.month_views import VisibleMonth, VisibleRevision, months_of_task, visible_month
from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.web.pages.months import month_parts
from muge_fast.leaderboard.web.pages.row_parts import winner_parts
from muge_fast.leaderboard.web.pages.task_parts import task_parts, task_path
from muge_fast.leaderboard.web.pages.times import time_text
from muge_fast.leaderboard.web.pages.words import Words
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

# Months of a task on the page of all tasks; the page of a task has all of them.
RECENT = 6


def all_months(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the months of all tasks.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request.

    Returns:
        The context.

    """
    del request
    words = Words(viewer.language)
    groups = [_group(site, viewer, task, words, RECENT) for task in site.settings.tasks.values()]
    return {"task": None, "groups": groups, **_numbers(site)}


def task_months(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the months of a task.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request, with the task in its path.

    Returns:
        The context.

    Raises:
        NotFoundError: There is no such task.

    """
    task, words = site.task(request.path_params["task"]), Words(viewer.language)
    return {
        "task": task_parts(task, words, "months", now=site.now()),
        "groups": [_group(site, viewer, task, words, None)],
        **_numbers(site),
    }


def _numbers(site: Site) -> dict[str, object]:
    return {"prizes": site.settings.prizes, "vetting_days": site.settings.vetting_days}


def _group(site: Site, viewer: SiteViewer, task: TaskSettings, words: Words, limit: int | None) -> dict[str, object]:
    parts = task_parts(task, words)
    months = [
        visible_month(site.board, site.standings, task.slug, month, viewer.rights)
        for month in months_of_task(site.board, task.slug)[:limit]
    ]
    return {
        "title": parts["title"],
        "href": task_path(task.slug, "months"),
        "metric": parts["metric"],
        "months": [
            {
                **month_parts(month, words),
                "first": winner_parts(month.newest.board[0], words) if month.newest.board else None,
                "closed_at": month.newest.closed_at,
            }
            for month in months
        ],
    }


def one_month(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of a month of a task.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request, with the task and the month in its path, and perhaps ``?revision=``.

    Returns:
        The context.

    Raises:
        NotFoundError: There is no such task, month or revision.
        RefusalError: The month cannot be read.

    """
    task, words = site.task(request.path_params["task"]), Words(viewer.language)
    month = visible_month(
        site.board, site.standings, task.slug, parse_month(request.path_params["month"]), viewer.rights
    )
    revision = _revision(month, request.query_params.get("revision"))
    parts = month_parts(month, words)
    return {
        "task": task_parts(task, words, "months", now=site.now()),
        "month": parts["name"],
        "state": parts["state"],
        "class": parts["class"],
        "state_text": _state_text(month, words),
        "boundary": month.boundary,
        "record": revision if revision.revision else None,
        "lists": [
            {
                "title": words(f"month_{name}"),
                "text": words(f"month_{name}_text"),
                "rows": [winner_parts(row, words) for row in getattr(revision, name)],
            }
            for name in ("board", "of_month")
        ],
        "revisions": _revisions(month, revision, str(parts["href"]), words),
    }


def _revision(month: VisibleMonth, number: str | None) -> VisibleRevision:
    if number is None:
        return month.newest
    for revision in month.revisions:
        if str(revision.revision) == number:
            return revision
    raise NotFoundError("the month has no such revision", "该月没有这个修订版")


def _state_text(month: VisibleMonth, words: Words) -> str:
    final_at = month.newest.final_at
    values = [time_text(final_at, ZoneInfo(month.zone))] if month.state == "provisional" and final_at else []
    return words(f"month_{month.state}_text", *values)


def _revisions(month: VisibleMonth, shown: VisibleRevision, href: str, words: Words) -> list[dict[str, object]]:
    if len(month.revisions) == 1:
        return []
    return [
        {
            "label": words("month_revision_label", revision.revision),
            "href": f"{href}?revision={revision.revision}",
            "current": revision is shown,
        }
        for revision in month.revisions
    ]
