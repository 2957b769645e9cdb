"""Evaluators and rejudge sets: their lists, and the preview of a set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from starlette.requests import Request

from muge_fast.leaderboard.rules.ranking import Entry, RankingRule, Status, rank_entries
from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.store.recent import statuses
from muge_fast.leaderboard.store.rejudge import RejudgeChange
from muge_fast.leaderboard.store.schema import OPEN_REJUDGE_STATES
from muge_fast.leaderboard.store.tasks import StoredEvaluator
from muge_fast.leaderboard.store.teams import find_team
from muge_fast.leaderboard.web import admin as organizers
from muge_fast.leaderboard.web.pages.row_parts import submission_path
from muge_fast.leaderboard.web.pages.task_parts import task_parts
from muge_fast.leaderboard.web.pages.views.admin import admin_tabs
from muge_fast.leaderboard.web.pages.words import Words
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

BADGES = {"computing": "busy", "ready": "warn", "applied": "good", "cancelled": "plain"}
# Changes that the preview lists.
MAX_CHANGES = 200


def admin_rejudges(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the evaluators and rejudge sets of all tasks.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request.

    Returns:
        The context.

    Raises:
        ProblemError: The viewer is not an organizer.

    """
    words, found = Words(viewer.language), organizers.overview(site, viewer)
    return {
        "tabs": admin_tabs(request.url.path, words),
        "tasks": [
            {
                **task_parts(task, words),
                "evaluators": found.evaluators[slug],
                "rejudges": [
                    {**row._asdict(), "href": f"/admin/rejudges/{quote(row.id)}", "class": BADGES[row.state]}
                    for row in found.rejudges
                    if row.task == slug
                ],
                "candidates": _candidates(found, slug),
                "start": f"/admin/tasks/{quote(slug)}/rejudges",
            }
            for slug, task in site.settings.tasks.items()
        ],
    }


def _candidates(found: organizers.Overview, slug: str) -> list[StoredEvaluator]:
    """Return the evaluators for which a set can be started: drafts, if no set of the task is open."""
    if any(row.task == slug and row.state in OPEN_REJUDGE_STATES for row in found.rejudges):
        return []
    return [one for one in found.evaluators[slug] if one.state == "draft"]


def admin_rejudge(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the preview of a rejudge set.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request, with the id of the set in its path.

    Returns:
        The context.

    Raises:
        ProblemError: The viewer is not an organizer.
        NotFoundError: There is no such set.

    """
    words = Words(viewer.language)
    found, changes = organizers.preview_set(site, viewer, request.path_params["rejudge"])
    task = site.task(found.task)
    with site.board.database.read() as connection:
        names = {team: find_team(connection, team).name for team in {change.team for change in changes}}
        ranks = _rank_changes(changes, statuses(connection, found.task), task, names)
    changed = [change for change in changes if change.state not in ("queued", "running")]
    changed = [change for change in changed if change.before != change.after]
    path = f"/admin/rejudges/{quote(found.id)}"
    return {
        "tabs": admin_tabs("/admin/rejudges", words),
        "task": task_parts(task, words),
        "rejudge": found,
        "class": BADGES[found.state],
        "total": len(changes),
        "changed": len(changed),
        "changes": [_change(change, task, names) for change in changed[:MAX_CHANGES]],
        "more": max(0, len(changed) - MAX_CHANGES),
        "ranks": ranks,
        "open": found.state in OPEN_REJUDGE_STATES,
        "apply": f"{path}/apply",
        "drop": f"{path}/drop",
    }


def _change(change: RejudgeChange, task: TaskSettings, names: Mapping[str, str]) -> dict[str, object]:
    return {
        "href": submission_path(change.submission),
        "number": change.number,
        "team": names[change.team],
        "before": _number(change.before, task),
        "after": _number(change.after, task),
        "state": change.state,
    }


def _number(value: float | None, task: TaskSettings) -> str:
    return "" if value is None else f"{value:.{task.ranking.digits}f}".replace("-", "\u2212")


def _rank_changes(
    changes: Sequence[RejudgeChange], known: Mapping[str, Status], task: TaskSettings, names: Mapping[str, str]
) -> list[dict[str, object]]:
    """Return the teams whose rank or number would change, by the new rank."""
    before, after = (_ranking(changes, known, task, side) for side in ("before", "after"))
    teams = sorted({*before, *after}, key=lambda team: (after.get(team, (10**9, ""))[0], before.get(team, (0, ""))[0]))
    nothing = (None, "")
    return [
        {
            "team": names[team],
            "rank_before": before.get(team, nothing)[0],
            "rank_after": after.get(team, nothing)[0],
            "before": before.get(team, nothing)[1],
            "after": after.get(team, nothing)[1],
        }
        for team in teams
        if before.get(team) != after.get(team)
    ]


def _ranking(
    changes: Sequence[RejudgeChange], known: Mapping[str, Status], task: TaskSettings, side: str
) -> dict[str, tuple[int, str]]:
    """Return rank and number of each team by the published numbers of one evaluator."""
    rule = RankingRule(higher_is_better=task.ranking.higher_is_better, digits=task.ranking.digits, scale=1)
    entries = [
        Entry(change.submission, change.team, getattr(change, side), change.accepted_at, known[change.submission])
        for change in changes
    ]
    return {
        row.entry.team: (row.rank, _number(float(row.number), task))
        for row in rank_entries(entries, rule)
        if row.rank is not None
    }
