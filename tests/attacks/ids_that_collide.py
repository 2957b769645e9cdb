"""Ids of 64 bits that collide in a dictionary of Python, whose hash of an integer is the integer.

Half of them fill an arc of the order in which slots are probed, the others walk along it: 87,380 rows took 4 seconds
and 174,760 rows took 21 to 90, in one call under the interpreter lock. Every reader refuses such a file as a whole.
"""

import contextlib
import json
import tempfile
from pathlib import Path

import numpy as np

import muge_fast as mf
from muge_fast.evaluation import describe

MEMORY = 512 << 20
RATIO = 4
BITS = 14
# Rust reads this file alone, in a fraction of the time.
LARGE_BITS = 17


def colliding(bits):
    """Return integers, two thirds of ``2**bits``."""
    size, count = 1 << bits, (1 << bits) // 3
    arc = np.empty(count, dtype=np.int64)
    slot = 0
    for index in range(count):
        arc[index] = slot
        slot = (slot * 5 + 1) % size
    position = np.full(size, count)
    position[arc] = np.arange(count)
    # Upper bits move the first probes; then the order is that of the arc.
    keys = (np.arange(1, 40 * count, dtype=np.int64) << bits) + arc[0]
    slots, perturb = keys & (size - 1), keys.copy()
    while perturb.any():
        perturb >>= 5
        slots = (slots * 5 + perturb + 1) & (size - 1)
    chosen = keys[position[slots] < count // 4][:count]
    return [*arc.tolist(), *chosen.tolist()]


def rows(ids, rest):
    return "".join(json.dumps({"query_id": key, "item_ids": list(range(10)), **rest}) + "\n" for key in ids)


def write(ids, large, folder):
    folder.mkdir()
    files = {
        "large": rows(large, {}),
        "rows": rows(ids, {}),
        # Rust leaves this file to the reader of single lines, at its end.
        "lines": rows(ids, {}) + "{}\n",
        "captions": "".join(json.dumps({"image_id": key, "text": "a"}) + "\n" for key in ids),
        "coco": json.dumps([{"image_id": key, "caption": "a"} for key in ids]),
        "gold": rows(range(len(ids)), {}),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def prepare():
    # Removed with the object.
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name)
    ids, large = ([key * 7919 for key in range(2 * (1 << bits) // 3)] for bits in (BITS, LARGE_BITS))
    harmless = write(ids, large, path / "harmless")
    return write(colliding(BITS), colliding(LARGE_BITS), path / "hostile"), harmless, folder


def errors_of_captions(path):
    try:
        mf.read_captions(path)
    except ValueError as error:
        return [str(error)]


def run(folder):
    """Yield what each reader says."""
    yield mf.check("retrieval", folder / "large").errors
    for name in ("rows", "lines"):
        yield mf.check("retrieval", folder / name).errors
        yield mf.check("retrieval", folder / name, gold=folder / "gold").errors
        yield mf.evaluate("retrieval", folder / "gold", folder / name).errors
        yield describe(folder / name).get("errors", [])
        with contextlib.suppress(ValueError):
            yield mf.read_queries(folder / name)
    for name in ("captions", "coco"):
        yield errors_of_captions(folder / name)


def interval_of_clusters(ids):
    """Return the interval of a mean of items in clusters of two, which integers name."""
    keys = [key for key in ids for _ in range(2)]
    return mf.bootstrap_interval(np.arange(len(keys)) % 7.0, clusters=keys, resamples=100)


def harmless(prepared):
    list(run(prepared[1]))
    interval_of_clusters(range(len(colliding(LARGE_BITS))))


def attack(prepared):
    said = list(run(prepared[0]))
    ids = colliding(LARGE_BITS)
    assert interval_of_clusters(ids) == interval_of_clusters(range(len(ids)))
    assert len(said) == 11, said
    for errors in said:
        assert "the ids are chosen so that" in errors[0], errors
