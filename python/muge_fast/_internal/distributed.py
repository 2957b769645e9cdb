"""Gather numbers, rows and bytes of all processes of ``torch.distributed``, without pickling. Needs torch."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, distributed


def all_gather_checked(settings: str, problem: str | None, *numbers: int) -> list[list[int]]:
    """Return each number of every process, after checking that all have the same settings and none has a problem.

    Args:
        settings: Text that must be the same in every process.
        problem: Why this process cannot take part; None if it can.
        numbers: Numbers of this process.

    Returns:
        For each number, those of all processes in the order of ranks.

    Raises:
        ValueError: torch.distributed is not initialized, or settings differ, or a process has a problem (raised in
            every process).

    Example:
        >>> from muge_fast._internal.distributed import all_gather_checked
        >>> all_gather_checked("", None, 7)  # doctest: +SKIP
        [[7, 7]]

    """
    key = int.from_bytes(hashlib.sha256(settings.encode()).digest()[:7], "big")
    message = torch.tensor([key, problem is not None, *numbers], dtype=torch.int64, device=comm_device())
    received = [torch.empty_like(message) for _ in range(distributed.get_world_size())]
    distributed.all_gather(received, message)
    keys, problems, *columns = zip(*(row.tolist() for row in received), strict=True)
    if any(problems):
        ranks = [rank for rank, has_problem in enumerate(problems) if has_problem]
        raise ValueError(f"sums of processes {ranks} cannot be added" + (f": {problem}" if problem else ""))
    if len(set(keys)) > 1:
        ranks = [rank for rank, received_key in enumerate(keys) if received_key != key]
        raise ValueError(f"this process has {settings}, processes {ranks} have other settings")
    return [list(column) for column in columns]


def gather_tensors(rows: Tensor, counts: list[int]) -> list[Tensor]:
    """Return the rows of each process. Shapes must be equal in all, so rows are padded to the largest number.

    Args:
        rows: Rows of this process.
        counts: Number of rows of each process.

    Returns:
        The rows, in the order of ranks.

    Example:
        >>> import torch
        >>> from muge_fast._internal.distributed import gather_tensors
        >>> gather_tensors(torch.zeros(3, 2), [3, 5])  # doctest: +SKIP

    """
    padded = torch.zeros((max(counts), *rows.shape[1:]), dtype=rows.dtype, device=comm_device())
    padded[: len(rows)] = rows
    received = [torch.empty_like(padded) for _ in counts]
    distributed.all_gather(received, padded)
    return [shard[:count] for shard, count in zip(received, counts, strict=True)]


def gather_bytes(data: bytes, settings: str) -> list[bytes]:
    """Return the bytes of each process.

    Args:
        data: Bytes of this process.
        settings: Text that must be the same in every process.

    Returns:
        The bytes, in the order of ranks.

    Raises:
        ValueError: torch.distributed is not initialized, or settings differ (raised in every process).

    Example:
        >>> from muge_fast._internal.distributed import gather_bytes
        >>> gather_bytes(b"a", "")  # doctest: +SKIP
        [b'a', b'b']

    """
    (counts,) = all_gather_checked(settings, None, len(data))
    if not sum(counts):
        return [b""] * len(counts)
    rows = torch.frombuffer(bytearray(data), dtype=torch.uint8) if data else torch.empty(0, dtype=torch.uint8)
    return [shard.cpu().numpy().tobytes() for shard in gather_tensors(rows, counts)]


def comm_device() -> torch.device:
    """Return the device of tensors that are sent: NCCL takes GPU tensors only.

    Returns:
        The device.

    """
    is_on_host = "gloo" in str(distributed.get_backend()) or "mpi" in str(distributed.get_backend())
    return torch.device("cpu") if is_on_host else torch.device("cuda", torch.cuda.current_device())
