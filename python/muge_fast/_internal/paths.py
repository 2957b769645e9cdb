"""Reading files named by a caller, except pipes and devices, which may block forever."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from muge_fast._internal.display import format_id

PathLike = str | os.PathLike[str]

# First bytes of files that are not plain UTF-8, with the code of the problem.
MAGIC_BYTES = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"\xff\xfe\x00\x00": "utf32",
    b"\x00\x00\xfe\xff": "utf32",
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
        ``"gzip"``, ``"zip"``, ``"utf16"``, ``"utf32"``, ``"bom"``, or None.

    Example:
        >>> from muge_fast._internal.paths import magic_bytes_problem
        >>> magic_bytes_problem(b"\x1f\x8b\x08"), magic_bytes_problem(b"{}")
        ('gzip', None)

    """
    return next((code for start, code in MAGIC_BYTES.items() if head.startswith(start)), None)


def is_open_stream(path: PathLike) -> bool:
    """Return whether a path names a stream that is open already, such as ``/dev/stdin`` or ``/dev/fd/3``.

    Args:
        path: The path.

    Returns:
        True for such a path.

    Example:
        >>> from muge_fast._internal.paths import is_open_stream
        >>> is_open_stream("/dev/stdin"), is_open_stream("pred.jsonl")
        (True, False)

    """
    return os.fspath(path).startswith(OPEN_STREAMS)


def check_file(path: PathLike, name: str) -> None:
    """Raise if a path is missing or a directory, with its purpose in the message, before anything is computed.

    Args:
        path: The path.
        name: Purpose of the file, such as ``"gold file"``.

    Raises:
        FileNotFoundError: The path does not exist.
        IsADirectoryError: The path is a directory; the message names a file in it if there is only one.
        OSError: The path cannot be accessed.

    Example:
        >>> from muge_fast._internal.paths import check_file
        >>> check_file("nope.jsonl", "gold file")
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] the gold file does not exist: 'nope.jsonl'

    """
    path = os.fspath(path)
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, f"the {name} does not exist", path) from None
    except NotADirectoryError:
        raise NotADirectoryError(errno.ENOTDIR, f"the path of the {name} goes through a file", path) from None
    except PermissionError:
        raise PermissionError(errno.EACCES, f"the {name} cannot be accessed", path) from None
    if stat.S_ISDIR(mode):
        hint = f"the {name} is a directory, name a file{_only_file(Path(path))}"
        raise IsADirectoryError(errno.EISDIR, hint, path)


def _only_file(folder: Path) -> str:
    """Return the name of the only file in a directory for a message; nothing if there are more."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in islice((entry for entry in entries if entry.is_file()), 2)]
    except OSError:
        return ""
    return f" in it, such as {format_id(names[0])}" if len(names) == 1 else " in it"


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


def open_file(path: PathLike) -> BinaryIO:
    """Open a regular file for reading, without waiting where another thing has taken its name.

    Args:
        path: The path.

    Returns:
        The open file.

    Raises:
        OSError: The path does not exist, cannot be read, or is a directory.
        ValueError: The path is a pipe or a device.

    Example:
        >>> from muge_fast._internal.paths import open_file
        >>> open_file("/dev/null")
        Traceback (most recent call last):
        ValueError: /dev/null: not a regular file

    """

    def open_at_once(name: str, flags: int) -> int:
        # Without O_NONBLOCK, opening a pipe waits for a writer. Regular files do not change by it.
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))

    file = open(path, "rb", opener=open_at_once)  # noqa: SIM115 - the caller closes it; pathlib has no opener
    if file_type_problem(os.fstat(file.fileno()).st_mode) is not None:
        file.close()
        raise ValueError(f"{os.fspath(path)}: not a regular file")
    return file


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
    if (other := replaced_input(output, inputs)) is not None:
        raise ValueError(f"{name} {os.fspath(output)} is the file of {other}, which would be replaced")


def replaced_input(output: PathLike, inputs: Mapping[str, PathLike]) -> str | None:
    """Return the name of the argument whose file would be replaced by an output, or None.

    Args:
        output: The file that is to be written, which may not exist.
        inputs: The files that are read, by the names of their arguments.

    Returns:
        The name of the first such argument.

    Example:
        >>> from muge_fast._internal.paths import replaced_input
        >>> replaced_input(".", {"--image-feats": "no such file", "--text-feats": "./"})
        '--text-feats'

    """
    for other, path in inputs.items():
        try:
            is_same = Path(output).samefile(path)
        except OSError:
            # One of them does not exist, which is another error if it is the input.
            is_same = os.path.realpath(output) == os.path.realpath(path)
        if is_same:
            return other
    return None


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
    if not is_open_stream(path):
        refuse_pipes(path)
        if Path(path).is_dir():
            check_file(path, "file")
    return Path(path).read_bytes()


def read_head(path: PathLike, size: int) -> bytes:
    r"""Return the first bytes of a regular file; nothing of a pipe or a device.

    Args:
        path: The file.
        size: Maximum number of bytes.

    Returns:
        The bytes.

    Raises:
        OSError: The file cannot be read.

    Example:
        >>> from muge_fast._internal.paths import read_head
        >>> read_head("/dev/null", 4)
        b''

    """
    if file_type_problem(Path(path).stat().st_mode) is not None:
        return b""
    with Path(path).open("rb") as file:
        return file.read(size)


class IncompleteLineError(ValueError):
    """An error of a line that lacks its last part."""


def each_line(data: bytes, path: PathLike, take: Callable[[int, bytes], None]) -> None:
    r"""Call ``take`` for each line that is not blank, and add file and line to any ValueError it raises.

    Args:
        data: Content of the file.
        path: The file, for messages.
        take: Function of the line number, from 1, and the bytes of the line without its line feed.

    Raises:
        ValueError: ``take`` raised one; the message begins with file and line. If the line is the last one and has no
            end, the message says that the file may be cut off there if ``take`` raised an :class:`IncompleteLineError`,
            and that it is if a character is incomplete.

    Example:
        >>> from muge_fast._internal.paths import each_line
        >>> each_line(b"a\n\nb", "two.txt", print)
        1 b'a'
        3 b'b'

    """
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            take(number, line)
        except ValueError as error:
            name = os.fspath(path)
            if number < len(lines):
                raise ValueError(f"{name}, line {number}: {error}") from None
            if _ends_in_character(line):
                raise ValueError(f"{name}: the file ends in the middle of line {number}: it was cut off") from None
            hint = "; the file ends in this line, it may be cut off" if isinstance(error, IncompleteLineError) else ""
            raise ValueError(f"{name}, line {number}: {error}{hint}") from None


def _ends_in_character(line: bytes) -> bool:
    """Return whether a line is UTF-8 up to an incomplete character at its end."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return False
