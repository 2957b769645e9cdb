"""Uploads and the workers of the package under random ``kill -9``, with a backup in the middle."""

import pytest

from leaderboard_kills import KillRun

KILLS = 6
PAUSE = 0.3


@pytest.fixture
def databases(request):
    """Return a function that makes empty databases."""
    if request.param == "sqlite":
        return lambda: None
    return request.getfixturevalue("postgresql_server").new_database


@pytest.mark.parametrize("databases", ["sqlite", "postgresql"], indirect=True)
def test_random_kills_of_real_workers_lose_nothing(databases, tmp_path):
    run = KillRun(tmp_path, databases(), seed=20261128)
    try:
        run.wait(lambda: run.scalar("SELECT count(*) FROM verdict") > 0)
        run.kill_many(KILLS // 2, pause=PAUSE)
        if run.database is None:
            # The script does so on both.
            assert run.back_up_and_restore(databases()) > 0
        run.kill_many(KILLS - KILLS // 2, pause=PAUSE)
        run.drain()
    finally:
        run.end()
    figures = run.check()
    assert (figures["lost"], figures["judged_twice"]) == (0, 0)
    assert figures["acknowledged"] > KILLS
    run.board.close()
