"""What a storage of submitted files must do: a folder and an object storage are the same to the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol


class StoredBlob(NamedTuple):
    """A stored file.

    Attributes:
        sha256: Hash of its bytes.
        size: Size in bytes.

    """

    sha256: str
    size: int


class Sweep(NamedTuple):
    """Counts of the files that a sweep removed.

    Attributes:
        parts: The number of incomplete files.
        orphans: The number of files without a row.

    """

    parts: int
    orphans: int


class BlobTooLargeError(ValueError):
    """Raised for a file that exceeds the limit; nothing of it is kept."""


class Blobs(Protocol):
    """Files under the hashes of their bytes."""

    def put(self, chunks: Iterable[bytes], *, max_bytes: int | None = None) -> StoredBlob:
        """Store a file. When this returns, it survives a crash.

        Args:
            chunks: The bytes, in pieces.
            max_bytes: Largest size.

        Returns:
            Its hash and size.

        Raises:
            BlobTooLargeError: It has more bytes.
            OSError: It cannot be written. Nothing of it is kept.

        """

    def local(self, sha256: str) -> AbstractContextManager[Path]:
        """Yield the path of a file on this machine, which may be a copy that ends with the block.

        Args:
            sha256: Its hash.

        Returns:
            A context manager with the path.

        Raises:
            FileNotFoundError: There is no such file.
            OSError: It cannot be read.

        """

    def verify(self, sha256: str) -> bool:
        """Return whether a file exists and has the bytes of its hash.

        Args:
            sha256: Its hash.

        Returns:
            Whether it is intact.

        """

    def hashes(self) -> Iterator[str]:
        """Yield the hash of every stored file.

        Returns:
            An iterator over the hashes, in no order.

        """

    def sweep(self, recorded: Callable[[Collection[str]], Collection[str]], *, older_than: float) -> Sweep:
        """Remove incomplete files, and files without a row, that are old.

        Args:
            recorded: Function that returns which of some hashes the database has.
            older_than: Age in seconds. It must be larger than the time between storing a file and its commit.

        Returns:
            The numbers of removed files.

        """
