"""The queue: the table of evaluations, claimed with a lease and an attempt number.

::

    queued ── claim ──▶ running ── finish ──▶ scored | invalid
      ▲  │                 │
      │  └ cancel ▶ cancelled
      └── fault or lease over, up to the last try ──┤
                                                    └─▶ faulted ── requeue ──▶ queued

Every move names the state and the attempt that it begins from, so a late worker changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, or_, select, update

from muge_fast.leaderboard.blobs.interface import StoredBlob
from muge_fast.leaderboard.rules.states import DELAYS, TRIES, after_failed_try
from muge_fast.leaderboard.store.audit import Actor, append_audit
from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.errors import NotFoundError, RefusedError
from muge_fast.leaderboard.store.schema import evaluation, evaluator, submission, task, verdict
from muge_fast.leaderboard.store.submissions import add_blob
from muge_fast.leaderboard.store.tasks import bump_board
from muge_fast.leaderboard.store.verdicts import NewVerdict

MAX_FAULT = 2000
LEASE_IS_OVER = "the worker did not renew its lease"
WORKER_ENDED = "the process of the worker ended"


class QueueRules(NamedTuple):
    """Times and limits of the queue.

    Attributes:
        lease: How long a worker holds an evaluation without renewing it.
        backoff: Delay after the first fault of an evaluation, the second, and so on.
        tries: The number of faults after which it is not tried again.

    """

    lease: timedelta = timedelta(seconds=60)
    backoff: tuple[timedelta, ...] = DELAYS
    tries: int = TRIES


RULES = QueueRules()


class Job(NamedTuple):
    """An evaluation that a worker holds.

    Attributes:
        evaluation: Its id.
        attempt: The number of the claim, without which the worker can change nothing.
        lease_until: When another worker may take it.
        submission: The submission.
        task: Its task.
        team: Its team.
        sha256: Hash of its file.
        evaluator: Id of the evaluator that judges it.

    """

    evaluation: str
    attempt: int
    lease_until: datetime
    submission: str
    task: str
    team: str
    sha256: str
    evaluator: str


def claim(
    database: Database, worker: str, *, rules: QueueRules = RULES, tasks: Sequence[str] | None = None
) -> Job | None:
    """Take the next evaluation: of teams with nothing running first, then by priority, then by age.

    An evaluation whose lease is over is next in its turn, and has one more fault.

    Args:
        database: The database.
        worker: Name of the worker.
        rules: Times and limits.
        tasks: Take evaluations of these tasks only.

    Returns:
        The evaluation; None if nothing is due.

    """
    with database.write() as connection:
        now = database.now(connection)
        _expire(connection, now, rules)
        found = connection.execute(_next(now, tasks, rules)).one_or_none()
        if found is None:
            return None
        until = now + rules.lease
        values = {"state": "running", "attempt": found.attempt + 1, "lease_until": until, "worker": worker}
        connection.execute(update(evaluation).where(evaluation.c.id == found.id).values(**values, started_at=now))
        ids = (found.submission, found.task, found.team, found.blob, found.evaluator)
        return Job(found.id, found.attempt + 1, until, *ids)


def _next(now: datetime, tasks: Sequence[str] | None, rules: QueueRules) -> Select[Any]:
    """Return the query of the next evaluation; its row is locked, and rows that others lock are skipped."""
    # No wait is longer than the longest delay, so a later time means that the clock has stepped back.
    last = now + max(rules.backoff, default=timedelta())
    is_due = or_(evaluation.c.not_before <= now, evaluation.c.not_before > last)
    other, theirs = evaluation.alias("other"), submission.alias("theirs")
    running = select(theirs.c.team).join(other, other.c.submission == theirs.c.id).where(other.c.state == "running")
    columns = (evaluation.c.id, evaluation.c.attempt, evaluation.c.submission, evaluation.c.evaluator)
    query = (
        select(*columns, submission.c.task, submission.c.team, submission.c.blob)
        .join(submission, submission.c.id == evaluation.c.submission)
        .where(evaluation.c.state == "queued", is_due)
        .order_by(submission.c.team.in_(running), evaluation.c.priority.desc())
        .order_by(evaluation.c.created_at, evaluation.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=evaluation)
    )
    return query if tasks is None else query.where(submission.c.task.in_(tasks))


def _expire(connection: Connection, now: datetime, rules: QueueRules) -> None:
    """Put back the evaluations whose lease is over. The lease was the wait, so they are due at once."""
    # A lease that ends much later was given before the clock stepped back.
    ended = or_(evaluation.c.lease_until < now, evaluation.c.lease_until > now + 2 * rules.lease)
    is_over = and_(evaluation.c.state == "running", ended)
    lost = select(evaluation.c.id, evaluation.c.faults).where(is_over)
    for row in connection.execute(lost.with_for_update(skip_locked=True)).all():
        move = _after_fault(row.faults + 1, LEASE_IS_OVER, now, rules, at_once=True)
        connection.execute(update(evaluation).where(evaluation.c.id == row.id, is_over).values(move))


def is_due(database: Database, *, tasks: Sequence[str] | None = None) -> bool:
    """Return whether :func:`claim` could find something, by a query that locks nothing.

    Args:
        database: The database.
        tasks: Look at evaluations of these tasks only, except for leases that are over.

    Returns:
        Whether an evaluation is due, or a lease is over.

    """
    with database.read() as connection:
        now = database.now(connection)
        waits = select(evaluation.c.id).where(evaluation.c.state == "queued", evaluation.c.not_before <= now)
        if tasks is not None:
            waits = waits.join(submission, submission.c.id == evaluation.c.submission)
            waits = waits.where(submission.c.task.in_(tasks))
        is_over = select(evaluation.c.id).where(evaluation.c.state == "running", evaluation.c.lease_until < now)
        return any(connection.execute(query.limit(1)).first() is not None for query in (waits, is_over))


def end_leases(database: Database, is_lost: Callable[[str], bool], *, rules: QueueRules = RULES) -> int:
    """Take evaluations from workers that do not exist any more, before their leases are over.

    Args:
        database: The database.
        is_lost: Function of the name of a worker that returns whether it is lost for certain.
        rules: Times and limits.

    Returns:
        The number of evaluations. Each has one more fault, and is due at once.

    """
    running = select(evaluation.c.id, evaluation.c.attempt, evaluation.c.worker).where(evaluation.c.state == "running")
    with database.read() as connection:
        lost = [row for row in connection.execute(running) if is_lost(row.worker)]
    ended = 0
    for row in lost:
        is_same = and_(evaluation.c.id == row.id, evaluation.c.attempt == row.attempt)
        with database.write() as connection:
            still = select(evaluation.c.faults).where(is_same, evaluation.c.state == "running").with_for_update()
            faults = connection.execute(still).scalar_one_or_none()
            if faults is not None:
                move = _after_fault(faults + 1, WORKER_ENDED, database.now(connection), rules, at_once=True)
                connection.execute(update(evaluation).where(is_same).values(move))
                ended += 1
    return ended


def _after_fault(
    faults: int, message: str, now: datetime, rules: QueueRules, *, at_once: bool = False
) -> dict[str, object]:
    """Return the values of an evaluation after a fault: queued again, or after the last try faulted."""
    failed = after_failed_try(faults, tries=rules.tries, delays=rules.backoff)
    common = {"faults": faults, "fault": message[:MAX_FAULT], "lease_until": None, "worker": None}
    if failed.action == "fault":
        return common | {"state": "faulted", "finished_at": now, "waived": True}
    return common | {"state": "queued", "not_before": now if at_once else now + failed.delay}


def _held(job: Job) -> ColumnElement[bool]:
    """Return the condition that the worker of a job still holds it."""
    columns = evaluation.c
    return and_(columns.id == job.evaluation, columns.attempt == job.attempt, columns.state == "running")


def renew(database: Database, job: Job, *, rules: QueueRules = RULES) -> Job | None:
    """Extend the lease of an evaluation.

    Args:
        database: The database.
        job: The evaluation.
        rules: Times and limits.

    Returns:
        The evaluation with its new lease; None if another worker has it, so that this one must stop.

    """
    with database.write() as connection:
        until = database.now(connection) + rules.lease
        held = connection.execute(update(evaluation).where(_held(job)).values(lease_until=until)).rowcount == 1
        return job._replace(lease_until=until) if held else None


def finish(database: Database, job: Job, result: NewVerdict, *, rows: StoredBlob | None = None) -> bool:
    """Store the verdict of an evaluation, in one transaction with its state.

    Args:
        database: The database.
        job: The evaluation.
        result: The verdict.
        rows: File with scores of items, which is stored already; None if there is none.

    Returns:
        Whether it was stored; False if another worker has taken the evaluation.

    Raises:
        ValueError: The verdict has NaN or infinity, or a report that is too large.

    """
    values = result.checked() if rows is None else result._replace(rows_blob=rows.sha256).checked()
    with database.write() as connection:
        now = database.now(connection)
        state = {"state": "scored" if result.ok else "invalid", "finished_at": now, "lease_until": None}
        if connection.execute(update(evaluation).where(_held(job)).values(state)).rowcount != 1:
            return False
        if rows is not None:
            add_blob(connection, rows.sha256, rows.size, now)
        copied = _copied(connection, job.evaluation, result.published)
        connection.execute(insert(verdict).values(evaluation=job.evaluation, created_at=now, **copied, **values))
        bump_board(connection, job.task)
        return True


def _copied(connection: Connection, evaluation_id: str, published: float | None) -> dict[str, object]:
    """Return the values of an evaluation and its submission that a verdict repeats."""
    query = (
        select(evaluation.c.submission, evaluation.c.evaluator, submission.c.team, submission.c.accepted_at)
        .add_columns(task.c.higher_is_better)
        .join(submission, submission.c.id == evaluation.c.submission)
        .join(task, task.c.slug == submission.c.task)
        .where(evaluation.c.id == evaluation_id)
    )
    values = dict(connection.execute(query).mappings().one())
    higher = values.pop("higher_is_better")
    return {**values, "order_key": -published if published is not None and higher else published}


def release(database: Database, job: Job) -> bool:
    """Return an evaluation to the queue without a fault, such as when a worker is stopped.

    Args:
        database: The database.
        job: The evaluation.

    Returns:
        Whether the worker held it.

    """
    with database.write() as connection:
        values = {"state": "queued", "lease_until": None, "worker": None, "not_before": database.now(connection)}
        return connection.execute(update(evaluation).where(_held(job)).values(values)).rowcount == 1


def report_fault(database: Database, job: Job, message: str, *, rules: QueueRules = RULES) -> str | None:
    """Record a fault of the site: the evaluation waits and is tried again, or after the last try it is `faulted`.

    Args:
        database: The database.
        job: The evaluation.
        message: What happened, for organizers.
        rules: Times and limits.

    Returns:
        The new state; None if another worker has taken the evaluation.

    """
    with database.write() as connection:
        row = connection.execute(select(evaluation.c.faults).where(_held(job)).with_for_update()).one_or_none()
        if row is None:
            return None
        now, faults = database.now(connection), row.faults + 1
        move = _after_fault(faults, message, now, rules)
        connection.execute(update(evaluation).where(_held(job)).values(move))
        return str(move["state"])


def cancel(database: Database, submission_id: str, *, actor: Actor) -> bool:
    """Cancel the evaluations of a submission that wait.

    Args:
        database: The database.
        submission_id: The submission.
        actor: Actor for the audit log.

    Returns:
        Whether its original evaluation was cancelled; False if a worker has taken or judged it.

    """
    with database.write() as connection:
        now = database.now(connection)
        waits = (evaluation.c.submission == submission_id) & (evaluation.c.state == "queued")
        # The original one decides: if it was taken, those of a rejudge set stay too.
        ended = {"state": "cancelled", "finished_at": now}
        if connection.execute(update(evaluation).where(waits, evaluation.c.original).values(ended)).rowcount != 1:
            return False
        connection.execute(update(evaluation).where(waits).values(ended))
        append_audit(connection, "submission.cancel", submission_id, actor=actor, at=now)
        return True


def requeue(database: Database, evaluation_id: str, *, actor: Actor) -> None:
    """Try a faulted evaluation again, by an organizer.

    Args:
        database: The database.
        evaluation_id: The evaluation.
        actor: Actor for the audit log.

    Raises:
        NotFoundError: There is no such evaluation.
        RefusedError: It is not faulted.

    """
    with database.write() as connection:
        now = database.now(connection)
        row = connection.execute(select(evaluation).where(evaluation.c.id == evaluation_id).with_for_update())
        old = row.one_or_none()
        if old is None:
            raise NotFoundError(f"there is no evaluation {evaluation_id!r}")
        if old.state != "faulted":
            raise RefusedError(f"the evaluation is {old.state}: only a faulted one can be queued again")
        again = {"state": "queued", "faults": 0, "finished_at": None, "not_before": now}
        connection.execute(update(evaluation).where(evaluation.c.id == evaluation_id).values(again))
        before = {"fault": old.fault, "faults": old.faults}
        append_audit(connection, "evaluation.requeue", evaluation_id, actor=actor, at=now, before=before)


class QueueState(NamedTuple):
    """The queue as organizers see it.

    Attributes:
        queued: Evaluations that wait.
        running: Evaluations that workers hold.
        faulted: Evaluations that ended by a fault of the site.
        oldest: When the oldest waiting evaluation was queued; an alarm looks at it.

    """

    queued: int
    running: int
    faulted: int
    oldest: datetime | None


def queue_state(connection: Connection) -> QueueState:
    """Return the queue as organizers see it.

    Args:
        connection: A connection.

    Returns:
        Counts, and the oldest time.

    """
    waiting = select(evaluation.c.created_at).where(evaluation.c.state == "queued").order_by(evaluation.c.created_at)
    names = ("queued", "running", "faulted")
    count = select(evaluation.c.state, func.count()).where(evaluation.c.state.in_(names)).group_by(evaluation.c.state)
    counts: dict[str, int] = {row[0]: row[1] for row in connection.execute(count)}
    queued, running, faulted = (counts.get(name, 0) for name in names)
    return QueueState(queued, running, faulted, connection.execute(waiting.limit(1)).scalar())


def place_in_queue(connection: Connection, submission_id: str) -> int | None:
    """Return how many evaluations of its task a waiting submission has to wait for.

    Other teams may overtake it, or be overtaken: teams with nothing running come first.

    Args:
        connection: A connection.
        submission_id: The submission.

    Returns:
        The number of evaluations that were queued before and wait or run; None if the submission does not wait.

    """
    mine = select(evaluation.c.created_at, evaluation.c.id, evaluation.c.evaluator).where(
        evaluation.c.submission == submission_id, evaluation.c.original, evaluation.c.state == "queued"
    )
    row = connection.execute(mine).one_or_none()
    if row is None:
        return None
    earlier = or_(
        evaluation.c.created_at < row.created_at,
        and_(evaluation.c.created_at == row.created_at, evaluation.c.id < row.id),
    )
    same_task = select(evaluator.c.task).where(evaluator.c.id == row.evaluator).scalar_subquery()
    query = (
        select(func.count())
        .select_from(evaluation)
        .join(evaluator, evaluator.c.id == evaluation.c.evaluator)
        .where(evaluator.c.task == same_task)
        .where(or_(evaluation.c.state == "running", and_(evaluation.c.state == "queued", earlier)))
    )
    return connection.execute(query).scalar_one()
