"""Months: insert-only records of a board at its end, with later revisions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from muge_fast.leaderboard.store.audit import Actor, append_audit
from muge_fast.leaderboard.store.boards import BoardEntry, best_entries
from muge_fast.leaderboard.store.column_types import json_hash
from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.errors import ConflictError, NotFoundError, RefusedError
from muge_fast.leaderboard.store.schema import evaluation, month, submission, task
from muge_fast.leaderboard.store.tasks import active_evaluator, active_evaluator_id, bump_board, lock_task, time_of_task


class MonthRecord(NamedTuple):
    """The record of a month.

    Attributes:
        task: The task.
        month: The month, such as ``"2026-11"``.
        revision: 1 for the record at its close, more for corrections.
        evaluator: The evaluator of that time.
        closed_at: When the record was made.
        boundary: The end of the month.
        rows: The rows that the rules of months chose, as JSON.
        sha256: Hash of the rows.
        reason: The reason of a correction.
        actor: Who made it.

    """

    task: str
    month: str
    revision: int
    evaluator: str
    closed_at: datetime
    boundary: datetime
    rows: object
    sha256: str
    reason: str
    actor: str


def close_month(
    database: Database,
    slug: str,
    name: str,
    *,
    start: datetime,
    boundary: datetime,
    select_rows: Callable[[Sequence[BoardEntry]], object],
    actor: Actor,
) -> MonthRecord:
    """Write the record of a month. Any process may try; one of them succeeds.

    Args:
        database: The database.
        slug: The task.
        name: The month, such as ``"2026-11"``.
        start: The beginning of the month.
        boundary: The end of the month. Submissions that were accepted before belong to it.
        select_rows: Rule that chooses the rows of the record from the best entry of each team before the boundary, and
            the best of each team in the month, by time of acceptance.
        actor: Actor for the audit log.

    Returns:
        The record.

    Raises:
        RefusedError: The month has not ended, its submissions are not all judged, or the task has no evaluator.
        ConflictError: The month is closed.
        NotFoundError: There is no such task.

    """
    try:
        with database.write() as connection:
            locked = lock_task(connection, slug)
            now = time_of_task(database, connection, locked)
            if now < boundary:
                raise RefusedError(f"the month {name} ends at {boundary.isoformat()}: close it then")
            if waiting := waiting_before(connection, slug, boundary):
                raise RefusedError(f"{waiting} submissions of {name} are not judged yet: close the month after them")
            used = active_evaluator(connection, slug)
            if used is None:
                raise RefusedError(f"the task {slug} has no evaluator")
            # From here on, nothing is accepted before the boundary, even if the clock steps back.
            connection.execute(update(task).where(task.c.slug == slug).values(last_accepted_at=now))
            rows = select_rows(month_candidates(connection, slug, start=start, boundary=boundary, evaluator=used.id))
            record = MonthRecord(slug, name, 1, used.id, now, boundary, rows, json_hash(rows), "", actor.name)
            return _write(connection, record, actor)
    except IntegrityError as error:
        with database.read() as connection:
            if month_revisions(connection, slug, name):
                raise ConflictError(f"the month {name} is closed: correct it by a revision with a reason") from error
        raise


def month_candidates(
    connection: Connection, slug: str, *, start: datetime, boundary: datetime, evaluator: str
) -> list[BoardEntry]:
    """Return the entries that can be in a record: for each team, the best of all time and the best of the month.

    Args:
        connection: A connection.
        slug: The task.
        start: The beginning of the month.
        boundary: The end of the month.
        evaluator: The evaluator of the record.

    Returns:
        The entries, by time of acceptance.

    """
    ever = best_entries(connection, slug, before=boundary, evaluator=evaluator)
    within = best_entries(connection, slug, since=start, before=boundary, evaluator=evaluator)
    by_id = {entry.submission: entry for entry in (*ever, *within)}
    return sorted(by_id.values(), key=lambda entry: (entry.accepted_at, entry.submission))


def revise_month(database: Database, slug: str, name: str, *, rows: object, reason: str, actor: Actor) -> MonthRecord:
    """Correct the record of a month by a new revision. Earlier ones stay.

    Args:
        database: The database.
        slug: The task.
        name: The month.
        rows: The corrected rows.
        reason: The reason, which is public.
        actor: Actor for the audit log.

    Returns:
        The record.

    Raises:
        NotFoundError: The month is not closed.
        ValueError: There is no reason.

    """
    if not reason.strip():
        raise ValueError("a correction of a month needs a reason")
    with database.write() as connection:
        lock_task(connection, slug)
        revisions = month_revisions(connection, slug, name)
        if not revisions:
            raise NotFoundError(f"the month {name} of the task {slug} is not closed", f"{name} 尚未结算")
        newest = revisions[-1]
        now = max(database.now(connection), newest.closed_at)
        record = newest._replace(revision=newest.revision + 1, closed_at=now, rows=rows, sha256=json_hash(rows))
        return _write(connection, record._replace(reason=reason, actor=actor.name), actor)


def _write(connection: Connection, record: MonthRecord, actor: Actor) -> MonthRecord:
    connection.execute(insert(month).values(record._asdict()))
    bump_board(connection, record.task)
    after = {"revision": record.revision, "sha256": record.sha256, "reason": record.reason}
    subject = f"{record.task}/{record.month}"
    append_audit(connection, "month.write", subject, actor=actor, at=record.closed_at, after=after)
    return record


def waiting_before(connection: Connection, slug: str, boundary: datetime) -> int:
    """Count the submissions before a boundary that the active evaluator has yet to judge.

    Args:
        connection: A connection.
        slug: The task.
        boundary: The end of a month.

    Returns:
        The number.

    """
    query = (
        select(func.count())
        .select_from(evaluation)
        .join(submission, submission.c.id == evaluation.c.submission)
        .where(evaluation.c.evaluator == active_evaluator_id(slug).scalar_subquery())
        .where(evaluation.c.state.in_(("queued", "running")), submission.c.accepted_at < boundary)
    )
    return connection.execute(query).scalar_one()


def month_revisions(connection: Connection, slug: str, name: str) -> list[MonthRecord]:
    """Return every revision of a month, the first one first.

    Args:
        connection: A connection.
        slug: The task.
        name: The month.

    Returns:
        The records; empty if the month is not closed.

    """
    query = select(month).where(month.c.task == slug, month.c.month == name).order_by(month.c.revision)
    return [MonthRecord(*row) for row in connection.execute(query)]


def closed_months(connection: Connection, slug: str) -> list[str]:
    """Return the closed months of a task.

    Args:
        connection: A connection.
        slug: The task.

    Returns:
        Their names, the newest first.

    """
    query = select(month.c.month).where(month.c.task == slug, month.c.revision == 1).order_by(month.c.month.desc())
    return list(connection.execute(query).scalars())


def verify_months(connection: Connection) -> list[str]:
    """Compare the rows of every month with their hash.

    Args:
        connection: A connection.

    Returns:
        A sentence for each record that was changed.

    """
    records = (MonthRecord(*row) for row in connection.execute(select(month)))
    return [
        f"the rows of {record.task}/{record.month}, revision {record.revision}, were changed"
        for record in records
        if json_hash(record.rows) != record.sha256
    ]
