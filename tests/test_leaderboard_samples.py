"""Sample boards, and the demo: teams and two months of submissions that are accepted, judged and ranked for real."""

import shutil
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest
from sqlalchemy import func, select, text

import muge_fast as mf
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.registration import register_tasks
from muge_fast.leaderboard.rules.ranking import published_number
from muge_fast.leaderboard.rules.settings import read_settings
from muge_fast.leaderboard.samples import EVENTS, HOST, SAMPLES, TASKS, TEAMS, fill_demo, plan, write_sample_board
from muge_fast.leaderboard.standings.month_records import months_to_close, read_lists
from muge_fast.leaderboard.store.audit import Actor, verify_audit
from muge_fast.leaderboard.store.boards import best_entries, board_entries
from muge_fast.leaderboard.store.months import closed_months, month_revisions, verify_months
from muge_fast.leaderboard.store.oversight import count_states, list_teams
from muge_fast.leaderboard.store.queue import queue_state
from muge_fast.leaderboard.store.schema import evaluation, submission

NOW = datetime(2026, 11, 28, 2, 30, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def demo(tmp_path_factory, sqlite_template):
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(sqlite_template, folder / "board.sqlite")
    write_sample_board(folder)
    board = open_board(folder)
    register_tasks(board, actor=Actor("test"))
    fill_demo(board, now=NOW)
    yield board
    board.close()


@pytest.fixture
def connection(demo):
    with demo.database.read() as connection:
        yield connection


def submissions(connection):
    return connection.execute(select(submission).order_by(submission.c.accepted_at)).all()


def test_the_sample_board_has_the_sample_tasks(tmp_path):
    write_sample_board(tmp_path, quota=0, languages=["en"], zone="Europe/Berlin")
    settings = read_settings(tmp_path)
    assert (settings.languages, settings.zone.key) == (("en",), "Europe/Berlin")
    for slug, sample in TASKS.items():
        task = settings.tasks[slug]
        assert task.gold.read_bytes() == (SAMPLES / slug / sample.gold).read_bytes()
        assert (task.scorer, task.limits.valid_per_day, task.limits.all_per_day) == (slug, 0, 0)


def test_twenty_teams_and_the_host_send_files_in_two_months(connection):
    teams = list_teams(connection)
    assert {team.name for team in teams} == {*TEAMS, HOST}
    assert len(TEAMS) == 20
    assert [team.name for team in teams if team.host] == [HOST]
    assert min(team.submissions for team in teams) >= 2
    rows = submissions(connection)
    assert 100 < len(rows) < 250
    assert timedelta(days=45) < rows[-1].accepted_at - rows[0].accepted_at < timedelta(days=92)
    assert rows[-1].accepted_at <= NOW


def test_every_file_has_its_verdict(connection):
    assert queue_state(connection)[:3] == (0, 0, 0)
    states = count_states(connection)
    broken = [key for key, event in EVENTS.items() if event == "broken"]
    assert states == {"scored": len(submissions(connection)) - len(broken), "invalid": len(broken)}


def test_the_numbers_are_those_of_the_files(demo, connection):
    for slug, task in demo.settings.tasks.items():
        entry = best_entries(connection, slug)[0]
        with demo.blobs.local(entry.sha256) as path:
            report = mf.evaluate(slug, task.gold, path)
        assert entry.scores[task.main] == report.scores[task.main].value
        assert entry.published == float(published_number(report.scores[task.main].value, task.ranking))


def test_something_of_everything_happens(connection):
    rows = submissions(connection)
    assert sum(row.withdrawn_at is not None for row in rows) == 2
    assert [row.ruled_out_reason is not None for row in rows].count(True) == 1
    waived = connection.execute(select(evaluation).where(evaluation.c.waived)).all()
    assert [(row.state, row.attempt) for row in waived] == [("scored", 4)]
    # Equal numbers share a rank, and an equal file is noticed.
    published = [entry.published for entry in best_entries(connection, "classification")]
    assert len(set(published)) < len(published)
    hashes = [row.blob for row in rows]
    assert len(set(hashes)) < len(hashes)
    baselines = {entry.method for entry in board_entries(connection, "caption") if entry.host}
    assert baselines == {"template", "base"}
    assert any(row.links for row in rows)


def test_months_that_have_ended_are_closed(demo, connection):
    for slug in demo.settings.tasks:
        assert closed_months(connection, slug) == ["2026-10"]
        assert [str(month) for month in months_to_close(demo, slug)] == []
        (record,) = month_revisions(connection, slug, "2026-10")
        lists = read_lists(record.rows)
        assert [winner.prize for winner in lists.board][:8] == list(range(1, 9))
        assert record.closed_at < datetime(2026, 11, 2, tzinfo=timezone.utc)
    assert verify_months(connection) == []


def test_the_audit_log_is_a_chain(demo):
    assert verify_audit(demo.database) == []


def test_the_database_is_synchronized_again(demo, connection):
    # 2 is FULL.
    assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
    assert demo.blobs.synchronized
    assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    count = connection.execute(select(func.count(submission.c.blob.distinct()))).scalar()
    assert count <= sum(1 for _ in demo.blobs.hashes())


@pytest.mark.parametrize("now", [datetime(2026, 12, 1, 0, 5, tzinfo=timezone.utc), NOW, NOW.replace(month=3, day=14)])
def test_the_plan_depends_on_the_day_alone(now):
    begins = now - timedelta(days=60)
    planned = plan(begins, now)
    assert planned == plan(begins, now)
    assert all(one.at < now for one in planned)
    by_team = {}
    for one in planned:
        by_team.setdefault((one.task, one.team), []).append(one.at)
    for (_, team), times in by_team.items():
        if team != HOST:
            # So a quota of one file a day is enough.
            assert min((b - a for a, b in pairwise(times)), default=timedelta(9)) >= timedelta(days=2)
    assert {event for one in planned if (event := one.event)} == {"broken", "withdrawn", "ruled out", "fault"}


def test_a_demo_on_postgresql(tmp_path, postgresql_server):
    write_sample_board(tmp_path, quota=2)
    board = open_board(tmp_path, database=postgresql_server.new_database(), create=True)
    register_tasks(board, actor=Actor("test"))
    fill_demo(board)
    with board.database.read() as connection:
        assert queue_state(connection)[:3] == (0, 0, 0)
        assert len(best_entries(connection, "retrieval")) == 21
        # Real submissions that follow are later.
        newest = connection.execute(select(func.max(submission.c.accepted_at))).scalar()
        assert newest < board.database.now(connection)
    board.close()
