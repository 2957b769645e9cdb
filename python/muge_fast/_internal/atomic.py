"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Write a file beside the path, and move it there when all went well.

    A link stays a link, and the file that it leads to is replaced. A pipe or a device cannot be replaced: it is
    written to.

    Args:
        path: Where the file shall be; one that is there stays as it is until then.

    Yields:
        The file, open for writing bytes.

    Raises:
        OSError: The path is a folder, or its folder cannot be written to.

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
    if _stays(path):
        with path.open("wb") as file:
            yield file
        return
    path = Path(os.path.realpath(path))
    # The name of the file may be as long as a name can be, and leave no room for more.
    temporary = path.with_name(f".muge_fast.{os.urandom(8).hex()}")
    with _made(temporary, path) as file:
        try:
            yield file
            file.close()
            temporary.replace(path)
        except BaseException:
            try:
                # On a full disk, what was not written yet fails again; what failed first is what is told.
                with suppress(OSError):
                    file.close()
            finally:
                temporary.unlink(missing_ok=True)
            raise


def _made(temporary: Path, path: Path) -> IO[bytes]:
    """Make it as any new file is, so it gets the permissions of one; a failure tells of the path that was asked for."""
    try:
        return temporary.open("xb")
    except OSError as error:
        error.filename = str(path)
        raise


def _stays(path: Path) -> bool:
    """Whether something is there that a file must not take the place of; opening a folder tells that it is one."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False
