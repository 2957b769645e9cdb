"""Writing files so that they appear complete or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Write a temporary file next to a path, and move it there if the block succeeds.

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
        with path.open("wb") as file:
            yield file
        return
    path = Path(os.path.realpath(path))
    # Not derived from the file's name, which may already have the maximum length.
    temporary = path.with_name(f".muge_fast.{os.urandom(8).hex()}")
    with _create(temporary, path) as file:
        try:
            yield file
            file.close()
            temporary.replace(path)
        except BaseException:
            try:
                # On a full disk, flushing the rest fails again; the first error is the one to report.
                with suppress(OSError):
                    file.close()
            finally:
                temporary.unlink(missing_ok=True)
            raise


def _create(temporary: Path, path: Path) -> IO[bytes]:
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
