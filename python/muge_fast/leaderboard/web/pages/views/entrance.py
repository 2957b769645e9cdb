"""Logging in, making an account, and joining a team by an invitation."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from muge_fast.leaderboard.store.invitations import inviting_team
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer


def login(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the page on which one logs in.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request, perhaps with the page that comes next.

    Returns:
        The context.

    """
    del viewer
    return {"next": request.query_params.get("next", ""), "registration": site.settings.registration}


def register(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the page on which one makes an account.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request, perhaps with an invitation.

    Returns:
        The context.

    """
    del viewer
    return {**_invitation(site, request), "registration": site.settings.registration}


def join(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the page of an invitation.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request with the invitation.

    Returns:
        The context.

    """
    del viewer
    return _invitation(site, request)


def _invitation(site: Site, request: Request) -> dict[str, object]:
    secret = request.query_params.get("invitation", "")
    if not secret:
        return {"invitation": "", "inviting_team": None}
    with site.board.database.read() as connection:
        team = inviting_team(connection, secret, now=site.board.database.now(connection))
    return {"invitation": secret, "inviting_team": team}
