"""The audit log: insert-only, each entry with the hash of the one before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, desc, insert, select, text

from muge_fast.leaderboard.store.column_types import json_hash
from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.schema import audit

FIRST_HASH = "0" * 64
AUDIT_LOCK = 0x6175646974  # Held to the end of a transaction that appends.


class Actor(NamedTuple):
    """The account or the command that makes a change.

    Attributes:
        name: Id of the account, or name of the command.
        request: Id of the request, or the address that it came from.

    """

    name: str
    request: str | None = None


class AuditEntry(NamedTuple):
    """An entry of the audit log.

    Attributes:
        seq: Its number, from 1.
        at: The time.
        actor: Name of the actor.
        action: Name of the action, such as ``"team.change"``.
        subject: Id of the row that was changed.
        before: Its values before.
        after: Its values after.
        request: The request.
        previous_hash: Hash of the entry before.
        hash: Hash of this entry.

    """

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    before: object
    after: object
    request: str | None
    previous_hash: str
    hash: str


def append_audit(
    connection: Connection,
    action: str,
    subject: str,
    *,
    actor: Actor,
    at: datetime,
    before: object = None,
    after: object = None,
) -> None:
    """Append an entry within a transaction. Call it last: from here on, other transactions that append wait.

    Args:
        connection: Connection of the transaction that makes the change.
        action: Name of the action.
        subject: Id of the row that is changed.
        actor: Actor for the audit log.
        at: The time.
        before: Values before, as JSON.
        after: Values after, as JSON.

    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({AUDIT_LOCK})"))
    newest, previous = audit_head(connection) or (0, FIRST_HASH)
    seq = newest + 1
    entry = AuditEntry(seq, at, actor.name, action, subject, before, after, actor.request, previous, "")
    connection.execute(insert(audit).values(entry._replace(hash=_hash(entry))._asdict()))


def _hash(entry: AuditEntry) -> str:
    values = entry._asdict() | {"at": entry.at.isoformat()}
    del values["hash"]
    return json_hash(values)


def audit_entries(connection: Connection, *, after: int = 0) -> Iterator[AuditEntry]:
    """Yield the entries in their order.

    Args:
        connection: A connection.
        after: Number of an entry, to begin with the next one.

    Yields:
        Each entry.

    """
    query = select(audit).where(audit.c.seq > after).order_by(audit.c.seq)
    # Options of the connection would stay for later statements.
    for row in connection.execute(query.execution_options(yield_per=1000)):
        yield AuditEntry(*row)


def verify_audit(database: Database, *, newest: tuple[int, str] | None = None) -> list[str]:
    """Check the chain of the audit log.

    A log whose last entries are missing is still a chain. Compare it with a number and a hash that were noted
    elsewhere, such as in a backup.

    Args:
        database: The database.
        newest: Number and hash of an entry that must exist.

    Returns:
        A sentence for each fault; empty if there is none.

    """
    with database.read() as connection:
        return audit_faults(connection, newest=newest)


def audit_faults(connection: Connection, *, newest: tuple[int, str] | None = None) -> list[str]:
    """Check the chain of the audit log within a transaction, as :func:`verify_audit` does.

    Args:
        connection: A connection.
        newest: Number and hash of an entry that must exist.

    Returns:
        A sentence for each fault; empty if there is none.

    """
    faults, previous, seq, noted = [], FIRST_HASH, 0, newest is None
    for entry in audit_entries(connection):
        if entry.seq != seq + 1:
            faults.append(f"audit entries {seq + 1} to {entry.seq - 1} are missing")
        if entry.previous_hash != previous:
            faults.append(f"audit entry {entry.seq} does not follow the entry before it")
        if entry.hash != _hash(entry):
            faults.append(f"audit entry {entry.seq} was changed")
        noted = noted or (entry.seq, entry.hash) == newest
        seq, previous = entry.seq, entry.hash
    if not noted:
        faults.append("the audit log lacks an entry that was noted before: its end was cut, or it was written again")
    return faults


def audit_head(connection: Connection) -> tuple[int, str] | None:
    """Return number and hash of the newest entry, to note them elsewhere.

    Args:
        connection: A connection.

    Returns:
        Both; None for an empty log.

    """
    newest = connection.execute(select(audit.c.seq, audit.c.hash).order_by(desc(audit.c.seq)).limit(1)).one_or_none()
    return (newest.seq, newest.hash) if newest else None
