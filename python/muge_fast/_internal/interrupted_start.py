"""Ctrl-C while the command starts: modules are still imported, so no code of the command could answer it.

:mod:`muge_fast` imports this module first. It changes nothing in programs that import the package: only in a process
that was started as the command ``muge-fast`` or as ``python -m muge_fast``.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import redirect_stderr, suppress
from types import FrameType, TracebackType
from typing import NoReturn, TextIO

# Exit code of a program that SIGINT ends: 128 and the number of the signal.
INTERRUPTED = 130
# Exit code of a command that could not do its work.
FAILED = 2

# Address space that importing NumPy takes at most, on one core and for each further one.
IMPORTS, IMPORTS_OF_CORE = 128 << 20, 16 << 20


def is_command() -> bool:
    """Return whether this process was started as the command.

    Returns:
        True for ``muge-fast`` and for ``python -m muge_fast``.

    Example:
        >>> from muge_fast._internal.interrupted_start import is_command
        >>> is_command()
        False

    """
    started = sys.argv[0] if sys.argv else ""
    if started == "-m":
        # The module's own path is not known yet.
        after = sys.orig_argv[sys.orig_argv.index("-m") + 1 :] if "-m" in sys.orig_argv else []
        return after[:1] == ["muge_fast"]
    return os.path.basename(started).partition(".")[0] == "muge-fast"  # noqa: PTH119 - pathlib is not imported yet


def begin() -> None:
    """Let Ctrl-C end the process with a word and exit code 130, without a traceback, until :func:`end`.

    Errors that nothing catches, such as those of an import, end the command with exit code 2, because Python's code for
    them is that of an invalid submission. So does too little memory for NumPy, whose library OpenBLAS would end the
    process with that code.
    """
    if is_command():
        sys.excepthook = _failed
        _check_memory()
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _interrupted)


def end() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, as Python does."""
    if signal.getsignal(signal.SIGINT) is _interrupted:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _check_memory() -> None:
    import mmap  # noqa: PLC0415 - a program that imports the package does not need it

    try:
        mmap.mmap(-1, IMPORTS + IMPORTS_OF_CORE * ((os.cpu_count() or 1) - 1)).close()
    except (OSError, MemoryError):
        with suppress(OSError):
            os.write(2, b"Error: too little memory to start\n")
        os._exit(FAILED)


def _interrupted(number: int, frame: FrameType | None) -> None:
    del number, frame
    os.write(2, b"Interrupted\n")
    os._exit(INTERRUPTED)


class _Visible:
    """A stream that replaces characters that control a terminal; :mod:`traceback` is not imported for one error."""

    def __init__(self, stream: TextIO) -> None:
        self.flush = stream.flush
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text with escapes for what is not printable."""
        letters = (letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in text)
        return self._stream.write("".join(letters))


def _failed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> NoReturn:
    with suppress(OSError), redirect_stderr(_Visible(sys.stderr)):
        sys.__excepthook__(kind, error, trace)
    raise SystemExit(INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED)


begin()
