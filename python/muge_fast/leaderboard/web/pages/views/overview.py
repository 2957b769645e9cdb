"""The first page: all tasks with their leaders, how to take part, and the last results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from starlette.requests import Request

from muge_fast.leaderboard.rules.calendar_months import month_of, month_start
from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.standings.month_views import visible_month
from muge_fast.leaderboard.standings.visible import VisibleStanding
from muge_fast.leaderboard.store.participation import participation
from muge_fast.leaderboard.web.pages.commands import check_command, submit_command
from muge_fast.leaderboard.web.pages.months import last_closed, month_parts
from muge_fast.leaderboard.web.pages.numbers import number_text
from muge_fast.leaderboard.web.pages.row_parts import team_parts, winner_parts
from muge_fast.leaderboard.web.pages.task_parts import task_parts, task_path
from muge_fast.leaderboard.web.pages.times import span_text
from muge_fast.leaderboard.web.pages.views.board import COMPLETE, standing_of
from muge_fast.leaderboard.web.pages.words import Words
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

LEADERS = 5
WINNERS = 3


def overview(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the first page.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request.

    Returns:
        The context.

    """
    words, now, tasks = Words(viewer.language), site.now(), site.settings.tasks
    with site.board.database.read() as connection:
        numbers = participation(connection)
    month = month_of(now, site.settings.zone)
    ends = month_start(month.plus(1), site.settings.zone)
    standings = {slug: standing_of(site, viewer, task) for slug, task in tasks.items()}
    first = next(iter(tasks.values()))
    return {
        "tasks": [_card(task, standings[slug], words) for slug, task in tasks.items()],
        "teams": f"{numbers.teams:,}",
        "submissions": f"{numbers.submissions:,}",
        "prizes": site.settings.prizes,
        "month": month,
        "month_ends": ends,
        "left": span_text(ends - now, words),
        "check_command": check_command(first),
        "submit_command": submit_command(first, request),
        "winners": list(_winners(site, viewer, words)),
        "pending": any(standing.stage < COMPLETE and standing.rows for standing in standings.values()),
    }


def _card(task: TaskSettings, standing: VisibleStanding, words: Words) -> dict[str, object]:
    leaders = [row for row in standing.rows if row.status == "counted"]
    return {
        **task_parts(task, words),
        "data": task_path(task.slug, "data"),
        "teams": len(leaders),
        "submissions": sum(row.submissions for row in leaders),
        "rows": [
            {**team_parts(row, words), "rank": row.rank, "score": number_text(row.published)}
            for row in leaders[:LEADERS]
        ],
    }


def _winners(site: Site, viewer: SiteViewer, words: Words) -> Iterator[dict[str, object]]:
    """Yield the last closed month of each task, if it has winners."""
    for slug, task in site.settings.tasks.items():
        month = last_closed(site, slug)
        if month is None:
            continue
        shown = visible_month(site.board, site.standings, slug, month, viewer.rights)
        winners = [winner_parts(row, words) for row in shown.newest.board[:WINNERS]]
        if winners:
            parts, titles = month_parts(shown, words), task_parts(task, words)
            yield {**parts, "task": titles["short"], "metric": titles["metric"], "rows": winners}
