"""Tables of document frequencies of 64 KB whose tokens or n-grams repeat: refused at the first repetition.

41 million empty tokens in a file of 1 MB took 2 GB, one of 63 KB took 804 MB.
"""

import io
import tempfile
from pathlib import Path

import numpy as np

import muge_fast as mf

MEMORY = 384 << 20
RATIO = 30


def table(lengths, encoded, ngrams, counts):
    file = io.BytesIO()
    np.savez_compressed(
        file,
        documents=np.array(10.0),
        token_lengths=np.asarray(lengths, dtype="<u4"),
        token_bytes=np.frombuffer(encoded, dtype=np.uint8),
        ngrams=np.asarray(ngrams, dtype="<u4"),
        counts=np.asarray(counts, dtype="<u4"),
        tokenizer=np.array("muge"),
    )
    return file.getvalue()


def prepare():
    one = [[1, 0, 0, 0]]
    few = np.arange(1, 30_001, dtype="<u4")
    tokens = [f"裙{index}".encode() for index in range(30_000)]
    honest = table([len(token) for token in tokens], b"".join(tokens), few[:, None], few)
    wide = np.zeros((1, 4_000_000), dtype="<u4")
    wide[0] = 1
    bad = {
        "empty tokens": table(np.zeros(4_000_000), b"", one, [1]),
        "equal tokens": table(np.ones(3_000_000), b"a" * 3_000_000, one, [1]),
        "empty n-grams": table([1], b"a", np.zeros((1_000_000, 3)), np.ones(1_000_000)),
        "n-grams of no tokens": table([1], b"a", np.zeros((4_000_000, 0)), np.ones(4_000_000)),
        "equal unigrams": table([1], b"a", np.ones((2_000_000, 1)), np.ones(2_000_000)),
        "equal n-grams": table([1], b"a", np.ones((800_000, 4)), np.ones(800_000)),
        "long n-grams": table([1], b"a", wide, [1]),
        "lengths that overflow": table([2**32 - 1, 2], b"a", one, [1]),
        "too large": table(np.zeros(41_000_000), b"", one, [1]),
    }
    return honest, bad


def load(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "df.npz")
        path.write_bytes(data)
        return mf.DocumentFrequency.load(path)


def outcome(data):
    try:
        return load(data)
    except ValueError as error:
        return str(error)


def harmless(files):
    assert load(files[0]).count(["裙7"]) == 8


def attack(files):
    for name, data in files[1].items():
        result = outcome(data)
        assert isinstance(result, str), name
