"""The supervisor of a board's processes: restarts, the end, and no process that outlives it."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the tests read /proc")

# A supervisor of children that write their ids into a file.
SUPERVISOR = """
import sys
from muge_fast.leaderboard import supervisor
from muge_fast.leaderboard.supervisor import Supervised, supervise
log, grace, settled, *scripts = sys.argv[1:]
supervisor.SETTLED = float(settled)
children = [Supervised(f"child {n}", (sys.executable, "-c", script, log)) for n, script in enumerate(scripts)]
def report(child, code, delay):
    print(child.name, code, delay, flush=True)
sys.exit(supervise(children, report=report, grace=float(grace)))
"""

NOTE = """
import os, signal, sys, time
log = sys.argv[1]
def note(text):
    with open(log, "a") as file:
        file.write(f"{text}\\n")
"""
RUNS = NOTE + "note(os.getpid())\ntime.sleep(60)\n"
ENDS = NOTE + "note(os.getpid())\nsys.exit(3)\n"
WRONG = NOTE + "note(os.getpid())\nsys.exit(2)\n"
TIDY = (
    NOTE
    + """
def end(*_):
    note('tidy')
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
note(os.getpid())
time.sleep(60)
"""
)
STUBBORN = NOTE + "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nnote(os.getpid())\ntime.sleep(60)\n"
FOLLOWS = (
    NOTE
    + "from muge_fast.leaderboard.supervisor import end_with_supervisor\nend_with_supervisor()\n"
    + "note(os.getpid())\ntime.sleep(60)\n"
)


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a supervisor of scripts."""
    started = []
    log = tmp_path / "log"

    def begin(*scripts, grace=10.0, settled=10.0):
        command = [sys.executable, "-c", SUPERVISOR, str(log), str(grace), str(settled), *scripts]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))  # noqa: S603 - our own script
        return started[-1], log

    yield begin
    for process in started:
        process.kill()
        process.communicate()
    if log.exists():
        for pid in map(int, filter(str.isdigit, log.read_text().split())):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def wait_for(condition):
    for _ in range(1000):
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def lines(log, count):
    """Wait for a number of lines."""
    return wait_for(lambda: (made := log.read_text().split() if log.exists() else []) and len(made) >= count and made)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_process_that_is_killed_starts_again(start):
    process, log = start(RUNS, RUNS)
    first = [int(pid) for pid in lines(log, 2)]
    os.kill(first[0], signal.SIGKILL)
    pids = [int(pid) for pid in lines(log, 3)]
    assert is_running(pids[1])
    assert is_running(pids[2])
    assert process.stdout.readline().split()[2:] == ["-9", "0.1"]
    process.terminate()
    assert process.wait(20) == 0
    assert not any(map(is_running, pids))


def test_starts_wait_longer_each_time(start):
    process, log = start(ENDS)
    lines(log, 4)
    delays = [float(process.stdout.readline().split()[-1]) for _ in range(4)]
    assert delays == [0.1, 0.2, 0.4, 0.8]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_processes_finish_what_they_do(start, number):
    process, log = start(TIDY, TIDY)
    lines(log, 2)
    process.send_signal(number)
    assert process.wait(20) == 0
    assert log.read_text().split().count("tidy") == 2


def test_a_process_that_does_not_end_is_killed(start):
    process, log = start(STUBBORN, grace=0.5)
    (pid,) = lines(log, 1)
    process.terminate()
    assert process.wait(20) == 0
    assert not is_running(pid)


def test_a_second_signal_kills_at_once(start):
    process, log = start(STUBBORN, grace=60)
    (pid,) = lines(log, 1)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert is_running(pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert not is_running(pid)


def test_a_process_that_cannot_run_at_all_ends_the_others(start):
    process, log = start(RUNS, WRONG)
    assert process.wait(30) == 2
    assert not any(map(is_running, lines(log, 2)))


def test_a_process_that_has_run_well_starts_again_after_any_error(start):
    process, log = start(NOTE + "note(os.getpid())\ntime.sleep(1)\nsys.exit(2)\n", settled=0.5)
    lines(log, 2)
    assert process.stdout.readline().split()[2:] == ["2", "0.1"]
    assert process.poll() is None


def test_processes_end_with_a_supervisor_that_is_killed(start):
    process, log = start(FOLLOWS)
    (pid,) = lines(log, 1)
    process.kill()
    wait_for(lambda: not is_running(pid))
