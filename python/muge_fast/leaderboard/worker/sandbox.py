"""The sandbox of a scoring process: what a file that breaks a parser can still do.

The process gives up, for good, what it does not need: the network, other files, new programs and processes, memory and
time beyond a limit. Each part depends on the kernel and on the user; :func:`sandbox_state` says which ones are active
here, and why the others are not.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

MEGABYTE = 1 << 20
OPEN_FILES = 256
PROCESSES = 256

# Numbers of Linux, the same on all 64-bit machines that NumPy supports.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION = 1
PATH_BENEATH = 1
READ_FILE, READ_DIR = 1 << 2, 1 << 3
# Rights of files by version of Landlock; a right that is handled and in no rule is refused.
RIGHTS_OF_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
TCP_RIGHTS, TCP_VERSION = 0b11, 4
SCOPES, SCOPES_VERSION = 0b11, 6

SET_PARENT_DEATH_SIGNAL, SET_DUMPABLE, SET_NO_NEW_PRIVILEGES = 1, 4, 38
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000


@dataclass(frozen=True)
class SandboxLimits:
    """Limits of a scoring process.

    Attributes:
        memory: Bytes of memory beyond those of its parent.
        cpu_seconds: Seconds of processor time, of all threads together.

    """

    memory: int = 4096 * MEGABYTE
    cpu_seconds: int = 600


class SandboxPart(NamedTuple):
    """A part of the sandbox.

    Attributes:
        name: ``"no_new_privileges"``, ``"files"``, ``"network"`` or the name of a limit.
        is_active: Whether it protects.
        reason: Why it does not; empty if it does.

    """

    name: str
    is_active: bool
    reason: str = ""


def enter_sandbox(readable: Sequence[Path], limits: SandboxLimits) -> list[SandboxPart]:
    """Allow nothing but reading some files from now on, for good. Call it in a process that has one thread.

    Args:
        readable: Files and folders that stay readable.
        limits: Limits of memory and time; 0 stands for no limit.

    Returns:
        The parts, active or not.

    """
    return [
        _part("no_new_privileges", lambda: _prctl(SET_NO_NEW_PRIVILEGES, 1)),
        _part("no_core_dumps", lambda: _prctl(SET_DUMPABLE, 0)),
        # These read /proc, and the user is another one in a namespace.
        *_limits(limits),
        _part("network", _leave_network),
        _part("files", lambda: _restrict_files(readable)),
    ]


def _part(name: str, enter: Callable[[], object]) -> SandboxPart:
    try:
        enter()
    except (OSError, ValueError) as error:
        return SandboxPart(name, False, str(error))
    return SandboxPart(name, True)


def end_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends.

    Args:
        parent: Id of the parent.

    """
    if sys.platform == "linux":
        _prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


# Limits


def _limits(limits: SandboxLimits) -> list[SandboxPart]:
    wanted = {
        "memory": (resource.RLIMIT_AS, limits.memory and address_space() + limits.memory),
        "cpu_time": (resource.RLIMIT_CPU, limits.cpu_seconds),
        "open_files": (resource.RLIMIT_NOFILE, OPEN_FILES),
        "core_size": (resource.RLIMIT_CORE, 0),
        "written_bytes": (resource.RLIMIT_FSIZE, 0),
    }
    parts = []
    for name, (kind, value) in wanted.items():
        if name in {"memory", "cpu_time"} and not value:
            parts.append(SandboxPart(name, False, "no limit is set"))
        else:
            parts.append(_part(name, lambda kind=kind, value=value: _set_limit(kind, value)))  # type: ignore[misc]
    return [*parts, _limit_processes()]


def _set_limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _limit_processes() -> SandboxPart:
    # The kernel counts all processes of the user, in this machine or in the user namespace.
    if os.geteuid() == 0:
        return SandboxPart("processes", False, "the kernel has no such limit for root: run workers as another user")
    return _part("processes", lambda: _set_limit(resource.RLIMIT_NPROC, processes_of_user() + PROCESSES))


def processes_of_user() -> int:
    """Return the number of threads of all processes of this user.

    Returns:
        The number; 0 where it cannot be determined.

    """
    user = os.geteuid()
    return sum(_threads(folder) for folder in Path("/proc").glob("[0-9]*") if _owner(folder) == user)


def _threads(folder: Path) -> int:
    with suppress(OSError):
        return len(list((folder / "task").iterdir()))
    return 0


def _owner(folder: Path) -> int | None:
    with suppress(OSError):
        return folder.stat().st_uid
    return None


def address_space() -> int:
    """Return the size of the address space of this process.

    Returns:
        Bytes; 0 where it cannot be determined.

    """
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return 0


# Calls of the kernel


def _leave_network() -> None:
    """Enter a namespace without a network; as an ordinary user, in a namespace of users too."""
    try:
        _unshare(NEW_NETWORK)
    except OSError:
        _unshare(NEW_USER | NEW_NETWORK)


def _restrict_files(readable: Sequence[Path]) -> None:
    """Allow reading of some files, and nothing else that has a path."""
    if platform.machine() not in {"x86_64", "aarch64"}:
        raise ValueError(f"not tried on {platform.machine()}")
    version = landlock_version()
    rights = RIGHTS_OF_VERSION[min(version, max(RIGHTS_OF_VERSION))]
    network = TCP_RIGHTS if version >= TCP_VERSION else 0
    scopes = SCOPES if version >= SCOPES_VERSION else 0
    # Older kernels know a shorter structure, and accept a longer one whose further fields are zero.
    attributes = struct.pack("=QQQ", rights, network, scopes)
    ruleset = _call(CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for path in readable:
            _allow_reading(ruleset, path)
        _prctl(SET_NO_NEW_PRIVILEGES, 1)
        _call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow_reading(ruleset: int, path: Path) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = READ_FILE | READ_DIR if path.is_dir() else READ_FILE
        _call(ADD_RULE, ruleset, PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)
    finally:
        os.close(descriptor)


def landlock_version() -> int:
    """Return the version of Landlock that the kernel has.

    Returns:
        The version, from 1.

    Raises:
        OSError: The kernel has no Landlock, or it is switched off.

    """
    return _call(CREATE_RULESET, None, 0, VERSION)


def _libc() -> ctypes.CDLL:
    if sys.platform != "linux":
        raise OSError(f"{sys.platform} has no such call")
    return ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: object) -> int:
    result: int = _libc().syscall(ctypes.c_long(number), *map(_argument, arguments))
    return _checked(result)


def _argument(value: object) -> object:
    return ctypes.c_long(value) if isinstance(value, int) else value


def _prctl(option: int, value: int) -> None:
    _checked(_libc().prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)))


def _unshare(flags: int) -> None:
    _checked(_libc().unshare(flags))


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


# For organizers


def sandbox_state() -> list[SandboxPart]:
    """Try the sandbox in a new process, and return which parts are active on this machine.

    Returns:
        The parts, with the reason of each that is not active.

    Example:
        >>> from muge_fast.leaderboard.worker.sandbox import sandbox_state
        >>> {part.name: part.is_active for part in sandbox_state()}["no_core_dumps"]
        True

    """
    command = [sys.executable, "-c", _PROBE]
    found = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603 - our own script
    if found.returncode:
        return [SandboxPart("sandbox", False, f"the probe ended with code {found.returncode}")]
    return [SandboxPart(*part) for part in json.loads(found.stdout)]


_PROBE = """
import json, socket
from pathlib import Path
from muge_fast.leaderboard.worker.sandbox import SandboxLimits, SandboxPart, enter_sandbox
parts = {part.name: part for part in enter_sandbox([], SandboxLimits())}
try:
    open("/etc/passwd").close()
    if parts["files"].is_active:
        parts["files"] = SandboxPart("files", False, "another file could be read all the same")
except OSError:
    pass
print(json.dumps(list(parts.values())))
"""
