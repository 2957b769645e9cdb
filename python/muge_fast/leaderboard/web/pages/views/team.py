"""The page of a team: its rank and its submissions for each task, as the viewer may see them."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.standings.visible import VisibleRow
from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.store.teams import Team, find_team
from muge_fast.leaderboard.web.pages.numbers import bounds_text, number_text
from muge_fast.leaderboard.web.pages.row_parts import frontier
from muge_fast.leaderboard.web.pages.submission_rows import listed_row, own_rows
from muge_fast.leaderboard.web.pages.task_parts import task_parts
from muge_fast.leaderboard.web.pages.views.board import standing_of
from muge_fast.leaderboard.web.pages.words import Words
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer


def team(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the page of a team.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request, with the id of the team in its path.

    Returns:
        The context.

    Raises:
        NotFoundError: There is no such team, or the viewer may not see it: it is on no board under its name.

    """
    words, now = Words(viewer.language), site.now()
    with site.board.database.read() as connection:
        found = find_team(connection, request.path_params["team"])
    is_insider = viewer.role(found.id) in ("teammate", "organizer")
    rows = {slug: _row(site, viewer, task, found.id) for slug, task in site.settings.tasks.items()}
    if not is_insider and not any(rows.values()):
        raise NotFoundError("there is no such team", "没有这个队伍")
    tasks = []
    for slug, row in rows.items():
        sent = _submissions(site, viewer, found, slug, row, is_insider=is_insider)
        if sent:
            task = task_parts(site.task(slug), words)
            drawing = frontier(row.history if row else None, words, end=now, zone=site.settings.zone, with_teams=False)
            tasks.append({**task, **_row_parts(row), "frontier": drawing, "complete": is_insider, "rows": sent})
    shown = {"name": found.name, "host": found.host, "created_at": found.created_at}
    return {"team": shown, "tasks": tasks}


def _row(site: Site, viewer: SiteViewer, task: TaskSettings, team_id: str) -> VisibleRow | None:
    """Return the row of the team, if the viewer may see that it is the team's."""
    rows = standing_of(site, viewer, task).rows
    return next((row for row in rows if row.team_id == team_id), None)


def _submissions(
    site: Site, viewer: SiteViewer, found: Team, slug: str, row: VisibleRow | None, *, is_insider: bool
) -> list[dict[str, object]]:
    """Return all submissions of the team for its members and organizers, and the listed one for others."""
    if is_insider:
        return own_rows(site, viewer, found, slug, best=row.submission if row else None)
    return [listed_row(row)] if row else []


def _row_parts(row: VisibleRow | None) -> dict[str, object]:
    if row is None:
        return {"rank": None, "rank_range": "", "score": "", "bounds": "", "submissions": None}
    return {
        "rank": row.rank,
        "rank_range": str(row.rank_range) if row.rank_range else "",
        "score": number_text(row.published),
        "bounds": bounds_text(*(row.interval or (None, None))),
        "submissions": row.submissions,
    }
