"""Exit code 1 is an invalid submission and nothing else, and ``official`` writes its object in every case."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from muge_fast import tasks
from muge_fast._core import __version__
from muge_fast.cli.errors import Ended
from muge_fast.cli.main import main
from muge_fast.cli.signals import Terminated

SAMPLES = Path(tasks.__file__).parents[1] / "samples"
CAPTION = SAMPLES / "caption" / "IC_sample.jsonl", SAMPLES / "caption" / "IC_sample.pred.large.jsonl"
RETRIEVAL = SAMPLES / "retrieval" / "MR_sample_queries.jsonl", SAMPLES / "retrieval" / "MR_sample.pred.large.jsonl"

ERRORS = [
    ValueError("x"),
    TypeError("x"),
    OSError(5, "Input/output error", "/server/secret"),
    PermissionError("/server/secret"),
    ImportError("no package x"),
    MemoryError(),
    RuntimeError("CUDA error: device-side assert triggered"),
    RecursionError("maximum recursion depth exceeded"),
    NotImplementedError(),
    KeyError("x"),
    IndexError("x"),
    AttributeError("x"),
    AssertionError(),
    ZeroDivisionError("x"),
    OverflowError("x"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"),
    StopIteration(),
    EOFError(),
    Exception("\x1b[2J"),
    SystemExit(0),
    SystemExit(1),
    SystemExit("x"),
    SystemExit(None),
    click.exceptions.Exit(1),
    click.ClickException("x"),
    click.FileError("x"),
]
INTERRUPTS = [(KeyboardInterrupt(), 130), (Terminated(15), 143), (Terminated(1), 129)]
COMMANDS = {
    "check": ("check", "caption", "-g", CAPTION[0], "-s", CAPTION[1]),
    "score": ("score", "caption", "-g", CAPTION[0], "-s", CAPTION[1]),
    "compare": ("compare", "caption", "-g", CAPTION[0], "a=" + str(CAPTION[1]), "b=" + str(CAPTION[1])),
    "official": ("official", "caption", *CAPTION),
    "info": ("info", CAPTION[0]),
    "official retrieval": ("official", "retrieval", *RETRIEVAL),
}
# Where errors are raised: reading for each command, and what the command does then.
PLACES = {
    "check": ["muge_fast.datasets.row_reader.RowReader.read", "muge_fast.cli.check.check_submission"],
    "score": ["muge_fast.evaluation._evaluate.score_rows", "muge_fast.datasets.row_reader.RowReader.read"],
    "compare": ["muge_fast.datasets.row_reader.RowReader.read", "muge_fast.cli.compare.compare_systems"],
    "official": ["muge_fast.evaluation._evaluate.score_rows", "muge_fast.datasets.row_reader.RowReader.read"],
    "info": ["muge_fast.evaluation.file_info.describe"],
    "official retrieval": ["muge_fast.evaluation.official_verdict.read_bytes"],
}
CASES = [(name, place) for name, places in PLACES.items() for place in places]


def run(name, tmp_path, *options):
    output = [tmp_path / "out.json"] if name.startswith("official") else []
    return CliRunner().invoke(main, list(map(str, (*options, *COMMANDS[name], *output))))


@pytest.fixture(params=CASES, ids=" in ".join)
def case(request):
    return request.param


def fail_with(error, place, monkeypatch):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(place, fail)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{type(error).__name__}{error.args}"[:40])
def test_every_error_is_exit_code_2(case, error, tmp_path, monkeypatch):
    name, place = case
    assert run(name, tmp_path).exit_code == 0
    fail_with(error, place, monkeypatch)
    for options in ((), ("--debug",)):
        result = run(name, tmp_path, *options)
        assert (result.exit_code, "\x1b" in result.output) == (2, False), result.output
        if name.startswith("official"):
            written = json.loads((tmp_path / "out.json").read_text())
            assert (written["success"], written["score"], "server" in str(written)) == (False, 0, False)
            (tmp_path / "out.json").unlink()


@pytest.mark.parametrize(("error", "code"), INTERRUPTS)
def test_interrupts_have_the_codes_of_their_signals(case, error, code, tmp_path, monkeypatch):
    name, place = case
    fail_with(error, place, monkeypatch)
    assert run(name, tmp_path).exit_code == code
    if name.startswith("official"):
        assert json.loads((tmp_path / "out.json").read_text())["success"] is False


def test_the_result_of_a_command_ends_it():
    assert issubclass(Ended, SystemExit)


@pytest.mark.parametrize("options", [("--device", "nonsense"), ("--device", "cuda:99"), ("--weights", "missing")])
def test_a_wrong_device_is_exit_code_2(options):
    pytest.importorskip("torch")
    arguments = ["score", "t2i", "-g", CAPTION[0], "-s", CAPTION[1], *options]
    assert CliRunner().invoke(main, list(map(str, arguments))).exit_code == 2


@pytest.mark.skipif(os.name != "posix", reason="streams of a shell")
@pytest.mark.parametrize(
    ("redirect", "codes"),
    [
        (">&-", {0}),
        ("2>&-", {0}),
        (">/dev/full", {2}),
        (">/dev/full 2>&1", {2}),
        (">&- 2>&- <&-", {0}),
        ("| :", {141, 0}),
    ],
)
def test_broken_streams_are_never_exit_code_1(redirect, codes, tmp_path):
    command = f"{sys.executable} -m muge_fast score caption -g {CAPTION[0]} -s {CAPTION[1]} {redirect}"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, check=False)  # noqa: S603, S607
    assert done.returncode in codes, done.stderr
    command = f"{sys.executable} -m muge_fast official caption {CAPTION[0]} {CAPTION[1]} {tmp_path}/out.json {redirect}"
    subprocess.run(["bash", "-c", command], capture_output=True, check=False)  # noqa: S603, S607 - our own
    assert json.loads((tmp_path / "out.json").read_text())["success"] is True


def test_errors_while_the_package_is_imported_are_exit_code_2(tmp_path):
    (tmp_path / "numpy.py").write_text("raise ImportError('\\x1b[2J')")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, "-m", "muge_fast", "--version"]
    done = subprocess.run(command, capture_output=True, check=False, env=environment)  # noqa: S603 - our own
    assert (done.returncode, b"\x1b" in done.stderr) == (2, False), done.stderr
    assert __version__
