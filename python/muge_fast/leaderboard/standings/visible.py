"""What a viewer may see of a standing. Pages, JSON and CSV are made from these objects alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from weakref import WeakKeyDictionary

from muge_fast.comparison.pairs import RankRange
from muge_fast.leaderboard.rules.ranking import Status, published_number
from muge_fast.leaderboard.rules.visibility import Disclosure, Viewer, role_of, visible_to
from muge_fast.leaderboard.standings.standing import Standing, StandingRow, Step, Window


@dataclass(frozen=True)
class Difference:
    """The difference of a row to the first team.

    Attributes:
        value: The published number of the row minus that of the first team.
        low: Lower bound of the confidence interval; None for the first team, and without statistics.
        high: Upper bound of the confidence interval.

    """

    value: Decimal
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True)
class VisibleStep:
    """A moment at which the best number improved.

    Attributes:
        accepted_at: When the submission was accepted.
        number: Its published number.
        team: Name of its team as the viewer sees it; None for an anonymous team without an alias.

    """

    accepted_at: datetime
    number: Decimal
    team: str | None


@dataclass(frozen=True, kw_only=True)
class VisibleRow:
    """A row of a standing as a viewer sees it. What the viewer may not see, and what is not computed, is None.

    Bounds of intervals are rounded as published numbers are, because further digits would reveal the exact score.

    Attributes:
        rank: Rank from 1; None for a baseline.
        rank_range: The ranks that the team may have.
        prize: Number of the prize that the row would win now.
        team: Name of the team, or its alias; None for an anonymous team without an alias.
        team_id: Id of the team, for links.
        is_own: Whether the viewer belongs to the team.
        published: The published number.
        interval: Confidence interval of the score.
        difference: Difference to the first team.
        not_apart: Whether the items do not separate the row from the team above it.
        confirmed: Whether it improved on the team's last confirmed submission by more than the standard error.
        submission: Id of the submission.
        number: Its number among those of the team.
        submissions: Number of files that the team sent.
        accepted_at: When it was accepted.
        method: The method.
        links: Addresses of a paper or code.
        status: ``"counted"`` or ``"baseline"``.
        history: The steps of the team's best number.
        exact: The score in full precision, for organizers.
        team_name: Name of an anonymous team, for organizers.
        same_file_as: Ids of rows of other teams with an equal file, for organizers.

    """

    rank: int | None
    rank_range: RankRange | None = None
    prize: int | None = None
    team: str | None = None
    team_id: str | None = None
    is_own: bool = False
    published: Decimal
    interval: tuple[Decimal, Decimal] | None = None
    difference: Difference | None = None
    not_apart: bool | None = None
    confirmed: bool | None = None
    submission: str
    number: int
    submissions: int
    accepted_at: datetime
    method: str | None = None
    links: tuple[str, ...] | None = None
    status: Status
    history: tuple[VisibleStep, ...] | None = None
    exact: float | None = None
    team_name: str | None = None
    same_file_as: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class VisibleStanding:
    """A standing as a viewer sees it.

    Attributes:
        task: The task.
        window: The submissions that count.
        version: The version of the board.
        stage: 0 for the ranking alone, 1 with statistics, 2 with history as well. A page is new if this or
            ``version`` has changed.
        digits: Decimals of published numbers.
        higher_is_better: Whether a larger number is better.
        rows: The rows, best first.
        frontier: Steps of the best number of all teams; None if they are not computed yet.
        level: Confidence level; None if no row has statistics.
        items: Number of items of the test set; None if no row has statistics.
        resamples: Number of resamples; None if no row has statistics.

    """

    task: str
    window: Window
    version: int
    stage: int
    digits: int
    higher_is_better: bool
    rows: tuple[VisibleRow, ...]
    frontier: tuple[VisibleStep, ...] | None
    level: float | None
    items: int | None
    resamples: int | None


def visible_standing(standing: Standing, viewer: Viewer | None, disclosure: Disclosure) -> VisibleStanding:
    """Return what a viewer may see of a standing.

    Strangers all see the same, which is made once.

    Args:
        standing: The standing.
        viewer: The account; None without a login.
        disclosure: What the task reveals.

    Returns:
        The standing as the viewer sees it.

    """
    is_organizer = viewer is not None and viewer.is_organizer
    is_stranger = viewer is None or not (is_organizer or any(row.team in viewer.teams for row in standing.rows))
    if not is_stranger:
        return _visible(standing, viewer, disclosure)
    kept = _STRANGERS.setdefault(standing, {})
    if disclosure not in kept:
        kept[disclosure] = _visible(standing, viewer, disclosure)
    return kept[disclosure]


_STRANGERS: WeakKeyDictionary[Standing, dict[Disclosure, VisibleStanding]] = WeakKeyDictionary()


def _visible(standing: Standing, viewer: Viewer | None, disclosure: Disclosure) -> VisibleStanding:
    same_files = _same_files(standing)
    rows = tuple(_visible_row(standing, row, viewer, disclosure, same_files) for row in standing.rows)
    names = {row.team: shown.team for row, shown in zip(standing.rows, rows, strict=True)}
    statistics, history = standing.statistics, standing.history
    if statistics is not None and not statistics.rows:
        statistics = None
    return VisibleStanding(
        task=standing.task,
        window=standing.window,
        version=standing.version,
        stage=standing.stage,
        digits=standing.rule.digits,
        higher_is_better=standing.rule.higher_is_better,
        rows=rows,
        frontier=None if history is None else _visible_steps(history.frontier, names),
        level=None if statistics is None else statistics.level,
        items=None if statistics is None else statistics.items,
        resamples=None if statistics is None else statistics.resamples,
    )


def row_disclosure(disclosure: Disclosure, *, is_public: bool) -> Disclosure:
    """Return what is revealed of a row: a team that does not show its name is as one of an anonymous task.

    Args:
        disclosure: What the task reveals.
        is_public: Whether the team shows its name.

    Returns:
        What is revealed of the row.

    Example:
        >>> from muge_fast.leaderboard.rules.visibility import Disclosure
        >>> from muge_fast.leaderboard.standings.visible import row_disclosure
        >>> row_disclosure(Disclosure(), is_public=False).anonymous
        True

    """
    return replace(disclosure, anonymous=disclosure.anonymous or not is_public)


def _visible_row(
    standing: Standing,
    row: StandingRow,
    viewer: Viewer | None,
    disclosure: Disclosure,
    same_files: Mapping[str, tuple[str, ...]],
) -> VisibleRow:
    role = role_of(viewer, row.team)
    disclosure = row_disclosure(disclosure, is_public=row.is_public)
    record = {**_record(row), **_record_of_statistics(standing, row)}
    record["same_file_as"] = same_files.get(row.submission, ())
    # The names of the tables of visibility are those of the attributes.
    shown: Any = visible_to(role, "board_row", record, disclosure=disclosure, alias=row.alias)
    assert shown is not None  # noqa: S101 - everyone may see the rows of a board
    if "history" in shown and standing.history is not None:
        steps = standing.history.teams.get(row.team, ())
        shown["history"] = _visible_steps(steps, {row.team: shown.get("team")})
    is_own = viewer is not None and row.team in viewer.teams
    return VisibleRow(is_own=is_own, **shown)


def _record(row: StandingRow) -> dict[str, object]:
    """Return the fields of a row under the names of the tables of visibility."""
    return {
        "rank": row.rank,
        "prize": row.prize,
        "team": row.team_name,
        "team_id": row.team,
        "published": row.number,
        "submission": row.submission,
        "number": row.submission_number,
        "submissions": row.submissions,
        "accepted_at": row.accepted_at,
        "method": row.method,
        "links": row.links,
        "status": row.status,
        "exact": row.exact,
        "team_name": row.team_name,
    }


def _record_of_statistics(standing: Standing, row: StandingRow) -> dict[str, object]:
    record: dict[str, object] = {}
    found = None if standing.statistics is None else standing.statistics.rows.get(row.submission)
    if found is not None:
        record |= {"interval": _rounded(found.interval, standing), "not_apart": found.not_apart}
        record["rank_range"] = found.rank_range
    if (first := standing.first) is not None:
        low, high = (None, None) if found is None else _rounded(found.difference_interval, standing)
        record["difference"] = Difference(row.number - first.number, low, high)
    if standing.history is not None:
        record |= {"confirmed": standing.history.confirmed.get(row.submission), "history": ()}
    return record


def _rounded(bounds: tuple[float, float] | None, standing: Standing) -> tuple[Decimal | None, Decimal | None]:
    rule = replace(standing.rule, scale=1)
    low, high = bounds or (None, None)
    return published_number(low, rule), published_number(high, rule)


def _visible_steps(steps: tuple[Step, ...], names: Mapping[str, str | None]) -> tuple[VisibleStep, ...]:
    return tuple(VisibleStep(step.accepted_at, step.number, names.get(step.team)) for step in steps)


def _same_files(standing: Standing) -> dict[str, tuple[str, ...]]:
    """Return for each row the rows of other teams with an equal file."""
    by_hash: dict[str, list[StandingRow]] = defaultdict(list)
    for row in standing.rows:
        by_hash[row.sha256].append(row)
    return {
        row.submission: tuple(other.submission for other in equal if other.team != row.team)
        for equal in by_hash.values()
        if len(equal) > 1
        for row in equal
    }
