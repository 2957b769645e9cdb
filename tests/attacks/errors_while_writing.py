"""Ctrl-C at any instruction, too little memory in any allocation, and too little stack, while outputs are written.

The file that was there before stays, or the new one is complete; a temporary file may be left where an exception comes
between two instructions, until the command ends, which removes it.
"""

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np

import muge_fast as mf
from muge_fast._internal import atomic
from muge_fast._internal.atomic import remove_temporary, save_text
from muge_fast.datasets import ImageTsv

try:
    import _testcapi
except ImportError:
    # Some builds of Python lack it; exceptions at instructions are left.
    _testcapi = None

MEMORY = 512 << 20
OLD = b"old"
MOST_PLACES = 6000
# Distance of the places that are tried: all of them for a text, which every writer goes through.
STEPS = {"text": 1, "captions": 41, "features": 41, "images": 41}
DEPTH = 150
CALLS = {
    "text": lambda path: save_text("新" * 5000, path),
    "captions": lambda path: mf.datasets.write_captions(path, {str(key): "红裙" for key in range(50)}),
    "features": lambda path: mf.write_features(path, [1, 2], np.ones((2, 3), "f4")),
    "images": lambda path: ImageTsv.write(path, {"a": b"1" * 3000, "b": b"2"}),
}


def prepare():
    folder = tempfile.TemporaryDirectory()
    whole = {}
    for name, call in CALLS.items():
        path = Path(folder.name, name)
        call(path)
        whole[name] = path.read_bytes()
        path.unlink()
    return folder, whole


def state(path):
    return path.read_bytes() if path.exists() else None


def trial(call, path, before, whole, inject):
    """Call a function in which an exception is raised; return whether it was not."""
    if before is not None:
        path.write_bytes(before)
    is_raised = False
    try:
        inject(call, path)
    except BaseException:  # noqa: BLE001 - CPython turns some failed allocations into other errors
        is_raised = True
    remove_temporary()
    found = state(path)
    assert found in (before, whole), (path.name, found and len(found))
    assert is_raised or found == whole, path.name
    assert {other.name for other in path.parent.iterdir()} <= {path.name}
    path.unlink(missing_ok=True)
    return not is_raised


def at_instruction(number):
    """Return a function that calls another one and raises Ctrl-C at an instruction of this package."""

    def inject(call, path):
        remaining = number

        def trace(frame, event, _):
            nonlocal remaining
            frame.f_trace_opcodes = True
            if event == "opcode" and "muge_fast" in frame.f_code.co_filename:
                remaining -= 1
                if remaining < 0:
                    sys.settrace(None)
                    raise KeyboardInterrupt
            return trace

        sys.settrace(trace)
        try:
            call(path)
        finally:
            sys.settrace(None)

    return inject


def at_allocation(number):
    def inject(call, path):
        _testcapi.set_nomemory(number, number + 1)
        try:
            call(path)
        finally:
            _testcapi.remove_mem_hooks()

    return inject


def at_depth(number):
    """Return a function that leaves another one as many calls of the stack."""

    def inject(call, path):
        def deepen(depth):
            return deepen(depth - 1) if depth else call(path)

        deepen(max(0, sys.getrecursionlimit() - number - 30))

    return inject


def try_all(call, path, whole, injections):
    """Try places of an exception, until none is raised any more."""
    step = STEPS[path.name]
    for before in (None, OLD) if step == 1 else (OLD,):
        quiet = 0
        for number in range(0, MOST_PLACES, step):
            quiet = quiet + 1 if trial(call, path, before, whole, injections(number)) else 0
            if quiet > max(2, 20 // step):
                break
        assert number > 3 * step, path.name


def attack(prepared):
    folder, whole = prepared
    is_nameless = atomic.OPEN_FILES
    for name, call in CALLS.items():
        path = Path(folder.name, name)
        for atomic.OPEN_FILES in (is_nameless, "no such folder"):
            try_all(call, path, whole[name], at_instruction)
            if _testcapi is not None:
                try_all(call, path, whole[name], at_allocation)
            for number in range(0, DEPTH, min(5, STEPS[name])):
                with suppress(RecursionError):
                    trial(call, path, OLD, whole[name], at_depth(number))
    atomic.OPEN_FILES = is_nameless
