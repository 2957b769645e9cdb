"""Image files under ever larger limits of address space: a ``MemoryError``, then the result, and never an abort."""

import tempfile
from functools import partial
from pathlib import Path

from limited_memory import RAISED, run_limited
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
            statuses, extra = [], 3 << 17
            while extra < MEMORY and (not statuses or statuses[-1] != 0):
                # Threads that cannot be started are a RuntimeError.
                call = partial(read, str(path))
                statuses.append(run_limited(call, extra, (MemoryError, RuntimeError)))
                extra = extra * 2
            assert set(statuses[:-1]) == {RAISED << 8}, (path.name, statuses)
            assert statuses[-1] == 0, (path.name, statuses)
