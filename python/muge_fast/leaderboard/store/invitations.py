"""Reading an invitation before it is used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from muge_fast.leaderboard.store.schema import invitation, team
from muge_fast.leaderboard.store.secrets import is_secret, secret_hash


def inviting_team(connection: Connection, secret: str, *, now: datetime) -> str | None:
    """Return the name of the team that an invitation admits to.

    Args:
        connection: A connection.
        secret: The secret of the link.
        now: The time.

    Returns:
        The name; None if the invitation was used or revoked, has ended, or never existed.

    """
    if not is_secret(secret, "invitation"):
        return None
    unused = (invitation.c.used_at.is_(None), invitation.c.revoked_at.is_(None), invitation.c.expires_at > now)
    query = (
        select(team.c.name)
        .join(invitation, invitation.c.team == team.c.id)
        .where(invitation.c.sha256 == secret_hash(secret), *unused)
    )
    return connection.execute(query).scalar_one_or_none()
