"""Opening zip archives of any origin: the number of their members is bounded before they are listed."""

from __future__ import annotations

import os
import zipfile
from typing import IO

HEADER = b"PK\1\2"
"""Beginning of the entry of each member in the directory of an archive."""

ENCRYPTED = 1
"""Bit of a member's flags that marks encryption."""

MAX_DIRECTORY = 1 << 28
"""Bytes of a directory: a million members with names of 200 bytes."""


def open_zip(file: IO[bytes], max_members: int) -> zipfile.ZipFile:
    """Open an archive for reading, unless it has too many members.

    ``zipfile`` makes an object of about a kilobyte for each entry of the directory, which has at least 46 bytes.

    Args:
        file: A file that is open for reading in binary mode, and stays open.
        max_members: Largest number of members.

    Returns:
        The archive.

    Raises:
        ValueError: There are more members than that, their directory is too large, or a member is larger than the
            archive; also from ``zipfile``.
        zipfile.BadZipFile: The file is not an archive.
        NotImplementedError: The archive has a feature that ``zipfile`` lacks.

    Example:
        >>> import io, zipfile
        >>> from muge_fast._internal.zip_files import open_zip
        >>> file = io.BytesIO()
        >>> with zipfile.ZipFile(file, "w") as archive:
        ...     archive.writestr("a", b"")
        ...     archive.writestr("b", b"")
        >>> len(open_zip(file, 2).infolist())
        2
        >>> open_zip(file, 1)
        Traceback (most recent call last):
        ...
        ValueError: has more than 1 files

    """
    archive = zipfile.ZipFile(_DirectoryReader(file, max_members))
    # Members are read from the file itself, which allocates as much as they claim to have.
    archive.fp = file
    size = file.seek(0, os.SEEK_END)
    if any(member.compress_size > size for member in archive.infolist()):
        raise ValueError("a file in it has more bytes than the archive")
    return archive


class _DirectoryReader:
    """A file that refuses to read a directory that is too large.

    ``zipfile`` reads the directory at once, with the size that the record at the end of the file has. Whatever rule
    it has to find that record, these are the bytes that it goes through.
    """

    def __init__(self, file: IO[bytes], max_members: int) -> None:
        self._file, self._max_members = file, max_members
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY:
            raise ValueError(f"the list of its files has {size} bytes, at most {MAX_DIRECTORY} are read")
        data = self._file.read(size)
        if data.count(HEADER) > self._max_members:
            raise ValueError(f"has more than {self._max_members} files")
        return data
