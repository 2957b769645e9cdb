"""Backups of a whole board: its rows, its files, its settings and gold files.

A backup is made while the board runs. Its rows are those of one moment, and every submitted file that they name was
stored before them, so files that are copied afterwards are complete. Rows are written as JSON lines instead of
copies of database files or dumps of ``pg_dump``: the same backup can be restored into SQLite and into PostgreSQL, needs
no programs, and reads every row, so a damaged page is found now.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from muge_fast._core import __version__
from muge_fast._internal.display import format_path
from muge_fast._internal.paths import open_file
from muge_fast.leaderboard.blobs.interface import Blobs
from muge_fast.leaderboard.board import DATABASE, GOLD, Board
from muge_fast.leaderboard.operations.durable_files import BLOCK, hash_file, make_folder, store_file, sync_folder
from muge_fast.leaderboard.operations.manifests import (
    BLOBS,
    PARTIAL,
    ROW_FILE,
    ROWS,
    SNAPSHOTS,
    Backups,
    Manifest,
    StoredTable,
    write_manifest,
)
from muge_fast.leaderboard.operations.messages import Message, OperationError
from muge_fast.leaderboard.operations.row_files import write_rows
from muge_fast.leaderboard.store.audit import Actor, append_audit, audit_head
from muge_fast.leaderboard.store.errors import StorageFullError
from muge_fast.leaderboard.store.migrations import newest_revision
from muge_fast.leaderboard.store.schema import blob, metadata

DAY = 24 * 3600.0
BACKUP_ACTION = "board.backup"
ACTOR = Actor("backup")


class BackupSummary(NamedTuple):
    """A backup that was made.

    Attributes:
        name: Its name, from its time.
        folder: Its folder, below that of all backups.
        made_at: The time of the snapshot.
        rows: Number of rows of the database.
        files: Number of submitted files, with files of their scores.
        copied: Number of files that earlier backups in the folder did not have.
        copied_bytes: Their size.
        damaged: A sentence for each file of the board that is missing or damaged, and is not in the backup.

    """

    name: str
    folder: Path
    made_at: datetime
    rows: int
    files: int
    copied: int
    copied_bytes: int
    damaged: tuple[Message, ...]


class _Copied(NamedTuple):
    files: int
    size: int
    missing: tuple[str, ...]


class DamagedBlobError(ValueError):
    """Raised for a stored file that does not have the bytes of its hash."""


def back_up(board: Board, target: Path) -> BackupSummary:
    """Write a backup of a board while it runs. Files that an earlier backup in the folder has are not copied again.

    Args:
        board: The board.
        target: Folder of the backups, which is made if it is missing.

    Returns:
        What was written.

    Raises:
        OperationError: The folder is inside that of the board, or has other files.
        OSError: The folder cannot be written to.

    """
    _check_target(board, target)
    backups = Backups(target.absolute())
    for folder in (backups.folder, backups.snapshots):
        make_folder(folder)
    _remove_old_parts(backups.snapshots)
    part = backups.snapshots / f"{PARTIAL}{os.getpid()}-{os.urandom(8).hex()}"
    make_folder(part / ROWS)
    try:
        return _write(board, backups, part)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _check_target(board: Board, target: Path) -> None:
    home, shown = board.folder.resolve(), format_path(target)
    if target.resolve() == home or home in target.resolve().parents:
        raise OperationError(
            f"{shown} is in the folder of the board, and would be lost with it: choose a folder on another disk",
            f"{shown} 位于排行榜目录内，会随之一同丢失：请选择其他磁盘上的目录",
        )
    others = {path.name for path in target.iterdir()} - {SNAPSHOTS, BLOBS} if target.is_dir() else set()
    if others:
        raise OperationError(
            f"{shown} has other files, such as {format_path(min(others))}: choose an empty folder for backups",
            f"{shown} 中有其他文件，例如 {format_path(min(others))}：请为备份选择空目录",
        )


def _remove_old_parts(snapshots: Path) -> None:
    """Remove what killed backups left a day ago."""
    for path in snapshots.glob(f"{PARTIAL}*"):
        if path.stat().st_mtime < time.time() - DAY:
            shutil.rmtree(path, ignore_errors=True)


def _write(board: Board, backups: Backups, part: Path) -> BackupSummary:
    with board.database.snapshot() as connection:
        tables = tuple(_write_tables(connection, part / ROWS))
        hashes = list(connection.execute(select(blob.c.sha256).order_by(blob.c.sha256)).scalars())
        audit = audit_head(connection)
        # Names of backups are of this machine's clock; the times of rows are those of the database.
        made_at = datetime.now(timezone.utc)
    storage = backups.blobs()
    copied = _copy_blobs(board.blobs, storage, hashes)
    files = {name: store_file(path, storage).sha256 for name, path in _files_of(board)}
    write_manifest(
        Manifest(
            made_at,
            __version__,
            newest_revision(),
            "sqlite" if board.database.is_sqlite else "postgresql",
            tables,
            files,
            copied.missing,
            audit,
        ),
        part,
    )
    name = f"{made_at:%Y-%m-%dT%H%M%S.%fZ}"
    for folder in (part / ROWS, part):
        sync_folder(folder)
    part.rename(backups.snapshots / name)
    sync_folder(backups.snapshots)
    _note(board, name)
    rows = sum(table.rows for table in tables)
    damaged = tuple(map(damaged_file, copied.missing))
    return BackupSummary(name, backups.snapshots / name, made_at, rows, len(hashes), copied.files, copied.size, damaged)


def _note(board: Board, name: str) -> None:
    """Note the backup in the audit log, where the diagnosis looks for its age."""
    # A backup is complete without the note, and most needed where nothing can be written.
    with suppress(StorageFullError, DBAPIError), board.database.write() as connection:
        now = board.database.now(connection)
        append_audit(connection, BACKUP_ACTION, name, actor=ACTOR, at=now)


def _write_tables(connection: Connection, folder: Path) -> Iterator[StoredTable]:
    for table in metadata.sorted_tables:
        path = folder / f"{table.name}{ROW_FILE}"
        yield StoredTable(table.name, write_rows(connection, table, path), hash_file(path))


def _files_of(board: Board) -> Iterator[tuple[str, Path]]:
    """Yield the files of the folder with their names: those at its top, those of ``gold``, and all gold files."""
    found = [path for path in board.folder.iterdir() if not path.name.startswith((DATABASE, "."))]
    found += (board.folder / GOLD).rglob("*")
    found += [task.gold for task in board.settings.tasks.values()]
    for path in sorted(set(found)):
        if path.is_file():
            yield path.relative_to(board.folder).as_posix(), path


def _copy_blobs(source: Blobs, target: Blobs, hashes: Iterable[str]) -> _Copied:
    present = set(target.hashes())
    count, size, missing = 0, 0, []
    for sha256 in hashes:
        if sha256 in present:
            continue
        try:
            size += copy_blob(sha256, source, target)
            count += 1
        except (FileNotFoundError, DamagedBlobError):
            missing.append(sha256)
    return _Copied(count, size, tuple(missing))


def copy_blob(sha256: str, source: Blobs, target: Blobs) -> int:
    """Copy a stored file from a storage to another, and compare its hash.

    Args:
        sha256: Its hash.
        source: The storage that has it.
        target: The other storage.

    Returns:
        Its size in bytes.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedBlobError: It has other bytes. Nothing of it is kept.
        OSError: It cannot be read or stored.

    """
    with source.local(sha256) as path:
        return target.put(_checked_chunks(path, sha256)).size


def _checked_chunks(path: Path, sha256: str) -> Iterator[bytes]:
    digest = hashlib.sha256()
    with open_file(path) as file:
        while chunk := file.read(BLOCK):
            digest.update(chunk)
            yield chunk
    if digest.hexdigest() != sha256:
        raise DamagedBlobError(f"the file {sha256} is damaged")


def damaged_file(sha256: str) -> Message:
    """Return the sentence about a stored file that is missing or damaged.

    Args:
        sha256: Its hash.

    Returns:
        The sentence.

    """
    return Message(
        f"the stored file {sha256} is missing or damaged: copy it from another backup",
        f"文件 {sha256} 缺失或已损坏：请从其他备份中复制",
    )
