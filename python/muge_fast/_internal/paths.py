"""Reading files named by a caller, except pipes and devices, which may block forever."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

PathLike = str | os.PathLike[str]

# First bytes of files that are not plain UTF-8, with the code of the problem.
MAGIC_BYTES = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"\xff\xfe": "utf16",
    b"\xfe\xff": "utf16",
    b"\xef\xbb\xbf": "bom",
}

# Streams that are already open, so opening them does not block.
OPEN_STREAMS = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")


def file_type_problem(mode: int) -> str | None:
    """Return the problem code for anything but a regular file, or None.

    Reading from a pipe or a device may block forever.

    Args:
        mode: File mode, ``os.stat(path).st_mode``.

    Returns:
        ``"directory"``, ``"not_regular"``, or None for a regular file.

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
    r"""Return the problem code of a file that is compressed or not plain UTF-8 by its first bytes, or None.

    Args:
        head: The first bytes of the file, at least four if it has them.

    Returns:
        ``"gzip"``, ``"zip"``, ``"utf16"``, ``"bom"``, or None.

    Example:
        >>> from muge_fast._internal.paths import magic_bytes_problem
        >>> magic_bytes_problem(b"\x1f\x8b\x08"), magic_bytes_problem(b"{}")
        ('gzip', None)

    """
    return next((code for start, code in MAGIC_BYTES.items() if head.startswith(start)), None)


def refuse_pipes(path: PathLike) -> None:
    """Raise if a path is a pipe or a device, before opening it, which may block forever.

    Args:
        path: The path. A directory is accepted: opening it raises the right error.

    Raises:
        OSError: The path does not exist or cannot be accessed.
        ValueError: The path is neither a regular file nor a directory.

    Example:
        >>> from muge_fast._internal.paths import refuse_pipes
        >>> refuse_pipes("/dev/null")
        Traceback (most recent call last):
        ValueError: /dev/null: not a regular file

    """
    if file_type_problem(Path(path).stat().st_mode) == "not_regular":
        raise ValueError(f"{os.fspath(path)}: not a regular file")


def refuse_replacing(name: str, output: PathLike, inputs: Mapping[str, PathLike]) -> None:
    """Raise if a file that is to be written is one of those that are read, also under another name or over links.

    Args:
        name: Name of the argument with the file to be written, for the error.
        output: The file, which may not exist.
        inputs: The files that are read, by the names of their arguments.

    Raises:
        ValueError: The file is one of the others.

    Example:
        >>> from muge_fast._internal.paths import refuse_replacing
        >>> refuse_replacing("--output", ".", {"--text-feats": "./"})
        Traceback (most recent call last):
        ...
        ValueError: --output . is the file of --text-feats, which would be replaced

    """
    for other, path in inputs.items():
        try:
            is_same = Path(output).samefile(path)
        except OSError:
            # One of them does not exist, which is another error if it is the input.
            is_same = os.path.realpath(output) == os.path.realpath(path)
        if is_same:
            raise ValueError(f"{name} {os.fspath(output)} is the file of {other}, which would be replaced")


def read_whole(path: PathLike) -> bytes:
    r"""Return the content of a file, or of an open stream named like ``/dev/stdin`` or ``/dev/fd/3``.

    Args:
        path: The file.

    Returns:
        All bytes.

    Raises:
        OSError: The file cannot be read.
        ValueError: The path is another pipe or device.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast._internal.paths import read_whole
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "one.txt"
        ...     _ = path.write_text("a")
        ...     read_whole(path)
        b'a'

    """
    if not os.fspath(path).startswith(OPEN_STREAMS):
        refuse_pipes(path)
    return Path(path).read_bytes()


def each_line(path: PathLike, take: Callable[[int, bytes], None]) -> None:
    r"""Call ``take`` for each line that is not blank, and add file and line to any ValueError it raises.

    Args:
        path: The file, or an open stream as for :func:`read_whole`.
        take: Function of the line number, from 1, and the bytes of the line without its line feed.

    Raises:
        OSError: The file cannot be read.
        ValueError: ``take`` raised one; the message begins with file and line. Or the path is another pipe or device.

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
