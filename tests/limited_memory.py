"""Run a call in a child process with little address space."""

import os
from pathlib import Path

RAISED = 3
"""Exit code where an expected exception was raised."""


def limit_memory(extra):
    """Allow this process ``extra`` bytes of address space beyond those in use, on systems with such a limit."""
    try:
        import resource  # noqa: PLC0415 - not on Windows

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return
    limit = pages * resource.getpagesize() + extra
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def run_limited(call, extra, raised=(MemoryError,)):
    """Run a call in a child process with ``extra`` bytes; return the exit status of the process.

    The exit code is that which the call returns, 0 if it returns another object, ``RAISED`` for one of the exceptions
    ``raised``, and 1 for any other.
    """
    child = os.fork()
    if child == 0:
        limit_memory(extra)
        try:
            code = call()
        except raised:
            os._exit(RAISED)
        except BaseException:  # noqa: BLE001 - seen in the status
            os._exit(1)
        os._exit(code if type(code) is int else 0)
    return os.waitpid(child, 0)[1]


def raise_limit(call, extra, *, factor=2.0, most=2 << 30, raised=(MemoryError,)):
    """Run a call with ``extra`` bytes, then with ever more until it returns; return how many times it raised.

    Any other end of the process is an error, and so is a call that needs more than ``most`` bytes.
    """
    failed = 0
    while (status := run_limited(call, min(int(extra), most), raised)) != 0:
        assert status == RAISED << 8, (extra, status)
        assert extra < most, extra
        failed, extra = failed + 1, extra * factor
    return failed
