"""Arrow files whose compressed buffers, shared views or dictionaries unpack to gigabytes.

Without a bound, 102,210 bytes of zeros in zstd took 1.2 GB.
"""

import io
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import feather

import muge_fast as mf

MEMORY = 512 << 20
RATIO = 10
ROWS = 100_000


def written(ids, rows, dims, compression):
    column = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(rows * dims, dtype=np.float32)), dims)
    file = io.BytesIO()
    feather.write_feather(pa.table({"image_id": ids, "feature": column}), file, compression=compression)
    return file.getvalue()


def dictionary(texts):
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(ROWS, dtype=np.int32)), texts)


def views(length):
    """Return strings that all are the same bytes."""
    view = np.array([[length, int.from_bytes(b"xxxx", "little"), 0, 0]] * ROWS, dtype=np.int32)
    buffers = [None, pa.py_buffer(view.tobytes()), pa.py_buffer(b"x" * length)]
    return pa.Array.from_buffers(pa.string_view(), ROWS, buffers)


def prepare():
    long = pa.array(["x" * 100_000])
    bad = {
        "zstd": written(pa.array(np.arange(ROWS)), ROWS, 2048, "zstd"),
        "lz4": written(pa.array(np.arange(ROWS)), ROWS, 2048, "lz4"),
        "dictionary": written(dictionary(long), ROWS, 1, "uncompressed"),
        "large dictionary": written(dictionary(long.cast(pa.large_string())), ROWS, 1, "zstd"),
        "views": written(views(100_000), ROWS, 1, "uncompressed"),
    }
    return written(pa.array(np.arange(20_000)), 20_000, 64, "lz4"), bad


def read(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "f.arrow")
        path.write_bytes(data)
        return mf.read_features(path)


def harmless(files):
    assert len(read(files[0])[0]) == 20_000


def outcome(data):
    try:
        return len(read(data)[0])
    except ValueError as error:
        return str(error)


def attack(files):
    outcomes = {name: outcome(data) for name, data in files[1].items()}
    assert all("allowed, 16 MiB plus 20 times" in str(text) for text in outcomes.values()), outcomes
