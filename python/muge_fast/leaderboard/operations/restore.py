"""Restoring a board from a backup, into an empty folder and an empty database only.

``board.toml`` is written last, so a folder whose restoration was killed is not a board. The rows are one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from sqlalchemy import Connection, update

from muge_fast._internal.display import format_path
from muge_fast.leaderboard.blobs.interface import Blobs
from muge_fast.leaderboard.blobs.local import LocalBlobs
from muge_fast.leaderboard.board import BLOBS, DATABASE
from muge_fast.leaderboard.operations.backup import DamagedBlobError, copy_blob, damaged_file
from muge_fast.leaderboard.operations.durable_files import BLOCK, make_folder, new_file, sync_folder
from muge_fast.leaderboard.operations.manifests import Backups, Manifest, damaged_tables, read_manifest, rows_path
from muge_fast.leaderboard.operations.messages import Message, OperationError
from muge_fast.leaderboard.operations.row_files import RowFileError, blob_hashes, load_rows
from muge_fast.leaderboard.operations.store_sentences import bilingual
from muge_fast.leaderboard.rules.settings import FILE_NAME
from muge_fast.leaderboard.store.audit import Actor, append_audit, audit_faults
from muge_fast.leaderboard.store.database import Database, create_database
from muge_fast.leaderboard.store.errors import RefusedError
from muge_fast.leaderboard.store.migrations import revisions, upgrade
from muge_fast.leaderboard.store.months import verify_months
from muge_fast.leaderboard.store.schema import evaluation, task

ACTOR = Actor("restore")


class RestoreSummary(NamedTuple):
    """A board that was restored.

    Attributes:
        name: Name of the backup.
        made_at: The time of the backup.
        rows: Number of rows.
        files: Number of stored files.
        damaged: A sentence for each stored file that the backup lacks.

    """

    name: str
    made_at: datetime
    rows: int
    files: int
    damaged: tuple[Message, ...]


def restore(
    source: Path,
    folder: Path,
    *,
    name: str | None = None,
    database: str | None = None,
    blobs: Blobs | None = None,
    allow_damaged: bool = False,
) -> RestoreSummary:
    """Restore a board from a backup. Every hash, the months and the audit log are verified.

    Evaluations that ran are queued again, since their workers are gone, and the audit log has an entry more.

    Args:
        source: Folder of the backups.
        folder: Folder for the board, which must be missing or empty.
        name: Name of a backup; None for the newest.
        database: Address of an empty database, ``postgresql://…``; None for a file in the folder.
        blobs: Storage for the submitted files; None for a folder in the folder.
        allow_damaged: Restore what is intact, even if submitted files are missing or damaged.

    Returns:
        What was restored.

    Raises:
        OperationError: There is no such backup, it is damaged, or the folder or the database is not empty.
        OSError: A file cannot be read or written.

    """
    backups = Backups(source.absolute())
    snapshot = backups.find(name)
    manifest = read_manifest(snapshot)
    _check_revision(manifest, snapshot)
    _check_rows(manifest, snapshot)
    _check_empty(folder)
    make_folder(folder)
    storage = backups.blobs()
    target = LocalBlobs(folder / BLOBS) if blobs is None else blobs
    hashes = blob_hashes(rows_path(snapshot, "blob"))
    damaged = tuple(_copy_blobs(storage, target, hashes))
    if damaged and not allow_damaged:
        raise OperationError(
            f"{len(damaged)} files of the backup are missing or damaged, such as {damaged[0]}: "
            "choose another backup, or restore without them by --allow-damaged",
            f"备份中有 {len(damaged)} 个文件缺失或已损坏，例如 {damaged[0]}："
            "请选择其他备份，或使用 --allow-damaged 恢复其余文件",
        )
    settings = _copy_files(manifest, storage, folder)
    rows = _load(manifest, snapshot, database or str(folder / DATABASE))
    # It makes the folder a board, so it comes last.
    with new_file(folder / FILE_NAME) as file:
        file.write(settings)
    sync_folder(folder)
    return RestoreSummary(
        snapshot.name, manifest.made_at, rows, len(hashes) - len(damaged), tuple(map(damaged_file, damaged))
    )


def _check_revision(manifest: Manifest, snapshot: Path) -> None:
    if manifest.revision not in revisions():
        raise OperationError(
            f"the backup {snapshot.name} was made by muge-fast {manifest.package_version}, which is newer: "
            "upgrade muge-fast",
            f"备份 {snapshot.name} 由更新的 muge-fast {manifest.package_version} 制作：请升级 muge-fast",
        )


def _check_rows(manifest: Manifest, snapshot: Path) -> None:
    damaged = damaged_tables(manifest, snapshot)
    if damaged:
        raise OperationError(
            f"the rows of {damaged[0]} in the backup {snapshot.name} are missing or damaged: choose another backup",
            f"备份 {snapshot.name} 中表 {damaged[0]} 的数据缺失或已损坏：请选择其他备份",
        )


def _check_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists():
        shown = format_path(folder)
        raise OperationError(
            f"{shown} is not an empty folder: a board is restored into a new one", f"{shown} 不是空目录：请恢复到新目录"
        )


def _copy_blobs(source: Blobs, target: Blobs, hashes: Iterable[str]) -> Iterator[str]:
    """Copy files, and yield the hash of each that is missing or damaged."""
    for sha256 in hashes:
        if not _is_copied(sha256, source, target):
            yield sha256


def _is_copied(sha256: str, source: Blobs, target: Blobs) -> bool:
    try:
        copy_blob(sha256, source, target)
    except (FileNotFoundError, DamagedBlobError):
        return False
    return True


def _copy_files(manifest: Manifest, storage: Blobs, folder: Path) -> bytes:
    """Write the files of the folder, but for ``board.toml``, whose content is returned."""
    settings = b""
    for name, sha256 in manifest.files.items():
        if not storage.verify(sha256):
            raise OperationError(
                f"the file {format_path(name)} of the backup is missing or damaged: choose another backup",
                f"备份中的文件 {format_path(name)} 缺失或已损坏：请选择其他备份",
            )
        with storage.local(sha256) as source:
            if name == FILE_NAME:
                settings = source.read_bytes()
            else:
                _copy(source, _inside(folder, name))
    return settings


def _inside(folder: Path, name: str) -> Path:
    """Return a path in the folder. A manifest that was written by hand must not lead elsewhere."""
    parts = PurePosixPath(name).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise OperationError(
            f"the backup has a file with the path {format_path(name)}, which is outside of the folder",
            f"备份中有路径为 {format_path(name)} 的文件，位于目录之外",
        )
    return folder.joinpath(*parts)


def _copy(source: Path, path: Path) -> None:
    make_folder(path.parent)
    with source.open("rb") as file, new_file(path) as copy:
        while block := file.read(BLOCK):
            copy.write(block)
    sync_folder(path.parent)


def _load(manifest: Manifest, snapshot: Path, address: str) -> int:
    with _loading(snapshot):
        made = create_database(address, revision=manifest.revision)
        try:
            with made.write() as connection:
                rows = sum(load_rows(connection, rows_path(snapshot, table.name)) for table in manifest.tables)
                upgrade(connection)
                _check_loaded(connection, manifest, snapshot)
                _begin_again(made, connection, snapshot.name)
        finally:
            made.close()
    return rows


@contextmanager
def _loading(snapshot: Path) -> Iterator[None]:
    """Turn errors of files of rows and of databases that are not empty into those of operations."""
    try:
        yield
    except RowFileError as error:
        raise OperationError(
            f"the backup {snapshot.name} cannot be loaded: {error}", f"备份 {snapshot.name} 无法载入：{error}"
        ) from error
    except RefusedError as error:
        raise OperationError(str(error), "数据库不是空的：请指定一个空数据库") from error


def _check_loaded(connection: Connection, manifest: Manifest, snapshot: Path) -> None:
    faults = audit_faults(connection, newest=manifest.audit) + verify_months(connection)
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        faults += [f"a row of {row[0]} refers to a missing row of {row[2]}" for row in broken]
    if faults:
        fault = bilingual(faults[0])
        raise OperationError(
            f"the backup {snapshot.name} was not restored: {fault.en}", f"备份 {snapshot.name} 未恢复：{fault.zh}"
        )


def _begin_again(database: Database, connection: Connection, name: str) -> None:
    """Queue what ran, let caches forget what came after the backup, and note the restoration."""
    ran = update(evaluation).where(evaluation.c.state == "running")
    connection.execute(ran.values(state="queued", lease_until=None, worker=None))
    # Versions of boards are compared by caches and clients that may have seen later ones: larger than any count.
    version = time.time_ns() // 1_000_000
    newer = update(task).where(task.c.board_version < version)
    connection.execute(newer.values(board_version=version))
    now = database.now(connection)
    append_audit(connection, "board.restore", name, actor=ACTOR, at=now)
