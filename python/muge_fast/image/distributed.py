"""Sums over the processes of ``torch.distributed``, without pickling.

Every process gets the same bits. If processes have different settings, all raise an error, so that none waits forever.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, distributed

from muge_fast._internal.distributed import all_gather_checked, comm_device, gather_tensors
from muge_fast.image.split_sums import SplitSums
from muge_fast.image.statistics import Statistics


def gather_statistics(statistics: Statistics) -> Statistics:
    """Return the statistics of the images of all processes.

    Args:
        statistics: Statistics of this process.

    Returns:
        New statistics on the device of ``statistics``, the same in every process. Features are kept as if one process
        had seen all images, up to ``dims`` of them, in the order of ranks.

    Raises:
        ValueError: torch.distributed is not initialized, or the processes have different features or extractor
            signatures, or statistics that cannot be added (raised in every process).

    Example:
        >>> from muge_fast.image.distributed import gather_statistics
        >>> gather_statistics(statistics).count  # doctest: +SKIP
        5000

    """
    sums = statistics.sums
    features = sums.features()
    signature = statistics.extractor_signature
    settings = f"{statistics.dims} features of {signature!r}"
    problem = statistics.why_not_addable()
    counts, keep_features = all_gather_checked(settings, problem, statistics.count, features is not None)
    merged = Statistics(statistics.dims, extractor_signature=signature, device=statistics.device)
    if not sum(counts):
        return merged
    if all(keep_features) and sum(counts) <= statistics.dims:
        for rows in gather_tensors(torch.as_tensor(features), counts):
            merged.update(rows.cpu() if statistics.device is None else rows)
        return merged
    # Sums about a point can be added only if it is the same in every process.
    mean = _sum(torch.as_tensor(statistics.count * sums.mean)) / sum(counts)
    total, outer = (_sum(torch.as_tensor(sum_of(mean))) for sum_of in (sums.sum_about, sums.outer_sum_about))
    merged.sums.add_sums(sum(counts), total, outer, mean)
    return merged


def gather_splits(sums: SplitSums, extractor_signature: str) -> SplitSums:
    """Return the sums of the images of all processes, for the Inception Score.

    Args:
        sums: Sums of this process.
        extractor_signature: Signature of the extractor of this process.

    Returns:
        New sums on the device of ``sums``, the same in every process.

    Raises:
        ValueError: torch.distributed is not initialized, or the processes have different splits, images, seeds, classes
            or extractor signatures, or sums that cannot be added (raised in every process).

    Example:
        >>> from muge_fast.image.distributed import gather_splits
        >>> gather_splits(sums, "")  # doctest: +SKIP

    """
    splits, images, seed = sums.config
    settings = f"{sums.config} of {extractor_signature!r}"
    counts, classes = all_gather_checked(settings, sums.why_not_addable(), int(sums.counts.sum()), sums.classes)
    merged = SplitSums(splits, images=images, seed=seed, device=sums.device)
    if sum(counts):
        # A process without images does not know the number of classes.
        empty = np.zeros(splits), np.zeros(splits), np.zeros((splits, _common_width("classes", classes)))
        arrays = sums.sums() if sums.classes else empty
        per_split, sum_p_log_p, sum_p = (_sum(torch.as_tensor(array, dtype=torch.float64)) for array in arrays)
        merged.add_sums(per_split.cpu().numpy().astype(np.int64), sum_p_log_p, sum_p)
    return merged


def gather_rows(rows: npt.NDArray[np.float32], settings: str) -> npt.NDArray[np.float32]:
    """Return the rows of all processes, in the order of ranks.

    Args:
        rows: Matrix of this process.
        settings: Text that must be the same in every process.

    Returns:
        The rows, the same in every process.

    Raises:
        ValueError: torch.distributed is not initialized, or the processes have different columns or settings (raised in
            every process).

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.distributed import gather_rows
        >>> gather_rows(np.zeros((3, 2), dtype="float32"), "").shape  # doctest: +SKIP
        (6, 2)

    """
    counts, columns = all_gather_checked(settings, None, len(rows), rows.shape[1] if len(rows) else 0)
    if not sum(counts):
        return rows
    width = _common_width("features", columns)
    shards = gather_tensors(torch.as_tensor(rows if len(rows) else rows.reshape(0, width)), counts)
    return np.concatenate([shard.cpu().numpy() for shard in shards])


def _common_width(kind: str, widths: list[int]) -> int:
    """Return the width of the processes that have rows."""
    distinct = sorted({width for width in widths if width})
    if len(distinct) != 1:
        raise ValueError(f"processes have {distinct} {kind}, need the same number")
    return distinct[0]


def _sum(tensor: Tensor) -> Tensor:
    total = tensor.to(comm_device(), copy=True)
    distributed.all_reduce(total)
    return total
