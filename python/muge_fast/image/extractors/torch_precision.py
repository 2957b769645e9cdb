"""Precisions of networks, and the torch settings that each needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import torch

PRECISIONS = ("fp32", "tf32", "bf16")


@contextmanager
def network_precision(precision: str) -> Iterator[None]:
    """Allow or forbid TF32 in cuDNN's convolutions, and forbid it in matrix products, while the block runs.

    cuDNN uses TF32 by default. Matrix products stay in full float32 for every precision, because distances are computed
    with them too. The settings from before are restored at the end.

    Args:
        precision: One of ``PRECISIONS``; TF32 is allowed for ``"tf32"`` only.

    Example:
        >>> import torch
        >>> from muge_fast.image.extractors.torch_precision import network_precision
        >>> with network_precision("fp32"):
        ...     torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
        (False, 'highest')

    """
    with HIGHEST_MATMUL_PRECISION, torch.backends.cudnn.flags(enabled=True, allow_tf32=precision == "tf32"):
        yield


class HighestMatmulPrecision:
    """Context manager under which torch multiplies float32 matrices in full precision.

    Blocks may overlap and end in any order, on any thread: the setting from before the first is restored after the
    last.

    Example:
        >>> import torch
        >>> from muge_fast.image.extractors.torch_precision import HIGHEST_MATMUL_PRECISION
        >>> with HIGHEST_MATMUL_PRECISION:
        ...     torch.get_float32_matmul_precision()
        'highest'

    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._open_blocks = 0
        self._before = ""

    def __enter__(self) -> None:
        with self._lock:
            if not self._open_blocks:
                self._before = torch.get_float32_matmul_precision()
                torch.set_float32_matmul_precision("highest")
            self._open_blocks += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._open_blocks -= 1
            if not self._open_blocks:
                torch.set_float32_matmul_precision(self._before)


HIGHEST_MATMUL_PRECISION = HighestMatmulPrecision()
"""The one instance: the setting belongs to the process."""
