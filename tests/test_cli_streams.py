"""The command ``muge-fast`` in a shell: standard input, named pipes, closed pipes and Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from muge_fast.cli.main import main
from source_files import ROOT

COMMAND = Path(sys.executable).parent / "muge-fast"
SAMPLES = ROOT / "python" / "muge_fast" / "samples" / "caption"
GOLD, PREDICTIONS = SAMPLES / "IC_sample.jsonl", SAMPLES / "IC_sample.pred.large.jsonl"
CLOSED_PIPE, INTERRUPTED = 141, 130


def run(*arguments, **options):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], **options)


def shell(script):
    """Run a script in bash; ``M`` is the command, ``G`` and ``P`` are the gold file and a submission."""
    names = {"M": str(COMMAND), "G": str(GOLD), "P": str(PREDICTIONS)}
    script = f"set -o pipefail; {script}"
    command = ["bash", "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **names})  # noqa: S603
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr
    return result


def scores(text):
    return {name: score["value"] for name, score in json.loads(text)["scores"].items()}


@pytest.fixture(scope="module")
def expected():
    """Scores of the files themselves."""
    return scores(run("score", "caption", "-g", GOLD, "-s", PREDICTIONS, "--json").stdout)


# Streams that are read

STREAMS = [
    "-g $G -s - < $P",
    "-g $G -s /dev/stdin < $P",
    "-g $G -s /dev/fd/0 < $P",
    "-g - -s $P < $G",
    "-g $G -s <(cat $P)",
    "-g <(cat $G) -s <(cat $P)",
    "-g <(cat $G) -s - < $P",
]


@pytest.mark.parametrize("files", STREAMS)
def test_streams_have_the_scores_of_files(files, expected):
    result = shell(f"$M score caption {files} --json")
    assert (result.returncode, result.stderr) == (0, "")
    assert scores(result.stdout) == expected


def test_a_pipe_is_read_as_a_submission(expected):
    result = shell("cat $P | $M score caption -g $G -s - --json")
    assert scores(result.stdout) == expected
    assert shell("head -c 3000 $P | $M check caption -s -").returncode == 1
    assert shell("$M check caption -s - < /dev/null").stdout == "the file has no rows\ninvalid: 1 problem\n"


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_can_be_read_only_once(name):
    result = run("check", "caption", "-g", "-", "-s", name, input="x")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "Error: standard input can be read only once, not for --gold and --submission"
    )


def test_a_pool_is_read_from_a_pipe():
    queries = SAMPLES.parent / "retrieval" / "MR_sample_queries.jsonl"
    submission = SAMPLES.parent / "retrieval" / "MR_sample.pred.large.jsonl"
    items = {item for line in submission.read_text().splitlines() for item in json.loads(line)["item_ids"]}
    arguments = "score", "retrieval", "-g", queries, "-s", submission, "--pool", "-"
    assert run(*arguments, input="\n".join(map(str, items))).exit_code == 0
    assert run(*arguments, input="\n".join(map(str, sorted(items)[1:]))).exit_code == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_is_read(tmp_path, expected):
    pipe = tmp_path / "pipe"
    result = shell(f"mkfifo {pipe}; cat $P > {pipe} & $M score caption -g $G -s {pipe} --json")
    assert scores(result.stdout) == expected
    result = shell(f"cat $P > {pipe} & $M score caption -g $G -s {pipe}")
    assert f"submission  {pipe}\n" in result.stdout


def test_errors_name_the_stream_and_not_its_copy():
    result = run("score", "caption", "-g", "-", "-s", PREDICTIONS, input='{"image_id": 5}\n')
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: gold file <stdin>: line 1: ")
    result = run("score", "caption", "-g", GOLD, "-s", "-", input=PREDICTIONS.read_text(encoding="utf-8"))
    assert "submission  <stdin>\n" in result.stdout


def test_closed_standard_input_is_one_line_and_exit_code_2():
    result = shell("$M check caption -s - <&-")
    assert (result.returncode, result.stderr) == (2, "Error: standard input is closed\n")


def test_a_stream_is_copied_up_to_the_limit_of_its_reader(monkeypatch, tmp_path):
    monkeypatch.setattr("muge_fast.datasets.rows.Reader.FILE_BYTES", 5000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sizes = []

    def checked(_, path, **__):
        sizes.append(path.stat().st_size)
        raise ValueError("stop")

    monkeypatch.setattr("muge_fast.cli.check.check_submission", checked)
    assert run("check", "caption", "-s", "-", input="x" * 20_000).output == "Error: stop\n"
    assert sizes == [5001]
    monkeypatch.undo()
    monkeypatch.setattr("muge_fast.datasets.rows.Reader.FILE_BYTES", 5000)
    output = run("check", "caption", "-s", "-", input="x" * 20_000).output
    assert output.splitlines()[0] == "the file has 5001 bytes, more than the limit of 5000"


def test_copies_of_streams_are_removed(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run("check", "caption", "-s", "-", input=PREDICTIONS.read_text(encoding="utf-8")).exit_code == 0
    assert run("check", "caption", "-s", "-", input="{").exit_code == 1
    assert run("score", "caption", "-s", PREDICTIONS, "-g", "-", input="{").exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_devices_are_refused(path):
    result = run("check", "caption", "-s", path)
    assert (result.exit_code, result.output) == (2, f"Error: --submission {path}: neither a file nor a pipe\n")


# Closed pipes

WRITERS = {
    "errors": "$M check retrieval -s $P | head -1",
    "help": "$M score --help | true",
    "version": "$M --version | true",
    "json": "$M score caption -g $G -s $P --json | true",
    "scores": "$M score caption -g $G -s $P | head -1",
    "info": "$M info $G | true",
    "error": "$M check caption -s nowhere 2>&1 | true",
    "usage": "$M nothing 2>&1 | true",
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_closed_pipe_is_quiet_and_has_the_exit_code_of_a_pipe(name):
    result = shell(f"{WRITERS[name]}; echo ${{PIPESTATUS[0]}}")
    assert result.stderr == ""
    # The output may be in the pipe before its reader ends.
    complete = {"errors": 1, "error": 2, "usage": 2}
    assert int(result.stdout.splitlines()[-1]) in (CLOSED_PIPE, complete.get(name, 0))


def test_a_pipe_without_a_reader_has_the_exit_code_of_a_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    for arguments in (["--help"], ["check", "caption", "-s", PREDICTIONS], ["info", GOLD], ["top-k", "--help"]):
        command = [COMMAND, *arguments]
        ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)  # noqa: S603 - ours
        assert (ended.returncode, ended.stderr) == (CLOSED_PIPE, b""), arguments
    os.close(writer)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device")
def test_a_full_disk_is_one_line_and_exit_code_2():
    result = shell("$M info $G > /dev/full")
    assert (result.returncode, result.stderr) == (2, "Error: No space left on device\n")
    result = shell("$M --help > /dev/full")
    assert (result.returncode, result.stderr) == (2, "Error: No space left on device\n")


# Ctrl-C


def start(*arguments, **environment):
    # A shell that runs the tests in the background may ignore the signal.
    return subprocess.Popen(  # noqa: S603 - ours
        [COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )


def test_ctrl_c_while_modules_are_imported(tmp_path):
    (tmp_path / "numpy.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    process = start("--help", PYTHONPATH=path)
    assert process.stdout.readline() == b"importing\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (INTERRUPTED, b"Interrupted\n")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_ctrl_c_while_a_pipe_is_read(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = start("check", "caption", "--lang", "zh", "-s", pipe)
    # Opening it waits for the reader.
    with pipe.open("wb"):
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (INTERRUPTED, b"")
    assert errors.decode().split() == ["已中断"]


def test_importing_the_package_leaves_the_signal_alone():
    script = "import signal, muge_fast; assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603 - ours
