"""TIFF files of some hundred bytes that make a decoder take gigabytes before it reads a pixel.

16 x 16 pixels in a tile of 46336 x 46336 took 2 GiB. LZMA data that says that it needs a dictionary of 4 GiB was a
broken image where the address space is limited, and a valid one elsewhere.
"""

import lzma
import zlib

import numpy as np

from image_bytes import TIFF, tiff
from muge_fast.datasets.decoding import broken_images, decode

MEMORY = 256 << 20
COMPRESSION, COUNT, LZMA = 259, 279, 34925
PIXELS = bytes(range(256))
# Bytes of LZMA data before the first block.
HEADER = 12


def tile(size, compression):
    tiles = {COMPRESSION: (4, 1, compression), 322: (4, 1, size), 323: (4, 1, size), 324: (4, 1, 8), 325: (4, 1, 4)}
    return tiff(tiles)


def block(code):
    """Return LZMA data of one block, for a dictionary of a size, which a number from 0 to 40 stands for."""
    filters = [{"id": lzma.FILTER_DELTA, "dist": 1}, {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]
    data = bytearray(lzma.compress(PIXELS, check=lzma.CHECK_NONE, filters=filters))
    # Of the header of the first block, which ends with a checksum.
    end = HEADER + 4 * (data[HEADER] + 1)
    data[data.index(b"\x21\x01", HEADER) + 2] = code
    data[end - 4 : end] = zlib.crc32(data[HEADER : end - 4]).to_bytes(4, "little")
    return bytes(data)


def dictionary(*codes):
    """Return a file with a block of LZMA data for each number."""
    blocks = [block(code) for code in codes]
    # The index and the footer of the last block follow all of them; a decoder reads them after the pixels.
    sizes = [len(data) - 12 - 4 * (data[-8] + 1) for data in blocks]
    data = blocks[0][: sizes[0]] + b"".join(data[HEADER:size] for data, size in zip(blocks[1:], sizes[1:], strict=True))
    data += blocks[-1][sizes[-1] :]
    return tiff({COMPRESSION: (4, 1, LZMA), COUNT: (4, 1, len(data))}, data)


def many_filters():
    """Return a file of 3 MB in which each byte might belong to the header of a block."""
    data = block(12) + b"\x21\x01\x28" * (1 << 20)
    return tiff({COMPRESSION: (4, 1, LZMA), COUNT: (4, 1, len(data))}, data)


def attack():
    images = {
        f"{size}-{compression}": tile(size, compression)
        for size in (46336, 1 << 20, 1 << 31)
        for compression in (1, 5, 7, 8, 32773, 32946)
    }
    images |= {"small": tile(16, 5)} | {code: dictionary(code) for code in (29, 36, 40)}
    images |= {"second": dictionary(12, 40), "many": many_filters()}
    reasons = dict(broken_images(images, list(images), max_pixels=1 << 22, threads=2))
    assert list(reasons) == list(images)
    assert "tiles of 46336 x 46336" in reasons["46336-5"], reasons
    assert "dictionary of 4294967296 bytes" in reasons[40], reasons
    assert "dictionary of 4294967296 bytes" in reasons["second"], reasons
    assert "dictionary of" in reasons["many"], reasons
    assert np.asarray(decode(dictionary(12))).tobytes() == PIXELS
    assert np.asarray(decode(tiff(TIFF, PIXELS))).tobytes() == PIXELS
