"""Decoding of image files from untrusted sources."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import numpy as np

from muge_fast.datasets.decoding_threads import map_in_order
from muge_fast.datasets.limits import MAX_PIXELS

if TYPE_CHECKING:
    from PIL.Image import Image

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
# Pillow takes some steps in Python for each block of a file, such as a chunk of PNG or a segment of JPEG, which may
# have a few bytes. Reads that a file may take: a fixed number, and one for each of this number of bytes.
MAX_READS, BYTES_OF_READ = 10_000, 64
# A block of GIF has 255 bytes at most. Pillow joins the blocks of a comment one by one, before version 13 in time
# proportional to all comments before it. Pixels are read in blocks of 64 KiB.
BYTES_OF_READ_OF_GIF = 1 << 12
# Pillow reads runs of equal pixels of BMP byte by byte. A run has two bytes, and so has the end of a row.
BYTES_OF_PIXEL = 3
# Bytes of the header of a BMP file, and its compressions with such runs.
BMP_HEADER, BMP_RUNS = 34, (1, 2)
# Tag of TIFF with the compression, and its values for JPEG data and for LZMA.
TIFF_COMPRESSION, TIFF_JPEG, TIFF_LZMA = 259, (6, 7), 34925
# Tags of TIFF with the width and the height of a tile. It is allocated whole, however small the image is.
TIFF_TILE_TAGS = (322, 323)
# Bytes of the header of a WebP file with the size of the image.
WEBP_HEADER = 30
# Bytes that decoding takes for each pixel: canvases, coefficients, the image, and its copy in another mode.
MEMORY_OF_PIXEL = 24
# Bytes that must be left besides: other threads take and return memory all the time.
SPARE_MEMORY = 8 << 20
DECODE_AHEAD_PER_THREAD = 4


class BrokenImageError(ValueError):
    """An image that cannot be decoded; the message has its name and the reason.

    Example:
        >>> from muge_fast.datasets import BrokenImageError
        >>> issubclass(BrokenImageError, ValueError)
        True

    """


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS, at_least: int | None = None) -> Image:
    """Decode an image with Pillow.

    Limits on pixels, on the ratio of sides, on the tags and tiles of a TIFF file and on the scans of a JPEG file are
    checked before anything is decoded, and a limit on the number of blocks while the file is read.

    Args:
        data: Bytes of a JPEG, PNG, WebP, GIF, BMP or TIFF file.
        max_pixels: Largest width times height that is decoded.
        at_least: Width and height of interest: JPEG files are decoded in a fraction of their size that is not smaller,
            which is faster. None for the whole size.

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
    problem = _excess_of_header(data, max_pixels)
    if problem is not None:
        raise ValueError(problem)
    image = None
    try:
        image = Image.open(_file_of(data, max_pixels), formats=FORMATS)
        problem = _excess(image, data, max_pixels)
        if problem is None:
            if at_least is not None:
                image.draft(None, (at_least, at_least))
            image.load()
            return image
    except UnidentifiedImageError:
        raise ValueError(f"not an image of the formats {', '.join(FORMATS)}") from None
    except MemoryError:
        raise
    except Exception as error:
        # Pillow's decoders raise exceptions of any type for broken files, some of them also where memory is short.
        width, height = _webp_size(data) if image is None else image.size
        _check_memory(MEMORY_OF_PIXEL * width * height + 2 * len(data))
        raise ValueError(str(error) or type(error).__name__) from error
    raise ValueError(problem)


def decode_rgb(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Decode an image of any mode to RGB as torch-fidelity, pytorch-fid and clean-fid do.

    Args:
        data: As of :func:`decode`.
        max_pixels: As of :func:`decode`.

    Returns:
        A Pillow image of the mode RGB.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: As of :func:`decode`, or an image that has no colors.
        MemoryError: There is too little memory, which says nothing about the image.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> from muge_fast.datasets.decoding import decode_rgb
        >>> file = io.BytesIO()
        >>> Image.new("L", (3, 2)).save(file, "PNG")
        >>> decode_rgb(file.getvalue()).mode
        'RGB'

    """
    image = decode(data, max_pixels=max_pixels)
    try:
        return image if image.mode == "RGB" else image.convert("RGB")
    except MemoryError:
        raise
    except Exception as error:
        # Such as odd palettes and transparent colors.
        raise ValueError(str(error) or type(error).__name__) from error


class _CountedReads(io.BytesIO):
    """The bytes of a file, which end with an error for one of too many tiny blocks."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        bytes_of_read = BYTES_OF_READ_OF_GIF if data.startswith(b"GIF") else BYTES_OF_READ
        self._remaining = MAX_READS + len(data) // bytes_of_read

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes."""
        self._remaining -= 1
        if self._remaining < 0:
            raise ValueError("has too many blocks of data for its size")
        return super().read(size)


def _file_of(data: bytes, max_pixels: int) -> io.BytesIO:
    """Return the bytes as a file, which ends with an error after too many reads, unless all may be of one byte."""
    pixels = min(_pixels_of_runs(data), max_pixels)
    return io.BytesIO(data) if 0 < len(data) <= BYTES_OF_PIXEL * pixels else _CountedReads(data)


def _pixels_of_runs(data: bytes) -> int:
    """Return the number of pixels of a BMP file that has runs of equal pixels; 0 for another file."""
    if not data.startswith(b"BM") or int.from_bytes(data[BMP_HEADER - 4 : BMP_HEADER], "little") not in BMP_RUNS:
        return 0
    width, height = (int.from_bytes(data[at : at + 4], "little", signed=True) for at in (18, 22))
    return abs(width * height)


def _check_memory(size: int) -> None:
    """Raise if some bytes of memory are not there, after a failure that may be due to that.

    It is taken and returned without being used, in microseconds.
    """
    try:
        np.empty(size + SPARE_MEMORY, dtype=np.uint8)
    except MemoryError:
        raise MemoryError("out of memory while an image was decoded") from None


def _excess_of_header(data: bytes, max_pixels: int) -> str | None:
    """Return which limit a file exceeds that must be checked before it is opened; None if it exceeds none."""
    from muge_fast.datasets.image_tags import excess_of_tags  # noqa: PLC0415 - few programs decode images

    # Memory for these pixels is taken when the file is opened.
    width, height = _webp_size(data)
    if width * height > max_pixels:
        return _too_many_pixels(width, height, max_pixels)
    return excess_of_tags(data)


def _webp_size(data: bytes) -> tuple[int, int]:
    """Return the width and height in the header of a WebP file; zeros for another file."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < WEBP_HEADER:
        return 0, 0
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    # 14 bits each; the lossless format has them one after the other, less one.
    mask = (1 << 14) - 1
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & mask) + 1, (bits >> 14 & mask) + 1
    return int.from_bytes(data[26:28], "little") & mask, int.from_bytes(data[28:30], "little") & mask


def _excess(image: Image, data: bytes, max_pixels: int) -> str | None:
    """Return which limit an image that is open but not decoded exceeds; None if it exceeds none."""
    width, height = image.size
    if width * height > max_pixels:
        return _too_many_pixels(width, height, max_pixels)
    if max(width, height) > MAX_SIDE_RATIO * min(width, height):
        return f"has {width} x {height} pixels, the longer side may be at most {MAX_SIDE_RATIO} times the shorter"
    if image.format == "TIFF":
        tags = getattr(image, "tag_v2", {})
        tile_width, tile_height = (int(tags.get(tag, 0)) for tag in TIFF_TILE_TAGS)
        if tile_width * tile_height > max_pixels:
            return f"has tiles of {tile_width} x {tile_height} pixels, at most {max_pixels} are allowed"
        if tags.get(TIFF_COMPRESSION) == TIFF_LZMA and (excess := _excess_of_lzma(data)) is not None:
            return excess
    if image.format in {"JPEG", "MPO"} or _is_jpeg_in_tiff(image):
        scans = data.count(START_OF_SCAN)
        if scans * width * height > MAX_SCANNED_PIXELS:
            return f"has {scans} scans of {width} x {height} pixels, more than are allowed"
    return None


def _excess_of_lzma(data: bytes) -> str | None:
    from muge_fast.datasets.image_lzma import MAX_DICTIONARY, too_large_dictionary  # noqa: PLC0415 - few have such data

    size = too_large_dictionary(data)
    if size is None:
        return None
    return f"has LZMA data with a dictionary of {size} bytes, at most {MAX_DICTIONARY} are allowed"


def _too_many_pixels(width: int, height: int, max_pixels: int) -> str:
    return f"has {width} x {height} pixels, at most {max_pixels} are allowed"


def _is_jpeg_in_tiff(image: Image) -> bool:
    return image.format == "TIFF" and getattr(image, "tag_v2", {}).get(TIFF_COMPRESSION) in TIFF_JPEG


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
            decode_rgb(images[key], max_pixels=max_pixels)
        except ValueError as error:
            return key, str(error)
        return key, None

    threads = threads or os.cpu_count() or 1
    # Only a few images ahead, so that a caller that stops early does not wait for the rest.
    ahead = DECODE_AHEAD_PER_THREAD * threads
    with closing(map_in_order(find_problem, keys, threads=threads, ahead=ahead)) as problems:
        yield from ((key, reason) for key, reason in problems if reason is not None)
