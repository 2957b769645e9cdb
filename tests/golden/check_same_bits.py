"""Compare scores of the installed package with the hashes in same_bits.json.

    python tests/golden/check_same_bits.py

Only NumPy and the package are needed, so that wheels can be tried on machines that have nothing else. CIDEr-D is
compared on Linux only: its logarithms are those of the C library.
"""

import json
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

import muge_fast as mf

FILE = Path(__file__).with_name("same_bits.json")
SAMPLES = Path(mf.__file__).parent / "samples"
SYSTEMS = ("template", "base", "large")
TOKENIZERS = ("muge", "char", "jieba", "13a")
# Queries, items, dimensions and the length of a ranking.
SHAPE = (24, 300, 70)
K = 10


def fnv1a(values: Iterable[float]) -> str:
    """Return the 64-bit FNV-1a hash of numbers, as bytes of double precision."""
    state = 0xCBF29CE484222325
    for byte in b"".join(struct.pack("<d", value) for value in values):
        state = (state ^ byte) * 0x100000001B3 % 2**64
    return f"{state:016x}"


def vectors(seed: int, count: int) -> list[list[float]]:
    """Return vectors of a linear congruential generator: numbers of 24 bits between -8 and 8."""
    state, numbers = seed, []
    for _ in range(count * SHAPE[2]):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        numbers.append(((state >> 40) - 2**23) / 2**20)
    return [numbers[start : start + SHAPE[2]] for start in range(0, len(numbers), SHAPE[2])]


def caption_hashes() -> Iterator[tuple[str, str]]:
    metrics = ("cider_d", "rouge_l") if sys.platform == "linux" else ("rouge_l",)
    gold = mf.read_captions(SAMPLES / "caption" / "IC_sample.jsonl")
    for tokenizer in TOKENIZERS:
        captions = mf.Captions(gold, tokenizer=tokenizer)
        for system in SYSTEMS:
            predictions = mf.read_captions(SAMPLES / "caption" / f"IC_sample.pred.{system}.jsonl")
            scores = captions.score(predictions, metrics=metrics)
            for name in metrics:
                yield f"caption {tokenizer} {system} {name}", fnv1a(scores[name].per_item)


def top_k_hashes() -> Iterator[tuple[str, str]]:
    queries, items = (np.array(vectors(seed, count), np.float32) for seed, count in ((1, SHAPE[0]), (2, SHAPE[1])))
    for metric in ("ip", "cosine"):
        ranking = mf.top_k(queries, items, k=K, metric=metric)
        yield f"top_k {metric}", fnv1a([*ranking.scores.ravel(), *ranking.indices.ravel().astype(float)])


def compute_hashes() -> dict[str, str]:
    """Return the hash of each set of scores, by this package."""
    return dict([*caption_hashes(), *top_k_hashes()])


def main() -> None:
    recorded, computed = json.loads(FILE.read_text(encoding="utf-8"))["hashes"], compute_hashes()
    if differing := [name for name, value in computed.items() if recorded[name] != value]:
        raise SystemExit(f"other bits than recorded: {', '.join(differing)}")
    print(f"{len(computed)} hashes of scores are those that were recorded")


if __name__ == "__main__":
    main()
