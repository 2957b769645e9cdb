"""Score captions in several processes of torch.distributed; each process gets the score of all, the same bits.

torchrun --nproc-per-node 2 examples/torch_distributed.py IC_valid.jsonl IC_valid.pred.jsonl

The processes of a training have captions of different items. Here each takes a part of two files.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch.distributed as dist

import muge_fast as mf


def main(arguments: Sequence[str] | None = None) -> None:
    """Score two files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gold")
    parser.add_argument("predictions")
    options = parser.parse_args(arguments)
    dist.init_process_group("gloo")
    references, predictions = mf.read_captions(options.gold), mf.read_captions(options.predictions)
    # References are known to all processes. Where they are not, DocumentFrequency.merge joins the counts of each.
    frequency = mf.DocumentFrequency.from_references(references, threads=1)
    ids, rank, size = list(references), dist.get_rank(), dist.get_world_size()
    mine = ids[rank * len(ids) // size : (rank + 1) * len(ids) // size]
    accumulator = mf.CaptionAccumulator(document_frequency=frequency, threads=1)
    # Once for each batch of an evaluation.
    accumulator.update({key: predictions[key] for key in mine}, {key: references[key] for key in mine})
    # Items are in the order of ranks now.
    scores = accumulator.gather().compute()
    if rank == 0:
        for name, score in scores.items():
            print(f"{name} {score.value:.4f} {score.signature}")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
