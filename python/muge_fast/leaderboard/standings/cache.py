"""Standings that are kept until the board changes, and completed in the background."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace

from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.standings.background import Background
from muge_fast.leaderboard.standings.history import Confirmations, standing_history
from muge_fast.leaderboard.standings.ranked import ranked_standing
from muge_fast.leaderboard.standings.resampled import ResampledScores
from muge_fast.leaderboard.standings.standing import ALL_TIME, COMPLETE, Standing, Window
from muge_fast.leaderboard.standings.statistics import standing_statistics
from muge_fast.leaderboard.store.boards import board_version, present_version

MOST_KEPT = 64
"""Standings that are kept: three tasks with their months of a year."""

TRIES = 5
"""Rankings that are completed until one is of a board that has not changed meanwhile."""

Key = tuple[str, Window]


class StandingCache:
    """Standings of a board. Threads may use one object at the same time.

    Args:
        board: The board.
        in_background: Whether a thread completes the standings that :meth:`get` has returned without statistics.

    """

    def __init__(self, board: Board, *, in_background: bool = True) -> None:
        self._board = board
        self._kept: OrderedDict[Key, Standing] = OrderedDict()
        self._lock = threading.Lock()
        self._ranking = threading.Lock()
        self._completing = threading.Lock()
        self._resampled = ResampledScores(board.blobs)
        self._confirmations = Confirmations(board.blobs)
        self._background = Background(self._complete) if in_background else None

    def get(self, slug: str, window: Window = ALL_TIME) -> Standing:
        """Return the standing of a task now, with statistics and history if they are ready.

        This takes one query for the version of the board, and the time of a ranking if the board has changed.

        Args:
            slug: The task.
            window: The submissions that count.

        Returns:
            The standing.

        Raises:
            NotFoundError: There is no such task.

        """
        standing = self._current((slug, window))
        if standing.stage < COMPLETE and self._background is not None:
            self._background.add((slug, window))
        return standing

    def ranking(self, slug: str, window: Window = ALL_TIME) -> Standing:
        """Return the standing of a task now, without asking for statistics that are not there.

        Args:
            slug: The task.
            window: The submissions that count.

        Returns:
            The standing.

        Raises:
            NotFoundError: There is no such task.

        """
        return self._current((slug, window))

    def complete(self, slug: str, window: Window = ALL_TIME) -> Standing:
        """Return the standing of a task with statistics and history, which are computed now if they are missing.

        Args:
            slug: The task.
            window: The submissions that count.

        Returns:
            The standing.

        Raises:
            NotFoundError: There is no such task.

        """
        return self._complete((slug, window))

    def close(self) -> None:
        """Stop the thread in the background, after the computation that it is in."""
        if self._background is not None:
            self._background.close()

    def _current(self, key: Key) -> Standing:
        """Return the kept standing if it is that of the board's version, or rank again."""
        slug, window = key
        task = self._board.task(slug)
        if kept := self._find(key):
            return kept
        # When the board changes, one thread ranks, and others wait for it.
        with self._ranking:
            if kept := self._find(key):
                return kept
            with self._board.database.snapshot() as connection:
                ranked = ranked_standing(connection, task, prizes=self._board.settings.prizes, window=window)
            return self._keep(key, ranked)

    def _find(self, key: Key) -> Standing | None:
        """Return the kept standing if it is that of the board's version."""
        version = present_version(self._board.database, key[0])
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.version != version:
                return None
            self._kept.move_to_end(key)
            return kept

    def _keep(self, key: Key, standing: Standing) -> Standing:
        """Keep a standing unless a newer one, or a more complete one of its version, is there; return what is kept."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and (kept.version, kept.stage) >= (standing.version, standing.stage):
                return kept
            if kept is not None and standing.statistics is None and _same_rows(kept, standing):
                standing = replace(standing, statistics=kept.statistics)
            self._kept[key] = standing
            self._kept.move_to_end(key)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return standing

    def _complete(self, key: Key) -> Standing:
        """Return a standing with statistics and history, and keep it."""
        # One at a time: what is resampled for one standing serves others.
        with self._completing:
            for _ in range(TRIES):
                standing = self._current(key)
                if standing.statistics is None:
                    found = standing_statistics(standing, self._resampled)
                    standing = self._keep(key, replace(standing, statistics=found))
                if standing.history is None:
                    standing = self._with_history(key, standing)
                if standing.stage == COMPLETE:
                    return standing
        # The board changes all the time, so this one is a little older.
        found = standing_statistics(standing, self._resampled)
        with self._board.database.read() as connection:
            history = standing_history(connection, standing, self._confirmations)
        return replace(standing, statistics=found, history=history)

    def _with_history(self, key: Key, standing: Standing) -> Standing:
        """Add the history, unless the board has changed since the ranking."""
        with self._board.database.snapshot() as connection:
            if board_version(connection, standing.task) != standing.version:
                return standing
            history = standing_history(connection, standing, self._confirmations)
        return self._keep(key, replace(standing, history=history))


def _same_rows(one: Standing, other: Standing) -> bool:
    """Return whether the statistics of a standing are those of another."""
    names = ("submission", "rows_blob", "rank")
    first, second = ([[getattr(row, name) for name in names] for row in rows] for rows in (one.rows, other.rows))
    return one.evaluator == other.evaluator and one.rule == other.rule and first == second
