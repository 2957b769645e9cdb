"""Image files under ever larger limits of address space: a ``MemoryError``, then the result, and never an abort."""

import tempfile
from functools import partial
from pathlib import Path

from limited_memory import raise_limit
from muge_fast import _core
from muge_fast.datasets import ImageTsv

MEMORY = 2 << 30


def prepare():
    folder = Path(tempfile.mkdtemp())
    contents = {
        "short": b"".join(b"%d\tA\n" % number for number in range(100_000)),
        "long ids": b"".join(b"%01000d\tA\n" % number for number in range(3_000)),
        "broken": b"x\n" * 100_000,
        "blank": b"\n" * (4 << 20) + b"1\tA\n",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def attack(folder):
    for path in sorted(folder.iterdir()):
        for read in (_core.index_images, lambda name: ImageTsv(name, broken="skip")):
            # Threads that cannot be started are a RuntimeError.
            raised = MemoryError, RuntimeError
            assert raise_limit(partial(read, str(path)), 3 << 17, most=MEMORY, raised=raised), path.name
