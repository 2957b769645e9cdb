"""Writing files so that they appear complete or not at all."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from muge_fast._internal.display import escape_surrogates

# Folder with the open files of the process, through which Linux gives a name to a file without one.
OPEN_FILES = "/proc/self/fd"

# Paths of temporary files and folders, from before they are made until they are gone.
_temporary: set[Path] = set()


@contextmanager
def temporary_path(path: Path) -> Iterator[Path]:
    """Remove a file or a folder in the end, if it is still there.

    A signal may interrupt the removal, or come between two calls that no ``finally`` covers. A command that a signal
    ends therefore calls :func:`remove_temporary`.

    Args:
        path: The path of a file or folder that is made within the block.

    Yields:
        The path.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast._internal.atomic import temporary_path
        >>> with temporary_path(pathlib.Path(tempfile.gettempdir()) / "muge_fast.example") as path:
        ...     _ = path.write_text("x")
        >>> path.exists()
        False

    """
    _temporary.add(path)
    try:
        yield path
    finally:
        _remove(path)


def remove_temporary() -> None:
    """Remove all temporary files and folders that are left."""
    for path in list(_temporary):
        _remove(path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)
    _temporary.discard(path)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Write a temporary file in the folder of a path, and move it there if the block succeeds.

    On Linux the temporary file has no name until it is complete, so that nothing is left of it if the process is
    killed, unless the file system cannot do that. Elsewhere it is named ``.muge_fast.`` and 16 digits. It is removed
    when the block raises, but a process that a signal ends raises nothing: a program that wants such files removed must
    turn the signal into an exception, as the command ``muge-fast`` does.

    A symbolic link is kept, and the file it points to is replaced. A pipe or a device cannot be replaced and is written
    to directly.

    Args:
        path: Path of the file. An existing file stays unchanged until the block succeeds.

    Yields:
        The temporary file, open for writing bytes.

    Raises:
        OSError: The path is a directory, or its directory cannot be written to.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast._internal.atomic import replacing
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "result.txt"
        ...     with replacing(path) as file:
        ...         _ = file.write(b"whole")
        ...     path.read_text()
        'whole'

    """
    path = Path(path)
    if _is_irreplaceable(path):
        with path.open("wb") as target:
            yield target
        return
    path = Path(os.path.realpath(path))
    # Not derived from the file's name, which may already have the maximum length.
    temporary = path.with_name(f".muge_fast.{os.urandom(8).hex()}")
    with temporary_path(temporary):
        with ExitStack() as stack:
            file: IO[bytes]
            nameless = _open_nameless(path.parent)
            if nameless is None:
                file = stack.enter_context(_open_named(temporary, path))
            else:
                stack.callback(os.close, nameless)
                # What is written stays even if the block closes the file.
                file = open(nameless, "wb", closefd=False)  # noqa: SIM115 - a number; it is closed below
            try:
                yield file
                file.close()
                if nameless is not None:
                    _name(nameless, temporary, path)
            except BaseException:
                # On a full disk, flushing the rest fails again; the first error is the one to report.
                with suppress(OSError):
                    file.close()
                raise
        temporary.replace(path)


def save_text(text: str, path: str | os.PathLike[str] | None) -> str:
    """Write a text to a file in UTF-8, complete or not at all, and return it.

    Args:
        text: The text; halves of surrogate pairs are written as escapes.
        path: Path of the file; None to write nothing.

    Returns:
        The text.

    Raises:
        OSError: The file cannot be written.

    """
    if path is not None:
        with replacing(path) as file:
            file.write(escape_surrogates(text).encode("utf-8"))
    return text


def _open_nameless(folder: Path) -> int | None:
    """Create a file without a name; return None if the system or the file system has no such files."""
    if not hasattr(os, "O_TMPFILE") or not Path(OPEN_FILES).is_dir():
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except OSError:
        # Where the folder is missing or cannot be written to, creating a file with a name has the right error.
        return None


def _name(nameless: int, temporary: Path, path: Path) -> None:
    """Link a file without a name to the temporary one."""
    try:
        # With a folder, the link in /proc is followed; without one, os.link() would link to it.
        folder = os.open(OPEN_FILES, os.O_RDONLY)
        try:
            os.link(str(nameless), temporary, src_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)
    except OSError:
        # Some containers forbid it.
        os.lseek(nameless, 0, os.SEEK_SET)
        with open(nameless, "rb", closefd=False) as source, _open_named(temporary, path) as copy:
            shutil.copyfileobj(source, copy)


def _open_named(temporary: Path, path: Path) -> IO[bytes]:
    """Create the temporary file with the default permissions; errors name the requested path."""
    try:
        return temporary.open("xb")
    except OSError as error:
        error.filename = str(path)
        raise


def _is_irreplaceable(path: Path) -> bool:
    """Return whether the path exists and is not a regular file. Opening a directory then raises the right error."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False
