"""Teams: founding, names, members, invitations."""

from __future__ import annotations

from typing import NamedTuple

from muge_fast.leaderboard.rules.names import check_unique, clean_name, skeleton
from muge_fast.leaderboard.store.accounts import account_names
from muge_fast.leaderboard.store.teams import (
    Team,
    accept_invitation,
    change_team,
    create_team,
    invite,
    leave_team,
    memberships_of,
    names_of_other_teams,
    revoke_invitations,
)
from muge_fast.leaderboard.web.accounts import INVITED_ONLY
from muge_fast.leaderboard.web.problems import ProblemError
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer


class OwnTeam(NamedTuple):
    """The team of a viewer, as its members see it.

    Attributes:
        team: The team.
        members: Names of its present members, by the time of joining.

    """

    team: Team
    members: list[str]


def own_team(site: Site, viewer: SiteViewer) -> OwnTeam | None:
    """Return the team of the viewer.

    Args:
        site: The site.
        viewer: The viewer.

    Returns:
        The team; None if the viewer is in none.

    """
    if viewer.team is None or not viewer.may("read"):
        return None
    with site.board.database.read() as connection:
        present = [one.account for one in memberships_of(connection, viewer.team.id) if one.left_at is None]
        names = account_names(connection, present)
    return OwnTeam(viewer.team, [names[account] for account in present])


def found_team(site: Site, viewer: SiteViewer, name: str) -> str:
    """Make a team whose first member is the viewer.

    Args:
        site: The site.
        viewer: The viewer.
        name: Name of the team, from a stranger.

    Returns:
        The id of the team.

    Raises:
        ProblemError: There is no login, or the settings ask for an invitation.
        RefusalError: The name is not accepted.
        StoreError: The name is taken, or the viewer is in a team.

    """
    account = viewer.need("manage")
    if site.settings.registration != "open" and not viewer.is_organizer:
        raise ProblemError(INVITED_ONLY)
    cleaned = clean_name(name)
    with site.board.database.read() as connection:
        # An alias is shown in place of a name, so a name must not look like one.
        _, aliases = names_of_other_teams(connection, "")
    check_unique(cleaned, (skeleton(alias) for alias in aliases))
    return create_team(
        site.board.database, name=cleaned, name_key=skeleton(cleaned), founder=account.id, actor=viewer.actor
    )


def change_own_team(site: Site, viewer: SiteViewer, *, name: str | None = None, alias: str | None = None) -> None:
    """Change the name or the alias of the viewer's team.

    Args:
        site: The site.
        viewer: The viewer.
        name: The new name; None leaves it.
        alias: The new alias, under which anonymous tasks show the team; None leaves it.

    Raises:
        ProblemError: There is no login or no team.
        RefusalError: A name is not accepted, or an alias looks like the name or alias of another team.
        StoreError: The name is taken.

    """
    team = viewer.need_team("manage")
    cleaned = None if name is None else clean_name(name)
    shown = None if alias is None else clean_name(alias)
    with site.board.database.read() as connection:
        names, aliases = names_of_other_teams(connection, team.id)
    taken = {*names, *(skeleton(other) for other in aliases)}
    for new in (cleaned, shown):
        if new is not None:
            check_unique(new, taken)
    key = None if cleaned is None else (cleaned, skeleton(cleaned))
    change_team(site.board.database, team.id, name=key, alias=shown, actor=viewer.actor)


def invite_member(site: Site, viewer: SiteViewer) -> str:
    """Make an invitation to the viewer's team.

    Args:
        site: The site.
        viewer: The viewer.

    Returns:
        The secret, which can be used once; a link is ``/team/join?invitation=`` and the secret.

    Raises:
        ProblemError: There is no login or no team.

    """
    team = viewer.need_team("manage")
    account = viewer.need("manage")
    lasts = site.options.invitation_lasts
    return invite(site.board.database, team.id, account_id=account.id, lasts=lasts, actor=viewer.actor)


def revoke_own_invitations(site: Site, viewer: SiteViewer) -> int:
    """Revoke the invitations of the viewer's team that were not used.

    Args:
        site: The site.
        viewer: The viewer.

    Returns:
        Their number.

    Raises:
        ProblemError: There is no login or no team.

    """
    return revoke_invitations(site.board.database, viewer.need_team("manage").id, actor=viewer.actor)


def join_team(site: Site, viewer: SiteViewer, invitation: str) -> str:
    """Join a team by an invitation.

    Args:
        site: The site.
        viewer: The viewer.
        invitation: The secret of the link.

    Returns:
        The id of the team.

    Raises:
        ProblemError: There is no login.
        StoreError: The invitation is not valid, the team is full, or the viewer is in a team.

    """
    account = viewer.need("manage")
    return accept_invitation(site.board.database, invitation.strip(), account_id=account.id, actor=viewer.actor)


def leave_own_team(site: Site, viewer: SiteViewer) -> None:
    """End the membership of the viewer. Its submissions stay those of the team.

    Args:
        site: The site.
        viewer: The viewer.

    Raises:
        ProblemError: There is no login or no team.

    """
    viewer.need_team("manage")
    leave_team(site.board.database, viewer.need("manage").id, actor=viewer.actor)
