"""A TIFF file of 138 bytes: 16 x 16 pixels in a tile of 46336 x 46336, which takes 2 GiB before it is read."""

import struct

from muge_fast.datasets.decoding import broken_images

MEMORY = 256 << 20


def tiff(tile, compression):
    entries = [
        (256, 3, 1, 16),
        (257, 3, 1, 16),
        (258, 3, 1, 8),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (277, 3, 1, 1),
        (322, 4, 1, tile),
        (323, 4, 1, tile),
        (324, 4, 1, 8),
        (325, 4, 1, 4),
    ]
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<2sHI4s", b"II", 42, 12, b"\0" * 4) + struct.pack("<H", len(entries)) + directory + b"\0" * 4


def attack():
    images = {
        f"{tile}-{compression}": tiff(tile, compression)
        for tile in (46336, 1 << 20, 1 << 31)
        for compression in (1, 5, 7, 8, 32773, 32946)
    }
    images |= {"small": tiff(16, 5)}
    assert list(dict(broken_images(images, list(images), max_pixels=1 << 22, threads=2))) == list(images)
    reasons = dict(broken_images(images, list(images), max_pixels=1 << 22, threads=2))
    assert "tiles of 46336 x 46336" in reasons["46336-5"], reasons
