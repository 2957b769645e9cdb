"""Opening a storage of submitted files by its address, as commands name it."""

from __future__ import annotations

from pathlib import Path

from muge_fast.leaderboard.blobs.interface import Blobs
from muge_fast.leaderboard.blobs.local import LocalBlobs
from muge_fast.leaderboard.blobs.object_storage import open_bucket


def open_blobs(address: str) -> Blobs:
    """Open a storage of submitted files.

    Args:
        address: A folder, or ``s3://bucket/prefix``.

    Returns:
        The storage.

    Raises:
        ValueError: The address has another scheme, or no bucket.
        FileNotFoundError: The parent of the folder does not exist.

    Example:
        >>> from muge_fast.leaderboard.blobs.addresses import open_blobs
        >>> open_blobs("ftp://files")
        Traceback (most recent call last):
        ValueError: the address 'ftp://files' is not of a storage of files: name a folder, or s3://BUCKET/PREFIX

    """
    if address.startswith("s3://"):
        return open_bucket(address)
    if "://" in address:
        raise ValueError(f"the address {address!r} is not of a storage of files: name a folder, or s3://BUCKET/PREFIX")
    return LocalBlobs(Path(address))
