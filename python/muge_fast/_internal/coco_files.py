"""Files of the package pycocoevalcap, whose data this package reads and does not contain."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path

from muge_fast._internal.display import format_path
from muge_fast._internal.zip_files import open_zip

PACKAGE = "pycocoevalcap"
INSTALL = "muge-fast[coco]"

MAX_ENTRIES = 20_000


def coco_file(name: str, *, purpose: str) -> Path:
    """Find a file of the installed package pycocoevalcap, without importing it.

    Args:
        name: Path within the package, such as ``"meteor/meteor-1.5.jar"``.
        purpose: What needs it, for the error, such as ``"METEOR"``.

    Returns:
        The path of the file.

    Raises:
        ImportError: The package is not installed, or lacks the file.

    Example:
        >>> from muge_fast._internal.coco_files import coco_file
        >>> coco_file("no/such.jar", purpose="METEOR")
        Traceback (most recent call last):
        ImportError: pycocoevalcap is required for METEOR: pip install 'muge-fast[coco]'

    """
    # Modules that stand for the package in sys.modules have no files.
    spec = PathFinder.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations if spec is not None else None) or ():
        path = Path(folder) / name
        if path.is_file():
            return path
    raise ImportError(f"{PACKAGE} is required for {purpose}: pip install '{INSTALL}'")


def jar_entries(path: Path, names: Iterable[str]) -> list[bytes]:
    """Read entries of a Java archive, which is a zip archive.

    Args:
        path: Path of the archive.
        names: Names of the entries.

    Returns:
        Their contents, which have the checksums of the archive.

    Raises:
        OSError: The archive cannot be read, is damaged, or lacks an entry.

    Example:
        >>> import pathlib, tempfile, zipfile
        >>> from muge_fast._internal.coco_files import jar_entries
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "a.jar"
        ...     with zipfile.ZipFile(path, "w") as archive:
        ...         archive.writestr("words", b"the")
        ...     jar_entries(path, ["words"])
        [b'the']

    """
    with _opened(path) as archive:
        return [archive.read(name) for name in names]


def jar_checksums(path: Path, names: Iterable[str]) -> list[tuple[int, int]]:
    """Return the sizes and the CRC-32 of entries of a Java archive, without reading the entries.

    Args:
        path: Path of the archive.
        names: Names of the entries.

    Returns:
        The size and the checksum of each.

    Raises:
        OSError: The archive cannot be read, is damaged, or lacks an entry.

    Example:
        >>> import pathlib, tempfile, zipfile
        >>> from muge_fast._internal.coco_files import jar_checksums
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "a.jar"
        ...     with zipfile.ZipFile(path, "w") as archive:
        ...         archive.writestr("words", b"the")
        ...     jar_checksums(path, ["words"])
        [(3, 1011183078)]

    """
    with _opened(path) as archive:
        return [(entry.file_size, entry.CRC) for entry in map(archive.getinfo, names)]


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive; what is wrong with it in the block is an error that says how to repair it."""
    with path.open("rb") as file:
        try:
            yield open_zip(file, MAX_ENTRIES)
        except (KeyError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
            raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> OSError:
    """Return the error for a file of the package that is not as it was published.

    Args:
        path: Path of the file.
        error: Why it cannot be read.

    Returns:
        The error, which says how to install the package again.

    """
    return OSError(f"{format_path(path)} is damaged ({error}): pip install --force-reinstall --no-deps {PACKAGE}==1.2")
