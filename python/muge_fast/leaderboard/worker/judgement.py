"""Judging in the calling process, without a sandbox: for tests, and for samples that are trusted."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence

from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.store.queue import RULES, QueueRules, claim, report_fault
from muge_fast.leaderboard.worker.evaluators import Scorer, prepared_scorer
from muge_fast.leaderboard.worker.faults import describe_fault
from muge_fast.leaderboard.worker.verdict_store import store_verdict

NAME = "in-process"


def judge_once(
    board: Board,
    prepared: MutableMapping[str, Scorer],
    *,
    tasks: Sequence[str] | None = None,
    rules: QueueRules = RULES,
) -> bool:
    """Judge the next evaluation of the queue, if one is due.

    Args:
        board: The board.
        prepared: Evaluators that were prepared before, by id; new ones are added.
        tasks: Judge evaluations of these tasks only.
        rules: Times and limits of the queue.

    Returns:
        Whether there was one; its verdict, or its fault, is stored.

    Raises:
        OSError: The verdict cannot be stored.

    """
    job = claim(board.database, NAME, rules=rules, tasks=tasks)
    if job is None:
        return False
    try:
        scorer = prepared_scorer(board, job.evaluator, prepared)
        with board.blobs.local(job.sha256) as path:
            judged = scorer.judge(path, sha256=job.sha256)
    except Exception as error:  # noqa: BLE001 - a fault of any kind must not end the queue
        report_fault(board.database, job, describe_fault(error), rules=rules)
        return True
    store_verdict(board, job, judged)
    return True
