"""Image files of a folder or an archive: one rule of what an image file is, for all that read or write images."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from muge_fast._internal.caller_warnings import warn_caller
from muge_fast._internal.display import format_id
from muge_fast._internal.paths import PathLike

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"},
)
# Image files of formats that are not decoded. They are left out with a warning, other files without one.
OTHER_IMAGE_SUFFIXES = frozenset(
    {
        *(".apng", ".arw", ".avif", ".cr2", ".dds", ".dib", ".dng", ".eps", ".exr", ".hdr", ".heic", ".heif", ".ico"),
        *(".j2k", ".jp2", ".jpx", ".jxl", ".nef", ".pbm", ".pcx", ".pgm", ".pjpeg", ".pnm", ".ppm", ".psd", ".qoi"),
        *(".raw", ".svg", ".tga"),
    }
)
# Folder of metadata in archives made by macOS; its metadata files elsewhere begin with ``._``.
METADATA_FOLDER, METADATA_PREFIX = "__MACOSX", "._"
# Kinds of entries that an error lists before it counts the rest.
LISTED_KINDS = 5


@dataclass
class FoundFiles:
    """The files of a folder or an archive, by what is done with them.

    Attributes:
        images: Paths of the image files.
        left_out: Number of entries that may have images but are not read, by kind, such as ``".heic"``.
        others: Number of other files, by suffix.

    Example:
        >>> from pathlib import PurePosixPath
        >>> from muge_fast.datasets.image_files import FoundFiles
        >>> found = FoundFiles()
        >>> for name in ("a.jpg", "b/c.JFIF", "d.heic", "._a.jpg", ".cache/a.jpg", "ids.txt"):
        ...     found.add(PurePosixPath(name))
        >>> [str(path) for path in found.images], dict(found.left_out), dict(found.others)
        (['a.jpg', 'b/c.JFIF'], {'.heic': 1, 'hidden': 1}, {'.txt': 1})

    """

    images: list[PurePath] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)

    def add(self, path: PurePath) -> None:
        """Add a file.

        Args:
            path: Its path, relative to the folder or the archive.

        """
        suffix = path.suffix.lower()
        if METADATA_FOLDER in path.parts or path.name.startswith(METADATA_PREFIX):
            return
        is_image = suffix in IMAGE_SUFFIXES
        if any(part.startswith(".") for part in path.parts):
            # Copies of programs, such as checkpoints of notebooks, would count an image twice.
            (self.left_out if is_image else self.others)["hidden"] += 1
        elif is_image:
            self.images.append(path)
        else:
            (self.left_out if suffix in OTHER_IMAGE_SUFFIXES else self.others)[suffix or "without suffix"] += 1

    def sorted_images(self, source: PathLike) -> list[PurePath]:
        """Return the image files in the order of their paths, folder by folder, and warn about those left out.

        Args:
            source: The folder or the archive, for messages.

        Returns:
            Relative paths, at least one.

        Raises:
            ValueError: There are no image files; the message counts what is there.

        """
        formats = f"image files are {', '.join(sorted(IMAGE_SUFFIXES))}"
        if not self.images:
            there = _listed(self.left_out + self.others) or "it is empty"
            raise ValueError(f"{os.fspath(source)}: no images: {there}; {formats}")
        if self.left_out:
            count = self.left_out.total()
            entries = "entry is" if count == 1 else "entries are"
            warn_caller(f"{os.fspath(source)}: {count} {entries} left out, {_listed(self.left_out)}; {formats}")
        return sorted(self.images, key=lambda path: path.parts)


def find_image_files(folder: PathLike) -> list[Path]:
    """Return the image files of a folder, at any depth, in the order of their paths.

    An image file is a file with one of :data:`IMAGE_SUFFIXES`, in upper or lower case. Hidden files and folders, whose
    names begin with a dot, and the metadata files of macOS are left out. A link to a file counts as a file, so that two
    links to one file are two images. Links to folders are not followed.

    Args:
        folder: The folder.

    Returns:
        Paths that begin with ``folder``.

    Raises:
        OSError: A folder cannot be read, or a link to an image leads nowhere.
        ValueError: There are no image files.

    Warns:
        UserWarning: Image files of other formats, hidden ones, or links to folders were left out; the message counts
            them.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.datasets.image_files import find_image_files
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("b.jfif", "a.PNG", "notes.txt"):
        ...         (pathlib.Path(folder) / name).touch()
        ...     [path.name for path in find_image_files(folder)]
        ['a.PNG', 'b.jfif']

    """
    root, found = Path(folder), FoundFiles()
    # os.walk calls itself for each folder within a folder before Python 3.12, and a path may be a thousand deep.
    remaining = [root]
    while remaining:
        parent = remaining.pop()
        inside = parent.relative_to(root)
        with os.scandir(parent) as entries:
            for entry in entries:
                if not _is_folder(entry):
                    found.add(inside / entry.name)
                elif entry.is_symlink():
                    found.left_out["linked folder"] += 1
                else:
                    remaining.append(parent / entry.name)
    for path in found.images:
        if not (root / path).is_file():
            raise FileNotFoundError(f"{root / path}: a link to a file that is not there, or not a regular file")
    return [root / path for path in found.sorted_images(folder)]


def find_image_names(archive: PathLike, names: Iterable[PurePath]) -> list[PurePath]:
    """Return the names of the image files in an archive, by the rule of :func:`find_image_files`.

    Args:
        archive: Path of the archive, for messages.
        names: Names of all its files.

    Returns:
        Names, in the order of paths.

    Raises:
        ValueError: There are no image files.

    Warns:
        UserWarning: Image files of other formats or hidden ones were left out; the message counts them.

    Example:
        >>> from pathlib import PurePosixPath
        >>> from muge_fast.datasets.image_files import find_image_names
        >>> names = map(PurePosixPath, ["b/2.png", "a.jpg", "__MACOSX/._a.jpg"])
        >>> [str(name) for name in find_image_names("images.zip", names)]
        ['a.jpg', 'b/2.png']

    """
    found = FoundFiles()
    for name in names:
        found.add(name)
    return found.sorted_images(archive)


def _listed(counts: Counter[str]) -> str:
    kinds = counts.most_common()
    plural = {"linked folder": "linked folders"}
    listed = ", ".join(
        f"{count} {format_id(kind if count == 1 else plural.get(kind, kind))}" for kind, count in kinds[:LISTED_KINDS]
    )
    more = sum(count for _, count in kinds[LISTED_KINDS:])
    return f"{listed} and {more} more" if more else listed


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder or a link to one; not for a link to itself."""
    try:
        return entry.is_dir()
    except OSError:
        return False
