"""Accepting submissions, and the few changes that they allow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from muge_fast.leaderboard.rules.quotas import Use
from muge_fast.leaderboard.store.audit import Actor, append_audit
from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.errors import ConflictError, NotFoundError, RefusedError
from muge_fast.leaderboard.store.new_ids import new_id
from muge_fast.leaderboard.store.schema import (
    OPEN_REJUDGE_STATES,
    blob,
    evaluation,
    membership,
    rejudge,
    submission,
    task,
)
from muge_fast.leaderboard.store.tasks import active_evaluator_id, bump_board, lock_task, time_of_task
from muge_fast.leaderboard.store.teams import team_of

# A month, and the day by which a sliding window reaches over its end.
WINDOW = timedelta(days=33)
REJUDGE_PRIORITY = -10


class NewSubmission(NamedTuple):
    """A submission to accept. Its file must already be stored.

    Attributes:
        task: The task.
        account: The account that sends it.
        sha256: Hash of the file.
        size: Size of the file in bytes.
        client_key: Key of the request: the same key always stands for the same submission.
        method: Name or description of the method.
        links: Addresses of a paper or code.
        visible: Whether the board shows it to everyone.

    """

    task: str
    account: str
    sha256: str
    size: int
    client_key: str
    method: str = ""
    links: tuple[str, ...] = ()
    visible: bool = True


Admission = Callable[[datetime, Sequence[Use]], None]
"""A rule that gets the time of acceptance and past submissions, and raises an error to refuse a new one.

It runs inside the transaction, so it must be pure and fast.
"""


class Accepted(NamedTuple):
    """An acknowledgement: the submission is stored and queued.

    Attributes:
        submission: Its id.
        number: Its number among those of the team.
        team: The team.
        accepted_at: When it was accepted.
        created: Whether this request created it, not an earlier one with the same key.

    """

    submission: str
    number: int
    team: str
    accepted_at: datetime
    created: bool


def accept(database: Database, new: NewSubmission, *, admit: Admission, window: timedelta | None = WINDOW) -> Accepted:
    """Store a submission and queue its evaluation, in one transaction.

    Args:
        database: The database.
        new: The submission.
        admit: The rule that refuses it by an error, from submissions of the team and of its members: quotas, opening
            times. The error ends the transaction and is raised to the caller.
        window: How far back the rule looks; None for a rule that needs no past submissions.

    Returns:
        The acknowledgement, after the commit.

    Raises:
        RefusedError: The account has no team, or the task has no evaluator.
        ConflictError: The key was used for another submission.
        NotFoundError: There is no such task.
        StorageFullError: The disk is full.

    """
    try:
        with database.write() as connection:
            return _accept(database, connection, new, admit, window)
    except IntegrityError:
        # Another request with the same key, for another task, may have been first.
        with database.read() as connection:
            if earlier := _by_client_key(connection, new):
                return earlier
        raise


def _accept(
    database: Database, connection: Connection, new: NewSubmission, admit: Admission, window: timedelta | None
) -> Accepted:
    row = lock_task(connection, new.task)
    if earlier := _by_client_key(connection, new):
        return earlier
    # Times of acceptance never decrease, because they decide ties and months.
    now = time_of_task(database, connection, row)
    team = _team_of(connection, new.account)
    admit(now, past_submissions(connection, new.task, team, since=now - window) if window else ())
    latest = select(func.max(submission.c.number)).where(submission.c.team == team, submission.c.task == new.task)
    number = (connection.execute(latest).scalar() or 0) + 1
    accepted = Accepted(new_id(), number, team, now, created=True)
    _insert(connection, new, accepted)
    connection.execute(update(task).where(task.c.slug == new.task).values(last_accepted_at=now))
    return accepted


def _insert(connection: Connection, new: NewSubmission, accepted: Accepted) -> None:
    now = accepted.accepted_at
    add_blob(connection, new.sha256, new.size, now)
    values = new._asdict() | {"blob": new.sha256, "links": list(new.links)}
    del values["sha256"], values["size"]
    identity = {"id": accepted.submission, "number": accepted.number, "team": accepted.team, "accepted_at": now}
    connection.execute(insert(submission).values(values | identity))
    evaluators = _evaluators_for(connection, new.task)
    if not any(is_active for _, is_active in evaluators):
        raise RefusedError(
            f"the task {new.task} has no evaluator yet: it takes no submissions", "该任务尚无评测程序：暂不接收提交"
        )
    queued = [
        queued_evaluation(accepted.submission, evaluator_id, now, original=is_active)
        for evaluator_id, is_active in evaluators
    ]
    connection.execute(insert(evaluation), queued)


def queued_evaluation(submission_id: str, evaluator_id: str, now: datetime, *, original: bool) -> dict[str, object]:
    """Return the row of a new evaluation.

    Args:
        submission_id: The submission.
        evaluator_id: The evaluator.
        now: The time.
        original: Whether it counts for quotas; others are for rejudge sets, and come later.

    Returns:
        The values.

    """
    priority = 0 if original else REJUDGE_PRIORITY
    identity = {"id": new_id(), "submission": submission_id, "evaluator": evaluator_id, "original": original}
    return {**identity, "priority": priority, "created_at": now, "not_before": now, "waived": False}


def add_blob(connection: Connection, sha256: str, size: int, now: datetime) -> None:
    """Record a stored file, if it is new.

    Args:
        connection: Connection of a transaction that writes.
        sha256: Hash of the file.
        size: Size in bytes.
        now: The time.

    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(blob).values(sha256=sha256, size=size, created_at=now)
    connection.execute(statement.on_conflict_do_nothing(index_elements=["sha256"]))


def _evaluators_for(connection: Connection, slug: str) -> list[tuple[str, bool]]:
    """Return the evaluators that must judge a new submission: the active one, and that of an open rejudge set."""
    is_open = rejudge.c.state.in_(OPEN_REJUDGE_STATES)
    next_one = select(rejudge.c.to_evaluator).where(rejudge.c.task == slug, is_open)
    found = [(row, True) for row in connection.execute(active_evaluator_id(slug)).scalars()]
    return found + [(row, False) for row in connection.execute(next_one).scalars()]


def _team_of(connection: Connection, account_id: str) -> str:
    team = team_of(connection, account_id)
    if team is None:
        raise RefusedError(
            "the account is in no team: found one, or accept an invitation",
            "该账号不在任何队伍中：请创建队伍或接受邀请",
        )
    return team.id


def past_submissions(connection: Connection, slug: str, team_id: str, *, since: datetime) -> list[Use]:
    """Return the submissions that count for a team: its own, and those of its present members in other teams.

    A member who leaves and founds another team therefore does not get a new quota.

    Args:
        connection: A connection.
        slug: The task.
        team_id: The team.
        since: The earliest time of acceptance.

    Returns:
        The submissions, the earliest first.

    """
    columns = (submission.c.accepted_at, evaluation.c.state, evaluation.c.waived, submission.c.team)
    members = select(membership.c.account).where(membership.c.team == team_id, membership.c.left_at.is_(None))
    query = (
        select(*columns, submission.c.account)
        .join(evaluation, (evaluation.c.submission == submission.c.id) & evaluation.c.original)
        .where(submission.c.task == slug, submission.c.accepted_at >= since)
        .where(or_(submission.c.team == team_id, submission.c.account.in_(members)))
        .order_by(submission.c.accepted_at, submission.c.number)
    )
    return [Use(*row) for row in connection.execute(query)]


def _by_client_key(connection: Connection, new: NewSubmission) -> Accepted | None:
    """Return the submission of an earlier request with the same key."""
    query = select(submission).where(submission.c.account == new.account, submission.c.client_key == new.client_key)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if (row.task, row.blob) != (new.task, new.sha256):
        raise ConflictError(
            "the key of this request was used for another submission: send a new key",
            "该请求的键已用于另一次提交：请换一个键",
        )
    return Accepted(row.id, row.number, row.team, row.accepted_at, created=False)


def set_visible(database: Database, submission_id: str, *, visible: bool, actor: Actor) -> None:
    """Show a submission on the board to everyone, or hide it.

    Args:
        database: The database.
        submission_id: The submission.
        visible: Whether to show it.
        actor: Actor for the audit log.

    Raises:
        NotFoundError: There is no such submission.

    """
    _change(database, submission_id, "submission.visible", lambda _: {"visible": visible}, actor)


def withdraw(database: Database, submission_id: str, *, actor: Actor, undo: bool = False) -> None:
    """Take a submission off the board, by its team. It stays stored, and counts for quotas.

    Args:
        database: The database.
        submission_id: The submission.
        actor: Actor for the audit log.
        undo: Bring it back.

    Raises:
        NotFoundError: There is no such submission.

    """
    action = "submission.restore" if undo else "submission.withdraw"
    _change(database, submission_id, action, lambda now: {"withdrawn_at": None if undo else now}, actor)


def rule_out(database: Database, submission_id: str, *, reason: str | None, actor: Actor) -> None:
    """Take a submission out of the ranking, by an organizer, or bring it back.

    Args:
        database: The database.
        submission_id: The submission.
        reason: The reason; None brings it back.
        actor: Actor for the audit log.

    Raises:
        NotFoundError: There is no such submission.

    """
    action = "submission.rule_out" if reason else "submission.reinstate"
    _change(
        database,
        submission_id,
        action,
        lambda now: {"ruled_out_at": now if reason else None, "ruled_out_reason": reason or None},
        actor,
    )


def _change(
    database: Database,
    submission_id: str,
    action: str,
    change: Callable[[datetime], dict[str, Any]],
    actor: Actor,
) -> None:
    with database.write() as connection:
        row = connection.execute(select(submission).where(submission.c.id == submission_id).with_for_update())
        old = row.mappings().one_or_none()
        if old is None:
            raise NotFoundError(f"there is no submission {submission_id!r}", "没有这个提交")
        now = database.now(connection)
        values = change(now)
        connection.execute(update(submission).where(submission.c.id == submission_id).values(values))
        bump_board(connection, old["task"])
        before = {name: _json(old[name]) for name in values}
        after = {name: _json(value) for name, value in values.items()}
        append_audit(connection, action, submission_id, actor=actor, at=now, before=before, after=after)


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def recorded_blobs(connection: Connection, hashes: Collection[str]) -> set[str]:
    """Return which files have a row, for the sweep of files without one.

    Args:
        connection: A connection.
        hashes: Hashes of files, some hundreds at most.

    Returns:
        Those that have a row.

    """
    return set(connection.execute(select(blob.c.sha256).where(blob.c.sha256.in_(list(hashes)))).scalars())
