"""Zip files of images that unpack to far more, need a password, or have odd names; folders that are deep or loop."""

import os
import struct
import tempfile
import warnings
import zipfile
from pathlib import Path

from muge_fast.image.sources import decode_batches, open_images

MEMORY = 512 << 20
RATIO = 20


def bmp():
    """Return 8 MiB of pixels that deflate to 8 KiB."""
    header = struct.pack("<IiiHHIIiiII", 40, 2048, 1024, 1, 32, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + (8 << 20), 0, 0, 54) + header + bytes(8 << 20)


def overlapping(path, count):
    """Write an archive of many members that are the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.bmp", bmp())
        member = archive.infolist()[0]
        for number in range(1, count):
            copy = zipfile.ZipInfo(f"{number}.bmp")
            for name in ("compress_type", "CRC", "compress_size", "file_size", "header_offset", "flag_bits"):
                setattr(copy, name, getattr(member, name))
            archive.filelist.append(copy)
            archive.NameToInfo[copy.filename] = copy


def named(path, names, flags=0):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, b"no image")
    if flags:
        data = bytearray(path.read_bytes())
        data[data.index(b"PK\1\2") + 8] |= flags
        path.write_bytes(data)


def prepare():
    folder = Path(tempfile.mkdtemp())
    overlapping(folder / "overlapping.zip", 20_000)
    named(folder / "encrypted.zip", ["a.png"], flags=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        named(folder / "twice.zip", ["a.png", "a.png", "\x1b]0;x\x07.png", "\x1b]0;x\x07.png"])
    named(folder / "outside.zip", ["../../a.png", "/b.png", "c/../d.png", "\x1b[2Je.png"])
    named(folder / "harmless.zip", [f"{number}.png" for number in range(20_000)])
    deep = folder / "deep"
    deep.mkdir()
    before = Path.cwd()
    # A path of more than a thousand folders, which is longer than Python's calls may be deep.
    os.chdir(deep)
    try:
        for _ in range(1500):
            os.mkdir("d")  # noqa: PTH102 - from where we are
            os.chdir("d")
        Path("a.png").write_bytes(b"no image")
    finally:
        os.chdir(before)
    looping = folder / "looping"
    looping.mkdir()
    (looping / "a.png").write_bytes(b"no image")
    (looping / "self").symlink_to(looping)
    (looping / "ring").symlink_to("ring")
    pipe = folder / "pipe"
    pipe.mkdir()
    os.mkfifo(pipe / "a.png")
    os.mkfifo(folder / "pipe.zip")
    return folder


def harmless(folder):
    open_images(folder / "harmless.zip")


def problem(source):
    try:
        list(decode_batches(source, 8, 2))
    except (ValueError, OSError) as error:
        return str(error)
    raise AssertionError(source)


def attack(folder):
    warnings.simplefilter("ignore")
    expected = {
        "overlapping.zip": "unpacks to",
        "encrypted.zip": "is encrypted",
        "twice.zip": "twice",
        "outside.zip": "is broken: not an image",
        "deep": "is broken: not an image",
        "looping": "is broken: not an image",
        "pipe": "not a regular file",
        "pipe.zip": "not a regular file",
    }
    for name, part in expected.items():
        message = problem(folder / name)
        assert part in message, (name, message)
        assert "\x1b" not in message, (name, message)
