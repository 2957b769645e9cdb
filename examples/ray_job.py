"""Score captions in Parquet files on a Ray cluster; the score has the bits of one process.

python examples/ray_job.py captions/ --actors 8

Rows have `id`, `prediction` and `references`. `muge_fast.integrations.ray` has `retrieval` and `fid` in the same way.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import ray

from muge_fast.integrations.ray import score_captions


def main(arguments: Sequence[str] | None = None) -> None:
    """Score the files of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--actors", type=int)
    options = parser.parse_args(arguments)
    dataset = ray.data.read_parquet(options.folder)
    for name, score in score_captions(dataset, actors=options.actors).items():
        print(f"{name} {score.value:.4f} {score.signature}")


if __name__ == "__main__":
    main()
