"""Limits on the tags of TIFF files, and on those in JPEG files, before Pillow reads them.

Many tags may have the same bytes, and Pillow makes an object of Python of each number, for the sizes of an image, its
resolution or its orientation. Tags whose bytes are not all there count nothing: decoders leave them out.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

# Before version 13, Pillow copies the value of each tag, and many tags may have the same bytes.
MAX_COPIES_OF_FILE = 10
# Numbers of all tags of a file. The largest tags have one for each row of pixels, or each color of a palette.
MAX_TAG_NUMBERS = 1 << 19
# Files have some dozens.
MAX_TAGS = 1 << 17
# Segments of a JPEG file that have tags: a segment has 64 KiB at most, and Pillow joins those of one kind.
MAX_SEGMENTS = 16
# First bytes of such segments, after those of the marker and of the length: Exif, and several pictures in one file.
SEGMENTS = {b"Exif\0\0": b"\xff\xe1", b"MPF\0": b"\xff\xe2"}
MARKER_BYTES, LENGTH_BYTES = 2, 2
# Tags that point to another directory, which Pillow reads in a TIFF file: Exif, GPS, and interoperability.
POINTERS = (34665, 34853, 40965)
# Types of TIFF whose values stay bytes: bytes, text, and any data.
BYTE_TYPES = (1, 2, 7)
# Bytes of one value of each type.
VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
# Types of integers, as :mod:`struct` has them.
INTEGER_FORMATS = {3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}


class _Tag(NamedTuple):
    number: int
    type: int
    # How many values it has, and where they begin.
    length: int
    start: int


def excess_of_tags(data: bytes) -> str | None:
    """Return which limit the tags of an image file exceed.

    Args:
        data: Bytes of the file.

    Returns:
        What is wrong, in words; None if the file exceeds no limit, or has no tags that Pillow reads.

    Example:
        >>> from muge_fast.datasets.image_tags import excess_of_tags
        >>> print(excess_of_tags(b"GIF89a"))
        None

    """
    if data[:2] in (b"II", b"MM"):
        # Pillow takes a large file of the order MM for a small one.
        return _excess(data) or (_excess(data, is_big=True) if data[2:4] == b"\0+" else None)
    if not data.startswith(b"\xff\xd8"):
        return None
    for name in SEGMENTS:
        segments = list(_segments(data, name))
        if len(segments) > MAX_SEGMENTS:
            return f"has more than {MAX_SEGMENTS} segments of tags"
        # The first one may be in another segment, where Pillow does not see it.
        for first in range(len(segments)):
            problem = _excess(re.sub(rb"^(Exif\0\0)+", b"", b"".join(segments[first:])))
            if problem is not None:
                return problem
    return None


def _segments(data: bytes, name: bytes) -> Iterator[bytes]:
    """Yield the contents of segments that begin with a name, one more than are allowed at most."""
    at, found = data.find(name), 0
    while at >= 0 and found <= MAX_SEGMENTS:
        marker = at - LENGTH_BYTES - MARKER_BYTES
        if data[max(0, marker) : at - LENGTH_BYTES] == SEGMENTS[name]:
            length = int.from_bytes(data[at - LENGTH_BYTES : at], "big")
            yield data[at + len(name) : at - LENGTH_BYTES + length]
            found += 1
        at = data.find(name, at + 1)


def _excess(data: bytes, *, is_big: bool | None = None) -> str | None:
    """Return which limit tags exceed that are in the format of a TIFF file, None if they exceed none.

    Large files, BigTIFF, have numbers of 64 bits; None for what Pillow takes for one.
    """
    numbers = size = 0
    for index, tag in enumerate(_tags(data, is_big=data[2:3] == b"+" if is_big is None else is_big)):
        if index >= MAX_TAGS:
            return f"has more than {MAX_TAGS} tags"
        bytes_of_tag = tag.length * VALUE_BYTES.get(tag.type, 0)
        if tag.start + bytes_of_tag > len(data):
            continue
        size += bytes_of_tag
        if tag.type in VALUE_BYTES and tag.type not in BYTE_TYPES:
            numbers += tag.length
    if numbers > MAX_TAG_NUMBERS:
        return f"has tags of {numbers} numbers, at most {MAX_TAG_NUMBERS} are allowed"
    return "has more bytes in tags than in the file" if size > MAX_COPIES_OF_FILE * len(data) else None


def _tags(data: bytes, *, is_big: bool) -> Iterator[_Tag]:
    """Yield the tags of the first image, and those of the directories that they point to."""
    byte_order = ">" if data[:2] == b"MM" else "<"
    seen: set[int] = set()
    try:
        directories = list(struct.unpack_from(byte_order + ("Q" if is_big else "I"), data, 8 if is_big else 4))
    except struct.error:
        # The decoder says what is broken.
        return
    while directories:
        offset = directories.pop()
        if offset in seen:
            continue
        seen.add(offset)
        for tag in _directory(data, offset, byte_order, is_big=is_big):
            yield tag
            if tag.number in POINTERS and tag.length == 1 and tag.type in INTEGER_FORMATS:
                value = data[tag.start : tag.start + VALUE_BYTES[tag.type]]
                if len(value) == VALUE_BYTES[tag.type]:
                    directories += struct.unpack(byte_order + INTEGER_FORMATS[tag.type], value)


def _directory(data: bytes, offset: int, byte_order: str, *, is_big: bool) -> Iterator[_Tag]:
    """Yield the tags of one directory. An entry that is cut off does not count."""
    header, entry, pointer = ("Q", "HHQ", "Q") if is_big else ("H", "HHI", "I")
    start = offset + struct.calcsize(byte_order + header)
    fields = struct.Struct(byte_order + entry)
    width = struct.calcsize(byte_order + pointer)
    if not 0 <= offset <= start <= len(data):
        return
    (count,) = struct.unpack_from(byte_order + header, data, offset)
    step = fields.size + width
    for at in range(start, start + min(count, (len(data) - start) // step) * step, step):
        number, kind, values = fields.unpack_from(data, at)
        place = at + fields.size
        if values * VALUE_BYTES.get(kind, 0) > width:
            (place,) = struct.unpack_from(byte_order + pointer, data, place)
        yield _Tag(number, kind, values, place)
