"""Sources of images: folders, TSV files, archives, arrays, tensors, datasets and iterables of batches."""

from __future__ import annotations

import os
import weakref
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path, PurePath, PurePosixPath
from threading import Condition, Lock
from typing import Any, Protocol, TypeAlias, TypeGuard, TypeVar, runtime_checkable

import numpy as np

from muge_fast._internal.checks import find_repeated
from muge_fast._internal.display import format_argument, format_id
from muge_fast._internal.paths import open_file
from muge_fast._internal.zip_files import ENCRYPTED, open_zip
from muge_fast.datasets.decoding import BrokenImageError, decode_rgb
from muge_fast.datasets.decoding_threads import map_in_order
from muge_fast.datasets.image_files import IMAGE_SUFFIXES, find_image_files, find_image_names
from muge_fast.datasets.image_tsv import ChangedFileError, ImageTsv
from muge_fast.image.inputs import (
    IMAGE_NDIM,
    Pixels,
    check_image_array,
    describe,
    image_of_item,
    images_of_batch,
    is_array,
    is_data_frame,
    is_one_image,
    is_path,
    shape_of,
    to_pixels,
)

Key = TypeVar("Key")
Loaded = TypeVar("Loaded")

# Most files in an archive.
MAX_MEMBERS = 1_000_000
# Largest image file in a folder or an archive.
MAX_FILE_BYTES = 1 << 28
# Most bytes that the images of an archive may have: a fixed number, and a multiple of the archive.
MAX_UNPACKED, MAX_UNPACKED_RATIO = 1 << 30, 100
# Methods of packing that Python knows everywhere.
ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
# Characters of the name of an image in a message.
MAX_NAME = 200
# Most bytes of the decoded images of a batch, and of those decoded ahead. One image per thread may exceed either.
MAX_DECODED_BYTES = 1 << 28


@runtime_checkable
class ImageDataset(Protocol):
    """A dataset with a length and an item for each index, such as ``torch.utils.data.Dataset``.

    An item is an image, or a tuple or list with an image in it, such as an image and its label.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.sources import ImageDataset, decode_batches
        >>> class Black:
        ...     def __len__(self):
        ...         return 5
        ...     def __getitem__(self, index):
        ...         return np.zeros((8, 8, 3), dtype="uint8"), "label"
        >>> dataset: ImageDataset = Black()
        >>> [len(batch) for batch in decode_batches(dataset, 2, 1)]
        [2, 2, 1]

    """

    def __len__(self) -> int:
        """Return the number of items."""

    def __getitem__(self, index: int, /) -> object:
        """Return the item at an index from 0."""


ImageSource: TypeAlias = (
    str | os.PathLike[str] | Mapping[str, bytes] | Mapping[int, bytes] | ImageDataset | Iterable[object]
)
"""A source of images, see :func:`open_images`. Arrays, tensors and data loaders are iterables."""


@dataclass(frozen=True)
class LazyImage:
    """An image that is decoded when it is needed.

    Attributes:
        name: Name of the image in error messages, such as its path.
        load: Function that returns its pixels.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.sources import LazyImage
        >>> LazyImage("black", lambda: np.zeros((2, 3, 3), dtype="uint8")).decode().shape
        (2, 3, 3)

    """

    name: str
    load: Callable[[], Pixels]

    def decode(self) -> Pixels:
        """Return the pixels.

        Raises:
            BrokenImageError: The image cannot be decoded.
            ChangedFileError: Its file was changed.
            ImportError: Pillow is not installed.
            MemoryError: There is too little memory, which says nothing about the image.

        """
        try:
            return self.load()
        except (ImportError, MemoryError, ChangedFileError):
            raise
        except Exception as error:
            # Decoders of Pillow and datasets of callers raise exceptions of any type.
            raise BrokenImageError(f"image {self.name} is broken: {str(error) or type(error).__name__}") from error


OpenedSource: TypeAlias = list[LazyImage] | Iterable[object]
"""Images that are decoded here, or batches that the caller decoded."""


def open_images(source: ImageSource | OpenedSource) -> OpenedSource:
    """Find the images of a source, without decoding them.

    Args:
        source: One of

            - a folder, a ``.tsv`` file of the benchmark, or a ``.zip`` file;
              :func:`muge_fast.datasets.image_files.find_image_files` says which files of a folder are images;
            - a :class:`muge_fast.datasets.ImageTsv`, or another mapping from ids to bytes of image files;
            - a torch ``Dataset``, or another object with a length and an item for each index; its items are requested
              by one thread at a time;
            - uint8 arrays or tensors of shape ``(images, 3, height, width)`` or ``(images, height, width, 3)``; other
              data types are refused, because the range of their values would have to be guessed;
            - a list of paths of image files, in this order;
            - an iterable of batches or of single images, such as a torch ``DataLoader`` or a generator.

            Images are arrays, tensors or Pillow images; a batch may be a list of images of different sizes. Where a
            batch or item also has labels or ids, the images are picked out.

    Returns:
        A list of :class:`LazyImage`, or an iterable of batches. Opening it again returns it unchanged.

    Raises:
        TypeError: ``source`` is not one of these.
        OSError: A path that cannot be read.
        ValueError: A path without images.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.sources import open_images
        >>> [batch.shape for batch in open_images(np.zeros((2, 8, 8, 3), dtype="uint8"))]
        [(2, 8, 8, 3)]

    """
    if is_path(source):
        return _from_path(Path(source))
    if isinstance(source, Mapping):
        return _from_tsv(source) if isinstance(source, ImageTsv) else _from_mapping(source)
    if isinstance(source, (list, tuple)):
        return _from_list(source)
    if isinstance(source, (bytes, bytearray, memoryview)) or is_data_frame(source):
        raise TypeError(f"expected images, got {describe(source)}: pass a list of images or of paths")
    if is_array(source) or is_one_image(source):
        return _from_array(source)
    if isinstance(source, ImageDataset):
        return _from_dataset(source)
    if not isinstance(source, Iterable):
        raise TypeError(f"expected a path, a mapping, an array, a dataset or an iterable, got {describe(source)}")
    return source


def check_paths(**sources: object) -> None:
    """Check that paths exist, without reading them.

    Args:
        sources: Paths by name of the argument; anything else is not checked.

    Raises:
        FileNotFoundError: There is no file or folder of this name; the message has the argument.

    Example:
        >>> from muge_fast.image.sources import check_paths
        >>> check_paths(texts="nowhere.tsv")
        Traceback (most recent call last):
        ...
        FileNotFoundError: texts: nowhere.tsv: no such file or folder

    """
    for name, source in sources.items():
        if is_path(source) and not Path(source).exists():
            raise FileNotFoundError(f"{name}: {os.fspath(source)}: no such file or folder")


def open_side(name: str, source: object) -> OpenedSource:
    """Find the images of one side of a comparison as :func:`open_images` does, with its name in errors.

    Args:
        name: Name of the side, such as ``"real"``.
        source: A source of :func:`open_images`.

    Returns:
        The result of :func:`open_images`.

    Raises:
        TypeError: ``source`` is not a source of images.
        OSError: A path that cannot be read.
        ValueError: A path without images, or an array that is not images.

    Example:
        >>> from muge_fast.image.sources import open_side
        >>> open_side("real", "nowhere/")
        Traceback (most recent call last):
        ...
        FileNotFoundError: real: nowhere: no such file or folder

    """
    try:
        return open_images(source)  # type: ignore[arg-type] # which is checked there
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{name}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def count_images(images: OpenedSource) -> int | None:
    """Return the number of images of :func:`open_images` without decoding them.

    Args:
        images: The result of :func:`open_images`.

    Returns:
        Number of images; None if it is not known before all batches have been read.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.sources import count_images, open_images
        >>> count_images(open_images(np.zeros((2, 8, 8, 3), dtype="uint8"))), count_images(iter([]))
        (2, None)

    """
    if not isinstance(images, list):
        return None
    if _are_lazy(images):
        return len(images)
    shapes = [shape_of(batch) for batch in images]
    if not all(len(shape) >= IMAGE_NDIM for shape in shapes):
        return None
    return sum(1 if len(shape) == IMAGE_NDIM else int(shape[0]) for shape in shapes)


def decode_batches(source: ImageSource | OpenedSource, batch_size: int, threads: int) -> Iterator[list[Pixels]]:
    """Decode the images of a source; threads decode up to two batches ahead of the caller.

    Args:
        source: A source of :func:`open_images`, or its result.
        batch_size: Largest number of images of a batch. A batch also ends after 256 MiB of pixels.
        threads: Number of threads that decode.

    Yields:
        Lists of uint8 arrays of shape ``(height, width, 3)``, RGB.

    Raises:
        TypeError: ``source`` is not a source of images.
        OSError: A path that cannot be read.
        ValueError: A broken image, with its name, or arrays of a wrong shape or data type.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.sources import decode_batches
        >>> [len(batch) for batch in decode_batches(np.zeros((5, 8, 8, 3), dtype="uint8"), 2, 1)]
        [2, 2, 1]

    """
    opened = open_images(source)
    images: Generator[Pixels]
    if _are_lazy(opened):
        images = load_ahead((image.decode for image in opened), ahead=2 * batch_size, threads=max(1, threads))
    else:
        images = (image for batch in opened for image in images_of_batch(batch))
        if not isinstance(opened, list):
            # The iterable may reuse the memory of one batch for the next.
            images = (image.copy() for image in images)
    with closing(images):
        batch, size = list[Pixels](), 0
        for image in images:
            batch.append(image)
            size += image.nbytes
            if len(batch) == batch_size or size > MAX_DECODED_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch


def open_archive(path: Path) -> tuple[zipfile.ZipFile, dict[PurePath, zipfile.ZipInfo]]:
    """Open a zip archive of images, without unpacking any.

    Args:
        path: The archive.

    Returns:
        The archive, and its image files by name, in the order of paths.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not an archive that Python can read, has no images, has one twice, or unpacks to far more than
            its size.

    Example:
        >>> import pathlib, tempfile, zipfile
        >>> from muge_fast.image.sources import open_archive
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "images.zip"
        ...     with zipfile.ZipFile(path, "w") as archive:
        ...         archive.writestr("real/1.jpg", b"image")
        ...     [str(name) for name in open_archive(path)[1]]
        ['real/1.jpg']

    """
    file = open_file(path)
    try:
        archive = open_zip(file, MAX_MEMBERS)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        file.close()
        raise ValueError(f"{path}: {error}") from None
    # An archive closes only files that it has opened.
    weakref.finalize(archive, file.close)
    # ZipInfo.is_dir() fails for an empty name.
    files = [(PurePosixPath(member.filename), member) for member in archive.infolist() if member.filename[-1:] != "/"]
    members: dict[PurePath, zipfile.ZipInfo] = dict(files)
    images = find_image_names(path, (name for name, _ in files))
    repeated = find_repeated(images)
    if repeated is not None:
        raise ValueError(f"{path}: has {format_id(images[repeated], MAX_NAME)} twice")
    _check_members(path, [members[image] for image in images])
    return archive, {image: members[image] for image in images}


def _are_lazy(images: OpenedSource) -> TypeGuard[list[LazyImage]]:
    return isinstance(images, list) and bool(images) and isinstance(images[0], LazyImage)


class _ByteBudget:
    """Limit on the bytes of decoded images that have not been consumed yet.

    The thread decoding the next image in order never waits, so the pipeline cannot deadlock.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._held = self._next = 0
        self._is_open = True

    def acquire(self, index: int) -> None:
        """Wait until the image at an index may be decoded."""
        with self._changed:
            self._changed.wait_for(lambda: self._held < MAX_DECODED_BYTES or index <= self._next or not self._is_open)
            if not self._is_open:
                raise CancelledError

    def charge(self, size: int) -> None:
        """Add the bytes of a decoded image."""
        with self._changed:
            self._held += size

    def release(self, size: int) -> None:
        """Subtract the bytes of the next image in order, which was consumed."""
        with self._changed:
            self._held -= size
            self._next += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Cancel all waiting threads."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()


def load_ahead(loads: Iterable[Callable[[], Loaded]], *, ahead: int, threads: int) -> Generator[Loaded]:
    """Call functions in threads, ahead of the consumer, and yield what they return in their order.

    Args:
        loads: The functions, such as the method ``decode`` of a :class:`LazyImage`. An exception in one ends the
            iteration.
        ahead: Largest number of functions that are called ahead of the consumer. None is called either while what was
            loaded and not consumed has 256 MiB, by the attribute ``nbytes`` of arrays and tensors.
        threads: Number of threads.

    Yields:
        The result of each function.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.sources import load_ahead
        >>> [array.tolist() for array in load_ahead([lambda: np.arange(2)], ahead=2, threads=1)]
        [[0, 1]]

    """
    budget = _ByteBudget()

    def load_next(indexed: tuple[int, Callable[[], Loaded]]) -> Loaded:
        index, load = indexed
        budget.acquire(index)
        loaded = load()
        budget.charge(_bytes_of(loaded))
        return loaded

    results = map_in_order(load_next, enumerate(loads), threads=threads, ahead=ahead, stop=budget.close)
    with closing(results):
        for loaded in results:
            budget.release(_bytes_of(loaded))
            yield loaded


def _bytes_of(value: object) -> int:
    size: int = getattr(value, "nbytes", 0)
    return size


def _from_path(path: Path) -> list[LazyImage]:
    if path.is_dir():
        return _from_files(find_image_files(path))
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return _from_zip(path)
    if suffix == ".tsv":
        return _from_tsv(ImageTsv(path))
    fix = f"; pass image files as a list, [{str(path)!r}]" if suffix in IMAGE_SUFFIXES else ""
    raise ValueError(f"{path}: expected a folder, a .tsv or a .zip{fix}")


def _from_array(images: object) -> list[object]:
    if is_array(images):
        check_image_array(images)
    if is_one_image(images):
        raise TypeError(f"expected several images, got {describe(images)}: put one image into a list, [image]")
    return [images]


def _from_list(images: Sequence[Any]) -> OpenedSource:
    """Open a list of paths; return a list of images or batches unchanged, after looking at the first."""
    paths = [image for image in images if is_path(image)]
    if paths and len(paths) == len(images):
        return _from_paths(paths)
    first = paths[0] if paths else next(iter(images), None)
    if first is not None and not isinstance(first, (list, tuple, LazyImage)):
        to_pixels(first)
    return images if isinstance(images, list) else list(images)


def _from_paths(paths: Sequence[str | os.PathLike[str]]) -> list[LazyImage]:
    files = [Path(path) for path in paths]
    for file in files:
        if file.is_dir():
            raise ValueError(f"{file}: a folder in a list of paths; pass it alone")
        if not file.is_file():
            raise FileNotFoundError(f"{file}: no such file")
        if file.suffix.lower() not in IMAGE_SUFFIXES:
            formats = ", ".join(sorted(IMAGE_SUFFIXES))
            raise ValueError(f"{file}: not an image file, whose suffix is one of {formats}")
    return _from_files(files)


def _from_files(files: Iterable[Path]) -> list[LazyImage]:
    return [LazyImage(str(file), partial(_read_file, file)) for file in files]


def _read_file(path: Path) -> Pixels:
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_FILE_BYTES:
            raise ValueError(f"the file has {size} bytes, at most {MAX_FILE_BYTES} are read")
        return _decode_rgb(file.read())


def _from_tsv(images: ImageTsv) -> list[LazyImage]:
    names = (f"{format_argument(key)} of {images.given_path} (line {images.line(key)})" for key in images)
    return [LazyImage(name, partial(_decode_value, images, key)) for name, key in zip(names, images, strict=True)]


def _from_mapping(images: Mapping[Key, bytes]) -> list[LazyImage]:
    for key, data in islice(images.items(), 1):
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(
                f"expected the bytes of an image file for each id, got {describe(data)} for {format_argument(key)}: "
                f"pass images in memory as a list"
            )
    return [LazyImage(repr(key), partial(_decode_value, images, key)) for key in images]


def _decode_value(images: Mapping[Key, bytes], key: Key) -> Pixels:
    return _decode_rgb(images[key])


def _from_dataset(dataset: ImageDataset) -> list[LazyImage]:
    lock = Lock()

    def load(index: int) -> Pixels:
        # Datasets are not expected to be thread-safe.
        with lock:
            return np.array(image_of_item(dataset[index]))

    return [LazyImage(f"at index {index}", partial(load, index)) for index in range(len(dataset))]


def _from_zip(path: Path) -> list[LazyImage]:
    archive, members = open_archive(path)

    def load(member: zipfile.ZipInfo) -> Pixels:
        return _decode_rgb(archive.read(member))

    return [LazyImage(f"{path}/{format_id(name, MAX_NAME)}", partial(load, member)) for name, member in members.items()]


def _check_members(path: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    """Raise if an archive needs a password, or unpacks to far more than its size."""
    for member in members:
        name = format_argument(member.filename)
        if member.flag_bits & ENCRYPTED:
            raise ValueError(f"{path}: {name} is encrypted; pack the images without a password")
        if member.compress_type not in ZIP_METHODS:
            raise ValueError(f"{path}: {name} is packed by method {member.compress_type}; use deflate")
        if member.file_size > MAX_FILE_BYTES:
            raise ValueError(f"{path}: {name} has {member.file_size} bytes, at most {MAX_FILE_BYTES} are read")
    # Members may overlap, so that each unpacks the same bytes.
    total, size = sum(member.file_size for member in members), path.stat().st_size
    limit = MAX_UNPACKED + MAX_UNPACKED_RATIO * size
    if total > limit:
        raise ValueError(f"{path}: unpacks to {total} bytes, at most {limit} are allowed for a file of {size}")


def _decode_rgb(data: bytes) -> Pixels:
    return np.array(decode_rgb(data))
