"""Reading what a caller names, whole or line by line: never from a pipe or a device that might not end."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

PathLike = str | os.PathLike[str]

# How files begin that are not in the form of the benchmark.
STARTS = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\xff\xfe": "utf16", b"\xfe\xff": "utf16", b"\xef\xbb\xbf": "bom"}

# What a shell or a caller hands over, open already: whoever names one of these wants to read from it.
HANDED_OVER = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")


def file_type_problem(mode: int) -> str | None:
    """Tell by the mode of a path that it is no file: reading from a pipe or a device might never end.

    Args:
        mode: As ``os.stat`` gives it.

    Returns:
        The code of the problem, ``"directory"`` or ``"not_regular"``; None for a file.

    Example:
        >>> import os
        >>> from muge_fast._internal.paths import file_type_problem
        >>> file_type_problem(os.stat(".").st_mode)
        'directory'

    """
    if stat.S_ISREG(mode):
        return None
    return "directory" if stat.S_ISDIR(mode) else "not_regular"


def magic_bytes_problem(head: bytes) -> str | None:
    r"""Tell by how a file begins that it is compressed or in another encoding.

    Args:
        head: Its first bytes, three at least.

    Returns:
        The code of the problem; None if there is none.

    Example:
        >>> from muge_fast._internal.paths import magic_bytes_problem
        >>> magic_bytes_problem(b"\x1f\x8b\x08"), magic_bytes_problem(b"{}")
        ('gzip', None)

    """
    return next((code for start, code in STARTS.items() if head.startswith(start)), None)


def refuse_pipes(path: str | os.PathLike[str]) -> None:
    """Refuse a pipe or a device before it is opened: that may wait for ever, and so may reading from it.

    Args:
        path: The path; a folder is left to whoever opens it, which is an error that says so.

    Raises:
        OSError: Nothing is there.
        ValueError: It is neither a file nor a folder.

    Example:
        >>> from muge_fast._internal.paths import refuse_pipes
        >>> refuse_pipes("/dev/null")
        Traceback (most recent call last):
        ValueError: /dev/null: not a regular file

    """
    if file_type_problem(Path(path).stat().st_mode) == "not_regular":
        raise ValueError(f"{os.fspath(path)}: not a regular file")


def read_whole(path: str | os.PathLike[str]) -> bytes:
    r"""Read a file, or what is handed over under a name such as ``/dev/stdin``.

    Args:
        path: The file.

    Raises:
        OSError: The file cannot be read.
        ValueError: Any other pipe or device.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast._internal.paths import read_whole
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "one.txt"
        ...     _ = path.write_text("a")
        ...     read_whole(path)
        b'a'

    """
    if not os.fspath(path).startswith(HANDED_OVER):
        refuse_pipes(path)
    return Path(path).read_bytes()


def each_line(path: str | os.PathLike[str], take: Callable[[int, bytes], None]) -> None:
    r"""Hand each line that is not blank to ``take``; whatever is wrong becomes an error that names file and line.

    Args:
        path: The file.
        take: Takes the number of the line, from 1, and its bytes.

    Raises:
        OSError: The file cannot be read.
        ValueError: That of ``take``, with file and line before it; a pipe or device, as for :func:`read_whole`.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast._internal.paths import each_line
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "two.txt"
        ...     _ = path.write_text("a\n\nb")
        ...     each_line(path, print)
        1 b'a'
        3 b'b'

    """
    for number, line in enumerate(read_whole(path).split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            take(number, line)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}, line {number}: {error}") from None
