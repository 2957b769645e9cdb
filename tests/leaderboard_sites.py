"""Sites for the tests of the web layer: a board in a folder, teams with tokens, and plain pages."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from leaderboard_boards import ADMIN, Clock, digest
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.rules.names import skeleton
from muge_fast.leaderboard.store import accounts
from muge_fast.leaderboard.store.accounts import create_account, create_token
from muge_fast.leaderboard.store.queue import claim, finish
from muge_fast.leaderboard.store.tasks import NewEvaluator, add_evaluator, save_task
from muge_fast.leaderboard.store.teams import create_team
from muge_fast.leaderboard.store.verdicts import NewVerdict
from muge_fast.leaderboard.web.app import app_of
from muge_fast.leaderboard.web.page_table import Page, Pages
from muge_fast.leaderboard.web.protocol import LimitedProtocol
from muge_fast.leaderboard.web.site import Site, WebOptions

GOLD_TEXT = "金标文本不可泄露"
SETTINGS = """
title = "Test board"
languages = ["en", "zh"]

[limits]
valid_per_day = 3

[tasks.retrieval]
gold = "gold.jsonl"
max_megabytes = 1

[tasks.hidden]
scorer = "retrieval"
gold = "gold.jsonl"
anonymous = true
"""
PASSWORD = "a red skirt"  # noqa: S105 - of the tests


def plain_pages() -> Pages:
    """Return pages of plain text, with what forms need."""
    counter = itertools.count(1)

    def count(*_) -> dict[str, object]:
        return {"count": next(counter)}

    def nothing(*_) -> dict[str, object]:
        return {}

    table = (
        Page("home", "/", count, "", cached=True),
        Page("computing", "/computing", lambda *_: {**count(), "pending": True}, "", cached=True),
        Page("login", "/login", nothing, ""),
        Page("register", "/register", nothing, ""),
        Page("account", "/account", nothing, "", "account"),
        Page("my_team", "/team", nothing, "", "account"),
        Page("join", "/team/join", nothing, "", "account"),
        Page("submit", "/tasks/{task}/submit", nothing, "", "account"),
        Page("submission", "/submissions/{submission}", nothing, ""),
        Page("admin", "/admin", nothing, "", "organizer"),
        Page("admin_teams", "/admin/teams", nothing, "", "organizer"),
        Page("admin_rejudges", "/admin/rejudges", nothing, "", "organizer"),
        Page("admin_rejudge", "/admin/rejudges/{rejudge}", nothing, "", "organizer"),
        Page("broken", "/broken", lambda *_: {}[GOLD_TEXT], ""),
    )

    def render(_site, viewer, _request, page, *rest) -> str:
        context, notice = rest
        problem = notice.problem and notice.problem.message(viewer.language)
        return json.dumps(
            {"page": page.name, "problem": problem, "values": notice.values, "secret": notice.secret, **context}
        )

    def render_problem(_site, viewer, _request, problem) -> str:
        return f"page of {problem.status}: {problem.message(viewer.language)}"

    return Pages(table, render, render_problem)


class TestSite:
    """A board with the teams red and blue, an organizer, and a client."""

    __test__ = False

    def __init__(self, folder: Path, address: str | None = None, *, settings: str = SETTINGS, clock=None) -> None:
        self.folder = folder
        (folder / "gold.jsonl").write_text(json.dumps({"query_id": 1, "query_text": GOLD_TEXT}), "utf-8")
        (folder / "board.toml").write_text(settings, "utf-8")
        self.clock = clock or Clock()
        self.board = open_board(folder, database=address, create=True, clock=self.clock)
        self.database = self.board.database
        self.evaluators = {}
        for slug, task in self.board.settings.tasks.items():
            higher = task.ranking.higher_is_better
            save_task(self.database, slug, settings={}, higher_is_better=higher, actor=ADMIN)
            new = NewEvaluator(digest("gold"), "0.2.0", {}, "muge")
            self.evaluators[slug] = add_evaluator(self.database, slug, new, actor=ADMIN)
        self.tokens, self.accounts, self.teams = {}, {}, {}
        self.add_account("boss", role="organizer", scopes=("read", "submit", "manage", "organize"))
        for name in ("red", "blue"):
            self.add_team(name)

    def add_account(self, name: str, *, role="participant", scopes=("read", "submit", "manage"), password=None) -> str:
        account = create_account(
            self.database, name=name, name_key=skeleton(name), role=role, password=password, actor=ADMIN
        )
        self.accounts[name] = account
        self.tokens[name] = create_token(self.database, account, label="test", scopes=scopes, actor=ADMIN)
        return account

    def add_team(self, name: str, **options) -> str:
        founder = self.add_account(name, **options)
        self.teams[name] = create_team(
            self.database, name=name, name_key=skeleton(name), founder=founder, alias=f"alias of {name}", actor=ADMIN
        )
        return self.teams[name]

    def app(self, **options):
        self.web = Site(self.board, WebOptions(**options))
        return app_of(self.web, plain_pages())

    @contextmanager
    def client(self, **options):
        with TestClient(self.app(**options), follow_redirects=False, raise_server_exceptions=False) as client:
            yield client

    def bearer(self, name: str, **headers: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[name]}", **headers}

    def judge(self, *, published: float | None = 80.0, report: object = None) -> str:
        """Judge the next submission, and return its id."""
        job = claim(self.database, "worker")
        report = report or {"problems": [], "page": {"en": "<p>report</p>", "zh": "<p>报告</p>"}}
        if published is None:
            verdict = NewVerdict(False, report, {}, None, 0.1, "0.2.0")
        else:
            verdict = NewVerdict(True, report, {"mean_recall": published / 100 + 1e-6}, published, 0.5, "0.2.0")
        assert finish(self.database, job, verdict)
        return job.submission

    def close(self) -> None:
        self.board.close()


def fast_hashes(monkeypatch) -> None:
    """Hash passwords with little memory."""
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    accounts._hash_of_no_account.cache_clear()


@contextmanager
def serving(app, *, protocol=LimitedProtocol):
    """Serve an application at a free port of this machine, and yield the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        lifespan="on",
        timeout_keep_alive=60,
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def exchange(port: int, data: bytes, *, timeout: float = 5.0) -> bytes:
    """Send bytes to a server, and return everything that it answers until it closes or is silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(data)
        return receive_all(connection, silence=0.2)


def receive_all(connection: socket.socket, *, silence: float | None = None) -> bytes:
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
            if silence is not None:
                connection.settimeout(silence)
    except (TimeoutError, ConnectionResetError):
        pass
    return received
