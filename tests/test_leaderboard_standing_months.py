"""Months of a board: closing by the rules, corrections, previews, and what each viewer sees."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple

import pytest
from sqlalchemy import update

from leaderboard_boards import ADMIN, Clock
from leaderboard_items import ItemBoard
from muge_fast.leaderboard.rules.calendar_months import Month
from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.rules.visibility import Viewer
from muge_fast.leaderboard.standings.listed import listed_submissions
from muge_fast.leaderboard.standings.month_records import (
    close_due_months,
    close_month,
    months_to_close,
    read_lists,
    revise_month,
)
from muge_fast.leaderboard.standings.month_views import month_json, months_of_task, visible_month
from muge_fast.leaderboard.store.errors import ConflictError, NotFoundError
from muge_fast.leaderboard.store.months import month_revisions, verify_months
from muge_fast.leaderboard.store.queue import claim, finish
from muge_fast.leaderboard.store.rejudge import apply_rejudge, start_rejudge
from muge_fast.leaderboard.store.schema import team
from muge_fast.leaderboard.store.submission_records import find_submission
from muge_fast.leaderboard.store.submissions import rule_out, withdraw
from muge_fast.leaderboard.store.verdicts import NewVerdict

OCTOBER, NOVEMBER, DECEMBER = Month(2026, 10), Month(2026, 11), Month(2026, 12)
# Midnight of 1 December in Shanghai.
BOUNDARY = datetime(2026, 11, 30, 16, tzinfo=timezone.utc)


@pytest.fixture
def items(tmp_path, address, monkeypatch):
    """Open a board in the middle of October."""
    monkeypatch.setattr(Clock, "__init__", lambda clock: setattr(clock, "now", BOUNDARY - timedelta(days=45)))
    board = ItemBoard(tmp_path, address, prizes=2)
    yield board
    board.close()


def hits(number):
    return [1] * number + [0] * (10 - number)


def fill(items):
    """Send files in October and November; return the ids by team and number of hits."""
    made = {("red", 9): items.judge_hits("red", hits(9)), ("blue", 5): items.judge_hits("blue", hits(5))}
    items.clock.now = BOUNDARY - timedelta(days=3)
    for name, number in (("red", 4), ("blue", 7), ("green", 7), ("gray", 3)):
        made[name, number] = items.judge_hits(name, hits(number))
        items.clock.advance(hours=1)
    return made


def view(items, month, viewer=None):
    return visible_month(items.opened, items.standings, "retrieval", month, viewer)


def shown(winners):
    return [(one.rank, one.prize, one.team, str(one.published)) for one in winners]


BOARD = [(1, 1, "red", "90.00"), (2, 2, "blue", "70.00"), (2, None, "green", "70.00")]
OF_MONTH = [(1, 1, "blue", "70.00"), (1, 2, "green", "70.00")]


def test_a_closed_month_has_the_board_at_its_end_and_the_best_of_the_month(items):
    fill(items)
    items.clock.now = BOUNDARY
    record = close_month(items.opened, "retrieval", NOVEMBER, actor=ADMIN)
    items.judge_hits("gray", hits(10))
    assert (record.month, record.boundary, record.evaluator) == ("2026-11", BOUNDARY, items.evaluator)
    lists = read_lists(record.rows)
    assert (lists.zone, lists.main, lists.digits, lists.prizes) == ("Asia/Shanghai", "mean_recall", 2, 2)
    assert [winner.number for winner in lists.board] == [Decimal("90.00"), Decimal("70.00"), Decimal("70.00")]
    month = view(items, NOVEMBER)
    assert (month.state, month.waiting, month.boundary, month.zone) == ("provisional", 0, BOUNDARY, "Asia/Shanghai")
    assert (shown(month.newest.board), shown(month.newest.of_month)) == (BOARD, OF_MONTH)
    assert (month.newest.revision, month.newest.final_at) == (1, BOUNDARY + timedelta(days=10))
    items.clock.now = BOUNDARY + timedelta(days=10)
    assert view(items, NOVEMBER).state == "final"


def test_a_month_that_is_not_closed_is_shown_as_it_would_be_closed_now(items):
    fill(items)
    month = view(items, NOVEMBER)
    assert (month.state, month.newest.revision, month.newest.closed_at, month.newest.sha256) == (
        "running",
        0,
        None,
        None,
    )
    preview = shown(month.newest.board), shown(month.newest.of_month)
    assert preview == (BOARD, OF_MONTH)
    items.clock.now = BOUNDARY + timedelta(hours=1)
    items.accept("red")
    ended = view(items, NOVEMBER)
    assert (ended.state, ended.waiting) == ("ended", 0)
    assert (shown(ended.newest.board), shown(ended.newest.of_month)) == preview


def test_months_close_after_their_end_and_their_last_verdict(items):
    fill(items)
    with pytest.raises(RefusalError, match="ends at 2026-12-01 00:00:00") as refusal:
        close_month(items.opened, "retrieval", NOVEMBER, actor=ADMIN)
    assert (refusal.value.code, "尚不能结算" in refusal.value.zh) == ("month_not_over", True)
    items.accept("red")
    items.clock.now = BOUNDARY
    with pytest.raises(RefusalError, match=r"pending \(1\)") as refusal:
        close_month(items.opened, "retrieval", NOVEMBER, actor=ADMIN)
    assert refusal.value.code == "month_pending"
    assert view(items, NOVEMBER).waiting == 1
    finish(items.database, claim(items.database, "worker"), NewVerdict(False, {}, {}, None, 0.1, "0.2.0"))
    close_month(items.opened, "retrieval", NOVEMBER, actor=ADMIN)
    with pytest.raises(ConflictError, match="is closed"):
        close_month(items.opened, "retrieval", NOVEMBER, actor=ADMIN)
    with pytest.raises(NotFoundError):
        close_month(items.opened, "other", NOVEMBER, actor=ADMIN)


def test_due_months_are_closed_in_turn_and_once(items):
    assert months_to_close(items.opened, "retrieval") == []
    fill(items)
    assert months_to_close(items.opened, "retrieval") == [OCTOBER]
    items.clock.now = BOUNDARY + timedelta(days=40)
    assert months_to_close(items.opened, "retrieval") == [OCTOBER, NOVEMBER, DECEMBER]
    items.accept("red")
    assert [record.month for record in close_due_months(items.opened, actor=ADMIN)] == ["2026-10", "2026-11", "2026-12"]
    assert close_due_months(items.opened, actor=ADMIN) == []
    assert months_of_task(items.opened, "retrieval") == [Month(2027, 1), DECEMBER, NOVEMBER, OCTOBER]
    assert shown(view(items, OCTOBER).newest.board) == [(1, 1, "red", "90.00"), (2, 2, "blue", "50.00")]
    # No file was sent in December, so the board stays and its own list is empty.
    december = view(items, DECEMBER).newest
    assert (shown(december.board), december.of_month) == (BOARD, ())


def test_tasks_that_are_not_registered_hold_back_no_others(items):
    fill(items)
    items.clock.now = BOUNDARY
    settings = items.opened.settings
    new = replace(settings.tasks["retrieval"], slug="new", opens=BOUNDARY - timedelta(days=100))
    opened = replace(items.opened, settings=replace(settings, tasks={"new": new, **settings.tasks}))
    assert len(months_to_close(opened, "new")) == 4
    assert [record.task for record in close_due_months(opened, actor=ADMIN)] == ["retrieval", "retrieval"]


def test_a_pending_file_holds_back_its_month_and_later_ones_only(items):
    fill(items)
    items.accept("red")
    items.clock.now = BOUNDARY + timedelta(days=40)
    assert [record.month for record in close_due_months(items.opened, actor=ADMIN)] == ["2026-10"]


def test_a_correction_leaves_out_who_was_ruled_out_and_keeps_the_first_record(items):
    made = fill(items)
    items.clock.now = BOUNDARY
    close_month(items.opened, "retrieval", NOVEMBER, actor=ADMIN)
    rule_out(items.database, made["blue", 7], reason="a copy", actor=ADMIN)
    with pytest.raises(ValueError, match="needs a reason"):
        revise_month(items.opened, "retrieval", NOVEMBER, reason=" ", actor=ADMIN)
    items.clock.advance(days=3)
    # Submissions of later months do not belong to it.
    items.judge_hits("gray", hits(10))
    revise_month(items.opened, "retrieval", NOVEMBER, reason="blue was ruled out", actor=ADMIN)
    month = view(items, NOVEMBER)
    assert [(one.revision, one.reason) for one in month.revisions] == [(2, "blue was ruled out"), (1, "")]
    assert shown(month.newest.board) == [(1, 1, "red", "90.00"), (2, 2, "green", "70.00")]
    assert shown(month.newest.of_month) == [(1, 1, "green", "70.00"), (2, 2, "red", "40.00")]
    assert (shown(month.revisions[1].board), month.newest.final_at) == (BOARD, BOUNDARY + timedelta(days=13))
    with pytest.raises(NotFoundError, match="2026-12 of the task retrieval is not closed"):
        revise_month(items.opened, "retrieval", DECEMBER, reason="x", actor=ADMIN)
    with items.database.read() as connection:
        assert verify_months(connection) == []


def test_a_correction_keeps_the_evaluator_of_the_record(items):
    fill(items)
    items.clock.now = BOUNDARY
    close_month(items.opened, "retrieval", NOVEMBER, actor=ADMIN)
    newer = items.new_evaluator("corrected gold")
    rejudge = start_rejudge(items.database, "retrieval", to_evaluator=newer, reason="gold", actor=ADMIN)
    while job := claim(items.database, "worker"):
        finish(items.database, job, NewVerdict(True, {}, {"mean_recall": 0.1}, 10.0, 0.1, "0.2.0"))
    apply_rejudge(items.database, rejudge, actor=ADMIN)
    revise_month(items.opened, "retrieval", NOVEMBER, reason="a check", actor=ADMIN)
    with items.database.read() as connection:
        first, second = month_revisions(connection, "retrieval", "2026-11")
    assert (second.rows, second.evaluator) == (first.rows, items.evaluator)


def test_names_are_those_of_today_and_not_in_the_record(items):
    fill(items)
    items.clock.now = BOUNDARY
    record = close_month(items.opened, "retrieval", NOVEMBER, actor=ADMIN)
    assert '"red"' not in json.dumps(record.rows)
    with items.database.write() as connection:
        connection.execute(update(team).where(team.c.name == "red").values(name="crimson"))
    assert view(items, NOVEMBER).newest.board[0].team == "crimson"


def test_anonymous_tasks_show_no_teams_in_records_and_previews(tmp_path, address, monkeypatch):
    monkeypatch.setattr(Clock, "__init__", lambda clock: setattr(clock, "now", BOUNDARY - timedelta(days=45)))
    board = ItemBoard(tmp_path, address, prizes=2, anonymous=True)
    fill(board)
    board.clock.now = BOUNDARY
    close_month(board.opened, "retrieval", NOVEMBER, actor=ADMIN)
    for month in (NOVEMBER, DECEMBER):
        text = json.dumps(month_json(view(board, month)))
        assert not [secret for secret in ("red", "blue", *board.teams.values()) if f'"{secret}"' in text]
    own = view(board, NOVEMBER, Viewer(frozenset([board.teams["blue"]]))).newest.board
    assert [(one.team, one.is_own) for one in own] == [(None, False), ("blue", True), (None, False)]
    assert view(board, NOVEMBER, Viewer(is_organizer=True)).newest.board[0].team == "red"
    board.close()


def test_months_that_have_not_begun_are_not_found(items):
    items.judge_hits("red", hits(5))
    for month in (NOVEMBER, Month(2026, 9), Month(1999, 1)):
        with pytest.raises(NotFoundError, match=f"there is no month {month} of the task retrieval"):
            view(items, month)
    assert view(items, OCTOBER).state == "running"


def test_json_of_a_month(items):
    fill(items)
    items.clock.now = BOUNDARY
    close_month(items.opened, "retrieval", NOVEMBER, actor=ADMIN)
    found = json.loads(json.dumps(month_json(view(items, NOVEMBER)), allow_nan=False))
    assert (found["month"], found["state"], found["boundary"]) == ("2026-11", "provisional", BOUNDARY.isoformat())
    (revision,) = found["revisions"]
    assert (revision["revision"], revision["closed_at"]) == (1, BOUNDARY.isoformat())
    first = revision["board"][0]
    assert (first["rank"], first["prize"], first["published"], first["team"]) == (1, 1, 90.0, "red")
    assert len(revision["sha256"]) == 64


# Submissions that everyone may open


class Sent(NamedTuple):
    id: str
    accepted_at: datetime


def listed(items, made, name) -> bool:
    with items.database.read() as connection:
        record = find_submission(connection, made[name])
    found = listed_submissions(items.opened, items.standings, "retrieval", [Sent(record.id, record.accepted_at)])
    assert found <= {record.id}
    return bool(found)


def test_what_a_page_of_a_month_lists_everyone_may_open(items):
    made = fill(items)
    # On the board of all time; of November alone; the third of November has no prize, but a row on its board.
    assert all(listed(items, made, name) for name in (("red", 9), ("blue", 7), ("red", 4), ("gray", 3)))
    # On the board of October alone.
    assert listed(items, made, ("blue", 5))
    worse = {("red", 1): items.judge_hits("red", hits(1))}
    assert not listed(items, worse, ("red", 1))
    failed = {"failed": items.judge("red", None)}
    assert not listed(items, failed, "failed")


def test_a_winner_of_the_end_of_a_month_stays_open_after_a_better_submission(items):
    made = fill(items)
    items.clock.now = BOUNDARY + timedelta(days=1)
    better = {("red", 10): items.judge_hits("red", hits(10)), ("blue", 10): items.judge_hits("blue", hits(10))}
    middle = {("blue", 8): items.judge_hits("blue", hits(8))}
    # Of October: before November is closed, its page says who would win.
    assert listed(items, made, ("red", 9))
    close_month(items.opened, "retrieval", OCTOBER, actor=ADMIN)
    close_month(items.opened, "retrieval", NOVEMBER, actor=ADMIN)
    assert listed(items, made, ("red", 9))
    assert all(listed(items, better, name) for name in better)
    assert not listed(items, middle, ("blue", 8))
    # Its row on the board of the month goes, and the record of the month stays.
    for name in (("red", 9), ("blue", 5), ("gray", 3)):
        withdraw(items.database, made[name], actor=ADMIN)
    assert [listed(items, made, name) for name in (("red", 9), ("blue", 5), ("gray", 3))] == [True, True, False]
    revise_month(items.opened, "retrieval", OCTOBER, reason="withdrawn", actor=ADMIN)
    # The first revision shows it still.
    assert listed(items, made, ("blue", 5))
