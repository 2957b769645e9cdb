"""Months as a viewer sees them: records with all revisions, and previews of months that are not closed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.rules.calendar_months import Month, month_start
from muge_fast.leaderboard.rules.visibility import Disclosure, Viewer, role_of, visible_to
from muge_fast.leaderboard.standings.cache import StandingCache
from muge_fast.leaderboard.standings.month_records import MonthLists, Winner, listed_months, read_lists
from muge_fast.leaderboard.standings.standing import ALL_TIME, Standing, Window
from muge_fast.leaderboard.standings.visible import row_disclosure
from muge_fast.leaderboard.store.boards import ShownSubmission, first_acceptance, shown_submissions
from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.store.months import MonthRecord, month_revisions, waiting_before

MonthState = Literal["running", "ended", "provisional", "final"]


@dataclass(frozen=True, kw_only=True)
class VisibleWinner:
    """A row of a list of winners as a viewer sees it. What the viewer may not see is None.

    Attributes:
        rank: Rank from 1.
        prize: Number of the prize; None for one who shares the last rank without a prize.
        published: The published number.
        team: Name of the team, or its alias; None for an anonymous team without an alias.
        team_id: Id of the team, for links.
        is_own: Whether the viewer belongs to the team.
        submission: Id of the submission.
        number: Its number among those of the team.
        accepted_at: When it was accepted.
        method: The method.
        links: Addresses of a paper or code.

    """

    rank: int
    prize: int | None
    published: Decimal
    team: str | None = None
    team_id: str | None = None
    is_own: bool = False
    submission: str
    number: int
    accepted_at: datetime
    method: str | None = None
    links: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class VisibleRevision:
    """A revision of a month's record, or the preview of a month that is not closed.

    Attributes:
        revision: 1 for the first record, more for corrections; 0 for a preview.
        closed_at: When the record was made; None for a preview.
        final_at: When it becomes final; None for a preview.
        reason: The reason of a correction; empty otherwise.
        evaluator: Id of the evaluator that made the numbers.
        sha256: Hash of the stored rows; None for a preview.
        digits: Decimals of published numbers.
        prizes: Number of prizes.
        board: Winners of the board at the end of the month.
        of_month: Winners among the submissions of the month.

    """

    revision: int
    closed_at: datetime | None
    final_at: datetime | None
    reason: str
    evaluator: str | None
    sha256: str | None
    digits: int
    prizes: int
    board: tuple[VisibleWinner, ...]
    of_month: tuple[VisibleWinner, ...]


@dataclass(frozen=True, kw_only=True)
class VisibleMonth:
    """A month of a task as a viewer sees it.

    Attributes:
        task: The task.
        month: The month.
        zone: Name of the zone whose midnight ends the month.
        start: The beginning of the month in UTC.
        boundary: The end of the month in UTC.
        state: ``"running"``; ``"ended"`` if it is not closed yet; ``"provisional"`` for the days of vetting after the
            newest revision; ``"final"``.
        waiting: Number of submissions before the end of the month that wait for a verdict; 0 for a closed month.
        revisions: The revisions, the newest first; for a month that is not closed, its preview alone.

    """

    task: str
    month: Month
    zone: str
    start: datetime
    boundary: datetime
    state: MonthState
    waiting: int
    revisions: tuple[VisibleRevision, ...]

    @property
    def newest(self) -> VisibleRevision:
        """The newest revision, or the preview."""
        return self.revisions[0]


def months_of_task(board: Board, slug: str) -> list[Month]:
    """Return the months of a task, for lists and filters: from its opening or first submission to the present.

    Args:
        board: The board.
        slug: The task.

    Returns:
        The months, the newest first.

    Raises:
        NotFoundError: There is no such task.

    """
    with board.database.read() as connection:
        first, now = first_acceptance(connection, slug), board.database.now(connection)
    return listed_months(board, slug, first, now)[::-1]


def visible_month(
    board: Board, standings: StandingCache, slug: str, month: Month, viewer: Viewer | None
) -> VisibleMonth:
    """Return a month of a task as a viewer sees it.

    Args:
        board: The board.
        standings: Standings, for the preview of a month that is not closed.
        slug: The task.
        month: The month.
        viewer: The account; None without a login.

    Returns:
        The month.

    Raises:
        NotFoundError: The month has not begun, or there is no such task.

    """
    with board.database.read() as connection:
        now, zone = board.database.now(connection), board.settings.zone
        records = month_revisions(connection, slug, str(month))
        if not records and month not in listed_months(board, slug, first_acceptance(connection, slug), now):
            raise NotFoundError(f"there is no month {month} of the task {slug}")
        start, boundary = month_start(month, zone), month_start(month.plus(1), zone)
        waiting = 0 if records else waiting_before(connection, slug, boundary)
        lists = [read_lists(record.rows) for record in records]
        ids = {winner.submission for one in lists for winner in (*one.board, *one.of_month)}
        names = _Names(shown_submissions(connection, ids), viewer, board.settings.tasks[slug].disclosure)
    if records:
        # The month keeps its boundary, even if the board's zone was changed since.
        zone, boundary = ZoneInfo(lists[-1].zone), records[-1].boundary
        start = month_start(month, zone)
        vetting = timedelta(days=board.settings.vetting_days)
        revisions = tuple(_revision(*pair, vetting, names) for pair in zip(records, lists, strict=True))[::-1]
        state: MonthState = "provisional" if now < records[-1].closed_at + vetting else "final"
    else:
        state = "running" if now < boundary else "ended"
        at_end = ALL_TIME if state == "running" else Window(before=boundary)
        lists_now = standings.ranking(slug, at_end), standings.ranking(slug, Window(start, boundary))
        revisions = (_preview(board, slug, *lists_now, viewer),)
    return VisibleMonth(
        task=slug,
        month=month,
        zone=zone.key,
        start=start,
        boundary=boundary,
        state=state,
        waiting=waiting,
        revisions=revisions,
    )


class _Names(NamedTuple):
    """What is shown of the submissions of lists, and to whom."""

    shown: Mapping[str, ShownSubmission]
    viewer: Viewer | None
    disclosure: Disclosure

    def winners(self, winners: Iterable[Winner]) -> tuple[VisibleWinner, ...]:
        return tuple(map(self._winner, winners))

    def _winner(self, winner: Winner) -> VisibleWinner:
        shown = self.shown[winner.submission]
        record = {
            **{name: getattr(winner, name) for name in ("rank", "prize", "submission", "accepted_at")},
            "number": winner.submission_number,
            "published": winner.number,
            "team": shown.team_name,
            "team_id": shown.team,
            "method": shown.method,
            "links": tuple(shown.links),
        }
        disclosure = row_disclosure(self.disclosure, is_public=shown.public)
        role = role_of(self.viewer, shown.team)
        # The names of the tables of visibility are those of the attributes.
        fields: Any = visible_to(role, "board_row", record, disclosure=disclosure, alias=shown.alias)
        assert fields is not None  # noqa: S101 - everyone may see the rows of a board
        is_own = self.viewer is not None and shown.team in self.viewer.teams
        return VisibleWinner(is_own=is_own, **fields)


def _revision(record: MonthRecord, lists: MonthLists, vetting: timedelta, names: _Names) -> VisibleRevision:
    return VisibleRevision(
        revision=record.revision,
        closed_at=record.closed_at,
        final_at=record.closed_at + vetting,
        reason=record.reason,
        evaluator=record.evaluator,
        sha256=record.sha256,
        digits=lists.digits,
        prizes=lists.prizes,
        board=names.winners(lists.board),
        of_month=names.winners(lists.of_month),
    )


def _preview(board: Board, slug: str, at_end: Standing, of_month: Standing, viewer: Viewer | None) -> VisibleRevision:
    """Return the lists as they would be if the month were closed now."""
    rows = {row.submission: row for row in (*at_end.rows, *of_month.rows)}
    shown = {
        row.submission: ShownSubmission(
            row.submission, row.team, row.team_name, row.alias, row.is_public, row.method, list(row.links)
        )
        for row in rows.values()
    }
    task, prizes = board.settings.tasks[slug], board.settings.prizes
    names = _Names(shown, viewer, task.disclosure)
    return VisibleRevision(
        revision=0,
        closed_at=None,
        final_at=None,
        reason="",
        evaluator=at_end.evaluator,
        sha256=None,
        digits=task.ranking.digits,
        prizes=prizes,
        board=names.winners(_leaders(at_end, prizes)),
        of_month=names.winners(_leaders(of_month, prizes)),
    )


def _leaders(standing: Standing, prizes: int) -> Iterator[Winner]:
    for row in standing.rows:
        if row.rank is not None and row.rank <= prizes:
            yield Winner(
                rank=row.rank,
                prize=row.prize,
                number=row.number,
                team=row.team,
                submission=row.submission,
                submission_number=row.submission_number,
                accepted_at=row.accepted_at,
            )


def month_json(month: VisibleMonth) -> dict[str, Any]:
    """Return a month as plain Python objects, for the API.

    Args:
        month: The month as the viewer sees it.

    Returns:
        Its state, its end, and the revisions with the winners of both lists; times are in UTC.

    """
    return {
        "task": month.task,
        "month": str(month.month),
        "zone": month.zone,
        "start": month.start.isoformat(),
        "boundary": month.boundary.isoformat(),
        "state": month.state,
        "waiting": month.waiting,
        "revisions": [_revision_json(revision) for revision in month.revisions],
    }


def _revision_json(revision: VisibleRevision) -> dict[str, Any]:
    times = {name: getattr(revision, name) for name in ("closed_at", "final_at")}
    return {
        "revision": revision.revision,
        **{name: None if moment is None else moment.isoformat() for name, moment in times.items()},
        "reason": revision.reason,
        "evaluator": revision.evaluator,
        "sha256": revision.sha256,
        "prizes": revision.prizes,
        "board": [_winner_json(winner) for winner in revision.board],
        "of_month": [_winner_json(winner) for winner in revision.of_month],
    }


def _winner_json(winner: VisibleWinner) -> dict[str, Any]:
    return {
        "rank": winner.rank,
        "prize": winner.prize,
        "published": float(winner.published),
        "team": winner.team,
        "team_id": winner.team_id,
        "submission": winner.submission,
        "number": winner.number,
        "accepted_at": winner.accepted_at.isoformat(),
        "method": winner.method,
        "links": None if winner.links is None else list(winner.links),
    }
