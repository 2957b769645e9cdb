"""Pages of organizers: the queue and faults, teams and accounts, and the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from starlette.requests import Request

from muge_fast._internal.display import json_text
from muge_fast.leaderboard.store.accounts import account_names
from muge_fast.leaderboard.store.audit import AuditEntry
from muge_fast.leaderboard.store.recent import latest_submissions, list_queue
from muge_fast.leaderboard.web import admin as organizers
from muge_fast.leaderboard.web.pages.frame import task_title
from muge_fast.leaderboard.web.pages.row_parts import submission_path
from muge_fast.leaderboard.web.pages.times import span_text
from muge_fast.leaderboard.web.pages.words import Words
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

TABS = (
    ("admin_queue", "/admin"),
    ("admin_teams", "/admin/teams"),
    ("admin_rejudges", "/admin/rejudges"),
    ("admin_audit", "/admin/audit"),
)
# Characters of a value in the audit log.
MAX_VALUE = 200


def admin_tabs(path: str, words: Words) -> list[dict[str, object]]:
    """Return the tabs of the pages of organizers.

    Args:
        path: Path of the page that is open.
        words: The words.

    Returns:
        Values for the template.

    """
    return [
        {"label": words(key), "href": href, "current": path == href or (href != "/admin" and path.startswith(href))}
        for key, href in TABS
    ]


def admin(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the queue, the faults and the latest submissions.

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
    with site.board.database.read() as connection:
        queue, latest, now = list_queue(connection), latest_submissions(connection), site.board.database.now(connection)
    counts = {name: getattr(found.queue, name) for name in ("queued", "running", "faulted")}
    return {
        "tabs": admin_tabs(request.url.path, words),
        "counts": [{"label": words(f"state_{name}"), "value": f"{value:,}"} for name, value in counts.items()],
        "oldest": span_text(now - found.queue.oldest, words) if found.queue.oldest else None,
        "faults": [
            {
                "task": _short(site, fault.task, words),
                "href": submission_path(fault.submission),
                "number": fault.number,
                "team": fault.team,
                "at": fault.finished_at,
                "fault": fault.fault,
                "requeue": f"/admin/evaluations/{quote(fault.evaluation)}/requeue",
            }
            for fault in found.faults
        ],
        "queue": [
            {**row._asdict(), "task": _short(site, row.task, words), "href": submission_path(row.submission)}
            for row in queue
        ],
        "latest": [
            {
                **row._asdict(),
                "task": _short(site, row.task, words),
                "href": submission_path(row.submission),
                "score": _published(site, row.task, row.published),
            }
            for row in latest
        ],
    }


def _short(site: Site, slug: str, words: Words) -> str:
    # A task may be removed from the settings while its submissions stay.
    task = site.settings.tasks.get(slug)
    return task_title(task, words.language, short=True) if task else slug


def _published(site: Site, slug: str, number: float | None) -> str:
    task = site.settings.tasks.get(slug)
    return "" if number is None else f"{number:.{task.ranking.digits if task else 2}f}".replace("-", "\u2212")


def admin_teams(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the teams and accounts.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request, perhaps with the last id of the page before.

    Returns:
        The context.

    Raises:
        ProblemError: The viewer is not an organizer.

    """
    words, me = Words(viewer.language), viewer.need_organizer()
    teams = organizers.teams(site, viewer, after=request.query_params.get("after_team", ""))
    accounts = organizers.accounts(site, viewer, after=request.query_params.get("after_account", ""))
    names = {team.id: team.name for team in teams}
    return {
        "tabs": admin_tabs(request.url.path, words),
        "teams": [{**team._asdict(), "href": f"/teams/{quote(team.id)}"} for team in teams],
        "accounts": [
            {
                **account._asdict(),
                "team_name": names.get(account.team or "", ""),
                "me": account.id == me.id,
                "disable": f"/admin/accounts/{quote(account.id)}/disable",
            }
            for account in accounts
        ],
        "more_teams": f"?after_team={quote(teams[-1].id)}" if len(teams) == PAGE else None,
        "more_accounts": f"?after_account={quote(accounts[-1].id)}" if len(accounts) == PAGE else None,
    }


# Rows of a page of the lists of teams and accounts, and of the audit log.
PAGE, AUDIT_PAGE = 200, 100


def admin_audit(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the audit log.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request, perhaps with the number of an entry to begin before.

    Returns:
        The context.

    Raises:
        ProblemError: The viewer is not an organizer.

    """
    words, text = Words(viewer.language), request.query_params.get("before", "")
    before = int(text) if text.isascii() and text.isdecimal() and len(text) < len(str(2**63)) else None
    entries = organizers.audit_log(site, viewer, before=before)
    with site.board.database.read() as connection:
        names = account_names(connection, {entry.actor for entry in entries})
    is_last = len(entries) < AUDIT_PAGE or entries[-1].seq == 1
    return {
        "tabs": admin_tabs(request.url.path, words),
        "entries": [
            {
                **{name: getattr(entry, name) for name in ("seq", "at", "action", "subject", "request")},
                "actor": names.get(entry.actor, entry.actor),
                "changes": list(_changes(entry)),
            }
            for entry in entries
        ],
        "newer": None if before is None else "/admin/audit",
        "older": None if is_last else f"/admin/audit?before={entries[-1].seq}",
    }


def _changes(entry: AuditEntry) -> Iterator[str]:
    """Yield what changed, a line for each field."""
    before = entry.before if isinstance(entry.before, Mapping) else {}
    after = entry.after if isinstance(entry.after, Mapping) else {}
    for name in dict.fromkeys([*before, *after]):
        values = [_value(side[name]) for side in (before, after) if name in side]
        yield f"{name}: {' → '.join(values)}"


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json_text(value)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"
