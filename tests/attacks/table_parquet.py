"""Parquet files of a megabyte that unpack to gigabytes: zeros, run lengths, and one long text for all rows.

Without a bound, a file of 764,548 bytes took 3.9 GB and 13 s.
"""

import io
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import muge_fast as mf

MEMORY = 512 << 20
RATIO = 4


def written(table, **options):
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def features(rows, dims, ids=None):
    column = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(rows * dims, dtype=np.float32)), dims)
    return pa.table({"image_id": pa.array(np.arange(rows)) if ids is None else ids, "feature": column})


def texts(rows, size):
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int32)), pa.array(["x" * size]))


def honest():
    values = np.random.default_rng(0).standard_normal((500, 512)).astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), 512)
    return written(pa.table({"image_id": pa.array(np.arange(500)), "feature": column}))


def prepare():
    prefixes = {"use_dictionary": False, "column_encoding": {"image_id": "DELTA_BYTE_ARRAY"}, "store_schema": False}
    bad = {
        "zeros": written(features(100_000, 512), compression="zstd", use_dictionary=False),
        "run lengths": written(features(100_000, 512), compression="none"),
        "groups": written(features(200_000, 256), row_group_size=1000, compression="zstd"),
        "one text": written(features(100_000, 1, texts(100_000, 100_000)), compression="zstd"),
        "prefixes": written(features(1000, 1, pa.array(["x" * 100_000] * 1000)), compression="zstd", **prefixes),
    }
    good = {
        "honest": honest(),
        "few zeros": written(features(1000, 512)),
        "shared": written(features(9, 1, texts(9, 9))),
    }
    return good, bad


def read(files):
    outcomes = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder, "f.parquet")
            path.write_bytes(data)
            try:
                outcomes[name] = len(mf.read_features(path)[0])
            except ValueError as error:
                outcomes[name] = "repeated" if "occurs twice" in str(error) else str(error)
    return outcomes


def harmless(files):
    assert read(files[0]) == {"honest": 500, "few zeros": 1000, "shared": "repeated"}


def attack(files):
    outcomes = read(files[1])
    prefixes = outcomes.pop("prefixes")
    assert "DELTA_BYTE_ARRAY" in prefixes, prefixes
    assert all("allowed, 16 MiB plus 20 times" in str(text) for text in outcomes.values()), outcomes
