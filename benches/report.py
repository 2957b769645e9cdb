"""Compare with other packages and write docs/benchmarks.md: ``python -m benches.report [--quick] [SECTION...]``."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import muge_fast as mf
from benches.captions import captions, growth
from benches.coco import coco
from benches.embeddings import embeddings, train_scale
from benches.engines import engines
from benches.features import features
from benches.frechet import frechet
from benches.images import images
from benches.leaderboard import leaderboard
from benches.matrix import matrix
from benches.meteor import meteor
from benches.models import models
from benches.significance import significance
from benches.stages import stages
from benches.timing import Row, table

TARGET = Path(__file__).parent.parent / "docs" / "benchmarks.md"

INTRODUCTION = """\
# Benchmarks

Written by `make bench`; `make bench SECTIONS="captions growth"` measures some sections. Each section names its date,
machine and versions. A comparison first checks that both packages return the same numbers, then times both.
Times are medians, and ratios are medians of ratios; pycocoevalcap runs once, since it takes minutes, and times of jieba
are extrapolated from a sample of about 2,000 texts. faiss and the measurements of memory run in separate processes.
The captions of `captions` are 10,000 items with five references of about 72 characters each, made by `benches/data.py`
with seed 0. Those of `coco` are COCO val2014's, the first one of each image as the prediction; pycocoevalcap runs once,
with Java, and evaluates as many images as it can in about a minute.
`benches/record/` has tables of other machines. Of `leaderboard`, which `make bench-board` measures, the second column
has goals: server, worker and clients share the cores of one machine.

No GPU has been measured yet. `make gpu-check` packs tests and measurements for a machine with one, where a single
command prints the section `gpu`. It was tried on a CPU with tiny sizes only, without network; its tests took longer
there than they may.
"""


class Section(NamedTuple):
    """A section of the page.

    Attributes:
        measure: Yields the rows of the full measurement.
        measure_quickly: Yields the rows of a small one.
        packages: Names of the packages whose versions are printed.

    """

    measure: Callable[[], Iterable[Row]]
    measure_quickly: Callable[[], Iterable[Row]]
    packages: tuple[str, ...]


SECTIONS = {
    "captions": Section(
        captions,
        lambda: captions(1_000),
        ("pycocoevalcap", "sacrebleu", "bleuscore", "jieba", "rjieba"),
    ),
    "meteor": Section(meteor, lambda: meteor(200, 100), ("pycocoevalcap",)),
    "coco": Section(coco, lambda: coco(300), ("pycocoevalcap",)),
    "growth": Section(
        lambda: growth([10_000, 100_000, 1_000_000]),
        lambda: growth([1_000]),
        (),
    ),
    "features": Section(features, lambda: features(500), ("orjson",)),
    "top-k": Section(
        lambda: chain(matrix(), embeddings(), train_scale()),
        lambda: chain(matrix(500, 3_000), embeddings(500, 3_000)),
        ("torch", "faiss-cpu"),
    ),
    "significance": Section(significance, lambda: significance(500, 100, 1_000), ("sacrebleu", "scipy", "ranx")),
    "frechet": Section(frechet, lambda: frechet(64, {16: 1e-3, 500: 1e-9}), ("scipy",)),
    "images": Section(images, lambda: images(20), ("torch", "torch-fidelity", "pytorch-fid", "clean-fid")),
    "engines": Section(engines, lambda: engines(8), ("torch", "openvino", "onnxruntime")),
    "stages": Section(stages, lambda: stages(20), ("torch",)),
    "models": Section(models, lambda: models(32), ("torch", "transformers", "openvino", "pillow")),
    "leaderboard": Section(
        leaderboard,
        lambda: leaderboard(
            queries=200, items=200, submissions=2_000, seconds=1, uploads=20, verdicts=3, large=8 << 20
        ),
        ("fastapi", "sqlalchemy", "uvicorn", "pysqlite3"),
    ),
}


def main() -> None:
    """Run all comparisons, or the named ones, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="use small sets and only print")
    options = parser.parse_args()
    for name in options.sections:
        if name not in SECTIONS:
            parser.error(f"unknown section {name}, choose from: {', '.join(SECTIONS)}")
    for name in options.sections or SECTIONS:
        section = SECTIONS[name]
        rows = []
        for row in section.measure_quickly() if options.quick else section.measure():
            # All sections together take half an hour, so each row is printed as soon as it is measured.
            print(" | ".join(row), file=sys.stderr, flush=True)
            rows.append(row)
        text = "\n".join([*facts(section.packages), "", *table(rows), ""])
        if options.quick:
            print(text)
        else:
            TARGET.write_text(page(TARGET.read_text(encoding="utf-8"), name, text), encoding="utf-8")


def page(before: str, name: str, text: str) -> str:
    """Return the page with one section replaced."""
    _, *parts = re.split(r"^## (.*)\n\n", before, flags=re.MULTILINE)
    texts = dict(zip(parts[::2], parts[1::2], strict=True)) | {name: text}
    # Tables of GPUs are pasted by hand, from `make gpu-check`.
    names = [*(section for section in SECTIONS if section in texts), *(key for key in texts if key not in SECTIONS)]
    sections = [f"## {section}\n\n{texts[section].rstrip()}\n" for section in names]
    return "\n".join([INTRODUCTION, *sections])


def facts(packages: Iterable[str]) -> list[str]:
    """Return the date, machine and versions of a measurement as two lines."""
    today = datetime.now(timezone.utc).date()
    versions = ", ".join(f"{name} {version(name)}" for name in ("muge-fast", "numpy", *packages))
    machine = f"{processor()}, {platform.system()} {platform.machine()}, {cores()} threads"
    return [
        f"{today}, {machine}, vector instructions up to {mf.cpu_level()};",
        f"Python {platform.python_version()}, {versions}.",
    ]


def processor() -> str:
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def cores() -> int:
    """Return the number of threads that ``threads=None`` uses."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()
