"""Accepting submissions: idempotency keys, quotas under 32 clients at once, clocks that step back, full disks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from leaderboard_boards import ADMIN, START, QuotaReached, admit_all, at_most, digest
from muge_fast.leaderboard.rules.quotas import Limits, check_quota, measure_quota
from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.store.audit import verify_audit
from muge_fast.leaderboard.store.errors import ConflictError, NotFoundError, RefusedError, StorageFullError
from muge_fast.leaderboard.store.queue import QueueRules, cancel, claim, report_fault, requeue
from muge_fast.leaderboard.store.submissions import (
    NewSubmission,
    accept,
    past_submissions,
    recorded_blobs,
    rule_out,
    set_visible,
    withdraw,
)
from muge_fast.leaderboard.store.tasks import save_task
from muge_fast.leaderboard.store.teams import accept_invitation, create_team, invite, leave_team
from muge_fast.leaderboard.store.verdicts import evaluations_of

CLIENTS = 32


def test_a_submission_is_stored_and_queued(board):
    accepted = board.accept(content="file", method="CLIP", links=("https://example.org",))
    assert (accepted.number, accepted.team, accepted.accepted_at) == (1, board.teams["red"], START)
    assert accepted.created
    with board.database.read() as connection:
        (evaluation,) = evaluations_of(connection, accepted.submission)
        assert (evaluation.state, evaluation.original, evaluation.evaluator) == ("queued", True, board.evaluator)
        assert recorded_blobs(connection, [digest("file"), digest("other")]) == {digest("file")}


def test_numbers_count_for_each_team(board):
    assert [board.accept(name).number for name in ("red", "red", "blue", "red")] == [1, 2, 1, 3]


def test_the_same_key_stands_for_the_same_submission(board):
    first = board.accept(key="k")
    board.clock.advance(hours=1)
    again = board.accept(key="k", admit=at_most(0))
    assert again == first._replace(created=False)
    assert board.scalar("SELECT count(*) FROM submission") == 1
    assert board.accept("blue", key="k").created  # A key belongs to an account.


def test_a_key_of_another_file_is_refused(board):
    board.accept(key="k")
    with pytest.raises(ConflictError, match="send a new key"):
        board.accept(key="k", content="other")


def test_a_key_of_another_task_is_refused(board):
    board.accept(key="k")
    save_task(board.database, "caption", settings={}, higher_is_better=True, actor=ADMIN)
    with pytest.raises(ConflictError, match="send a new key"):
        accept(board.database, board.new(key="k")._replace(task="caption"), admit=admit_all)


def test_unknown_tasks_and_accounts_without_a_team_are_refused(board):
    with pytest.raises(NotFoundError, match="no task 'other'"):
        accept(board.database, board.new()._replace(task="other"), admit=admit_all)
    board.new_account("alone")
    with pytest.raises(RefusedError, match="in no team"):
        board.accept("alone")


def test_a_task_without_an_evaluator_takes_nothing(board):
    save_task(board.database, "caption", settings={}, higher_is_better=True, actor=ADMIN)
    with pytest.raises(RefusedError, match="no evaluator yet"):
        accept(board.database, board.new()._replace(task="caption"), admit=admit_all)
    assert board.scalar("SELECT count(*) FROM submission") == 0
    assert board.scalar("SELECT count(*) FROM blob") == 0


# Quotas


def test_a_rule_that_refuses_stores_nothing(board):
    board.accept(admit=at_most(1))
    with pytest.raises(QuotaReached):
        board.accept(admit=at_most(1), content="second")
    assert board.scalar("SELECT count(*) FROM blob") == 1
    board.accept("blue", admit=at_most(1))
    board.clock.advance(hours=24)
    assert board.accept(admit=at_most(1)).number == 2


def test_faulted_and_cancelled_submissions_are_free_for_good(board):
    faulted = board.accept(admit=at_most(1))
    job = claim(board.database, "worker")
    assert report_fault(board.database, job, "no memory", rules=QueueRules(tries=1)) == "faulted"
    cancelled = board.accept(admit=at_most(1))
    assert cancel(board.database, cancelled.submission, actor=ADMIN)
    requeue(board.database, job.evaluation, actor=ADMIN)
    board.accept(admit=at_most(1))
    with pytest.raises(QuotaReached):
        board.accept(admit=at_most(1))
    with board.database.read() as connection:
        past = past_submissions(connection, "retrieval", board.teams["red"], since=START)
    assert [(one.state, one.waived) for one in past] == [("queued", True), ("cancelled", False), ("queued", False)]
    assert faulted.number == 1


def test_leaving_a_team_and_founding_another_gives_no_new_quota(board):
    board.accept(admit=at_most(1))
    leave_team(board.database, board.accounts["red"], actor=ADMIN)
    create_team(board.database, name="new", name_key="new", founder=board.accounts["red"], actor=ADMIN)
    with pytest.raises(QuotaReached):
        board.accept(admit=at_most(1))


def test_a_new_member_brings_past_submissions(board):
    board.accept("blue", admit=at_most(1))
    leave_team(board.database, board.accounts["blue"], actor=ADMIN)
    link = invite(
        board.database, board.teams["red"], account_id=board.accounts["red"], lasts=timedelta(days=1), actor=ADMIN
    )
    accept_invitation(board.database, link, account_id=board.accounts["blue"], actor=ADMIN)
    with pytest.raises(QuotaReached):
        board.accept("red", admit=at_most(1))


def test_32_clients_at_once_never_exceed_the_quota(board):
    def send(client: int) -> bool:
        try:
            board.accept(("red", "blue")[client % 2], admit=at_most(3), content=client % 5)
        except QuotaReached:
            return False
        return True

    with ThreadPoolExecutor(CLIENTS) as pool:
        accepted = list(pool.map(send, range(2 * CLIENTS)))
    assert (sum(accepted[0::2]), sum(accepted[1::2])) == (3, 3)
    assert board.scalar("SELECT count(*) FROM submission") == 6
    assert board.scalar("SELECT max(number) FROM submission") == 3
    assert board.scalar("SELECT count(*) FROM evaluation") == 6


def test_32_requests_with_one_key_store_one_submission(board):
    with ThreadPoolExecutor(CLIENTS) as pool:
        accepted = list(pool.map(lambda _: board.accept(key="k"), range(CLIENTS)))
    assert len({one.submission for one in accepted}) == 1
    assert sum(one.created for one in accepted) == 1


def test_requests_with_one_key_for_two_tasks_store_one_submission(board):
    save_task(board.database, "caption", settings={}, higher_is_better=True, actor=ADMIN)
    with board.database.write() as connection:
        copied = "INSERT INTO evaluator SELECT 'e', 'caption', gold_sha256, package_version, options, signature, state"
        connection.execute(text(f"{copied}, created_at, activated_at, retired_at FROM evaluator"))

    def send(client: int) -> bool:
        try:
            new = board.new(key="k")._replace(task=("retrieval", "caption")[client % 2])
            accept(board.database, new, admit=admit_all)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(send, range(8))) == 4
    assert board.scalar("SELECT count(*) FROM submission") == 1


def test_the_rules_of_quotas_take_past_submissions_as_they_are(board):
    zone, limits = ZoneInfo("Asia/Shanghai"), Limits(valid_per_day=2)

    def admit(now, past) -> None:
        check_quota(measure_quota(past, limits, now=now, zone=zone), zone=zone)

    board.accept(admit=admit)
    board.clock.advance(hours=1)
    board.accept(admit=admit)
    with pytest.raises(RefusalError, match=r"the next is possible .* 2026-11-28 20:00:00"):
        board.accept(admit=admit)
    board.clock.advance(hours=23)
    assert board.accept(admit=admit).number == 3


# Clocks


def test_a_clock_that_steps_back_does_not_turn_the_order(board):
    first = board.accept()
    board.clock.advance(hours=-3)
    second = board.accept("blue")
    assert second.accepted_at == first.accepted_at == START
    board.clock.advance(hours=4)
    assert board.accept().accepted_at == START + timedelta(hours=1)


def test_a_clock_that_steps_back_gives_no_new_quota(board):
    board.accept(admit=at_most(1))
    board.clock.advance(days=-2)
    with pytest.raises(QuotaReached):
        board.accept(admit=at_most(1))


def test_times_keep_their_microseconds_and_zone(board):
    board.clock.advance(microseconds=123_457)
    assert board.accept(key="k").accepted_at == board.clock.now
    assert board.accept(key="k").accepted_at == board.clock.now


# Full disks


def test_a_full_disk_is_named_and_stores_nothing(board):
    if not board.database.is_sqlite:
        pytest.skip("the disk of the server is not that of the test")
    first = board.accept()
    with board.database.write() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
    with board.database.engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageFullError, match="nothing was stored"):
        board.accept(method="long" * 100_000)
    assert board.scalar("SELECT count(*) FROM submission") == 1
    assert board.scalar("PRAGMA integrity_check") == "ok"
    with board.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert board.accept(method="long" * 100_000).number == first.number + 1


# Changes


@pytest.mark.parametrize(
    ("change", "undo", "column"),
    [
        (lambda *a: withdraw(*a, actor=ADMIN), lambda *a: withdraw(*a, undo=True, actor=ADMIN), "withdrawn_at"),
        (
            lambda *a: rule_out(*a, reason="a copy", actor=ADMIN),
            lambda *a: rule_out(*a, reason=None, actor=ADMIN),
            "ruled_out_at",
        ),
    ],
)
def test_submissions_can_be_taken_off_the_board_and_brought_back(board, change, undo, column):
    accepted = board.accept()
    query = f"SELECT count({column}) FROM submission"
    change(board.database, accepted.submission)
    assert board.scalar(query) == 1
    undo(board.database, accepted.submission)
    assert board.scalar(query) == 0
    assert verify_audit(board.database) == []
    with pytest.raises(NotFoundError):
        change(board.database, "other")


def test_changes_of_the_board_are_counted(board):
    accepted = board.accept()
    version = board.scalar("SELECT board_version FROM task")
    set_visible(board.database, accepted.submission, visible=False, actor=ADMIN)
    assert board.scalar("SELECT board_version FROM task") == version + 1


def test_unknown_rows_are_refused_by_the_database(board):
    new = NewSubmission("retrieval", "unknown", digest("x"), 1, "k")
    with pytest.raises(RefusedError):
        accept(board.database, new, admit=admit_all)
    with pytest.raises(IntegrityError), board.database.write() as connection:
        connection.execute(
            text("INSERT INTO session SELECT :sha, 'unknown', created_at, created_at, NULL FROM task"),
            {"sha": digest(1)},
        )
