"""Valid files of the shortest rows, for each reader of lines: at most 48 bytes of memory for each byte of the file.

Rows of a caption of one character took 38 times the size of the file.
"""

import json
import tempfile
from pathlib import Path

import muge_fast as mf
from muge_fast import datasets

SIZE = 4 << 20
# And what threads, and the first use of readers, take.
MEMORY = 48 * SIZE + (96 << 20)
TEN = list(range(10))
ROWS = {
    "caption": lambda key: {"image_id": str(key), "text": "!"},
    "classification": lambda key: {"image_id": str(key), "label": "!"},
    "retrieval": lambda key: {"query_id": key, "item_ids": TEN},
    "references": lambda key: {"image_id": str(key), "text": ["!"] * 9},
    "features": lambda key: {"image_id": key, "feature": [1]},
    "text features": lambda key: {"text_id": str(key), "feature": [1]},
}


def write(folder, name, line):
    """Write lines until the file has its size; return the path."""
    path = Path(folder) / name.replace(" ", "_")
    with path.open("w", encoding="utf-8") as file:
        key = 0
        while file.tell() < SIZE:
            file.write("".join(line(number) + "\n" for number in range(key, key + 10_000)))
            key += 10_000
    return path


def prepare():
    folder = tempfile.TemporaryDirectory()
    files = {
        name: write(folder.name, name, lambda key, row=row: json.dumps(row(key), separators=(",", ":")))
        for name, row in ROWS.items()
    }
    files["texts"] = write(folder.name, "texts", lambda key: f"{key}\t!")
    files["pool"] = write(folder.name, "pool", str)
    return folder, files


def attack(prepared):
    _, files = prepared
    for task in ("caption", "classification", "retrieval"):
        assert mf.check(task, files[task]).ok
    assert mf.evaluate("caption", files["references"], files["caption"]).problem_count
    assert len(mf.read_captions(files["references"], kind="references"))
    assert len(mf.read_queries(files["retrieval"]))
    assert len(datasets.read_texts(files["texts"]))
    assert len(datasets.read_pool(files["pool"]))
    for name in ("features", "text features"):
        assert len(mf.read_features(files[name])[0])
    for path in files.values():
        assert mf.evaluation.describe(path)["kind"]
