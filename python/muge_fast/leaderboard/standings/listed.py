"""Which submissions a public page lists, so that everyone may open them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Protocol

from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.rules.calendar_months import Month, month_of
from muge_fast.leaderboard.standings.cache import StandingCache
from muge_fast.leaderboard.standings.month_views import months_of_task, visible_month
from muge_fast.leaderboard.standings.standing import month_window


class Sent(Protocol):
    """A submission: its id, and when it was accepted."""

    @property
    def id(self) -> str:
        """The id."""

    @property
    def accepted_at(self) -> datetime:
        """The time of acceptance."""


def listed_submissions(board: Board, standings: StandingCache, slug: str, sent: Collection[Sent]) -> frozenset[str]:
    """Return those of some submissions of a task that a public page lists.

    These pages are the board, the boards of months, and the months with every revision of their records. A board has
    the best of each team alone, so that a submission may be on the page of a month and not on the board.

    Args:
        board: The board.
        standings: Its standings.
        slug: The task.
        sent: The submissions.

    Returns:
        The ids of those that are listed.

    """
    wanted = {one.id for one in sent}
    listed = wanted & {row.submission for row in standings.get(slug).rows}
    if rest := [one for one in sent if one.id not in listed]:
        # A record keeps the zone in which its month was closed, so that its month may begin earlier.
        first = month_of(min(one.accepted_at for one in rest), board.settings.zone).plus(-1)
        for month in months_of_task(board, slug):
            if month >= first:
                listed |= wanted.intersection(_listed_in(board, standings, slug, month))
    return frozenset(listed)


def _listed_in(board: Board, standings: StandingCache, slug: str, month: Month) -> Iterator[str]:
    """Yield the submissions on the board of a month, and on its page."""
    window = month_window(month, board.settings.zone)
    yield from (row.submission for row in standings.ranking(slug, window).rows)
    for revision in visible_month(board, standings, slug, month, None).revisions:
        yield from (winner.submission for winner in (*revision.board, *revision.of_month))
