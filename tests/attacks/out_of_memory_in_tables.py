"""Tables and feature files under ever larger limits of address space: a ``MemoryError``, then the result, no abort."""

import itertools
import pickle
import tempfile
from pathlib import Path

import numpy as np
from out_of_memory_in_captions import RAISED, run_limited

import muge_fast as mf

MEMORY = 2 << 30


def written(folder):
    """Yield the function that reads a file, and the file."""
    tokens = [f"裙{index}" for index in range(100_000)]
    counts = dict.fromkeys(itertools.pairwise(tokens), 3)
    frequency = mf.DocumentFrequency.from_counts(9, counts)
    for name in ("df.npz", "df.p"):
        frequency.save(folder / name)
        yield mf.DocumentFrequency.load, folder / name
    # A stack of a hundred megabytes from a file of six.
    (folder / "stack.p").write_bytes(b"\x80\x02" + b"N" * 6_000_000 + b".")
    yield refused, folder / "stack.p"
    (folder / "memo.p").write_bytes(pickle.dumps({"ref_len": 3.0, "document_frequency": counts}, 0))
    yield mf.DocumentFrequency.load, folder / "memo.p"
    for name, ids in (("rows.jsonl", range(300_000)), ("texts.jsonl", tokens)):
        mf.write_features(folder / name, list(ids), np.ones((len(ids), 1), dtype=np.float32))
        yield mf.read_features, folder / name
    (folder / "long.jsonl").write_text(
        '{"image_id":1,"x":[' + "0," * 2_000_000 + '0],"feature":[' + "0," * 4_000_000 + "0]}"
    )
    yield mf.read_features, folder / "long.jsonl"


def refused(path):
    try:
        mf.DocumentFrequency.load(path)
    except ValueError:
        return
    raise AssertionError


def attack():
    raised = 0
    with tempfile.TemporaryDirectory() as folder:
        for read, path in written(Path(folder)):
            extra, statuses = 1 << 18, []
            while extra < MEMORY:
                statuses.append(run_limited(lambda read=read, path=path: read(path), extra))
                if statuses[-1] == 0:
                    break
                assert statuses[-1] == RAISED << 8, (path.name, extra, statuses)
                extra += max(1 << 18, extra // 4)
            assert statuses[-1] == 0, (path.name, statuses)
            # Of the smaller files, all may fit into memory that Python has freed before.
            raised += len(statuses) > 1
    assert raised > 3, raised
