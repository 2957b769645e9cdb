"""Load on a board: pages, uploads, the queue, verdicts, memory, many submissions, restarts. Loopback only.

The second column has the goals. Servers, workers and clients share the cores of one machine, and clients of Python are
a part of the load.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from benches.board_sites import (
    ACTOR,
    ITEMS,
    QUERIES,
    TEAMS,
    board_folder,
    captions,
    children_of,
    fill,
    kill_all,
    new_team,
    peak_memory,
    rankings,
    serving,
    start_server,
    wait_until_ready,
)
from benches.http_load import requests_per_second
from benches.timing import Row, clock, show
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.client.addresses import parse_address
from muge_fast.leaderboard.client.requests import Api, Body
from muge_fast.leaderboard.rules.calendar_months import month_of
from muge_fast.leaderboard.standings.month_records import close_month
from muge_fast.leaderboard.standings.ranked import ranked_standing
from muge_fast.leaderboard.store.queue import claim
from muge_fast.leaderboard.store.submissions import NewSubmission, accept

MEBIBYTE = 1 << 20
POLL = 0.01


def leaderboard(
    *,
    queries: int = QUERIES,
    items: int = ITEMS,
    submissions: int = 100_000,
    seconds: float = 10,
    uploads: int = 200,
    verdicts: int = 20,
    large: int = 128 * MEBIBYTE,
) -> Iterator[Row]:
    """Yield the rows of the table.

    Args:
        queries: Queries of the task of retrieval.
        items: Items of the task of captions.
        submissions: Submissions of the full board.
        seconds: How long pages are asked for.
        uploads: Number of uploads of 600 KB.
        verdicts: Number of submissions whose verdicts are waited for.
        large: Size of a large file.

    """
    with board_folder(queries, items) as (folder, token):
        yield from _verdicts(folder, token, verdicts, queries, items)
        yield from _uploads(folder, token, uploads)
        yield from _memory(folder, token, large)
    with board_folder(100, 100) as (folder, _):
        yield from _claims(folder)
    with board_folder(100, 100) as (folder, _):
        last = fill(folder, submissions)
        yield from _pages(folder, seconds)
        # Before a worker runs, which would close the month.
        yield from _full_board(folder, submissions, last)
        yield from _restart(folder, submissions)


def _row(work: str, goal: str, measured: str, ratio: float) -> Row:
    return work, f"goal {goal}", measured, f"{ratio:.1f}x"


def _rate(work: str, goal: float, rate: float) -> Row:
    return _row(work, f"≥ {goal:,.0f}/s", f"{rate:,.0f}/s", rate / goal)


def _time(work: str, goal: float, seconds: float) -> Row:
    return _row(work, f"≤ {show(goal)}", show(seconds), goal / seconds)


# Verdicts and uploads


def _send(api: Api, task: str, content: bytes, key: str) -> str:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        answer = api.post("tasks", task, "submissions", headers={"Idempotency-Key": key}, body=Body(file, len(content)))
    assert answer.status == 201, answer  # created
    return str(answer.values["id"])


def _verdicts(folder: Path, token: str, count: int, queries: int, items: int) -> Iterator[Row]:
    """Measure the time from the beginning of an upload to the verdict, on an idle queue."""
    with serving(folder, workers=1) as (address, _):
        api = Api(parse_address(address), token=token)
        kinds: list[tuple[str, str, Callable[[int], bytes]]] = [
            ("retrieval", f"{queries:,} queries", lambda seed: rankings(seed, queries)),
            ("caption", f"{items:,} captions", lambda seed: captions(seed, items)),
        ]
        for task, name, make in kinds:
            # The first one prepares the gold file.
            times = [_time_of_verdict(api, task, make(seed)) for seed in range(count + 1)][1:]
            ordered = sorted(times)
            yield _time(f"Upload to verdict, {name}, idle queue, median", 0.3, statistics.median(times))
            yield _time(f"Upload to verdict, {name}, idle queue, 95 %", 1.0, ordered[round(0.95 * (len(times) - 1))])


def _time_of_verdict(api: Api, task: str, content: bytes) -> float:
    start = time.perf_counter()
    submission = _send(api, task, content, os.urandom(8).hex())
    while (values := api.get("submissions", submission))["state"] in {"queued", "running"}:
        time.sleep(POLL)
    assert values["state"] == "scored", values
    return time.perf_counter() - start


def _uploads(folder: Path, token: str, count: int) -> Iterator[Row]:
    content = rankings(0, 6_000)[:600_000]
    with serving(folder, workers=0) as (address, _):
        api = Api(parse_address(address), token=token)
        files = [os.urandom(16).hex().encode() + content for _ in range(count)]
        seconds = clock(lambda: _in_threads(4, files, lambda file: _send(api, "large", file, os.urandom(8).hex())))
        yield _rate("Uploads of 600 KB, on the disk before the answer, 4 clients", 50, count / seconds)


def _in_threads(threads: int, values: list[bytes], run: Callable[[bytes], object]) -> None:
    left, lock, errors = list(values), threading.Lock(), []

    def work() -> None:
        while True:
            with lock:
                if not left:
                    return
                value = left.pop()
            try:
                run(value)
            except Exception as error:  # noqa: BLE001 - raised below
                errors.append(error)
                return

    started = [threading.Thread(target=work) for _ in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    if errors:
        raise errors[0]


def _memory(folder: Path, token: str, size: int) -> Iterator[Row]:
    """Measure the memory of the web process while 16 accounts send large files at once."""
    with closing(open_board(folder)) as board:
        tokens = [token, *(new_team(board.database, f"large {number}") for number in range(3))]
    with serving(folder, workers=0) as (address, process), tempfile.TemporaryFile() as file:
        for _ in range(size // MEBIBYTE):
            file.write(os.urandom(MEBIBYTE))
        file.flush()
        clients = [Api(parse_address(address), token=tokens[number % 4], pauses=(1.0,) * 60) for number in range(16)]
        start = time.perf_counter()
        threads = [
            threading.Thread(target=_send_large, args=(api, file.fileno(), size, f"{number}-{os.urandom(4).hex()}"))
            for number, api in enumerate(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - start
        web = [number for number, command in children_of(process.pid).items() if " web " in command]
        peak = max(map(peak_memory, web))
    work = f"16 uploads of {size // MEBIBYTE} MiB at once: largest memory of the web process ({show(seconds)})"
    yield _row(work, "≤ 200 MB", f"{peak:,.0f} MB", 200 / peak)


def _send_large(api: Api, descriptor: int, size: int, key: str) -> None:
    with open(f"/proc/self/fd/{descriptor}", "rb") as file:  # noqa: PTH123 - a separate position
        api.post("tasks", "large", "submissions", headers={"Idempotency-Key": key}, body=Body(file, size))


# The queue


def _claims(folder: Path, count: int = 500) -> Iterator[Row]:
    with closing(open_board(folder)) as board:
        with board.database.read() as connection:
            account = connection.exec_driver_sql("SELECT id FROM account").scalar()
        for number in range(count):
            new = NewSubmission("retrieval", str(account), f"{number:064d}", 1, str(number))
            accept(board.database, new, admit=lambda _now, _past: None, window=None)
        seconds = clock(lambda: [claim(board.database, "bench") for _ in range(count)])
    yield _rate(f"Claims of a queue of {count}, SQLite with synchronous=FULL", 150, count / seconds)


# Pages


def _pages(folder: Path, seconds: float) -> Iterator[Row]:
    with serving(folder, workers=0) as (address, _):
        _wait_for_statistics(address)
        cached = requests_per_second(address, ["/tasks/retrieval"], seconds=seconds)
        yield _rate(f"Page of a board of {TEAMS} teams, cached", 5_000, cached)
        paths = [f"/tasks/retrieval?x={number}" for number in range(20_000)]
        yield _rate(
            "The same, written again for each request; its table is kept",
            1_000,
            requests_per_second(address, paths, seconds=seconds),
        )


def _wait_for_statistics(address: str, seconds: float = 5) -> None:
    """Wait until the pages are complete, since incomplete ones are not kept."""
    api = Api(parse_address(address))
    end = time.monotonic() + seconds
    while api.get("tasks", "retrieval", "board")["statistics"] is None and time.monotonic() < end:
        time.sleep(0.1)


def _restart(folder: Path, submissions: int) -> Iterator[Row]:
    """Measure how long a server needs after it was killed."""
    process = start_server(folder, workers=1)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    wait_until_ready(address)
    kill_all(process)
    start = time.perf_counter()
    process = start_server(folder, workers=1, port=int(address.rpartition(":")[2]))
    try:
        wait_until_ready(address)
        Api(parse_address(address)).get("tasks", "retrieval", "board")
        seconds = time.perf_counter() - start
    finally:
        process.terminate()
        process.wait()
    yield _time(f"Start after kill -9, {submissions:,} submissions, to the first board", 2.0, seconds)


def _full_board(folder: Path, submissions: int, last: datetime) -> Iterator[Row]:
    with closing(open_board(folder)) as board:
        task, prizes = board.settings.tasks["retrieval"], board.settings.prizes

        def rank() -> None:
            with board.database.read() as connection:
                ranked_standing(connection, task, prizes=prizes)

        rank()
        yield _time(f"Ranking of {submissions:,} submissions", 0.05, statistics.median(clock(rank) for _ in range(20)))
        month = month_of(last, board.settings.zone)
        yield _time("Closing a month of them", 1.0, clock(lambda: close_month(board, "retrieval", month, actor=ACTOR)))
