"""Evaluators, prepared once: the gold file is read, and references are tokenized and counted."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple

from muge_fast.datasets.limits import Limits
from muge_fast.evaluation.prepared import PreparedEvaluation, prepare
from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.registration import gold_file, scoring_of
from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.store.tasks import StoredEvaluator, find_evaluator
from muge_fast.leaderboard.worker.report_verdict import Judged, judge_report
from muge_fast.tasks import get

# Options that are paths, in the folder of the board.
PATHS = frozenset({"pool", "texts", "user_dict", "weights", "clip", "image_features", "text_features"})


class WrongGoldError(ValueError):
    """Raised for a gold file that is not that of an evaluator."""


class DamagedFileError(Exception):
    """Raised for a stored file that has other bytes than those that were accepted."""


class Scorer(NamedTuple):
    """A prepared evaluator.

    Attributes:
        task: Settings of the task by which it scores.
        prepared: The gold file and the options, prepared.
        options: Options of the scorer, with the paths of files.

    """

    task: TaskSettings
    prepared: PreparedEvaluation
    options: Mapping[str, Any]

    def judge(self, path: Path, *, sha256: str) -> Judged:
        """Score a file.

        Args:
            path: The file, which is untrusted.
            sha256: Its hash, as it was when it was accepted.

        Returns:
            Its verdict.

        Raises:
            DamagedFileError: The file has other bytes.
            OSError: The file cannot be read.
            ValueError: The scorer has a fault.

        """
        report = self.prepared.evaluate(path)
        read = report.files.get("submission")
        if read is not None and read.sha256 != sha256:
            raise DamagedFileError
        return judge_report(report, self.task)


def scoring_settings(board: Board, evaluator_id: str) -> tuple[TaskSettings, StoredEvaluator]:
    """Return the settings by which an evaluator scores.

    Args:
        board: The board.
        evaluator_id: The evaluator.

    Returns:
        The settings, and the evaluator.

    Raises:
        NotFoundError: There is no such evaluator, or ``board.toml`` lacks its task.

    """
    with board.database.read() as connection:
        evaluator = find_evaluator(connection, evaluator_id)
    task = board.settings.tasks.get(evaluator.task)
    if task is None:
        raise NotFoundError(f"board.toml has no task {evaluator.task!r}")
    return scoring_of(task, evaluator), evaluator


def prepare_scorer(task: TaskSettings, gold: Path, gold_sha256: str, folder: Path) -> Scorer:
    """Prepare the gold file and the options of an evaluator.

    Args:
        task: Settings of the task by which it scores.
        gold: The gold file.
        gold_sha256: Its hash by the evaluator.
        folder: Folder of the board, to which paths of options are relative.

    Returns:
        The evaluator, prepared.

    Raises:
        WrongGoldError: The gold file has other bytes.
        GoldError: The gold file has problems.
        OSError: A file cannot be read.
        ImportError: The task needs a package that is not installed.

    """
    options = options_of(task, folder)
    prepared = prepare(get(task.scorer), gold, limits=Limits(file_bytes=task.max_bytes), **options)
    if prepared.gold_sha256 != gold_sha256:
        raise WrongGoldError(f"the gold file of {task.slug} is not that of the evaluator")
    # Here, and not in the process of each invalid submission.
    prepared.read_as_published()
    return Scorer(task, prepared, options)


def options_of(task: TaskSettings, folder: Path) -> dict[str, Any]:
    """Return the options of the scorer, with paths in the folder of the board.

    Args:
        task: Settings of the task.
        folder: Folder of the board.

    Returns:
        The options. A text is a path if the folder has a file of this name.

    """
    options: Mapping[str, Any] = task.options
    found = {}
    for name, value in options.items():
        is_file = name in PATHS and isinstance(value, str) and (folder / value).exists()
        found[name] = folder / value if is_file else value
    return found


def prepared_scorer(board: Board, evaluator_id: str, prepared: MutableMapping[str, Scorer]) -> Scorer:
    """Return an evaluator, and prepare it if it is new.

    Args:
        board: The board.
        evaluator_id: The evaluator.
        prepared: Evaluators that were prepared before, by id; a new one is added.

    Returns:
        The evaluator, prepared.

    Raises:
        NotFoundError: There is no such evaluator, or ``board.toml`` lacks its task.
        OSError: The gold file cannot be read.
        ValueError: The gold file cannot be used.

    """
    if evaluator_id not in prepared:
        task, evaluator = scoring_settings(board, evaluator_id)
        with gold_file(board, evaluator) as gold:
            prepared[evaluator_id] = prepare_scorer(task, gold, evaluator.gold_sha256, board.folder)
    return prepared[evaluator_id]
