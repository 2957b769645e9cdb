"""Registration: the tasks of ``board.toml``, and evaluators that keep their gold file and their options."""

import shutil

import pytest
from sqlalchemy import select

import muge_fast as mf
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.new_board import write_settings
from muge_fast.leaderboard.registration import (
    add_evaluator_of_settings,
    evaluator_of_settings,
    gold_file,
    register_tasks,
    scoring_of,
    settings_json,
)
from muge_fast.leaderboard.samples import SAMPLES
from muge_fast.leaderboard.store.audit import Actor
from muge_fast.leaderboard.store.errors import RefusedError
from muge_fast.leaderboard.store.oversight import list_evaluators
from muge_fast.leaderboard.store.rejudge import apply_rejudge, cancel_rejudge, start_rejudge
from muge_fast.leaderboard.store.schema import blob
from muge_fast.leaderboard.store.tasks import active_evaluator, ensure_evaluator, task_settings

ACTOR = Actor("test")
QUERIES = SAMPLES / "retrieval" / "MR_sample_queries.jsonl"
ADVICE = "preview a new evaluation with `muge-fast board rejudge start DIR retrieval --reason …`"


@pytest.fixture
def folder(tmp_path, sqlite_template):
    shutil.copy(sqlite_template, tmp_path / "board.sqlite")
    write_settings(tmp_path, {"retrieval": ("retrieval", QUERIES)})
    return tmp_path


@pytest.fixture
def opened(folder):
    """Return a function that opens the board of the folder with settings that were changed."""
    boards = []

    def reopen(**replaced):
        path = folder / "board.toml"
        for old, new in replaced.values():
            path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
        boards.append(open_board(folder))
        return boards[-1]

    yield reopen
    for board in boards:
        board.close()


def evaluators(board, slug="retrieval"):
    with board.database.read() as connection:
        return list_evaluators(connection, slug)


def active(board, slug="retrieval"):
    with board.database.read() as connection:
        return active_evaluator(connection, slug)


def change_gold(folder):
    path = folder / "gold" / "retrieval.jsonl"
    path.write_text(path.read_text("utf-8").replace("10003]", "10004]"), "utf-8")


def test_the_first_evaluator_is_active_and_has_the_signature_of_the_scorer(opened):
    board = opened()
    assert register_tasks(board, actor=ACTOR) == []
    found = active(board)
    report = mf.evaluate("retrieval", QUERIES, SAMPLES / "retrieval" / "MR_sample.pred.base.jsonl")
    assert found.signature == report.scores["mean_recall"].signature
    assert found.options == {"scorer": "retrieval", "main": "mean_recall", "digits": 2, "options": {}}
    assert found.package_version == mf.__version__


def test_registering_again_changes_nothing(opened):
    board = opened()
    register_tasks(board, actor=ACTOR)
    with board.database.read() as connection:
        before = task_settings(connection, "retrieval")
    assert register_tasks(board, actor=ACTOR) == []
    assert len(evaluators(board)) == 1
    with board.database.read() as connection:
        assert task_settings(connection, "retrieval") == before


def test_settings_have_no_absolute_path(opened, folder):
    board = opened()
    stored = settings_json(board, board.settings.tasks["retrieval"])
    assert stored["gold"] == "gold/retrieval.jsonl"
    assert str(folder) not in str(stored)


def test_changed_limits_are_a_new_version_of_the_settings_and_not_an_evaluator(opened):
    register_tasks(opened(), actor=ACTOR)
    board = opened(limit=("valid_per_day = 5", "valid_per_day = 2"))
    assert register_tasks(board, actor=ACTOR) == []
    with board.database.read() as connection:
        version, stored = task_settings(connection, "retrieval")
    assert (version, stored["limits"]["valid_per_day"]) == (2, 2)
    assert len(evaluators(board)) == 1


def test_a_changed_gold_file_is_a_draft_with_a_note(opened, folder):
    board = opened()
    register_tasks(board, actor=ACTOR)
    first = active(board)
    change_gold(folder)
    for _ in range(2):  # The draft is added once.
        assert register_tasks(board, actor=ACTOR) == [f"the gold file of retrieval changed: {ADVICE}"]
        assert [one.state for one in evaluators(board)] == ["draft", "active"]
    assert active(board) == first


def test_the_old_gold_file_stays_stored_for_its_evaluator(opened, folder):
    board = opened()
    register_tasks(board, actor=ACTOR)
    old = active(board)
    with gold_file(board, old) as path:
        assert path == folder / "gold" / "retrieval.jsonl"
    change_gold(folder)
    with gold_file(board, old) as path:
        assert path.read_bytes() == QUERIES.read_bytes()
    register_tasks(board, actor=ACTOR)
    (folder / "gold" / "retrieval.jsonl").unlink()
    draft = evaluators(board)[0]
    with gold_file(board, draft) as path:
        assert path.read_bytes() != QUERIES.read_bytes()
    # A sweep keeps files that have a row.
    with board.database.read() as connection:
        assert set(connection.execute(select(blob.c.sha256)).scalars()) == {old.gold_sha256, draft.gold_sha256}


def test_changed_options_are_a_draft_and_leave_the_scoring_of_the_active_evaluator(opened):
    register_tasks(opened(), actor=ACTOR)
    board = opened(options=('gold/retrieval.jsonl"', 'gold/retrieval.jsonl"\nmain = "recall@1"\ndigits = 3'))
    assert register_tasks(board, actor=ACTOR) == [f"the options of retrieval changed: {ADVICE}"]
    draft, first = evaluators(board)
    task = board.settings.tasks["retrieval"]
    assert (task.main, task.ranking.digits) == ("recall@1", 3)
    old = scoring_of(task, first)
    assert (old.main, old.ranking.digits, old.ranking.scale) == ("mean_recall", 2, 100)
    new = scoring_of(task, draft)
    assert (new.main, new.ranking.digits) == ("recall@1", 3)
    # Limits and times are those of the present settings.
    assert old.limits == new.limits == task.limits


def test_another_version_of_the_package_is_a_note_alone(opened, monkeypatch):
    board = opened()
    register_tasks(board, actor=ACTOR)
    monkeypatch.setattr("muge_fast.leaderboard.registration.__version__", "9.9")
    note = f"retrieval is scored by version {mf.__version__} of muge-fast on the board, this is 9.9: {ADVICE}"
    assert register_tasks(board, actor=ACTOR) == [note]
    assert len(evaluators(board)) == 1
    # Unless the organizer asks for it.
    added = add_evaluator_of_settings(board, board.settings.tasks["retrieval"], actor=ACTOR)
    assert evaluators(board)[0].id == added
    assert [one.state for one in evaluators(board)] == ["draft", "active"]


def test_a_set_that_computes_with_the_draft_needs_no_note(opened, folder):
    board = opened()
    register_tasks(board, actor=ACTOR)
    change_gold(folder)
    register_tasks(board, actor=ACTOR)
    draft = evaluators(board)[0].id
    rejudge_id = start_rejudge(board.database, "retrieval", to_evaluator=draft, reason="a typing error", actor=ACTOR)
    assert register_tasks(board, actor=ACTOR) == []
    # A dropped evaluator is not used again, so an equal one is added.
    cancel_rejudge(board.database, rejudge_id, actor=ACTOR)
    assert len(register_tasks(board, actor=ACTOR)) == 1
    assert [one.state for one in evaluators(board)] == ["draft", "retired", "active"]


def test_an_evaluator_that_was_active_is_added_again_after_its_set_was_dropped(opened):
    board = opened()
    register_tasks(board, actor=ACTOR)
    task = board.settings.tasks["retrieval"]
    first, other = active(board).id, evaluator_of_settings(task)._replace(package_version="9.9")
    second, _ = ensure_evaluator(board.database, "retrieval", other, actor=ACTOR)

    def start(to_evaluator):
        return start_rejudge(board.database, "retrieval", to_evaluator=to_evaluator, reason="x", actor=ACTOR)

    apply_rejudge(board.database, start(second), actor=ACTOR)
    # Back to the first one, which is dropped; and again.
    assert add_evaluator_of_settings(board, task, actor=ACTOR) == first
    cancel_rejudge(board.database, start(first), actor=ACTOR)
    third = add_evaluator_of_settings(board, task, actor=ACTOR)
    assert third not in (first, second)
    apply_rejudge(board.database, start(third), actor=ACTOR)
    assert active(board).id == third


def test_a_task_that_left_the_settings_is_a_note(opened):
    register_tasks(opened(), actor=ACTOR)
    board = opened(name=("tasks.retrieval]", 'tasks.search]\nscorer = "retrieval"'))
    note = "the database has the task retrieval, which board.toml lacks: it is hidden and takes no submissions"
    assert register_tasks(board, actor=ACTOR) == [note]


def test_a_broken_gold_file_is_refused_before_it_is_registered(opened, folder):
    board = opened()
    path = folder / "gold" / "retrieval.jsonl"
    path.write_text(path.read_text("utf-8") + "{}\n", "utf-8")
    with pytest.raises(mf.GoldError, match="line 65"):
        register_tasks(board, actor=ACTOR)
    assert evaluators(board) == []


def test_the_direction_of_a_task_never_changes(opened, monkeypatch):
    board = opened()
    register_tasks(board, actor=ACTOR)
    task = board.settings.tasks["retrieval"]
    monkeypatch.setitem(
        board.settings.tasks,
        "retrieval",
        type(task)(**{**vars(task), "ranking": type(task.ranking)(higher_is_better=False)}),
    )
    with pytest.raises(RefusedError, match="direction"):
        register_tasks(board, actor=ACTOR)


def test_equal_evaluators_are_added_once_by_processes_at_the_same_time(opened):
    board = opened()
    register_tasks(board, actor=ACTOR)
    new = evaluator_of_settings(board.settings.tasks["retrieval"])._replace(package_version="9.9")
    first, was_added = ensure_evaluator(board.database, "retrieval", new, actor=ACTOR)
    assert was_added
    assert ensure_evaluator(board.database, "retrieval", new, actor=ACTOR) == (first, False)


@pytest.mark.parametrize("task", ["caption", "classification"])
def test_every_sample_task_is_registered(tmp_path, sqlite_template, task):
    shutil.copy(sqlite_template, tmp_path / "board.sqlite")
    name = {"caption": "IC_sample.jsonl", "classification": "CC_sample.jsonl"}[task]
    write_settings(tmp_path, {task: (task, SAMPLES / task / name)})
    board = open_board(tmp_path)
    assert register_tasks(board, actor=ACTOR) == []
    report = mf.evaluate(task, SAMPLES / task / name, SAMPLES / task / name.replace(".jsonl", ".pred.base.jsonl"))
    assert active(board, task).signature == report.scores[mf.tasks.get(task).main].signature
    board.close()
