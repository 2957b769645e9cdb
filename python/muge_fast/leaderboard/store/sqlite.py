"""SQLite: a library without the WAL-reset bug, settings that lose nothing, and no network file systems."""

from __future__ import annotations

import os
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from muge_fast._internal.display import format_path
from muge_fast.leaderboard.store.errors import UnsafeDatabaseError

# The bug damages databases in WAL mode when a checkpoint resets the log while another connection writes.
WAL_RESET_BUG = ((3, 7, 0), (3, 51, 2))
# Releases within that range that have the fix.
FIXED_RELEASES = ((3, 44, 6), (3, 50, 7))

# WAL needs memory that all processes of the database share, which these file systems do not have.
NETWORK_FILE_SYSTEMS = {
    *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4"),
    *("ocfs2", "smb2", "smb3", "smbfs", "fuse.ceph", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    *("fuse.gcsfuse", "fuse.juicefs", "fuse.mergerfs"),
}
MOUNTS = "/proc/self/mountinfo"

BUSY_MILLISECONDS = 15_000


def sqlite_engine(path: str | os.PathLike[str]) -> Engine:
    """Return an engine for a database file.

    Args:
        path: The file, which is made if it is missing; its folder must exist.

    Returns:
        The engine. Each transaction with the execution option ``writes`` locks the database when it begins.

    Raises:
        UnsafeDatabaseError: The library has the WAL-reset bug, or the folder is on a network file system.

    """
    if has_wal_reset_bug(sqlite.sqlite_version_info):
        raise UnsafeDatabaseError(
            f"SQLite {sqlite.sqlite_version} can damage databases (the WAL-reset bug of 3.7.0 to 3.51.2): "
            "pip install --upgrade pysqlite3"
        )
    file = Path(path).absolute()
    if (kind := file_system(file.parent)) in NETWORK_FILE_SYSTEMS:
        raise UnsafeDatabaseError(
            f"{format_path(file.parent)} is on a network file system ({kind}), where SQLite can damage databases: "
            "use a local folder, or PostgreSQL"
        )
    # The driver begins no transactions itself, because it would begin them without the lock.
    engine = create_engine(
        URL.create("sqlite", database=str(file)), module=sqlite, connect_args={"isolation_level": None}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Return whether a version of SQLite can damage a database in WAL mode.

    Args:
        version: The version, such as ``(3, 40, 1)``.

    Returns:
        Whether it has the bug.

    Example:
        >>> from muge_fast.leaderboard.store.sqlite import has_wal_reset_bug
        >>> has_wal_reset_bug((3, 40, 1)), has_wal_reset_bug((3, 50, 7)), has_wal_reset_bug((3, 51, 3))
        (True, False, False)

    """
    first, last = WAL_RESET_BUG
    is_fixed = any(version[:2] == fixed[:2] and version >= fixed for fixed in FIXED_RELEASES)
    return first <= version <= last and not is_fixed


def file_system(folder: Path, mounts: str | os.PathLike[str] = MOUNTS) -> str:
    """Return the type of the file system that a folder is on.

    Args:
        folder: The folder.
        mounts: A file in the format of `/proc/self/mountinfo`.

    Returns:
        The type, such as ``"ext4"``; an empty string if the system does not list its mounts.

    """
    try:
        lines = Path(mounts).read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    real = folder.resolve()
    found = (0, "")
    for line in lines:
        fields, _, rest = line.partition(" - ")
        # Spaces in paths are written in octal.
        point = Path(fields.split()[4].encode("utf-8", "surrogateescape").decode("unicode_escape"))
        # Of several mounts on one folder, the last is visible.
        if real.is_relative_to(point) and len(point.parts) >= found[0]:
            found = (len(point.parts), rest.split()[0])
    return found[1]


def _prepare(connection: sqlite.Connection, record: object) -> None:
    """Set a new connection: commits survive a power loss, and foreign keys hold."""
    del record
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    (mode,) = cursor.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise UnsafeDatabaseError(f"SQLite uses the journal {mode!r} here, not WAL: use a local folder, or PostgreSQL")
    for setting in ("synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON", "trusted_schema = OFF"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Begin a transaction; one that writes waits for the lock now, since a later upgrade could fail at once."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
