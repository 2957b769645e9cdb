"""Top-k of each row of a matrix, compared with torch.topk and with one pass over the matrix."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

import numpy as np
import torch

import muge_fast as mf
from benches.timing import Row, check, clock, show, times

K = 10
ROUNDS = 9


def matrix(rows: int = 5_000, columns: int = 30_000) -> Iterator[Row]:
    """Measure random rows, and ascending rows, in which every value is the best so far."""
    random = np.random.default_rng(0).standard_normal((rows, columns), dtype="float32")
    yield from _compare("random", random)
    random.sort(axis=1)
    yield from _compare("ascending", random)


def _compare(kind: str, similarity: np.ndarray) -> Iterator[Row]:
    tensor = torch.from_numpy(similarity)
    expected = torch.topk(tensor, K).values.numpy()
    check(f"top_k_of, {kind}", float(np.abs(expected - mf.top_k_of(similarity, K).scores).max()), 0)
    runs: dict[str, Callable[[], object]] = {
        "torch": lambda: torch.topk(tensor, K),
        # The fastest pass over all values that torch has, with the same threads.
        "read": lambda: torch.amax(tensor, 1),
        "muge_fast": lambda: mf.top_k_of(similarity, K),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            seconds[name].append(clock(run))
    work = f"Top {K} of each row, {similarity.shape[0]:,} x {similarity.shape[1]:,} float32, {kind}"
    ours = seconds["muge_fast"]
    for name, rival in (("torch", "torch.topk"), ("read", "one pass, torch.amax")):
        ratios = [slow / fast for slow, fast in zip(seconds[name], ours, strict=True)]
        text = f"{rival} {show(statistics.median(seconds[name]))}"
        yield work, text, show(statistics.median(ours)), times(ratios)
