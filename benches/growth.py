"""Time and peak memory of scoring many items, in a separate process: ``python -m benches.growth ITEMS``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import muge_fast as mf
from benches.data import caption_set

CHUNK = 20_000


def main() -> None:
    """Print seconds and megabytes as JSON."""
    items = int(sys.argv[1])
    predictions: list[str] = []
    references: list[list[str]] = []
    for seed in range(-(-items // CHUNK)):
        chunk = caption_set(min(CHUNK, items - len(predictions)), seed=seed)
        predictions += chunk.predictions
        references += chunk.references
    # Every size is timed twice: the minimum of more runs would favour small sizes. The first run measures memory, too.
    before = reset_peak()
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        mf.score_captions(predictions, references, metrics=("bleu", "rouge_l", "cider_d", "cider"))
        seconds.append(time.perf_counter() - start)
        if len(seconds) == 1:
            after = memory("VmHWM")
    print(json.dumps({"seconds": min(seconds), "megabytes": (after - before) / 1024}))


def reset_peak() -> int:
    """Reset the peak memory, which generating the texts has raised, and return the memory in use, in KiB."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return memory("VmRSS")


def memory(name: str) -> int:
    """Return a memory field of the process's status, in KiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


if __name__ == "__main__":
    main()
