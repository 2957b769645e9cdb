"""Exit codes of commands whose machine fails them: full disks, closed streams, limits, missing packages and folders."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from muge_fast import tasks

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits and devices are those of Linux")

SAMPLES = Path(tasks.__file__).parents[1] / "samples"
GOLD, VALID = SAMPLES / "caption" / "IC_sample.jsonl", SAMPLES / "caption" / "IC_sample.pred.large.jsonl"
QUERIES, RANKED = (
    SAMPLES / "retrieval" / "MR_sample_queries.jsonl",
    SAMPLES / "retrieval" / "MR_sample.pred.large.jsonl",
)
# One pixel.
IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PROGRAM = f"{shlex.quote(sys.executable)} -m muge_fast"
# The commands run in a shell, in a folder with these files.
COMMANDS = {
    "check": f"check caption -g {GOLD} -s {VALID}",
    "check stdin": f"check caption -g {GOLD} -s - < {VALID}",
    "score": f"score caption -g {GOLD} -s {VALID}",
    "files": f"score caption -g {GOLD} -s {VALID} --html o.html --official o.json --per-item o.csv --markdown o.md",
    "table": f"score caption -g {GOLD} -s {VALID} --per-item o.parquet",
    "images": "score t2i -g images.tsv -s images.tsv --weights images.tsv",
    "chinese": f"score retrieval -g {QUERIES} -s {RANKED} --lang zh",
    "official": f"official caption {GOLD} {VALID} o.json",
    "official script": f"official retrieval {QUERIES} {RANKED} o.json",
    "drop-in": "drop-in",
    "info": f"info {GOLD} {QUERIES}",
    "top-k": "top-k --image-feats i.jsonl --text-feats t.jsonl --output o.jsonl",
    "top-k stdout": "top-k --image-feats i.jsonl --text-feats t.jsonl --output -",
    "invalid": f"check caption -g {GOLD} -s empty.jsonl",
    "invalid official": f"official caption {GOLD} empty.jsonl o.json",
}
ASCII = "PYTHONIOENCODING=ascii:strict LC_ALL=POSIX LANG=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0"
MISSING = (
    "import runpy, sys\n"
    "for name in sys.argv.pop(1).split(','): sys.modules[name] = None\n"
    "sys.argv[0] = 'muge-fast'\n"
    "runpy.run_module('muge_fast', run_name='__main__')\n"
)


def without(packages):
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(MISSING)} {packages} {{command}}"


# What is done with a command, and the exit codes of commands.
CASES = [
    ("{run}", dict.fromkeys(COMMANDS, 0) | {"images": 2, "invalid": 1, "invalid official": 1}),
    (
        "{run} > /dev/full",
        {"check": 2, "score": 2, "chinese": 2, "official": 0, "info": 2, "top-k stdout": 2, "invalid": 2},
    ),
    ("{run} 2> /dev/full", {"check": 0, "official": 2, "invalid": 1, "invalid official": 2}),
    ("{run} > /dev/full 2>&1", {"score": 2, "official": 2, "info": 2, "invalid": 2, "top-k": 2}),
    ("{run} >&-", {"check": 0, "official": 0, "invalid": 1}),
    ("{run} 2>&-", {"check": 0, "official": 0, "invalid": 1}),
    ("{run} <&- >&- 2>&-", {"check": 0, "official": 0, "invalid": 1, "invalid official": 1}),
    ("{run} 1< /dev/null", {"check": 2, "score": 2, "official": 0, "info": 2, "top-k stdout": 2, "invalid": 2}),
    ("{run} | :", {"score": (141, 0), "info": (141, 0), "top-k stdout": (141, 0), "invalid": (141, 1)}),
    (f"env {ASCII} {{run}}", {"chinese": 0, "check": 0, "official": 0, "invalid": 1, "top-k stdout": 0}),
    ("env PYTHONIOENCODING=utf-16 {run}", {"chinese": 0, "invalid": 1}),
    (
        "ulimit -f 0; {run}",
        {"files": 2, "official": 2, "invalid official": 2, "top-k": 2, "check stdin": 2, "check": 0},
    ),
    ("ulimit -v 100000; {run}", {"check": 2, "official": 2, "invalid": 2, "info": 2, "top-k": 2}),
    (
        "ulimit -v 200000; {run}",
        {"score": (0, 2), "official": (0, 2), "info": (0, 2), "top-k": (0, 2), "invalid": (1, 2)},
    ),
    ("ulimit -n 8; {run}", {"score": (0, 2), "official": (0, 2), "top-k": (0, 2), "invalid": (1, 2)}),
    ("ulimit -s 256; {run}", {"score": (0, 2), "invalid": (1, 2)}),
    ("mkdir d; cd d; rmdir ../d; {run}", {"check": 0, "files": 2, "official": 2, "invalid official": 2, "info": 0}),
    ("cd /proc; {run}", {"files": 2, "official": 2, "invalid official": 2, "table": 2}),
    ("env TMPDIR=/nowhere {run}", {"check stdin": (0, 2), "official": 0}),
    ("env MUGE_FAST_CPU=nonsense {run}", {"top-k": 2, "check": 0}),
    ("env MUGE_FAST_LANG=xx {run}", {"check": 2, "official": 2}),
    ("env PYTHONWARNINGS=error {run}", {"score": (0, 2), "invalid": 1}),
    ("env PYTHONOPTIMIZE=2 {run}", {"score": 0, "invalid": 1}),
    (without("numpy"), {"check": 2, "official": 2, "invalid": 2}),
    (without("click"), {"check": 2, "invalid": 2}),
    (without("muge_fast._core"), {"check": 2, "invalid": 2}),
    (without("tqdm"), {"check": 0, "top-k": (0, 2)}),
    (without("pyarrow"), {"table": 2, "check": 0}),
    (without("PIL,torch"), {"images": 2, "check": 0}),
    ("timeout -s INT 0.05 {run}", {"official": (0, 130, 124), "score": (0, 130, 124)}),
]
ALL = [
    pytest.param(
        line, name, codes if isinstance(codes, tuple) else (codes,), id=f"{line} {name}".replace("\n", " ")[-80:]
    )
    for line, commands in CASES
    for name, codes in commands.items()
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "empty.jsonl").write_text("{}\n")
    (tmp_path / "images.tsv").write_text(f"1\t{IMAGE}\n")
    (tmp_path / "gold.jsonl").write_text('{"text_id": 1, "image_ids": [1]}\n')
    ranked = {"text_id": 1, "image_ids": list(range(10))}
    (tmp_path / "ranked.jsonl").write_text(json.dumps(ranked))
    for name, key in (("i", "image_id"), ("t", "text_id")):
        rows = ({key: row, "feature": [float(row == column) for column in range(12)]} for row in range(12))
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


@pytest.mark.parametrize(("line", "name", "codes"), ALL)
def test_a_crash_is_never_the_code_of_an_invalid_submission(line, name, codes, folder):
    command = COMMANDS[name]
    run = f"{PROGRAM} {command}"
    if name == "drop-in":
        run = f"{PROGRAM}.compat.chinese_clip gold.jsonl ranked.jsonl o.json"
    script = line.format(run=run, command=command)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(  # noqa: S603 - our own
        ["bash", "-o", "pipefail", "-c", script],  # noqa: S607
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        timeout=100,
    )
    assert done.returncode in codes, (done.returncode, done.stdout[-500:], done.stderr[-1500:])
    known = {"empty.jsonl", "images.tsv", "gold.jsonl", "ranked.jsonl", "i.jsonl", "t.jsonl"}
    left = {path.name for path in folder.iterdir()} - known
    assert all(found.startswith("o.") for found in left), left
    if name.startswith(("official", "invalid official")) and done.returncode in (0, 1):
        assert json.loads((folder / "o.json").read_text())["success"] is (done.returncode == 0)
