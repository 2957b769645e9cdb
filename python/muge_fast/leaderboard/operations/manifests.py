"""The folder of backups, and the manifest by which each of them is read.

::

    backups/
      blobs/ab/cd/<sha256>           submitted files and gold files of all backups, once each
      snapshots/<name>/
        manifest.json                what the backup has, with the hash of each file; it comes last
        rows/<table>.jsonl.gz        the rows of each table
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from muge_fast._internal.display import format_path
from muge_fast.leaderboard.blobs.local import LocalBlobs
from muge_fast.leaderboard.operations.durable_files import hash_file, new_file
from muge_fast.leaderboard.operations.messages import OperationError
from muge_fast.leaderboard.store.column_types import json_hash

SNAPSHOTS, BLOBS, ROWS, MANIFEST = "snapshots", "blobs", "rows", "manifest.json"
ROW_FILE = ".jsonl.gz"
PARTIAL = "partial-"
FORMAT = 1
NAME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}\.\d{6}Z")


class StoredTable(NamedTuple):
    """The rows of a table in a backup.

    Attributes:
        name: Name of the table.
        rows: The number of rows.
        sha256: Hash of the file.

    """

    name: str
    rows: int
    sha256: str


class Manifest(NamedTuple):
    """What a backup has.

    Attributes:
        made_at: The time of the snapshot.
        package_version: Version of muge_fast.
        revision: Revision of the tables.
        database: Kind of the database: ``"sqlite"`` or ``"postgresql"``.
        tables: The tables, each after those that it refers to.
        files: Hash of each file of the folder, by its path in the folder.
        missing: Hashes of submitted files that were missing or damaged when the backup was made.
        audit: Number and hash of the newest entry of the audit log; None for an empty log.

    """

    made_at: datetime
    package_version: str
    revision: str
    database: str
    tables: tuple[StoredTable, ...]
    files: Mapping[str, str]
    missing: tuple[str, ...]
    audit: tuple[int, str] | None


def write_manifest(manifest: Manifest, snapshot: Path) -> None:
    """Write the manifest of a backup.

    Args:
        manifest: The manifest.
        snapshot: Folder of the backup.

    """
    values: dict[str, Any] = manifest._asdict() | {
        "format": FORMAT,
        "made_at": manifest.made_at.isoformat(),
        "tables": [table._asdict() for table in manifest.tables],
        "files": dict(manifest.files),
    }
    values["sha256"] = json_hash(values)
    with new_file(snapshot / MANIFEST) as file:
        file.write(json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n")


def read_manifest(snapshot: Path) -> Manifest:
    """Read the manifest of a backup, and compare its hash.

    Args:
        snapshot: Folder of the backup.

    Returns:
        The manifest.

    Raises:
        OperationError: It is missing, damaged, or of a newer version.

    """
    path = snapshot / MANIFEST
    try:
        values = json.loads(path.read_bytes())
        noted = values.pop("sha256")
        if json_hash(values) != noted:
            raise ValueError("its hash differs")
        if values.pop("format") != FORMAT:
            raise OperationError(
                f"the backup {snapshot.name} is of a newer version: upgrade muge-fast",
                f"备份 {snapshot.name} 来自更新的版本：请升级 muge-fast",
            )
        tables = tuple(StoredTable(**table) for table in values.pop("tables"))
        audit = values.pop("audit")
        return Manifest(
            **values
            | {
                "made_at": datetime.fromisoformat(values["made_at"]),
                "tables": tables,
                "missing": tuple(values["missing"]),
                "audit": None if audit is None else (int(audit[0]), str(audit[1])),
            }
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise OperationError(
            f"the manifest of the backup {snapshot.name} cannot be used ({error}): choose another backup",
            f"备份 {snapshot.name} 的清单无法使用（{error}）：请选择其他备份",
        ) from error


def rows_path(snapshot: Path, table: str) -> Path:
    """Return the path of the rows of a table in a backup.

    Args:
        snapshot: Folder of the backup.
        table: Name of the table.

    Returns:
        The path, whether or not it exists.

    """
    return snapshot / ROWS / f"{table}{ROW_FILE}"


def damaged_tables(manifest: Manifest, snapshot: Path) -> list[str]:
    """Return the tables whose rows are missing in a backup, or have another hash.

    Args:
        manifest: Manifest of the backup.
        snapshot: Folder of the backup.

    Returns:
        Names of the tables.

    Raises:
        OSError: A file cannot be read.

    """
    paths = {table.name: rows_path(snapshot, table.name) for table in manifest.tables}
    hashes = {table.name: table.sha256 for table in manifest.tables}
    return [name for name, path in paths.items() if not path.is_file() or hash_file(path) != hashes[name]]


class Backups(NamedTuple):
    """A folder of backups.

    Attributes:
        folder: The folder.

    """

    folder: Path

    @property
    def snapshots(self) -> Path:
        """The folder that has a folder for each backup."""
        return self.folder / SNAPSHOTS

    def blobs(self) -> LocalBlobs:
        """Return the files of all backups.

        Returns:
            The storage.

        """
        return LocalBlobs(self.folder / BLOBS)

    def names(self) -> list[str]:
        """Return the names of the backups that are complete.

        Returns:
            The names, the oldest first.

        """
        if not self.snapshots.is_dir():
            return []
        return sorted(path.name for path in self.snapshots.iterdir() if NAME.fullmatch(path.name))

    def find(self, name: str | None) -> Path:
        """Return the folder of a backup.

        Args:
            name: Its name; None for the newest.

        Returns:
            The folder.

        Raises:
            OperationError: There is no such backup.

        """
        names = self.names()
        shown = format_path(self.folder)
        if not names:
            raise OperationError(
                f"there is no backup in {shown}: name the folder that `muge-fast board backup` wrote to",
                f"{shown} 中没有备份：请指定 `muge-fast board backup` 写入的目录",
            )
        if name is not None and name not in names:
            listed = ", ".join(names[-5:])
            raise OperationError(
                f"there is no backup {name!r} in {shown}: the newest are {listed}",
                f"{shown} 中没有备份 {name!r}：最新的备份为 {listed}",
            )
        return self.snapshots / (name or names[-1])
