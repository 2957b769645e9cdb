"""Reading files named by a caller, except pipes and devices, which may block forever."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import IO

from muge_fast._internal.display import format_id

PathLike = str | os.PathLike[str]

# Bytes that are hashed at a time.
BLOCK = 1 << 20

# Names of streams that are already open. Other names, and those that only begin like these, are names of files.
STREAM_NAME = re.compile(r"/dev/stdin|(?:/dev|/proc/self)/fd/[0-9]+")

# Added to messages about a last line without a line end.
CUT_OFF_HINT = "; the file ends in this line, it may be cut off"

# Opening a pipe without O_NONBLOCK waits for a writer; a terminal must not become that of the process.
OPEN_FLAGS = sum(getattr(os, name, 0) for name in ("O_RDONLY", "O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"))


class FileTypeError(ValueError):
    """A path that is a directory, a pipe or a device.

    Attributes:
        code: ``"directory"`` or ``"not_regular"``.

    """

    def __init__(self, path: PathLike, code: str) -> None:
        what = "a directory, expected a file" if code == "directory" else "not a regular file"
        super().__init__(f"{os.fspath(path)}: {what}")
        self.code = code


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


def is_open_stream(path: PathLike) -> bool:
    """Return whether a path is a name of a stream that is open already, such as ``/dev/stdin`` or ``/dev/fd/3``.

    Args:
        path: The path.

    Returns:
        True for such a path, whatever the stream is.

    Example:
        >>> from muge_fast._internal.paths import is_open_stream
        >>> is_open_stream("/dev/stdin"), is_open_stream("pred.jsonl"), is_open_stream("/dev/fd/../zero")
        (True, False, False)

    """
    return STREAM_NAME.fullmatch(os.fspath(path)) is not None


def open_file(path: PathLike, *, streams: bool = False) -> IO[bytes]:
    """Open a regular file for reading, without waiting for a pipe or reading from a device.

    What was opened decides, not its name and not what was there before.

    Args:
        path: The file.
        streams: Whether a path such as ``/dev/stdin`` or ``/dev/fd/3`` may be a pipe, a socket or a terminal.

    Returns:
        The file.

    Raises:
        OSError: The file does not exist or cannot be opened.
        FileTypeError: The path is a directory, a pipe or a device.

    Example:
        >>> from muge_fast._internal.paths import open_file
        >>> open_file("/dev/null")
        Traceback (most recent call last):
        ...
        muge_fast._internal.paths.FileTypeError: /dev/null: not a regular file

    """
    is_stream = streams and is_open_stream(path)
    # Opening some devices does something, such as rewinding a tape.
    code = file_type_problem(Path(path).stat().st_mode)
    if code is not None and not is_stream:
        raise FileTypeError(path, code)
    descriptor = os.open(path, OPEN_FLAGS)
    try:
        code = file_type_problem(os.fstat(descriptor).st_mode)
        if code is not None and not (is_stream and _is_readable_stream(descriptor)):
            raise FileTypeError(path, code)
        if code is not None:
            os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def open_named(path: PathLike, *, streams: bool = False) -> IO[bytes]:
    """Open a file like :func:`open_file`, for a caller who has named it: a directory is an ``OSError`` like any other.

    Args:
        path: The file.
        streams: Whether a path such as ``/dev/stdin`` or ``/dev/fd/3`` may be a pipe, a socket or a terminal.

    Returns:
        The file.

    Raises:
        IsADirectoryError: The path is a directory; the message names a file in it if there is only one.
        OSError: The file does not exist or cannot be opened.
        FileTypeError: The path is a pipe or a device.

    Example:
        >>> from muge_fast._internal.paths import open_named
        >>> open_named("/dev/null")
        Traceback (most recent call last):
        ...
        muge_fast._internal.paths.FileTypeError: /dev/null: not a regular file

    """
    try:
        return open_file(path, streams=streams)
    except FileTypeError as error:
        if error.code == "directory":
            check_file(path, "file")
        raise


def is_regular(file: IO[bytes]) -> bool:
    """Return whether an open file is a regular one, which has a size.

    Args:
        file: The file.

    Returns:
        False for a stream.

    """
    return stat.S_ISREG(os.fstat(file.fileno()).st_mode)


def _is_readable_stream(descriptor: int) -> bool:
    """Return whether an open file is a pipe, a socket, a terminal or the null device: anything that can end."""
    status = os.fstat(descriptor)
    if stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode) or os.isatty(descriptor):
        return True
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == Path(os.devnull).stat().st_rdev


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
    with open_named(path, streams=True) as file:
        # What is appended meanwhile is not read.
        return file.read(os.fstat(file.fileno()).st_size if is_regular(file) else -1)


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
    try:
        with open_file(path) as file:
            return file.read(size)
    except FileTypeError:
        return b""


def file_sha256(file: IO[bytes]) -> str:
    """Return the SHA-256 of an open file, from its position to its end, in constant memory.

    Args:
        file: The file, open for reading bytes.

    Returns:
        64 hexadecimal digits.

    Raises:
        OSError: The file cannot be read.

    Example:
        >>> import io
        >>> from muge_fast._internal.paths import file_sha256
        >>> file_sha256(io.BytesIO(b""))[:8]
        'e3b0c442'

    """
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


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
            hint = CUT_OFF_HINT if isinstance(error, IncompleteLineError) else ""
            raise ValueError(f"{name}, line {number}: {error}{hint}") from None


def _ends_in_character(line: bytes) -> bool:
    """Return whether a line is UTF-8 up to an incomplete character at its end."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return False
