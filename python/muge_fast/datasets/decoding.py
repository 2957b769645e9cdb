"""Decoding image files, which may come from anybody."""

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

# Pillow knows dozens more: files of one it hands to another program, and few bytes of others make megabytes.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
# An image of 8192 x 8192; whoever has larger ones makes them smaller first, as all networks do.
MOST_PIXELS = 1 << 26
# Images that are asked for together, for each thread.
AHEAD = 4


class BrokenImageError(ValueError):
    """An image that cannot be decoded, by name.

    Example:
        >>> from muge_fast.datasets.decoding import BrokenImageError
        >>> issubclass(BrokenImageError, ValueError)
        True

    """


def decode(data: bytes, *, most_pixels: int = MOST_PIXELS) -> Image:
    """Decode an image with Pillow.

    Args:
        data: The bytes of a file: JPEG, PNG, WebP, GIF, BMP or TIFF.
        most_pixels: Width times height of the largest image that is decoded at all.

    Returns:
        A Pillow image, loaded, in the mode that the file has; of several frames the first.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: The image is broken, of another format, or too large.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> from muge_fast.datasets.decoding import decode
        >>> file = io.BytesIO()
        >>> Image.new("L", (3, 2)).save(file, "PNG")
        >>> decode(file.getvalue()).size
        (3, 2)
        >>> decode(file.getvalue(), most_pixels=5)
        Traceback (most recent call last):
        ...
        ValueError: has 3 x 2 pixels, may have 5

    """
    try:
        from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ImportError("images need Pillow: pip install 'muge-fast[images]'") from error
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = image.size
        if width * height <= most_pixels:
            image.load()
            return image
    except UnidentifiedImageError:
        raise ValueError(f"is none of {', '.join(FORMATS)}") from None
    except Exception as error:
        # Its decoders raise whatever they like on broken files.
        raise ValueError(str(error) or type(error).__name__) from error
    raise ValueError(f"has {width} x {height} pixels, may have {most_pixels}")


def broken_images(
    images: Mapping[str, bytes], keys: Collection[str], *, most_pixels: int = MOST_PIXELS, threads: int | None = None
) -> Iterator[tuple[str, str]]:
    """Decode images once, and forget their pixels.

    Args:
        images: Their bytes.
        keys: Which of them.
        most_pixels: As for :func:`decode`.
        threads: Threads that decode; None for the number of cores.

    Yields:
        The id of each that cannot be decoded, in the order of ``keys``, and why.

    Raises:
        ImportError: Pillow is not installed.

    Example:
        >>> from muge_fast.datasets.decoding import broken_images
        >>> dict(broken_images({"a": b"no image"}, ["a"]))
        {'a': 'is none of JPEG, PNG, WEBP, GIF, BMP, TIFF'}

    """

    def problem(key: str) -> tuple[str, str | None]:
        try:
            decode(images[key], most_pixels=most_pixels)
        except ValueError as error:
            return key, str(error)
        return key, None

    threads = threads or os.cpu_count() or 1
    # Few ahead: whoever has seen enough problems does not wait for all the others.
    with closing(in_order(problem, keys, threads=threads, ahead=AHEAD * threads)) as found:
        yield from ((key, reason) for key, reason in found if reason is not None)


def in_order(
    run: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    threads: int,
    ahead: int,
    stop: Callable[[], object] = lambda: None,
) -> Generator[Result]:
    """Run a function on each item by some threads, and give what it gives in the order of the items.

    Args:
        run: The function. What it raises ends everything.
        items: The items; they are begun in their order.
        threads: How many threads.
        ahead: How many items at most have been begun, or wait to be, beyond those that were taken.
        stop: Called at the end, before threads are waited for: one may be waiting itself.

    Example:
        >>> from muge_fast.datasets.decoding import in_order
        >>> list(in_order(abs, [-3, 2, -1], threads=2, ahead=2))
        [3, 2, 1]

    """
    from concurrent.futures import Future, ThreadPoolExecutor  # noqa: PLC0415 - few programs decode images

    waiting: deque[Future[Result]] = deque()
    rest = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        try:
            while True:
                waiting.extend(pool.submit(run, item) for item in islice(rest, ahead - len(waiting)))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            stop()
            pool.shutdown(wait=False, cancel_futures=True)
