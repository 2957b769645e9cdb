"""The files that an evaluation read: name, size and hash, for reports."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from muge_fast._internal.display import escape_surrogates, format_id, quantity
from muge_fast._internal.paths import PathLike, file_sha256
from muge_fast.datasets.image_tsv import ImageTsv

# Characters of a file name, and of a line that is quoted.
NAME_LENGTH, EXCERPT_LENGTH = 120, 200


class InputFile:
    """A file as it was when an evaluation read it.

    The hash is computed when it is first used: of the bytes that were read, or, for a file of images, which is not kept
    in memory, by reading it a second time if its size and modification time are still the same.

    Args:
        path: The file.
        data: Its bytes; None for a file that is not kept in memory.

    Attributes:
        name: Name of the file without its folder, printable.
        size: Number of bytes.

    Raises:
        OSError: ``data`` is None and the file does not exist.

    Example:
        >>> from muge_fast.datasets.input_file import InputFile
        >>> file = InputFile("folder/pred.jsonl", b"{}")
        >>> file.name, file.size, file.sha256[:8]
        ('pred.jsonl', 2, '44136fa3')

    """

    def __init__(self, path: PathLike, data: bytes | None = None) -> None:
        self.name = escape_surrogates(format_id(Path(os.fspath(path)).name, NAME_LENGTH))
        self._path = os.path.abspath(os.fspath(path))  # noqa: PTH100 - the text of the path, as it will be opened again
        self._data = data
        self._version = None if data is not None else _version(self._path)
        self.size = len(data) if data is not None else self._version[2] if self._version else 0
        self._sha256: str | None = None

    @property
    def sha256(self) -> str | None:
        """SHA-256 of the content in hexadecimal; None if the file was changed or removed since it was read."""
        if self._sha256 is None:
            self._sha256 = hashlib.sha256(self._data).hexdigest() if self._data is not None else self._hash_again()
        return self._sha256

    def has_same_content(self, other: InputFile) -> bool:
        """Return whether another file has the same bytes.

        Args:
            other: The other file. Files in memory are compared, others are hashed if they have the same size.

        Returns:
            False also if a file was changed or removed since it was read.

        """
        if self.size != other.size:
            return False
        if self._version is not None and self._version == other._version:
            return True
        if self._data is not None and other._data is not None:
            return self._data == other._data
        return self.sha256 is not None and self.sha256 == other.sha256

    def is_unchanged(self) -> bool:
        """Return whether a file is still the one that was read.

        Returns:
            False for a file that is not kept in memory and was changed or removed; what is in memory does not change.

        """
        try:
            return self._version is None or _version(self._path) == self._version
        except OSError:
            return False

    def forget_data(self) -> None:
        """Free the content after hashing it. Excerpts of its lines are gone."""
        if self._data is not None:
            self._sha256, self._data = self.sha256, None

    def to_dict(self) -> dict[str, Any]:
        """Return name, size and hash as plain Python objects.

        Returns:
            A dictionary with the keys ``name``, ``bytes`` and ``sha256``.

        """
        return {"name": self.name, "bytes": self.size, "sha256": self.sha256}

    def open_images(self) -> ImageTsv | None:
        """Open a file of images, for their pictures.

        Returns:
            The images; None if this is another file, or if it was changed or removed since it was read.

        """
        try:
            if self._version is not None and _version(self._path) == self._version:
                return ImageTsv(self._path, broken="skip")
        except (OSError, ValueError):
            pass
        return None

    def excerpts(self, lines: Collection[int]) -> dict[int, str]:
        """Return the beginning of some lines of a file in memory, as printable text.

        Args:
            lines: Line numbers, from 1.

        Returns:
            Text by line number; nothing for a file of images.

        """
        if self._data is None or not lines:
            return {}
        wanted, last = set(lines), max(lines)
        found, start = {}, 0
        for number in range(1, last + 1):
            end = self._data.find(b"\n", start)
            if number in wanted:
                # A character has at most four bytes.
                text = self._data[start : min(end if end >= 0 else len(self._data), start + 4 * EXCERPT_LENGTH)]
                found[number] = format_id(text.decode("utf-8", "replace").strip(), EXCERPT_LENGTH)
            if end < 0:
                break
            start = end + 1
        return found

    def _hash_again(self) -> str | None:
        try:
            with Path(self._path).open("rb") as file:
                if _version(file.fileno()) != self._version:
                    return None
                digest = file_sha256(file)
                return digest if _version(file.fileno()) == self._version else None
        except OSError:
            return None

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes, with the hash instead of the bytes."""
        return {**self.__dict__, "_data": None, "_sha256": self._sha256 if self._data is None else self.sha256}

    def __repr__(self) -> str:
        return f"InputFile({self.name!r}, {quantity(self.size, 'byte')})"


def _version(path: str | int) -> tuple[int, int, int, int]:
    """Return numbers that change when a file is replaced or written."""
    state = os.stat(path)  # noqa: PTH116 - a path or an open file
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
