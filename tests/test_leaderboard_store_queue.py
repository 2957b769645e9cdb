"""The queue: order of claims, leases, fences, faults, and workers at the same time."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from leaderboard_boards import ADMIN, INVALID, START, digest, valid
from muge_fast.leaderboard.blobs.interface import StoredBlob
from muge_fast.leaderboard.store.errors import NotFoundError, RefusedError
from muge_fast.leaderboard.store.queue import (
    LEASE_IS_OVER,
    WORKER_ENDED,
    QueueRules,
    cancel,
    claim,
    end_leases,
    finish,
    is_due,
    place_in_queue,
    queue_state,
    release,
    renew,
    report_fault,
    requeue,
)
from muge_fast.leaderboard.store.verdicts import evaluations_of


def evaluation(board, submission: str):
    with board.database.read() as connection:
        return evaluations_of(connection, submission)[0]


def test_an_empty_queue_has_nothing(board):
    assert claim(board.database, "worker") is None


def test_a_verdict_is_stored_with_its_state(board):
    accepted = board.accept(content="file")
    job = claim(board.database, "worker")
    assert (job.submission, job.attempt, job.task, job.team) == (
        accepted.submission,
        1,
        "retrieval",
        board.teams["red"],
    )
    assert job.lease_until == START + timedelta(seconds=60)
    assert claim(board.database, "other") is None
    assert finish(board.database, job, valid(81.25))
    found = evaluation(board, accepted.submission)
    assert (found.state, found.ok, found.published, found.scores) == ("scored", True, 81.25, {"mean_recall": 81.251})
    assert not finish(board.database, job, valid())


def test_an_invalid_file_is_judged_too(board):
    accepted = board.accept()
    assert finish(board.database, claim(board.database, "worker"), INVALID)
    found = evaluation(board, accepted.submission)
    assert (found.state, found.ok, found.published, found.report) == ("invalid", False, None, {"errors": ["line 1"]})


def test_teams_with_nothing_running_come_first_then_age(board):
    red = [board.accept("red").submission for _ in range(3)]
    board.clock.advance(seconds=1)
    blue = [board.accept("blue").submission for _ in range(2)]
    taken = [claim(board.database, "worker") for _ in range(3)]
    assert [job.submission for job in taken] == [red[0], blue[0], red[1]]
    finish(board.database, taken[1], valid())
    assert claim(board.database, "worker").submission == blue[1]
    assert claim(board.database, "worker").submission == red[2]


def test_priority_comes_before_age(board):
    first, second = board.accept().submission, board.accept().submission
    with board.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE evaluation SET priority = 1 WHERE submission = '{second}'")
    assert [claim(board.database, "worker").submission for _ in range(2)] == [second, first]


def test_workers_of_other_tasks_leave_it(board):
    board.accept()
    assert claim(board.database, "worker", tasks=["t2i"]) is None
    assert claim(board.database, "worker", tasks=["t2i", "retrieval"]) is not None


def test_a_renewed_lease_is_kept(board):
    board.accept()
    job = claim(board.database, "worker")
    board.clock.advance(seconds=50)
    renewed = renew(board.database, job)
    assert renewed.lease_until == START + timedelta(seconds=110)
    board.clock.advance(seconds=50)
    assert claim(board.database, "other") is None


def test_a_lease_that_is_over_lets_another_worker_in_and_fences_the_first(board):
    accepted = board.accept()
    slow = claim(board.database, "slow")
    board.clock.advance(seconds=61)
    fast = claim(board.database, "fast")
    assert (fast.evaluation, fast.attempt) == (slow.evaluation, 2)
    assert evaluation(board, accepted.submission).fault == LEASE_IS_OVER
    assert renew(board.database, slow) is None
    assert not release(board.database, slow)
    assert report_fault(board.database, slow, "late") is None
    assert not finish(board.database, slow, valid(1.0))
    assert finish(board.database, fast, valid(2.0))
    assert evaluation(board, accepted.submission).published == 2.0
    assert board.scalar("SELECT count(*) FROM verdict") == 1


def test_a_late_worker_that_no_one_replaced_may_finish(board):
    board.accept()
    job = claim(board.database, "slow")
    board.clock.advance(hours=1)
    assert finish(board.database, job, valid())


def test_faults_wait_longer_each_time_and_the_third_is_the_last(board):
    accepted = board.accept()
    for wait, state in ((5, "queued"), (30, "queued"), (None, "faulted")):
        job = claim(board.database, "worker")
        assert report_fault(board.database, job, "no memory" * 1000) == state
        assert claim(board.database, "worker") is None
        if wait:
            board.clock.advance(seconds=wait - 0.001)
            assert claim(board.database, "worker") is None
            board.clock.advance(seconds=0.001)
    found = evaluation(board, accepted.submission)
    assert (found.state, found.attempt, len(found.fault)) == ("faulted", 3, 2000)
    board.clock.advance(days=1)
    assert claim(board.database, "worker") is None


def test_a_file_that_kills_its_worker_each_time_is_faulted(board):
    accepted = board.accept()
    for _ in range(3):
        assert claim(board.database, "worker") is not None
        board.clock.advance(minutes=2)
    other = board.accept("blue")
    assert claim(board.database, "worker").submission == other.submission
    assert evaluation(board, accepted.submission).state == "faulted"


def test_a_clock_that_steps_back_stops_no_queue(board):
    """What waits until a time of the old clock is due, and a lease of the old clock ends."""
    board.accept()
    board.clock.advance(hours=-30)
    job = claim(board.database, "worker")
    assert job.submission is not None
    assert claim(board.database, "other") is None
    board.clock.advance(hours=-30)
    assert claim(board.database, "other").attempt == 2
    assert not finish(board.database, job, valid())


def test_a_look_at_the_queue_finds_what_a_claim_would(board):
    assert not is_due(board.database)
    board.accept()
    assert is_due(board.database)
    assert is_due(board.database, tasks=["retrieval"])
    assert not is_due(board.database, tasks=["caption"])
    job = claim(board.database, "worker")
    assert not is_due(board.database)
    # A lease that is over is seen in whatever task it is, since any claim ends it.
    board.clock.advance(seconds=61)
    assert is_due(board.database, tasks=["caption"])
    assert finish(board.database, job, valid())
    assert not is_due(board.database)


def test_work_of_a_lost_worker_is_freed_before_its_lease_ends(board):
    lost, kept = board.accept("red").submission, board.accept("blue").submission
    first, second = claim(board.database, "lost"), claim(board.database, "kept")
    assert (first.submission, second.submission) == (lost, kept)
    assert end_leases(board.database, lambda name: name == "lost") == 1
    assert end_leases(board.database, lambda name: name == "lost") == 0
    found = evaluation(board, lost)
    assert (found.state, found.attempt, found.fault) == ("queued", 1, WORKER_ENDED)
    assert not finish(board.database, first, valid())
    assert finish(board.database, second, valid())
    for _ in range(2):
        assert claim(board.database, "lost").submission == lost
        end_leases(board.database, lambda _: True)
    assert evaluation(board, lost).state == "faulted"


def test_a_file_of_item_scores_has_its_row_with_the_verdict(board):
    board.accept()
    job = claim(board.database, "worker")
    rows = StoredBlob(digest("rows"), 7)
    assert finish(board.database, job, valid(), rows=rows)
    assert board.scalar("SELECT rows_blob FROM verdict") == rows.sha256
    assert board.scalar("SELECT size FROM blob WHERE sha256 = :sha256", sha256=rows.sha256) == 7


def test_a_released_evaluation_has_no_fault(board):
    accepted = board.accept()
    for attempt in range(1, 6):
        job = claim(board.database, "worker")
        assert job.attempt == attempt
        assert release(board.database, job)
    assert evaluation(board, accepted.submission).state == "queued"


def test_organizers_try_faulted_evaluations_again(board):
    accepted = board.accept()
    job = claim(board.database, "worker")
    with pytest.raises(RefusedError, match="is running"):
        requeue(board.database, job.evaluation, actor=ADMIN)
    report_fault(board.database, job, "no memory", rules=QueueRules(tries=1))
    requeue(board.database, job.evaluation, actor=ADMIN)
    again = claim(board.database, "worker")
    assert (again.evaluation, again.attempt) == (job.evaluation, 2)
    assert finish(board.database, again, valid())
    assert evaluation(board, accepted.submission).state == "scored"
    with pytest.raises(NotFoundError):
        requeue(board.database, "other", actor=ADMIN)


def test_only_what_waits_can_be_cancelled(board):
    waits, runs = board.accept("blue"), board.accept("red")
    job = claim(board.database, "worker")
    assert job.submission == waits.submission
    assert not cancel(board.database, waits.submission, actor=ADMIN)
    assert cancel(board.database, runs.submission, actor=ADMIN)
    assert not cancel(board.database, runs.submission, actor=ADMIN)
    assert claim(board.database, "worker") is None
    assert evaluation(board, runs.submission).state == "cancelled"


def test_the_queue_is_shown(board):
    first, second = board.accept(), board.accept()
    board.clock.advance(seconds=1)
    third = board.accept("blue")
    with board.database.read() as connection:
        ids = (first.submission, second.submission, third.submission)
        assert [place_in_queue(connection, one) for one in ids] == [0, 1, 2]
    job = claim(board.database, "worker")
    with board.database.read() as connection:
        assert queue_state(connection) == (2, 1, 0, START)
        assert place_in_queue(connection, first.submission) is None
        assert place_in_queue(connection, second.submission) == 1
    report_fault(board.database, job, "no memory", rules=QueueRules(tries=1))
    with board.database.read() as connection:
        assert queue_state(connection)[:3] == (2, 0, 1)


def test_many_workers_never_hold_one_evaluation(board):
    for number in range(40):
        board.accept(("red", "blue")[number % 2])

    def work(worker: int) -> list[str]:
        done = []
        while job := claim(board.database, f"worker-{worker}"):
            done.append(job.evaluation)
            assert finish(board.database, job, valid())
        return done

    with ThreadPoolExecutor(16) as pool:
        done = Counter(one for part in pool.map(work, range(16)) for one in part)
    # A worker may find all rows locked and stop early; the rows are those of others then.
    while job := claim(board.database, "last"):
        done[job.evaluation] += 1
        assert finish(board.database, job, valid())
    assert sorted(done.values()) == [1] * 40
    assert board.scalar("SELECT count(*) FROM verdict") == 40
    assert board.scalar("SELECT max(attempt) FROM evaluation") == 1


def test_many_finishes_of_one_attempt_store_one_verdict(board):
    board.accept()
    job = claim(board.database, "worker")
    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(lambda number: finish(board.database, job, valid(float(number))), range(16))) == 1
    assert board.scalar("SELECT count(*) FROM verdict") == 1
