"""FID's network and the search of embeddings on a GPU, as a table for docs/benchmarks.md. Weights are random.

python -m benches.gpu                # or make bench-gpu
python -m benches.gpu --device cpu   # runs every line without a GPU, on tiny sizes
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

import torch

import muge_fast as mf
from benches.gpu_network import from_files, networks
from benches.gpu_search import search
from benches.pictures import write_folder
from benches.timing import Row, table
from muge_fast.image.extractors.networks import random_weights


class Sizes(NamedTuple):
    """Sizes of a measurement.

    Attributes:
        images: Images of each of two sets.
        batches: Images of a batch; the last is used for files.
        searches: Queries, items and dimensions of each search.
        seconds: Seconds of each measurement of the network.

    """

    images: int
    batches: tuple[int, ...]
    searches: tuple[tuple[int, int, int], ...]
    seconds: float


# The first search is the validation set of the benchmark.
SIZES = {
    "cuda": Sizes(1000, (32, 128), ((5_000, 30_000, 512), (20_000, 200_000, 768)), 2.0),
    "cpu": Sizes(4, (1, 2), ((200, 2_000, 64), (100, 70_000, 32)), 0.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads that decode")
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("There is no CUDA device, so nothing is measured. --device cpu runs every line.")
        return
    rows = []
    for row in measure(device, SIZES[device.type], options.threads):
        # A run that is cut off has shown what it measured.
        print(" | ".join(row), file=sys.stderr, flush=True)
        rows.append(row)
    print("\n".join(["## gpu", "", *facts(device), "", *table(rows)]))


def measure(device: torch.device, sizes: Sizes, threads: int) -> Iterator[Row]:
    """Yield all rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = folder / "inception.pth"
        torch.save(random_weights(), weights)
        for size in sizes.searches:
            yield from search(device, size)
        folders = [write_folder(folder / str(seed), sizes.images, seed) for seed in range(2)]
        yield from from_files(weights, folders, device, sizes.batches[-1], threads)
        yield from networks(weights, device, sizes.batches, sizes.seconds)


def facts(device: torch.device) -> list[str]:
    """Return the date, the card and versions of a measurement as two lines."""
    today = datetime.now(timezone.utc).date()
    if device.type == "cuda":
        name = f"{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}"
    else:
        name = "a CPU with tiny sizes, which only shows that every line runs"
    return [f"{today}, {name}, {os.cpu_count()} cores;", f"torch {torch.__version__}, muge-fast {mf.__version__}."]


if __name__ == "__main__":
    main()
