"""Decoding of image files from untrusted sources."""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from PIL.Image import Image

Item = TypeVar("Item")
Result = TypeVar("Result")

# Pillow decodes dozens more. One of them runs an external program, and some expand a few bytes to megabytes.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
# 8192 x 8192, far more than the input of any network.
MAX_PIXELS = 1 << 26
DECODE_AHEAD_PER_THREAD = 4


class BrokenImageError(ValueError):
    """An image that cannot be decoded; the message has its name and the reason.

    Example:
        >>> from muge_fast.datasets import BrokenImageError
        >>> issubclass(BrokenImageError, ValueError)
        True

    """


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Decode an image with Pillow.

    Args:
        data: Bytes of a JPEG, PNG, WebP, GIF, BMP or TIFF file.
        max_pixels: Largest width times height that is decoded.

    Returns:
        A loaded Pillow image in the mode of the file; the first frame if there are several.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: The image is broken, has another format, or is too large.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> from muge_fast.datasets.decoding import decode
        >>> file = io.BytesIO()
        >>> Image.new("L", (3, 2)).save(file, "PNG")
        >>> decode(file.getvalue()).size
        (3, 2)
        >>> decode(file.getvalue(), max_pixels=5)
        Traceback (most recent call last):
        ...
        ValueError: has 3 x 2 pixels, at most 5 are allowed

    """
    try:
        from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise ImportError("images need Pillow: pip install 'muge-fast[images]'") from error
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = image.size
        if width * height <= max_pixels:
            image.load()
            return image
    except UnidentifiedImageError:
        raise ValueError(f"not an image of the formats {', '.join(FORMATS)}") from None
    except Exception as error:
        # Pillow's decoders raise exceptions of any type for broken files.
        raise ValueError(str(error) or type(error).__name__) from error
    raise ValueError(f"has {width} x {height} pixels, at most {max_pixels} are allowed")


def broken_images(
    images: Mapping[str, bytes], keys: Collection[str], *, max_pixels: int = MAX_PIXELS, threads: int | None = None
) -> Iterator[tuple[str, str]]:
    """Decode images and report those that are broken. No pixels are kept.

    Args:
        images: Bytes of image files by id.
        keys: Ids of the images to decode.
        max_pixels: Largest width times height that is decoded.
        threads: Number of threads that decode; None for the number of cores.

    Yields:
        The id of each broken image, in the order of ``keys``, and the reason.

    Raises:
        ImportError: Pillow is not installed.

    Example:
        >>> from muge_fast.datasets.decoding import broken_images
        >>> dict(broken_images({"a": b"no image"}, ["a"]))
        {'a': 'not an image of the formats JPEG, PNG, WEBP, GIF, BMP, TIFF'}

    """

    def find_problem(key: str) -> tuple[str, str | None]:
        try:
            decode(images[key], max_pixels=max_pixels)
        except ValueError as error:
            return key, str(error)
        return key, None

    threads = threads or os.cpu_count() or 1
    # Only a few images ahead, so that a caller that stops early does not wait for the rest.
    ahead = DECODE_AHEAD_PER_THREAD * threads
    with closing(map_in_order(find_problem, keys, threads=threads, ahead=ahead)) as problems:
        yield from ((key, reason) for key, reason in problems if reason is not None)


def map_in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    threads: int,
    ahead: int,
    stop: Callable[[], object] = lambda: None,
) -> Generator[Result]:
    """Apply a function to items in threads, and yield the results in the order of the items.

    Args:
        function: The function. An exception in it ends the iteration.
        items: The items; they are started in their order.
        threads: Number of threads.
        ahead: Largest number of items that are started or queued beyond those consumed.
        stop: Called at the end before threads are joined, to wake up those that wait for the consumer.

    Yields:
        The result of each item.

    Example:
        >>> from muge_fast.datasets.decoding import map_in_order
        >>> list(map_in_order(abs, [-3, 2, -1], threads=2, ahead=2))
        [3, 2, 1]

    """
    # Imports a dozen modules, such as logging, that scoring captions does not need.
    from concurrent.futures import Future, ThreadPoolExecutor  # noqa: PLC0415

    pending: deque[Future[Result]] = deque()
    remaining = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        try:
            while True:
                pending.extend(pool.submit(function, item) for item in islice(remaining, ahead - len(pending)))
                if not pending:
                    return
                yield pending.popleft().result()
        finally:
            stop()
            pool.shutdown(wait=False, cancel_futures=True)
