"""BMP files of runs of equal pixels, which Pillow reads byte by byte in Python: decoded, or refused in about that time.

Honest ones were refused, as a file of too many blocks for its size.
"""

import random

import numpy as np

from image_bytes import bmp_of_runs
from muge_fast.datasets.decoding import broken_images, decode

MEMORY = 256 << 20
RATIO = 4
SIDE = 512


def prepare():
    """Return rows of pixels, the file that has them as runs and single pixels, and hostile files of the same size."""
    source = random.Random(3)
    rows, runs = [], b""
    for _ in range(SIDE):
        row, end = b"", b"\0\0"
        while len(row) < SIDE:
            value = source.randrange(256)
            # Mostly of one pixel, as an encoder that knows nothing else writes noise.
            length = min(source.choice((1, 1, 1, 2, 40)), SIDE - len(row))
            row += bytes([value]) * length
            runs += bytes((length, value))
        rows.append(row)
        runs += end
    # Files begin with the lowest row.
    honest = bmp_of_runs(SIDE, SIDE, runs + b"\0\1")
    blocks = {"steps by nothing": b"\0\2\0\0", "ends of rows": b"\0\0", "runs of nothing": b"\1\1" * 4 + b"\0\2\0\0"}
    bad = {name: bmp_of_runs(SIDE, SIDE, block * (len(runs) // len(block))) for name, block in blocks.items()}
    bad |= {f"long {name}": bmp_of_runs(SIDE, SIDE, block * (6 * SIDE * SIDE)) for name, block in blocks.items()}
    bad["sides below zero"] = bmp_of_runs(-SIDE, -SIDE, runs)
    return rows[::-1], honest, bad


def harmless(prepared):
    rows, honest, bad = prepared
    for _ in bad:
        assert np.asarray(decode(honest)).tobytes() == b"".join(rows)


def attack(prepared):
    _, _, bad = prepared
    assert list(dict(broken_images(bad, list(bad), max_pixels=1 << 22, threads=1))) == list(bad)
