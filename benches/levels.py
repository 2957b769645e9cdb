"""The CPU levels that are measured: the best one of this CPU, and AVX2, which most x86-64 CPUs have."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from typing import TypeVar

import muge_fast as mf

Result = TypeVar("Result")


def levels_to_measure() -> list[str]:
    """Return the best level, and ``avx2`` if the CPU has that and more."""
    best = mf.cpu_level()
    has_more = platform.machine() in ("x86_64", "AMD64") and best not in ("portable", "avx2")
    return [best, "avx2"] if has_more else [best]


def at_level(level: str, run: Callable[[], Result]) -> Result:
    """Return what a function returns at a level."""
    before = os.environ.get("MUGE_FAST_CPU", "")
    os.environ["MUGE_FAST_CPU"] = level
    try:
        return run()
    finally:
        os.environ["MUGE_FAST_CPU"] = before
