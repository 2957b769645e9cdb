"""The diagnosis finds each kind of trouble, says what to do in both languages, and raises nothing."""

import shutil
from contextlib import closing
from datetime import datetime, timedelta, timezone

import pytest

from leaderboard_boards import ADMIN, Board, admit_all
from muge_fast._internal.paths import file_sha256
from muge_fast.leaderboard import board as boards
from muge_fast.leaderboard.operations import board_checks, doctor, machine_checks
from muge_fast.leaderboard.operations.backup import back_up
from muge_fast.leaderboard.operations.doctor import examine
from muge_fast.leaderboard.store.accounts import create_account
from muge_fast.leaderboard.store.queue import claim, report_fault
from muge_fast.leaderboard.store.submissions import accept
from muge_fast.leaderboard.store.tasks import NewEvaluator, add_evaluator, save_task
from muge_fast.leaderboard.worker.sandbox import SandboxPart, sandbox_state

GOLD = '{"query_id": 1, "item_ids": [1]}\n'


def fill(folder, address) -> None:
    (folder / "gold.jsonl").write_text(GOLD, "utf-8")
    (folder / "board.toml").write_text('[tasks.retrieval]\ngold = "gold.jsonl"\nmax_megabytes = 1\n', "utf-8")
    folder.chmod(0o700)
    board = boards.open_board(folder, database=address, create=True)
    save_task(board.database, "retrieval", settings={}, higher_is_better=True, actor=ADMIN)
    with (folder / "gold.jsonl").open("rb") as file:
        evaluator = NewEvaluator(file_sha256(file), "0.2.0", {}, "muge")
    add_evaluator(board.database, "retrieval", evaluator, actor=ADMIN)
    create_account(board.database, name="host", name_key="host", role="admin", actor=ADMIN)
    back_up(board, folder.parent / "backups")
    board.close()


@pytest.fixture
def folder(tmp_path, sqlite_template):
    made = tmp_path / "site"
    made.mkdir()
    shutil.copy(sqlite_template, made / "board.sqlite")
    fill(made, None)
    return made


def levels(findings) -> dict[str, str]:
    return {one.name: one.level for one in findings if one.level not in ("ok", "note")}


def text_of(findings, name) -> str:
    return next(one.message.en for one in findings if one.name == name and one.level not in ("ok", "note"))


@pytest.fixture(autouse=True)
def ordinary_machine(monkeypatch):
    """Hide the troubles that the machine of the tests may have."""
    monkeypatch.setattr(machine_checks, "file_system", lambda _folder: "ext4")
    monkeypatch.setattr(machine_checks, "_sync_seconds", lambda _folder: 0.003)
    monkeypatch.setattr(machine_checks, "_is_unsynchronized", lambda: False)
    usage = shutil._ntuple_diskusage(10**12, 0, 10**12)
    monkeypatch.setattr(machine_checks.shutil, "disk_usage", lambda _folder: usage)
    monkeypatch.setattr(machine_checks.resource, "getrlimit", lambda _kind: (4096, 4096))
    monkeypatch.setattr(doctor, "sandbox_findings", lambda: iter(()))


def test_a_board_in_order_has_no_trouble(folder):
    findings = examine(folder)
    assert levels(findings) == {}
    assert len({one.name for one in findings}) >= 14
    assert all(one.message.en and one.message.zh and one.message.en != one.message.zh for one in findings)


def test_postgresql_is_examined_too(tmp_path, postgresql_server):
    folder = tmp_path / "site"
    folder.mkdir()
    address = postgresql_server.new_database()
    fill(folder, address)
    findings = examine(folder, database=address)
    assert levels(findings) == {}
    assert "sqlite" not in {one.name for one in findings}


@pytest.mark.parametrize(
    ("name", "replacement", "finding", "level"),
    [
        ("file_system", lambda _folder: "nfs4", "file_system", "fault"),
        ("file_system", lambda _folder: "tmpfs", "file_system", "warning"),
        ("_sync_seconds", lambda _folder: 0.2, "fsync", "warning"),
        ("_sync_seconds", lambda _folder: 1e-6, "fsync", "warning"),
        ("_is_unsynchronized", lambda: True, "clock", "warning"),
        ("has_wal_reset_bug", lambda _version: True, "sqlite", "fault"),
    ],
)
def test_troubles_of_the_machine(folder, monkeypatch, name, replacement, finding, level):  # noqa: PLR0917 - a table
    monkeypatch.setattr(machine_checks, name, replacement)
    assert levels(examine(folder)) == {finding: level}


@pytest.mark.parametrize(("free", "level"), [(100_000_000, "fault"), (900_000_000, "warning")])
def test_a_disk_that_fills(folder, monkeypatch, free, level):
    usage = shutil._ntuple_diskusage(10**12, 0, free)
    monkeypatch.setattr(machine_checks.shutil, "disk_usage", lambda _folder: usage)
    findings = examine(folder)
    assert levels(findings) == {"free_disk": level}
    assert "free some space" in text_of(findings, "free_disk")


def test_a_disk_that_cannot_be_written(folder, monkeypatch):
    def refuse(_folder):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(machine_checks, "_sync_seconds", refuse)
    assert levels(examine(folder)) == {"fsync": "fault"}


def test_few_open_files(folder, monkeypatch):
    monkeypatch.setattr(machine_checks.resource, "getrlimit", lambda _kind: (256, 256))
    assert "LimitNOFILE=1024" in text_of(examine(folder), "open_files")


def test_a_folder_that_others_may_open(folder):
    folder.chmod(0o755)
    assert "chmod 700" in text_of(examine(folder), "permissions")


def test_measurements_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.undo()
    assert 0 < machine_checks._sync_seconds(tmp_path) < 10
    assert machine_checks._is_unsynchronized() in (True, False)
    assert list(tmp_path.iterdir()) == []


# Boards


def test_a_folder_that_is_missing_or_not_a_board(tmp_path):
    assert levels(examine(tmp_path / "typo")) == {"folder": "fault"}
    found = levels(examine(tmp_path))
    assert found.pop("permissions", "warning") == "warning"
    assert found == {"settings": "fault"}


def test_every_problem_of_the_settings(folder):
    (folder / "board.toml").write_text('zone = "Nowhere/X"\nprizes = 0\n', "utf-8")
    findings = [one for one in examine(folder) if one.name == "settings"]
    assert len(findings) == 3
    assert {one.level for one in findings} == {"fault"}


def test_a_database_that_is_missing_or_damaged(folder):
    (folder / "board.sqlite").write_bytes(b"not a database at all" * 300)
    assert "cannot be opened" in text_of(examine(folder), "database")
    (folder / "board.sqlite").unlink()
    assert "there is no database" in text_of(examine(folder), "database")


def test_a_database_that_is_away(folder):
    findings = examine(folder, database="postgresql://nobody@127.0.0.1:9/board?connect_timeout=2")
    assert "cannot be opened" in text_of(findings, "database")


def test_a_trigger_that_is_gone(folder):
    with closing(boards.open_board(folder)) as board, board.database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER guard_verdict_update")
    assert "guard_verdict_update" in text_of(examine(folder), "database")


def test_a_gold_file_that_was_changed(folder):
    (folder / "gold.jsonl").write_text(GOLD * 2, "utf-8")
    assert "board rejudge start DIR retrieval" in text_of(examine(folder), "gold")


def test_a_task_without_an_evaluator(folder):
    with (folder / "board.toml").open("a", encoding="utf-8") as file:
        file.write('[tasks.other]\nscorer = "caption"\ngold = "gold.jsonl"\n')
    assert "has no evaluator" in text_of(examine(folder), "gold")


@pytest.fixture
def busy(folder, monkeypatch):
    """Make a board with two submissions, and a clock that the test moves."""
    now = datetime.now(timezone.utc)
    board = Board.__new__(Board)
    board.clock = type("Clock", (), {"now": now, "__call__": lambda self: self.now})()
    board.database = boards.open_board(folder, clock=board.clock).database
    board.accounts, board.teams = {}, {}
    board.new_team("red")
    for key in ("one", "two"):
        accept(board.database, board.new(key=key), admit=admit_all)
    original = boards.open_board
    monkeypatch.setattr(doctor, "open_board", lambda path, **given: original(path, **given, clock=board.clock))
    monkeypatch.setattr(board_checks, "SKEW", timedelta(days=1000))
    monkeypatch.setattr(board_checks, "OLD_BACKUP", timedelta(days=1000))
    yield board
    board.database.close()


def test_a_queue_without_workers(folder, busy):
    assert levels(examine(folder)) == {}
    busy.clock.now += timedelta(minutes=20)
    assert "2 evaluations wait, 0 run, the oldest for 20 minutes" in text_of(examine(folder), "queue")


def test_evaluations_that_lost_their_worker(folder, busy):
    assert claim(busy.database, "worker")
    busy.clock.now += timedelta(minutes=2)
    assert levels(examine(folder)) == {"leases": "warning"}


def test_evaluations_that_ended_by_a_fault(folder, busy):
    for _ in range(3):
        report_fault(busy.database, claim(busy.database, "worker"), "out of memory")
        busy.clock.now += timedelta(minutes=5)
    assert "faults" in levels(examine(folder))


def test_a_month_that_is_not_closed(folder, busy):
    busy.clock.now += timedelta(days=40)
    findings = examine(folder)
    assert "has ended and is not closed" in text_of(findings, "months")


def test_parts_of_the_sandbox_that_are_not_active(folder, monkeypatch):
    monkeypatch.undo()
    parts = [SandboxPart("files", False, "the kernel has no Landlock"), SandboxPart("processes", False, "root")]
    monkeypatch.setattr(doctor, "sandbox_state", lambda: [*parts, SandboxPart("network", True)])
    found = [one for one in examine(folder) if one.name == "sandbox"]
    assert [one.level for one in found] == ["warning", "note", "ok"]
    assert found[0].message == (
        "evaluations are not isolated: no other files (the kernel has no Landlock)",
        "评测未隔离：不能访问其他文件（the kernel has no Landlock）",
    )


def test_every_part_of_the_sandbox_has_words():
    assert {part.name for part in sandbox_state()} <= set(doctor.SANDBOX)


def test_a_board_without_a_recent_backup(folder, monkeypatch):
    monkeypatch.setattr(board_checks, "OLD_BACKUP", timedelta(0))
    assert "the last backup is 0 hours old: run `muge-fast board backup" in text_of(examine(folder), "backup")


def test_clocks_that_differ(folder, monkeypatch):
    original = boards.open_board
    monkeypatch.setattr(
        doctor,
        "open_board",
        lambda path, **given: original(path, **given, clock=lambda: datetime.now(timezone.utc) - timedelta(minutes=3)),
    )
    assert "differ by 180 seconds" in text_of(examine(folder), "database_clock")
