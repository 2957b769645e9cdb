"""Parquet and Arrow files with a few changed bytes: lying sizes are a ``ValueError``, before they are allocated."""

import io
import random
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

import muge_fast as mf

MEMORY = 384 << 20
FILES = 200


def prepare():
    values = np.random.default_rng(0).standard_normal((20, 3)).astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), 3)
    table = pa.table({"item_id": pa.array([f"裙{row}" for row in range(20)]), "feature": column})
    coded = table.set_column(0, "item_id", table["item_id"].dictionary_encode())
    files = []
    for options in ({"compression": "zstd"}, {"data_page_version": "2.0"}, {"use_dictionary": False}):
        file = io.BytesIO()
        pq.write_table(table, file, store_schema=False, write_statistics=False, **options)
        files.append((".parquet", file.getvalue()))
    for content, compression in ((table, "lz4"), (coded, "zstd"), (coded, "uncompressed")):
        file = io.BytesIO()
        feather.write_feather(content, file, compression=compression)
        files.append((".arrow", file.getvalue()))
    return files


def attack(files):
    generator = random.Random(7)
    read, refused = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for suffix, data in files:
            path = Path(folder, f"f{suffix}")
            for _ in range(FILES):
                changed = bytearray(data)
                at = generator.randrange(len(data))
                length = generator.choice((1, 1, 2, 5, 8))
                changed[at : at + length] = (
                    generator.choice((b"\xff", b"\x7f", b"\x80", b"\xfe")) * (length - 1) + b"\x7f"
                )
                path.write_bytes(changed[: len(data)])
                try:
                    mf.read_features(path)
                    read += 1
                except ValueError:
                    refused += 1
    assert read > FILES // 10, read
    assert refused > FILES, refused
