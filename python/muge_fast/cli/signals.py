"""Signals that end a command: SIGTERM and SIGHUP become an exception, so that temporary files are removed.

Only the command does this. In a program that imports the package, signals do what the program wants.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

# SIGHUP does not exist on Windows.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))

# The command timeout sends a signal twice, and the second one must not interrupt the removal of files. After this many
# seconds a signal counts again.
PAUSE = 1.0
# Seconds until a signal is sent again.
DELAY = 0.01
# When the last signal was raised as an exception.
_raised: list[float] = []


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


def find_signal(error: BaseException | None) -> KeyboardInterrupt | Terminated | None:
    """Return the exception of a signal that another one replaced.

    Before Python 3.12, what ``__set_name__`` raises, as while a data class is made, becomes a ``RuntimeError``.

    Args:
        error: An exception.

    Returns:
        The exception itself or one of those that it comes from; None if no signal is among them.

    Example:
        >>> from muge_fast.cli.signals import find_signal
        >>> error = RuntimeError("x")
        >>> error.__cause__ = KeyboardInterrupt()
        >>> find_signal(error), find_signal(ValueError("x"))
        (KeyboardInterrupt(), None)

    """
    seen = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, KeyboardInterrupt | Terminated):
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


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
    hook = sys.unraisablehook
    _raised.clear()
    try:
        if is_main:
            sys.unraisablehook = partial(_repeat, hook)
        for number in numbers:
            signal.signal(number, _raise)
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
        sys.unraisablehook = hook


def _raise(number: int, frame: FrameType | None) -> None:
    del frame
    now = time.monotonic()
    if not _raised or now > _raised[-1] + PAUSE:
        _raised[:] = [now]
        raise Terminated(number)


def _repeat(hook: Callable[[Any], object], unraisable: Any) -> None:  # noqa: ANN401 - the type has no public name
    """Send a signal again whose exception Python drops, because a handler raised it within a finalizer or callback."""
    error = unraisable.exc_value
    if not isinstance(error, KeyboardInterrupt | Terminated):
        hook(unraisable)
        return
    _raised.clear()
    # Not from here: an exception of this function would be dropped, too.
    _thread.start_new_thread(_send, (error.number if isinstance(error, Terminated) else signal.SIGINT,))


def _send(number: int) -> None:
    time.sleep(DELAY)
    if os.name == "posix":
        os.kill(os.getpid(), number)
    else:
        signal.raise_signal(number)
