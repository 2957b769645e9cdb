"""Image files made byte by byte, for attacks."""

import io
import struct
import zlib

from PIL import Image

# Tags of an uncompressed TIFF file of 16 x 16 gray pixels, with type, count and value. Pixels begin at byte 8.
TIFF = {256: 16, 257: 16, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 16, 279: 256}
TIFF = {number: (4, 1, value) for number, value in TIFF.items()}


def saved(image, kind, **options):
    """Return the bytes of an image file; an image may be its mode, for 64 x 64 pixels."""
    file = io.BytesIO()
    (Image.new(image, (64, 64)) if isinstance(image, str) else image).save(file, kind, **options)
    return file.getvalue()


def directory(tags, byte_order="<", entry="HHII"):
    """Return a directory of a TIFF file; ``entry`` is ``"HHQQ"`` for a large one, BigTIFF."""
    count, end = ("Q", 8) if entry == "HHQQ" else ("H", 4)
    rows = b"".join(struct.pack(byte_order + entry, number, *tags[number]) for number in sorted(tags))
    return struct.pack(byte_order + count, len(tags)) + rows + bytes(end)


def tiff(tags, data=b"", byte_order="<", magic=None, entry="HHII"):
    """Return a TIFF file: data from byte 8 on (16 for a large file), then the directory."""
    is_big = entry == "HHQQ"
    magic = magic or struct.pack(byte_order + "H", 43 if is_big else 42) + is_big * struct.pack(byte_order + "HH", 8, 0)
    data = data.ljust(256, b"\0")
    head = (b"II" if byte_order == "<" else b"MM") + magic
    offset = struct.pack(byte_order + ("Q" if is_big else "I"), len(head) + (8 if is_big else 4) + len(data))
    return head + offset + data + directory(TIFF | tags, byte_order, entry)


def with_scans(jpeg, count):
    """Return a progressive JPEG file with its last scan again and again, before the end of the image."""
    return jpeg[:-2] + count * jpeg[jpeg.rindex(b"\xff\xda") : -2] + jpeg[-2:]


def with_segments(jpeg, marker, contents):
    """Return a JPEG file with more segments at its beginning, in the place of JFIF's."""
    length = int.from_bytes(jpeg[4:6], "big")
    made = b"".join(b"\xff" + marker + struct.pack(">H", len(content) + 2) + content for content in contents)
    return jpeg[:2] + made + jpeg[4 + length :]


def chunk(kind, data=b""):
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def after_palette(gif):
    """Return where the blocks of a GIF file begin, after its header and palette."""
    return gif.index(b",", 13 + 3 * 2 ** ((gif[10] & 7) + 1))


def bmp_of_runs(width, height, runs):
    """Return a BMP file of 8 bits for each pixel, with runs of equal pixels; palette entry ``n`` is the gray ``n``."""
    palette = b"".join(bytes((gray, gray, gray, 0)) for gray in range(256))
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
    start = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + info + palette + runs
