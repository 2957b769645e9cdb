"""Uploads and workers under random ``kill -9``: what was acknowledged is stored and judged, once."""

import json
import multiprocessing
import random
import signal
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from leaderboard_boards import Board, admit_all, valid
from muge_fast.leaderboard.blobs.local import LocalBlobs
from muge_fast.leaderboard.store.audit import verify_audit
from muge_fast.leaderboard.store.database import open_database
from muge_fast.leaderboard.store.queue import QueueRules, claim, finish, renew
from muge_fast.leaderboard.store.submissions import NewSubmission, accept, recorded_blobs

KILLS = 12
PAUSE = 0.3
DRAIN = 300

CONTEXT = multiprocessing.get_context("forkserver")
# Modules that take long to import. The server does not find those of this folder.
STORE = ("accounts", "queue", "submissions", "teams")
PRELOADED = ["pytest", "psycopg", "sqlalchemy.dialects.postgresql.psycopg", "muge_fast.leaderboard.blobs.local"]
CONTEXT.set_forkserver_preload([*PRELOADED, *(f"muge_fast.leaderboard.store.{name}" for name in STORE)])

# A job may lose its worker at any number of attempts here, and must be judged all the same.
RULES = QueueRules(lease=timedelta(seconds=0.5), backoff=(timedelta(0),), tries=10_000)


def upload(address: str, folder: str, account: str, acknowledged: str) -> None:
    """Send files until killed. A key is written down before its request, and its id after the answer."""
    database, blobs = open_database(address), LocalBlobs(Path(folder) / "blobs")
    with Path(acknowledged).open("a", encoding="utf-8") as log:
        for key in pending_keys(Path(acknowledged)):
            print(json.dumps({"key": key}), file=log, flush=True)
            stored = blobs.put([key.encode(), b"\n"])
            new = NewSubmission("retrieval", account, stored.sha256, stored.size, key)
            accepted = accept(database, new, admit=admit_all)
            print(json.dumps({"key": key, "id": accepted.submission}), file=log, flush=True)


def pending_keys(log: Path):
    """Yield the key of a request without an answer first, as a client does that tries again."""
    sent = [line.get("key") for line in lines(log) if "id" not in line]
    answered = {line["key"] for line in lines(log) if "id" in line}
    yield from (key for key in dict.fromkeys(sent) if key not in answered)
    number = len(set(sent))
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


def work(address: str, _folder: str, name: str, _log: str) -> None:
    """Judge until killed."""
    database = open_database(address)
    while True:
        job = claim(database, name, rules=RULES)
        if job is None:
            time.sleep(0.01)
            continue
        time.sleep(random.choice((0, 0, 0, 0.02)))
        if random.random() < 0.02:
            time.sleep(0.8)  # Slow: another worker may take the job meanwhile, and this one is fenced.
        elif random.random() < 0.2:
            renew(database, job, rules=RULES)
        finish(database, job, valid())


def start(function, *arguments: str):
    """Start a process with a function of this module: a fork of a server that has imported the store, which is fast."""
    process = CONTEXT.Process(target=function, args=arguments, daemon=True)
    process.start()
    return process


def kill(process) -> None:
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL, "the process ended by itself"


def test_random_kills_lose_nothing_and_judge_nothing_twice(address, tmp_path):
    board = Board(address)
    board.database.close()
    log = tmp_path / "log"
    roles = [
        (upload, address, str(tmp_path), board.accounts["red"], str(log)),
        (work, address, str(tmp_path), "one", str(log)),
        (work, address, str(tmp_path), "two", str(log)),
    ]
    dice = random.Random(20261127)
    processes = [start(*role) for role in roles]
    try:
        # Until all have been heard of, kills would only hit imports.
        wait_for(lambda: board.scalar("SELECT count(*) FROM verdict") > 0)
        for _ in range(KILLS):
            time.sleep(dice.uniform(0.2, 2) * PAUSE)
            victim = dice.randrange(3)
            kill(processes[victim])
            processes[victim] = start(*roles[victim])
        wait_for(lambda: sum("id" in line for line in lines(log)) > 20)
        kill(processes[0])
        waiting = "SELECT count(*) FROM evaluation WHERE state IN ('queued', 'running')"
        wait_for(lambda: board.scalar(waiting) == 0)
    finally:
        for process in processes:
            process.kill()
            process.join()
    check_all(board, LocalBlobs(tmp_path / "blobs"), lines(log))
    board.database.close()


def wait_for(condition) -> None:
    for _ in range(DRAIN):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail("the processes did not get there in time")


def check_all(board: Board, blobs: LocalBlobs, log: list[dict[str, str]]) -> None:
    """Compare what was acknowledged with what is stored and judged."""
    acknowledged = {line["key"]: line["id"] for line in log if "id" in line}
    with board.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT client_key, id, blob, number FROM submission").all()
        judged = connection.exec_driver_sql(
            "SELECT submission.id FROM submission JOIN evaluation ON evaluation.submission = submission.id "
            "JOIN verdict ON verdict.evaluation = evaluation.id AND evaluation.state = 'scored'"
        ).all()
        hashes = list(blobs.hashes())
        recorded = recorded_blobs(connection, hashes)
    stored = {row[0]: row[1] for row in rows}
    assert acknowledged.items() <= stored.items()
    # At most the last request was stored without its answer.
    assert len(stored) - len(acknowledged) <= 1
    assert sorted(row[3] for row in rows) == list(range(1, len(rows) + 1))
    assert sorted(row[0] for row in judged) == sorted(stored.values())
    assert all(blobs.verify(row[2]) for row in rows)
    assert blobs.sweep(lambda found: recorded & set(found), older_than=-60).orphans == len(hashes) - len(recorded)
    assert {row[2] for row in rows} == set(blobs.hashes())
    assert verify_audit(board.database) == []
    if board.database.is_sqlite:
        assert board.scalar("PRAGMA integrity_check") == "ok"
        assert board.scalar("SELECT count(*) FROM pragma_foreign_key_check") == 0
