"""Valid files of the shortest rows, for each reader of lines: at most 48 bytes of memory for each byte of the file.

Rows of a caption of one character took 38 times the size of the file.
"""

import json
import multiprocessing
import tempfile
from pathlib import Path

import pytest

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
# JSON files of one line, and of several, in the forms of COCO; other objects take the most.
DOCUMENTS = {
    "results": ("[", '{"image_id":%d,"caption":"!"},', '{"image_id":-1,"caption":"!"}]'),
    "results in lines": ("[\n", '{"image_id":%d,"caption":"!"},\n', '{"image_id":-1,"caption":"!"}]'),
    "annotations": ('{"annotations":[', '{"image_id":%d,"caption":"!"},', '{"image_id":-1,"caption":"!"}]}'),
    "nested": ('[{"image_id":-1,"caption":"!"}', ',{"%d":{"b":[[]]}}', "]"),
    "empty": ('[{"image_id":-1,"caption":"!"}', ",[]", "]"),
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
    documents = {}
    for name, (head, item, tail) in DOCUMENTS.items():
        length = len(item.replace("%d", "1000000"))
        items = (item % key if "%d" in item else item for key in range(SIZE // length))
        documents[name] = write_text(folder.name, name, head + "".join(items) + tail)
    return folder, files, documents


def write_text(folder, name, text):
    path = Path(folder) / name.replace(" ", "_")
    path.write_text(text)
    return path


def readers(files, documents):
    """Return a call for each reader, which returns a true value, by a name."""
    calls = {
        task: lambda task=task: mf.check(task, files[task]).ok for task in ("caption", "classification", "retrieval")
    }
    calls |= {
        "evaluate": lambda: mf.evaluate("caption", files["references"], files["caption"]).problem_count,
        "read_captions": lambda: mf.read_captions(files["references"], kind="references"),
        "read_queries": lambda: mf.read_queries(files["retrieval"]),
        "read_texts": lambda: datasets.read_texts(files["texts"]),
        "read_pool": lambda: datasets.read_pool(files["pool"]),
        "read_features": lambda: len(mf.read_features(files["features"])[0]),
        "read_features of texts": lambda: len(mf.read_features(files["text features"])[0]),
    }
    calls |= {name: lambda name=name, path=path: reads_document(name, path) for name, path in documents.items()}
    paths = files | {f"document {name}": path for name, path in documents.items()}
    return calls | {f"describe {name}": lambda path=path: mf.evaluation.describe(path) for name, path in paths.items()}


def reads_document(name, path):
    if name not in ("nested", "empty"):
        return len(mf.read_captions(path)) > 100_000
    with pytest.raises(ValueError, match=r"annotations|rows\[1\]"):
        mf.read_captions(path)
    return True


def succeed(call):
    assert call()


def attack(prepared):
    """Call each reader in a process that has called no other one, because heaps of threads stay after a call."""
    _, *files = prepared
    context = multiprocessing.get_context("fork")
    for name, call in readers(*files).items():
        process = context.Process(target=succeed, args=(call,))
        process.start()
        process.join()
        assert process.exitcode == 0, name
