"""Tags of TIFF files, and of segments in JPEG files, that share their bytes or have millions of numbers.

Pillow makes an object of Python of each number, also in the directories that a TIFF file has for Exif and GPS, and
versions before 13 copy the bytes of each tag. 16 MiB of Exif took 324 MiB and 6 seconds; with Pillow 10, a JPEG file of
65 KB took 1.2 GiB and 23 seconds, and a TIFF file of 548 KB 1.9 GiB.
"""

import numpy as np

from image_bytes import TIFF, directory, saved, tiff, with_segments
from muge_fast.datasets.decoding import broken_images, decode, quiet_decoding

MEMORY = 256 << 20
RATIO = 4
SIZES = {1: 1, 3: 2, 4: 4, 5: 8, 6: 1, 12: 8, 16: 8}
SIZE = 16 << 20
EXIF, GPS, INTEROPERABILITY, RESOLUTION, UNIT, ORIENTATION, OFFSETS, COUNTS = (
    34665,
    34853,
    40965,
    282,
    296,
    274,
    273,
    279,
)
# Tags that Pillow reads to open an image.
READ = (258, COUNTS, 338, 339, OFFSETS, RESOLUTION)


def shared(tags, size, byte_order="<"):
    """Return a file with many tags of the same bytes."""
    return tiff({30_000 + tag: (1, size, 8) for tag in range(tags)}, bytes(size), byte_order)


def numbers(kind, byte_order="<", **options):
    return tiff(dict.fromkeys(READ, (kind, SIZE // SIZES[kind], 8)), bytes(SIZE), byte_order, **options)


def in_directory(pointer, kind, byte_order, magic=None):
    """Return a file with a tag of many numbers in a directory that another tag points to."""
    size = 8 + SIZE + len(directory(TIFF | {pointer: (4, 1, 0)}))
    inner = directory({40_000: (kind, SIZE // SIZES[kind], 8)}, byte_order)
    return tiff({pointer: (4, 1, size)}, bytes(SIZE), byte_order, magic) + inner


def exif(tags, size):
    """Return the tags of a JPEG file, all of which have the same bytes."""
    head = directory(tags)
    return b"II*\0" + (8).to_bytes(4, "little") + head + bytes(8 + size - len(head))


def in_segments(blob):
    parts = [blob[at : at + 65_000] for at in range(0, len(blob), 65_000)]
    return with_segments(saved("L", "JPEG"), b"\xe1", [b"Exif\0\0" + part for part in parts])


def pictures(kind, tags):
    """Return a JPEG file that says that it has several pictures."""
    size = 33_000
    blob = exif({30_000 + tag: (kind, size // SIZES[kind], 31_000) for tag in range(tags)}, 65_000 - 8)[:65_000]
    return with_segments(saved("L", "JPEG"), b"\xe2", [b"MPF\0" + blob])


def prepare():
    good = {
        "tiff": shared(2, 500_000),
        "tiff of other order": shared(2, 500_000, ">"),
        "exif": in_segments(exif({UNIT: (3, 1, 2), RESOLUTION: (5, 1, 60)}, 200)),
        "long exif": in_segments(exif({30_000: (7, 500_000, 100)}, 600_000)),
        "damaged exif": in_segments(exif({30_000 + tag: (3, 1 << 30, 60) for tag in range(50)}, 2000)),
        "pictures": pictures(5, 3),
    }
    bad = {f"shared {order}": shared(4000, 540_000, order) for order in "<>"}
    bad |= {f"{kind} {order}": numbers(kind, order) for order in "<>" for kind in (3, 4, 5, 6, 12)}
    # Which Pillow takes for a small file.
    bad["order of a large file"] = numbers(3, ">", magic=b"\0+")
    bad["large"] = tiff(dict.fromkeys(READ, (16, SIZE // 8, 16)), bytes(SIZE), entry="HHQQ")
    for pointer in (EXIF, GPS, INTEROPERABILITY):
        bad |= {f"{pointer} {kind} {order}": in_directory(pointer, kind, order) for order in "<>" for kind in (3, 5)}
    bad |= {
        f"exif {kind}": in_segments(exif(dict.fromkeys((UNIT, RESOLUTION), (kind, SIZE // SIZES[kind], 60)), SIZE))
        for kind in (3, 5)
    }
    bad["shared exif"] = in_segments(exif({30_000 + tag: (1, 500_000, 50_000) for tag in range(4000)}, 600_000))
    bad["hidden exif"] = with_segments(bad["exif 3"], b"\xe0", [b"\xff\xe1\1\0Exif\0\0"])
    bad |= {f"pictures {kind}": pictures(kind, 2500) for kind in (1, 3, 5, 12)}
    return good, bad


def reasons_of(images):
    with quiet_decoding():
        return dict(broken_images(images, list(images), threads=1))


def harmless(images):
    assert not reasons_of(images[0])
    assert np.asarray(decode(images[0]["exif"])).tolist() == [[0] * 64] * 64


def attack(images):
    reasons = reasons_of(images[1])
    assert list(reasons) == list(images[1])
    assert all("tags" in reason for reason in reasons.values()), reasons
