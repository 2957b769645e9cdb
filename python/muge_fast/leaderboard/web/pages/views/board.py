"""The board of a task, for all time or for a month."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

from markupsafe import Markup
from starlette.requests import Request

from muge_fast.leaderboard.rules.calendar_months import Month, month_of, parse_month
from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.standings.month_views import months_of_task
from muge_fast.leaderboard.standings.standing import ALL_TIME, Standing, Window, month_window
from muge_fast.leaderboard.standings.statistics import MOST_TEAMS
from muge_fast.leaderboard.standings.visible import VisibleStanding, visible_standing
from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.web.pages.kept_parts import KeptParts
from muge_fast.leaderboard.web.pages.numbers import level_text
from muge_fast.leaderboard.web.pages.rendering import render_part
from muge_fast.leaderboard.web.pages.row_parts import frontier, row_parts
from muge_fast.leaderboard.web.pages.task_parts import task_parts, task_path
from muge_fast.leaderboard.web.pages.words import Words
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

# Stage of a standing that has everything.
COMPLETE = 2


def standing_of(site: Site, viewer: SiteViewer, task: TaskSettings, window: Window = ALL_TIME) -> VisibleStanding:
    """Return the standing of a task as a viewer sees it.

    Args:
        site: The site.
        viewer: The viewer.
        task: The task.
        window: The submissions that count.

    Returns:
        The standing.

    """
    return visible_standing(site.standings.get(task.slug, window), viewer.rights, task.disclosure)


def board(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the board of a task.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request, with the task in its path and perhaps ``?month=yyyy-mm``.

    Returns:
        The context.

    Raises:
        NotFoundError: There is no such task, or the month has not begun.
        RefusalError: The month cannot be read.

    """
    task, words = site.task(request.path_params["task"]), Words(viewer.language)
    chosen = parse_month(request.query_params["month"]) if "month" in request.query_params else None
    if chosen is not None and chosen not in months_of_task(site.board, task.slug):
        raise NotFoundError(f"the board has no month {chosen}", f"榜单没有 {chosen}")
    window = ALL_TIME if chosen is None else month_window(chosen, site.settings.zone)
    standing, now = site.standings.get(task.slug, window), site.now()
    # The drawing ends with the present hour.
    shown = (now.replace(minute=0, second=0, microsecond=0), viewer.language, viewer.rights)
    key = (task.slug, window, standing.version, standing.stage, shown)
    body = _bodies.setdefault(site, KeptParts()).get(key, lambda: _body(site, viewer, standing, now=now, chosen=chosen))
    pending = standing.stage < COMPLETE and bool(standing.rows)
    return {"task": task_parts(task, words, "board", now=now), "body": body, "pending": pending}


_bodies: WeakKeyDictionary[Site, KeptParts] = WeakKeyDictionary()


def _body(site: Site, viewer: SiteViewer, found: Standing, *, now: datetime, chosen: Month | None) -> Markup:
    """Return the part of the page below its title."""
    task = site.task(found.task)
    months = months_of_task(site.board, task.slug)
    words, zone, window = Words(viewer.language), site.settings.zone, found.window
    standing = visible_standing(found, viewer.rights, task.disclosure)
    rows = row_parts(standing, words, site.settings.prizes)
    suffix = "" if chosen is None else f"?{urlencode({'month': str(chosen)})}"
    api = f"/api/v1{task_path(task.slug)}/board"
    context = {
        "task": task_parts(task, words),
        "months": _filters(task.slug, months, chosen, month_of(now, zone), words),
        "filtered": chosen is not None,
        "rows": rows,
        "count": _count(standing),
        "intervals": any(row.interval is not None for row in standing.rows),
        "ranges": any(row.rank_range is not None for row in standing.rows),
        "many": f"{MOST_TEAMS:,}" if _count(standing, with_interval=True) > MOST_TEAMS else "",
        "has_confirmed": any(row["confirmed"] for row in rows),
        "level": level_text(standing.level, viewer.language) if standing.level else "",
        "pending": standing.level is None,
        "frontier": frontier(standing.frontier, words, end=min(now, window.before or now), zone=zone),
        "csv": f"{api}.csv{suffix}",
        "json": f"{api}{suffix}",
    }
    return render_part(site, viewer.language, "board_body.html", context)


def _count(standing: VisibleStanding, *, with_interval: bool = False) -> int:
    """Return the number of teams that have a rank."""
    return sum(row.status == "counted" and (row.interval is not None or not with_interval) for row in standing.rows)


def _filters(
    slug: str, months: list[Month], chosen: Month | None, present: Month, words: Words
) -> list[dict[str, object]]:
    path = task_path(slug)
    every = {"label": words("filter_all"), "href": path, "current": chosen is None}
    return [
        every,
        *(
            {
                "label": words("filter_now", month) if month == present else str(month),
                "href": f"{path}?month={month}",
                "current": month == chosen,
            }
            for month in months
        ),
    ]
