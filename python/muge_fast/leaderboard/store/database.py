"""Opening a database, and its transactions."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite
from sqlalchemy import Connection, Engine, Select, func, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from muge_fast.leaderboard.store.errors import RefusedError, StorageFullError, UnsafeDatabaseError
from muge_fast.leaderboard.store.migrations import is_older, newest_revision, revision_of, upgrade
from muge_fast.leaderboard.store.postgresql import postgresql_engine
from muge_fast.leaderboard.store.sqlite import sqlite_engine

DISK_FULL = "53100"  # SQLSTATE of PostgreSQL.


class Database:
    """A database with the tables of the leaderboard.

    Threads may use one object at the same time. A forked process may use it, too: it opens its own connections.

    Args:
        engine: Its engine, of :func:`sqlite_engine` or :func:`postgresql_engine`.
        clock: Function that returns the time, for tests. By default, PostgreSQL's clock, which several servers agree
            on, or for SQLite the clock of the machine.

    """

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime] | None = None) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._clock = clock
        self._lock = threading.Lock()
        self._queries: dict[Select[Any], tuple[str, list[str]]] = {}
        _databases.add(self)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Run a transaction that writes: committed at the end of the block, rolled back after an error.

        Yields:
            The connection.

        Raises:
            StorageFullError: The disk is full.

        """
        # SQLite has one writer. Threads of a process wait for each other here, in turn and without polling the file.
        turn = self._lock if self.is_sqlite else nullcontext()
        with (
            turn,
            _full_disks(),
            self.engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Run a transaction that reads.

        Yields:
            The connection.

        """
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Run a transaction that reads, in which every query sees the same moment.

        Yields:
            The connection.

        """
        # A transaction of SQLite is a snapshot already.
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    def value(self, query: Select[Any], **parameters: str) -> object:
        """Return the value of a query of one column, for queries that every page makes.

        For SQLite this takes a tenth of the time of :meth:`read`, whose transaction takes longer than such a query.

        Args:
            query: The query, made once with ``bindparam`` for what changes.
            parameters: Values of its parameters.

        Returns:
            The value in the first row; None without a row.

        """
        if self.is_sqlite:
            # After an error of the driver, the ordinary way raises that of SQLAlchemy, which callers know.
            with suppress(sqlite.Error):
                return self._value_of_sqlite(query, parameters)
        with self.read() as connection:
            return connection.scalar(query, parameters)

    def _value_of_sqlite(self, query: Select[Any], parameters: Mapping[str, str]) -> object:
        text, names = self._compiled(query)
        with closing(self.engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
            cursor.execute(text, [parameters[name] for name in names])
            row = cursor.fetchone()
        return row[0] if row else None

    def _compiled(self, query: Select[Any]) -> tuple[str, list[str]]:
        """Return the text of a query for SQLite, and its parameters in their order."""
        if query not in self._queries:
            compiled = query.compile(dialect=self.engine.dialect)
            self._queries[query] = str(compiled), list(getattr(compiled, "positiontup", None) or ())
        return self._queries[query]

    def present(self) -> datetime:
        """Return the time, outside a transaction.

        Returns:
            The time in UTC.

        """
        time = self._time_of_this_machine()
        if time is not None:
            return time
        with self.read() as connection:
            return self.now(connection)

    def now(self, connection: Connection) -> datetime:
        """Return the time.

        Args:
            connection: Connection of a transaction.

        Returns:
            The time in UTC.

        """
        time = self._time_of_this_machine()
        if time is not None:
            return time
        moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return moment.astimezone(timezone.utc)

    def _time_of_this_machine(self) -> datetime | None:
        """Return the time where no server has to be asked: that of a clock of tests, or with SQLite; None otherwise."""
        if self._clock:
            return self._clock()
        return datetime.now(timezone.utc) if self.is_sqlite else None

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _after_fork(self) -> None:
        """Forget the connections of the parent without closing them."""
        self._lock = threading.Lock()
        self.engine.dispose(close=False)


_databases: weakref.WeakSet[Database] = weakref.WeakSet()


def _forget_connections() -> None:
    for database in _databases:
        database._after_fork()  # noqa: SLF001 - of this module


os.register_at_fork(after_in_child=_forget_connections)


@contextmanager
def _full_disks() -> Iterator[None]:
    """Raise the error of full disks for those of both databases."""
    try:
        yield
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state == DISK_FULL or "disk is full" in str(error.orig):
            raise StorageFullError(
                "the disk of the database is full: nothing was stored", "数据库磁盘已满：没有保存任何内容"
            ) from error
        raise


def open_database(
    address: str | os.PathLike[str],
    *,
    create: bool = False,
    migrate: bool = False,
    clock: Callable[[], datetime] | None = None,
) -> Database:
    """Open a database.

    Args:
        address: Path of an SQLite file, or ``postgresql://…``.
        create: Make the tables, or migrate them from an older version.
        migrate: Migrate tables from an older version, but make none.
        clock: Function that returns the time, for tests.

    Returns:
        The database.

    Raises:
        FileNotFoundError: The file is missing, and ``create`` is false.
        UnsafeDatabaseError: The library, the file system or the version of the tables is refused.
        ValueError: The address has another scheme.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.leaderboard.store.database import open_database
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     database = open_database(pathlib.Path(folder, "board.sqlite"), create=True)
        ...     database.is_sqlite
        ...     database.close()
        True

    """
    database = Database(_engine(address, create=create), clock=clock)
    try:
        if create or (migrate and _has_old_tables(database)):
            with database.write() as connection:
                upgrade(connection)
        with database.read() as connection:
            _check_revision(connection)
    except BaseException:
        database.close()
        raise
    return database


def _has_old_tables(database: Database) -> bool:
    with database.read() as connection:
        return is_older(connection)


def create_database(
    address: str | os.PathLike[str], *, revision: str, clock: Callable[[], datetime] | None = None
) -> Database:
    """Open an empty database and make the tables of a revision, to load rows of that revision.

    Args:
        address: Path of an SQLite file that is missing, or ``postgresql://…``.
        revision: Name of the revision.
        clock: Function that returns the time, for tests.

    Returns:
        The database. Bring its tables to the newest revision before it is used.

    Raises:
        RefusedError: The database has tables.
        UnsafeDatabaseError: The library or the file system is refused.
        ValueError: The address has another scheme.

    """
    database = Database(_engine(address, create=True), clock=clock)
    try:
        with database.write() as connection:
            if found := inspect(connection).get_table_names():
                raise RefusedError(f"the database is not empty, it has the table {found[0]}: give an empty one")
            upgrade(connection, revision)
    except BaseException:
        database.close()
        raise
    return database


def _engine(address: str | os.PathLike[str], *, create: bool) -> Engine:
    text = os.fspath(address)
    if "://" not in text:
        if not create and not Path(text).is_file():
            raise FileNotFoundError(f"there is no database {text!r}: make a board with muge-fast board init")
        return sqlite_engine(text)
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise ValueError("the address of the database cannot be read: write postgresql://USER@HOST/NAME") from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError(f"databases of {url.get_backend_name()} are not supported: use PostgreSQL or a file of SQLite")
    return postgresql_engine(url)


def _check_revision(connection: Connection) -> None:
    revision, newest = revision_of(connection), newest_revision()
    if revision != newest:
        raise UnsafeDatabaseError(
            f"the tables have the version {revision or 'none'}, and this package needs {newest}: "
            "use the same version of muge-fast everywhere, and bring older tables up to date with "
            "`muge-fast board migrate`"
        )
