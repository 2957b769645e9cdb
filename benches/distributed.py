"""Time Ray data sets with one actor and more against one process: ``OMP_NUM_THREADS=1 python -m benches.distributed``.

Prints the table of docs/distributed.md; names of cases as arguments choose its rows. Each score is compared with that
of one process, which has one thread, as each actor has. Ray starts before the clock, and the data sets are in its
memory. Actors start within the time: the first row shows how long that takes.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import ray

import muge_fast as mf
from benches.data import caption_set
from muge_fast.integrations import ray as on_ray

CAPTIONS = 40_000
ITEMS, QUERIES, DIMS = 400_000, 10_000, 256
IMAGES, SIDE = 1_000, 32
# Products of matrices for an image: FID's network takes more, in the same kind of work.
PRODUCTS = 100
BLOCKS = 16
CORES = os.cpu_count() or 1

Image = npt.NDArray[np.uint8]


class Case(NamedTuple):
    """A comparison: a function that runs in one process, and one that takes a number of actors."""

    name: str
    alone: Callable[[], object]
    many: Callable[[int], object]


class Network:
    """A stand-in for FID's network: products of matrices, which take some milliseconds for an image on one core."""

    signature = "network"

    def __init__(self) -> None:
        self.weights = np.random.default_rng(0).standard_normal((3 * SIDE * SIDE, 2048)).astype("float32") / 50

    def __call__(self, images: list[Image]) -> npt.NDArray[np.float32]:
        """Return features of images."""
        rows = np.stack(images).reshape(len(images), -1).astype("float32") / 255
        for _ in range(PRODUCTS):
            features = np.maximum(rows @ self.weights, 0)
        result: npt.NDArray[np.float32] = features[:, :64]
        return result


def dataset(columns: dict[str, Any]) -> ray.data.Dataset:
    """Return columns as a data set in the memory of Ray."""
    table = pa.table({name: _column(values) for name, values in columns.items()})
    rows = -(-len(table) // BLOCKS)
    return ray.data.from_arrow([table.slice(start, rows) for start in range(0, len(table), rows)]).materialize()


def _column(values: Any) -> pa.Array:  # noqa: ANN401 - of NumPy, or a list
    if isinstance(values, np.ndarray):
        return pa.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])
    return pa.array(values)


def starting() -> Case:
    """Return the case of almost no work."""
    made = caption_set(BLOCKS, words=15)
    rows = dataset({"id": range(BLOCKS), "prediction": made.predictions, "references": made.references})
    # The first actors of a cluster also start its processes.
    on_ray.score_captions(rows, metrics=["bleu"], actors=CORES)
    return Case(
        f"{BLOCKS} captions, to start the actors",
        lambda: mf.score_captions(made.predictions, made.references, metrics=["bleu"], threads=1).to_dict(),
        lambda actors: on_ray.score_captions(rows, metrics=["bleu"], actors=actors).to_dict(),
    )


def captions() -> Case:
    """Return the case of captions, with the counting of n-grams."""
    made = caption_set(CAPTIONS, words=15)
    rows = dataset({"id": range(CAPTIONS), "prediction": made.predictions, "references": made.references})
    return Case(
        f"{CAPTIONS:,} captions with 5 references, CIDEr-D, BLEU and ROUGE-L",
        lambda: mf.score_captions(made.predictions, made.references, threads=1).to_dict(),
        lambda actors: on_ray.score_captions(rows, actors=actors).to_dict(),
    )


def captions_without_cider() -> Case:
    """Return the case of captions that need no counts of all references."""
    made = caption_set(CAPTIONS, words=15)
    rows = dataset({"id": range(CAPTIONS), "prediction": made.predictions, "references": made.references})
    options: dict[str, Any] = {"metrics": ["bleu", "rouge_l"], "tokenizer": "jieba"}
    return Case(
        f"{CAPTIONS:,} captions with 5 references, BLEU and ROUGE-L of jieba's words",
        lambda: mf.score_captions(made.predictions, made.references, threads=1, **options).to_dict(),
        lambda actors: on_ray.score_captions(rows, actors=actors, **options).to_dict(),
    )


def retrieval() -> Case:
    """Return the case of a search."""
    random = np.random.default_rng(1)
    queries, items = (random.standard_normal((count, DIMS), dtype=np.float32) for count in (QUERIES, ITEMS))
    asked = dataset({"query_id": range(QUERIES), "features": queries})
    searched = dataset({"item_id": range(ITEMS), "features": items})
    return Case(
        f"search of {QUERIES:,} queries in {ITEMS:,} items of {DIMS}",
        lambda: mf.top_k(queries, items, 10, threads=1, progress=False).indices.tolist(),  # noqa: PLW0108 - not yet
        lambda actors: on_ray.top_k(asked, searched, 10, actors=actors).indices.tolist(),
    )


def images() -> Case:
    """Return the case of FID."""
    random = np.random.default_rng(2)
    pictures = random.integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)
    network = Network()
    real = mf.image.Statistics.from_features(network(list(pictures[:200])), extractor_signature=network.signature)
    rows = ray.data.from_numpy(np.array_split(pictures, BLOCKS)).materialize()
    options: dict[str, Any] = {"extractor": network, "threads": 1}
    return Case(
        f"FID of {IMAGES:,} images with a network of {_milliseconds(network, pictures[:100]):.0f} ms for each",
        lambda: mf.image.fid(real, list(pictures), progress=False, **options).value,
        lambda actors: on_ray.fid(real, rows, image_field="data", actors=actors, **options).value,
    )


def _milliseconds(network: Network, pictures: npt.NDArray[np.uint8]) -> float:
    return seconds(partial(network, list(pictures)))[0] / len(pictures) * 1000


CASES = {
    "starting": starting,
    "captions": captions,
    "captions_without_cider": captions_without_cider,
    "retrieval": retrieval,
    "images": images,
}


def seconds(call: Callable[[], object]) -> tuple[float, object]:
    """Return the time of a call, and its result."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def table(names: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the table for the cases of some names."""
    sizes = [size for size in (1, 2, 4, 8, 16, 32) if size <= CORES]
    yield "| | one process | " + " | ".join(f"{size} actor{'s' * (size > 1)}" for size in sizes) + " | growth |"
    yield "| --- | ---: |" + " ---: |" * len(sizes) + " ---: |"
    for name in names:
        case = CASES[name]()
        alone, expected = seconds(case.alone)
        times = []
        for size in sizes:
            taken, result = seconds(partial(case.many, size))
            assert result == expected, case.name
            times.append(taken)
        cells = " | ".join(f"{taken:.1f} s" for taken in (alone, *times))
        yield f"| {case.name} | {cells} | {times[0] / times[-1]:.2f} |"


def main() -> None:
    """Print the table, or the rows that the command line names."""
    names = sys.argv[1:] or list(CASES)
    if unknown := set(names) - set(CASES):
        raise SystemExit(f"unknown cases: {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    warnings.simplefilter("ignore")
    # One more than there are, for the tasks that read blocks.
    ray.init(num_cpus=CORES + 1, include_dashboard=False, log_to_driver=False, logging_level="error")
    ray.data.DataContext.get_current().enable_progress_bars = False
    for line in table(names):
        print(line, flush=True)


if __name__ == "__main__":
    main()
