"""Running the processes of a board: they are started again when they end, and end with the supervisor."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

POLL = 0.05

# Seconds before a process is started again, doubled for each end soon after a start.
FIRST_DELAY, LONGEST_DELAY = 0.1, 30.0
# A process that has run for these seconds has started well.
SETTLED = 10.0
# Seconds in which processes finish what they do; afterwards they are killed.
GRACE = 20.0

WRONG_USAGE = 2
"""Exit code of a process that cannot run at all, such as with settings that cannot be used."""

SUPERVISOR_VARIABLE = "MUGE_FAST_SUPERVISOR"
"""Environment variable of a supervised process with the id of its supervisor."""

SIGNALS = (signal.SIGTERM, signal.SIGINT)
PR_SET_PDEATHSIG = 1


@dataclass(eq=False)
class Supervised:
    """A process that is kept running.

    Attributes:
        name: Name in messages, such as ``"worker 1"``.
        command: Program and arguments.
        descriptors: Descriptors that it inherits.

    """

    name: str
    command: Sequence[str]
    descriptors: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started: float = field(default=0.0, init=False)
    due: float = field(default=0.0, init=False)
    delay: float = field(default=0.0, init=False)
    has_settled: bool = field(default=False, init=False)

    def start(self, environment: Mapping[str, str]) -> None:
        """Start the process, in a group without the signals of the terminal.

        Args:
            environment: Its environment.

        """
        self.started = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - the program is this one
            list(self.command), env=dict(environment), pass_fds=self.descriptors, start_new_session=True
        )

    def ended(self) -> int | None:
        """Return the exit code of a process that has ended, once, and plan the next start.

        Returns:
            The exit code, negative for a signal; None if it runs or waits for its start.

        """
        code = self.process.poll() if self.process is not None else None
        if code is None:
            return None
        now = time.monotonic()
        is_settled = now - self.started > SETTLED
        self.has_settled |= is_settled
        self.delay = FIRST_DELAY if is_settled else min(max(2 * self.delay, FIRST_DELAY), LONGEST_DELAY)
        self.process, self.due = None, now + self.delay
        return code

    def send(self, number: int) -> None:
        """Send a signal to the process, if it runs.

        Args:
            number: The signal.

        """
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)


def supervise(
    children: Sequence[Supervised], *, report: Callable[[Supervised, int, float], object], grace: float = GRACE
) -> int:
    """Keep processes running until SIGTERM or Ctrl-C, then end them.

    They get SIGTERM, and SIGKILL if they still run after some time or after a second signal.

    Args:
        children: The processes.
        report: Function that is called with a process that ended, its exit code, and the seconds until its next start.
        grace: Seconds in which they may finish what they do.

    Returns:
        0; or 2 if a process ended with 2 soon after its first start, because it would do so again.

    """
    environment = {**os.environ, SUPERVISOR_VARIABLE: str(os.getpid())}
    with _stopping() as stop:
        try:
            return _keep_running(children, environment, stop, report)
        finally:
            _end(children, stop, grace)


class Stop:
    """Counts the signals that ask for the end."""

    def __init__(self) -> None:
        self.count = 0
        self.event = threading.Event()

    def note(self, number: int, frame: FrameType | None) -> None:
        """Count a signal.

        Args:
            number: The signal.
            frame: Where it arrived.

        """
        del number, frame
        self.count += 1
        self.event.set()


@contextmanager
def _stopping() -> Iterator[Stop]:
    """Count signals within the block, and raise nothing where they arrive."""
    stop = Stop()
    before = {number: signal.signal(number, stop.note) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _keep_running(
    children: Sequence[Supervised],
    environment: Mapping[str, str],
    stop: Stop,
    report: Callable[[Supervised, int, float], object],
) -> int:
    while not stop.count:
        for child in children:
            code = child.ended()
            # Later, the same code may mean a database that is away for a while.
            if code == WRONG_USAGE and not child.has_settled:
                return WRONG_USAGE
            if code is not None:
                report(child, code, child.delay)
            if child.process is None and time.monotonic() >= child.due and not stop.count:
                child.start(environment)
        stop.event.wait(POLL)
    return 0


def _end(children: Sequence[Supervised], stop: Stop, grace: float) -> None:
    asked, last = stop.count, time.monotonic() + grace
    for child in children:
        child.send(signal.SIGTERM)
    while any(child.process is not None and child.process.poll() is None for child in children):
        if stop.count > max(asked, 1) or time.monotonic() > last:
            for child in children:
                child.send(signal.SIGKILL)
        time.sleep(POLL)


def end_with_supervisor() -> None:
    """Ask for SIGTERM when the supervisor of this process dies, even if it is killed.

    A process without a supervisor is left alone.
    """
    supervisor = os.environ.get(SUPERVISOR_VARIABLE)
    if supervisor is None:
        return
    # Not for the processes that this one starts.
    del os.environ[SUPERVISOR_VARIABLE]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(int(supervisor),), daemon=True).start()
    if os.getppid() != int(supervisor):
        # It died before.
        os.kill(os.getpid(), signal.SIGTERM)


def _watch(supervisor: int) -> None:
    """Send SIGTERM to this process when it has another parent."""
    while os.getppid() == supervisor:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
