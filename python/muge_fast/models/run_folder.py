"""The folder of a run: its lock, its manifest, and the results so far."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from muge_fast._internal.display import format_path
from muge_fast._internal.paths import PathLike
from muge_fast.models.kept_results import KeptResults
from muge_fast.models.manifest import COMPLETE, FILE, find_difference, read_manifest, write_manifest

try:
    import fcntl
except ImportError:  # On Windows, where two processes in one folder are not noticed.
    fcntl = None  # type: ignore[assignment]

# Names that muge_fast._internal.atomic gives to files until they are complete.
UNFINISHED = re.compile(r"\.muge_fast\.[0-9a-f]{16}")

PARTIAL = "partial"
"""Name of the folder of results so far."""


class RunFolder:
    """The folder of a run, which one process at a time can use.

    Args:
        path: The folder. It is made if it does not exist; otherwise it must be empty or have a run in it.

    Attributes:
        path: The folder.

    Raises:
        OSError: The folder cannot be made.
        ValueError: It has other files, or another process uses it.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.models.run_folder import RunFolder
        >>> with tempfile.TemporaryDirectory() as name:
        ...     with RunFolder(pathlib.Path(name) / "run") as folder:
        ...         folder.begin({"task": "caption", "state": "running"})
        ...     sorted(path.name for path in folder.path.iterdir())
        ['partial', 'run.json']

    """

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        if (self.path.exists() or self.path.is_symlink()) and not self.path.is_dir():
            raise ValueError(f"output: {format_path(self.path)} is not a folder")
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = self._take_lock()
        self._results: dict[str, KeptResults] = {}

    def _take_lock(self) -> int | None:
        if fcntl is None:
            return None
        lock = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise ValueError(f"output: {format_path(self.path)}: another process runs there") from None
        except OSError:  # A file system without locks.
            os.close(lock)
            return None
        return lock

    def begin(self, manifest: Mapping[str, Any]) -> None:
        """Begin a run, or continue the same run.

        Args:
            manifest: The manifest of the run.

        Raises:
            OSError: The folder cannot be written to.
            ValueError: The folder has another run or other files.

        """
        self._remove_unfinished()
        if not (self.path / FILE).exists():
            others = sorted(path.name for path in self.path.iterdir())
            if others:
                raise ValueError(
                    f"output: {format_path(self.path)}: the folder has {others[0]}, and no run: pass a new folder"
                )
            write_manifest(self.path, manifest)
        elif (difference := find_difference(read_manifest(self.path), manifest)) is not None:
            raise ValueError(
                f"output: {format_path(self.path)} has another run: {difference}; pass a new folder, or the same "
                "options to continue it"
            )
        if not self.is_complete():
            (self.path / PARTIAL).mkdir(exist_ok=True)

    def _remove_unfinished(self) -> None:
        """Remove files that a killed process had begun to write."""
        for path in self.path.iterdir():
            if UNFINISHED.fullmatch(path.name):
                path.unlink()

    def is_complete(self) -> bool:
        """Return whether the run is complete.

        Returns:
            True if there is nothing left to do.

        """
        return read_manifest(self.path).get("state") == COMPLETE

    def results(self, stage: str) -> KeptResults:
        """Open the results of a stage.

        Args:
            stage: Name of the stage.

        Returns:
            The results so far, the same object for each call.

        """
        if stage not in self._results:
            self._results[stage] = KeptResults(self.path / PARTIAL, stage)
        return self._results[stage]

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest of a complete run, and remove what only a run that goes on needs.

        Args:
            manifest: The manifest, with results.

        Raises:
            OSError: The folder cannot be written to.

        """
        self._close_results()
        # Before what they were made of is removed.
        for path in self.path.iterdir():
            if path.is_file():
                _sync(path)
        write_manifest(self.path, {**manifest, "state": COMPLETE})
        _sync(self.path / FILE)
        shutil.rmtree(self.path / PARTIAL, ignore_errors=True)

    def _close_results(self) -> None:
        for results in self._results.values():
            results.close()

    def __enter__(self) -> RunFolder:  # noqa: PYI034 - typing.Self is new in Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the results so far, and let other processes use the folder."""
        self._close_results()
        if self._lock is not None:
            with suppress(OSError):
                # Closing alone would leave it to a process that was forked in the meantime.
                fcntl.flock(self._lock, fcntl.LOCK_UN)
            os.close(self._lock)


def _sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)
