"""Files in a folder of this machine, at ``ab/cd/<sha256>``.

A file is complete and on the disk before its hash is returned, so a row that names it never names a missing file. A
process that is killed leaves a part, or a file without a row; :meth:`LocalBlobs.sweep` removes both when they are old.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from muge_fast._internal.display import format_path
from muge_fast._internal.paths import file_sha256
from muge_fast.leaderboard.blobs.interface import BlobTooLargeError, StoredBlob, Sweep

DAY = 24 * 3600.0
SHA256 = re.compile(r"[0-9a-f]{64}")
PARTS = "parts"
LOCK = "lock"
BATCH = 500


class LocalBlobs:
    """A folder of files under their hashes, which several processes may use at the same time.

    Args:
        folder: The folder, which is made if it is missing.
        synchronized: Whether a stored file survives a loss of power. Only files that can be made again, such as those
            of a demo, may do without, which is ten times as fast.

    Example:
        >>> import tempfile
        >>> from muge_fast.leaderboard.blobs.local import LocalBlobs
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     blobs = LocalBlobs(folder)
        ...     stored = blobs.put([b"one", b"two"])
        ...     stored.size, blobs.path(stored.sha256).read_bytes()
        (6, b'onetwo')

    """

    def __init__(self, folder: str | os.PathLike[str], *, synchronized: bool = True) -> None:
        self.synchronized = synchronized
        self.folder = Path(folder).absolute()
        _make_folder(self.folder)
        _make_folder(self.folder / PARTS)

    def put(self, chunks: Iterable[bytes], *, max_bytes: int | None = None) -> StoredBlob:
        """Store a file. When this returns, its bytes and its name are on the disk.

        Args:
            chunks: The bytes, in pieces.
            max_bytes: Largest size.

        Returns:
            Its hash and size.

        Raises:
            BlobTooLargeError: It has more bytes.
            OSError: It cannot be written, such as to a full disk. Nothing of it is kept.

        """
        part = self.folder / PARTS / f"{os.getpid()}-{os.urandom(8).hex()}"
        try:
            with part.open("xb") as file:
                stored = copy_chunks(chunks, file, max_bytes)
                file.flush()
                if self.synchronized:
                    os.fsync(file.fileno())
            self._name(part, stored.sha256)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
        return stored

    def _name(self, part: Path, sha256: str) -> None:
        """Rename a complete part. A file that is already there is replaced by the same bytes, and is young."""
        path = self.path(sha256)
        # A sweep that finds an old file of this hash removes it before or after this, not in between.
        with self._locked(fcntl.LOCK_SH):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.replace(path)
            # All three, because another process may have made a folder and not have synchronized it yet.
            for folder in (path.parent, path.parent.parent, self.folder) if self.synchronized else ():
                _sync_folder(folder)

    def path(self, sha256: str) -> Path:
        """Return the path of a file, whether or not it exists.

        Args:
            sha256: Its hash.

        Returns:
            The path.

        Raises:
            ValueError: This is not a hash.

        """
        if not SHA256.fullmatch(sha256):
            raise ValueError("the hash of a file has 64 hexadecimal digits")
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    @contextmanager
    def local(self, sha256: str) -> Iterator[Path]:
        """Yield the path of a file that exists.

        Args:
            sha256: Its hash.

        Yields:
            The path.

        Raises:
            FileNotFoundError: There is no such file.

        """
        path = self.path(sha256)
        path.stat()
        yield path

    def verify(self, sha256: str) -> bool:
        """Return whether a file exists and has the bytes of its hash.

        Args:
            sha256: Its hash.

        Returns:
            Whether it is intact.

        """
        try:
            with self.path(sha256).open("rb") as file:
                return file_sha256(file) == sha256
        except FileNotFoundError:
            return False

    def hashes(self) -> Iterator[str]:
        """Yield the hash of every stored file.

        Yields:
            The hashes, in no order.

        """
        for path in self.folder.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
            if SHA256.fullmatch(path.name):
                yield path.name

    def sweep(self, recorded: Callable[[Collection[str]], Collection[str]], *, older_than: float = DAY) -> Sweep:
        """Remove parts and files without a row that are old.

        Args:
            recorded: Function that returns which of some hashes the database has.
            older_than: Age in seconds. It must be larger than the time between storing a file and its commit.

        Returns:
            The numbers of removed files.

        """
        limit = time.time() - older_than
        parts = sum(_remove_old(path, limit) for path in (self.folder / PARTS).iterdir())
        old = [sha256 for sha256 in self.hashes() if _is_old(self.path(sha256), limit)]
        orphans = 0
        for start in range(0, len(old), BATCH):
            batch = old[start : start + BATCH]
            # The lock comes first: a file that is stored again afterwards waits, and one stored before is young.
            with self._locked(fcntl.LOCK_EX):
                lost = set(batch) - set(recorded(batch))
                orphans += sum(_remove_old(self.path(sha256), limit) for sha256 in lost)
        return Sweep(parts, orphans)

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        """Hold the lock of the folder, which the system releases if the process is killed."""
        with (self.folder / LOCK).open("ab") as file:
            fcntl.flock(file, kind)
            yield


def copy_chunks(chunks: Iterable[bytes], file: IO[bytes], max_bytes: int | None) -> StoredBlob:
    """Write bytes to a file, and compute their hash.

    Args:
        chunks: The bytes, in pieces.
        file: The file.
        max_bytes: Largest size; None for no limit.

    Returns:
        Hash and size.

    Raises:
        BlobTooLargeError: There are more bytes.

    """
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        size += len(chunk)
        if max_bytes is not None and size > max_bytes:
            raise BlobTooLargeError(f"the file has more than {max_bytes} bytes")
        digest.update(chunk)
        file.write(chunk)
    return StoredBlob(digest.hexdigest(), size)


def _make_folder(folder: Path) -> None:
    """Make a folder whose name is on the disk."""
    if folder.is_dir():
        return
    if not folder.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {format_path(folder.parent)}")
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_old(path: Path, limit: float) -> bool:
    try:
        return path.stat().st_mtime < limit
    except FileNotFoundError:
        return False


def _remove_old(path: Path, limit: float) -> bool:
    """Remove a file if it is old, and return whether it was."""
    if not _is_old(path, limit):
        return False
    with suppress(FileNotFoundError):
        path.unlink()
    return True
