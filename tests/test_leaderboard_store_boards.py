"""Boards, months, rejudge sets and the audit log."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from leaderboard_boards import ADMIN, START, Board, digest, valid
from muge_fast.leaderboard.store.audit import Actor, audit_entries, verify_audit
from muge_fast.leaderboard.store.boards import best_entries, board_entries, board_version, present_version
from muge_fast.leaderboard.store.errors import ConflictError, NotFoundError, RefusedError
from muge_fast.leaderboard.store.months import (
    close_month,
    closed_months,
    month_revisions,
    revise_month,
    verify_months,
)
from muge_fast.leaderboard.store.queue import QueueRules, cancel, claim, finish, report_fault, requeue
from muge_fast.leaderboard.store.rejudge import (
    apply_rejudge,
    cancel_rejudge,
    find_rejudge,
    rejudge_changes,
    start_rejudge,
)
from muge_fast.leaderboard.store.submissions import rule_out, set_visible, withdraw
from muge_fast.leaderboard.store.tasks import active_evaluator, find_evaluator, save_task, task_settings
from muge_fast.leaderboard.store.teams import create_team


def entries(board, function=board_entries, **options) -> list[tuple[str, float]]:
    with board.database.read() as connection:
        return [(entry.team_name, entry.published) for entry in function(connection, "retrieval", **options)]


def version(board) -> int:
    with board.database.read() as connection:
        return board_version(connection, "retrieval")


def test_a_board_has_scored_submissions_only(board):
    board.judge("red", 80.0)
    board.judge("red", None)
    board.accept("blue")
    assert entries(board) == [("red", 80.0)]
    with board.database.read() as connection:
        (entry,) = board_entries(connection, "retrieval")
    assert (entry.team, entry.number, entry.accepted_at, entry.sha256) == (board.teams["red"], 1, START, digest("x"))
    assert (entry.scores, entry.evaluator, entry.ruled_out) == ({"mean_recall": 80.001}, board.evaluator, False)


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_the_best_of_a_team_is_the_earliest_of_equal_scores(address, higher_is_better):
    board = Board(address, higher_is_better=higher_is_better)
    best, worse = (90.0, 80.0) if higher_is_better else (80.0, 90.0)
    for published in (worse, best, best):
        board.judge("red", published)
        board.clock.advance(hours=1)
    board.judge("blue", worse)
    with board.database.read() as connection:
        found = best_entries(connection, "retrieval")
    assert [(one.team_name, one.published, one.number) for one in found] == [("red", best, 2), ("blue", worse, 1)]
    assert entries(board, best_entries, before=START + timedelta(minutes=1)) == [("red", worse)]
    assert entries(board, best_entries, since=START + timedelta(minutes=150)) == [("blue", worse)] or higher_is_better
    board.database.close()


def test_withdrawn_submissions_leave_and_the_next_best_moves_up(board):
    board.judge("red", 70.0)
    best = board.judge("red", 90.0)
    withdraw(board.database, best, actor=ADMIN)
    assert entries(board, best_entries) == [("red", 70.0)]
    withdraw(board.database, best, undo=True, actor=ADMIN)
    rule_out(board.database, best, reason="a copy", actor=ADMIN)
    assert entries(board, best_entries) == [("red", 70.0)]
    assert len(entries(board)) == 2  # Organizers see it, with its mark.
    rule_out(board.database, best, reason=None, actor=ADMIN)
    set_visible(board.database, best, visible=False, actor=ADMIN)
    assert entries(board, best_entries) == [("red", 70.0)]


def test_baselines_of_the_host_are_marked(board):
    founder = board.new_account("organizer")
    create_team(board.database, name="baseline", name_key="baseline", founder=founder, host=True, actor=ADMIN)
    board.judge("organizer", 50.0)
    board.judge("red", 80.0)
    with board.database.read() as connection:
        assert [(one.team_name, one.host) for one in best_entries(connection, "retrieval")] == [
            ("red", False),
            ("baseline", True),
        ]


def test_every_change_of_the_board_increases_its_version(board):
    seen = [version(board)]
    submission = board.judge()
    seen.append(version(board))
    withdraw(board.database, submission, actor=ADMIN)
    seen.append(version(board))
    save_task(board.database, "retrieval", settings={"zone": "UTC"}, higher_is_better=True, actor=ADMIN)
    seen.append(version(board))
    assert seen == sorted(set(seen))
    board.accept()
    assert version(board) == seen[-1]
    with pytest.raises(NotFoundError), board.database.read() as connection:
        board_version(connection, "other")


# Tasks


def test_settings_have_versions(board):
    def save(settings, **options):
        options = {"higher_is_better": True, "actor": ADMIN} | options
        return save_task(board.database, "retrieval", settings=settings, **options)

    assert save({"zone": "Asia/Shanghai"}) == 1
    assert save({"zone": "UTC"}) == 2
    assert save({"zone": "UTC"}) == 2
    with board.database.read() as connection:
        assert task_settings(connection, "retrieval") == (2, {"zone": "UTC"})
    with pytest.raises(RefusedError, match="never changes"):
        save({"zone": "UTC"}, higher_is_better=False)


# Months

BOUNDARY = START + timedelta(hours=1)


def close(board, **options):
    options = {
        "start": START,
        "boundary": BOUNDARY,
        "select_rows": lambda rows: [row.published for row in rows],
    } | options
    return close_month(board.database, "retrieval", "2026-11", actor=ADMIN, **options)


def test_a_month_is_the_board_before_its_boundary(board):
    board.judge("blue", 85.0)
    for published in (70.0, 75.0, 60.0):
        board.clock.advance(minutes=20)
        board.judge("blue", published)
    record = close(board, start=START + timedelta(minutes=10))
    # The best of all time and the best of the month; 60 is of the next month, and 70 is neither.
    assert (record.rows, record.revision, record.evaluator) == ([85.0, 75.0], 1, board.evaluator)
    with board.database.read() as connection:
        assert month_revisions(connection, "retrieval", "2026-11") == [record]
        assert closed_months(connection, "retrieval") == ["2026-11"]
        assert verify_months(connection) == []
    with pytest.raises(ConflictError, match="is closed"):
        close(board)


def test_a_month_is_not_closed_early(board):
    with pytest.raises(RefusedError, match="ends at 2026-11-27T13"):
        close(board)
    board.accept()
    job = claim(board.database, "worker")
    board.clock.advance(hours=1)
    board.accept("blue")  # Of the next month, so it may wait.
    with pytest.raises(RefusedError, match="1 submissions of 2026-11 are not judged"):
        close(board)
    finish(board.database, job, valid())
    assert close(board).rows == [80.0]


def test_nothing_is_accepted_into_a_closed_month(board):
    board.clock.advance(hours=1)
    close(board)
    board.clock.advance(hours=-5)
    assert board.accept().accepted_at >= BOUNDARY


def test_corrections_are_revisions_with_a_reason(board):
    board.judge("red", 80.0)
    board.clock.advance(hours=1)
    first = close(board)
    with pytest.raises(ValueError, match="needs a reason"):
        revise_month(board.database, "retrieval", "2026-11", rows=[], reason=" ", actor=ADMIN)
    second = revise_month(board.database, "retrieval", "2026-11", rows=[], reason="ruled out", actor=ADMIN)
    with board.database.read() as connection:
        assert month_revisions(connection, "retrieval", "2026-11") == [first, second]
    assert (second.revision, second.reason, second.boundary) == (2, "ruled out", BOUNDARY)
    with pytest.raises(NotFoundError, match="is not closed"):
        revise_month(board.database, "retrieval", "2026-10", rows=[], reason="x", actor=ADMIN)


def test_of_many_that_close_a_month_one_succeeds(board):
    board.clock.advance(hours=1)

    def attempt(_: int) -> bool:
        try:
            close(board)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(attempt, range(16))) == 1


def without_guards(board, table: str, statement: str) -> None:
    """Change rows as an owner of the database can who removes the triggers."""
    with board.database.write() as connection:
        if board.database.is_sqlite:
            triggers = connection.execute(
                text(f"SELECT name, sql FROM sqlite_master WHERE tbl_name = '{table}' AND type = 'trigger'")
            )
            found = triggers.all()
            for name, _ in found:
                connection.execute(text(f"DROP TRIGGER {name}"))
            connection.execute(text(statement))
            for _, sql in found:
                connection.execute(text(sql))
        else:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            connection.execute(text(statement))
            connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


def test_a_changed_month_is_found(board):
    board.clock.advance(hours=1)
    close(board)
    without_guards(board, "month", "UPDATE month SET rows = '[99]'")
    with board.database.read() as connection:
        assert verify_months(connection) == ["the rows of retrieval/2026-11, revision 1, were changed"]


# Rejudge sets


def rejudge(board) -> tuple[str, str]:
    target = board.new_evaluator("new gold")
    return start_rejudge(board.database, "retrieval", to_evaluator=target, reason="gold", actor=ADMIN), target


def work_off(board, published: float) -> int:
    count = 0
    while job := claim(board.database, "worker"):
        assert finish(board.database, job, valid(published))
        count += 1
    return count


def test_a_rejudge_set_computes_next_to_the_board_and_is_applied_at_once(board):
    first = board.judge("red", 80.0)
    board.judge("blue", 70.0)
    cancelled = board.accept("blue")
    cancel(board.database, cancelled.submission, actor=ADMIN)
    found, target = rejudge(board)
    with pytest.raises(RefusedError, match="computing, with 2 evaluations to come"):
        apply_rejudge(board.database, found, actor=ADMIN)
    assert work_off(board, 60.0) == 2
    assert entries(board) == [("red", 80.0), ("blue", 70.0)]
    ready = find_rejudge(board.database, found)
    assert (ready.state, ready.waiting, ready.faulted) == ("ready", 0, 0)
    with board.database.read() as connection:
        changes = rejudge_changes(connection, ready)
    assert [(one.before, one.after) for one in changes] == [(80.0, 60.0), (70.0, 60.0)]
    assert changes[0].submission == first
    before = version(board)
    apply_rejudge(board.database, found, actor=ADMIN)
    assert version(board) > before
    assert entries(board) == [("red", 60.0), ("blue", 60.0)]
    with board.database.read() as connection:
        assert active_evaluator(connection, "retrieval").id == target
        assert find_evaluator(connection, board.evaluator).state == "retired"
    with pytest.raises(RefusedError, match="applied"):
        apply_rejudge(board.database, found, actor=ADMIN)
    with pytest.raises(RefusedError, match="applied"):
        cancel_rejudge(board.database, found, actor=ADMIN)


def test_submissions_during_a_rejudge_set_are_judged_by_both(board):
    board.judge("red", 80.0)
    found, _ = rejudge(board)
    work_off(board, 60.0)
    assert find_rejudge(board.database, found).state == "ready"
    board.accept("blue")
    assert find_rejudge(board.database, found).state == "computing"
    assert work_off(board, 50.0) == 2
    apply_rejudge(board.database, found, actor=ADMIN)
    assert entries(board) == [("red", 60.0), ("blue", 50.0)]


def test_new_submissions_come_before_a_rejudge_set(board):
    board.judge("red", 80.0)
    rejudge(board)
    board.clock.advance(hours=1)
    accepted = board.accept("red")
    job = claim(board.database, "worker")
    assert (job.submission, job.evaluator) == (accepted.submission, board.evaluator)


def test_a_cancelled_rejudge_set_leaves_the_board(board):
    board.judge("red", 80.0)
    found, target = rejudge(board)
    cancel_rejudge(board.database, found, actor=ADMIN)
    assert claim(board.database, "worker") is None
    assert entries(board) == [("red", 80.0)]
    with pytest.raises(RefusedError, match="a set with this evaluator was cancelled"):
        start_rejudge(board.database, "retrieval", to_evaluator=target, reason="again", actor=ADMIN)
    rejudge(board)


def test_a_rejudge_set_can_be_turned_back(board):
    board.judge("red", 80.0)
    found, _ = rejudge(board)
    work_off(board, 60.0)
    apply_rejudge(board.database, found, actor=ADMIN)
    back = start_rejudge(board.database, "retrieval", to_evaluator=board.evaluator, reason="wrong gold", actor=ADMIN)
    assert claim(board.database, "worker") is None
    apply_rejudge(board.database, back, actor=ADMIN)
    assert entries(board) == [("red", 80.0)]


def test_a_task_has_one_open_rejudge_set(board):
    rejudge(board)
    with pytest.raises(ConflictError, match="has an open rejudge set"):
        rejudge(board)
    with pytest.raises(RefusedError, match="not active"):
        start_rejudge(board.database, "retrieval", to_evaluator=board.evaluator, reason="x", actor=ADMIN)
    with pytest.raises(ValueError, match="needs a reason"):
        start_rejudge(board.database, "retrieval", to_evaluator=board.evaluator, reason="", actor=ADMIN)
    with pytest.raises(NotFoundError):
        find_rejudge(board.database, "other")


def test_faults_are_not_applied_unseen(board):
    board.judge("red", 80.0)
    found, _ = rejudge(board)
    job = claim(board.database, "worker")
    report_fault(board.database, job, "no memory", rules=QueueRules(tries=1))
    with pytest.raises(RefusedError, match="1 evaluations of the set are faulted"):
        apply_rejudge(board.database, found, actor=ADMIN)
    requeue(board.database, job.evaluation, actor=ADMIN)
    work_off(board, 60.0)
    apply_rejudge(board.database, found, actor=ADMIN)
    assert entries(board) == [("red", 60.0)]


def test_the_database_has_one_active_evaluator_of_a_task(board):
    board.new_evaluator("second")
    with pytest.raises(IntegrityError), board.database.write() as connection:
        connection.execute(text("UPDATE evaluator SET state = 'active'"))


# Audit


def test_every_change_is_in_the_audit_log(board):
    submission = board.judge()
    rule_out(board.database, submission, reason="a copy", actor=Actor("ann", "req-7"))
    with board.database.read() as connection:
        found = list(audit_entries(connection))
    last = found[-1]
    assert (last.actor, last.action, last.subject, last.request) == ("ann", "submission.rule_out", submission, "req-7")
    assert last.before == {"ruled_out_at": None, "ruled_out_reason": None}
    assert last.after["ruled_out_reason"] == "a copy"
    assert [entry.seq for entry in found] == list(range(1, len(found) + 1))
    assert verify_audit(board.database) == []
    assert verify_audit(board.database, newest=(last.seq, last.hash)) == []


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE audit SET actor = 'eve' WHERE seq = 2", "audit entry 2 was changed"),
        ("UPDATE audit SET after = '{}' WHERE seq = 2", "audit entry 2 was changed"),
        ("DELETE FROM audit WHERE seq = 2", "audit entries 2 to 2 are missing"),
        ("DELETE FROM audit WHERE seq > 2", "its end was cut"),
    ],
)
def test_changes_of_the_audit_log_are_found(board, statement, message):
    with board.database.read() as connection:
        last = list(audit_entries(connection))[-1]
    without_guards(board, "audit", statement)
    assert message in " ".join(verify_audit(board.database, newest=(last.seq, last.hash)))


def test_an_action_that_fails_is_not_in_the_audit_log(board):
    with board.database.read() as connection:
        before = len(list(audit_entries(connection)))
    with pytest.raises(RefusedError):
        start_rejudge(board.database, "retrieval", to_evaluator=board.evaluator, reason="x", actor=ADMIN)
    with board.database.read() as connection:
        assert len(list(audit_entries(connection))) == before


def test_32_changes_at_once_make_one_chain(board):
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda number: board.new_account(f"a{number}"), range(64)))
    assert verify_audit(board.database) == []
    assert board.scalar("SELECT count(*) FROM audit WHERE action = 'account.create'") == 66


def test_the_version_outside_a_transaction_is_that_of_the_last_commit(board):
    for _ in range(3):
        board.judge("red", 80.0)
        assert present_version(board.database, "retrieval") == version(board)
    with board.database.write() as connection:
        connection.execute(text("UPDATE task SET board_version = board_version + 1000"))
        before = present_version(board.database, "retrieval")
    assert present_version(board.database, "retrieval") == before + 1000 == version(board)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: present_version(board.database, "retrieval"), range(200)))
    assert set(found) == {before + 1000}
    with pytest.raises(NotFoundError, match="there is no task 'other'"):
        present_version(board.database, "other")
    assert board.database.present() == board.clock.now


def test_the_version_of_a_database_that_cannot_be_read_is_an_error_that_pages_know(board):
    with board.database.write() as connection:
        connection.execute(text("ALTER TABLE task RENAME TO lost"))
    try:
        with pytest.raises(DBAPIError, match="task"):
            present_version(board.database, "retrieval")
    finally:
        # Other tests use the same database of PostgreSQL.
        with board.database.write() as connection:
            connection.execute(text("ALTER TABLE lost RENAME TO task"))
