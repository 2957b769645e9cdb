"""Tables and feature files under ever larger limits of address space: a ``MemoryError``, then the result, no abort."""

import itertools
import os
import pickle
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

import muge_fast as mf
from limited_memory import raise_limit

MEMORY = 2 << 30


def write(folder):
    tokens = [f"裙{index}" for index in range(100_000)]
    counts = dict.fromkeys(itertools.pairwise(tokens), 3)
    frequency = mf.DocumentFrequency.from_counts(9, counts)
    frequency.save(folder / "table.npz")
    frequency.save(folder / "table.p")
    (folder / "memo.p").write_bytes(pickle.dumps({"ref_len": 3.0, "document_frequency": counts}, 0))
    # A stack of a hundred megabytes from a file of six.
    (folder / "stack.p").write_bytes(b"\x80\x02" + b"N" * 6_000_000 + b".")
    for name, ids in (("rows.jsonl", range(300_000)), ("texts.jsonl", tokens)):
        mf.write_features(folder / name, list(ids), np.ones((len(ids), 1), dtype=np.float32))
    zeros = "0," * 2_000_000 + "0"
    (folder / "long.jsonl").write_text(f'{{"image_id":1,"x":[{zeros}],"feature":[{zeros}]}}')


def prepare():
    folder = Path(tempfile.mkdtemp())
    # In a separate process, because memory that was freed here could be used again.
    child = os.fork()
    if child == 0:
        write(folder)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    return folder


def read(path):
    if path.suffix == ".jsonl":
        mf.read_features(path)
        return
    try:
        mf.DocumentFrequency.load(path)
    except ValueError:
        assert path.name == "stack.p"


def attack(folder):
    for path in sorted(folder.iterdir()):
        assert raise_limit(partial(read, path), 1 << 18, factor=1.5, most=MEMORY), path.name
