"""Files of tiny rows under ever larger limits of address space: a ``MemoryError``, then the result, and never an abort.

A valid submission of 128 MiB of captions "!" took 4.9 GB, and with a limit of 4 GB the process was aborted.
"""

import json
import sys
import tempfile
from pathlib import Path

import muge_fast as mf
from limited_memory import raise_limit
from muge_fast.evaluation import describe
from muge_fast.evaluation.official_verdict import official_verdict

MEMORY = 2 << 30
ROWS = 30_000
# No reader and no check takes more than this number of bytes for each byte of these files; scores are another attack.
BYTES_PER_BYTE = 40
# Threads, and what does not grow with the file.
FIXED = 160 << 20


def write(path, make_row):
    path.write_text("".join(json.dumps(make_row(index), ensure_ascii=False) + "\n" for index in range(ROWS)))


def prepare():
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name)
    write(path / "captions", lambda index: {"image_id": f"{index:x}", "text": "!"})
    write(path / "references", lambda index: {"image_id": f"{index:x}", "text": ["!", "裙"]})
    write(path / "queries", lambda index: {"query_id": index, "query_text": "a", "item_ids": [*range(10)]})
    (path / "broken").write_text((path / "queries").read_text() + "{}\n")
    (path / "texts").write_text("".join(f"{index}\ta\n" for index in range(ROWS)))
    (path / "coco").write_text(json.dumps([{"image_id": index, "caption": "!"} for index in range(ROWS)]))
    return path, folder


def calls(path):
    yield "captions", lambda: mf.check("caption", path / "captions")
    yield (
        "captions",
        lambda: mf.evaluate("caption", path / "references", path / "captions", metrics=("cider_d",), threads=1),
    )
    yield "references", lambda: mf.read_captions(path / "references")
    yield "coco", lambda: mf.read_captions(path / "coco")
    yield "queries", lambda: mf.check("retrieval", path / "queries")
    yield "queries", lambda: mf.evaluate("retrieval", path / "queries", path / "queries")
    yield "queries", lambda: mf.read_queries(path / "queries")
    yield "queries", lambda: raise_if_short(official_verdict("retrieval", path / "queries", path / "queries"))
    yield "broken", lambda: mf.check("retrieval", path / "broken").errors
    yield "broken", lambda: describe(path / "broken")
    yield "texts", lambda: mf.datasets.read_texts(path / "texts")


def raise_if_short(verdict):
    if not verdict.result["success"]:
        raise MemoryError(verdict.error)


def attack(prepared):
    path, _ = prepared
    # A generator that cannot be closed without memory says so.
    sys.unraisablehook = lambda _: None
    for index, (name, call) in enumerate(calls(path)):
        most = FIXED + BYTES_PER_BYTE * (path / name).stat().st_size
        failed = raise_limit(call, (4 + index) << 15, factor=1.8, most=most)
        assert failed or name == "texts", (name, index)
