"""A standing: the ranking of a task at one moment, with what the scores of items say about it.

Objects of this module hold everything. What a viewer may see of them is made by ``visible.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from muge_fast.comparison.pairs import RankRange
from muge_fast.leaderboard.rules.calendar_months import Month, month_start
from muge_fast.leaderboard.rules.ranking import RankingRule, Status


@dataclass(frozen=True)
class Window:
    """The submissions that a standing counts, by time of acceptance.

    Attributes:
        since: Earliest time of acceptance; None for no limit.
        before: Time of acceptance to end before; None for no limit.

    """

    since: datetime | None = None
    before: datetime | None = None


ALL_TIME = Window()
"""Every submission."""

COMPLETE = 2
"""The stage of a standing with statistics and history."""


def month_window(month: Month, zone: ZoneInfo) -> Window:
    """Return the window of a month: the submissions that were accepted in it.

    Args:
        month: The month.
        zone: Zone of the board.

    Returns:
        The window.

    Example:
        >>> from zoneinfo import ZoneInfo
        >>> from muge_fast.leaderboard.rules.calendar_months import Month
        >>> from muge_fast.leaderboard.standings.standing import month_window
        >>> month_window(Month(2026, 11), ZoneInfo("Asia/Shanghai")).before.isoformat()
        '2026-11-30T16:00:00+00:00'

    """
    return Window(month_start(month, zone), month_start(month.plus(1), zone))


@dataclass(frozen=True, kw_only=True)
class StandingRow:
    """A row of a standing: the submission that counts for a team, or a baseline of the host.

    Attributes:
        rank: Rank from 1, the same for equal numbers; None for a baseline.
        prize: Number of the prize that the row would win now; None if none.
        number: The published number.
        exact: The main score in the published unit, unrounded.
        status: ``"counted"`` or ``"baseline"``.
        submission: Id of the submission.
        submission_number: Its number among those of the team.
        submissions: Number of files that the team sent in the window, with errors or not.
        accepted_at: When it was accepted.
        method: The method.
        links: Addresses of a paper or code.
        team: Id of the team.
        team_name: Name of the team.
        alias: Name under which an anonymous team is shown.
        is_public: Whether the team shows its name.
        sha256: Hash of the file.
        rows_blob: Hash of the file with the scores of items; None if there is none.

    """

    rank: int | None
    prize: int | None
    number: Decimal
    exact: float
    status: Status
    submission: str
    submission_number: int
    submissions: int
    accepted_at: datetime
    method: str
    links: tuple[str, ...]
    team: str
    team_name: str
    alias: str | None
    is_public: bool
    sha256: str
    rows_blob: str | None


@dataclass(frozen=True, kw_only=True)
class RowStatistics:
    """What the scores of items say about a row. Numbers are in the published unit.

    Attributes:
        interval: Confidence interval of the score.
        standard_error: Standard error of the score.
        rank_range: The ranks that the team may have; None for a baseline, and without another team.
        difference: The score minus that of the first team; None if that has no statistics.
        difference_interval: Confidence interval of the difference; None for the first team itself.
        not_apart: Whether the items do not separate the row from the team above it; None for the first team, for
            baselines, and if the team above has no statistics.

    """

    interval: tuple[float, float]
    standard_error: float
    rank_range: RankRange | None
    difference: float | None
    difference_interval: tuple[float, float] | None
    not_apart: bool | None


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Statistics of a standing.

    Attributes:
        rows: Statistics of the rows by id of the submission; rows without scores of items are not in it.
        items: Number of items of the test set.
        level: Confidence level of intervals, possible ranks and marks.
        resamples: Number of resamples.

    """

    rows: Mapping[str, RowStatistics]
    items: int
    level: float
    resamples: int


@dataclass(frozen=True)
class Step:
    """A moment at which the best number improved.

    Attributes:
        accepted_at: When the submission was accepted.
        number: Its published number.
        team: Id of its team.
        submission: Its id.

    """

    accepted_at: datetime
    number: Decimal
    team: str
    submission: str


@dataclass(frozen=True, kw_only=True)
class History:
    """How a standing came about.

    Attributes:
        frontier: Steps of the best number of all teams; without baselines.
        teams: Steps of each team's best number, by its id.
        confirmed: Whether an improvement exceeds the last confirmed one of the team by more than the standard error of
            the difference, by id of the submission; the first one of a team is not in it.

    """

    frontier: tuple[Step, ...]
    teams: Mapping[str, tuple[Step, ...]]
    confirmed: Mapping[str, bool]


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """The ranking of a task.

    The ranking is there at once. Statistics and history are computed in the background, and are None until then.

    Attributes:
        task: The task.
        window: The submissions that count.
        version: The version of the board that it was made from.
        evaluator: Id of the evaluator; None if the task has none yet.
        rule: How scores are published and compared.
        rows: The rows, best first.
        statistics: Intervals, possible ranks and differences; None if they are not ready.
        history: Best over time; None if it is not ready.

    """

    task: str
    window: Window
    version: int
    evaluator: str | None
    rule: RankingRule
    rows: tuple[StandingRow, ...]
    statistics: Statistics | None = field(default=None, repr=False)
    history: History | None = field(default=None, repr=False)

    @cached_property
    def first(self) -> StandingRow | None:
        """The row of the first team, which others are compared with; None if there is none."""
        return next((row for row in self.rows if row.rank is not None), None)

    @property
    def stage(self) -> int:
        """0 for the ranking alone, 1 with statistics, 2 with history as well."""
        return 0 if self.statistics is None else 1 if self.history is None else COMPLETE
