"""Decoding image files, which may come from anybody."""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

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
    images: Mapping[str, bytes], keys: Collection[str], *, most_pixels: int = MOST_PIXELS, workers: int | None = None
) -> Iterator[tuple[str, str]]:
    """Decode images once, and forget their pixels.

    Args:
        images: Their bytes.
        keys: Which of them.
        most_pixels: As for :func:`decode`.
        workers: Threads that decode; None for the number of cores.

    Yields:
        The id of each that cannot be decoded, in the order of ``keys``, and why.

    Raises:
        ImportError: Pillow is not installed.

    Example:
        >>> from muge_fast.datasets.decoding import broken_images
        >>> dict(broken_images({"a": b"no image"}, ["a"]))
        {'a': 'is none of JPEG, PNG, WEBP, GIF, BMP, TIFF'}

    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - few programs decode images

    def problem(key: str) -> str | None:
        try:
            decode(images[key], most_pixels=most_pixels)
        except ValueError as error:
            return str(error)
        return None

    threads = workers or os.cpu_count() or 1
    rest = iter(keys)
    with ThreadPoolExecutor(threads) as pool:
        try:
            # Few ahead: whoever has seen enough problems does not wait for all the others.
            waiting = deque((key, pool.submit(problem, key)) for key in islice(rest, AHEAD * threads))
            while waiting:
                key, found = waiting.popleft()
                if (reason := found.result()) is not None:
                    yield key, reason
                waiting.extend((key, pool.submit(problem, key)) for key in islice(rest, 1))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
