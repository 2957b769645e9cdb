"""Score captions in JSONL shards with Dask; the score has the bits of one process.

python examples/dask_bag.py 'shards/*.jsonl' --processes 8

Rows have `id`, `prediction` and `references`. Each shard gives a state, and states are merged in the order of shards.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from glob import glob
from pathlib import Path

import dask.bag

import muge_fast as mf


def read(path: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the predictions and the references of a shard by id."""
    rows = [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]
    return {row["id"]: row["prediction"] for row in rows}, {row["id"]: row["references"] for row in rows}


def count(path: str) -> bytes:
    """Return the document frequencies of a shard, which CIDEr needs of all references."""
    return mf.DocumentFrequency.from_references(read(path)[1], threads=1).to_bytes()


def score(path: str, frequency: bytes) -> bytes:
    """Return the scores of a shard."""
    table = mf.DocumentFrequency.from_bytes(frequency)
    return mf.score_captions(*read(path), document_frequency=table, threads=1).to_bytes()


def score_shards(paths: Sequence[str], processes: int) -> mf.Scores:
    """Return the scores of all shards."""
    shards = dask.bag.from_sequence(paths, partition_size=1)
    options = {"scheduler": "processes", "num_workers": processes}
    tables = shards.map(count).compute(**options)
    frequency = mf.DocumentFrequency.merge(map(mf.DocumentFrequency.from_bytes, tables)).to_bytes()
    states = shards.map(score, frequency).compute(**options)
    return mf.Scores.merge(map(mf.Scores.from_bytes, states))


def main(arguments: Sequence[str] | None = None) -> None:
    """Score the shards that match a pattern."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pattern")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    for name, value in score_shards(sorted(glob(options.pattern)), options.processes).items():  # noqa: PTH207
        print(f"{name} {value.value:.4f} {value.signature}")


if __name__ == "__main__":
    main()
