"""Removing what uploads that broke off left behind."""

from __future__ import annotations

from collections.abc import Collection

from muge_fast.leaderboard.blobs.interface import Sweep
from muge_fast.leaderboard.blobs.local import DAY
from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.store.submissions import recorded_blobs


def sweep_blobs(board: Board, *, older_than: float = DAY) -> Sweep:
    """Remove parts of files, and files without a row, that are old.

    Args:
        board: The board, which may run.
        older_than: Age in seconds. It must be larger than the time that an upload takes.

    Returns:
        The numbers of removed files.

    """

    def recorded(hashes: Collection[str]) -> set[str]:
        with board.database.read() as connection:
            return recorded_blobs(connection, hashes)

    return board.blobs.sweep(recorded, older_than=older_than)
