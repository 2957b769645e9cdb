"""Memory of the process, as far as a limit of its address space is set."""

from __future__ import annotations

import numpy as np

# Bytes that must be left besides: other threads take and return memory all the time.
SPARE = 8 << 20


def check_memory(size: int) -> None:
    """Raise if there is too little memory, after a failure that may be due to that or to something else.

    Memory is taken and returned without being used, so that this takes microseconds.

    Args:
        size: Bytes that were needed.

    Raises:
        MemoryError: There are not so many, and some to spare.

    Example:
        >>> from muge_fast._internal.memory import check_memory
        >>> check_memory(1 << 62)
        Traceback (most recent call last):
        ...
        MemoryError: out of memory

    """
    try:
        np.empty(size + SPARE, dtype=np.uint8)
    except (MemoryError, ValueError):
        # NumPy's ValueError is about sizes beyond the address space.
        raise MemoryError("out of memory") from None
