"""Signals that end a command: SIGTERM and SIGHUP become an exception, so that temporary files are removed.

Only the command does this. In a program that imports the package, signals do what the program wants.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# SIGHUP does not exist on Windows.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Terminated(BaseException):
    """Raised where the command is when SIGTERM or SIGHUP arrives.

    Args:
        number: Number of the signal.

    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """Exit code of a program that the signal ends, 128 and its number."""
        return 128 + self.number


@contextmanager
def raising_signals() -> Iterator[None]:
    """Raise :class:`Terminated` for SIGTERM and SIGHUP within the block.

    Signals that are ignored, as SIGHUP by ``nohup``, or that have a handler are left alone, and outside of the main
    thread, which alone can have handlers, nothing is done.

    Yields:
        Nothing.

    Example:
        >>> import signal
        >>> from muge_fast.cli.signals import Terminated, raising_signals
        >>> try:
        ...     with raising_signals():
        ...         signal.raise_signal(signal.SIGTERM)
        ... except Terminated as ended:
        ...     print(ended.exit_code)
        143

    """
    is_main = threading.current_thread() is threading.main_thread()
    numbers = [number for number in SIGNALS if is_main and signal.getsignal(number) is signal.SIG_DFL]
    try:
        for number in numbers:
            signal.signal(number, _raise)
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _raise(number: int, frame: FrameType | None) -> None:
    del frame
    # The command timeout sends the signal twice, and the second one must not interrupt the removal of files.
    for other in SIGNALS:
        if signal.getsignal(other) is _raise:
            signal.signal(other, _ignore)
    raise Terminated(number)


def _ignore(number: int, frame: FrameType | None) -> None:
    del number, frame
