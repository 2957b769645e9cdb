"""What the processes of ``torch.distributed`` have seen, put together: sums are added, nothing is pickled.

Every process gets the same bits. Processes whose settings differ are told so in all of them: none is left waiting.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from torch import Tensor, distributed

from muge_fast._internal.npz import Array
from muge_fast.image._inception_score import SplitSums
from muge_fast.image.backend import host
from muge_fast.image.statistics import Statistics


def gather_statistics(own: Statistics) -> Statistics:
    """Add the statistics of all processes.

    Returns:
        New statistics where the own ones are, the same in every process. Features are kept as if one process had seen
        all images: up to as many as there are features, in the order of ranks.

    Raises:
        RuntimeError: torch.distributed has not been initialised.
        ValueError: Processes with other features or protocols, with statistics of mean and covariance alone, or with a
            number that is not finite; in every process.

    Example:
        >>> from muge_fast.image.distributed import gather_statistics
        >>> gather_statistics(statistics).count  # doctest: +SKIP
        5000

    """
    kept = own.sums.kept()
    settings = f"{own.dims} features of {own.protocol!r}"
    counts, keeps = _agreed(settings, own.flaw(), own.count, kept is not None)
    whole = Statistics(own.dims, protocol=own.protocol, device=own.device)
    if not sum(counts):
        return whole
    if all(keeps) and sum(counts) <= own.dims:
        for rows in _rows(torch.as_tensor(kept), counts):
            whole.update(rows.cpu() if own.device is None else rows)
        return whole
    # The same in every process, as sums of features less something add only if it is.
    shift = _sum(torch.as_tensor(own.count * own.sums.mean)) / sum(counts)
    total, outer = (_sum(torch.as_tensor(part(shift))) for part in (own.sums.total, own.sums.outer))
    whole.sums.add(sum(counts), total, outer, shift)
    return whole


def gather_splits(own: SplitSums, protocol: str) -> SplitSums:
    """Add the sums of the Inception Score of all processes.

    Raises:
        RuntimeError: As :func:`gather_statistics`.
        ValueError: Processes with other parts, images, seeds, classes or protocols; in every process.

    Example:
        >>> from muge_fast.image.distributed import gather_splits
        >>> gather_splits(sums, "")  # doctest: +SKIP

    """
    settings = f"splits, images and seed {own.rule} of {protocol!r}"
    counts, classes = _agreed(settings, own.flaw(), int(own.counts.sum()), own.classes)
    whole = SplitSums(own.splits, images=own.images, seed=own.seed, device=own.device)
    if sum(counts):
        # A process that has seen nothing does not know how many classes there are.
        empty = np.zeros(own.splits), np.zeros(own.splits), np.zeros((own.splits, _common("classes", classes)))
        sums = own.sums() if own.classes else empty
        images, entropies, shares = (_sum(torch.as_tensor(array, dtype=torch.float64)) for array in sums)
        whole.add(host(images).astype(np.int64), entropies, shares)
    return whole


def gather_rows(own: Array, settings: str) -> Array:
    """Lay the float32 rows of all processes below each other, in the order of ranks.

    Args:
        own: Of shape ``(rows, columns)``; a process without rows may have another number of columns.
        settings: What must be the same in every process.

    Raises:
        RuntimeError: As :func:`gather_statistics`.
        ValueError: Processes with other columns or settings; in every process.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.distributed import gather_rows
        >>> gather_rows(np.zeros((3, 2)), "").shape  # doctest: +SKIP
        (6, 2)

    """
    counts, columns = _agreed(settings, None, len(own), own.shape[1] if len(own) else 0)
    if not sum(counts):
        return own
    rows = np.asarray(own, dtype=np.float32) if len(own) else np.zeros((0, 1), dtype=np.float32)
    width = _common("features", columns)
    parts = _rows(torch.as_tensor(rows if len(rows) else rows.reshape(0, width)), counts)
    return np.concatenate([part.cpu().numpy() for part in parts])


def _agreed(settings: str, flaw: str | None, *numbers: int) -> list[list[int]]:
    """Each number in every process, once all processes have the same settings and none has a flaw."""
    key = int.from_bytes(hashlib.sha256(settings.encode()).digest()[:7], "big")
    own = torch.tensor([key, flaw is not None, *numbers], dtype=torch.int64, device=_wire())
    found = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    distributed.all_gather(found, own)
    keys, flaws, *columns = zip(*(part.tolist() for part in found), strict=True)
    if any(flaws):
        ranks = [rank for rank, is_flawed in enumerate(flaws) if is_flawed]
        raise ValueError(f"processes {ranks} cannot be added" + (f": {flaw}" if flaw else ""))
    if len(set(keys)) > 1:
        others = [rank for rank, other in enumerate(keys) if other != key]
        raise ValueError(f"this process has {settings}, processes {others} have something else")
    return [list(column) for column in columns]


def _common(kind: str, numbers: list[int]) -> int:
    """The one number of those that are not zero."""
    known = sorted({number for number in numbers if number})
    if len(known) != 1:
        raise ValueError(f"processes have {known} {kind}, need the same")
    return known[0]


def _sum(own: Tensor) -> Tensor:
    total = own.to(_wire(), copy=True)
    distributed.all_reduce(total)
    return total


def _rows(own: Tensor, counts: list[int]) -> list[Tensor]:
    """The rows of each process. What travels has the same shape in all: that of the longest."""
    padded = torch.zeros((max(counts), *own.shape[1:]), dtype=own.dtype, device=_wire())
    padded[: len(own)] = own
    found = [torch.empty_like(padded) for _ in counts]
    distributed.all_gather(found, padded)
    return [rows[:count] for rows, count in zip(found, counts, strict=True)]


def _wire() -> torch.device:
    """Where tensors must be to travel: NCCL takes those of the GPU alone."""
    on_host = "gloo" in str(distributed.get_backend()) or "mpi" in str(distributed.get_backend())
    return torch.device("cpu") if on_host else torch.device("cuda", torch.cuda.current_device())
