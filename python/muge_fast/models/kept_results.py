"""Results of the items of a run so far, in files that survive the end of the process at any time."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple

SECONDS_BETWEEN_SYNCS = 1.0
"""Seconds between two waits for the disk, which take longer than many a batch."""


class KeptBatch(NamedTuple):
    """What is known of a run after a batch.

    Attributes:
        items: Number of items so far, broken ones included.
        size: Number of bytes of the results so far.
        part_size: Number of items that there was memory for at a time.
        broken: Index of each broken item of the batch, and the reason.

    Example:
        >>> from muge_fast.models.kept_results import KeptBatch
        >>> KeptBatch(2, 10, 2, {1: "image 'b' is broken: it is empty"}).items
        2

    """

    items: int
    size: int
    part_size: int
    broken: Mapping[int, str]


class KeptResults:
    """Results of the items of a stage so far.

    There are two files. Results are appended to the first, and then a line for the batch to the second, the journal.
    If the process ends in between, what the journal does not have is removed when the files are opened again, and its
    batch is done again. Items are therefore kept in whole batches.

    Args:
        folder: Folder of the files.
        name: Name of the stage.

    Attributes:
        path: File of the results.

    Raises:
        OSError: A file cannot be read or written.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.models.kept_results import KeptResults
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with KeptResults(pathlib.Path(folder), "captions") as results:
        ...         results.add(b"first", items=2, part_size=2, broken={1: "it is empty"})
        ...     with KeptResults(pathlib.Path(folder), "captions") as results:
        ...         results.items, results.broken, results.path.read_bytes()
        (2, {1: 'it is empty'}, b'first')

    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.results"
        self._journal_path = folder / f"{name}.journal"
        self._batches: list[KeptBatch] = []
        self._recover()

    @property
    def items(self) -> int:
        """Number of items that are done, broken ones included."""
        return self._batches[-1].items if self._batches else 0

    @property
    def size(self) -> int:
        """Number of bytes of the results."""
        return self._batches[-1].size if self._batches else 0

    @property
    def part_size(self) -> int | None:
        """Number of items that there was memory for at a time; None before the first batch."""
        return self._batches[-1].part_size if self._batches else None

    @property
    def broken(self) -> dict[int, str]:
        """Index of each broken item, and the reason."""
        return {index: reason for batch in self._batches for index, reason in batch.broken.items()}

    def add(self, data: bytes, *, items: int, part_size: int, broken: Mapping[int, str]) -> None:
        """Keep the results of a batch.

        Args:
            data: The results.
            items: Number of items of the batch, broken ones included.
            part_size: Number of items that there was memory for at a time.
            broken: Index of each broken item among all items of the stage, and the reason.

        Raises:
            OSError: The files cannot be written.

        """
        checksum = zlib.crc32(data)
        batch = KeptBatch(self.items + items, self.size + len(data), part_size, broken)
        _append(self._results, data)
        _append(self._journal, _line(batch, checksum))
        self._batches.append(batch)
        # What is written survives the end of the process; a power failure may take the last second.
        if time.monotonic() > self._synced + SECONDS_BETWEEN_SYNCS:
            self.sync()

    def sync(self) -> None:
        """Wait until the results are on the disk, then until the journal is.

        Raises:
            OSError: The files cannot be written.

        """
        os.fsync(self._results)
        os.fsync(self._journal)
        self._synced = time.monotonic()

    def forget(self) -> None:
        """Remove all results.

        Raises:
            OSError: The files cannot be written.

        """
        self._batches.clear()
        os.ftruncate(self._journal, 0)
        os.ftruncate(self._results, 0)

    def _recover(self) -> None:
        """Open the files, and remove what belongs to no whole batch."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._batches.clear()
        self._results = os.open(self.path, flags, 0o666)
        self._journal = os.open(self._journal_path, flags, 0o666)
        end = 0
        with self.path.open("rb") as results:
            for line in self._journal_path.read_bytes().splitlines(keepends=True):
                batch = _read_line(line, self.items, self.size, results)
                if batch is None:
                    break
                self._batches.append(batch)
                end += len(line)
        os.ftruncate(self._results, self.size)
        os.ftruncate(self._journal, end)
        self._synced = time.monotonic()

    def close(self) -> None:
        """Close the files; a second call does nothing."""
        for file in (self._results, self._journal):
            if file >= 0:
                os.close(file)
        self._results = self._journal = -1

    def __enter__(self) -> KeptResults:  # noqa: PYI034 - typing.Self is new in Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the files."""
        self.close()


def _append(file: int, data: bytes) -> None:
    """Append bytes without a buffer, which could be written later, when the journal lacks them."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _line(batch: KeptBatch, checksum: int) -> bytes:
    """Return a line of the journal: its own checksum, and a batch with that of its results."""
    values = [batch.items, batch.size, batch.part_size, checksum, list(batch.broken.items())]
    text = json.dumps(values).encode()
    return b"%08x %b\n" % (zlib.crc32(text), text)


def _read_line(line: bytes, items: int, size: int, results: IO[bytes]) -> KeptBatch | None:
    """Return the batch of a line of the journal.

    None for a line that is incomplete or damaged, and for one whose results are.
    """
    head, _, text = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or head != b"%08x" % zlib.crc32(text):
        return None
    try:
        found_items, found_size, part_size, checksum, broken = json.loads(text)
    except ValueError:
        return None
    data = results.read(found_size - size)
    if len(data) != found_size - size or zlib.crc32(data) != checksum or found_items <= items:
        return None
    return KeptBatch(found_items, found_size, part_size, dict(map(tuple, broken)))
