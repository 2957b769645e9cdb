"""Tasks, boards and months."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from muge_fast.leaderboard.rules.calendar_months import Month, parse_month
from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.standings.board_csv import standing_csv
from muge_fast.leaderboard.standings.board_json import standing_json
from muge_fast.leaderboard.standings.month_views import month_json, visible_month
from muge_fast.leaderboard.standings.standing import ALL_TIME, month_window
from muge_fast.leaderboard.standings.visible import VisibleStanding, visible_standing
from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.store.months import closed_months
from muge_fast.leaderboard.web.api.answers import JSON, PROBLEMS, json_body, json_response
from muge_fast.leaderboard.web.api.schemas import Board, Months, Task, TaskList
from muge_fast.leaderboard.web.etags import tagged_response
from muge_fast.leaderboard.web.site import site_of
from muge_fast.leaderboard.web.viewers import CurrentViewer, SiteViewer

router = APIRouter(tags=["boards"], responses=PROBLEMS)
# The stage of a standing with everything that is computed in the background.
COMPLETE = 2
CSV = "text/csv; charset=utf-8"

MonthFilter = Annotated[
    str, Query(description="Count the submissions of one month only, such as 2026-11.", max_length=10)
]


@router.get("/tasks", responses={200: {"model": TaskList}})
def list_tasks(request: Request) -> Response:
    """Return the tasks of the board."""
    site = site_of(request)
    settings = site.settings
    body = {"title": settings.title, "title_zh": settings.title_zh, "zone": settings.zone.key}
    return json_response({**body, "tasks": [_task(task) for task in settings.tasks.values()]})


@router.get("/tasks/{task}", responses={200: {"model": Task}})
def show_task(request: Request, task: str) -> Response:
    """Return a task: its score, limits and times."""
    return json_response(_task(site_of(request).task(task)))


def _task(task: TaskSettings) -> dict[str, object]:
    limits, rule = task.limits, task.ranking
    return {
        "slug": task.slug,
        "scorer": task.scorer,
        "title": task.title,
        "title_zh": task.title_zh,
        "main": task.main,
        "higher_is_better": rule.higher_is_better,
        "digits": rule.digits,
        "opens": task.opens,
        "closes": task.closes,
        "max_bytes": task.max_bytes,
        "limits": {
            "valid_per_day": limits.valid_per_day,
            "all_per_day": limits.all_per_day,
            "valid_per_month": limits.valid_per_month,
            "all_per_month": limits.all_per_month,
        },
        "anonymous": task.disclosure.anonymous,
        "references_public": task.disclosure.references_public,
    }


@router.get("/tasks/{task}/board", responses={200: {"model": Board}})
def show_board(request: Request, viewer: CurrentViewer, task: str, month: MonthFilter = "") -> Response:
    """Return the board of a task. While statistics are computed, ``statistics`` and what depends on it are null."""
    standing = _standing(request, viewer, task, month)
    return tagged_response(request, json_body(standing_json(standing)), JSON, is_public=viewer.account is None)


@router.get("/tasks/{task}/board.csv", responses={200: {"content": {"text/csv": {}}}})
def download_board(request: Request, viewer: CurrentViewer, task: str, month: MonthFilter = "") -> Response:
    """Return the board of a task as CSV."""
    standing = _standing(request, viewer, task, month)
    headers = {"Content-Disposition": f'attachment; filename="{standing.task}.csv"'}
    # Spreadsheets recognize UTF-8 by the mark at the beginning.
    body = standing_csv(standing).encode("utf-8-sig")
    return tagged_response(request, body, CSV, headers=headers, is_public=viewer.account is None)


def _standing(request: Request, viewer: SiteViewer, slug: str, month: str) -> VisibleStanding:
    site = site_of(request)
    task = site.task(slug)
    window = month_window(_month(month), site.settings.zone) if month else ALL_TIME
    standing = site.standings.get(slug, window)
    request.state.keep_page = viewer.account is None and standing.stage == COMPLETE
    return visible_standing(standing, viewer.rights, task.disclosure)


def _month(text: str) -> Month:
    """Return the month of an address. Those of other centuries are not asked of the calendar, which has an end."""
    if not text.startswith("20"):
        raise NotFoundError("there is no such month", "没有这个月份")
    return parse_month(text)


@router.get("/tasks/{task}/months", responses={200: {"model": Months}})
def list_months(request: Request, task: str) -> Response:
    """Return the closed months of a task."""
    site = site_of(request)
    slug = site.task(task).slug
    with site.board.database.read() as connection:
        return json_response({"task": slug, "months": closed_months(connection, slug)})


@router.get("/tasks/{task}/months/{month}")
def show_month(request: Request, viewer: CurrentViewer, task: str, month: str) -> Response:
    """Return a month of a task, with the winners and every revision; the preview of a month that is not closed."""
    site = site_of(request)
    found = visible_month(site.board, site.standings, site.task(task).slug, _month(month), viewer.rights)
    return tagged_response(request, json_body(month_json(found)), JSON, is_public=viewer.account is None)
