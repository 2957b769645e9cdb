"""Image files of the benchmark: on each line an id, a tab, and an image in base64."""

from __future__ import annotations

import base64
import os
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from muge_fast import _core
from muge_fast._internal.atomic import replacing
from muge_fast._internal.checks import check_choice, whole_number
from muge_fast._internal.display import format_argument, format_value, quantity
from muge_fast._internal.file_kinds import MAGIC_LENGTH, magic_kind
from muge_fast._internal.paths import CUT_OFF_HINT, PathLike, file_type_problem
from muge_fast.datasets.decoding import BrokenImageError, decode
from muge_fast.datasets.image_files import find_image_files
from muge_fast.datasets.problems import MESSAGES

if TYPE_CHECKING:
    from PIL.Image import Image

# Suffix by the first bytes of a file.
SUFFIX_OF_MAGIC_BYTES = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png", b"GIF8": ".gif", b"RIFF": ".webp", b"BM": ".bmp"}

# Longest id: the reader looks for it at the beginning of a line.
MAX_ID_BYTES = 1023
# Largest limit on a number of lines.
MAX_LINES = (1 << 62) - 1

# Messages by the code of :class:`BrokenLine`.
PROBLEMS = {
    "no_tab": "has no tab after the id",
    "no_id": "has no id before the tab",
    "bad_id": "has an id that is not UTF-8",
    "no_image": "has no image after the tab",
    "second_image": "has an id that occurred before",
}


class ChangedFileError(OSError):
    """A file that was written while it was in use.

    Example:
        >>> from muge_fast.datasets.image_tsv import ChangedFileError
        >>> issubclass(ChangedFileError, OSError)
        True

    """


class BrokenLine(NamedTuple):
    """A line of an image file that was left out.

    Attributes:
        number: Line number from 1.
        code: What is wrong with the line: ``"no_tab"``, ``"no_id"``, ``"bad_id"``, ``"no_image"`` or
            ``"second_image"``.
        id: The id, if it occurred before; else None.

    Example:
        >>> from muge_fast.datasets import BrokenLine
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
    """The images of a TSV file by id: a read-only mapping that reads one image at a time.

    Each line of the file has an id, a tab, and an image file in base64, of the standard or the URL-safe alphabet, with
    or without padding. The constructor reads the file once to index its lines, and decodes no image. The file is not
    mapped into memory, so that a file that shrinks later raises an exception instead of ending the process. An
    ``ImageTsv`` can be pickled and shared with forked processes.

    Args:
        path: The file.
        broken: ``"refuse"`` to raise an exception for a line without id, tab or image, or with the id of an earlier
            line; ``"skip"`` to leave such lines out, see ``broken_lines``.
        threads: Number of threads that index the file; None for the number of cores.
        max_images: Stop after this number of lines with an image; None for the whole file.
        max_broken: Stop after this number of broken lines, which take more memory than in the file; None for the whole
            file.

    Attributes:
        path: Absolute path of the file.
        given_path: The path as it was given, for messages.
        broken_lines: The lines that were left out, as :class:`BrokenLine`, in the order of the file.

    Raises:
        TypeError: An option of the wrong type.
        OSError: The file cannot be read.
        ValueError: A broken line, with its number; a file that is compressed, not a regular file, or begins with a byte
            order mark; an unknown value of ``broken``, or a number below 1.

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
        max_images: int | None = None,
        max_broken: int | None = None,
    ) -> None:
        check_choice("broken", broken, ("refuse", "skip"))
        max_images, max_broken = _limit("max_images", max_images), _limit("max_broken", max_broken)
        self.given_path = os.fspath(path)
        self.path = Path(path).absolute()
        self._open()
        self._version = self._size_and_time()
        if code := magic_kind(self._read(MAGIC_LENGTH, 0)):
            raise ValueError(f"{self.given_path}: {MESSAGES[code][0]}")
        self.broken_lines = list[BrokenLine]()
        self._index = dict[str, int]()
        self._starts = self._lengths = self._lines = np.zeros(0, dtype=np.int64)
        self._end = (0, 0)
        self._index_lines(threads, max_images, 1 if broken == "refuse" else max_broken)
        if self.broken_lines and broken == "refuse":
            raise ValueError(f"{self.given_path}: {self.broken_lines[0]}{self._hint(self.broken_lines[0].number)}")

    def _index_lines(self, threads: int | None, max_images: int | None, max_broken: int | None) -> list[str]:
        """Index further lines, up to a limit, and return the ids that did not occur before."""
        name, start = str(self.path), self._end
        with self._given_name():
            ids, starts, lengths, lines, broken, end = _core.index_images(name, threads, max_images, max_broken, start)
        # The core opens the file by its name, which may be that of another one by now.
        if not os.path.samestat(self.path.stat(), os.fstat(self._file)):
            raise ChangedFileError(f"{self.given_path} was changed while it was read")
        self.check_unchanged()
        self._end, first = end, len(self._starts)
        if first:
            starts = np.concatenate([self._starts, starts])
            lengths = np.concatenate([self._lengths, lengths])
            lines = np.concatenate([self._lines, lines])
        self._starts, self._lengths, self._lines = starts, lengths, lines
        self.broken_lines += [BrokenLine(line, code) for line, code in broken]
        new = dict(zip(ids, range(first, first + len(ids)), strict=True))
        if len(new) == len(ids) and self._index.keys().isdisjoint(new):
            self._index.update(new)
        else:
            ids = self._keep_first(ids, first)
        return ids

    def __getitem__(self, key: str) -> bytes:
        """Return the bytes of an image file.

        Args:
            key: The image's id.

        Raises:
            KeyError: There is no such id.
            ValueError: The image is not base64.
            OSError: The file cannot be read, or was changed.

        """
        index = self._index_of(key)
        try:
            return _core.decode_base64(self.base64(key))
        except ValueError:
            line = self._lines[index]
            raise ValueError(f"{self.given_path}: line {line}: image {key!r} is not base64{self._hint(line)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, key: object) -> bool:
        return key in self._index

    def __repr__(self) -> str:
        return f"<ImageTsv of {quantity(f'{len(self):,}', 'image')} in {self.given_path}>"

    @property
    def unended_line(self) -> int | None:
        """Number of the last line if it is indexed and has no line end, as in a file that was cut off; else None."""
        offset, lines = self._end
        return lines if offset > self._version[0] else None

    def line(self, key: str) -> int:
        """Return the number of an image's line, from 1.

        Args:
            key: The image's id.

        Returns:
            The line number.

        Raises:
            KeyError: There is no such id.

        Example:
            >>> images = ImageTsv("T2I_val.img.tsv")  # doctest: +SKIP
            >>> images.line("a1b2")  # doctest: +SKIP
            1

        """
        return int(self._lines[self._index_of(key)])

    def base64_size(self, key: str) -> int:
        """Return the number of bytes of an image in base64, without reading it.

        Args:
            key: The image's id.

        Returns:
            The size of the line without id, tab and line end.

        Raises:
            KeyError: There is no such id.

        Example:
            >>> images = ImageTsv("T2I_val.img.tsv")  # doctest: +SKIP
            >>> images.base64_size("a1b2")  # doctest: +SKIP
            54320

        """
        return int(self._lengths[self._index_of(key)])

    def base64(self, key: str) -> bytes:
        """Return an image in base64, as it is in the file.

        Args:
            key: The image's id.

        Returns:
            The base64 text as bytes.

        Raises:
            KeyError: There is no such id.
            OSError: The file cannot be read, or was changed.

        Example:
            >>> images = ImageTsv("T2I_val.img.tsv")  # doctest: +SKIP
            >>> images.base64("a1b2")[:8]  # doctest: +SKIP
            b'_9j_4AAQ'

        """
        index = self._index_of(key)
        start, length = int(self._starts[index]), int(self._lengths[index])
        blocks = []
        while length:
            block = self._read(length, start)
            if not block:
                raise ChangedFileError(f"{self.given_path} was changed: it ends before image {key!r}")
            blocks.append(block)
            start, length = start + len(block), length - len(block)
        self.check_unchanged()
        return b"".join(blocks)

    def check_unchanged(self) -> None:
        """Raise if the file was changed since it was opened.

        Raises:
            OSError: Its size, or the time when it was written, is another.

        Example:
            >>> images = ImageTsv("T2I_val.img.tsv")  # doctest: +SKIP
            >>> images.check_unchanged()  # doctest: +SKIP

        """
        if self._size_and_time() != self._version:
            raise ChangedFileError(f"{self.given_path} was changed while it was read")

    def image(self, key: str) -> Image:
        """Decode an image with Pillow.

        Args:
            key: The image's id.

        Returns:
            A loaded Pillow image in the mode of the file, such as RGB or L.

        Raises:
            KeyError: There is no such id.
            BrokenImageError: The image is broken, has more than 8192 x 8192 pixels, or is not JPEG, PNG, WebP, GIF, BMP
                or TIFF. It is a ``ValueError``.
            ValueError: The image is not base64.
            OSError: The file cannot be read, or was changed.
            ImportError: Pillow is not installed; the extra ``images`` installs it.

        Example:
            >>> images = ImageTsv("T2I_val.img.tsv")  # doctest: +SKIP
            >>> images.image("a1b2").size  # doctest: +SKIP
            (800, 800)

        """
        data = self[key]
        try:
            return decode(data)
        except ValueError as error:
            hint = self._hint(self.line(key))
            raise BrokenImageError(f"{self.given_path}: image {key!r} is broken: {error}{hint}") from error

    @staticmethod
    def write(path: PathLike, images: PathLike | Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> None:
        r"""Write an image file, which appears complete or not at all.

        Args:
            path: The file.
            images: A mapping from ids to bytes of image files, or pairs of these; or a folder, whose image files, at
                any depth, get their names without suffix as ids. Image files are those that
                :func:`muge_fast.image.fid` reads in a folder.

        Raises:
            OSError: A file cannot be read or written.
            TypeError: An id that is not a string, or an image that is not bytes.
            ValueError: There are no images, or one has no bytes; an id is empty, repeated or longer than 1023 bytes,
                begins or ends with white space, contains a tab or a line end, or would make the file look compressed.

        Warns:
            UserWarning: Files of a folder that look like images were left out; the message counts them.

        Example:
            >>> import pathlib, tempfile
            >>> from muge_fast.datasets import ImageTsv
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     path = pathlib.Path(folder) / "images.tsv"
            ...     ImageTsv.write(path, [("a", b"one image"), ("b", b"another")])
            ...     path.read_bytes()
            b'a\tb25lIGltYWdl\nb\tYW5vdGhlcg==\n'

        """
        if isinstance(images, (str, os.PathLike)):
            images = _from_folder(Path(images))
        elif isinstance(images, Mapping):
            images = images.items()
        seen: set[str] = set()
        with replacing(path) as file:
            for pair in images:
                key, data = _checked_pair(pair)
                name = _checked_id(key, data, seen)
                seen.add(key)
                file.write(name + b"\t" + base64.urlsafe_b64encode(data) + b"\n")
            if not seen:
                raise ValueError("there are no images to write")

    def extract(self, folder: PathLike) -> None:
        """Write each image to a file in a folder, named by its id and a suffix.

        The suffix is ``.jpg``, ``.png``, ``.gif``, ``.webp`` or ``.bmp`` by the first bytes of the image, or ``.bin``.

        Args:
            folder: The folder; it is created if it does not exist.

        Raises:
            OSError: A file cannot be read or written.
            ValueError: An id that cannot be the name of a file, or an image that is not base64.

        Example:
            >>> ImageTsv("T2I_val.img.tsv").extract("images/")  # doctest: +SKIP

        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for key in self:
            if key in (".", "..") or set("/\\\0:") & set(key):
                raise ValueError(f"{self.given_path}: id {key!r} cannot be the name of a file")
        for key, data in self.items():
            suffixes = (suffix for start, suffix in SUFFIX_OF_MAGIC_BYTES.items() if data.startswith(start))
            with replacing(folder / f"{key}{next(suffixes, '.bin')}") as file:
                file.write(data)

    def _hint(self, line: int) -> str:
        """Return what may be the cause of a problem in a line, for messages."""
        return CUT_OFF_HINT if line == self.unended_line else ""

    def _index_of(self, key: str) -> int:
        try:
            return self._index[key]
        except (KeyError, TypeError):
            # A TypeError if the key cannot be hashed, such as a list.
            text = str(key)
            hint = f": the id is there as a str, {format_argument(text)}" if text in self._index else ""
            raise KeyError(f"no image with the id {format_argument(key)} in {self.given_path}{hint}") from None

    def _keep_first(self, ids: list[str], first: int) -> list[str]:
        """Keep the first line of each id and return those; report the others as broken."""
        kept = []
        for index, key in enumerate(ids, first):
            if self._index.setdefault(key, index) == index:
                kept.append(key)
            else:
                self.broken_lines.append(BrokenLine(int(self._lines[index]), "second_image", key))
        self.broken_lines.sort()
        return kept

    def _open(self) -> None:
        # Without O_NONBLOCK, opening a pipe waits for a writer.
        with self._given_name():
            self._file = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
        self._close = weakref.finalize(self, os.close, self._file)
        if code := file_type_problem(os.fstat(self._file).st_mode):
            raise ValueError(f"{self.given_path}: {MESSAGES[code][0]}")

    @contextmanager
    def _given_name(self) -> Iterator[None]:
        """Name the file in errors as it was given."""
        try:
            yield
        except OSError as error:
            if error.filename is not None:
                error.filename = self.given_path
            raise

    def _size_and_time(self) -> tuple[int, int]:
        state = os.fstat(self._file)
        return state.st_size, state.st_mtime_ns

    def _read(self, length: int, start: int) -> bytes:
        if hasattr(os, "pread"):
            # Moves no file position, so threads and forked processes do not interfere.
            return os.pread(self._file, length, start)
        with self.path.open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(length)

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes without the open file."""
        return {key: value for key, value in self.__dict__.items() if key not in ("_file", "_close")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open the file again, and check that it is the one that was indexed."""
        self.__dict__.update(state)
        self._open()
        if self._size_and_time() != self._version:
            raise ValueError(f"{self.given_path} was changed since it was indexed")


def _limit(name: str, value: int | None) -> int | None:
    """Check a limit on a number of lines."""
    return None if value is None else min(whole_number(name, value), MAX_LINES)


def _checked_id(key: str, data: bytes, seen: set[str]) -> bytes:
    """Return an id in UTF-8 if it can be written to a file after the ids seen so far."""
    name = key.encode("utf-8")
    if not data:
        raise ValueError(f"image {format_value(key)} has no bytes")
    if key in seen:
        raise ValueError(f"image {format_value(key)}: the id occurs more than once")
    if not key or key != key.strip() or set("\t\r\n") & set(key):
        raise ValueError(f"image {format_value(key)}: the id is empty, or has outer white space, a tab or a line end")
    if not seen and magic_kind(name):
        raise ValueError(
            f"image {format_value(key)}: the first id begins like a compressed file, or one of another kind"
        )
    if len(name) > MAX_ID_BYTES:
        raise ValueError(f"image {format_value(key)}: the id has {len(name)} bytes, at most {MAX_ID_BYTES} are allowed")
    return name


def _checked_pair(pair: object) -> tuple[str, bytes]:
    """Return an id and the bytes of an image file."""
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:  # noqa: PLR2004
        raise TypeError(
            f"images must be a folder, a mapping from ids to bytes, or pairs of an id and bytes, "
            f"got {format_argument(pair)} among them"
        )
    key, data = pair
    if not isinstance(key, str):
        raise TypeError(f"image {format_value(key)}: ids must be strings, got {type(key).__name__}")
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(
            f"image {format_value(key)} must be the bytes of an image file, got {type(data).__name__}; "
            f"Path(...).read_bytes() returns those of a file"
        )
    return key, bytes(data)


def _from_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    paths: dict[str, Path] = {}
    for path in find_image_files(folder):
        if paths.setdefault(path.stem, path) != path:
            raise ValueError(
                f"{folder}: {paths[path.stem].relative_to(folder)} and {path.relative_to(folder)} "
                f"have the same id, {format_value(path.stem)}"
            )
        yield path.stem, path.read_bytes()
