"""TIFF tags that share their bytes, and thousands of GIF comments: copies and joins of old versions of Pillow."""

import io
import struct

from PIL import Image

from muge_fast.datasets.decoding import broken_images

MEMORY = 256 << 20
RATIO = 4


def gif(comments):
    file = io.BytesIO()
    Image.new("P", (8, 8)).save(file, "GIF")
    data = file.getvalue()
    # After the header and the palette.
    start = data.index(b",", 13 + 3 * 2 ** ((data[10] & 7) + 1))
    return data[:start] + comments * (b"!\xfe\xff" + b"x" * 255 + b"\0") + data[start:]


def tiff(tags, size, order="<"):
    shared = 8
    required = {256: 16, 257: 16, 258: 8, 259: 1, 262: 1, 273: shared, 277: 1, 278: 16, 279: 256}
    entries = [(tag, 4, 1, value) for tag, value in required.items()]
    entries += [(30_000 + tag, 1, size, shared) for tag in range(tags)]
    magic = b"II*\0" if order == "<" else b"MM\0*"
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(struct.pack(f"{order}HHII", *row) for row in entries)
    return magic + struct.pack(f"{order}I", shared + size) + bytes(size) + directory + bytes(4)


def prepare():
    good = {"gif": gif(10), "tiff": tiff(2, 500_000), "tiff of other order": tiff(2, 500_000, ">")}
    bad = {"gif of comments": gif(20_000), "tiff of tags": tiff(4000, 540_000), "other": tiff(4000, 540_000, ">")}
    return good, bad


def harmless(images):
    assert not list(broken_images(images[0], list(images[0]), threads=1))


def attack(images):
    reasons = dict(broken_images(images[1], list(images[1]), threads=1))
    assert list(reasons) == list(images[1])
