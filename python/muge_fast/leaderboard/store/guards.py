"""Triggers that refuse to change or delete what must stay, from any program.

An owner of the database can drop triggers; the chain of the audit log and the hashes of months show such changes.
"""

from __future__ import annotations

from typing import NamedTuple


class Guard(NamedTuple):
    """A table with rows that are never deleted.

    Attributes:
        table: Its name.
        fixed: The columns that never change; without any, all columns.
        final: Condition on a row, in terms of ``OLD``, under which it never changes.

    """

    table: str
    fixed: tuple[str, ...] = ()
    final: str = ""


def trigger_statements(dialect: str, guard: Guard) -> list[str]:
    """Return the statements that guard a table.

    Args:
        dialect: ``"sqlite"`` or ``"postgresql"``.
        guard: The table.

    Returns:
        Statements of SQL, of which PostgreSQL needs the function of :data:`REFUSE_FUNCTION`.

    Example:
        >>> from muge_fast.leaderboard.store.guards import Guard, trigger_statements
        >>> len(trigger_statements("sqlite", Guard("verdict")))
        2

    """
    columns = f" OF {', '.join(guard.fixed)}" if guard.fixed else ""
    triggers = [("update", f"UPDATE{columns}", ""), ("delete", "DELETE", "")]
    if guard.final:
        triggers.append(("final", "UPDATE", f" WHEN ({guard.final})"))
    make = _sqlite_trigger if dialect == "sqlite" else _postgresql_trigger
    statements = [make(guard.table, *trigger) for trigger in triggers]
    if dialect == "postgresql":
        name = f"guard_{guard.table}_truncate"
        statements.append(f"CREATE TRIGGER {name} BEFORE TRUNCATE ON {guard.table} EXECUTE FUNCTION refuse_change()")
    return statements


def _sqlite_trigger(table: str, name: str, event: str, condition: str) -> str:
    message = f"{event.split(maxsplit=1)[0]} of rows of {table} is refused"
    action = f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    return f"CREATE TRIGGER guard_{table}_{name} BEFORE {event} ON {table}{condition} {action}"


def _postgresql_trigger(table: str, name: str, event: str, condition: str) -> str:
    action = f"FOR EACH ROW{condition} EXECUTE FUNCTION refuse_change()"
    return f"CREATE TRIGGER guard_{table}_{name} BEFORE {event} ON {table} {action}"


REFUSE_FUNCTION = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of rows of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
