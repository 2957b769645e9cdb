"""Archives whose directory lists a million files and more, in 46 bytes each: refused before the list is read.

Python's ``zipfile`` makes an object for each, which took 400 MB for a file of 50 MB, as images, features, statistics,
document frequencies or weights. The record at the end may say that there is one file: the list itself counts.
"""

import struct
import tempfile
import tracemalloc
from pathlib import Path

import muge_fast as mf
from muge_fast.evaluation import describe
from muge_fast.image import FID, KID, Statistics, fid

MEMORY = 512 << 20
COUNT = 1_100_000
NAMES = ("a.zip", "a.npz", "a.pth", "zip64.npz", "one.zip", "one.npz")


def directory(count):
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", *[20, 3, 20, 0], *[0] * 4, 0, *[0] * 2, 1, *[0] * 6)
    return (entry + b"a") * count


def write(path, *, is_wide=False, claimed=COUNT):
    """Write an archive; the count in its end record is the claimed one."""
    entries = directory(COUNT)
    end = b"PK\3\4" + entries
    if is_wide:
        wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, claimed, claimed, len(entries), 4)
        end += wide + struct.pack("<4sLQL", b"PK\6\7", 0, len(end), 1)
    end += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, min(claimed, 0xFFFF), min(claimed, 0xFFFF), len(entries), 4, 0)
    path.write_bytes(end)


def prepare():
    folder = tempfile.TemporaryDirectory()
    for name in NAMES:
        write(Path(folder.name, name), is_wide=name.startswith("zip64"), claimed=1 if name.startswith("one") else COUNT)
    return folder


def calls(folder):
    def brightness(images):
        return [[float(image.mean())] for image in images]

    for name in NAMES:
        path = Path(folder, name)
        if path.suffix == ".zip":
            yield lambda: fid(path, path, extractor=brightness)  # noqa: B023 - called at once
        elif path.suffix == ".npz":
            for load in (Statistics.load, FID.load, KID.load, mf.DocumentFrequency.load, mf.read_features):
                yield lambda: load(path)  # noqa: B023
        else:
            yield lambda: fid(path, path, weights=path)  # noqa: B023


def attack(folder):
    for index, call in enumerate(calls(folder.name)):
        tracemalloc.start()
        try:
            call()
        except ValueError:
            pass
        else:
            raise AssertionError(index)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # The file, for a table of document frequencies, and the list.
        assert peak < 3 * 47 * COUNT, (index, peak)
    assert describe(Path(folder.name, "a.npz"))["problems"]
