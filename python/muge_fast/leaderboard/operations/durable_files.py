"""Files and folders that survive a loss of power once they are named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from muge_fast._internal.paths import file_sha256, open_file
from muge_fast.leaderboard.blobs.interface import Blobs, StoredBlob

BLOCK = 1 << 20


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Write a new file that only its owner may read; at the end of the block, its bytes are on the disk.

    Args:
        path: The file, which must not exist.

    Yields:
        The file.

    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner may read, and its parents, if it is missing.

    Args:
        folder: The folder.

    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk.

    Args:
        folder: The folder.

    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file.

    Args:
        path: The file.

    Returns:
        64 hexadecimal digits.

    Raises:
        OSError: The file cannot be read.

    """
    with open_file(path) as file:
        return file_sha256(file)


def store_file(path: Path, target: Blobs) -> StoredBlob:
    """Copy a file into a storage.

    Args:
        path: The file.
        target: The storage.

    Returns:
        Its hash and size.

    Raises:
        OSError: The file cannot be read or stored.

    """
    with open_file(path) as file:
        return target.put(iter(lambda: file.read(BLOCK), b""))
