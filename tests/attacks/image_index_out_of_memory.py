"""Image files under ever larger limits of address space: a ``MemoryError``, then the result, and never an abort."""

import os
import resource
import tempfile
from pathlib import Path

from muge_fast import _core
from muge_fast.datasets import ImageTsv

MEMORY = 2 << 30
RAISED = 3


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


def run_limited(call, extra):
    """Run a call in a child process with ``extra`` bytes; return its exit status."""
    child = os.fork()
    if child == 0:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + extra
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        try:
            call()
        except (MemoryError, RuntimeError):
            # Threads that cannot be started are a RuntimeError.
            os._exit(RAISED)
        except BaseException:  # noqa: BLE001 - seen in the status
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def attack(folder):
    for path in sorted(folder.iterdir()):
        for read in (_core.index_images, lambda name: ImageTsv(name, broken="skip")):
            statuses, extra = [], 3 << 17
            while extra < MEMORY and (not statuses or statuses[-1] != 0):
                statuses.append(run_limited(lambda: read(str(path)), extra))  # noqa: B023 - called at once
                extra = extra * 2
            assert set(statuses[:-1]) == {RAISED << 8}, (path.name, statuses)
            assert statuses[-1] == 0, (path.name, statuses)
