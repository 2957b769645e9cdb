"""Smaller batches for a model that runs out of memory."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any

# What the allocators of torch, CUDA and OpenVINO say. Only for CUDA there is a separate class.
TORCH_MESSAGES = ("out of memory", "can't allocate memory", "not enough memory", "_STATUS_ALLOC_FAILED", "bad_alloc")


class OutOfMemoryError(MemoryError):
    """A model has too little memory for a single item.

    Example:
        >>> from muge_fast.models.out_of_memory import OutOfMemoryError
        >>> issubclass(OutOfMemoryError, MemoryError)
        True

    """


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception says that there is too little memory, on the CPU or on a GPU.

    Args:
        error: The exception.

    Returns:
        True for MemoryError and for the errors of torch's allocators.

    Example:
        >>> from muge_fast.models.out_of_memory import is_out_of_memory
        >>> is_out_of_memory(RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")), is_out_of_memory(KeyError())
        (True, False)

    """
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(message in str(error) for message in TORCH_MESSAGES)


def apply_in_parts(
    apply: Callable[[Sequence[Any], list[Any]], Any], items: Sequence[Any], values: list[Any], part_size: int
) -> tuple[list[Any], int]:
    """Apply a model to a batch in parts, which are halved whenever it runs out of memory.

    Args:
        apply: Function of items and their values that returns a result of each.
        items: Items of the batch.
        values: What the model gets of each item.
        part_size: Number of items of a part, at least 1.

    Returns:
        The result of each item, and the number of items of the parts that there was memory for.

    Raises:
        OutOfMemoryError: There is too little memory for a single item.

    Example:
        >>> from muge_fast.models.out_of_memory import apply_in_parts
        >>> def double(items, values):
        ...     if len(values) > 2:
        ...         raise MemoryError
        ...     return [2 * value for value in values]
        >>> apply_in_parts(double, "abcde", [1, 2, 3, 4, 5], 5)
        ([2, 4, 6, 8, 10], 2)

    """
    results: list[Any] = []
    while len(results) < len(items):
        part = slice(len(results), len(results) + part_size)
        found, reason = _try(apply, items[part], values[part])
        if found is not None:
            # Not +=, which arrays turn into a sum.
            results.extend(found)
            continue
        # The exception is gone by now, and with it the tensors that its traceback held.
        release_memory()
        size = min(part_size, len(items) - len(results))
        if size == 1:
            raise OutOfMemoryError(f"too little memory for item {items[len(results)]!r} alone: {reason}")
        part_size = size // 2
    return results, part_size


def _try(apply: Callable[[Sequence[Any], list[Any]], Any], items: Sequence[Any], values: list[Any]) -> tuple[Any, str]:
    """Return the results; None if there is too little memory, and the first line of what the model says."""
    try:
        return apply(items, values), ""
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return None, next(iter(str(error).splitlines()), type(error).__name__)


def release_memory() -> None:
    """Release what Python and torch keep for later.

    Example:
        >>> from muge_fast.models.out_of_memory import release_memory
        >>> release_memory()

    """
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
