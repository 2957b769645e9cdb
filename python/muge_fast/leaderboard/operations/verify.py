"""Checking that a board is whole: files, rows, verdicts, months and the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Table, func, select

from muge_fast._internal.display import format_path
from muge_fast.leaderboard.blobs.interface import Blobs
from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.operations.backup import damaged_file
from muge_fast.leaderboard.operations.manifests import Backups, damaged_tables, read_manifest, rows_path
from muge_fast.leaderboard.operations.messages import Message
from muge_fast.leaderboard.operations.row_checks import audit_differences, database_faults, row_faults
from muge_fast.leaderboard.operations.row_files import RowFileError, blob_hashes
from muge_fast.leaderboard.operations.store_sentences import bilingual
from muge_fast.leaderboard.store.audit import audit_faults
from muge_fast.leaderboard.store.months import verify_months
from muge_fast.leaderboard.store.schema import audit, blob, evaluation, month, submission, verdict

COUNTED = {
    "submission": submission,
    "evaluation": evaluation,
    "verdict": verdict,
    "month": month,
    "audit entry": audit,
}


class Verification(NamedTuple):
    """The result of a check.

    Attributes:
        checked: Numbers of what was checked, by its name in the singular, such as ``{"submission": 120}``.
        faults: A sentence for each fault.
        notes: A sentence for each thing that is not a fault, such as files that wait for a sweep.

    """

    checked: dict[str, int]
    faults: tuple[Message, ...]
    notes: tuple[Message, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no fault."""
        return not self.faults


def verify(board: Board, *, read_files: bool = True, newest_audit: tuple[int, str] | None = None) -> Verification:
    """Check a board while it runs.

    Args:
        board: The board.
        read_files: Whether to read every submitted file and compare its hash, or only to look whether it exists.
        newest_audit: Number and hash of an audit entry that must exist, such as from a backup.

    Returns:
        The result.

    """
    # A snapshot of the rows first: every file that they name was stored before.
    with board.database.snapshot() as connection:
        counts = {name: _count(connection, table) for name, table in COUNTED.items()}
        hashes = set(connection.execute(select(blob.c.sha256)).scalars())
        faults = [*database_faults(connection), *row_faults(connection), *audit_differences(connection)]
        sentences = [*audit_faults(connection, newest=newest_audit), *verify_months(connection)]
    faults += map(bilingual, sentences)
    present = set(board.blobs.hashes())
    missing = (hashes - present) | (_damaged(board.blobs, hashes & present) if read_files else set())
    faults += [damaged_file(sha256) for sha256 in sorted(missing)]
    return Verification(counts | {"file": len(hashes)}, tuple(faults), tuple(_orphans(len(present - hashes))))


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _damaged(blobs: Blobs, hashes: set[str]) -> set[str]:
    return {sha256 for sha256 in hashes if not blobs.verify(sha256)}


def _orphans(count: int) -> Iterator[Message]:
    if count:
        yield Message(
            f"{count} stored files have no row: of uploads that were not accepted, or are being accepted now",
            f"{count} 个文件没有对应的记录：上传未被受理，或正在受理",
        )


def verify_backup(source: Path, *, name: str | None = None) -> Verification:
    """Check a backup without restoring it: the hash of every file in it.

    Args:
        source: Folder of the backups.
        name: Name of a backup; None for the newest.

    Returns:
        The result.

    Raises:
        OperationError: There is no such backup, or its manifest is damaged.

    """
    backups = Backups(source.absolute())
    snapshot = backups.find(name)
    manifest = read_manifest(snapshot)
    faults = tuple(backup_faults(backups, snapshot.name))
    hashes = _named_files(snapshot)
    rows = {table.name: table.rows for table in manifest.tables}
    counts = {name: rows.get(table.name, 0) for name, table in COUNTED.items()}
    notes = [
        Message(f"the board lacked the file {sha256} already", f"制作备份时排行榜已缺少文件 {sha256}")
        for sha256 in manifest.missing
    ]
    return Verification(counts | {"file": len(hashes)}, faults, tuple(notes))


def backup_faults(backups: Backups, name: str, *, verified: dict[str, bool] | None = None) -> Iterator[Message]:
    """Yield what is missing or damaged in a backup.

    Args:
        backups: The folder of backups.
        name: Name of the backup.
        verified: Results for files by their hashes, which backups of one folder have in common: files in it are not
            read again, others are added. None for a backup alone.

    Yields:
        A sentence for each fault.

    Raises:
        OperationError: There is no such backup, or its manifest is damaged.

    """
    snapshot = backups.find(name)
    results = {} if verified is None else verified
    manifest, blobs = read_manifest(snapshot), backups.blobs()

    def damaged(sha256: str) -> bool:
        if sha256 not in results:
            results[sha256] = blobs.verify(sha256)
        return not results[sha256]

    for table in damaged_tables(manifest, snapshot):
        yield Message(f"the rows of {table} are missing or damaged", f"表 {table} 的数据缺失或已损坏")
    for path, sha256 in manifest.files.items():
        if damaged(sha256):
            shown = format_path(path)
            yield Message(f"the file {shown} is missing or damaged", f"文件 {shown} 缺失或已损坏")
    yield from (
        damaged_file(sha256) for sha256 in sorted(_named_files(snapshot) - set(manifest.missing)) if damaged(sha256)
    )


def _named_files(snapshot: Path) -> set[str]:
    """Return the hashes of the submitted files of a backup; none if its rows, which are a fault, cannot be read."""
    try:
        return set(blob_hashes(rows_path(snapshot, "blob")))
    except (OSError, RowFileError):
        return set()
