"""Where the pictures of a page come from: a mapping, an image TSV, a folder or a zip archive."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, TypeAlias

from muge_fast._internal.display import format_argument, format_path
from muge_fast._internal.paths import PathLike
from muge_fast.datasets.image_files import IMAGE_SUFFIXES, find_image_files
from muge_fast.datasets.image_tsv import ImageTsv
from muge_fast.image.sources import open_archive

PictureSource: TypeAlias = "Mapping[Any, bytes] | PathLike"
"""Bytes of image files by id; or an image TSV, a folder or a ``.zip`` of image files that are named by their ids."""


def open_pictures(source: PictureSource | None) -> Mapping[Any, bytes]:
    """Open images by id; none of them is read before it is shown.

    Args:
        source: Bytes of image files by id, such as an :class:`muge_fast.datasets.ImageTsv`; the path of an image TSV;
            or the path of a folder or a zip archive, whose image files, at any depth, have ids as names, apart from
            their suffixes. None for no images.

    Returns:
        Bytes of image files by id.

    Raises:
        TypeError: ``source`` is neither a mapping nor a path.
        OSError: The path cannot be read.
        ValueError: There are no images, two have the same name, a line of a TSV is broken, or the path is that of one
            image.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.evaluation.report_page.picture_files import open_pictures
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (pathlib.Path(folder) / "42967.jpg").write_bytes(b"image")
        ...     dict(open_pictures(folder))
        {'42967': b'image'}

    """
    if source is None:
        return {}
    if isinstance(source, Mapping):
        return source
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(
            f"images must be a mapping of ids to bytes, or the path of an image TSV, a folder or a zip archive, "
            f"got {format_argument(source)}"
        )
    path = Path(source)
    if path.is_dir():
        return _Folder(path)
    if path.suffix.lower() == ".zip":
        return _Archive(path)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        raise ValueError(f"{format_path(path)}: one image, expected an image TSV, a folder or a zip archive")
    return ImageTsv(path)


class _Folder(Mapping[str, bytes]):
    """Image files of a folder by their names without suffix."""

    def __init__(self, path: Path) -> None:
        self._files: dict[str, Path] = _by_id(path, {file.relative_to(path): file for file in find_image_files(path)})

    def __getitem__(self, key: str) -> bytes:
        return self._files[key].read_bytes()

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


class _Archive(Mapping[str, bytes]):
    """Image files of a zip archive by their names without suffix."""

    def __init__(self, path: Path) -> None:
        self._archive, members = open_archive(path)
        self._members = _by_id(path, members)

    def __getitem__(self, key: str) -> bytes:
        member = self._members[key]
        try:
            return self._archive.read(member)
        except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise ValueError(str(error)) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def _by_id(source: Path, files: Mapping[PurePath, Any]) -> dict[str, Any]:
    """Return what stands for each file by its name without suffix, of which there must be one."""
    names: dict[str, PurePath] = {}
    for name in files:
        if names.setdefault(name.stem, name) != name:
            both = " and ".join(format_path(path) for path in (names[name.stem], name))
            raise ValueError(f"{format_path(source)}: {both} have the same id, {format_argument(name.stem)}")
    return {key: files[name] for key, name in names.items()}
