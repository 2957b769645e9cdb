"""Errors of memory and disk: a ``MemoryError`` or an ``OSError``, where the process must go on."""

import errno
import subprocess
import sys

import numpy as np
import pytest

import muge_fast as mf
from muge_fast import _core

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory are those of Linux")

LIMIT = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))\n"
IMPORTS = "import numpy as np\nimport muge_fast as mf\nfrom muge_fast import _core\n"

# Each asks for more than there is, and would abort the process if the core did not ask for memory with care.
TOO_LARGE = {
    "top_k_of": "mf.top_k_of(np.broadcast_to(np.float32(1), (2**40, 10)), 10)",
    "top_k_of of doubles": "mf.top_k_of(np.broadcast_to(np.float64(1), (2**40, 10)), 10)",
    "top_k_of of halves": "mf.top_k_of(np.broadcast_to(np.float16(1), (2**50, 10)), 10)",
    "top_k_of beyond the address space": "mf.top_k_of(np.broadcast_to(np.float16(1), (2**58, 10)), 10)",
    "top_k": "mf.top_k(np.ones((2**22, 1), 'f2'), np.ones((2**22, 1), 'f2'), 2**22)",
    "TopK": "mf.TopK(2**22).update(np.ones((2**22, 1), 'f2'), np.ones((2**22, 1), 'f2'), 0)",
    "retrieval": "_core.retrieval_rows(*[np.arange(2**20), np.ones(2**20, 'i8')] * 2, [('mrr', 1)] * 2**20)",
}


def run(script):
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - our own


@linux
@pytest.mark.parametrize("call", TOO_LARGE.values(), ids=TOO_LARGE)
def test_results_that_do_not_fit_raise(call):
    script = f"{IMPORTS}{LIMIT}try:\n    {call}\nexcept MemoryError as error:\n    print('MemoryError', error)\n"
    result = run(script)
    assert result.stdout.startswith("MemoryError"), result.stderr
    assert result.returncode == 0


@linux
def test_a_line_that_does_not_fit_raises(tmp_path):
    path = tmp_path / "f.jsonl"
    with path.open("wb") as file:
        # No line end, and nothing on the disk.
        file.truncate(8 << 30)
    result = run(
        f"{IMPORTS}{LIMIT}try:\n    mf.read_features({str(path)!r})\nexcept MemoryError:\n    print('raised')\n"
    )
    assert (result.stdout, result.returncode) == ("raised\n", 0), result.stderr


@linux
def test_a_search_goes_on_after_a_memory_error():
    script = f"""{IMPORTS}{LIMIT}
queries = np.arange(2**22, dtype="f2")[:, None] % 7
best = mf.TopK(2**22)
try:
    best.update(queries, queries, 0)
except MemoryError:
    print(best)
"""
    assert run(script).stdout == "<TopK of 0 items for 0 queries>\n"


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be opened as files")
@pytest.mark.parametrize("read", [_core.read_features, _core.index_images])
def test_errors_of_the_system_keep_their_number_and_name_the_file(tmp_path, read):
    # A folder can be opened like a file, but reading from it fails.
    with pytest.raises(IsADirectoryError) as caught:
        read(str(tmp_path))
    assert (caught.value.errno, caught.value.filename) == (errno.EISDIR, str(tmp_path))
    with pytest.raises(FileNotFoundError) as caught:
        read(str(tmp_path / "missing"))
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, str(tmp_path / "missing"))


def test_small_results_still_fit():
    assert mf.top_k_of(np.ones((1, 1), "f4"), 1).indices.tolist() == [[0]]
