"""Exact top-k of embeddings on a device against torch's matrix product and topk."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import numpy as np
import torch

import muge_fast as mf
from benches.gpu_network import wait
from benches.timing import Row, check, clock, show
from muge_fast._internal.matmul_precision import HIGHEST_MATMUL_PRECISION
from muge_fast.retrieval import top_k_torch

K = 10
RUNS = 9
# Queries that are also searched on the CPU, which is slower.
COMPARED = 500


def search(device: torch.device, size: tuple[int, int, int]) -> Iterator[Row]:
    """Compare with a product in float32 and its topk, in one tile of queries after another where it does not fit."""
    queries, items, dims = size
    random = np.random.default_rng(0)
    arrays = [unit_vectors(random, count, dims) for count in (queries, items)]
    left, right = (torch.from_numpy(array).to(device) for array in arrays)
    expected = mf.top_k(arrays[0][:COMPARED], arrays[1], K, progress=False)
    ranking = top_k_torch.top_k(left[:COMPARED], right, K, progress=False)
    scores, indices = ranking.scores.cpu().numpy(), ranking.indices.cpu().numpy()
    differing = (scores.view(np.int64) != expected.scores.view(np.int64)) | (indices != expected.indices)
    check("top_k on the device: results with other bits than on the CPU", float(differing.sum()), 0)
    tile = max(1, (1 << 30) // items)

    def product_and_topk() -> torch.Tensor:
        with HIGHEST_MATMUL_PRECISION:
            found = [torch.topk(part @ right.T, K).indices for part in left.split(tile)]
        wait(device)
        return torch.cat(found)

    def ours() -> torch.Tensor:
        found = top_k_torch.top_k(left, right, K, progress=False).indices
        wait(device)
        return found

    wrong = float((product_and_topk() != ours()).double().mean())
    pairs = [(clock(product_and_topk), clock(ours)) for _ in range(RUNS)]
    rival, fast = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(slow / fast for slow, fast in pairs)
    yield (
        f"Top {K} on the device, {queries:,} x {items:,} x {dims}, bits of the CPU",
        f"torch, matmul and topk {show(rival)}, {wrong:.2%} of indices not exact",
        show(fast),
        f"{ratio:.2f}x",
    )


def unit_vectors(random: np.random.Generator, count: int, dims: int) -> np.ndarray:
    vectors = random.standard_normal((count, dims), dtype="float32")
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
