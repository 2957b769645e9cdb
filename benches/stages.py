"""Where the time of FID goes: each stage alone, on as many threads as the whole has."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from benches.pictures import SIZE, write_folder
from benches.timing import Row, clock, show
from muge_fast.image import Statistics, frechet_distance
from muge_fast.image.extractors.cpu_batches import batches_side_by_side, cut
from muge_fast.image.extractors.inception import CPU_CHUNK, InceptionExtractor
from muge_fast.image.extractors.networks import random_weights
from muge_fast.image.extractors.preprocessing import preprocess
from muge_fast.image.sources import batches

BATCH = 32


def stages(count: int = 200) -> Iterator[Row]:
    """Decoding, resizing, the network, and what is made of its features, for two folders of JPEG files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.save(random_weights(), folder / "inception.pth")
        sides = [write_folder(folder / str(seed), count, seed) for seed in range(2)]
        seconds = measured(sides, folder / "inception.pth")
    whole = sum(seconds.values())
    for stage, spent in seconds.items():
        yield (
            f"FID of two folders of {count} JPEG {SIZE} x {SIZE}, fp32: {stage}",
            "",
            show(spent),
            f"{spent / whole:.1%}",
        )


def measured(sides: Sequence[Path], weights: Path) -> dict[str, float]:
    """Seconds of each stage."""
    extractor = InceptionExtractor(weights, device="cpu")
    decoded = []
    seconds = {
        "decoding": clock(lambda: decoded.extend(list(batches(side, BATCH, os.cpu_count() or 1)) for side in sides))
    }
    parts = [cut(batch, CPU_CHUNK) for side in decoded for batch in side]
    seconds["resizing"] = clock(
        lambda: list(batches_side_by_side(lambda part: preprocess(part, extractor.protocol), parts))
    )
    outputs = []
    both = clock(lambda: outputs.extend([made["2048"] for made in extractor.of_batches(side)] for side in decoded))
    seconds["network"] = both - seconds["resizing"]
    seconds["distance"] = clock(lambda: frechet_distance(*map(summed, outputs)))
    return seconds


def summed(outputs: Sequence[object]) -> Statistics:
    """Statistics of batches of features."""
    statistics = Statistics(2048)
    for features in outputs:
        statistics.update(features)
    return statistics
