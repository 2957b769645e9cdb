"""Kept standings: one query while the board stays, statistics in the background, many threads and processes."""

import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import event

from leaderboard_boards import ADMIN, make_sqlite_template
from leaderboard_items import ItemBoard, hits_with_rate
from muge_fast.leaderboard.standings import background as background_module
from muge_fast.leaderboard.standings import cache as cache_module
from muge_fast.leaderboard.standings.background import Background
from muge_fast.leaderboard.standings.cache import StandingCache
from muge_fast.leaderboard.standings.standing import COMPLETE, Window
from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.store.submissions import withdraw


@pytest.fixture
def items(tmp_path):
    path = make_sqlite_template(tmp_path).rename(tmp_path / "board.sqlite")
    board = ItemBoard(tmp_path, str(path))
    for name, rate in (("red", 0.9), ("blue", 0.6), ("green", 0.58)):
        board.judge_hits(name, hits_with_rate(rate))
    yield board
    board.close()


@pytest.fixture
def statements(items):
    """List the statements that the driver of the database runs, from SQLAlchemy or not."""
    seen = []
    engine = items.opened.database.engine
    event.listen(engine, "connect", lambda connection, _record: connection.set_trace_callback(seen.append))
    engine.dispose()
    return seen


def wait_until(holds):
    for _ in range(2000):
        if holds():
            return
        time.sleep(0.005)
    pytest.fail("not in ten seconds")


def test_a_kept_standing_takes_one_query(items, statements):
    kept = items.standings.complete("retrieval")
    statements.clear()
    assert items.standings.get("retrieval") is kept
    assert statements == ["SELECT task.board_version \nFROM task \nWHERE task.slug = 'retrieval'"]


def test_every_change_of_the_board_makes_a_new_standing(items):
    kept = items.standings.complete("retrieval")
    best = kept.rows[0].submission
    withdraw(items.database, best, actor=ADMIN)
    now = items.standings.get("retrieval")
    assert (now.version, len(now.rows), now.stage) == (kept.version + 1, 2, 0)
    withdraw(items.database, best, undo=True, actor=ADMIN)
    assert items.standings.get("retrieval").rows == kept.rows


def test_statistics_are_kept_while_the_rows_stay(items):
    kept = items.standings.complete("retrieval")
    items.judge("red", None)
    items.judge_hits("red", hits_with_rate(0.3))
    now = items.standings.get("retrieval")
    assert now.statistics is kept.statistics
    assert (now.stage, now.history, now.rows[0].submissions) == (1, None, 3)
    items.judge_hits("gray", hits_with_rate(0.1))
    assert items.standings.get("retrieval").statistics is None


def test_the_background_completes_what_was_shown(items):
    standings = StandingCache(items.opened)
    try:
        first = standings.get("retrieval")
        assert first.stage in (0, 1, 2)
        wait_until(lambda: standings.get("retrieval").stage == COMPLETE)
        assert standings.get("retrieval").statistics.rows.keys() == {row.submission for row in first.rows}
    finally:
        standings.close()


def test_a_ranking_asks_for_no_statistics(items, monkeypatch):
    asked = []
    monkeypatch.setattr(Background, "add", lambda _, key: asked.append(key))
    standings = StandingCache(items.opened)
    assert len(standings.ranking("retrieval").rows) == 3
    assert asked == []
    standings.get("retrieval")
    assert asked == [("retrieval", Window())]


def test_a_page_does_not_wait_for_statistics(items, monkeypatch):
    started, go_on = threading.Event(), threading.Event()
    compute = cache_module.standing_statistics

    def slow(*given):
        started.set()
        assert go_on.wait(10)
        return compute(*given)

    monkeypatch.setattr(cache_module, "standing_statistics", slow)
    standings = StandingCache(items.opened)
    try:
        standings.get("retrieval")
        assert started.wait(10)
        for _ in range(3):
            standing = standings.get("retrieval")
            assert (len(standing.rows), standing.stage) == (3, 0)
        go_on.set()
        wait_until(lambda: standings.get("retrieval").stage == COMPLETE)
    finally:
        go_on.set()
        standings.close()


def test_a_board_that_changes_meanwhile_is_ranked_again(items, monkeypatch):
    complete, changes = StandingCache._with_history, []

    def changing(*given):
        if len(changes) < 2:
            changes.append(items.judge_hits("red", hits_with_rate(0.9, seed=len(changes) + 5)))
        return complete(*given)

    monkeypatch.setattr(StandingCache, "_with_history", changing)
    standing = items.standings.complete("retrieval")
    assert (len(changes), standing.rows[0].submissions) == (2, 3)
    assert standing is items.standings.get("retrieval")


def test_a_board_that_always_changes_is_completed_nevertheless(items, monkeypatch):
    complete, changes = StandingCache._with_history, []

    def changing(*given):
        changes.append(items.judge("red", None))
        return complete(*given)

    monkeypatch.setattr(StandingCache, "_with_history", changing)
    assert items.standings.complete("retrieval").stage == COMPLETE
    assert len(changes) == cache_module.TRIES
    assert items.standings.get("retrieval").stage < COMPLETE


def test_threads_get_the_same_standing(items):
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: items.standings.get("retrieval"), range(64)))
    assert all(one == found[0] for one in found)
    with ThreadPoolExecutor(8) as pool:
        complete = list(pool.map(lambda _: items.standings.complete("retrieval"), range(16)))
    assert all(one is complete[0] for one in complete)


def test_few_windows_are_kept(items, monkeypatch):
    monkeypatch.setattr(cache_module, "MOST_KEPT", 3)
    for hour in range(10):
        items.standings.get("retrieval", Window(before=items.clock().replace(hour=hour)))
    assert len(items.standings._kept) == 3


def test_unknown_tasks_are_not_found(items):
    for function in (items.standings.get, items.standings.complete):
        with pytest.raises(NotFoundError, match="there is no task 'other'"):
            function("other")
    settings = items.opened.settings
    tasks = {**settings.tasks, "new": settings.tasks["retrieval"]}
    later = replace(items.opened, settings=replace(settings, tasks={**tasks, "new": replace(tasks["new"], slug="new")}))
    with pytest.raises(NotFoundError, match="there is no task 'new'"):
        StandingCache(later, in_background=False).get("new")


# The thread


def test_the_thread_works_on_each_key_once_and_survives_errors(caplog):
    done, lock = [], threading.Event()

    def work(key):
        lock.wait(5)
        done.append(key)
        if key == "bad":
            raise RuntimeError("a bad key")

    background = Background(work)
    for key in ("bad", "a", "a", "b", "a"):
        background.add(key)
    lock.set()
    wait_until(lambda: done == ["bad", "a", "b"])
    background.close()
    background.add("c")
    assert done == ["bad", "a", "b"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "a standing could not be completed: bad" in caplog.text


def test_the_thread_rests_twice_as_long_as_it_worked(monkeypatch):
    # Work that takes half a second, and work that takes a minute.
    clock, rests, done = iter([0.0, 0.5, 10.0, 70.0]), [], []

    class Recording(threading.Condition):
        def wait_for(self, predicate, timeout=None):
            if timeout is not None:
                rests.append(timeout)
                timeout = 0
            return super().wait_for(predicate, timeout)

    monkeypatch.setattr(background_module.threading, "Condition", Recording)
    monkeypatch.setattr(background_module, "now", lambda: next(clock))
    background = Background(done.append)
    background.add("a")
    background.add("b")
    wait_until(lambda: len(rests) == 2)
    assert (done, rests) == (["a", "b"], [1.0, background_module.LONGEST_REST])
    background.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_its_own_thread():
    done = threading.Event()
    background = Background(lambda _: done.set())
    background.add("parent")
    assert done.wait(5)
    done.clear()
    process = os.fork()
    if process == 0:
        done = threading.Event()
        background.add("child")
        os._exit(0 if done.wait(5) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    background.close()


def test_closing_needs_no_thread():
    Background(print).close()
