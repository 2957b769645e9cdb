"""The viewer's account with its tokens, and the viewer's team with its submissions, members and invitations."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from muge_fast.leaderboard.web.pages.commands import site_address
from muge_fast.leaderboard.web.pages.frame import task_title
from muge_fast.leaderboard.web.pages.submission_rows import own_rows
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.teams import own_team
from muge_fast.leaderboard.web.tokens import own_tokens
from muge_fast.leaderboard.web.viewers import SiteViewer

# Submissions of all tasks on the page of the team; the rest is on the public page.
RECENT = 30


def account(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the viewer's account.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request.

    Returns:
        The context.

    """
    del request
    tokens = [token._asdict() for token in own_tokens(site, viewer)]
    tokens.sort(key=lambda token: (token["revoked_at"] is not None, -token["created_at"].timestamp()))
    found = viewer.need("read")
    return {"name": found.name, "role": found.role, "tokens": tokens}


def my_team(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the viewer's team, or of the form that founds one.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request.

    Returns:
        The context.

    """
    found, account = own_team(site, viewer), viewer.need("read")
    if found is None:
        return {"team": None}
    rows = [
        {**row, "task": task_title(task, viewer.language, short=True)}
        for slug, task in site.settings.tasks.items()
        for row in own_rows(site, viewer, found.team, slug)
    ]
    rows.sort(key=lambda row: str(row["accepted_at"]), reverse=True)
    return {
        "team": {**found.team._asdict(), "href": f"/teams/{found.team.id}"},
        "members": [{"name": name, "me": name == account.name} for name in found.members],
        "submissions": rows[:RECENT],
        "site_address": site_address(request),
    }
