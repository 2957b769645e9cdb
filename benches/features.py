"""Reading a feature file, compared with json and orjson followed by NumPy."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import orjson

import muge_fast as mf
from benches.timing import Row, check, clock, show, times

DIMS = 512
ROUNDS = 5


def features(rows: int = 10_000) -> Iterator[Row]:
    """Measure a file as Chinese-CLIP writes it, where each float32 is written as a Python float."""
    random = np.random.default_rng(0)
    expected = random.standard_normal((rows, DIMS), dtype="float32")
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "img_feat.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for image_id, row in enumerate(expected.tolist()):
                file.write(json.dumps({"image_id": image_id, "feature": row}) + "\n")
        megabytes = path.stat().st_size / 1e6
        runs: dict[str, Callable[[], np.ndarray]] = {
            "json": lambda: _read(path, json.loads),
            "orjson": lambda: _read(path, orjson.loads),
            "muge_fast": lambda: mf.read_features(path)[1],
        }
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for name, run in runs.items():
            check(f"features by {name}", float((run() != expected).sum()), 0)
        for _ in range(ROUNDS):
            for name, run in runs.items():
                seconds[name].append(clock(run))
    ours = seconds["muge_fast"]
    work = f"Feature file, {rows:,} x {DIMS} ({megabytes:.0f} MB), to ids and a float32 matrix"
    for name in ("json", "orjson"):
        ratios = [slow / fast for slow, fast in zip(seconds[name], ours, strict=True)]
        rival = f"{name} and np.array {show(statistics.median(seconds[name]))}"
        yield work, rival, show(statistics.median(ours)), times(ratios)


def _read(path: Path, loads: Callable[[bytes], dict]) -> np.ndarray:
    ids, rows = [], []
    with path.open("rb") as file:
        for line in file:
            row = loads(line)
            ids.append(row["image_id"])
            rows.append(row["feature"])
    np.array(ids)
    return np.array(rows, dtype="float32")
