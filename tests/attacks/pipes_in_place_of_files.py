"""A path that is swapped between a file and a pipe while it is read, and names that lead to devices.

Readers looked at the type of a path first and opened it later, waiting for the writer of a pipe forever. Names that
only begin like those of open streams, such as ``/proc/self/fd/../../../dev/zero``, were read until memory ended.
"""

import contextlib
import json
import os
import signal
import tempfile
import threading
from pathlib import Path

import muge_fast as mf
from muge_fast.evaluation import describe
from muge_fast.evaluation.official_verdict import official_verdict

MEMORY = 768 << 20
SECONDS = 30
ROUNDS = 300
DEVICES = ("/dev/zero", "/dev/urandom", "/dev/full")


def prepare():
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name)
    (path / "lines").write_text(json.dumps({"query_id": 1, "item_ids": [*range(10)]}))
    (path / "captions").write_text(json.dumps({"image_id": "a", "text": "a"}))
    (path / "images").write_text("a\tAAAA")
    return path, folder


def readers(path, kept):
    """Yield a call for each reader of the path."""
    yield lambda: mf.check("retrieval", path)
    yield lambda: mf.evaluate("retrieval", kept, path)
    yield lambda: mf.check("caption", path)
    yield lambda: mf.check("t2i", path)
    yield lambda: official_verdict("retrieval", kept, path)
    yield lambda: mf.read_queries(path)
    yield lambda: mf.read_captions(path)
    yield lambda: mf.datasets.read_texts(path)
    yield lambda: mf.datasets.read_pool(path)
    yield lambda: describe(path)


def swap(path, kept, stop):
    """Put a pipe and a file at the path in turn."""
    names = [path.with_suffix(".a"), path.with_suffix(".b")]
    while not stop.is_set():
        for index, name in enumerate(names):
            if index:
                name.write_bytes(kept.read_bytes())
            else:
                os.mkfifo(name)
            name.replace(path)


def race(path, kept):
    path.write_bytes(kept.read_bytes())
    stop = threading.Event()
    swapper = threading.Thread(target=swap, args=(path, kept, stop), daemon=True)
    swapper.start()
    for _ in range(ROUNDS):
        for read in readers(path, kept):
            with contextlib.suppress(OSError, ValueError):
                read()
    stop.set()
    swapper.join()


def attack(prepared):
    path, _ = prepared
    # Ends the process, and so the attack, where a reader waits.
    signal.alarm(SECONDS)
    for name in ("lines", "captions", "images"):
        race(path / f"swapped {name}", path / name)
    zero = os.open("/dev/zero", os.O_RDONLY)
    starts = ("", "/proc/self/root", "/proc/self/fd/../../..", "/dev/fd/../../..", "/dev/fd/0/../../../..")
    names = [start + device for start in starts for device in DEVICES]
    for name in [*names, f"/dev/fd/{zero}", f"/proc/self/fd/{zero}", f"/proc/thread-self/fd/{zero}"]:
        for read in readers(Path(name) if ".." not in name else name, path / "lines"):
            with contextlib.suppress(OSError, ValueError):
                result = read()
                assert not getattr(result, "ok", False), name
                verdict = getattr(result, "result", {"success": False})
                assert not verdict["success"], name
    signal.alarm(0)
