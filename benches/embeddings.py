"""Top-k search over embeddings, compared with faiss, under each kernel of its OpenBLAS, and with torch."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

import muge_fast as mf
from benches.growth import memory, reset_peak
from benches.levels import at_level, levels_to_measure
from benches.timing import Row, check, clock, show, times

K = 10
DIMS = 512
ROUNDS = 5
NOISE = 1e-6
LEVELS = levels_to_measure()
FAISS: dict[str, dict[str, str]] = {"faiss": {}}
# OpenBLAS does not always choose its fastest kernel on new CPUs. A kernel that the CPU lacks would crash.
if "avx2" in LEVELS:
    FAISS["faiss, OPENBLAS_CORETYPE=Haswell"] = {"OPENBLAS_CORETYPE": "Haswell"}
if mf.cpu_level() in {"avx512bw", "avx512-vnni"}:
    FAISS["faiss, OPENBLAS_CORETYPE=SkylakeX"] = {"OPENBLAS_CORETYPE": "SkylakeX"}


def embeddings(queries: int = 5_000, items: int = 30_000) -> Iterator[Row]:
    """Measure searches over unit vectors of three distributions, and among near copies."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((items // 100, DIMS), dtype="float32")
    outliers = np.ones(DIMS, dtype="float32")
    outliers[[3, 77]] = 20
    for kind, deviation, scale, clusters in (
        ("random", 1.0, 1.0, None),
        ("clustered", 0.3, 1.0, centres),
        ("two dimensions 20 times larger", 1.0, outliers, None),
    ):
        pair = []
        for count in (queries, items):
            vectors = deviation * scale * random.standard_normal((count, DIMS), dtype="float32")
            if clusters is not None:
                vectors += clusters[random.integers(0, len(clusters), count)]
            pair.append(unit(vectors))
        yield from _compare(kind, *pair)
    yield from near_copies(queries, items)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors divided by their lengths."""
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("float32")


def _compare(kind: str, queries: np.ndarray, items: np.ndarray) -> Iterator[Row]:
    ranking = mf.top_k(queries, items, K)
    check_sample(kind, queries, items)
    left, right = torch.from_numpy(queries), torch.from_numpy(items)
    names = [*FAISS, "torch, matmul and topk"]
    seconds: dict[str, list[float]] = {name: [] for name in [*names, *LEVELS]}
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/queries.npy", queries)
        np.save(f"{folder}/items.npy", items)
        for _ in range(ROUNDS):
            for name, settings in FAISS.items():
                seconds[name].append(_faiss(folder, settings))
                scores = np.load(f"{folder}/scores.npy")
                check(f"{name}, {kind}", float(np.abs(scores - ranking.scores).max()), 1e-5)
                # Between the runs of the rivals, so that all see the same load on the machine.
                for level in LEVELS:
                    seconds[level].append(at_level(level, lambda: clock(lambda: mf.top_k(queries, items, K))))
            seconds[names[-1]].append(clock(lambda: torch.topk(left @ right.T, K)))
    for level in LEVELS:
        work = f"{_work(queries, items)}, {kind}, {level}"
        ours = statistics.median(seconds[level])
        for name in names:
            ratios = [rival / ours for rival in seconds[name]]
            yield work, f"{name} {show(statistics.median(seconds[name]))}", show(ours), times(ratios)


def check_sample(kind: str, queries: np.ndarray, items: np.ndarray) -> None:
    """Exit if the ranking of any of 200 queries is not that of scores in double precision."""
    sample = queries[:: max(1, len(queries) // 200)]
    scores = sample.astype("float64") @ items.astype("float64").T
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :K]
    for level in LEVELS:
        indices = at_level(level, lambda: mf.top_k(sample, items, K).indices)
        check(f"top_k, {kind}, {level}: queries that differ", float((expected != indices).any(axis=1).sum()), 0)


def near_copies(queries: int = 5_000, items: int = 30_000) -> Iterator[Row]:
    """Measure a search where a third of the items are near copies of what all queries look for."""
    random = np.random.default_rng(1)
    usual = [unit(random.standard_normal((count, DIMS), dtype="float32")) for count in (queries, items)]
    base = usual[1][:1]
    copies = usual[1].copy()
    copies[: items // 3] = base + NOISE * random.standard_normal((items // 3, DIMS), dtype="float32")
    near = [unit(base + 0.5 * usual[0]), copies]
    check_sample("near copies", *near)
    for level in LEVELS:
        pairs = [
            at_level(level, lambda: [clock(lambda pair=pair: mf.top_k(*pair, K)) for pair in (usual, near)])
            for _ in range(ROUNDS)
        ]
        usually, ours = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
        work = f"{_work(*near)}, {items // 3:,} copies of one, noise of {NOISE}, {level}"
        yield work, f"without copies {show(usually)}", show(ours), times([before / after for before, after in pairs])


def _work(queries: np.ndarray, items: np.ndarray) -> str:
    return f"Top {K} from embeddings, {len(queries):,} x {len(items):,} x {DIMS}"


def _faiss(folder: str, settings: dict[str, str]) -> float:
    command = [sys.executable, "-m", "benches.faiss_search", folder, str(K)]
    environment = {**os.environ, **settings}
    output = subprocess.run(  # noqa: S603
        command, check=True, capture_output=True, text=True, env=environment, cwd=Path(__file__).parent.parent
    )
    return float(output.stdout)


def train_scale(queries: int = 250_000, items: int = 129_000) -> Iterator[Row]:
    """Measure a search of the size of MUGE's training set, in a separate process to measure its memory."""
    command = [sys.executable, "-m", "benches.embeddings", str(queries), str(items)]
    output = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    seconds, megabytes = (float(number) for number in output.stdout.split())
    work = f"Top {K} from embeddings, {queries:,} x {items:,} x {DIMS}, random"
    yield work, "", show(seconds), f"{megabytes:.0f} MB in addition to the input"


def main() -> None:
    """Search random vectors; print seconds and megabytes. The arguments are the numbers of queries and of items."""
    random = np.random.default_rng(0)
    queries, items = (random.standard_normal((int(count), DIMS), dtype="float32") for count in sys.argv[1:3])
    before = reset_peak()
    seconds = clock(lambda: mf.top_k(queries, items, K))
    print(seconds, (memory("VmHWM") - before) / 1024)


if __name__ == "__main__":
    main()
