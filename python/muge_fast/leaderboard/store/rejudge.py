"""Rejudge sets: a new evaluator computes next to the active one, and takes its place as a whole or not at all."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from muge_fast.leaderboard.store.audit import Actor, append_audit
from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.errors import ConflictError, NotFoundError, RefusedError
from muge_fast.leaderboard.store.new_ids import new_id
from muge_fast.leaderboard.store.schema import OPEN_REJUDGE_STATES, evaluation, evaluator, rejudge, submission, verdict
from muge_fast.leaderboard.store.submissions import queued_evaluation
from muge_fast.leaderboard.store.tasks import active_evaluator, bump_board, find_evaluator, lock_task


class RejudgeSet(NamedTuple):
    """A rejudge set.

    Attributes:
        id: Its id.
        task: The task.
        from_evaluator: The evaluator that is active.
        to_evaluator: The evaluator that computes.
        reason: The reason.
        state: ``"computing"``, ``"ready"``, ``"applied"`` or ``"cancelled"``.
        waiting: The number of evaluations that are not judged yet.
        faulted: The number of evaluations that ended by a fault of the site.

    """

    id: str
    task: str
    from_evaluator: str
    to_evaluator: str
    reason: str
    state: str
    waiting: int
    faulted: int


class RejudgeChange(NamedTuple):
    """A submission in the preview of a rejudge set.

    Attributes:
        submission: Its id.
        team: Its team.
        number: Its number.
        accepted_at: When it was accepted.
        before: Published score by the active evaluator; None if it has none.
        after: Published score by the new one; None if it has none.
        state: State of the new evaluation.

    """

    submission: str
    team: str
    number: int
    accepted_at: datetime
    before: float | None
    after: float | None
    state: str


def start_rejudge(database: Database, slug: str, *, to_evaluator: str, reason: str, actor: Actor) -> str:
    """Queue all submissions of a task for another evaluator. Times, quotas and the board stay as they are.

    Submissions that are accepted from now on are queued for both.

    Args:
        database: The database.
        slug: The task.
        to_evaluator: A draft, or an evaluator that was active before.
        reason: The reason.
        actor: Actor for the audit log.

    Returns:
        The id of the set.

    Raises:
        ConflictError: The task has an open set.
        RefusedError: The evaluator is active, of another task, or of a cancelled set.
        NotFoundError: There is no such task or evaluator.
        ValueError: There is no reason.

    """
    if not reason.strip():
        raise ValueError("a rejudge set needs a reason")
    try:
        with database.write() as connection:
            lock_task(connection, slug)
            now = database.now(connection)
            active, target = active_evaluator(connection, slug), find_evaluator(connection, to_evaluator)
            if active is None or target.task != slug or target.state == "active":
                raise RefusedError(f"the evaluator must be one of the task {slug} that is not active")
            if _was_cancelled(connection, to_evaluator):
                raise RefusedError("a set with this evaluator was cancelled: add an evaluator again")
            values = {"id": new_id(), "task": slug, "from_evaluator": active.id, "to_evaluator": to_evaluator}
            connection.execute(insert(rejudge).values(**values, reason=reason, actor=actor.name, created_at=now))
            _queue_all(connection, slug, to_evaluator, now)
            after = {**values, "reason": reason}
            append_audit(connection, "rejudge.start", values["id"], actor=actor, at=now, after=after)
            return values["id"]
    except IntegrityError as error:
        raise ConflictError(f"the task {slug} has an open rejudge set: apply or cancel it first") from error


def _was_cancelled(connection: Connection, evaluator_id: str) -> bool:
    query = select(rejudge.c.id).where(rejudge.c.to_evaluator == evaluator_id, rejudge.c.state == "cancelled")
    return connection.execute(query.limit(1)).first() is not None


def _queue_all(connection: Connection, slug: str, evaluator_id: str, now: datetime) -> None:
    """Queue the submissions that the evaluator has not, but for those that their owners cancelled."""
    has_one = select(evaluation.c.submission).where(evaluation.c.evaluator == evaluator_id)
    cancelled = select(evaluation.c.submission).where(evaluation.c.original, evaluation.c.state == "cancelled")
    query = (
        select(submission.c.id)
        .where(submission.c.task == slug, submission.c.id.not_in(has_one), submission.c.id.not_in(cancelled))
        .order_by(submission.c.accepted_at)
    )
    rows = [queued_evaluation(row, evaluator_id, now, original=False) for row in connection.execute(query).scalars()]
    if rows:
        connection.execute(insert(evaluation), rows)


def find_rejudge(database: Database, rejudge_id: str) -> RejudgeSet:
    """Return a set with its progress. A set whose evaluations have all ended becomes ready here.

    Args:
        database: The database.
        rejudge_id: The set.

    Returns:
        The set.

    Raises:
        NotFoundError: There is no such set.

    """
    with database.write() as connection:
        return _progress(connection, _locked(connection, rejudge_id))


def _locked(connection: Connection, rejudge_id: str) -> Row[tuple[object, ...]]:
    """Lock the task of a set, then the set, in the order of all transactions."""
    slug = connection.execute(select(rejudge.c.task).where(rejudge.c.id == rejudge_id)).scalar_one_or_none()
    if slug is None:
        raise NotFoundError(f"there is no rejudge set {rejudge_id!r}")
    lock_task(connection, slug)
    return connection.execute(select(rejudge).where(rejudge.c.id == rejudge_id).with_for_update()).one()


def _progress(connection: Connection, row: Row[tuple[object, ...]]) -> RejudgeSet:
    count = (
        select(evaluation.c.state, func.count())
        .where(evaluation.c.evaluator == row.to_evaluator)
        .group_by(evaluation.c.state)
    )
    counts: dict[str, int] = {counted[0]: counted[1] for counted in connection.execute(count)}
    waiting, faulted = counts.get("queued", 0) + counts.get("running", 0), counts.get("faulted", 0)
    state = row.state
    if state in OPEN_REJUDGE_STATES:
        # A submission that was accepted meanwhile, or a fault that is tried again, makes a set compute again.
        state = "computing" if waiting else "ready"
        if state != row.state:
            connection.execute(update(rejudge).where(rejudge.c.id == row.id).values(state=state))
    return RejudgeSet(row.id, row.task, row.from_evaluator, row.to_evaluator, row.reason, state, waiting, faulted)


def rejudge_changes(connection: Connection, found: RejudgeSet) -> list[RejudgeChange]:
    """Return the changes that a set would make, for its preview.

    Args:
        connection: A connection.
        found: The set.

    Returns:
        Every submission that it judges, by time of acceptance.

    """
    old, old_verdict, new_verdict = evaluation.alias("old"), verdict.alias("old_verdict"), verdict.alias("new_verdict")
    columns = (submission.c.id, submission.c.team, submission.c.number, submission.c.accepted_at)
    same = (old.c.submission == submission.c.id) & (old.c.evaluator == found.from_evaluator)
    query = (
        select(*columns, old_verdict.c.published, new_verdict.c.published, evaluation.c.state)
        .select_from(evaluation)
        .join(submission, submission.c.id == evaluation.c.submission)
        .outerjoin(old, same)
        .outerjoin(old_verdict, old_verdict.c.evaluation == old.c.id)
        .outerjoin(new_verdict, new_verdict.c.evaluation == evaluation.c.id)
        .where(evaluation.c.evaluator == found.to_evaluator)
        .order_by(submission.c.accepted_at, submission.c.id)
    )
    return [RejudgeChange(*row) for row in connection.execute(query)]


def apply_rejudge(database: Database, rejudge_id: str, *, actor: Actor, with_faults: bool = False) -> None:
    """Show the verdicts of the new evaluator on the board, by one switch.

    Args:
        database: The database.
        rejudge_id: The set.
        actor: Actor for the audit log.
        with_faults: Apply it even if evaluations are faulted, whose submissions leave the board.

    Raises:
        RefusedError: The set is not ready, or has faulted evaluations.
        NotFoundError: There is no such set.

    """
    with database.write() as connection:
        found = _progress(connection, _locked(connection, rejudge_id))
        if found.state != "ready":
            raise RefusedError(f"the rejudge set is {found.state}, with {found.waiting} evaluations to come")
        if found.faulted and not with_faults:
            raise RefusedError(f"{found.faulted} evaluations of the set are faulted: queue them again first")
        now = database.now(connection)
        # The old one first, because a task has at most one active evaluator at any time.
        retired, active = {"state": "retired", "retired_at": now}, {"state": "active", "activated_at": now}
        for evaluator_id, values in ((found.from_evaluator, retired), (found.to_evaluator, active)):
            connection.execute(update(evaluator).where(evaluator.c.id == evaluator_id).values(values))
        _decide(connection, found, "applied", now, actor)
        bump_board(connection, found.task)


def cancel_rejudge(database: Database, rejudge_id: str, *, actor: Actor) -> None:
    """Drop a set. What it computed stays stored, and is not shown.

    Args:
        database: The database.
        rejudge_id: The set.
        actor: Actor for the audit log.

    Raises:
        RefusedError: The set was applied or cancelled.
        NotFoundError: There is no such set.

    """
    with database.write() as connection:
        found = _progress(connection, _locked(connection, rejudge_id))
        if found.state not in OPEN_REJUDGE_STATES:
            raise RefusedError(f"the rejudge set is {found.state}")
        now = database.now(connection)
        waits = (evaluation.c.evaluator == found.to_evaluator) & (evaluation.c.state == "queued")
        connection.execute(update(evaluation).where(waits).values(state="cancelled", finished_at=now))
        retired = {"state": "retired", "retired_at": now}
        connection.execute(update(evaluator).where(evaluator.c.id == found.to_evaluator).values(retired))
        _decide(connection, found, "cancelled", now, actor)


def _decide(connection: Connection, found: RejudgeSet, state: str, now: datetime, actor: Actor) -> None:
    connection.execute(update(rejudge).where(rejudge.c.id == found.id).values(state=state, decided_at=now))
    append_audit(connection, f"rejudge.{state}", found.id, actor=actor, at=now, after={"state": state})
