"""Boards to measure: folders with tasks and gold files, servers in processes, and many submissions."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import numpy as np
from sqlalchemy import insert

from benches.data import caption_set
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.registration import register_tasks
from muge_fast.leaderboard.rules.names import skeleton
from muge_fast.leaderboard.store.accounts import create_account, create_token
from muge_fast.leaderboard.store.audit import Actor
from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.new_ids import new_id
from muge_fast.leaderboard.store.schema import blob, evaluation, submission, task, verdict
from muge_fast.leaderboard.store.tasks import active_evaluator
from muge_fast.leaderboard.store.teams import create_team

ACTOR = Actor("bench")
QUERIES, ITEMS, POOL = 5_000, 10_000, 30_000
TEAMS = 100
BATCH = 2_000
# Between two submissions: 100,000 of them are sent in less than a month.
SPACING = timedelta(seconds=20)

SETTINGS = """
title = "Load"
languages = ["en", "zh"]
[limits]
valid_per_day = 0
[tasks.retrieval]
gold = "retrieval.jsonl"
[tasks.caption]
gold = "caption.jsonl"
[tasks.large]
scorer = "retrieval"
gold = "retrieval.jsonl"
max_megabytes = 200
"""


def json_lines(rows: list[dict[str, object]]) -> bytes:
    """Return rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def rankings(seed: int, queries: int = QUERIES) -> bytes:
    """Return a submission for retrieval of about 100 bytes for each query."""
    random = np.random.default_rng(seed)
    items = random.integers(0, POOL // 10, (queries, 10)) * 10 + np.arange(10)
    return json_lines([{"query_id": query, "item_ids": row.tolist()} for query, row in enumerate(items)])


def captions(seed: int, items: int = ITEMS) -> bytes:
    """Return a submission for captions, with some characters of the references changed."""
    texts = _captions(items)
    random = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for item, references in enumerate(texts):
        text = references[int(random.integers(len(references)))]
        cut = int(random.integers(1, len(text)))
        rows.append({"image_id": str(item), "text": text[cut:] + text[:cut]})
    return json_lines(rows)


_cached: dict[int, list[list[str]]] = {}


def _captions(items: int) -> list[list[str]]:
    if items not in _cached:
        _cached[items] = caption_set(items).references
    return _cached[items]


@contextmanager
def board_folder(queries: int = QUERIES, items: int = ITEMS) -> Iterator[tuple[Path, str]]:
    """Yield the folder of a board with three tasks and a team, and the token of the team."""
    folder = Path(tempfile.mkdtemp(prefix="muge-bench-"))
    try:
        gold = [{"query_id": query, "query_text": "红裙", "item_ids": [query * 3]} for query in range(queries)]
        (folder / "retrieval.jsonl").write_bytes(json_lines(gold))
        references = [{"image_id": str(item), "text": texts} for item, texts in enumerate(_captions(items))]
        (folder / "caption.jsonl").write_bytes(json_lines(references))
        (folder / "board.toml").write_text(SETTINGS, "utf-8")
        with closing(open_board(folder, create=True)) as board:
            register_tasks(board, actor=ACTOR)
            token = new_team(board.database, "red")
        yield folder, token
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_team(database: Database, name: str) -> str:
    """Add a team of one account, and return its token."""
    account = create_account(database, name=name, name_key=skeleton(name), actor=ACTOR)
    create_team(database, name=name, name_key=skeleton(name), founder=account, actor=ACTOR)
    return create_token(database, account, label="bench", scopes=("read", "submit"), actor=ACTOR)


@contextmanager
def serving(folder: Path, *, workers: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Yield the address of a server, and the process that supervises it."""
    process = start_server(folder, workers=workers)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        wait_until_ready(address)
        yield address, process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            kill_all(process)


def start_server(folder: Path, *, workers: int, port: int = 0) -> subprocess.Popen[str]:
    """Start a server, whose first line of output is its address."""
    command = [sys.executable, "-m", "muge_fast", "board", "serve", str(folder), "--port", str(port)]
    command += ["--workers", str(workers)]
    return subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )


def wait_until_ready(address: str, seconds: float = 30) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + seconds
    while not _answers(address):
        if time.monotonic() > end:
            raise TimeoutError(f"{address} does not answer")
        time.sleep(0.01)


def _answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/healthz", timeout=1):  # noqa: S310 - our own server
            return True
    except OSError:
        return False


def children_of(parent: int) -> dict[int, str]:
    """Return the processes that a process started, with their arguments."""
    paths = [path for path in Path("/proc").glob("[0-9]*") if _parent(path) == parent]
    return {int(path.name): (path / "cmdline").read_bytes().replace(b"\0", b" ").decode() for path in paths}


def _parent(process: Path) -> int:
    try:
        # After the name, which may have spaces.
        return int((process / "stat").read_text("utf-8").rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def kill_all(process: subprocess.Popen[str]) -> None:
    """Kill a server with its web process and workers."""
    for child in (*children_of(process.pid), process.pid):
        os.kill(child, signal.SIGKILL)
    process.wait()


def peak_memory(process: int) -> float:
    """Return the largest resident memory of a process so far, in MB."""
    for line in Path(f"/proc/{process}/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError("the kernel does not report the peak of the memory")


def fill(folder: Path, submissions: int, *, slug: str = "retrieval") -> datetime:
    """Insert judged submissions of many teams, and return the time of the last one. Files are not stored."""
    start = datetime.now(timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0) - timedelta(days=25)
    with closing(open_board(folder)) as board:
        for number in range(TEAMS):
            new_team(board.database, f"team {number}")
        with board.database.read() as connection:
            active = active_evaluator(connection, slug)
            query = "SELECT membership.team, account FROM membership JOIN team ON team.id = membership.team"
            teams = [tuple(row) for row in connection.exec_driver_sql(f"{query} WHERE team.name LIKE 'team %'")]
        assert active is not None
        crowd = Crowd(slug, active.id, teams, start)
        for first in range(0, submissions, BATCH):
            _insert(board.database, crowd, range(first, min(first + BATCH, submissions)))
        last = start + SPACING * submissions
        with board.database.write() as connection:
            changed = task.update().where(task.c.slug == slug)
            connection.execute(changed.values(last_accepted_at=last, board_version=1000))
    return last


class Crowd(NamedTuple):
    """Teams that send submissions for a task, one after the other, from a time on."""

    slug: str
    evaluator: str
    teams: list[tuple[str, str]]
    start: datetime


def _insert(database: Database, crowd: Crowd, places: range) -> None:
    rows = [_rows(crowd, place) for place in places]
    with database.write() as connection:
        for table in (blob, submission, evaluation, verdict):
            connection.execute(insert(table), [row[table.name] for row in rows])


def _rows(crowd: Crowd, place: int) -> dict[str, dict[str, object]]:
    """Return the rows of a judged submission by table."""
    team, account = crowd.teams[place % len(crowd.teams)]
    at = crowd.start + SPACING * place
    digest = sha256(f"{crowd.slug} {place}".encode()).hexdigest()
    sent, judged = new_id(), new_id()
    published = int(digest[:8], 16) % 6000 / 100 + 20
    times = {"not_before": at, "created_at": at, "finished_at": at}
    return {
        "blob": {"sha256": digest, "size": 600_000, "created_at": at},
        "submission": {
            "id": sent,
            "task": crowd.slug,
            "team": team,
            "account": account,
            "blob": digest,
            "accepted_at": at,
            "number": place // len(crowd.teams) + 1,
            "client_key": digest,
            "method": "CLIP",
            "links": [],
            "visible": True,
        },
        "evaluation": {
            "id": judged,
            "submission": sent,
            "evaluator": crowd.evaluator,
            "original": True,
            "state": "scored",
            "waived": False,
            "attempt": 1,
            **times,
        },
        "verdict": {
            "evaluation": judged,
            "submission": sent,
            "evaluator": crowd.evaluator,
            "team": team,
            "ok": True,
            "accepted_at": at,
            "report": {"problems": []},
            "scores": {"mean_recall": (published / 100).hex()},
            "published": published,
            "order_key": -published,
            "seconds": 0.1,
            "package_version": "0",
            "created_at": at,
        },
    }
