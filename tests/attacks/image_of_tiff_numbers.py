"""TIFF tags of millions of numbers on the same bytes, which become Python's: each takes ten times its size."""

import struct

from muge_fast.datasets.decoding import broken_images

MEMORY = 256 << 20

SIZES = {1: 1, 3: 2, 4: 4, 5: 8, 6: 1, 12: 8}


def tiff(size, kind, byte_order):
    required = {256: (4, 1, 16), 257: (4, 1, 16), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 273: (4, 1, 8)}
    required |= {277: (3, 1, 1), 278: (4, 1, 16), 279: (4, 1, 256)}
    required |= dict.fromkeys((258, 278, 279, 338, 339, 273, 282), (kind, size // SIZES[kind], 8))
    entries = b"".join(struct.pack(f"{byte_order}HHII", tag, *required[tag]) for tag in sorted(required))
    magic = {"<": b"II*\0", ">": b"MM\0*"}[byte_order]
    count = struct.pack(f"{byte_order}H", len(required))
    return magic + struct.pack(f"{byte_order}I", 8 + size) + bytes(size) + count + entries + bytes(4)


def attack():
    for byte_order in "<>":
        images = {kind: tiff(16 << 20, kind, byte_order) for kind in (3, 4, 5, 6, 12)}
        reasons = dict(broken_images(images, list(images), threads=1))
        assert list(reasons) == list(images)
        assert all("numbers" in reason for reason in reasons.values()), reasons
