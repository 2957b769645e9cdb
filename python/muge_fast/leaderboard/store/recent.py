"""Lists for organizers: what waits in the queue, the latest submissions, and which are not in the ranking."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, case, select

from muge_fast.leaderboard.rules.ranking import Status
from muge_fast.leaderboard.store.schema import evaluation, submission, team, verdict


class QueueRow(NamedTuple):
    """An evaluation that waits or runs.

    Attributes:
        submission: The submission.
        task: Its task.
        team: Name of its team.
        number: Its number among those of the team.
        accepted_at: When it was accepted.
        state: ``"queued"`` or ``"running"``.
        attempt: The number of claims.
        worker: The worker that holds it.
        original: Whether it is not of a rejudge set.

    """

    submission: str
    task: str
    team: str
    number: int
    accepted_at: datetime
    state: str
    attempt: int
    worker: str | None
    original: bool


class LatestRow(NamedTuple):
    """A submission in the list of the latest ones.

    Attributes:
        submission: Its id.
        task: Its task.
        team: Name of its team.
        number: Its number among those of the team.
        accepted_at: When it was accepted.
        sha256: Hash of its file.
        state: State of its original evaluation.
        published: The published score of that evaluation; None if it has none.

    """

    submission: str
    task: str
    team: str
    number: int
    accepted_at: datetime
    sha256: str
    state: str
    published: float | None


_COLUMNS = (submission.c.id, submission.c.task, team.c.name, submission.c.number, submission.c.accepted_at)


def list_queue(connection: Connection, *, limit: int = 50) -> list[QueueRow]:
    """Return the evaluations that run, then those that wait, the oldest first.

    Args:
        connection: A connection.
        limit: The largest number.

    Returns:
        The evaluations.

    """
    columns = [evaluation.c[name] for name in QueueRow._fields[5:]]
    query = (
        select(*_COLUMNS, *columns)
        .select_from(evaluation)
        .join(submission, submission.c.id == evaluation.c.submission)
        .join(team, team.c.id == submission.c.team)
        .where(evaluation.c.state.in_(("queued", "running")))
        .order_by(evaluation.c.state.desc(), evaluation.c.created_at, evaluation.c.id)
        .limit(limit)
    )
    return [QueueRow(*row) for row in connection.execute(query)]


def latest_submissions(connection: Connection, *, limit: int = 30) -> list[LatestRow]:
    """Return the latest submissions of all tasks.

    Args:
        connection: A connection.
        limit: The largest number.

    Returns:
        The submissions, the newest first.

    """
    query = (
        select(*_COLUMNS, submission.c.blob, evaluation.c.state, verdict.c.published)
        .select_from(submission)
        .join(team, team.c.id == submission.c.team)
        .join(evaluation, (evaluation.c.submission == submission.c.id) & evaluation.c.original)
        .outerjoin(verdict, verdict.c.evaluation == evaluation.c.id)
        .order_by(submission.c.accepted_at.desc(), submission.c.id.desc())
        .limit(limit)
    )
    return [LatestRow(*row) for row in connection.execute(query)]


def statuses(connection: Connection, slug: str) -> dict[str, Status]:
    """Return the status of each submission of a task in its ranking.

    Args:
        connection: A connection.
        slug: The task.

    Returns:
        The status by the id of the submission. One that its team does not show is as one that is withdrawn.

    """
    status = case(
        (submission.c.ruled_out_at.is_not(None), "ruled_out"),
        (submission.c.withdrawn_at.is_not(None) | submission.c.visible.is_(False), "withdrawn"),
        (team.c.host, "baseline"),
        else_="counted",
    )
    query = select(submission.c.id, status).join(team, team.c.id == submission.c.team).where(submission.c.task == slug)
    return {row[0]: row[1] for row in connection.execute(query)}
