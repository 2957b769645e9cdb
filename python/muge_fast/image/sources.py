"""Where images come from: folders, TSV files, archives, arrays and tensors."""

from __future__ import annotations

import io
import os
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast.datasets.image_tsv import SUFFIXES, ImageTsv

Pixels = npt.NDArray[np.uint8]
Load = tuple[str, Callable[[], Pixels]]

# Archives may hold images of this size at most, in bytes.
MOST_BYTES = 1 << 28


def open_images(source: Any) -> list[Load] | Iterable[Any]:  # noqa: ANN401 - what callers have
    """Find the images of a source.

    Args:
        source: A folder (any depth, in the order of paths), a ``.tsv`` of the benchmark, a ``.zip``, an
            :class:`muge_fast.datasets.ImageTsv` or another mapping from id to bytes; uint8 arrays or tensors of shape
            ``(images, 3, height, width)`` or ``(images, height, width, 3)``; or something that gives such batches.

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
    return source  # type: ignore[no-any-return]


def batches(source: Any, batch_size: int, workers: int) -> Iterator[list[Pixels]]:  # noqa: ANN401
    """Decode the images of a source, some batches ahead of whoever takes them.

    Args:
        source: As for :func:`open_images`.
        batch_size: Images of a batch.
        workers: Threads that decode.

    Raises:
        ValueError: A broken image, with its name, or arrays of another shape or type.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.sources import batches
        >>> [len(batch) for batch in batches(np.zeros((5, 8, 8, 3), dtype="uint8"), 2, 1)]
        [2, 2, 1]

    """
    found = open_images(source)
    if not (isinstance(found, list) and found and isinstance(found[0], tuple)):
        images = (image for batch in found for image in _unpacked(batch))
        while batch := [image for _, image in zip(range(batch_size), images, strict=False)]:
            yield batch
        return
    with ThreadPoolExecutor(max(1, workers)) as pool:
        waiting: deque[Future[Pixels]] = deque()
        loads = iter(found)
        try:
            batch = []
            while True:
                while len(waiting) < 2 * batch_size and (load := next(loads, None)) is not None:
                    waiting.append(pool.submit(_decoded, *load))
                if not waiting:
                    break
                batch.append(waiting.popleft().result())
                if len(batch) == batch_size:
                    yield batch
                    batch = []
            if batch:
                yield batch
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _of_path(path: Path) -> list[Load]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
        return [(str(file), lambda file=file: _pixels(file.read_bytes())) for file in files]  # type: ignore[misc]
    if path.suffix.lower() == ".zip":
        return _of_zip(path)
    if path.suffix.lower() != ".tsv":
        raise ValueError(f"{path}: expected a folder, a .tsv or a .zip")
    return _of_mapping(ImageTsv(path))


def _of_mapping(images: Mapping[Any, bytes]) -> list[Load]:
    return [(str(key), lambda key=key: _pixels(images[key])) for key in images]  # type: ignore[misc]


def _of_zip(path: Path) -> list[Load]:
    archive = zipfile.ZipFile(path)
    members = sorted(name for name in archive.namelist() if Path(name).suffix.lower() in SUFFIXES)

    def load(name: str) -> Pixels:
        size = archive.getinfo(name).file_size
        if size > MOST_BYTES:
            raise ValueError(f"has {size} bytes")
        return _pixels(archive.read(name))

    return [(f"{path}/{name}", lambda name=name: load(name)) for name in members]  # type: ignore[misc]


def _pixels(data: bytes) -> Pixels:
    """Decode to RGB, as torch-fidelity, pytorch-fid and clean-fid do: Pillow, of any mode."""
    from PIL import Image  # noqa: PLC0415 - an extra

    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB"))


def _decoded(name: str, load: Callable[[], Pixels]) -> Pixels:
    try:
        return load()
    except Exception as error:
        # Pillow's decoders raise whatever they like on broken files.
        raise ValueError(f"image {name} is broken: {error}") from error


def _unpacked(batch: Any) -> Iterator[Pixels]:  # noqa: ANN401
    """Images of a batch, height by width by 3. A pair of images and something else is a batch of a data set."""
    if isinstance(batch, (tuple, list)) and batch and hasattr(batch[0], "shape"):
        batch = batch[0]
    array = np.asarray(batch)
    if array.ndim == 3:  # noqa: PLR2004
        array = array[None]
    if array.dtype != np.uint8 or array.ndim != 4 or 3 not in (array.shape[1], array.shape[3]):  # noqa: PLR2004
        raise ValueError(f"images have shape {array.shape} and dtype {array.dtype}, need uint8 (images, 3, h, w)")
    yield from array if array.shape[3] == 3 else array.transpose(0, 2, 3, 1)  # noqa: PLR2004
