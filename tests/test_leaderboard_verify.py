"""A check of a board finds each kind of change that was made by hand, and none in a board that is whole."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from leaderboard_boards import ADMIN, INVALID, digest
from muge_fast.leaderboard.blobs.local import LocalBlobs
from muge_fast.leaderboard.board import Board as OpenBoard
from muge_fast.leaderboard.operations.messages import Message
from muge_fast.leaderboard.operations.store_sentences import bilingual
from muge_fast.leaderboard.operations.verify import verify
from muge_fast.leaderboard.store.audit import audit_head
from muge_fast.leaderboard.store.guards import Guard, trigger_statements
from muge_fast.leaderboard.store.months import close_month, revise_month
from muge_fast.leaderboard.store.queue import cancel, claim, finish
from muge_fast.leaderboard.store.submissions import withdraw


class Whole:
    """A board of the tests with its files."""

    def __init__(self, board, folder) -> None:
        self.rows = board
        blobs = LocalBlobs(folder / "blobs")
        for content in ("one", "two", "three", "four"):
            blobs.put([content.encode()])
        self.first = board.judge(content="one")
        self.second = board.judge("blue", content="two")
        board.accept(content="three")
        assert finish(board.database, claim(board.database, "worker"), INVALID)
        cancel(board.database, board.accept(content="four").submission, actor=ADMIN)
        withdraw(board.database, self.second, actor=ADMIN)
        end = board.clock.now + timedelta(hours=1)
        board.clock.advance(hours=2)
        close_month(
            board.database,
            "retrieval",
            "2026-11",
            start=board.clock.now - timedelta(days=9),
            boundary=end,
            select_rows=lambda _entries: [1],
            actor=ADMIN,
        )
        revise_month(board.database, "retrieval", "2026-11", rows=[2], reason="a copy", actor=ADMIN)
        self.board = OpenBoard(folder, None, board.database, blobs)

    def change(self, *statements: str) -> None:
        """Run statements as the owner of the database would, without triggers and references."""
        with self.rows.database.engine.connect() as connection:
            if self.rows.database.is_sqlite:
                connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
                triggers = connection.exec_driver_sql(
                    "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
                ).all()
                for name, _ in triggers:
                    connection.exec_driver_sql(f"DROP TRIGGER {name}")
            else:
                connection.exec_driver_sql("SET session_replication_role = replica")
            for statement in statements:
                connection.execute(text(statement))
            if self.rows.database.is_sqlite:
                for _, sql in triggers:
                    connection.exec_driver_sql(sql)
            connection.commit()
            connection.invalidate()

    def faults(self, **options) -> list[str]:
        found = verify(self.board, **options)
        assert all(message.zh != message.en for message in (*found.faults, *found.notes))
        return [message.en for message in found.faults]


@pytest.fixture
def whole(board, tmp_path):
    return Whole(board, tmp_path)


def test_a_board_that_is_whole_has_no_faults(whole):
    found = verify(whole.board)
    entries = found.checked.pop("audit entry")
    assert found == ({"submission": 4, "evaluation": 4, "verdict": 3, "month": 2, "file": 4}, (), ())
    assert entries > 8
    assert found.ok
    with whole.rows.database.read() as connection:
        assert whole.faults(newest_audit=audit_head(connection)) == []


FIRST = "(SELECT id FROM submission WHERE number = 1 LIMIT 1)"
CHANGES = {
    "no evaluation": (
        f"DELETE FROM verdict WHERE submission = {FIRST}",
        f"DELETE FROM evaluation WHERE submission = {FIRST}",
        "submissions without an evaluation",
    ),
    "no verdict": (f"DELETE FROM verdict WHERE submission = {FIRST}", "ended without a verdict"),
    "a verdict of a queued evaluation": (
        "UPDATE evaluation SET state = 'queued', finished_at = NULL WHERE state = 'scored'",
        "differ from the state",
    ),
    "another team": ("UPDATE verdict SET team = (SELECT id FROM team WHERE id <> verdict.team)", "another submission"),
    "another direction": ("UPDATE verdict SET order_key = published WHERE ok", "wrong direction"),
    "another score": (
        "UPDATE month SET rows = '[3]' WHERE revision = 1",
        "retrieval/2026-11, revision 1, were changed",
    ),
    "another hash, too": (
        f"UPDATE month SET rows = '[3]', sha256 = '{digest('[3]')}' WHERE revision = 1",
        "the month retrieval/2026-11, revision 1 is not what the audit log has noted",
    ),
    "a gap of revisions": ("DELETE FROM month WHERE revision = 1", "months whose revisions have gaps"),
    "a month that is gone": ("DELETE FROM month", "is not what the audit log has noted"),
    "another gold file": (f"UPDATE evaluator SET gold_sha256 = '{'0' * 64}'", "the evaluator"),
    "a submission that is gone": (
        "DELETE FROM verdict WHERE submission IN (SELECT id FROM submission WHERE number = 2)",
        "DELETE FROM evaluation WHERE submission IN (SELECT id FROM submission WHERE number = 2)",
        "DELETE FROM submission WHERE number = 2",
        "have gaps, so that rows are missing",
    ),
    "an audit entry that is gone": ("DELETE FROM audit WHERE seq = 2", "audit entries 2 to 2 are missing"),
    "an audit entry that was changed": ("UPDATE audit SET actor = 'nobody' WHERE seq = 3", "audit entry 3 was changed"),
    "an end that was cut": ("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)", "lacks an entry"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changes_by_hand_are_found(whole, change):
    *statements, expected = CHANGES[change]
    with whole.rows.database.read() as connection:
        noted = audit_head(connection)
    whole.change(*statements)
    faults = whole.faults(newest_audit=noted)
    assert [fault for fault in faults if expected in fault], faults


def test_a_time_before_that_of_the_predecessor_is_found(whole):
    whole.rows.judge(content="one")
    earlier = "1000000" if whole.rows.database.is_sqlite else "'2020-01-01T00:00:00Z'"
    whole.change(f"UPDATE submission SET accepted_at = {earlier} WHERE number = 4")
    assert [fault for fault in whole.faults() if "accepted before their predecessor" in fault]


def test_triggers_that_are_gone_are_found(whole):
    drop = "DROP TRIGGER guard_verdict_update" + ("" if whole.rows.database.is_sqlite else " ON verdict")
    with whole.rows.database.write() as connection:
        connection.exec_driver_sql(drop)
    assert [fault.split(" is ")[0] for fault in whole.faults()] == ["the trigger guard_verdict_update"]
    if not whole.rows.database.is_sqlite:
        with whole.rows.database.write() as connection:
            connection.exec_driver_sql(trigger_statements("postgresql", Guard("verdict"))[0])


def test_files_that_are_missing_or_damaged_are_found(whole):
    one, two = (whole.board.blobs.path(digest(name)) for name in ("one", "two"))
    one.unlink()
    two.write_bytes(b"2wo")
    assert sorted(whole.faults()) == sorted(
        f"the stored file {path.name} is missing or damaged: copy it from another backup" for path in (one, two)
    )
    assert [one.name in fault for fault in whole.faults(read_files=False)] == [True]


def test_files_without_a_row_are_a_note(whole):
    whole.board.blobs.put([b"lost"])
    found = verify(whole.board)
    assert found.ok
    assert [note.en.split(":")[0] for note in found.notes] == ["1 stored files have no row"]


def test_a_damaged_page_of_sqlite_is_found(whole):
    if not whole.rows.database.is_sqlite:
        pytest.skip("PostgreSQL checks its pages itself")
    whole.change("PRAGMA writable_schema = ON", "UPDATE sqlite_schema SET rootpage = 3 WHERE name = 'ix_verdict_best'")
    assert [fault for fault in whole.faults() if "database file is damaged" in fault]


def test_sentences_of_the_store_are_in_both_languages():
    assert bilingual("audit entries 2 to 3 are missing") == Message(
        "audit entries 2 to 3 are missing", "审计日志缺少第 2 至 3 条"
    )
    assert bilingual("another sentence").zh == "another sentence"
