"""Top-k of each row of a matrix, compared with torch.topk and with one pass over the matrix."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

import muge_fast as mf
from benches.levels import at_level, levels_to_measure
from benches.timing import Row, check, clock, show, times

KS = (10, 100)
ROUNDS = 9

# torch's threads wait actively for a while after a call, on the cores that the next call needs.
PAUSE = 0.25


def matrix(rows: int = 5_000, columns: int = 30_000) -> Iterator[Row]:
    """Measure random and ascending rows, where every value is the best so far, at the level of this CPU and at AVX2."""
    random = np.random.default_rng(0).standard_normal((rows, columns), dtype="float32")
    for kind in ("random", "ascending"):
        if kind == "ascending":
            random.sort(axis=1)
        for similarity in (random, random.astype("float16")):
            for level in levels_to_measure():
                yield from at_level(level, lambda s=similarity, k=kind, v=level: list(_compare(f"{k}, {v}", s)))


def _compare(kind: str, similarity: np.ndarray) -> Iterator[Row]:
    tensor = torch.from_numpy(similarity)
    for k in KS:
        expected = torch.topk(tensor, k).values.numpy()
        found = mf.top_k_of(similarity, k).scores
        check(f"top_k_of, {kind}", float(np.abs(expected.astype("float64") - found).max()), 0)
        runs: dict[str, Callable[[], object]] = {
            "torch": lambda k=k: torch.topk(tensor, k),
            # The fastest pass over all values that torch has, with the same threads.
            "read": lambda: torch.amax(tensor, 1),
            "muge_fast": lambda k=k: mf.top_k_of(similarity, k),
        }
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(ROUNDS):
            for name, run in runs.items():
                time.sleep(PAUSE)
                seconds[name].append(clock(run))
        work = f"Top {k} of each row, {similarity.shape[0]:,} x {similarity.shape[1]:,} {similarity.dtype}, {kind}"
        ours = seconds["muge_fast"]
        for name, rival in (("torch", "torch.topk"), ("read", "one pass, torch.amax")):
            ratios = [slow / fast for slow, fast in zip(seconds[name], ours, strict=True)]
            text = f"{rival} {show(statistics.median(seconds[name]))}"
            yield work, text, show(statistics.median(ours)), times(ratios)
