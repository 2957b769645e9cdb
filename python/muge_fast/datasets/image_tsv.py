"""Image files: on each line an id, a tab, and an image in base64."""

from __future__ import annotations

import base64
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from muge_fast import _core
from muge_fast._internal.atomic import replacing
from muge_fast._internal.display import format_value
from muge_fast._internal.paths import file_type_problem, magic_bytes_problem
from muge_fast.datasets.decoding import BrokenImageError, decode
from muge_fast.datasets.problems import MESSAGES

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch.utils.data import Dataset

PathLike = str | os.PathLike[str]

SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}
# By the first bytes of a file.
KINDS = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png", b"GIF8": ".gif", b"RIFF": ".webp", b"BM": ".bmp"}

# Bytes of an id: it is looked for at the beginning of a line.
LONGEST_ID = 1023
# More than any file has.
MOST_LINES = 1 << 62

# What is wrong with a line, by the code that the core reports; the last one is found here.
PROBLEMS = {
    "no_tab": "has no tab after the id",
    "no_id": "has no id before the tab",
    "bad_id": "has an id that is not UTF-8",
    "no_image": "has no image after the tab",
    "second_image": "has an id that came before",
}


class BrokenLine(NamedTuple):
    """A line that holds no image of its own.

    Attributes:
        number: Its number, from 1.
        code: What is wrong with it: ``"no_tab"``, ``"no_id"``, ``"bad_id"``, ``"no_image"`` or ``"second_image"``.
        id: The id, where it came before.

    Example:
        >>> from muge_fast.datasets.image_tsv import BrokenLine
        >>> str(BrokenLine(3, "no_tab"))
        'line 3 has no tab after the id'

    """

    number: int
    code: str
    id: str | None = None

    def __str__(self) -> str:
        problem = PROBLEMS[self.code] if self.id is None else f"has the id {self.id!r} a second time"
        return f"line {self.number} {problem}"


class ImageTsv(Mapping[str, bytes]):
    """The images of a file by id, read one at a time when they are asked for.

    Opening it looks once at the whole file for the places of images and decodes none. Base64 may be of the standard or
    the URL-safe alphabet, with or without padding. Files are read, not mapped into memory, so a file that shrinks
    meanwhile is an error and not the end of the program. It may be shared with forked processes and pickled.

    Args:
        path: The file.
        broken: ``"refuse"``, or ``"skip"`` to leave out lines that have no id, tab or image.
        threads: Number of threads for opening; None for all cores.
        most_images: After so many lines with an image nothing more is read; None for the whole file.
        most_broken: The same of broken lines: each costs more memory than it has bytes.

    Raises:
        OSError: The file cannot be read.
        ValueError: A broken line, with its number; an id that comes twice; a file that is compressed, no regular one or
            begins with a byte order mark; another word for ``broken``, or less than one line.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.datasets import ImageTsv
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "images.tsv"
        ...     ImageTsv.write(path, {"42967": b"any bytes"})
        ...     images = ImageTsv(path)
        ...     list(images), images["42967"]
        (['42967'], b'any bytes')

    """

    def __init__(
        self,
        path: PathLike,
        *,
        broken: str = "refuse",
        threads: int | None = None,
        most_images: int | None = None,
        most_broken: int | None = None,
    ) -> None:
        if broken not in ("refuse", "skip"):
            raise ValueError(f'broken is "{broken}", needs refuse or skip')
        for name, most in (("most_images", most_images), ("most_broken", most_broken)):
            if most is not None and not 0 < most < MOST_LINES:
                raise ValueError(f"{name} is {most}, needs at least 1")
        self.path = Path(path).absolute()
        self._open()
        self._stamp = self._stamped()
        if code := magic_bytes_problem(self._read(4, 0)):
            raise ValueError(f"{self.path}: {MESSAGES[code][0]}")
        self._look(1 if broken == "refuse" else most_broken, most_images, threads)
        if self.broken and broken == "refuse":
            raise ValueError(f"{self.path}: {self.broken[0]}")

    def _look(self, most_broken: int | None, most_images: int | None, threads: int | None) -> None:
        """Find all lines."""
        ids, starts, lengths, lines, broken = _core.index_images(str(self.path), threads, most_images, most_broken)
        self.broken = [BrokenLine(line, code) for line, code in broken]
        self._starts, self._lengths, self._lines = starts, lengths, lines
        self._rows = dict(zip(ids, range(len(ids)), strict=True))
        if len(self._rows) < len(ids):
            self._keep_first(ids)

    def __getitem__(self, key: str) -> bytes:
        """The bytes of an image.

        Raises:
            KeyError: There is no such id.
            ValueError: The image is not base64.
            OSError: The file was changed.

        """
        row = self._rows[key]
        try:
            return _core.decode_base64(self.base64(key))
        except ValueError:
            raise ValueError(f"{self.path}: line {self._lines[row]}: image {key!r} is not base64") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __repr__(self) -> str:
        return f"<ImageTsv of {len(self):,} images in {self.path}>"

    @property
    def problems(self) -> list[str]:
        """What is wrong with each line that was left out."""
        return list(map(str, self.broken))

    def line(self, key: str) -> int:
        """Give the number of an image's line, from 1.

        Raises:
            KeyError: There is no such id.

        """
        return int(self._lines[self._rows[key]])

    def base64_size(self, key: str) -> int:
        """Give the length of the text of an image, in bytes.

        Raises:
            KeyError: There is no such id.

        """
        return int(self._lengths[self._rows[key]])

    def base64(self, key: str) -> bytes:
        """Give the text of an image as it is in the file.

        Raises:
            KeyError: There is no such id.
            OSError: The file was changed.

        """
        row = self._rows[key]
        start, length = int(self._starts[row]), int(self._lengths[row])
        parts = []
        while length:
            part = self._read(length, start)
            if not part:
                raise OSError(f"{self.path} was changed: it ends before image {key!r}")
            parts.append(part)
            start, length = start + len(part), length - len(part)
        return b"".join(parts)

    def image(self, key: str) -> Image:
        """Decode an image with Pillow, which the extra ``images`` installs.

        Returns:
            A Pillow image, loaded, in the mode that the file has.

        Raises:
            KeyError: There is no such id.
            ValueError: The image is broken, of a format that no benchmark has, or too large.
            ImportError: Pillow is not installed.

        """
        data = self[key]
        try:
            return decode(data)
        except ValueError as error:
            raise BrokenImageError(f"{self.path}: image {key!r} is broken: {error}") from error

    def torch_dataset(self, transform: Callable[[Image], Any] | None = None) -> Dataset[tuple[str, Any]]:
        """Give a torch Dataset of pairs: the id, and the image in RGB, put through ``transform``.

        Raises:
            ImportError: torch or Pillow is not installed.

        """
        from muge_fast.datasets.torch_dataset import ImageTsvDataset  # noqa: PLC0415 - only whoever has torch

        return ImageTsvDataset(self, transform)

    @staticmethod
    def write(path: PathLike, images: PathLike | Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> None:
        """Write such a file, whole or not at all.

        Args:
            path: The file.
            images: A folder whose images are named by their ids, or ids and the bytes of images.

        Raises:
            OSError: A file cannot be read or written.
            ValueError: An id that is empty or too long, comes twice, or has a tab or a line end; no images; an image
                without bytes.
            TypeError: An id that is no text.

        """
        if isinstance(images, (str, os.PathLike)):
            images = _of_folder(Path(images))
        elif isinstance(images, Mapping):
            images = images.items()
        seen: set[str] = set()
        with replacing(path) as file:
            for key, data in images:
                if not isinstance(key, str):
                    raise TypeError(f"image {format_value(key)}: ids are texts, found {type(key).__name__}")
                name = key.encode("utf-8")
                if not key or key != key.strip() or set("\t\r\n") & set(key) or key in seen or not data:
                    raise ValueError(
                        f"image {format_value(key)} has no bytes, or an id that is empty, repeated or has white space"
                    )
                if not seen and magic_bytes_problem(name):
                    raise ValueError(f"image {format_value(key)} has an id that no file may begin with")
                if len(name) > LONGEST_ID:
                    raise ValueError(f"image {format_value(key)} has an id of {len(name)} bytes, may have {LONGEST_ID}")
                seen.add(key)
                file.write(name + b"\t" + base64.urlsafe_b64encode(data) + b"\n")
            if not seen:
                raise ValueError("no images, needs at least one")

    def extract(self, folder: PathLike) -> None:
        """Write each image to a file of a folder, named by its id and what it is.

        Raises:
            OSError: A file cannot be read or written.
            ValueError: An id that is no plain name, or an image that is not base64.

        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for key in self:
            if key in (".", "..") or set("/\\\0:") & set(key):
                raise ValueError(f"{self.path}: id {key!r} cannot be the name of a file")
        for key, data in self.items():
            suffix = next((suffix for start, suffix in KINDS.items() if data.startswith(start)), ".bin")
            with replacing(folder / f"{key}{suffix}") as file:
                file.write(data)

    def _keep_first(self, ids: list[str]) -> None:
        self._rows = {}
        for row, key in enumerate(ids):
            if self._rows.setdefault(key, row) != row:
                self.broken.append(BrokenLine(int(self._lines[row]), "second_image", key))
        self.broken.sort()

    def _open(self) -> None:
        # A pipe that nobody writes to would be waited for.
        self._file = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
        self._close = weakref.finalize(self, os.close, self._file)
        if code := file_type_problem(os.fstat(self._file).st_mode):
            raise ValueError(f"{self.path}: {MESSAGES[code][0]}")

    def _stamped(self) -> tuple[int, int]:
        state = os.fstat(self._file)
        return state.st_size, state.st_mtime_ns

    def _read(self, length: int, start: int) -> bytes:
        if hasattr(os, "pread"):
            # It moves no position, so threads and forked processes do not disturb each other.
            return os.pread(self._file, length, start)
        with self.path.open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(length)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("_file", "_close")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()
        if self._stamped() != self._stamp:
            raise ValueError(f"{self.path} was changed since it was indexed")


def _of_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            yield path.stem, path.read_bytes()
