"""Storing what a scoring process returned: first the file of scores of items, then the verdict with its row."""

from __future__ import annotations

from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.store.queue import Job, finish
from muge_fast.leaderboard.worker.report_verdict import Judged


def store_verdict(board: Board, job: Job, judged: Judged) -> bool:
    """Store a verdict.

    Args:
        board: The board.
        job: The evaluation that the worker holds.
        judged: What the scoring process returned.

    Returns:
        Whether it was stored; False if another worker has taken the evaluation.

    Raises:
        OSError: The file cannot be written.
        ValueError: The verdict has a number that is not finite.

    """
    rows = None if judged.rows is None else board.blobs.put([judged.rows])
    return finish(board.database, job, judged.verdict, rows=rows)
