"""Tasks with their settings, and the evaluators that compute their scores."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from muge_fast.leaderboard.store.audit import Actor, append_audit
from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.errors import NotFoundError, RefusedError, UnknownTaskError
from muge_fast.leaderboard.store.new_ids import new_id
from muge_fast.leaderboard.store.schema import evaluator, rejudge, task, task_version


class NewEvaluator(NamedTuple):
    """Properties of a new evaluator, which never change.

    Attributes:
        gold_sha256: Hash of the gold file.
        package_version: Version of muge_fast.
        options: Options of the scorer, as JSON.
        signature: Signature of the main score.

    """

    gold_sha256: str
    package_version: str
    options: object
    signature: str


class StoredEvaluator(NamedTuple):
    """An evaluator.

    Attributes:
        id: Its id.
        task: Its task.
        gold_sha256: Hash of the gold file.
        package_version: Version of muge_fast.
        options: Options of the scorer.
        signature: Signature of the main score.
        state: ``"draft"``, ``"active"`` or ``"retired"``.
        created_at: When it was made.
        activated_at: When it last became active; None for a draft, and for one that was dropped.

    """

    id: str
    task: str
    gold_sha256: str
    package_version: str
    options: object
    signature: str
    state: str
    created_at: datetime
    activated_at: datetime | None = None

    @property
    def properties(self) -> NewEvaluator:
        """The properties that never change."""
        return NewEvaluator(self.gold_sha256, self.package_version, self.options, self.signature)


def save_task(database: Database, slug: str, *, settings: object, higher_is_better: bool, actor: Actor) -> int:
    """Add a task, or a version of its settings if they differ.

    Args:
        database: The database.
        slug: Name of the task in addresses.
        settings: The settings, as JSON.
        higher_is_better: Whether the higher of two scores is better. It never changes.
        actor: Actor for the audit log.

    Returns:
        The number of the version.

    Raises:
        RefusedError: The task exists with the other direction.

    """
    with database.write() as connection:
        now = database.now(connection)
        old = connection.execute(select(task).where(task.c.slug == slug).with_for_update()).one_or_none()
        if old is None:
            connection.execute(insert(task).values(slug=slug, higher_is_better=higher_is_better, created_at=now))
        elif old.higher_is_better != higher_is_better:
            raise RefusedError(f"the direction of the task {slug} never changes: add a task with another name")
        version, before = task_settings(connection, slug) if old else (0, None)
        if version and before == settings:
            return version
        values = {"task": slug, "version": version + 1, "settings": settings}
        connection.execute(insert(task_version).values(**values, actor=actor.name, created_at=now))
        bump_board(connection, slug)
        append_audit(connection, "task.settings", slug, actor=actor, at=now, before=before, after=settings)
        return version + 1


def task_settings(connection: Connection, slug: str) -> tuple[int, object]:
    """Return the newest settings of a task.

    Args:
        connection: A connection.
        slug: The task.

    Returns:
        The number of the version, and the settings.

    Raises:
        NotFoundError: There is no such task.

    """
    columns = task_version.c
    query = select(columns.version, columns.settings).where(columns.task == slug).order_by(columns.version.desc())
    newest = connection.execute(query.limit(1)).one_or_none()
    if newest is None:
        raise UnknownTaskError(slug)
    return newest.version, newest.settings


def lock_task(connection: Connection, slug: str) -> Row[Any]:
    """Lock a task to the end of the transaction: submissions are accepted and boards are switched one after the other.

    Args:
        connection: Connection of a transaction that writes.
        slug: The task.

    Returns:
        Its row.

    Raises:
        NotFoundError: There is no such task.

    """
    # The weaker lock of PostgreSQL lets rows that refer to the task be inserted meanwhile.
    row = connection.execute(select(task).where(task.c.slug == slug).with_for_update(key_share=True)).one_or_none()
    if row is None:
        raise UnknownTaskError(slug)
    return row


def time_of_task(database: Database, connection: Connection, locked: Row[Any]) -> datetime:
    """Return the time, but never one before the latest acceptance of a task, even if the clock steps back.

    Args:
        database: The database.
        connection: Connection of the transaction that locks the task.
        locked: The row of :func:`lock_task`.

    Returns:
        The time in UTC.

    """
    now = database.now(connection)
    return max(now, locked.last_accepted_at or now)


def latest_acceptance(database: Database, connection: Connection, slug: str) -> datetime:
    """Return the time at which a submission would be accepted now: never one before the latest acceptance of the task.

    Args:
        database: The database.
        connection: A connection.
        slug: The task.

    Returns:
        The time in UTC.

    Raises:
        NotFoundError: There is no such task.

    """
    row = connection.execute(select(task).where(task.c.slug == slug)).one_or_none()
    if row is None:
        raise UnknownTaskError(slug)
    return time_of_task(database, connection, row)


def bump_board(connection: Connection, slug: str) -> None:
    """Count a change that the board of a task could show.

    Args:
        connection: Connection of the transaction that makes the change.
        slug: The task.

    """
    connection.execute(update(task).where(task.c.slug == slug).values(board_version=task.c.board_version + 1))


def add_evaluator(database: Database, slug: str, new: NewEvaluator, *, actor: Actor) -> str:
    """Add an evaluator. The first of a task becomes active; later ones become active by a rejudge set.

    Args:
        database: The database.
        slug: The task.
        new: The evaluator.
        actor: Actor for the audit log.

    Returns:
        The id of the evaluator.

    Raises:
        NotFoundError: There is no such task.

    """
    with database.write() as connection:
        lock_task(connection, slug)
        return _insert_evaluator(database, connection, slug, new, actor)


def _insert_evaluator(database: Database, connection: Connection, slug: str, new: NewEvaluator, actor: Actor) -> str:
    now = database.now(connection)
    count = connection.execute(select(func.count()).where(evaluator.c.task == slug)).scalar_one()
    state = {"state": "draft"} if count else {"state": "active", "activated_at": now}
    values = {"id": new_id(), "task": slug, "created_at": now, **new._asdict(), **state}
    connection.execute(insert(evaluator).values(values))
    bump_board(connection, slug)
    append_audit(connection, "evaluator.add", values["id"], actor=actor, at=now, after=new._asdict())
    return str(values["id"])


def ensure_evaluator(database: Database, slug: str, new: NewEvaluator, *, actor: Actor) -> tuple[str, bool]:
    """Return the evaluator with the given properties, and add it if the task has none.

    One whose rejudge set was dropped does not count, because it is never used again.

    Args:
        database: The database.
        slug: The task.
        new: The evaluator.
        actor: Actor for the audit log.

    Returns:
        The id of the evaluator, and whether it was added.

    Raises:
        NotFoundError: There is no such task.

    """
    with database.write() as connection:
        lock_task(connection, slug)
        dropped = select(rejudge.c.to_evaluator).where(rejudge.c.task == slug, rejudge.c.state == "cancelled")
        usable = _evaluators().where(evaluator.c.task == slug, evaluator.c.id.not_in(dropped))
        for row in connection.execute(usable.order_by(evaluator.c.created_at.desc())):
            known = StoredEvaluator(*row)
            if known.properties == new:
                return known.id, False
        return _insert_evaluator(database, connection, slug, new, actor), True


def active_evaluator(connection: Connection, slug: str) -> StoredEvaluator | None:
    """Return the evaluator that the board of a task shows.

    Args:
        connection: A connection.
        slug: The task.

    Returns:
        The evaluator; None if the task has no evaluator yet.

    """
    query = _evaluators().where(evaluator.c.id == active_evaluator_id(slug).scalar_subquery())
    row = connection.execute(query).one_or_none()
    return StoredEvaluator(*row) if row else None


def active_evaluator_id(slug: str) -> Select[tuple[str]]:
    """Return the query of the id of the evaluator that the board of a task shows.

    Args:
        slug: The task.

    Returns:
        A query with one row; with none if the task has no evaluator yet.

    """
    return select(evaluator.c.id).where(evaluator.c.task == slug, evaluator.c.state == "active")


def find_evaluator(connection: Connection, evaluator_id: str) -> StoredEvaluator:
    """Return an evaluator.

    Args:
        connection: A connection.
        evaluator_id: Its id.

    Returns:
        The evaluator.

    Raises:
        NotFoundError: There is no such evaluator.

    """
    row = connection.execute(_evaluators().where(evaluator.c.id == evaluator_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no evaluator {evaluator_id!r}")
    return StoredEvaluator(*row)


def _evaluators() -> Select[Any]:
    return select(*(evaluator.c[name] for name in StoredEvaluator._fields))
