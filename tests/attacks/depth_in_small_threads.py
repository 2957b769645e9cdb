"""Lines with 50,000 brackets, read in threads with small stacks.

The parser of Python calls itself for each bracket. Up to its limit of depth the calls need 64 KiB to 1 MiB of stack,
depending on the version, and the process ended with SIGSEGV in threads that have less. Brackets are counted before.
"""

import contextlib
import json
import sys
import tempfile
import threading
from pathlib import Path

import muge_fast as mf
from muge_fast.evaluation import describe
from muge_fast.evaluation.official_verdict import official_verdict

MEMORY = 512 << 20
STACKS = (64 << 10, 1 << 20)
ROW = {"query_id": 1, "item_ids": [*range(10)]}
DEPTH = 50_000


def nested(depth, begin="[", end="]", middle=""):
    return depth * begin + middle + depth * end


def lines():
    row = json.dumps(ROW)[:-1] + ', "x": '
    yield "list", row + nested(DEPTH) + "}"
    yield "object", row + nested(DEPTH // 5, '{"a":', "}", "1") + "}"
    yield "unclosed", row + "[" * DEPTH
    yield "bare", "[" * DEPTH
    yield "after strings", row + '"\\"]]", "y": ' + nested(DEPTH) + "}"
    yield "in the ids", '{"query_id": ' + nested(DEPTH) + ', "item_ids": [1]}'
    # UTF-16, which Python's parser would take from bytes: the letter has the bytes of a bracket and a quote.
    yield "utf-16", row + '"\u225b", "y": ' + "[" * DEPTH


def prepare():
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name)
    (path / "gold").write_text(json.dumps(ROW))
    for name, line in lines():
        (path / name).write_bytes(line.encode("utf-16-le" if name == "utf-16" else "utf-8"))
    for depth in (500, 9_000):
        deep = nested(depth)
        (path / f"value {depth}").write_text('{"query_id": 1, "item_ids": ' + deep + "}")
        (path / f"short {depth}").write_text('{"query_id": 1, "item_ids": [1], "x": ' + deep + "}")
        (path / f"broken {depth}").write_text('{"query_id": 1, "item_ids": [1], "x": ' + deep)
    # These are valid, or nearly so deep that Python refuses them.
    for depth in (127, 500, 9_000):
        (path / str(depth)).write_text(json.dumps(ROW)[:-1] + ', "x": ' + nested(depth) + "}")
    names = [file.name for file in path.iterdir() if not file.name.isdigit() and file.name != "gold"]
    return path, names, folder


def read_all(path, names, failures):
    try:
        for name in names:
            file = path / name
            assert not mf.check("retrieval", file).ok, name
            assert not mf.evaluate("retrieval", path / "gold", file).ok, name
            assert not official_verdict("retrieval", path / "gold", file).result["success"], name
            if name == "short 500":
                mf.read_queries(file)
                continue
            if name == "short 9000":
                with contextlib.suppress(ValueError):
                    mf.read_queries(file)
                continue
            for read in (mf.read_queries, mf.read_captions):
                try:
                    read(file)
                except ValueError:
                    continue
                raise AssertionError(name)
            describe(file)
        for depth in (127, 500, 9_000):
            is_valid = mf.evaluate("retrieval", path / "gold", path / str(depth)).ok
            assert is_valid or depth > 500, depth
            is_valid = official_verdict("retrieval", path / "gold", path / str(depth)).result["success"]
            assert is_valid or depth > 500, depth
            describe(path / str(depth))
    except BaseException as error:  # noqa: BLE001 - raised in the main thread
        failures.append(error)


def attack(prepared):
    path, names, _ = prepared
    limit = sys.getrecursionlimit()
    for depth in (limit, 10**6):
        sys.setrecursionlimit(depth)
        for size in STACKS:
            threading.stack_size(size)
            failures = []
            thread = threading.Thread(target=read_all, args=(path, names, failures))
            thread.start()
            thread.join()
            if failures:
                raise failures[0]
    sys.setrecursionlimit(limit)
