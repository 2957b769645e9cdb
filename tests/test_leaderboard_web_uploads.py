"""Uploads: bounded memory, full disks, connections that end, the hostile collection, quotas under many clients."""

import asyncio
import errno
import hashlib
import http.client
import json
import shutil
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace

import pytest

from leaderboard_sites import SETTINGS, TestSite, serving
from muge_fast.leaderboard.blobs.interface import StoredBlob
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.errors import StorageFullError
from muge_fast.leaderboard.web import submissions, uploads
from muge_fast.leaderboard.web.app import create_app
from muge_fast.leaderboard.web.problems import ProblemError
from muge_fast.leaderboard.web.uploads import MAX_WAITING, Uploads

API = "/api/v1/tasks/retrieval/submissions"


def send(site, client, content=b"x", name="red", **headers):
    return client.post(API, content=content, headers=site.bearer(name, **headers))


def stored_files(site) -> list[str]:
    parts = [path.name for path in (site.folder / "blobs" / "parts").iterdir()]
    return sorted([*parts, *site.board.blobs.hashes()])


# Memory and limits


class SlowBlobs:
    """A storage that counts what waits for it."""

    def __init__(self) -> None:
        self.sent, self.stored, self.most = 0, 0, 0

    def put(self, chunks, *, max_bytes=None) -> StoredBlob:
        del max_bytes
        digest = hashlib.sha256()
        for chunk in chunks:
            time.sleep(0.0002)
            self.most = max(self.most, self.sent - self.stored)
            self.stored += len(chunk)
            digest.update(chunk)
        return StoredBlob(digest.hexdigest(), self.stored)


def test_a_storage_that_is_slower_than_the_network_bounds_the_memory():
    blobs, piece = SlowBlobs(), b"x" * 65536

    async def body():
        for _ in range(200):
            blobs.sent += len(piece)
            yield piece

    stored = asyncio.run(Uploads(blobs).store(body(), max_bytes=10**9))
    assert stored == StoredBlob(hashlib.sha256(piece * 200).hexdigest(), 200 * len(piece))
    assert blobs.most <= 3 * MAX_WAITING


def test_a_storage_that_fails_ends_the_upload():
    class Broken:
        def put(self, chunks, *, max_bytes=None) -> StoredBlob:
            del max_bytes
            next(chunks)
            raise OSError(errno.EIO, "a broken disk")

    async def body():
        while True:
            yield b"x" * 65536

    with pytest.raises(OSError, match="a broken disk"):
        asyncio.run(Uploads(Broken()).store(body(), max_bytes=10**9))


def test_an_upload_that_is_cancelled_leaves_no_thread(site):
    async def body():
        yield b"x"
        await asyncio.sleep(60)

    async def run():
        task = asyncio.ensure_future(waiting.store(body(), max_bytes=100))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    waiting = Uploads(site.board.blobs)
    asyncio.run(run())
    waiting.close()
    assert stored_files(site) == []


def test_files_that_are_too_large_are_refused_at_once_or_on_the_way(site, client):
    declared = send(site, client, b"x" * 1_000_001)
    pieces = send(site, client, (b"x" * 65536 for _ in range(100)))
    for answer in (declared, pieces):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert stored_files(site) == []
    assert send(site, client, b"x" * 1_000_000).status_code == 201


def test_empty_files_are_refused(site, client):
    for content in (b"", (b"" for _ in range(3))):
        assert send(site, client, content).json()["code"] == "empty"


def test_an_account_sends_few_files_at_once(site, monkeypatch):
    waiting = Uploads(site.board.blobs)
    monkeypatch.setattr(uploads, "MAX_UPLOADS_OF_ACCOUNT", 2)
    with waiting.turn("red"), waiting.turn("red"):
        with pytest.raises(ProblemError, match="too many uploads"), waiting.turn("red"):
            pass
        with waiting.turn("blue"):
            pass
    with waiting.turn("red"):
        pass
    assert waiting._of_account == Counter()


# Full disks and clocks


def test_a_full_disk_is_said_and_nothing_is_kept(site, client, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=submissions.RESERVE))
    assert send(site, client).status_code == 507
    monkeypatch.undo()

    def full(chunks, *, max_bytes=None):
        del chunks, max_bytes
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(site.board.blobs, "put", full)
    answer = send(site, client, b"x" * 100_000)
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert "retry-after" in answer.headers
    monkeypatch.undo()

    def no_commit(self):
        del self
        raise StorageFullError("the disk of the database is full: nothing was stored", "磁盘已满")

    monkeypatch.setattr(Database, "write", no_commit)
    assert send(site, client).status_code == 507
    monkeypatch.undo()
    assert client.get(API, headers=site.bearer("red")).json() == {"submissions": []}
    assert send(site, client).status_code == 201


def test_a_clock_that_steps_back_frees_no_quota_and_wins_no_tie(site, client):
    first = send(site, client, b"1").json()
    site.clock.advance(hours=-30)
    second = send(site, client, b"2", "blue").json()
    assert second["accepted_at"] >= first["accepted_at"]
    assert [send(site, client, b"%d" % n).status_code for n in range(3)] == [201, 201, 429]
    for _ in range(4):
        site.judge()
    rows = client.get("/api/v1/tasks/retrieval/board").json()["rows"]
    assert [(row["rank"], row["team"]) for row in rows] == [(1, "red"), (1, "blue")]


def test_a_task_that_is_closed_takes_nothing(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir()
    closed = TestSite(folder, settings=SETTINGS + "closes = 2026-11-27\n")
    with closed.client() as client:
        path = API.replace("retrieval", "hidden")
        answer = client.post(path, content=b"x", headers=closed.bearer("red", **{"Accept-Language": "zh"}))
        assert (answer.status_code, answer.json()["code"]) == (403, "closed")
        assert "已于 2026-11-27 00:00:00 (UTC+08:00) 截止" in answer.json()["detail"]
        assert list(closed.board.blobs.hashes()) == []
    closed.close()


# Many clients and two servers


def test_quotas_hold_under_many_clients_of_two_servers(tmp_path, address):
    """Thirty-two clients send to two servers of one database, and each team gets exactly its three places."""
    first = TestSite(tmp_path, address)
    second = open_board(tmp_path, database=address, clock=first.clock)
    apps = [create_app(board) for board in (first.board, second)]
    answers: Counter[tuple[str, int]] = Counter()
    ids: set[str] = set()
    lock = threading.Lock()

    def send_many(number: int) -> None:
        team = ("red", "blue")[number % 2]
        connection = http.client.HTTPConnection("127.0.0.1", ports[number // 2 % 2], timeout=60)
        for attempt in range(4):
            # Half of the clients send each request twice.
            key = f"{number // 4}-{attempt}" if number % 4 < 2 else f"own-{number}-{attempt}"
            headers = first.bearer(team, **{"Idempotency-Key": key})
            connection.request("POST", API, f"file of {team} {key}".encode(), headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
            with lock:
                if answer.status == 201:
                    ids.add(body["id"])
                answers[team, answer.status] += 1
        connection.close()

    with serving(apps[0]) as one, serving(apps[1]) as two:
        ports = (one, two)
        with ThreadPoolExecutor(32) as pool:
            list(pool.map(send_many, range(32)))
    assert {status for _, status in answers} <= {200, 201, 429}
    assert (answers["red", 201], answers["blue", 201]) == (3, 3)
    assert len(ids) == 6
    with first.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM submission").scalar() == 6
    second.close()
    first.close()


def test_many_readers_do_not_wait_for_each_other(site):
    """No request holds one connection of the database while it waits for another."""

    def read(_: int) -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("GET", f"/api/v1/submissions/{one}", headers=site.bearer("red"))
            with closing(connection.getresponse()) as answer:
                answer.read()
                return answer.status

    with serving(site.app()) as port:
        with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
            connection.request("POST", API, b"x", site.bearer("red"))
            with closing(connection.getresponse()) as answer:
                one = json.loads(answer.read())["id"]
        with ThreadPoolExecutor(60) as pool:
            assert set(pool.map(read, range(120))) == {200}


def test_too_many_uploads_wait(monkeypatch, site):
    monkeypatch.setattr(uploads, "MAX_UPLOADS", 1)
    waiting = Uploads(site.board.blobs)
    with waiting.turn("red"), pytest.raises(ProblemError), waiting.turn("blue"):
        pass
