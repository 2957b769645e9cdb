"""No memory for one object of Python, whichever it is: an exception that programs catch, and never a crash.

The crate for NumPy ended the process with SIGSEGV where there was none for an array, and PyO3 raised what is not an
``Exception``, or the error of a broken computation.
"""

import json
import os
import tempfile
from pathlib import Path

import numpy as np

import muge_fast as mf
from muge_fast.datasets import ImageTsv

try:
    import _testcapi
except ImportError:
    # Some builds of Python lack it.
    _testcapi = None

MEMORY = 1 << 30
MOST = 4000
# Calls without any error after which no allocation is left.
QUIET = 12
VECTORS = np.random.default_rng(0).standard_normal((20, 8)).astype("f4")


def prepare():
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name)
    mf.write_features(path / "integers", list(range(20)), VECTORS)
    mf.write_features(path / "texts", [str(row) for row in range(20)], VECTORS)
    (path / "images").write_text("".join(f"{row}\tAAAA\n" for row in range(20)) + "x\n")
    rows = [{"query_id": row, "item_ids": [*range(10)]} for row in range(9)]
    (path / "rows").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def calls(folder):
    """Yield a call for each kind of objects that the bindings make."""
    captions = [f"红色 裙{row}" for row in range(20)]
    references = [[caption, "黑"] for caption in captions]
    prepared, table = mf.Captions(references), mf.DocumentFrequency.from_references(references)
    scores = prepared.score(captions)
    yield lambda: mf.score_captions(captions, references)
    yield lambda: prepared.score(captions, metrics=("cider", "rouge_l", "bleu"))
    yield lambda: prepared.__reduce_ex__(2)
    yield lambda: mf.tokenize(captions)
    yield lambda: table.save(folder / "table.npz")
    yield lambda: mf.top_k(VECTORS, VECTORS, 5)
    yield lambda: mf.top_k_of(VECTORS @ VECTORS.T, 5)
    yield lambda: mf.score_retrieval([[1, 2], [3]], [[1], [3]])
    yield lambda: scores["bleu"].interval(resamples=40)
    yield lambda: mf.read_features(folder / "integers")
    yield lambda: mf.read_features(folder / "texts")
    yield lambda: mf.write_features(folder / "written", list(range(20)), VECTORS)
    yield lambda: ImageTsv(folder / "images", broken="skip")["3"]
    yield lambda: mf.check("retrieval", folder / "rows")


def try_allocations(call):
    """Run a call with each of its allocations failing in turn; return how many did."""
    failed = quiet = 0
    for number in range(MOST):
        _testcapi.set_nomemory(number, number + 1)
        try:
            call()
        except Exception:  # noqa: BLE001 - CPython and NumPy turn some failed allocations into other errors
            failed, quiet = failed + 1, 0
        else:
            quiet += 1
        finally:
            _testcapi.remove_mem_hooks()
        if quiet > QUIET:
            break
    return failed


def attack(folder):
    if _testcapi is None:
        return
    for index, call in enumerate(calls(Path(folder.name))):
        call()
        child = os.fork()
        if child == 0:
            # Panics that are caught are printed.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            code = 1
            try:
                code = 0 if try_allocations(call) > 3 else 2
            finally:
                os._exit(code)
        status = os.waitpid(child, 0)[1]
        assert status == 0, (index, status)
