"""Sources of images: folders, TSV files, archives, arrays, tensors, datasets and iterables of batches."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Condition, Lock
from typing import Protocol, TypeAlias, TypeGuard, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import find_repeated
from muge_fast.datasets.decoding import BrokenImageError, decode, map_in_order
from muge_fast.datasets.image_tsv import IMAGE_SUFFIXES, ImageTsv

Pixels = npt.NDArray[np.uint8]
"""An image: uint8, of shape ``(height, width, 3)``, RGB."""

Key = TypeVar("Key")

# Largest image file in an archive.
MAX_FILE_BYTES = 1 << 28
# Most bytes of the decoded images of a batch, and of those decoded ahead. One image per thread may exceed either.
MAX_DECODED_BYTES = 1 << 28
CHANNELS = 3
# Dimensions of one image.
IMAGE_NDIM = 3


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

        """
        try:
            return self.load()
        except Exception as error:
            # Decoders of Pillow and datasets of callers raise exceptions of any type.
            raise BrokenImageError(f"image {self.name} is broken: {str(error) or type(error).__name__}") from error


OpenedSource: TypeAlias = list[LazyImage] | Iterable[object]
"""Images that are decoded here, or batches that the caller decoded."""


@runtime_checkable
class _HasConvert(Protocol):
    """An image of Pillow, recognized without importing Pillow."""

    def convert(self, mode: str, /) -> npt.ArrayLike: ...


def open_images(source: ImageSource | OpenedSource) -> OpenedSource:
    """Find the images of a source, without decoding them.

    Args:
        source: One of

            - a folder (searched at any depth, in the order of paths), a ``.tsv`` file of the benchmark, or a ``.zip``
              file;
            - a :class:`muge_fast.datasets.ImageTsv`, or another mapping from ids to bytes of image files;
            - a torch ``Dataset``, or another object with a length and an item for each index; its items are requested
              by one thread at a time;
            - uint8 arrays or tensors of shape ``(images, 3, height, width)`` or ``(images, height, width, 3)``;
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
    if isinstance(source, (str, os.PathLike)):
        images = _from_path(Path(source))
        if not images:
            raise ValueError(f"{os.fspath(source)}: no images")
        return images
    if isinstance(source, ImageTsv):
        return _from_tsv(source)
    if isinstance(source, Mapping):
        return _from_mapping(source)
    if hasattr(source, "shape") and hasattr(source, "dtype"):
        return [source]
    if isinstance(source, ImageDataset) and not isinstance(source, (list, tuple)):
        return _from_dataset(source)
    if not isinstance(source, Iterable):
        raise TypeError(f"expected a path, a mapping, an array, a dataset or an iterable, got {type(source).__name__}")
    return source


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
    shapes = [_shape(batch) for batch in images]
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
        images = _decode_ahead(opened, 2 * batch_size, max(1, threads))
    else:
        images = (image for batch in opened for image in _images_of_batch(batch))
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


def _decode_ahead(images: list[LazyImage], ahead: int, threads: int) -> Generator[Pixels]:
    """Decode images in threads, up to ``ahead`` images or the byte budget ahead of the consumer."""
    budget = _ByteBudget()

    def decode_next(indexed: tuple[int, LazyImage]) -> Pixels:
        index, image = indexed
        budget.acquire(index)
        pixels = image.decode()
        budget.charge(pixels.nbytes)
        return pixels

    decoded = map_in_order(decode_next, enumerate(images), threads=threads, ahead=ahead, stop=budget.close)
    with closing(decoded):
        for pixels in decoded:
            budget.release(pixels.nbytes)
            yield pixels


def _from_path(path: Path) -> list[LazyImage]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if _is_image_name(file.name) and file.is_file())
        return [LazyImage(str(file), partial(_read_file, file)) for file in files]
    if path.suffix.lower() == ".zip":
        return _from_zip(path)
    if path.suffix.lower() != ".tsv":
        raise ValueError(f"{path}: expected a folder, a .tsv or a .zip")
    return _from_tsv(ImageTsv(path))


def _is_image_name(name: str) -> bool:
    """Return whether a name is that of an image file. Names that begin with ``._`` are metadata files of macOS."""
    return Path(name).suffix.lower() in IMAGE_SUFFIXES and not Path(name).name.startswith("._")


def _read_file(path: Path) -> Pixels:
    return _decode_rgb(path.read_bytes())


def _from_tsv(images: ImageTsv) -> list[LazyImage]:
    names = (f"{key!r} of {images.path} (line {images.line(key)})" for key in images)
    return [LazyImage(name, partial(_decode_value, images, key)) for name, key in zip(names, images, strict=True)]


def _from_mapping(images: Mapping[Key, bytes]) -> list[LazyImage]:
    return [LazyImage(repr(key), partial(_decode_value, images, key)) for key in images]


def _decode_value(images: Mapping[Key, bytes], key: Key) -> Pixels:
    return _decode_rgb(images[key])


def _from_dataset(dataset: ImageDataset) -> list[LazyImage]:
    lock = Lock()

    def load(index: int) -> Pixels:
        # Datasets are not expected to be thread-safe.
        with lock:
            return np.array(_image_of_item(dataset[index]))

    return [LazyImage(f"at index {index}", partial(load, index)) for index in range(len(dataset))]


def _from_zip(path: Path) -> list[LazyImage]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
    members = [member for member in archive.infolist() if not member.is_dir() and _is_image_name(member.filename)]
    names = sorted(member.filename for member in members)
    repeated = find_repeated(names)
    if repeated is not None:
        raise ValueError(f"{path}: has {names[repeated]} twice")

    def load(name: str) -> Pixels:
        size = archive.getinfo(name).file_size
        if size > MAX_FILE_BYTES:
            raise ValueError(f"the file has {size} bytes, at most {MAX_FILE_BYTES} are read")
        return _decode_rgb(archive.read(name))

    return [LazyImage(f"{path}/{name}", partial(load, name)) for name in names]


def _decode_rgb(data: bytes) -> Pixels:
    """Decode an image of any mode to RGB as torch-fidelity, pytorch-fid and clean-fid do, with Pillow."""
    return np.array(decode(data).convert("RGB"))


def _images_of_batch(batch: object) -> Iterator[Pixels]:
    """Yield the images of a batch of a caller's iterable."""
    if isinstance(batch, (tuple, list)):
        # Stacked images with labels or ids, or a list of images of different sizes.
        stacks = [element for element in batch if len(_shape(element)) > IMAGE_NDIM]
        singles = [element for element in batch if _is_image(element)]
        if singles and not stacks:
            yield from map(_image_of_item, singles)
            return
        batch = stacks[0] if stacks else batch
    array = _to_rgb_array(batch)
    yield from array if array.ndim > IMAGE_NDIM else array[None]


def _shape(value: object) -> tuple[int, ...]:
    return tuple(getattr(value, "shape", ()))


def _is_image(value: object) -> bool:
    return isinstance(value, _HasConvert) or len(_shape(value)) == IMAGE_NDIM


def _image_of_item(item: object) -> Pixels:
    """Return the image of a dataset's item, which may be a pair of an image and a label."""
    if isinstance(item, (tuple, list)) and item:
        item = next((element for element in item if _is_image(element)), item[0])
    pixels = _to_rgb_array(item)
    if pixels.ndim != IMAGE_NDIM:
        raise ValueError(f"an image has shape {pixels.shape}, needs (3, height, width)")
    return pixels


def _to_rgb_array(images: object) -> Pixels:
    """Return one image or a stack as a uint8 array with channels last."""
    if isinstance(images, _HasConvert):
        return np.array(images.convert("RGB"))
    array = np.asarray(images.detach().cpu() if hasattr(images, "detach") else images)
    axes = array.shape[-3:]
    if array.dtype != np.uint8 or array.ndim not in (IMAGE_NDIM, IMAGE_NDIM + 1) or CHANNELS not in (axes[0], axes[2]):
        raise ValueError(f"images have shape {array.shape} and dtype {array.dtype}, need uint8 (images, 3, h, w)")
    return array if axes[2] == CHANNELS else np.moveaxis(array, -3, -1)
