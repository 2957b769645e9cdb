"""From the settings to the database: tasks, and the evaluators that compute their scores.

An evaluator is a gold file, by its hash, with the version of this package and the options that decide a number. The
settings may change at any time; the numbers of a board change only by a rejudge set, which an organizer starts and
applies. So a changed gold file makes a draft, and the old one, which is stored like a submitted file, stays in use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from muge_fast._core import __version__
from muge_fast._internal.paths import file_sha256
from muge_fast.evaluation.submission import read_gold
from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.rules.ranking import RankingRule
from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.store.audit import Actor
from muge_fast.leaderboard.store.oversight import list_evaluators
from muge_fast.leaderboard.store.schema import OPEN_REJUDGE_STATES, rejudge
from muge_fast.leaderboard.store.schema import task as task_table
from muge_fast.leaderboard.store.submissions import add_blob
from muge_fast.leaderboard.store.tasks import (
    NewEvaluator,
    StoredEvaluator,
    active_evaluator,
    ensure_evaluator,
    save_task,
)
from muge_fast.scores import Scores, signature
from muge_fast.tasks import get

BLOCK = 1 << 20


def register_tasks(board: Board, *, actor: Actor) -> list[str]:
    """Bring the tasks of the settings into the database.

    The first evaluator of a task becomes active. If the gold file or the options were changed since, a draft is added.
    Several processes may do this at the same time.

    Args:
        board: The board.
        actor: Actor for the audit log.

    Returns:
        Notes for the organizer, one line each; empty if the database has what the settings say.

    Raises:
        GoldError: A new gold file has problems.
        RefusedError: The direction of a task was changed.
        OSError: A gold file cannot be read.

    """
    notes = []
    for slug, task in board.settings.tasks.items():
        save_task(
            board.database,
            slug,
            settings=settings_json(board, task),
            higher_is_better=task.ranking.higher_is_better,
            actor=actor,
        )
        notes += _register_evaluator(board, task, actor)
    return notes + _notes_of_lost_tasks(board)


def _register_evaluator(board: Board, task: TaskSettings, actor: Actor) -> list[str]:
    """Add the first evaluator of a task, or a draft if its properties were changed; return notes."""
    new = evaluator_of_settings(task)
    with board.database.read() as connection:
        active = active_evaluator(connection, task.slug)
    if active is None:
        add_evaluator_of_settings(board, task, new, actor=actor)
        return []
    changed = _changes(active, new)
    advice = f"preview a new evaluation with `muge-fast board rejudge start DIR {task.slug} --reason …`"
    if changed:
        draft = add_evaluator_of_settings(board, task, new, actor=actor)
        return [] if _is_computing(board, draft) else [f"{' and '.join(changed)} of {task.slug} changed: {advice}"]
    if active.package_version != new.package_version:
        versions = f"{task.slug} is scored by version {active.package_version} of muge-fast on the board, this is"
        return [f"{versions} {new.package_version}: {advice}"]
    return []


def _is_computing(board: Board, evaluator_id: str) -> bool:
    """Return whether an open rejudge set computes with an evaluator."""
    is_open = (rejudge.c.to_evaluator == evaluator_id) & rejudge.c.state.in_(OPEN_REJUDGE_STATES)
    with board.database.read() as connection:
        return connection.execute(select(rejudge.c.id).where(is_open)).first() is not None


def _changes(active: StoredEvaluator, new: NewEvaluator) -> list[str]:
    gold = ["the gold file"] if active.gold_sha256 != new.gold_sha256 else []
    return gold + (["the options"] if active.options != new.options else [])


def _notes_of_lost_tasks(board: Board) -> list[str]:
    with board.database.read() as connection:
        stored = connection.execute(select(task_table.c.slug).order_by(task_table.c.slug)).scalars().all()
    return [
        f"the database has the task {slug}, which board.toml lacks: it is hidden and takes no submissions"
        for slug in stored
        if slug not in board.settings.tasks
    ]


def evaluator_of_settings(task: TaskSettings) -> NewEvaluator:
    """Return the evaluator that the settings of a task describe now, with the gold file as it is.

    Args:
        task: Settings of the task.

    Returns:
        Its properties.

    Raises:
        OSError: The gold file cannot be read.

    """
    with task.gold.open("rb") as file:
        gold_sha256 = file_sha256(file)
    options = {
        "scorer": task.scorer,
        "main": task.main,
        "digits": task.ranking.digits,
        "options": dict(task.options),
    }
    return NewEvaluator(gold_sha256, __version__, options, _signature(task))


def _signature(task: TaskSettings) -> str:
    """Return the signature of the main score, from made-up items, or from the options if the task has no such items."""
    scorer = get(task.scorer)
    scores = scorer.check_values(task.options) if scorer.check_values is not None else None
    if isinstance(scores, Scores) and task.main in scores:
        return scores[task.main].signature
    return signature(task.main, **task.options)


def add_evaluator_of_settings(
    board: Board, task: TaskSettings, new: NewEvaluator | None = None, *, actor: Actor
) -> str:
    """Store the gold file of a task, and add its evaluator unless the task has an equal one.

    Args:
        board: The board.
        task: Settings of the task.
        new: The evaluator; None for that of the settings.
        actor: Actor for the audit log.

    Returns:
        The id of the evaluator.

    Raises:
        GoldError: The gold file has problems.
        ValueError: The gold file was changed while it was read.
        OSError: The gold file cannot be read, or not be stored.

    """
    new = new or evaluator_of_settings(task)
    with board.database.read() as connection:
        is_known = any(one.gold_sha256 == new.gold_sha256 for one in list_evaluators(connection, task.slug))
    if not is_known:
        _store_gold(board, task, new.gold_sha256)
    return ensure_evaluator(board.database, task.slug, new, actor=actor)[0]


def _store_gold(board: Board, task: TaskSettings, sha256: str) -> None:
    """Check a gold file, and store it under its hash, so that later changes of the file change no evaluator."""
    read_gold(get(task.scorer), task.gold, "en")
    stored = board.blobs.put(_chunks(task.gold))
    if stored.sha256 != sha256:
        raise ValueError(f"the gold file of {task.slug} was changed while it was read: try again")
    with board.database.write() as connection:
        add_blob(connection, stored.sha256, stored.size, board.database.now(connection))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


@contextmanager
def gold_file(board: Board, evaluator: StoredEvaluator) -> Iterator[Path]:
    """Yield the path of the gold file of an evaluator, with the bytes that the evaluator was made with.

    Args:
        board: The board.
        evaluator: The evaluator.

    Yields:
        The file in the folder of the board if it is unchanged, otherwise the stored one.

    Raises:
        FileNotFoundError: Neither has these bytes.

    """
    task = board.settings.tasks.get(evaluator.task)
    if task is not None and _has_hash(task.gold, evaluator.gold_sha256):
        yield task.gold
        return
    with board.blobs.local(evaluator.gold_sha256) as path:
        yield path


def _has_hash(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as file:
            return file_sha256(file) == sha256
    except OSError:
        return False


def scoring_of(task: TaskSettings, evaluator: StoredEvaluator) -> TaskSettings:
    """Return the settings of a task with what an evaluator fixes: scorer, main score, decimals and options.

    Args:
        task: The present settings of the task.
        evaluator: The evaluator.

    Returns:
        Settings by which the evaluator computes; its gold file is that of :func:`gold_file`.

    """
    fixed = evaluator.options
    if not isinstance(fixed, Mapping) or "scorer" not in fixed:
        return task
    main = str(fixed["main"])
    scale = get(str(fixed["scorer"])).official_value(main, 1.0)
    ranking = RankingRule(task.ranking.higher_is_better, digits=int(fixed["digits"]), scale=scale)
    options = dict(fixed["options"])
    return replace(task, scorer=str(fixed["scorer"]), main=main, options=options, ranking=ranking)


def settings_json(board: Board, task: TaskSettings) -> dict[str, Any]:
    """Return the settings of a task as JSON, with the gold file relative to the folder of the board.

    Args:
        board: The board.
        task: Settings of the task.

    Returns:
        The settings, with the zone of the board and the number of prizes.

    """
    return {
        "title": task.title,
        "title_zh": task.title_zh,
        "scorer": task.scorer,
        "gold": task.gold.relative_to(board.folder).as_posix(),
        "main": task.main,
        "options": dict(task.options),
        "ranking": vars(task.ranking),
        "limits": vars(task.limits),
        "max_bytes": task.max_bytes,
        "opens": task.opens and task.opens.isoformat(),
        "closes": task.closes and task.closes.isoformat(),
        "disclosure": vars(task.disclosure),
        "zone": board.settings.zone.key,
        "prizes": board.settings.prizes,
    }
