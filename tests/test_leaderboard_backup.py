"""Backups while a board runs, and boards restored from them: into both databases, every hash compared."""

import gzip
import json
import multiprocessing
import os
import shutil
import signal
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from leaderboard_boards import ADMIN, Board, admit_all, valid
from muge_fast.cli.main import main
from muge_fast.leaderboard import board as boards
from muge_fast.leaderboard.blobs.local import LocalBlobs
from muge_fast.leaderboard.operations import backup as backups
from muge_fast.leaderboard.operations.backup import back_up
from muge_fast.leaderboard.operations.manifests import Backups, read_manifest, write_manifest
from muge_fast.leaderboard.operations.messages import OperationError
from muge_fast.leaderboard.operations.prune import prune
from muge_fast.leaderboard.operations.restore import restore
from muge_fast.leaderboard.operations.verify import verify, verify_backup
from muge_fast.leaderboard.store.audit import audit_entries, verify_audit
from muge_fast.leaderboard.store.boards import best_entries
from muge_fast.leaderboard.store.database import open_database
from muge_fast.leaderboard.store.months import close_month
from muge_fast.leaderboard.store.queue import claim, finish
from muge_fast.leaderboard.store.schema import metadata
from muge_fast.leaderboard.store.submissions import NewSubmission, accept

GOLD = '{"query_id": 1, "item_ids": [1]}\n'
SETTINGS = '[tasks.retrieval]\ngold = "gold/gold.jsonl"\n'


class Site:
    """The folder of a board with settings, a gold file, stored files, judged submissions and a closed month."""

    def __init__(self, folder, address) -> None:
        self.folder, self.address = folder, address
        (folder / "gold" / "more").mkdir(parents=True)
        (folder / "gold" / "gold.jsonl").write_text(GOLD, "utf-8")
        (folder / "gold" / "more" / "notes.txt").write_text("红裙", "utf-8")
        (folder / "board.toml").write_text(SETTINGS, "utf-8")
        (folder / "rules.zh.md").write_text("# 规则", "utf-8")
        self.rows = Board(address)
        self.board = boards.open_board(folder, database=address)

    def send(self, content: bytes, account: str = "red", key: str | None = None):
        stored = self.board.blobs.put([content])
        new = NewSubmission(
            "retrieval", self.rows.accounts[account], stored.sha256, stored.size, key or content.decode()
        )
        return accept(self.rows.database, new, admit=admit_all)

    def judge(self, content: bytes, account: str = "red", published: float = 80.0):
        accepted = self.send(content, account)
        rows = self.board.blobs.put([b"rows of ", content])
        with self.rows.database.write() as connection:
            connection.execute(
                metadata.tables["blob"]
                .insert()
                .values(sha256=rows.sha256, size=rows.size, created_at=self.rows.clock.now)
            )
        job = claim(self.rows.database, "worker")
        assert finish(self.rows.database, job, valid(published)._replace(rows_blob=rows.sha256))
        return accepted

    def close_month(self) -> None:
        start, end = self.rows.clock.now - timedelta(days=1), self.rows.clock.now + timedelta(hours=1)
        self.rows.clock.advance(hours=2)
        rows = {"eight": [{"team": "红队", "score": 80.1}]}
        close_month(
            self.rows.database,
            "retrieval",
            "2026-11",
            start=start,
            boundary=end,
            select_rows=lambda _entries: rows,
            actor=ADMIN,
        )

    def close(self) -> None:
        self.board.close()
        self.rows.database.close()


def filled(folder, address):
    folder.mkdir()
    if "://" not in address:
        address = str(shutil.move(address, folder / "board.sqlite"))
    site = Site(folder, address)
    site.judge(b"one\n", published=80.0)
    site.judge(b"two\n", "blue", published=80.125)
    site.close_month()
    site.send("三\n".encode())
    return site


@pytest.fixture
def site(tmp_path, sqlite_template):
    """Make a site with SQLite."""
    address = str(shutil.copy(sqlite_template, tmp_path / "copy.sqlite"))
    with closing(filled(tmp_path / "site", address)) as made:
        yield made


@pytest.fixture
def either_site(tmp_path, address):
    """Make a site with either database."""
    with closing(filled(tmp_path / "site", address)) as made:
        yield made


def table_rows(address):
    """Return all rows of a database, without those that a restoration changes."""
    database = open_database(address)
    with closing(database), database.read() as connection:
        found = {
            name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for name, table in metadata.tables.items()
        }
    found["task"] = [(row[0], row[1], *row[3:]) for row in found["task"]]
    found["audit"] = [row for row in found["audit"] if row[3] not in ("board.backup", "board.restore")]
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_address(request):
    """Address of a database without tables."""
    if request.param == "sqlite":
        return None
    return request.getfixturevalue("postgresql_server").new_database()


def test_a_restored_board_has_the_same_rows_and_files_in_either_database(either_site, tmp_path, empty_address):
    site = either_site
    made = back_up(site.board, tmp_path / "backups")
    assert made.damaged == ()
    assert (made.files, made.copied) == (5, 5)
    target = tmp_path / "new" / "board"
    done = restore(tmp_path / "backups", target, database=empty_address)
    assert (done.name, done.rows, done.files, done.damaged) == (made.name, made.rows, 5, ())
    restored = empty_address or str(target / "board.sqlite")
    assert table_rows(restored) == table_rows(site.address)
    for name in ("board.toml", "rules.zh.md", "gold/gold.jsonl", "gold/more/notes.txt"):
        assert (target / name).read_bytes() == (site.folder / name).read_bytes()
    assert sorted(LocalBlobs(target / "blobs").hashes()) == sorted(site.board.blobs.hashes())
    with closing(boards.open_board(target, database=empty_address)) as board:
        assert verify(board, newest_audit=read_manifest(made.folder).audit).faults == ()
        with board.database.read() as connection:
            assert [entry.published for entry in best_entries(connection, "retrieval")] == [80.125, 80.0]
            assert list(audit_entries(connection))[-1].action == "board.restore"
        # The board goes on: what waited is judged, and new files are taken.
        job = claim(board.database, "worker")
        assert finish(board.database, job, valid(90.0))


def test_scores_and_times_keep_their_bits(site, tmp_path):
    made = back_up(site.board, tmp_path / "backups")
    with gzip.open(made.folder / "rows" / "verdict.jsonl.gz", "rt", encoding="utf-8") as file:
        head, first, _ = map(json.loads, file)
    row = dict(zip(head["columns"], first, strict=True))
    assert json.loads(row["scores"]) == {"mean_recall": (80.001).hex()}
    assert row["accepted_at"] == "2026-11-27T12:00:00+00:00"


def test_files_of_earlier_backups_are_not_copied_again(site, tmp_path):
    first = back_up(site.board, tmp_path / "backups")
    site.judge(b"four\n")
    second = back_up(site.board, tmp_path / "backups")
    assert (first.copied, second.copied, second.files) == (5, 2, 7)
    assert Backups(tmp_path / "backups").names() == [first.name, second.name]
    older = restore(tmp_path / "backups", tmp_path / "older", name=first.name)
    newest = restore(tmp_path / "backups", tmp_path / "newest")
    assert (older.files, newest.name, newest.files) == (5, second.name, 7)


def test_a_backup_has_the_rows_of_one_moment(either_site, tmp_path, monkeypatch):
    site = either_site
    original = backups.write_rows

    def slowly(connection, table, path):
        count = original(connection, table, path)
        if table.name == "account":
            site.judge(b"meanwhile\n")
        return count

    monkeypatch.setattr(backups, "write_rows", slowly)
    made = back_up(site.board, tmp_path / "backups")
    assert site.rows.scalar("SELECT count(*) FROM submission") == 4
    restore(tmp_path / "backups", tmp_path / "new")
    with closing(boards.open_board(tmp_path / "new")) as board:
        assert verify(board).checked["submission"] == 3
    assert made.files == 5


def test_what_ran_is_queued_again_without_a_fault(either_site, tmp_path):
    site = either_site
    assert claim(site.rows.database, "worker") is not None
    back_up(site.board, tmp_path / "backups")
    restore(tmp_path / "backups", tmp_path / "new")
    with closing(boards.open_board(tmp_path / "new")) as board:
        job = claim(board.database, "another")
        assert job.attempt == 2
        with board.database.read() as connection:
            assert connection.execute(text("SELECT faults FROM evaluation WHERE state = 'running'")).scalar() == 0


def test_a_restored_board_has_a_version_that_no_cache_has_seen(site, tmp_path):
    back_up(site.board, tmp_path / "backups")
    for _ in range(3):
        site.judge(os.urandom(4).hex().encode())
    restore(tmp_path / "backups", tmp_path / "new")
    with closing(boards.open_board(tmp_path / "new")) as board, board.database.read() as connection:
        version = connection.execute(text("SELECT board_version FROM task")).scalar()
    assert version > site.rows.scalar("SELECT board_version FROM task")


# Refusals


def damage(path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def test_a_backup_with_damaged_rows_is_not_restored(site, tmp_path):
    made = back_up(site.board, tmp_path / "backups")
    damage(made.folder / "rows" / "submission.jsonl.gz")
    with pytest.raises(OperationError, match=r"rows of submission in the backup .* are missing or damaged"):
        restore(tmp_path / "backups", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert [fault.en for fault in verify_backup(tmp_path / "backups").faults]


def test_a_backup_with_a_damaged_file_is_restored_without_it_on_request(site, tmp_path):
    back_up(site.board, tmp_path / "backups")
    assert verify_backup(tmp_path / "backups").ok
    blobs = Backups(tmp_path / "backups").blobs()
    lost = site.board.blobs.put([b"one\n"]).sha256
    damage(blobs.path(lost))
    assert [lost in fault.en for fault in verify_backup(tmp_path / "backups").faults] == [True]
    with pytest.raises(OperationError, match=f"1 files .* such as {lost}"):
        restore(tmp_path / "backups", tmp_path / "new")
    done = restore(tmp_path / "backups", tmp_path / "other", allow_damaged=True)
    assert [lost in message.en for message in done.damaged] == [True]
    with closing(boards.open_board(tmp_path / "other")) as board:
        assert [lost in fault.en for fault in verify(board).faults] == [True]


def test_a_damaged_file_of_the_board_is_named_by_the_backup(site, tmp_path):
    lost = site.board.blobs.put([b"one\n"]).sha256
    damage(site.board.blobs.path(lost))
    made = back_up(site.board, tmp_path / "backups")
    assert [lost in message.en for message in made.damaged] == [True]
    assert made.copied == 4
    # Nothing is stored under the hash of the damaged bytes.
    assert len(list(Backups(tmp_path / "backups").blobs().hashes())) == 4 + 4
    assert verify_backup(tmp_path / "backups").faults == ()
    assert verify_backup(tmp_path / "backups").notes


@pytest.mark.parametrize("name", ["manifest.json", "gone"])
def test_a_manifest_that_was_changed_or_is_missing_is_refused(site, tmp_path, name):
    made = back_up(site.board, tmp_path / "backups")
    path = made.folder / "manifest.json"
    if name == "gone":
        path.unlink()
    else:
        path.write_text(path.read_text("utf-8").replace('"rows": 3', '"rows": 2'), "utf-8")
    with pytest.raises(OperationError, match=f"manifest of the backup {made.name} cannot be used"):
        restore(tmp_path / "backups", tmp_path / "new")


def test_boards_are_restored_into_empty_folders_and_databases_only(site, tmp_path):
    back_up(site.board, tmp_path / "backups")
    with pytest.raises(OperationError, match="not an empty folder"):
        restore(tmp_path / "backups", site.folder)
    with pytest.raises(OperationError, match="the database is not empty"):
        restore(tmp_path / "backups", tmp_path / "new", database=site.address)
    assert table_rows(site.address)["submission"]


def test_a_restoration_that_breaks_off_leaves_no_board(site, tmp_path, monkeypatch):
    back_up(site.board, tmp_path / "backups")

    def killed(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("muge_fast.leaderboard.operations.restore.append_audit", killed)
    with pytest.raises(KeyboardInterrupt):
        restore(tmp_path / "backups", tmp_path / "new")
    with pytest.raises(FileNotFoundError, match=r"no board\.toml"):
        boards.open_board(tmp_path / "new")


def test_a_backup_of_a_newer_version_is_refused(site, tmp_path, monkeypatch):
    back_up(site.board, tmp_path / "backups")
    monkeypatch.setattr("muge_fast.leaderboard.operations.restore.revisions", lambda: ["0000"])
    with pytest.raises(OperationError, match="which is newer: upgrade muge-fast"):
        restore(tmp_path / "backups", tmp_path / "new")


def test_backups_are_not_kept_in_the_folder_of_the_board_or_among_other_files(site, tmp_path):
    with pytest.raises(OperationError, match="is in the folder of the board"):
        back_up(site.board, site.folder / "backups")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("x")
    with pytest.raises(OperationError, match=r"has other files, such as .*letter.txt"):
        back_up(site.board, tmp_path / "letters")


def test_a_folder_without_backups_says_so(tmp_path):
    with pytest.raises(OperationError, match=r"no backup in .*: name the folder"):
        restore(tmp_path, tmp_path / "new")


def test_an_unknown_backup_lists_the_newest(site, tmp_path):
    made = back_up(site.board, tmp_path / "backups")
    with pytest.raises(OperationError, match=f"no backup '2020' in .*{made.name}"):
        restore(tmp_path / "backups", tmp_path / "new", name="2020")


def test_only_the_owner_can_read_a_backup(site, tmp_path):
    back_up(site.board, tmp_path / "backups")
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "backups", tmp_path / "backups" / "snapshots")}
    modes |= {path.stat().st_mode & 0o077 for path in (tmp_path / "backups" / "snapshots").rglob("*")}
    assert modes == {0}


def test_a_path_of_a_manifest_stays_in_the_folder(site, tmp_path):
    made = back_up(site.board, tmp_path / "backups")
    manifest = read_manifest(made.folder)
    (made.folder / "manifest.json").unlink()
    hostile = manifest._replace(files=manifest.files | {"../../evil": manifest.files["board.toml"]})
    write_manifest(hostile, made.folder)
    with pytest.raises(OperationError, match="outside of the folder"):
        restore(tmp_path / "backups", tmp_path / "new")
    assert not (tmp_path / "evil").exists()


# Old backups


def names_after(made, keep, target):
    """Prune after a new backup; return the indices of those that remain, from all in the order of their making."""
    done = prune(target, newest=made[-1].name, keep=keep)
    names = [one.name for one in made]
    assert [name for name in names if name not in done.removed] == Backups(target).names()
    assert {path.name for path in (target / "snapshots").iterdir()} == set(names) - set(done.removed)
    return [names.index(name) for name in Backups(target).names()]


@pytest.mark.parametrize("keep", [1, 3, 4, 9])
def test_the_newest_backups_are_kept_and_can_be_restored(site, tmp_path, keep):
    target, made = tmp_path / "backups", []
    for index in range(4):
        site.judge(f"more {index}\n".encode())
        made.append(back_up(site.board, target))
    assert names_after(made, keep, target) == list(range(4))[-keep:]
    for index in range(4)[-keep:]:
        assert verify_backup(target, name=made[index].name).ok
        assert restore(target, tmp_path / f"new {index}", name=made[index].name).files == 5 + 2 * (index + 1)


def test_damaged_backups_do_not_count_until_there_are_enough_whole_ones_after_them(site, tmp_path):
    target = tmp_path / "backups"
    made = [back_up(site.board, target) for _ in range(5)]
    for index in (0, 3):
        damage(made[index].folder / "rows" / "team.jsonl.gz")
    done = prune(target, newest=made[4].name, keep=2)
    assert done.kept == (made[2].name, made[4].name)
    # The oldest is behind two whole ones, damaged or not.
    assert done.removed == (made[0].name, made[1].name)
    assert [message.en for message in done.left] == [
        f"the backup {made[3].name} is damaged, and does not count: the rows of team are missing or damaged"
    ]
    assert f"备份 {made[3].name} 已损坏" in done.left[0].zh


def test_a_lost_file_of_all_backups_keeps_all_of_them(site, tmp_path):
    target = tmp_path / "backups"
    made = [back_up(site.board, target) for _ in range(3)]
    damage(Backups(target).blobs().path(site.board.blobs.put([b"one\n"]).sha256))
    with pytest.raises(
        OperationError, match=rf"no backup was removed, because .* {made[2].name} is not whole: the stored"
    ):
        prune(target, newest=made[2].name, keep=1)
    assert Backups(target).names() == [one.name for one in made]


def test_a_backup_of_a_board_that_lost_files_replaces_no_other(site, tmp_path):
    target = tmp_path / "backups"
    site.send(b"lost\n")
    site.board.blobs.path(site.board.blobs.put([b"lost\n"]).sha256).unlink()
    made = [back_up(site.board, target) for _ in range(2)]
    with pytest.raises(OperationError, match="is not whole: the board lacks files"):
        prune(target, newest=made[1].name, keep=1)
    assert Backups(target).names() == [one.name for one in made]


def test_what_is_not_a_backup_is_left_alone(site, tmp_path):
    target = tmp_path / "backups"
    made = [back_up(site.board, target) for _ in range(4)]
    snapshots = target / "snapshots"
    (snapshots / "notes").mkdir()
    (snapshots / "notes" / "a.txt").write_text("x", "utf-8")
    (snapshots / "2020-01-01T000000.000000Z").write_text("a file", "utf-8")
    (snapshots / "2020-01-02T000000.000000Z").mkdir()
    (snapshots / "2020-01-03T000000.000000Z").symlink_to(made[0].folder)
    (made[0].folder / "rows" / "why.txt").write_text("keep", "utf-8")
    (made[1].folder / "manifest.json").write_text("{}", "utf-8")
    before = {path: path.lstat().st_mtime_ns for path in snapshots.rglob("*")}
    done = prune(target, newest=made[3].name, keep=1)
    assert done.removed == (made[2].name,)
    # Times of the files, as that of the folder changes.
    gone = {path for path in before if made[2].name in path.parts}
    assert {path: path.lstat().st_mtime_ns for path in snapshots.rglob("*")} == {
        path: time for path, time in before.items() if path not in gone
    }
    assert len(done.left) == 5
    assert "has other files, such as rows/why.txt, so it is not removed" in done.left[1].en
    assert all("is not a backup" in message.en for message in (done.left[0], *done.left[2:]))


def test_the_new_backup_is_kept_after_the_clock_stepped_back(site, tmp_path):
    target = tmp_path / "backups"
    made = [back_up(site.board, target) for _ in range(3)]
    done = prune(target, newest=made[0].name, keep=2)
    assert (done.kept, done.removed) == ((made[0].name, made[2].name), (made[1].name,))


def test_a_removal_that_breaks_off_leaves_no_half_backup(site, tmp_path, monkeypatch):
    target = tmp_path / "backups"
    made = [back_up(site.board, target) for _ in range(3)]

    def killed(path, **_):
        (path / "manifest.json").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr("muge_fast.leaderboard.operations.prune.shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        prune(target, newest=made[2].name, keep=1)
    monkeypatch.undo()
    assert Backups(target).names() == [made[1].name, made[2].name]
    assert all(verify_backup(target, name=name).ok for name in Backups(target).names())
    (part,) = (target / "snapshots").glob("partial-*")
    os.utime(part, (0, 0))
    back_up(site.board, target)
    assert not part.exists()


def test_at_least_one_backup_is_kept(site, tmp_path):
    made = back_up(site.board, tmp_path / "backups")
    with pytest.raises(ValueError, match="keep must be at least 1, got 0"):
        prune(tmp_path / "backups", newest=made.name, keep=0)


def test_the_command_removes_old_backups(site, tmp_path):
    def backed_up(*options):
        arguments = ["board", "backup", str(site.folder), str(tmp_path / "backups"), *options]
        return CliRunner().invoke(main, arguments, catch_exceptions=False)

    first, second, third = backed_up(), backed_up("--keep", "2"), backed_up("--keep", "2", "--lang", "zh")
    assert [one.exit_code for one in (first, second, third)] == [0, 0, 0]
    names = [one.stdout.splitlines()[-1] for one in (first, second, third)]
    assert Backups(tmp_path / "backups").names() == names[1:]
    assert second.stderr.splitlines()[-1] == "kept 2 backups, removed 0"
    assert third.stderr.splitlines()[-1] == "保留 2 个备份，删除 1 个"
    damage(Backups(tmp_path / "backups").blobs().path(site.board.blobs.put([b"one\n"]).sha256))
    fourth = backed_up("--keep", "1")
    assert fourth.exit_code == 1
    assert "fault: no backup was removed, because the new backup" in fourth.stderr
    assert len(Backups(tmp_path / "backups").names()) == 3
    assert backed_up("--keep", "0").exit_code == 2


# Kills


def run_backups(folder: str, address: str, target: str) -> None:
    """Make backups until killed."""
    while True:
        with closing(boards.open_board(Path(folder), database=address)) as board:
            back_up(board, Path(target))


def test_killed_backups_leave_complete_ones_only(site, tmp_path):
    context = multiprocessing.get_context("forkserver")
    target = tmp_path / "backups"
    for _ in range(3):
        process = context.Process(target=run_backups, args=(str(site.folder), site.address, str(target)), daemon=True)
        process.start()
        before = len(Backups(target).names())
        while len(Backups(target).names()) == before:
            time.sleep(0.01)
        site.judge(os.urandom(4).hex().encode())
        time.sleep(0.02)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    names = Backups(target).names()
    assert all(verify_backup(target, name=name).ok for name in names)
    restore(target, tmp_path / "new")
    with closing(boards.open_board(tmp_path / "new")) as board:
        assert verify(board).ok
        assert verify_audit(board.database) == []
