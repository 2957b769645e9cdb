"""PostgreSQL: commits that are on disk, times in UTC, and no waiting without end."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL

LOCK_MILLISECONDS = 15_000
OPTIONS = f"-c synchronous_commit=on -c timezone=UTC -c lock_timeout={LOCK_MILLISECONDS}"


def postgresql_engine(url: URL) -> Engine:
    """Return an engine for a database of PostgreSQL.

    Args:
        url: Its address.

    Returns:
        The engine. It notices connections that the server closed.

    """
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={"options": OPTIONS, "application_name": "muge-fast"},
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
    )
