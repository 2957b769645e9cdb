"""Precisions of networks, and what torch must be told for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

PRECISIONS = ("fp32", "tf32", "bf16")


@contextmanager
def exactly(precision: str) -> Iterator[None]:
    """Switch TF32 on or off in convolutions, where cuDNN has it on by default; never in products of matrices.

    Those resize images, which no precision of the network may change. What was set before comes back at the end.

    Args:
        precision: One of ``PRECISIONS``.

    Example:
        >>> from muge_fast.image.precision import exactly
        >>> with exactly("fp32"):
        ...     torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
        (False, 'highest')

    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=precision == "tf32"):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
