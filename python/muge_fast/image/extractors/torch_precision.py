"""Precisions of networks, and what torch must be told for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import torch

PRECISIONS = ("fp32", "tf32", "bf16")


@contextmanager
def exactly(precision: str) -> Iterator[None]:
    """Switch TF32 on or off in convolutions, where cuDNN has it on by default; never in products of matrices.

    No precision of the network may change what is made of its features. What was set before comes back at the end.

    Args:
        precision: One of ``PRECISIONS``.

    Example:
        >>> from muge_fast.image.extractors.torch_precision import exactly
        >>> with exactly("fp32"):
        ...     torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
        (False, 'highest')

    """
    with EXACT_PRODUCTS, torch.backends.cudnn.flags(enabled=True, allow_tf32=precision == "tf32"):
        yield


class ExactProducts:
    """While any block is in it, products of matrices are exact; blocks may end in any order, on any thread.

    Example:
        >>> from muge_fast.image.extractors.torch_precision import EXACT_PRODUCTS
        >>> with EXACT_PRODUCTS:
        ...     torch.get_float32_matmul_precision()
        'highest'

    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._blocks = 0
        self._before = ""

    def __enter__(self) -> None:
        with self._lock:
            if not self._blocks:
                self._before = torch.get_float32_matmul_precision()
                torch.set_float32_matmul_precision("highest")
            self._blocks += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._blocks -= 1
            if not self._blocks:
                torch.set_float32_matmul_precision(self._before)


EXACT_PRODUCTS = ExactProducts()
