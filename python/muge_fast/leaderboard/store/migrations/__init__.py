"""Migrations of the tables, by Alembic: a file for each revision in ``versions``.

To change a table, change ``schema.py`` and add a revision with the same change. A test compares the two.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

# Servers that start at the same time migrate one after the other.
MIGRATION_LOCK = 0x6D756765


def newest_revision() -> str:
    """Return the name of the newest revision.

    Returns:
        The name.

    Example:
        >>> from muge_fast.leaderboard.store.migrations import newest_revision
        >>> newest_revision() >= "0001"
        True

    """
    revision = _scripts().get_current_head()
    assert revision is not None  # noqa: S101 - the package has revisions
    return revision


def revisions() -> list[str]:
    """Return the names of all revisions.

    Returns:
        The names, the newest first.

    Example:
        >>> from muge_fast.leaderboard.store.migrations import newest_revision, revisions
        >>> revisions()[0] == newest_revision()
        True

    """
    return [script.revision for script in _scripts().walk_revisions()]


def revision_of(connection: Connection) -> str | None:
    """Return the name of the revision that the tables of a database have.

    Args:
        connection: A connection.

    Returns:
        The name; None if there are no tables.

    """
    return MigrationContext.configure(connection).get_current_revision()


def is_older(connection: Connection) -> bool:
    """Return whether a database has tables of an older version of this package.

    Args:
        connection: A connection.

    Returns:
        Whether :func:`upgrade` brings them up to date; False without tables, and for those of a newer version.

    """
    return revision_of(connection) in revisions()[1:]


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the tables to a revision.

    Args:
        connection: Connection of a transaction that writes.
        revision: Name of the revision; by default the newest.

    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
    scripts = _scripts()

    def steps(present: Any, context: MigrationContext) -> Any:  # noqa: ANN401 - types of Alembic
        del context
        return scripts._upgrade_revs(revision, present)  # noqa: SLF001 - as alembic.command.upgrade does

    context = MigrationContext.configure(connection, opts={"fn": steps})
    with Operations.context(context):
        context.run_migrations()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parent))
