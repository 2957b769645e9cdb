"""Warnings that point at the line of the caller, not at a line of this package."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

PACKAGE = str(Path(__file__).parent.parent) + os.sep


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning at the first frame outside ``muge_fast``, however deep the call is.

    Args:
        message: Text of the warning.
        category: Class of the warning.

    Example:
        >>> import warnings
        >>> from muge_fast._internal.caller_warnings import warn_caller
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     warn_caller("few images")
        >>> str(caught[0].message), caught[0].category.__name__
        ('few images', 'UserWarning')

    """
    # From Python 3.12 on, warnings.warn(skip_file_prefixes=(PACKAGE,)) does the same.
    frame, level = sys._getframe(1), 2  # noqa: SLF001 - the warnings module reads it, too
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
