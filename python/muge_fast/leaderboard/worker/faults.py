"""Faults of the site, described without anything of the files: their messages could quote references."""

from __future__ import annotations

import errno
import traceback
from pathlib import Path

FRAMES = 3


def describe_fault(error: BaseException) -> str:
    """Return what an organizer needs to find the cause of an error, without its message.

    Args:
        error: The error.

    Returns:
        Its type, and the last lines of code that it passed; for an error of the system also its name.

    Example:
        >>> from muge_fast.leaderboard.worker.faults import describe_fault
        >>> describe_fault(FileNotFoundError(2, "no such file", "gold.jsonl"))
        'FileNotFoundError (ENOENT)'

    """
    kind = type(error).__name__
    code = errno.errorcode.get(getattr(error, "errno", None) or 0)
    kind = f"{kind} ({code})" if code else kind
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
    return f"{kind} at {' < '.join(reversed(places))}" if places else kind
