"""Removing old backups: the newest whole ones are kept, and what is not a backup is left alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from muge_fast._internal.display import format_path
from muge_fast.leaderboard.operations.durable_files import sync_folder
from muge_fast.leaderboard.operations.manifests import (
    MANIFEST,
    PARTIAL,
    ROW_FILE,
    ROWS,
    Backups,
    Manifest,
    read_manifest,
)
from muge_fast.leaderboard.operations.messages import Message, OperationError
from muge_fast.leaderboard.operations.verify import backup_faults


class Pruning(NamedTuple):
    """Result of a removal of old backups.

    Attributes:
        kept: Names of the whole backups that were kept, the oldest first.
        removed: Names of the backups that were removed, the oldest first.
        left: A sentence for each folder that was left alone because it is damaged or is not a backup.

    """

    kept: tuple[str, ...]
    removed: tuple[str, ...]
    left: tuple[Message, ...]


def prune(target: Path, *, newest: str, keep: int) -> Pruning:
    """Remove old backups after a new one, so that a number of whole ones remains.

    A backup is whole if every file in it has its hash, and lacks no file that the board should have had. Nothing is
    removed unless the new one is whole. The new one is always kept, even if the clock stepped back and others have
    later names. Backups that are damaged count only once there are enough whole ones after them: then they are removed
    like others. The submitted files of all backups stay, because a board never removes any, so the new backup names
    them too.

    Args:
        target: Folder of the backups.
        newest: Name of the new backup.
        keep: Number of whole backups to keep, at least 1; the new one is one of them.

    Returns:
        What was kept, removed and left alone.

    Raises:
        ValueError: ``keep`` is below 1.
        OperationError: The new backup is not whole. Nothing was removed.
        OSError: A backup cannot be read or removed.

    """
    if keep < 1:
        raise ValueError(f"keep must be at least 1, got {keep}")
    backups = Backups(target.absolute())
    verified: dict[str, bool] = {}
    faults = tuple(backup_faults(backups, newest, verified=verified))
    if faults or read_manifest(backups.find(newest)).missing:
        raise OperationError(
            f"no backup was removed, because the new backup {newest} is not whole: {_first_of(faults).en}",
            f"未删除任何备份，因为新备份 {newest} 不完整：{_first_of(faults).zh}",
        )
    kept, removed, left = [newest], [], []
    for name in reversed([name for name in backups.names() if name != newest]):
        reason = _not_a_backup(backups.snapshots / name)
        if reason is not None:
            left.append(reason)
        elif len(kept) == keep:
            removed.append(name)
        elif faults := tuple(backup_faults(backups, name, verified=verified)):
            left.append(_damaged(name, faults))
        else:
            kept.append(name)
    # The oldest first: whatever ends this, the newest ones remain.
    removed.reverse()
    for name in removed:
        _remove(backups.snapshots, name)
    return Pruning(tuple(sorted(kept)), tuple(removed), tuple(left))


def _first_of(faults: Iterable[Message]) -> Message:
    lacking = Message(
        "the board lacks files; `muge-fast board verify` names them", "平台缺少文件，详见 `muge-fast board verify`"
    )
    return next(iter(faults), lacking)


def _damaged(name: str, faults: Iterable[Message]) -> Message:
    first = _first_of(faults)
    return Message(
        f"the backup {name} is damaged, and does not count: {first.en}",
        f"备份 {name} 已损坏，不计入保留数量：{first.zh}",
    )


def _not_a_backup(snapshot: Path) -> Message | None:
    """Return a sentence if a folder with the name of a backup is not one, or has files that no backup has."""
    shown = format_path(snapshot)
    try:
        manifest = None if snapshot.is_symlink() else read_manifest(snapshot)
    except OperationError:
        manifest = None
    if manifest is None:
        return Message(
            f"{shown} is not a backup, or its manifest is damaged: remove it by hand if it is not needed",
            f"{shown} 不是备份，或其清单已损坏：如不需要，请手动删除",
        )
    others = sorted(set(_files_of(snapshot)) - _files_of_backup(manifest))
    if others:
        return Message(
            f"{shown} has other files, such as {format_path(others[0])}, so it is not removed: move them elsewhere",
            f"{shown} 中有其他文件，例如 {format_path(others[0])}，因此不会删除：请将其移走",
        )
    return None


def _files_of(snapshot: Path) -> Iterator[str]:
    for path in snapshot.rglob("*"):
        if path.is_symlink() or not path.is_dir() or path.relative_to(snapshot) != Path(ROWS):
            yield path.relative_to(snapshot).as_posix()


def _files_of_backup(manifest: Manifest) -> set[str]:
    return {MANIFEST, *(f"{ROWS}/{table.name}{ROW_FILE}" for table in manifest.tables)}


def _remove(snapshots: Path, name: str) -> None:
    """Remove a backup; one that is killed in the middle leaves a part, which the backup of the next day removes."""
    part = snapshots / f"{PARTIAL}{name}"
    try:
        (snapshots / name).rename(part)
    except FileNotFoundError:
        return  # Another process removed it.
    sync_folder(snapshots)
    shutil.rmtree(part, ignore_errors=True)
