"""Decoding of image files from untrusted sources."""

from __future__ import annotations

import io
import os
import struct
import sys
import warnings
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from muge_fast.datasets.limits import MAX_PIXELS

if TYPE_CHECKING:
    from PIL.Image import Image

Item = TypeVar("Item")
Result = TypeVar("Result")

# Pillow decodes dozens more. One of them runs an external program, and some expand a few bytes to megabytes.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
# Longer side divided by the shorter one. A network's resizing makes the shorter side a few hundred pixels long, and the
# longer one as many times longer as it is here: one pixel by 20,000 would take gigabytes.
MAX_SIDE_RATIO = 64
# A progressive JPEG file refines all pixels in each of its scans. Encoders write about ten, but a file may have
# thousands. The pixels of all scans together: 500 scans of 2048 x 2048.
MAX_SCANNED_PIXELS = 500 << 22
# Start of a scan in JPEG data, which elsewhere is rare: compressed data escapes the first byte.
START_OF_SCAN = b"\xff\xda"
# Before version 13, Pillow reads a comment of a GIF file in time proportional to all comments before it.
MAX_COMMENTS = 1000
START_OF_COMMENT = b"!\xfe"
# Before version 13, Pillow copies the value of each tag of a TIFF file, and many tags may have the same bytes.
MAX_COPIES_OF_FILE = 10
# Bytes of one value of each of TIFF's types, from 1 on; others have 8 at most.
TIFF_VALUE_BYTES = (1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)
# Tags of TIFF with the width and the height of a tile. It is allocated whole, however small the image is.
TIFF_TILE_TAGS = (322, 323)
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

    Limits on pixels, on the ratio of sides, on the tiles of a TIFF file and on the scans of a JPEG file are checked
    before anything is decoded.

    Args:
        data: Bytes of a JPEG, PNG, WebP, GIF, BMP or TIFF file.
        max_pixels: Largest width times height that is decoded.

    Returns:
        A loaded Pillow image in the mode of the file; the first frame if there are several.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: The image is broken, has another format, is too large, or one side is more than 64 times as long as
            the other.
        MemoryError: There is too little memory, which says nothing about the image.

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
    problem = _excess_of_metadata(data)
    if problem is not None:
        raise ValueError(problem)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        problem = _excess(image, data, max_pixels)
        if problem is None:
            image.load()
            return image
    except UnidentifiedImageError:
        raise ValueError(f"not an image of the formats {', '.join(FORMATS)}") from None
    except MemoryError:
        raise
    except Exception as error:
        # Pillow's decoders raise exceptions of any type for broken files.
        raise ValueError(str(error) or type(error).__name__) from error
    raise ValueError(problem)


def _excess_of_metadata(data: bytes) -> str | None:
    """Return which limit a file exceeds that must be checked before it is opened; None if it exceeds none."""
    if data.startswith(b"GIF"):
        comments = data.count(START_OF_COMMENT)
        return f"has {comments} comments, at most {MAX_COMMENTS} are allowed" if comments > MAX_COMMENTS else None
    byte_order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if byte_order is not None and _tiff_tag_bytes(data, byte_order) > MAX_COPIES_OF_FILE * len(data):
        return "has more bytes in tags than in the file"
    return None


def _tiff_tag_bytes(data: bytes, byte_order: str) -> int:
    """Return the number of bytes of all tags of the first image of a TIFF file."""
    is_big = data[2:4] in (b"+\0", b"\0+")
    header, count_format, entry = (8, "Q", "HHQQ") if is_big else (4, "H", "HHII")
    try:
        (offset,) = struct.unpack_from(byte_order + ("Q" if is_big else "I"), data, header)
        (count,) = struct.unpack_from(byte_order + count_format, data, offset)
        start = offset + struct.calcsize(byte_order + count_format)
        entries = struct.iter_unpack(byte_order + entry, data[start:][: count * struct.calcsize(byte_order + entry)])
        return sum(
            values * (TIFF_VALUE_BYTES[kind - 1] if 0 < kind <= len(TIFF_VALUE_BYTES) else 8)
            for _, kind, values, _ in entries
        )
    except struct.error:
        # The decoder says what is broken.
        return 0


def _excess(image: Image, data: bytes, max_pixels: int) -> str | None:
    """Return which limit an image that is open but not decoded exceeds; None if it exceeds none."""
    width, height = image.size
    if width * height > max_pixels:
        return f"has {width} x {height} pixels, at most {max_pixels} are allowed"
    if max(width, height) > MAX_SIDE_RATIO * min(width, height):
        return f"has {width} x {height} pixels, the longer side may be at most {MAX_SIDE_RATIO} times the shorter"
    if image.format == "TIFF":
        tags = getattr(image, "tag_v2", {})
        tile_width, tile_height = (int(tags.get(tag, 0)) for tag in TIFF_TILE_TAGS)
        if tile_width * tile_height > max_pixels:
            return f"has tiles of {tile_width} x {tile_height} pixels, at most {max_pixels} are allowed"
    # TIFF files may hold JPEG data.
    if image.format in {"JPEG", "MPO", "TIFF"}:
        scans = data.count(START_OF_SCAN)
        if scans * width * height > MAX_SCANNED_PIXELS:
            return f"has {scans} scans of {width} x {height} pixels, more than are allowed"
    return None


@contextmanager
def quiet_decoding() -> Iterator[None]:
    """Silence the warnings of Pillow while images from untrusted sources are decoded.

    They are about odd metadata, may come thousands of times for one file, and show paths of this machine.

    Example:
        >>> from muge_fast.datasets.decoding import decode, quiet_decoding
        >>> with quiet_decoding():
        ...     decode(b"")
        Traceback (most recent call last):
        ...
        ValueError: not an image of the formats JPEG, PNG, WEBP, GIF, BMP, TIFF

    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
        yield


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
    pool = ThreadPoolExecutor(threads)
    try:
        while True:
            pending.extend(pool.submit(function, item) for item in islice(remaining, ahead - len(pending)))
            if not pending:
                return
            yield pending.popleft().result()
    finally:
        # Ctrl-C does not wait for the items that have been started.
        interrupted = isinstance(sys.exc_info()[1], KeyboardInterrupt)
        stop()
        pool.shutdown(wait=not interrupted, cancel_futures=True)
