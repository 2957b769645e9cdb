"""Where images come from: folders, TSV files, archives, arrays and tensors."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from threading import Condition, Lock
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

from muge_fast.datasets.decoding import BrokenImageError, decode, in_order
from muge_fast.datasets.image_tsv import SUFFIXES, ImageTsv

Pixels = npt.NDArray[np.uint8]
Load = tuple[str, Callable[[], Pixels]]

# Archives may hold images of this size at most, in bytes.
MOST_BYTES = 1 << 28
# Decoded images of a batch may have so many bytes together, and those that wait for it, but for one of each thread.
MOST_TOGETHER = 1 << 28
CHANNELS = 3
# Of one image.
IMAGE_AXES = 3


def open_images(source: Any) -> list[Load] | Iterable[Any]:  # noqa: ANN401 - what callers have
    """Find the images of a source.

    Args:
        source: A folder (any depth, in the order of paths), a ``.tsv`` of the benchmark, a ``.zip``, an
            :class:`muge_fast.datasets.ImageTsv` or another mapping from id to bytes; a torch ``Dataset``, or anything
            else with a length and an image for each number; uint8 arrays or tensors of shape
            ``(images, 3, height, width)`` or ``(images, height, width, 3)``; or what gives batches of images, such as a
            torch ``DataLoader`` or a generator. Images are arrays, tensors or Pillow's; a batch may be a list of
            different sizes. Of images and something else, such as labels or ids, the images are taken. A data set is
            asked by one thread at a time, as it may expect; a ``DataLoader`` with threads asks it side by side.

    Returns:
        A name and a function that decodes it for each image, or the batches.

    Raises:
        OSError: A path that cannot be read.
        ValueError: A path with no images in it.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.sources import open_images
        >>> [batch.shape for batch in open_images(np.zeros((2, 8, 8, 3), dtype="uint8"))]
        [(2, 8, 8, 3)]

    """
    if isinstance(source, (str, os.PathLike)):
        found = _of_path(Path(source))
        if not found:
            raise ValueError(f"{os.fspath(source)}: no images")
        return found
    if isinstance(source, Mapping):
        return _of_mapping(source)
    if hasattr(source, "shape") and hasattr(source, "dtype"):
        return [source]
    if hasattr(source, "__getitem__") and hasattr(source, "__len__") and not isinstance(source, (list, tuple)):
        return _of_data_set(source)
    return source  # type: ignore[no-any-return]


def count_images(found: list[Load] | Iterable[Any]) -> int | None:
    """Count the images of :func:`open_images`, without looking at them.

    Returns:
        Their number; None if it is not known before all have come.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.sources import count_images, open_images
        >>> count_images(open_images(np.zeros((2, 8, 8, 3), dtype="uint8"))), count_images(iter([]))
        (2, None)

    """
    if not isinstance(found, list):
        return None
    if _is_loads(found):
        return len(found)
    shapes = [tuple(getattr(batch, "shape", ())) for batch in found]
    if not all(len(shape) >= IMAGE_AXES for shape in shapes):
        return None
    return sum(1 if len(shape) == IMAGE_AXES else int(shape[0]) for shape in shapes)


def batches(source: Any, batch_size: int, threads: int) -> Iterator[list[Pixels]]:  # noqa: ANN401
    """Decode the images of a source, some batches ahead of whoever takes them.

    Args:
        source: As for :func:`open_images`.
        batch_size: Images of a batch at most; large ones make smaller batches, of 256 MiB and one more image.
        threads: Threads that decode.

    Raises:
        ValueError: A broken image, with its name, or arrays of another shape or type.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.sources import batches
        >>> [len(batch) for batch in batches(np.zeros((5, 8, 8, 3), dtype="uint8"), 2, 1)]
        [2, 2, 1]

    """
    found = open_images(source)
    images: Generator[Pixels]
    if _is_loads(found):
        images = _decoded_ahead(found, 2 * batch_size, max(1, threads))
    else:
        images = (image for batch in found for image in _unpacked(batch))
        if not isinstance(found, list):
            # Whoever makes batches may use the memory of one for the next.
            images = (image.copy() for image in images)
    with closing(images):
        batch, size = list[Pixels](), 0
        for image in images:
            batch.append(image)
            size += image.nbytes
            if len(batch) == batch_size or size > MOST_TOGETHER:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch


def _is_loads(found: list[Load] | Iterable[Any]) -> TypeGuard[list[Load]]:
    """Whether images are decoded here."""
    return isinstance(found, list) and bool(found) and isinstance(found[0], tuple) and callable(found[0][-1])


class _Room:
    """Memory for decoded images that nobody has taken yet.

    Whoever decodes the next one goes on without: none waits for ever, as threads take images in their order.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._held = self._next = 0
        self._is_open = True

    def enter(self, place: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._held < MOST_TOGETHER or place <= self._next or not self._is_open)
            if not self._is_open:
                raise CancelledError

    def hold(self, size: int) -> None:
        with self._changed:
            self._held += size

    def leave(self, size: int) -> None:
        with self._changed:
            self._held -= size
            self._next += 1
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._is_open = False
            self._changed.notify_all()


def _decoded_ahead(found: list[Load], ahead: int, threads: int) -> Generator[Pixels]:
    """Decode images by some threads, so many ahead of whoever takes them, or fewer where they are large."""
    room = _Room()

    def decode_next(numbered: tuple[int, Load]) -> Pixels:
        place, load = numbered
        room.enter(place)
        image = _decoded(*load)
        room.hold(image.nbytes)
        return image

    made = in_order(decode_next, enumerate(found), threads=threads, ahead=ahead, stop=room.close)
    with closing(made) as images:
        for image in images:
            room.leave(image.nbytes)
            yield image


def _of_path(path: Path) -> list[Load]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if _names_image(file.name) and file.is_file())
        return [(str(file), lambda file=file: _pixels(file.read_bytes())) for file in files]  # type: ignore[misc]
    if path.suffix.lower() == ".zip":
        return _of_zip(path)
    if path.suffix.lower() != ".tsv":
        raise ValueError(f"{path}: expected a folder, a .tsv or a .zip")
    return _of_mapping(ImageTsv(path))


def _names_image(name: str) -> bool:
    """Whether a file is an image by its name. A Mac lays a file of its own beside each, of this name after ``._``."""
    return Path(name).suffix.lower() in SUFFIXES and not Path(name).name.startswith("._")


def _of_mapping(images: Mapping[Any, bytes]) -> list[Load]:
    def name(key: Any) -> str:  # noqa: ANN401
        return f"{key!r} of {images.path} (line {images.line(key)})" if isinstance(images, ImageTsv) else repr(key)

    return [(name(key), lambda key=key: _pixels(images[key])) for key in images]  # type: ignore[misc]


def _of_data_set(source: Any) -> list[Load]:  # noqa: ANN401
    alone = Lock()

    def load(place: int) -> Pixels:
        with alone:
            return np.array(_only(source[place]))

    return [(f"number {place}", lambda place=place: load(place)) for place in range(len(source))]  # type: ignore[misc]


def _of_zip(path: Path) -> list[Load]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
    members = [member for member in archive.infolist() if not member.is_dir() and _names_image(member.filename)]
    names = sorted(member.filename for member in members)
    for name, after in pairwise(names):
        if name == after:
            raise ValueError(f"{path}: has {name} twice")

    def load(name: str) -> Pixels:
        size = archive.getinfo(name).file_size
        if size > MOST_BYTES:
            raise ValueError(f"has {size} bytes")
        return _pixels(archive.read(name))

    return [(f"{path}/{name}", lambda name=name: load(name)) for name in names]  # type: ignore[misc]


def _pixels(data: bytes) -> Pixels:
    """Decode to RGB, as torch-fidelity, pytorch-fid and clean-fid do: Pillow, of any mode."""
    return np.array(decode(data).convert("RGB"))


def _decoded(name: str, load: Callable[[], Pixels]) -> Pixels:
    try:
        return load()
    except Exception as error:
        # Pillow's decoders raise whatever they like on broken files.
        raise BrokenImageError(f"image {name} is broken: {str(error) or type(error).__name__}") from error


def _unpacked(batch: Any) -> Iterator[Pixels]:  # noqa: ANN401
    """Images of a batch, height by width by 3."""
    if isinstance(batch, (tuple, list)):
        # Images and something else of them, such as labels or ids; or images that are too different for one array.
        whole = [part for part in batch if len(getattr(part, "shape", ())) > IMAGE_AXES]
        single = [part for part in batch if _is_image(part)]
        if single and not whole:
            yield from map(_only, single)
            return
        batch = whole[0] if whole else batch
    array = _rgb(batch)
    yield from array if array.ndim > IMAGE_AXES else array[None]


def _is_image(part: Any) -> bool:  # noqa: ANN401
    return hasattr(part, "convert") or len(getattr(part, "shape", ())) == IMAGE_AXES


def _only(item: Any) -> Pixels:  # noqa: ANN401
    """The image of an item of a data set, which may be a pair of it and something else."""
    if isinstance(item, (tuple, list)) and item:
        item = next((part for part in item if _is_image(part)), item[0])
    pixels = _rgb(item)
    if pixels.ndim != IMAGE_AXES:
        raise ValueError(f"an image has shape {pixels.shape}, needs (3, height, width)")
    return pixels


def _rgb(images: Any) -> Pixels:  # noqa: ANN401
    """One image or several as an array with channels last."""
    if hasattr(images, "convert"):
        return np.array(images.convert("RGB"))
    array = np.asarray(images.detach().cpu() if hasattr(images, "detach") else images)
    axes = array.shape[-3:]
    if array.dtype != np.uint8 or array.ndim not in (IMAGE_AXES, IMAGE_AXES + 1) or CHANNELS not in (axes[0], axes[2]):
        raise ValueError(f"images have shape {array.shape} and dtype {array.dtype}, need uint8 (images, 3, h, w)")
    return array if axes[2] == CHANNELS else np.moveaxis(array, -3, -1)
