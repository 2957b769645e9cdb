"""Workers: verdicts of files, faults, leases, and the closing of months."""

import json
import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

import muge_fast as mf
from leaderboard_boards import Clock
from leaderboard_trial_task import NAME
from leaderboard_workers import GOLD, SECRET, VALID, WorkerBoard, row, trial_board
from muge_fast.leaderboard.standings.item_rows import read_item_rows
from muge_fast.leaderboard.store.months import closed_months
from muge_fast.leaderboard.store.queue import WORKER_ENDED, QueueRules, claim, end_leases
from muge_fast.leaderboard.worker.judgement import judge_once
from muge_fast.leaderboard.worker.worker_names import is_lost, worker_name

AT_ONCE = QueueRules(backoff=(timedelta(0),))
ONE_TRY = QueueRules(tries=1)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Return a board with the sample tasks."""
    made = WorkerBoard(tmp_path_factory.mktemp("samples") / "board")
    yield made
    made.board.close()


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Return a board with the sample tasks and a worker."""
    made = WorkerBoard(tmp_path_factory.mktemp("judged") / "board")
    with made.worker(rules=AT_ONCE):
        yield made
    made.board.close()


@pytest.mark.parametrize("task", GOLD)
def test_verdicts_have_the_scores_of_evaluate(judged, task):
    found = judged.wait(judged.send(task, VALID[task]))
    report = mf.evaluate(task, GOLD[task], VALID[task])
    assert (found.state, found.ok, found.attempt, found.fault) == ("scored", True, 1, None)
    assert found.scores == {name: score.value for name, score in report.scores.items()}
    assert found.published == round(report.official()["score"], 2)
    with judged.board.blobs.local(found.rows_blob) as rows:
        stored = read_item_rows(rows.read_bytes())
    main = report.scores[report.task.main]
    assert stored.value == main.value
    assert stored.samples[0].tobytes() == main.influence[0].tobytes()


def test_errors_are_those_of_check_in_both_languages(judged, tmp_path):
    content = b'{"image_id": "x", "text": 5}\n{"image_id": 7}\n' + b"{]\n" * 20
    path = tmp_path / "pred.jsonl"
    path.write_bytes(content)
    found = judged.wait(judged.send("caption", content))
    assert (found.state, found.ok, found.published, found.scores) == ("invalid", False, None, {})
    for lang in ("en", "zh"):
        report = mf.evaluate("caption", GOLD["caption"], path, lang=lang)
        assert [problem[f"message_{lang}"] for problem in found.report["problems"]] == report.errors
    assert found.report["problem_count"] == report.problem_count
    assert sum(problem["count"] for problem in found.report["problems"]) == report.problem_count
    assert not found.report["is_cut"]
    first = found.report["problems"][0]
    assert (first["line"], first["field"], first["excerpt"]) == (1, "text", '{"image_id": "x", "text": 5}')


def test_pages_and_reports_have_no_references_and_no_scores_of_items(tmp_path):
    rows = [{"image_id": f"item-{number}", "text": [f"{SECRET} 第 {number} 条"]} for number in range(30)]
    gold = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    made = WorkerBoard(tmp_path / "board", gold={"caption": gold})
    guess = {row["image_id"]: f"红裙 {number}" for number, row in enumerate(rows)}
    content = "\n".join(json.dumps({"image_id": key, "text": value}) for key, value in guess.items()).encode()
    prepared = {}
    submission = made.send("caption", content)
    assert judge_once(made.board, prepared)
    assert not judge_once(made.board, prepared)
    found = made.verdict(submission)
    stored = json.dumps(found.report, ensure_ascii=False)
    assert found.ok
    assert SECRET not in stored
    assert "item-7" not in stored
    assert set(found.report["page"]) == {"en", "zh"}
    for page in found.report["page"].values():
        assert page.startswith("<!doctype html>")
        assert "<script" not in page
    made.board.close()


def test_a_report_of_many_errors_fits_the_column(samples):
    # Every id is unknown, long, and full of characters that JSON escapes.
    row = '{{"image_id": "{}-{}", "text": 7, "{}": 1}}'
    content = "\n".join(row.format('\\u0001\\"' * 300, number, "列" * 200) for number in range(3000)).encode()
    submission = samples.send("caption", content)
    assert judge_once(samples.board, {})
    found = samples.verdict(submission)
    assert found.state == "invalid"
    assert found.report["problem_count"] > 100
    assert found.report["problems"]


def test_ids_without_a_code_point_are_stored(samples):
    content = b'{"image_id": "\\ud800", "text": "a"}\n{"image_id": "\\u0000", "text": 3}'
    submission = samples.send("caption", content)
    assert judge_once(samples.board, {})
    assert samples.verdict(submission).state == "invalid"


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """Return a board with a task whose scorer does what a submission says."""
    with trial_board(tmp_path_factory.mktemp) as made:
        yield made


# Leases and processes


def test_a_worker_that_is_stopped_returns_what_it_holds(trial):
    submission = trial.send(NAME, row("sleep 20"))
    with trial.worker():
        trial.wait(submission, states=("running",))
        time.sleep(0.2)
    found = trial.verdict(submission)
    assert (found.state, found.fault) == ("queued", None)
    cancel(trial, submission)


def cancel(made, submission):
    with made.board.database.write() as connection:
        statement = "UPDATE evaluation SET state = 'cancelled', finished_at = created_at WHERE submission = :id"
        connection.execute(text(statement), {"id": submission})


def test_a_process_that_is_killed_is_started_again(judged):
    judged.wait(judged.send("caption", VALID["caption"]))
    killed = scoring_processes()
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert judged.wait(judged.send("caption", VALID["caption"])).state == "scored"


def scoring_processes() -> list[int]:
    """Return the ids of the scoring processes of this process, which may have other children, such as trackers."""
    ids = [int(number) for path in Path("/proc/self/task").glob("*/children") for number in path.read_text().split()]
    return [pid for pid in ids if b"scoring_process" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_lease_that_another_worker_has_ends_the_scoring(trial):
    rules = QueueRules(lease=timedelta(seconds=0.4), backoff=(timedelta(0),))
    submission = trial.send(NAME, row("sleep 1.5"))
    with trial.worker(rules=rules):
        trial.wait(submission, states=("running",))
        with trial.board.database.write() as connection:
            statement = "UPDATE evaluation SET attempt = attempt + 1 WHERE submission = :id AND state = 'running'"
            connection.execute(text(statement), {"id": submission})
        found = trial.wait(submission)
    # The second worker does not exist, so its lease ends, and the file is scored again.
    assert (found.state, found.attempt, found.published) == ("scored", 3, 100.0)


def test_leases_of_long_files_are_renewed(trial):
    rules = QueueRules(lease=timedelta(seconds=0.5), backoff=(timedelta(0),))
    with trial.worker(rules=rules):
        found = trial.wait(trial.send(NAME, row("sleep 1.5")))
    assert (found.state, found.attempt) == ("scored", 1)


def test_the_work_of_a_lost_worker_is_taken_at_once(samples):
    submission = samples.send("classification", VALID["classification"])
    machine = worker_name("1").split("/")
    lost = "/".join([*machine[:2], "4194304", "1", "1"])
    assert is_lost(lost)
    assert not is_lost(worker_name("1"))
    assert not is_lost("/".join(["elsewhere", *machine[1:]]))
    assert claim(samples.board.database, lost).submission == submission
    assert end_leases(samples.board.database, is_lost) == 1
    assert judge_once(samples.board, {})
    found = samples.verdict(submission)
    assert (found.state, found.attempt, found.fault) == ("scored", 2, WORKER_ENDED)


def test_a_changed_stored_file_is_a_fault(samples):
    submission = samples.send("classification", b'{"image_id": "a", "label": "x"}')
    with samples.board.database.read() as connection:
        statement = text("SELECT blob FROM submission WHERE id = :id")
        sha256 = connection.execute(statement, {"id": submission}).scalar_one()
    samples.board.blobs.path(sha256).write_bytes(b"")
    assert judge_once(samples.board, {}, rules=ONE_TRY)
    found = samples.verdict(submission)
    assert (found.state, "DamagedFileError" in found.fault) == ("faulted", True)


def test_a_changed_gold_file_changes_no_verdict(tmp_path):
    made = WorkerBoard(tmp_path / "board")
    (made.folder / "gold" / "caption.jsonl").write_bytes(b'{"image_id": "a", "text": ["x"]}')
    submission = made.send("caption", VALID["caption"])
    assert judge_once(made.board, {})
    assert made.verdict(submission).published == 91.64
    made.board.close()


def test_workers_share_the_queue_and_close_months(tmp_path):
    clock = Clock()
    gold = {"classification": GOLD["classification"]}
    made = WorkerBoard(tmp_path / "board", gold=gold, clock=clock)
    sent = [made.send("classification", VALID["classification"]) for _ in range(20)]
    with made.worker(slots=2), made.worker():
        assert {made.wait(submission).attempt for submission in sent} == {1}
    clock.advance(days=30)
    with made.worker():
        for _ in range(200):
            if closed(made):
                break
            time.sleep(0.05)
    assert closed(made) == ["2026-11"]
    made.board.close()


def closed(made):
    with made.board.database.read() as connection:
        return closed_months(connection, "classification")
