"""SIGTERM, SIGHUP, SIGINT and SIGKILL at any moment: outputs are complete or absent, and nothing else is left.

Left were ``.muge_fast.*`` of up to 29 MB after SIGTERM. Without the command's handlers, or after SIGKILL, a complete
file may be left by a signal in the microseconds between giving it a name and replacing the old file.
"""

import io
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from hostile_text import write
from muge_fast._internal import atomic, interrupted_start
from muge_fast._internal.atomic import replacing
from muge_fast.cli.main import main

MEMORY = 1 << 30
COUNT = 32
SIZE = 64
CODES = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}
random.seed(7)


def command(*arguments):
    sys.argv[0] = "muge-fast"
    assert interrupted_start.is_command()
    main(list(map(str, arguments)))


def score(folder):
    """Write four files, from a copy of standard input."""
    sys.stdin = io.TextIOWrapper((folder / "pred.jsonl").open("rb"))
    outputs = {f"--{name}": folder / f"out.{name}" for name in ("html", "markdown", "official")}
    outputs["--per-item"] = folder / "out.csv"
    command(
        "score", "caption", "-g", folder / "gold.jsonl", "-s", "-", *(part for pair in outputs.items() for part in pair)
    )


def official(folder):
    command("official", "caption", folder / "gold.jsonl", folder / "pred.jsonl", folder / "out.official")


def named(folder):
    """Write as on file systems that have no files without a name."""
    atomic.OPEN_FILES = folder / "no such folder"
    for _ in rounds():
        score_quietly(folder)


def rounds():
    """Yield for a few seconds: Python ignores an exception of a handler that ran inside a finalizer."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        yield


def score_quietly(folder):
    try:
        score(folder)
    except SystemExit as ended:
        if ended.code:
            raise


def library(folder):
    """Write one file again and again, without the command and its handlers."""
    for _ in rounds():
        with replacing(folder / "out.library") as file:
            for _ in range(SIZE):
                file.write(b"x" * 1000)


def child(function, folder):
    pid = os.fork()
    if pid:
        return pid
    null = os.open(os.devnull, os.O_RDWR)
    for number in (1, 2):
        os.dup2(null, number)
    code = 99
    try:
        function(folder)
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
    except KeyboardInterrupt:
        # Outside of main().
        code = CODES[signal.SIGINT]
    finally:
        os._exit(code)


def is_complete(path):
    if path.name == "out.library":
        return path.stat().st_size == 1000 * SIZE
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".official":
        return json.loads(text)["scoreJson"] is not None
    return text.endswith(("\n", "</html>"))


def prepare():
    with tempfile.TemporaryDirectory() as folder:
        files(Path(folder))
        os.waitpid(child(score, Path(folder)), 0)
        start = time.perf_counter()
        os.waitpid(child(score, Path(folder)), 0)
        return time.perf_counter() - start


def files(folder):
    rows = [{"image_id": str(item), "text": [f"红色连衣裙 {item}"] * 2} for item in range(300)]
    write(folder, "gold.jsonl", rows)
    write(folder, "pred.jsonl", [{"image_id": row["image_id"], "text": row["text"][0]} for row in rows])


def attack(seconds):
    ended = set()
    for trial in range(COUNT):
        function = (score, official, named, library)[trial % 4]
        number = random.choice([*CODES, signal.SIGKILL] if function is library else list(CODES))
        with tempfile.TemporaryDirectory() as name:
            folder, temporary = Path(name), Path(name) / "tmp"
            files(folder)
            temporary.mkdir()
            tempfile.tempdir = str(temporary)
            pid = child(function, folder)
            tempfile.tempdir = None
            # Not while the handlers are not there yet: there is no temporary file then, either.
            time.sleep(random.uniform(0.002, seconds * 1.2))
            os.kill(pid, number)
            # As the command timeout does.
            os.kill(pid, number)
            status = os.waitpid(pid, 0)[1]
            code = os.waitstatus_to_exitcode(status)
            # The signal itself ends the process before the handlers are there.
            expected = {0, CODES.get(number), -number}
            assert code in expected, (function, number, code)
            ended.add(code)
            left = {path for path in folder.iterdir() if path.name not in ("gold.jsonl", "pred.jsonl", "tmp")}
            outputs = {path for path in left if path.name.startswith("out.")}
            # Between its name and its place, where no exception can remove it.
            is_killed = function is library and number != signal.SIGINT
            complete = {path for path in left - outputs if is_killed and path.stat().st_size == 1000 * SIZE}
            assert left == outputs | complete, (function, number, code, left)
            assert not list(temporary.iterdir()), (function, number, code)
            assert all(is_complete(path) for path in outputs), (function, number, outputs)
    assert ended & set(CODES.values()), ended
