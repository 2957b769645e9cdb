"""Uploads and real workers under ``kill -9``, for a test and for ``scripts/leaderboard_kills.py``.

Uploads go through the store, and workers are those of the package with their scoring processes. After every run, what
was acknowledged is compared with what is stored and judged.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from leaderboard_boards import admit_all
from leaderboard_workers import VALID, WorkerBoard
from muge_fast.leaderboard.board import Board, open_board
from muge_fast.leaderboard.operations.backup import back_up
from muge_fast.leaderboard.operations.restore import restore
from muge_fast.leaderboard.operations.verify import verify
from muge_fast.leaderboard.store.queue import QueueRules
from muge_fast.leaderboard.store.submissions import NewSubmission, accept
from muge_fast.leaderboard.worker.loop import run_worker

CONTEXT = multiprocessing.get_context("forkserver")
PRELOADED = ["pytest", "psycopg", "sqlalchemy.dialects.postgresql.psycopg"]
MODULES = ("worker.loop", "store.submissions", "blobs.local", "registration")
CONTEXT.set_forkserver_preload([*PRELOADED, *(f"muge_fast.leaderboard.{name}" for name in MODULES)])

TASK = "classification"
# An evaluation may lose its worker at any number of attempts here, and must be judged all the same.
RULES = QueueRules(lease=timedelta(seconds=3), backoff=(timedelta(0),), tries=10_000)
WORKERS = 2
UPLOAD_PAUSE, WAIT = 0.1, 0.05
INVALID_EVERY = 5


def upload(folder: str, database: str | None, account: str, acknowledged: str) -> None:
    """Send files until killed. A key is written down before its request, and its id after the answer."""
    board = open_board(Path(folder), database=database)
    with Path(acknowledged).open("a", encoding="utf-8") as log:
        for key in pending_keys(Path(acknowledged)):
            print(json.dumps({"key": key}), file=log, flush=True)
            stored = board.blobs.put([content_of(key)])
            new = NewSubmission(TASK, account, stored.sha256, stored.size, key)
            accepted = accept(board.database, new, admit=admit_all)
            print(json.dumps({"key": key, "id": accepted.submission}), file=log, flush=True)
            time.sleep(UPLOAD_PAUSE)


def content_of(key: str) -> bytes:
    """Return a file that only this key has; every fifth one has errors."""
    number = int(key.rpartition("-")[2])
    if number % INVALID_EVERY == 0:
        return f'{{"image_id": "{key}"}}\n'.encode()
    return VALID[TASK].read_bytes().rstrip(b"\n") + b" " * number + b"\n"


def pending_keys(log: Path):
    """Yield the key of a request without an answer first, as a client does that tries again."""
    found = lines(log)
    answered = {line["key"] for line in found if "id" in line}
    keys = dict.fromkeys(line["key"] for line in found)
    yield from (key for key in keys if key not in answered)
    number = len(keys)
    while True:
        number += 1
        yield f"key-{number}"


def lines(log: Path) -> list[dict[str, str]]:
    """Read the log; a last line that a kill cut off is left out."""
    found = []
    for line in log.read_text("utf-8").splitlines() if log.exists() else ():
        with suppress(ValueError):
            found.append(json.loads(line))
    return found


def work(folder: str, database: str | None, _account: str, _log: str) -> None:
    """Judge until killed."""
    run_worker(open_board(Path(folder), database=database), rules=RULES)


def descendants(pid: int) -> list[int]:
    """Return the processes that a process and its children have started: scoring processes and those of files."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, path.read_text("ascii").split()):
                found += [child, *descendants(child)]
    return found


class KillRun:
    """A board whose processes are killed at random.

    Args:
        folder: An empty folder.
        database: Address of an empty database; None for a file in the folder.
        seed: Seed of the victims.

    """

    def __init__(self, folder: Path, database: str | None, seed: int) -> None:
        gold = {TASK: VALID[TASK]}
        made = WorkerBoard(folder / "board", gold=gold, toml="", database=database)
        self.folder, self.database, self.dice = folder, database, random.Random(seed)
        self.log = folder / "log"
        self.board: Board = made.board
        given = (str(folder / "board"), database, made.account, str(self.log))
        self.roles = [(upload, given), *[(work, given)] * WORKERS]
        self.processes = [self._start(*role) for role in self.roles]
        self.killed: Counter[str] = Counter()

    @staticmethod
    def _start(function, arguments):
        process = CONTEXT.Process(target=function, args=arguments)
        process.start()
        return process

    def kill_one(self) -> None:
        """Kill an uploader, a worker, or one of the processes of a worker."""
        victim = self.dice.choice(["uploader", "worker", "worker", "child", "child"])
        index = 0 if victim == "uploader" else self.dice.randrange(1, len(self.roles))
        if victim == "child":
            children = descendants(self.processes[index].pid)
            if not children:
                return
            with suppress(ProcessLookupError):
                os.kill(self.dice.choice(children), signal.SIGKILL)
                self.killed[victim] += 1
            return
        self._kill(index)
        self.processes[index] = self._start(*self.roles[index])
        self.killed[victim] += 1

    def _kill(self, index: int) -> None:
        process = self.processes[index]
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, "the process ended by itself"

    def kill_many(self, kills: int, *, pause: float) -> None:
        """Kill a number of processes at random times."""
        wanted = sum(self.killed.values()) + kills
        while sum(self.killed.values()) < wanted:
            time.sleep(self.dice.uniform(0.2, 2) * pause)
            self.kill_one()

    def scalar(self, statement: str):
        with self.board.database.read() as connection:
            return connection.exec_driver_sql(statement).scalar()

    def wait(self, condition, seconds: float = 60) -> None:
        for _ in range(int(seconds / WAIT)):
            if condition():
                return
            time.sleep(WAIT)
        raise AssertionError("the processes did not get there in time")

    def acknowledged(self) -> dict[str, str]:
        return {line["key"]: line["id"] for line in lines(self.log) if "id" in line}

    def drain(self) -> None:
        """End the uploads, and wait until everything is judged."""
        self._kill(0)
        waiting = "SELECT count(*) FROM evaluation WHERE state IN ('queued', 'running')"
        self.wait(lambda: self.scalar(waiting) == 0, seconds=120)

    def end(self) -> None:
        started = [pid for process in self.processes[1:] for pid in descendants(process.pid)]
        for process in self.processes:
            process.kill()
            process.join()
        # Scoring processes end with their worker.
        self.wait(lambda: not [pid for pid in started if Path(f"/proc/{pid}").exists()], seconds=10)

    def back_up_and_restore(self, database: str | None) -> int:
        """Back up the running board, restore it elsewhere, judge the rest there, and return how many were restored."""
        before = self.acknowledged()
        back_up(self.board, self.folder / "backups")
        restore(self.folder / "backups", self.folder / "restored", database=database)
        restored = open_board(self.folder / "restored", database=database)
        process = self._start(work, (str(self.folder / "restored"), database, "", ""))
        try:
            with restored.database.read() as connection:
                rows = connection.exec_driver_sql("SELECT client_key, id FROM submission").all()
            assert before.items() <= {row[0]: row[1] for row in rows}.items()

            def is_drained():
                with restored.database.read() as connection:
                    states = connection.exec_driver_sql("SELECT state FROM evaluation").scalars().all()
                return not {"queued", "running"} & set(states)

            self.wait(is_drained)
        finally:
            process.kill()
            process.join()
        check_board(restored, before)
        restored.close()
        return len(rows)

    def check(self) -> dict[str, object]:
        """Compare what was acknowledged with what is stored and judged, and return the figures."""
        acknowledged = self.acknowledged()
        figures = check_board(self.board, acknowledged)
        # At most the last request of each kill of the uploader was stored without its answer.
        assert figures["stored"] - len(acknowledged) <= 1
        return {"kills": dict(self.killed), "acknowledged": len(acknowledged), **figures}


def check_board(board: Board, acknowledged: dict[str, str]) -> dict[str, int]:
    """Assert that everything that was acknowledged is stored and judged once, with the right verdict."""
    with board.database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT submission.client_key, submission.id, submission.number, evaluation.state, evaluation.attempt, "
            "evaluation.faults, (SELECT count(*) FROM verdict WHERE verdict.submission = submission.id) "
            "FROM submission JOIN evaluation ON evaluation.submission = submission.id"
        ).all()
    assert acknowledged.items() <= {row[0]: row[1] for row in rows}.items()
    assert sorted(row[2] for row in rows) == list(range(1, len(rows) + 1))
    for key, _, _, state, _, _, verdicts in rows:
        is_invalid = int(key.rpartition("-")[2]) % INVALID_EVERY == 0
        assert (state, verdicts) == ("invalid" if is_invalid else "scored", 1), key
    result = verify(board)
    assert result.ok, result.faults
    if board.database.is_sqlite:
        with board.database.read() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    return {
        "stored": len(rows),
        "judged": sum(row[6] for row in rows),
        "tried_again": sum(row[4] > 1 for row in rows),
        "lost": sum(row[6] == 0 for row in rows),
        "judged_twice": sum(row[6] > 1 for row in rows),
    }
