"""Devices of torch: choosing one, and moving tensors there."""

from __future__ import annotations

import torch
from torch import Tensor


def find_device(device: str | torch.device | None) -> torch.device:
    """Return the device that an argument names.

    Args:
        device: A device or its name, such as ``"cuda:1"``; None for a CUDA GPU if there is one, else the CPU.

    Returns:
        The device.

    Raises:
        TypeError: ``device`` is neither a name nor a device.
        ValueError: The name is unknown to torch, or a CUDA device where there is none.

    Example:
        >>> from muge_fast.image.extractors.devices import find_device
        >>> find_device("cpu")
        device(type='cpu')

    """
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not isinstance(device, (str, torch.device)):
        raise TypeError(f"device must be a name or a torch.device, got {type(device).__name__}")
    try:
        chosen = torch.device(device)
    except RuntimeError:
        raise ValueError(f"unknown device {device!r}, needs a device of torch such as 'cpu' or 'cuda:0'") from None
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device is {device!r}, but torch finds no CUDA device")
    return chosen


def to_device(tensor: Tensor, device: torch.device | str | None) -> Tensor:
    """Move a tensor to a device; to a GPU asynchronously, from pinned memory.

    Args:
        tensor: A tensor.
        device: The device; None to leave the tensor where it is.

    Returns:
        The tensor on the device; the same object if it is there already.

    Example:
        >>> import torch
        >>> from muge_fast.image.extractors.devices import to_device
        >>> to_device(torch.zeros(2), "cpu").device
        device(type='cpu')

    """
    if device is None or torch.device(device) == tensor.device:
        return tensor
    if torch.device(device).type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
