"""Results of the items of a run so far, in files that survive the end of the process at any time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple


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
        batch = KeptBatch(self.items + items, self.size + len(data), part_size, broken)
        _write(self._results, data)
        _write(self._journal, _line(batch))
        self._batches.append(batch)

    def _recover(self) -> None:
        """Open the files, and remove what belongs to no whole batch."""
        # The positions are those of the ends, wherever the files were cut.
        self._results = self.path.open("ab")
        self._journal = self._journal_path.open("ab")
        present, end = self.path.stat().st_size, 0
        for batch, line_end in _read_journal(self._journal_path):
            if batch.size > present or batch.items <= self.items:
                break
            self._batches.append(batch)
            end = line_end
        self._results.truncate(self.size)
        self._journal.truncate(end)

    def close(self) -> None:
        """Close the files."""
        self._results.close()
        self._journal.close()

    def __enter__(self) -> KeptResults:  # noqa: PYI034 - typing.Self is new in Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the files."""
        self.close()


def _write(file: IO[bytes], data: bytes) -> None:
    """Append bytes so that they are still there after a power failure."""
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def _line(batch: KeptBatch) -> bytes:
    return json.dumps([batch.items, batch.size, batch.part_size, list(batch.broken.items())]).encode() + b"\n"


def _read_journal(path: Path) -> Iterator[tuple[KeptBatch, int]]:
    """Yield the batches of a journal, and where their lines end; the last line may be incomplete."""
    end = 0
    for line in path.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n"):
            return
        try:
            items, size, part_size, broken = json.loads(line)
        except ValueError:
            return
        end += len(line)
        yield KeptBatch(items, size, part_size, dict(map(tuple, broken))), end
