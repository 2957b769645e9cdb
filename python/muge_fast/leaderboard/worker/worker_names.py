"""Names of workers, by which another worker of the same machine sees whether a process still exists."""

from __future__ import annotations

import os
import platform
from pathlib import Path

FIELDS = 5


def worker_name(slot: str) -> str:
    """Return the name of a slot of this process.

    Args:
        slot: The slot, such as ``"1"``.

    Returns:
        Machine, start of the machine with its namespace of processes, process, start of the process, and slot.

    Example:
        >>> from muge_fast.leaderboard.worker.worker_names import is_lost, worker_name
        >>> is_lost(worker_name("1"))
        False

    """
    return "/".join((*_machine(), str(os.getpid()), _start_of("self"), slot))


def is_lost(name: str) -> bool:
    """Return whether the process of a worker has ended for certain.

    Args:
        name: Name of the worker.

    Returns:
        True if it ran on this machine and ended, or the machine was started again. False if it exists, and for workers
        of other machines, containers and programs.

    Example:
        >>> from muge_fast.leaderboard.worker.worker_names import is_lost
        >>> is_lost("in-process")
        False

    """
    fields = name.split("/")
    if len(fields) != FIELDS:
        return False
    machine, process, start = (fields[0], fields[1]), fields[2], fields[3]
    if machine != _machine() or not process.isdecimal() or not start:
        return False
    return _start_of(process) != start


def _machine() -> tuple[str, str]:
    # The identifier of a start differs between machines of the same name. Containers see processes of their namespace.
    return platform.node().replace("/", "-")[:80], f"{_read('/proc/sys/kernel/random/boot_id')[:8]}-{_namespace()}"


def _namespace() -> int:
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0


def _start_of(process: str) -> str:
    """Return when a process was started, in ticks; empty if there is no such process, or no ``/proc``."""
    # The second field, the name of the program in parentheses, may have spaces.
    fields = _read(f"/proc/{process}/stat").rpartition(")")[2].split()
    is_dead = fields[:1] in (["Z"], ["X"])
    return "" if is_dead or len(fields) < 20 else fields[19]  # noqa: PLR2004 - of proc(5)


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""
