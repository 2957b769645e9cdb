"""Full precision for matrix products of torch, while code that depends on it runs."""

from __future__ import annotations

from threading import Lock

import torch


class HighestMatmulPrecision:
    """Context manager under which torch multiplies float32 matrices in full precision.

    Blocks may overlap and end in any order, on any thread: the setting from before the first is restored after the
    last.

    Example:
        >>> import torch
        >>> from muge_fast._internal.matmul_precision import HIGHEST_MATMUL_PRECISION
        >>> with HIGHEST_MATMUL_PRECISION:
        ...     torch.get_float32_matmul_precision()
        'highest'

    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._open_blocks = 0
        self._previous = ""

    def __enter__(self) -> None:
        with self._lock:
            if not self._open_blocks:
                self._previous = torch.get_float32_matmul_precision()
                torch.set_float32_matmul_precision("highest")
            self._open_blocks += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._open_blocks -= 1
            if not self._open_blocks:
                torch.set_float32_matmul_precision(self._previous)


HIGHEST_MATMUL_PRECISION = HighestMatmulPrecision()
"""The only instance, because the setting belongs to the process."""
