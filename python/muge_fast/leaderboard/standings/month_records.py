"""Closing months and correcting their records: the rules of months, applied to the store.

The rows of a record are JSON: ``zone``, ``main``, ``digits``, ``prizes``, and the lists ``board`` and ``of_month`` with
the fields of :class:`Winner`. Names of teams are not in it, so that a team that is renamed or erased stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.rules.calendar_months import Month, month_of, month_start
from muge_fast.leaderboard.rules.moments import to_utc
from muge_fast.leaderboard.rules.months import check_closable
from muge_fast.leaderboard.rules.ranking import select_finalists
from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.standings.ranked import ranked_entries
from muge_fast.leaderboard.store import months as store
from muge_fast.leaderboard.store.audit import Actor
from muge_fast.leaderboard.store.boards import BoardEntry, first_acceptance
from muge_fast.leaderboard.store.errors import ConflictError, NotFoundError, RefusedError


class Winner(NamedTuple):
    """A row of a list of winners.

    Attributes:
        rank: Rank from 1.
        prize: Number of the prize; None for one who shares the last rank without a prize.
        number: The published number.
        team: Id of the team.
        submission: Id of the submission.
        submission_number: Its number among those of the team.
        accepted_at: When it was accepted.

    """

    rank: int
    prize: int | None
    number: Decimal
    team: str
    submission: str
    submission_number: int
    accepted_at: datetime


class MonthLists(NamedTuple):
    """The rows of a record.

    Attributes:
        zone: Name of the zone whose midnight ended the month.
        main: Name of the score that ranks.
        digits: Decimals of the published numbers.
        prizes: Number of prizes.
        board: Winners of the board at the end of the month.
        of_month: Winners among the submissions of the month.

    """

    zone: str
    main: str
    digits: int
    prizes: int
    board: tuple[Winner, ...]
    of_month: tuple[Winner, ...]


def close_month(board: Board, slug: str, month: Month, *, actor: Actor) -> store.MonthRecord:
    """Close a month: write its record with the winners of the board at its end, and of the month alone.

    Args:
        board: The board.
        slug: The task.
        month: The month.
        actor: Actor for the audit log.

    Returns:
        The record.

    Raises:
        RefusalError: The month has not ended (``month_not_over``), or evaluations are pending (``month_pending``).
        ConflictError: The month is closed.
        RefusedError: The task has no evaluator.
        NotFoundError: There is no such task.

    """
    task, zone = board.task(slug), board.settings.zone
    start, boundary = month_start(month, zone), month_start(month.plus(1), zone)
    with board.database.read() as connection:
        waiting = store.waiting_before(connection, slug, boundary)
        now = board.database.now(connection)
        is_closed = bool(store.month_revisions(connection, slug, str(month)))
    if not is_closed:
        # The store checks again, in its transaction; this is for messages in both languages.
        check_closable([(start, "queued")] * waiting, month, zone=zone, now=now)
    return store.close_month(
        board.database,
        slug,
        str(month),
        start=start,
        boundary=boundary,
        select_rows=lambda entries: _lists(entries, task, zone, start, board.settings.prizes),
        actor=actor,
    )


def revise_month(board: Board, slug: str, month: Month, *, reason: str, actor: Actor) -> store.MonthRecord:
    """Correct the record of a month by a revision with the submissions' present status.

    The zone, the boundary and the evaluator are those of the record.

    Args:
        board: The board.
        slug: The task.
        month: The month.
        reason: Why the record is corrected. It is published.
        actor: Actor for the audit log.

    Returns:
        The new revision.

    Raises:
        NotFoundError: The month is not closed, or there is no such task.
        ValueError: The reason is blank.

    """
    task, name = board.task(slug), str(month)
    with board.database.read() as connection:
        revisions = store.month_revisions(connection, slug, name)
        if not revisions:
            raise NotFoundError(f"the month {name} of the task {slug} is not closed")
        last = revisions[-1]
        old = read_lists(last.rows)
        zone = ZoneInfo(old.zone)
        start = month_start(month, zone)
        entries = store.month_candidates(
            connection, slug, start=start, boundary=last.boundary, evaluator=last.evaluator
        )
    rows = _lists(entries, task, zone, start, old.prizes)
    return store.revise_month(board.database, slug, name, rows=rows, reason=reason.strip(), actor=actor)


def months_to_close(board: Board, slug: str) -> list[Month]:
    """Return the months of a task that have ended and are not closed, from its opening or first submission on.

    Args:
        board: The board.
        slug: The task.

    Returns:
        The months, the earliest first.

    """
    with board.database.read() as connection:
        closed = set(store.closed_months(connection, slug))
        listed = listed_months(board, slug, first_acceptance(connection, slug), board.database.now(connection))
    # The last one has not ended.
    return [month for month in listed[:-1] if str(month) not in closed]


def listed_months(board: Board, slug: str, first: datetime | None, now: datetime) -> list[Month]:
    """Return the months of a task: from its opening or first submission to the present.

    Args:
        board: The board.
        slug: The task.
        first: When the first submission was accepted; None if there is none.
        now: The time.

    Returns:
        The months, the earliest first.

    """
    opens, zone = board.task(slug).opens, board.settings.zone
    beginnings = [moment for moment in (first, now if opens is None else min(opens, now)) if moment is not None]
    month, last = month_of(min(beginnings), zone), month_of(now, zone)
    months = [month]
    while months[-1] < last:
        months.append(months[-1].plus(1))
    return months


def close_due_months(board: Board, *, actor: Actor) -> list[store.MonthRecord]:
    """Close every month that has ended and whose submissions are all judged. Several processes may try.

    Args:
        board: The board.
        actor: Actor for the audit log.

    Returns:
        The records that were written here.

    """
    written = []
    for slug in board.settings.tasks:
        for month in months_to_close(board, slug):
            # Not judged yet, not registered yet, or another process was first.
            with suppress(RefusalError, RefusedError, ConflictError, NotFoundError):
                written.append(close_month(board, slug, month, actor=actor))
    return written


def read_lists(rows: object) -> MonthLists:
    """Return the lists of a record.

    Args:
        rows: The rows of a record.

    Returns:
        The lists.

    """
    stored: Any = rows
    board, of_month = (tuple(map(_read_winner, stored[name])) for name in ("board", "of_month"))
    return MonthLists(stored["zone"], stored["main"], stored["digits"], stored["prizes"], board, of_month)


def _lists(
    entries: Sequence[BoardEntry], task: TaskSettings, zone: ZoneInfo, start: datetime, prizes: int
) -> dict[str, object]:
    """Return the rows of a record, from the candidates of the store, all of which are before the end of the month."""
    inside = [entry for entry in entries if to_utc("accepted_at", entry.accepted_at) >= start]
    lists = MonthLists(
        zone=zone.key,
        main=task.main,
        digits=task.ranking.digits,
        prizes=prizes,
        board=_winners(entries, task, prizes),
        of_month=_winners(inside, task, prizes),
    )
    return lists._asdict() | {
        name: [_stored_winner(one) for one in getattr(lists, name)] for name in ("board", "of_month")
    }


def _winners(entries: Sequence[BoardEntry], task: TaskSettings, prizes: int) -> tuple[Winner, ...]:
    ranked = {row.entry.submission: (row, entry) for row, entry in ranked_entries(entries, task.ranking)}
    finalists = select_finalists([row for row, _ in ranked.values()], prizes)
    return tuple(
        Winner(
            rank=finalist.row.rank,
            prize=finalist.prize,
            number=finalist.row.number,
            team=entry.team,
            submission=entry.submission,
            submission_number=entry.number,
            accepted_at=entry.accepted_at,
        )
        for finalist in finalists
        for _, entry in [ranked[finalist.row.entry.submission]]
        if finalist.row.rank is not None
    )


def _stored_winner(winner: Winner) -> dict[str, object]:
    return winner._asdict() | {"number": str(winner.number), "accepted_at": winner.accepted_at.isoformat()}


def _read_winner(stored: dict[str, Any]) -> Winner:
    times = {"number": Decimal(stored["number"]), "accepted_at": datetime.fromisoformat(stored["accepted_at"])}
    return Winner(**(stored | times))
