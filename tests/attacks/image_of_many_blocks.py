"""Millions of blocks of a few bytes: markers of JPEG, chunks of PNG, blocks of a GIF comment, and fill bytes.

Pillow takes steps in Python for each. 16 MiB took 3 to 11 seconds, a line may have 48 MiB.
"""

import struct

from image_bytes import after_palette, chunk, saved
from muge_fast.datasets.decoding import broken_images

MEMORY = 256 << 20
RATIO = 20
SIZE = 8 << 20


def files(size, block):
    """Return files with as many bytes in blocks of a given size."""
    jpeg, png, gif = saved("L", "JPEG"), saved("L", "PNG"), saved("P", "GIF")
    start = after_palette(gif)
    segment = b"\xff\xfe" + struct.pack(">H", block + 2) + block * b"x"
    sub_block = bytes([max(1, min(block, 255))]) + max(1, min(block, 255)) * b"x"
    return {
        "markers": jpeg[:2] + segment * (size // len(segment)) + jpeg[2:],
        "chunks": png[:33] + chunk(b"prVt", block * b"x") * (size // (block + 12)) + png[33:],
        "texts": png[:33] + chunk(b"tEXt", b"a\0" + block * b"x") * min(500, size // (block + 14)) + png[33:],
        "comment": gif[:start] + b"!\xfe" + sub_block * min(4000, size // len(sub_block)) + b"\0" + gif[start:],
    }


def prepare():
    jpeg, png, gif = saved("L", "JPEG"), saved("L", "PNG"), saved("P", "GIF")
    start = after_palette(gif)
    good = files(SIZE, 32_000)
    bad = {name: data for name, data in files(SIZE, 0).items() if name in ("markers", "chunks")}
    bad |= {
        "fill": jpeg[:2] + b"\xff" * SIZE + jpeg[2:],
        "empty pixels": png[:33] + chunk(b"IDAT") * (SIZE // 12) + png[33:],
        "after pixels": png[:-12] + chunk(b"prVt") * (SIZE // 12) + png[-12:],
        "texts": png[:33] + chunk(b"tEXt", b"a\0b") * (SIZE // 15) + png[33:],
        "comment": gif[:start] + b"!\xfe" + b"\1x" * (SIZE // 2) + b"\0" + gif[start:],
        "comments": gif[:start] + 20_000 * (b"!\xfe\xff" + 255 * b"x" + b"\0") + gif[start:],
        "long comment": gif[:start] + b"!\xfe" + (b"\xff" + 255 * b"x") * (SIZE // 256) + b"\0" + gif[start:],
        "extensions": gif[:start] + b"!\xf9\0" * (SIZE // 3) + gif[start:],
    }
    return good, bad


def harmless(images):
    assert not list(broken_images(images[0], list(images[0]), threads=1))


def attack(images):
    reasons = dict(broken_images(images[1], list(images[1]), threads=1))
    assert set(reasons.values()) == {"has too many blocks of data for its size"}, reasons
    assert list(reasons) == list(images[1])
