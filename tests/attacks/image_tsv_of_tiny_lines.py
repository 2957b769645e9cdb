"""Lines that are not images, with different ids, with one id, or blank: the index of a line takes more than the line.

Without a gold file, 48 MiB of them took 2.2 GB and 20 seconds when all lines were indexed before any was decoded.
"""

import tempfile
from pathlib import Path

import muge_fast as mf

MEMORY = 640 << 20
RATIO = 20
SIZE = 48 << 20


def prepare():
    folder = Path(tempfile.mkdtemp())
    lines = b"".join(b"%d\tAAAA\n" % number for number in range(100_000, 100_000 + SIZE // 12))
    contents = {
        "unique": lines,
        "repeated": b"1\tAAAA\n" * (SIZE // 7),
        "without image": b"1\t\n" * (SIZE // 3),
        "blank": b"\n" * SIZE + b"1\tAAAA\n",
        "long ids": b"".join(b"%01000d\tA\n" % number for number in range(SIZE // 1000)),
        "harmless": b"1\t" + b"A" * SIZE + b"\n",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def harmless(folder):
    assert not mf.check("t2i", folder / "harmless").ok


def attack(folder):
    counts = {path.name: mf.check("t2i", path).problem_count for path in sorted(folder.iterdir())}
    everything = mf.Limits().stop_after
    assert counts == dict.fromkeys(("long ids", "repeated", "unique", "without image"), everything) | {
        "blank": 1,
        "harmless": 1,
    }, counts
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
