"""The images of a data set by id, decoded when a model needs them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from muge_fast._internal.display import format_argument, format_path
from muge_fast.datasets.decoding import BrokenImageError, decode_rgb
from muge_fast.datasets.image_files import find_image_files
from muge_fast.datasets.image_tsv import ImageTsv
from muge_fast.image.inputs import Pixels
from muge_fast.image.sources import LazyImage

# Names of files in COCO: COCO_val2014_000000000042.jpg, or 000000000042.jpg.
NUMBERED = re.compile(r"(?:.*_)?0*(\d+)")

Prepare = Callable[[Pixels], object]
"""Method of a model that returns what it needs of an image."""


class ImageStore(ABC, Mapping[str, bytes]):
    """Images of a data set: a mapping of ids to the bytes of image files."""

    @abstractmethod
    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the reason of each image that is there, but cannot be read by an id."""

    def load(self, key: str, prepare: Prepare | None = None) -> object:
        """Return an image, prepared for a model.

        Args:
            key: Id of the image.
            prepare: Function of its pixels; None to return the pixels.

        Returns:
            The pixels, a uint8 array of shape ``(height, width, 3)``, or the result of ``prepare``.

        Raises:
            BrokenImageError: There is no such image, it cannot be decoded, or ``prepare`` raises an exception.

        """
        if key not in self:
            raise BrokenImageError(f"there is no image with the id {format_argument(key)}")
        return LazyImage(format_argument(key), partial(self._prepared, key, prepare)).decode()  # type: ignore[arg-type] # of what prepare returns

    def _prepared(self, key: str, prepare: Prepare | None) -> object:
        pixels = np.array(decode_rgb(self[key]))
        return pixels if prepare is None else prepare(pixels)


class TsvImages(ImageStore):
    r"""Images of a TSV file.

    Args:
        path: The file.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not a TSV file of images.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.datasets import ImageTsv
        >>> from muge_fast.models.image_store import TsvImages
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "images.tsv"
        ...     _ = path.write_text("a\taW1hZ2U=\nb\n")
        ...     images = TsvImages(path)
        ...     list(images), list(images.problems())
        (['a'], [('line 2', 'line 2 has no tab after the id')])

    """

    def __init__(self, path: Path) -> None:
        self._images = ImageTsv(path, broken="skip")

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the number of each broken line, and what is wrong with it.

        Yields:
            The number and the reason.

        """
        # Of an image that is there twice, the first is used.
        return ((f"line {line.number}", str(line)) for line in self._images.broken_lines if line.id is None)

    def __getitem__(self, key: str) -> bytes:
        return self._images[key]

    def __contains__(self, key: object) -> bool:
        # That of mappings would read the image.
        return key in self._images

    def __iter__(self) -> Iterator[str]:
        return iter(self._images)

    def __len__(self) -> int:
        return len(self._images)


class FolderImages(ImageStore):
    """Image files of a folder, which are named by their ids.

    The id is the name without suffix, and for names that end in a number, such as those of COCO, also that number
    without the zeros in front of it, if only one image has it.

    Args:
        folder: The folder.

    Raises:
        OSError: The folder cannot be read.
        ValueError: It has no image files, or two for an id.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.models.image_store import FolderImages
        >>> with tempfile.TemporaryDirectory() as name:
        ...     folder = pathlib.Path(name)
        ...     _ = (folder / "COCO_val2014_000000000042.jpg").write_bytes(b"image")
        ...     images = FolderImages(folder)
        ...     list(images), images["42"]
        (['COCO_val2014_000000000042'], b'image')

    """

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, Path] = {}
        numbers: dict[str, list[Path]] = {}
        for path in find_image_files(folder):
            if self._files.setdefault(path.stem, path) is not path:
                raise ValueError(f"{format_path(folder)}: two images have the name {format_argument(path.stem)}")
            if match := NUMBERED.fullmatch(path.stem):
                numbers.setdefault(match[1], []).append(path)
        self._numbers = {number: paths[0] for number, paths in numbers.items() if len(paths) == 1}

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield nothing: each file has an id.

        Yields:
            Nothing.

        """
        return iter(())

    def __getitem__(self, key: str) -> bytes:
        return (self._files.get(key) or self._numbers[key]).read_bytes()

    def __contains__(self, key: object) -> bool:
        return key in self._files or key in self._numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def open_image_store(path: Path) -> ImageStore:
    """Open the images of a data set.

    Args:
        path: An image TSV, or a folder of image files.

    Returns:
        The images.

    Raises:
        OSError: The path cannot be read.
        ValueError: It has no images.

    Example:
        >>> from muge_fast.models.image_store import open_image_store
        >>> len(open_image_store("MR_valid_imgs.tsv"))  # doctest: +SKIP
        29806

    """
    return FolderImages(path) if path.is_dir() else TsvImages(path)
