"""What organizers look at: faulted evaluations, rejudge sets, evaluators, accounts, teams, verdicts by state."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from muge_fast.leaderboard.store.audit import AuditEntry
from muge_fast.leaderboard.store.schema import (
    account,
    audit,
    evaluation,
    evaluator,
    membership,
    rejudge,
    submission,
    team,
    verdict,
)
from muge_fast.leaderboard.store.tasks import StoredEvaluator


class Fault(NamedTuple):
    """An evaluation that ended by a fault of the site.

    Attributes:
        evaluation: Its id.
        submission: The submission.
        task: The task.
        team: Name of the team.
        number: Number of the submission.
        fault: What happened.
        finished_at: When.

    """

    evaluation: str
    submission: str
    task: str
    team: str
    number: int
    fault: str | None
    finished_at: datetime


class AccountRow(NamedTuple):
    """An account in the list of organizers.

    Attributes:
        id: Its id.
        name: Its name.
        role: Its role.
        team: Id of its team; None without one.
        created_at: When it was made.
        disabled_at: When it was disabled.

    """

    id: str
    name: str
    role: str
    team: str | None
    created_at: datetime
    disabled_at: datetime | None


class TeamRow(NamedTuple):
    """A team in the list of organizers.

    Attributes:
        id: Its id.
        name: Its name.
        alias: Name under which it is shown while it is anonymous.
        host: Whether it is the host.
        created_at: When it was made.
        members: The number of its members.
        submissions: The number of its submissions.

    """

    id: str
    name: str
    alias: str | None
    host: bool
    created_at: datetime
    members: int
    submissions: int


class RejudgeRow(NamedTuple):
    """A rejudge set in the list of organizers.

    Attributes:
        id: Its id.
        task: The task.
        reason: The reason.
        state: Its state.
        created_at: When it was started.
        decided_at: When it was applied or dropped.

    """

    id: str
    task: str
    reason: str
    state: str
    created_at: datetime
    decided_at: datetime | None


def list_faults(connection: Connection, *, limit: int = 200) -> list[Fault]:
    """Return the faulted evaluations, the newest first.

    Args:
        connection: A connection.
        limit: The largest number.

    Returns:
        The faults.

    """
    columns = (evaluation.c.id, submission.c.id, submission.c.task, team.c.name, submission.c.number)
    query = (
        select(*columns, evaluation.c.fault, evaluation.c.finished_at)
        .select_from(evaluation)
        .join(submission, submission.c.id == evaluation.c.submission)
        .join(team, team.c.id == submission.c.team)
        .where(evaluation.c.state == "faulted")
        .order_by(evaluation.c.finished_at.desc(), evaluation.c.id)
        .limit(limit)
    )
    return [Fault(*row) for row in connection.execute(query)]


def list_accounts(connection: Connection, *, after: str = "", limit: int = 200) -> list[AccountRow]:
    """Return accounts in the order in which they were made.

    Args:
        connection: A connection.
        after: Id of an account, to begin with the next one.
        limit: The largest number.

    Returns:
        The accounts.

    """
    mine = (membership.c.account == account.c.id) & membership.c.left_at.is_(None)
    columns = (account.c.id, account.c.name, account.c.role, membership.c.team)
    query = (
        select(*columns, account.c.created_at, account.c.disabled_at)
        .outerjoin(membership, mine)
        .where(account.c.id > after)
        .order_by(account.c.id)
        .limit(limit)
    )
    return [AccountRow(*row) for row in connection.execute(query)]


def list_teams(connection: Connection, *, after: str = "", limit: int = 200) -> list[TeamRow]:
    """Return teams in the order in which they were made.

    Args:
        connection: A connection.
        after: Id of a team, to begin with the next one.
        limit: The largest number.

    Returns:
        The teams.

    """
    present = (membership.c.team == team.c.id) & membership.c.left_at.is_(None)
    members = select(func.count()).where(present).correlate(team).scalar_subquery()
    sent = select(func.count()).where(submission.c.team == team.c.id).correlate(team).scalar_subquery()
    columns = [team.c[name] for name in TeamRow._fields[:5]]
    query = select(*columns, members, sent).where(team.c.id > after).order_by(team.c.id).limit(limit)
    return [TeamRow._make(row) for row in connection.execute(query)]


def list_rejudges(connection: Connection, *, limit: int = 50) -> list[RejudgeRow]:
    """Return the rejudge sets, the newest first.

    Args:
        connection: A connection.
        limit: The largest number.

    Returns:
        The sets.

    """
    columns = [rejudge.c[name] for name in RejudgeRow._fields]
    query = select(*columns).order_by(rejudge.c.created_at.desc(), rejudge.c.id.desc()).limit(limit)
    return [RejudgeRow(*row) for row in connection.execute(query)]


def list_evaluators(connection: Connection, slug: str) -> list[StoredEvaluator]:
    """Return the evaluators of a task, the newest first.

    Args:
        connection: A connection.
        slug: The task.

    Returns:
        The evaluators.

    """
    columns = [evaluator.c[name] for name in StoredEvaluator._fields]
    query = select(*columns).where(evaluator.c.task == slug).order_by(evaluator.c.created_at.desc())
    return [StoredEvaluator(*row) for row in connection.execute(query)]


def newest_audit(connection: Connection, *, before: int | None = None, limit: int = 100) -> list[AuditEntry]:
    """Return entries of the audit log, the newest first.

    Args:
        connection: A connection.
        before: Number of an entry, to begin with the one before it.
        limit: The largest number.

    Returns:
        The entries.

    """
    query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
    query = query if before is None else query.where(audit.c.seq < before)
    return [AuditEntry(*row) for row in connection.execute(query)]


def count_states(connection: Connection) -> dict[str, int]:
    """Return the number of evaluations in each state, for monitoring.

    Args:
        connection: A connection.

    Returns:
        The numbers by state; states without evaluations are missing.

    """
    query = select(evaluation.c.state, func.count()).group_by(evaluation.c.state)
    return {row[0]: row[1] for row in connection.execute(query)}


def newest_verdict_at(connection: Connection) -> datetime | None:
    """Return the time of the newest verdict, by which one sees whether workers run.

    Args:
        connection: A connection.

    Returns:
        The time; None before the first.

    """
    moment: datetime | None = connection.execute(select(func.max(verdict.c.created_at))).scalar()
    return moment
