"""Time of each stage of FID alone, on as many threads as the whole uses."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from benches.pictures import SIZE, write_folder
from benches.timing import Row, clock, show
from muge_fast.image import Statistics, frechet_distance
from muge_fast.image.extractors.cpu_threads import run_batches, split_batch
from muge_fast.image.extractors.inception import CPU_CHUNK, InceptionExtractor
from muge_fast.image.extractors.networks import random_weights
from muge_fast.image.extractors.preprocessing import preprocess
from muge_fast.image.sources import decode_batches

BATCH = 32


def stages(count: int = 200) -> Iterator[Row]:
    """Measure decoding, resizing, the network and the distance, for two folders of JPEG files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.save(random_weights(), folder / "inception.pth")
        folders = [write_folder(folder / str(seed), count, seed) for seed in range(2)]
        seconds = measure(folders, folder / "inception.pth")
    whole = sum(seconds.values())
    for stage, spent in seconds.items():
        yield (
            f"FID of two folders of {count} JPEG {SIZE} x {SIZE}, fp32: {stage}",
            "",
            show(spent),
            f"{spent / whole:.1%}",
        )


def measure(folders: Sequence[Path], weights: Path) -> dict[str, float]:
    """Return the seconds of each stage."""
    extractor = InceptionExtractor(weights, device="cpu")
    decoded = []
    seconds = {
        "decoding": clock(
            lambda: decoded.extend(list(decode_batches(folder, BATCH, os.cpu_count() or 1)) for folder in folders)
        )
    }
    chunks = [split_batch(batch, CPU_CHUNK) for batches in decoded for batch in batches]
    seconds["resizing"] = clock(lambda: list(run_batches(lambda chunk: preprocess(chunk, extractor.protocol), chunks)))
    features = []
    resizing_and_network = clock(
        lambda: features.extend([outputs["2048"] for outputs in extractor.iter_batches(batches)] for batches in decoded)
    )
    seconds["network"] = resizing_and_network - seconds["resizing"]
    seconds["distance"] = clock(lambda: frechet_distance(*map(sum_up, features)))
    return seconds


def sum_up(batches: Sequence[object]) -> Statistics:
    """Return the statistics of batches of features."""
    statistics = Statistics(2048)
    for features in batches:
        statistics.update(features)
    return statistics
