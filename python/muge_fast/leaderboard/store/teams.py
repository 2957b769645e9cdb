"""Teams, memberships over time, and invitations."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from muge_fast._internal.display import printable
from muge_fast.leaderboard.store.audit import Actor, append_audit
from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.errors import ConflictError, NameTakenError, NotFoundError, RefusedError
from muge_fast.leaderboard.store.new_ids import new_id
from muge_fast.leaderboard.store.schema import invitation, membership, submission, team
from muge_fast.leaderboard.store.secrets import is_secret, new_secret, secret_hash
from muge_fast.leaderboard.store.tasks import bump_board

MAX_MEMBERS = 8


class Team(NamedTuple):
    """A team.

    Attributes:
        id: Its id.
        name: Its name.
        alias: Name under which it is shown while it is anonymous.
        public: Whether it shows its name.
        host: Whether it is the team of the organizers.
        created_at: When it was made.

    """

    id: str
    name: str
    alias: str | None
    public: bool
    host: bool
    created_at: datetime


class Membership(NamedTuple):
    """A time in which an account is in a team.

    Attributes:
        account: The account.
        team: The team.
        joined_at: The first instant.
        left_at: The last one; None for a present member.

    """

    account: str
    team: str
    joined_at: datetime
    left_at: datetime | None


def create_team(
    database: Database,
    *,
    name: str,
    name_key: str,
    founder: str,
    alias: str | None = None,
    public: bool = True,
    host: bool = False,
    actor: Actor,
) -> str:
    """Create a team with its first member.

    Args:
        database: The database.
        name: The name as it is shown.
        name_key: Skeleton of the name by the rule for names, equal for names that look alike.
        founder: The account that is its first member.
        alias: Name under which it is shown while it is anonymous.
        public: Whether it shows its name.
        host: Whether it is the team of the organizers, whose submissions are baselines.
        actor: Actor for the audit log.

    Returns:
        The id.

    Raises:
        ConflictError: The name is taken.
        RefusedError: The account is in a team.

    """
    team_id = new_id()
    try:
        with database.write() as connection:
            now = database.now(connection)
            values = {"id": team_id, "name": name, "name_key": name_key, "alias": alias, "public": public, "host": host}
            _check_free(connection, founder)
            connection.execute(insert(team).values(**values, created_at=now))
            _add_member(connection, founder, team_id, now)
            after = {"name": name, "founder": founder}
            append_audit(connection, "team.create", team_id, actor=actor, at=now, after=after)
    except IntegrityError as error:
        raise _conflict(error) from error
    return team_id


def change_team(
    database: Database,
    team_id: str,
    *,
    name: tuple[str, str] | None = None,
    alias: str | None = None,
    public: bool | None = None,
    actor: Actor,
) -> None:
    """Change how a team is shown.

    Args:
        database: The database.
        team_id: The team.
        name: The new name and its key; None leaves it.
        alias: The new alias; None leaves it.
        public: Whether it shows its name; None leaves it.
        actor: Actor for the audit log.

    Raises:
        ConflictError: The name is taken.
        NotFoundError: There is no such team.

    """
    values: dict[str, Any] = {"name": name[0], "name_key": name[1]} if name else {}
    values |= {} if alias is None else {"alias": alias}
    values |= {} if public is None else {"public": public}
    try:
        with database.write() as connection:
            old = (
                connection.execute(select(team).where(team.c.id == team_id).with_for_update()).mappings().one_or_none()
            )
            if old is None:
                raise NotFoundError(f"there is no team {team_id!r}", "没有这个队伍")
            if not values:
                return
            connection.execute(update(team).where(team.c.id == team_id).values(values))
            # In the order of their names, so that two teams never wait for each other.
            slugs = select(submission.c.task).where(submission.c.team == team_id).distinct()
            for slug in sorted(connection.execute(slugs).scalars()):
                bump_board(connection, slug)
            before = {column: old[column] for column in values}
            at = database.now(connection)
            append_audit(connection, "team.change", team_id, actor=actor, at=at, before=before, after=values)
    except IntegrityError as error:
        raise _conflict(error) from error


def find_team(connection: Connection, team_id: str) -> Team:
    """Return a team.

    Args:
        connection: A connection.
        team_id: Its id.

    Returns:
        The team.

    Raises:
        NotFoundError: There is no such team.

    """
    row = connection.execute(select(*(team.c[name] for name in Team._fields)).where(team.c.id == team_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no team {team_id!r}", "没有这个队伍")
    return Team(*row)


def find_team_of_name(connection: Connection, name_key: str) -> Team | None:
    """Return the team of a name.

    Args:
        connection: A connection.
        name_key: Skeleton of the name.

    Returns:
        The team; None if there is none.

    """
    columns = [team.c[name] for name in Team._fields]
    row = connection.execute(select(*columns).where(team.c.name_key == name_key)).one_or_none()
    return Team(*row) if row else None


def team_of(connection: Connection, account_id: str) -> Team | None:
    """Return the team that an account is in.

    Args:
        connection: A connection.
        account_id: The account.

    Returns:
        The team; None if it is in none.

    """
    query = (
        select(*(team.c[name] for name in Team._fields))
        .join(membership, membership.c.team == team.c.id)
        .where(membership.c.account == account_id, membership.c.left_at.is_(None))
    )
    row = connection.execute(query).one_or_none()
    return Team(*row) if row else None


def names_of_other_teams(connection: Connection, team_id: str) -> tuple[list[str], list[str]]:
    """Return the names and aliases that a team must not take.

    Args:
        connection: A connection.
        team_id: The team; an empty string for a new one.

    Returns:
        The skeletons of the names of all other teams, and their aliases.

    """
    rows = connection.execute(select(team.c.name_key, team.c.alias).where(team.c.id != team_id)).all()
    return [row.name_key for row in rows], [row.alias for row in rows if row.alias is not None]


def memberships_of(connection: Connection, team_id: str) -> list[Membership]:
    """Return the present and past members of a team.

    Args:
        connection: A connection.
        team_id: The team.

    Returns:
        The memberships, by the time of joining.

    """
    columns = [membership.c[name] for name in Membership._fields]
    query = select(*columns).where(membership.c.team == team_id).order_by(membership.c.joined_at, membership.c.id)
    return [Membership(*row) for row in connection.execute(query)]


def leave_team(database: Database, account_id: str, *, actor: Actor) -> None:
    """End the membership of an account. Its submissions stay those of the team.

    Args:
        database: The database.
        account_id: The account.
        actor: Actor for the audit log.

    Raises:
        RefusedError: The account is in no team.

    """
    with database.write() as connection:
        mine = (membership.c.account == account_id) & membership.c.left_at.is_(None)
        row = connection.execute(select(membership).where(mine).with_for_update()).one_or_none()
        if row is None:
            raise RefusedError("the account is in no team", "该账号不在任何队伍中")
        now = database.now(connection)
        left = max(now, row.joined_at)  # The clock may step back.
        connection.execute(update(membership).where(membership.c.id == row.id).values(left_at=left))
        append_audit(connection, "team.leave", row.team, actor=actor, at=now, after={"account": account_id})


def invite(database: Database, team_id: str, *, account_id: str, lasts: timedelta, actor: Actor) -> str:
    """Make an invitation to a team, for one account.

    Args:
        database: The database.
        team_id: The team.
        account_id: The member that invites.
        lasts: Time until it ends.
        actor: Actor for the audit log.

    Returns:
        The secret for the link, which is shown once.

    Raises:
        RefusedError: The account is not in the team.

    """
    secret, invitation_id = new_secret("invitation"), new_id()
    with database.write() as connection:
        found = team_of(connection, account_id)
        if found is None or found.id != team_id:
            raise RefusedError("only members of a team can invite to it", "只有队伍成员可以发出邀请")
        now = database.now(connection)
        values = {"id": invitation_id, "sha256": secret_hash(secret), "team": team_id, "created_by": account_id}
        connection.execute(insert(invitation).values(**values, created_at=now, expires_at=now + lasts))
        append_audit(connection, "invitation.create", invitation_id, actor=actor, at=now, after={"team": team_id})
    return secret


def accept_invitation(
    database: Database, secret: str, *, account_id: str, max_members: int = MAX_MEMBERS, actor: Actor
) -> str:
    """Join a team by an invitation, which can be used once.

    Args:
        database: The database.
        secret: The secret of the link.
        account_id: The account that joins.
        max_members: Largest number of members.
        actor: Actor for the audit log.

    Returns:
        The id of the team.

    Raises:
        NotFoundError: The invitation was used, revoked, has ended, or never existed.
        RefusedError: The account is in a team, or the team is full.

    """
    if not is_secret(secret, "invitation"):
        raise NotFoundError("the invitation is not complete: copy the whole link", "邀请链接不完整：请复制整个链接")
    try:
        with database.write() as connection:
            now = database.now(connection)
            team_id = _use_invitation(connection, secret, account_id, now)
            _check_free(connection, account_id)
            _check_size(connection, team_id, max_members)
            _add_member(connection, account_id, team_id, now)
            append_audit(connection, "team.join", team_id, actor=actor, at=now, after={"account": account_id})
            return team_id
    except IntegrityError as error:
        raise _conflict(error) from error


def _use_invitation(connection: Connection, secret: str, account_id: str, now: datetime) -> str:
    """Mark an invitation as used, and return its team."""
    valid = (invitation.c.sha256 == secret_hash(secret)) & (invitation.c.expires_at > now)
    valid &= invitation.c.used_at.is_(None) & invitation.c.revoked_at.is_(None)
    row = connection.execute(select(invitation).where(valid).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError(
            "the invitation was used, or is not valid any more: ask for a new one",
            "邀请已被使用或已失效：请索取新的邀请",
        )
    used = {"used_by": account_id, "used_at": now}
    connection.execute(update(invitation).where(invitation.c.id == row.id).values(used))
    return str(row.team)


def _check_free(connection: Connection, account_id: str) -> None:
    if found := team_of(connection, account_id):
        shown = printable(found.name, 80)
        raise RefusedError(
            f"the account is in the team {shown}: leave it first", f"该账号已在队伍 {shown} 中：请先退出"
        )


def _check_size(connection: Connection, team_id: str, max_members: int) -> None:
    """Refuse a full team; the lock makes two invitations wait for each other."""
    connection.execute(select(team.c.id).where(team.c.id == team_id).with_for_update(key_share=True))
    members = (membership.c.team == team_id) & membership.c.left_at.is_(None)
    if connection.execute(select(func.count()).where(members)).scalar_one() >= max_members:
        raise RefusedError(f"the team is full: it has {max_members} members", f"队伍已满：已有 {max_members} 名成员")


def _add_member(connection: Connection, account_id: str, team_id: str, now: datetime) -> None:
    values = {"id": new_id(), "account": account_id, "team": team_id, "joined_at": now}
    connection.execute(insert(membership).values(values))


def _conflict(error: IntegrityError) -> ConflictError:
    """Return the error of a row that another request inserted first."""
    if "membership" in str(error.orig):
        return ConflictError(
            "the account has just joined a team by another request", "该账号刚刚通过另一个请求加入了队伍"
        )
    return NameTakenError()


def revoke_invitations(database: Database, team_id: str, *, actor: Actor) -> int:
    """Revoke the invitations of a team that were not used.

    Args:
        database: The database.
        team_id: The team.
        actor: Actor for the audit log.

    Returns:
        Their number.

    """
    with database.write() as connection:
        now = database.now(connection)
        unused = (invitation.c.team == team_id) & invitation.c.used_at.is_(None) & invitation.c.revoked_at.is_(None)
        count = connection.execute(update(invitation).where(unused).values(revoked_at=now)).rowcount
        append_audit(connection, "invitation.revoke", team_id, actor=actor, at=now, after={"count": count})
        return count
