"""Precisions of networks, and the torch settings that each needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from muge_fast._internal.matmul_precision import HIGHEST_MATMUL_PRECISION

PRECISIONS = ("fp32", "tf32", "bf16")


@contextmanager
def network_precision(precision: str) -> Iterator[None]:
    """Allow or forbid TF32 in cuDNN's convolutions, and forbid it in matrix products, while the block runs.

    cuDNN uses TF32 by default. Matrix products stay in full float32 for every precision, because distances are computed
    with them too. The previous settings are restored at the end.

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
