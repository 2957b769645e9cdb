"""A challenge with real processes on loopback: ``init``, ``team add``, ``serve``, ``submit``, kills, and the end."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

import leaderboard_plugin
from muge_fast.cli.main import main
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.samples import SAMPLES
from muge_fast.leaderboard.store.audit import verify_audit
from muge_fast.leaderboard.store.queue import queue_state

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the tests read /proc")

PREDICTIONS = {name: SAMPLES / "retrieval" / f"MR_sample.pred.{name}.jsonl" for name in ("template", "base", "large")}
SECONDS = 30


def muge_fast(*arguments):
    return [sys.executable, "-m", "muge_fast", *map(str, arguments)]


def run(*arguments, code=0):
    """Run a command in a process."""
    done = subprocess.run(muge_fast(*arguments), capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert done.returncode == code, done.stdout + done.stderr
    return done


def run_here(*arguments, code=0):
    """Run a command in this process, which takes less time."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done


@contextmanager
def serving(command, *arguments):
    """Yield a process that serves a board, and its address, which is the first line of its output."""
    started = muge_fast("board", command, *arguments, "--port", "0")
    with subprocess.Popen(started, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(SECONDS)


def wait_for(condition):
    for _ in range(20 * SECONDS):
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123
        return [int(child) for child in file.read().split()]


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            return file.read().decode().split("\0")
    except FileNotFoundError:
        return []


def child(process, name):
    """Return the id of the process of a name, ``web`` or ``worker``, once it runs this package."""
    return wait_for(lambda: next((pid for pid in children(process.pid) if name in command_of(pid)), None))


def get(address, path):
    with urlopen(address + path, timeout=SECONDS) as answer:  # noqa: S310 - of this test
        return json.load(answer)


def add_team(folder, path, name, *options, run=run_here):
    """Add a team, and write its token into a file."""
    path.write_text(run("board", "team", "add", folder, name, *options).stdout)
    return path


def send(address, token, file, *, code=0, run=run_here):
    return run("submit", "retrieval", file, "--to", address, "--token-file", token, "--wait", code=code)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("challenge") / "board"
    run("board", "init", folder, "--samples", "--quota", "3")
    return folder


def test_a_challenge_from_the_first_command_to_the_last(folder, tmp_path):
    token = add_team(folder, tmp_path / "token", "红裙子", run=run)
    with serving("serve", folder, "--workers", "1") as (process, address):
        # The page of the board, and a file that is scored.
        assert get(address, "/api/v1/tasks/retrieval/board")["rows"] == []
        assert "54.69" in send(address, token, PREDICTIONS["large"], run=run).stdout
        (row,) = get(address, "/api/v1/tasks/retrieval/board")["rows"]
        assert (row["rank"], row["team"], row["published"]) == (1, "红裙子", 54.69)

        # A broken file gets the errors of `check`, and does not use up the quota.
        broken = tmp_path / "broken.jsonl"
        broken.write_text(PREDICTIONS["base"].read_text("utf-8").replace("10003", "true", 1), "utf-8")
        expected = run_here("check", "retrieval", "-s", broken, code=1).stdout.splitlines()
        assert any("line" in line for line in expected)
        done = send(address, token, broken, code=1)
        assert all(line.strip() in done.stdout + done.stderr for line in expected if "line" in line)

        # Processes that are killed start again, and requests wait meanwhile.
        for name in ("worker", "web"):
            os.kill(child(process, name), signal.SIGKILL)
        assert wait_for(lambda: answers(address))
        assert "34.38" in send(address, token, PREDICTIONS["base"]).stdout

        # A team added while it runs, and the limit of three valid files a day.
        other = add_team(folder, tmp_path / "other", "Lotus")
        send(address, other, PREDICTIONS["template"])
        send(address, token, PREDICTIONS["template"])
        fourth = tmp_path / "fourth.jsonl"
        fourth.write_text("".join(reversed(PREDICTIONS["large"].read_text("utf-8").splitlines(keepends=True))), "utf-8")
        done = send(address, token, fourth, code=2)
        assert "valid submissions in 24 hours (3)" in done.stderr
        teams = [row["team"] for row in get(address, "/api/v1/tasks/retrieval/board")["rows"]]
        assert teams == ["红裙子", "Lotus"]

        pids = children(process.pid)
        process.terminate()
        assert process.wait(SECONDS) == 0
        assert not any(command_of(pid) for pid in pids)
    board = open_board(folder)
    with board.database.read() as connection:
        assert queue_state(connection)[:3] == (0, 0, 0)
    assert verify_audit(board.database) == []
    board.close()
    run_here("board", "verify", folder)


def answers(address):
    try:
        return urlopen(address + "/healthz", timeout=SECONDS).status == 200  # noqa: S310 - of this test
    except (URLError, ConnectionError):
        return False


def test_a_port_that_is_taken_is_one_line_and_no_process_outlives_a_server(folder):
    with serving("serve", folder, "--workers", "1") as (process, address):
        port = address.rpartition(":")[2]
        done = run_here("board", "serve", folder, "--port", port, code=2)
        assert done.stderr == f"Error: cannot listen at 127.0.0.1, port {port}: Address already in use\n"
        assert answers(address)
        pids = [child(process, name) for name in ("web", "worker")]
        process.kill()
        wait_for(lambda: not any(command_of(pid) for pid in pids))


def test_two_servers_and_a_worker_share_a_database(tmp_path, postgresql_server):
    database, folder = postgresql_server.new_database(), tmp_path / "board"
    storage = ("--database", database)
    run_here("board", "init", folder, "--samples", *storage)
    token = add_team(folder, tmp_path / "token", "red", *storage)
    worker = subprocess.Popen(muge_fast("board", "worker", folder, *storage))  # noqa: S603
    try:
        with serving("web", folder, *storage) as (_, first), serving("web", folder, *storage) as (_, second):
            assert "54.69" in send(first, token, PREDICTIONS["large"]).stdout
            (row,) = get(second, "/api/v1/tasks/retrieval/board")["rows"]
            assert (row["team"], row["published"]) == ("red", 54.69)
    finally:
        worker.terminate()
        assert worker.wait(SECONDS) == 0


# A task of another package


def installed(monkeypatch, folder, module=leaderboard_plugin.MODULE):
    """Let every process of the test find the package, as if it were installed."""
    monkeypatch.syspath_prepend(str(leaderboard_plugin.write_plugin(folder, module)))
    places = [str(folder), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, places)))


def test_a_task_of_another_package_from_init_to_the_board(tmp_path, monkeypatch):
    installed(monkeypatch, tmp_path / "packages")
    folder, gold = tmp_path / "board", tmp_path / "gold.jsonl"
    gold.write_text(leaderboard_plugin.rows(a=10, b=20, c=30))
    run("board", "init", folder, "--task", f"price={gold}", "--task", f"second:price={gold}", "--quota", "0")
    tokens = {name: add_team(folder, tmp_path / name, name) for name in ("near", "far")}
    files = {"near": leaderboard_plugin.rows(a=11, b=20, c=30), "far": leaderboard_plugin.rows(a=10, b=90, c=30)}
    with serving("serve", folder, "--workers", "1") as (_, address):
        for name, text in files.items():
            (sent := tmp_path / f"{name}.jsonl").write_text(text)
            done = run_here("submit", "price", sent, "--to", address, "--token-file", tokens[name], "--wait")
            assert {"near": "0.33", "far": "23.33"}[name] in done.stdout
        found = get(address, "/api/v1/tasks/price/board")
        assert found["higher_is_better"] is False
        shown = [(row["rank"], row["team"], row["published"]) for row in found["rows"]]
        assert shown == [(1, "near", 0.33), (2, "far", 23.33)]
        # Errors by line, as of a built-in task, and the page.
        (broken := tmp_path / "broken.jsonl").write_text(leaderboard_plugin.rows(a=1, b=2, d=3))
        done = run_here("submit", "second", broken, "--to", address, "--token-file", tokens["far"], "--wait", code=1)
        assert "line 3" in done.stdout + done.stderr
        with urlopen(f"{address}/tasks/price?lang=zh", timeout=SECONDS) as page:  # noqa: S310 - of this test
            text = page.read().decode()
        assert "价格预测" in text
        assert "near" in text
    run_here("board", "verify", folder)


def test_a_task_that_does_not_declare_its_direction_is_refused_by_name(tmp_path, monkeypatch):
    installed(monkeypatch, tmp_path / "packages", leaderboard_plugin.MODULE.replace(leaderboard_plugin.DECLARATION, ""))
    (gold := tmp_path / "gold.jsonl").write_text(leaderboard_plugin.rows(a=10))
    done = run("board", "init", tmp_path / "board", "--task", f"price={gold}", code=2)
    assert "tasks.price.higher_is_better: missing, and the scorer does not declare lower_is_better" in done.stderr
    assert not (tmp_path / "board").exists()
