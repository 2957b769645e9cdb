"""Databases for the tests of the leaderboard: throw-away servers of PostgreSQL, and boards with a few rows."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import create_engine, text

from muge_fast.leaderboard.store.accounts import create_account
from muge_fast.leaderboard.store.audit import Actor
from muge_fast.leaderboard.store.database import open_database
from muge_fast.leaderboard.store.migrations import newest_revision
from muge_fast.leaderboard.store.queue import claim, finish
from muge_fast.leaderboard.store.schema import metadata
from muge_fast.leaderboard.store.submissions import NewSubmission, accept
from muge_fast.leaderboard.store.tasks import NewEvaluator, add_evaluator, save_task
from muge_fast.leaderboard.store.teams import create_team
from muge_fast.leaderboard.store.verdicts import NewVerdict

BINARIES = Path("/usr/lib/postgresql")
BOARD = "board"
START = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
ADMIN = Actor("admin", "request-1")


def make_sqlite_template(folder: Path) -> Path:
    path = folder / "template.sqlite"
    open_database(path, create=True).close()
    return path


class Server(NamedTuple):
    """A running server: its folder, which has the socket."""

    folder: Path

    def address(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def new_database(self) -> str:
        """Return the address of a new database without tables."""
        name = f"board_{uuid.uuid4().hex}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.address(name)

    def emptied_database(self) -> str:
        """Return the address of the one database that most tests use, without rows: making one takes longer."""
        # Triggers that refuse TRUNCATE do not fire for a replica.
        tables = ", ".join(f'"{name}"' for name in metadata.tables)
        version = f"UPDATE alembic_version SET version_num = '{newest_revision()}'"
        self.run(f"SET session_replication_role = replica; TRUNCATE {tables}; {version}", BOARD)
        return self.address(BOARD)

    def run(self, statement: str, database: str = "postgres") -> None:
        address = self.address(database).replace("postgresql:", "postgresql+psycopg:")
        engine = create_engine(address, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@contextmanager
def running_server():
    """Yield a server with a template database, which ends with the block; None without PostgreSQL."""
    found = sorted(BINARIES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        yield None
        return
    binaries = found[-1].parent
    # The path of a socket has at most 107 bytes, so the folder of pytest is too long.
    folder = Path(tempfile.mkdtemp(prefix="muge-pg-"))
    # initdb refuses to run as root.
    user = {"user": "postgres"} if os.geteuid() == 0 else {}
    if user:
        shutil.chown(folder, "postgres")

    def run(*command: object) -> None:
        made = [str(part) for part in command]
        subprocess.run(made, check=True, cwd=folder, stdout=subprocess.DEVNULL, **user)  # noqa: S603 - our own commands

    data = folder / "data"
    try:
        run(binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
        run(binaries / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
        server = Server(folder)
        try:
            server.run(f"CREATE DATABASE {BOARD}")
            open_database(server.address(BOARD), create=True).close()
            yield server
        finally:
            run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)


def admit_all(now, past) -> None:
    """Admit every submission."""


class QuotaReached(Exception):  # noqa: N818 - it stands for the error of a rule
    """The rule of a test refused a submission."""


def at_most(limit: int):
    """Return a rule: a number of submissions in 24 hours, but for cancelled ones and those of our faults."""

    def admit(now, past) -> None:
        counted = [one for one in past if one.accepted_at > now - timedelta(days=1) and not one.waived]
        if sum(one.state not in ("cancelled", "faulted") for one in counted) >= limit:
            raise QuotaReached

    return admit


def digest(content: object) -> str:
    return hashlib.sha256(str(content).encode()).hexdigest()


def valid(published: float = 80.0) -> NewVerdict:
    return NewVerdict(True, {"errors": []}, {"mean_recall": published + 0.001}, published, 0.5, "0.2.0")


INVALID = NewVerdict(False, {"errors": ["line 1"]}, {}, None, 0.1, "0.2.0")


class Board:
    """A database with the task ``retrieval``, its evaluator, and the teams ``red`` and ``blue`` of one account each."""

    def __init__(self, address: str, *, higher_is_better: bool = True) -> None:
        self.clock = Clock()
        self.database = open_database(address, clock=self.clock)
        save_task(
            self.database,
            "retrieval",
            settings={"zone": "Asia/Shanghai"},
            higher_is_better=higher_is_better,
            actor=ADMIN,
        )
        self.evaluator = self.new_evaluator()
        self.accounts: dict[str, str] = {}
        self.teams: dict[str, str] = {}
        for name in ("red", "blue"):
            self.new_team(name)

    def new_evaluator(self, signature: str = "muge") -> str:
        return add_evaluator(
            self.database, "retrieval", NewEvaluator(digest("gold"), "0.2.0", {}, signature), actor=ADMIN
        )

    def new_account(self, name: str) -> str:
        self.accounts[name] = create_account(self.database, name=name, name_key=name, actor=ADMIN)
        return self.accounts[name]

    def new_team(self, name: str) -> None:
        founder = self.new_account(name)
        self.teams[name] = create_team(self.database, name=name, name_key=name, founder=founder, actor=ADMIN)

    def new(self, account: str = "red", key: str | None = None, content: object = "x", **options) -> NewSubmission:
        key = key or uuid.uuid4().hex
        return NewSubmission("retrieval", self.accounts[account], digest(content), 1, key, **options)

    def accept(self, account: str = "red", *, admit=admit_all, **options):
        return accept(self.database, self.new(account, **options), admit=admit)

    def judge(self, account: str = "red", published: float | None = 80.0, **options) -> str:
        """Accept a submission, judge it, and return its id."""
        accepted = self.accept(account, **options)
        job = claim(self.database, "worker")
        assert job.submission == accepted.submission
        assert finish(self.database, job, INVALID if published is None else valid(published))
        return accepted.submission

    def scalar(self, statement: str, **values):
        with self.database.read() as connection:
            return connection.execute(text(statement), values).scalar()
