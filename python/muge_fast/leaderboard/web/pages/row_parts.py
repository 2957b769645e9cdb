"""What pages show of the rows of a standing, in the words of a language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from markupsafe import Markup

from muge_fast.leaderboard.standings.month_views import VisibleWinner
from muge_fast.leaderboard.standings.visible import VisibleRow, VisibleStanding, VisibleStep
from muge_fast.leaderboard.web.pages.drawings import Point, frontier_drawing, interval_axis, interval_drawing
from muge_fast.leaderboard.web.pages.numbers import bounds_text, link_parts, number_text, signed_text
from muge_fast.leaderboard.web.pages.times import time_text
from muge_fast.leaderboard.web.pages.words import Words


def team_parts(row: VisibleRow | VisibleWinner, words: Words) -> dict[str, object]:
    """Return the name of a team and the path of its page.

    Args:
        row: A row.
        words: The words.

    Returns:
        Values for the macro ``team``.

    """
    href = f"/teams/{quote(row.team_id)}" if row.team_id else None
    return {"team": row.team or words("anonymous_team"), "team_href": href}


def winner_parts(row: VisibleWinner, words: Words) -> dict[str, object]:
    """Return what pages show of a winner.

    Args:
        row: The winner.
        words: The words.

    Returns:
        Values for the templates.

    """
    return {
        **team_parts(row, words),
        "rank": row.rank,
        "prize": row.prize,
        "score": number_text(row.published),
        "number": row.number,
        "accepted_at": row.accepted_at,
        "submission_href": submission_path(row.submission),
        "mine": row.is_own,
    }


def submission_path(submission: str) -> str:
    """Return the path of the page of a submission.

    Args:
        submission: Its id.

    Returns:
        The path.

    """
    return f"/submissions/{quote(submission)}"


def row_parts(standing: VisibleStanding, words: Words, prizes: int) -> list[dict[str, object]]:
    """Return what the board shows of each row.

    Args:
        standing: The standing as the viewer sees it.
        words: The words.
        prizes: Number of prizes, after which the board has a line.

    Returns:
        Values for the template, a dictionary for each row.

    """
    drawings = _drawings(standing, words)
    last = _last_prize(standing.rows, prizes)
    return [
        {
            **team_parts(row, words),
            "rank": row.rank,
            "rank_range": _ranks(row),
            "alike": bool(row.not_apart),
            "baseline": row.status == "baseline",
            "mine": row.is_own,
            "classes": _classes(row, is_last_prize=index == last),
            "method": row.method,
            "links": link_parts(row.links),
            "score": number_text(row.published),
            "bounds": bounds_text(*(row.interval or (None, None))),
            "confirmed": bool(row.confirmed) and row.number > 1,
            "drawing": drawings.get(index, ""),
            "difference": signed_text(row.difference.value) if row.difference and index else "",
            "difference_bounds": bounds_text(row.difference.low, row.difference.high) if row.difference else "",
            "submissions": row.submissions,
            "accepted_at": row.accepted_at,
            "submission_href": submission_path(row.submission),
        }
        for index, row in enumerate(standing.rows)
    ]


def _ranks(row: VisibleRow) -> str:
    return "" if row.rank_range is None else str(row.rank_range)


def _classes(row: VisibleRow, *, is_last_prize: bool) -> str:
    names = {"baseline": row.status == "baseline", "mine": row.is_own, "prizes": is_last_prize}
    names["apart"] = row.rank_range is not None and row.rank_range.low > 1
    return " ".join(name for name, holds in names.items() if holds)


def _last_prize(rows: Sequence[VisibleRow], prizes: int) -> int | None:
    """Return the index of the row with the last prize; None if all rows or no rows have prizes."""
    winning = [index for index, row in enumerate(rows) if row.prize == prizes]
    return winning[-1] if winning and winning[-1] + 1 < len(rows) else None


def _drawings(standing: VisibleStanding, words: Words) -> dict[int, Markup]:
    """Return the drawing of each row with an interval, by its index."""
    found = [(index, row, row.interval) for index, row in enumerate(standing.rows) if row.interval is not None]
    if not found:
        return {}
    numbers = {index: (float(low), float(high)) for index, _, (low, high) in found}
    axis = interval_axis(list(numbers.values()), higher_is_better=standing.higher_is_better)
    first = float(standing.rows[0].published)
    return {
        index: interval_drawing(
            float(row.published),
            numbers[index],
            first,
            axis,
            words("score_alt", number_text(row.published), bounds_text(*interval)),
        )
        for index, row, interval in found
    }


def frontier(
    steps: Sequence[VisibleStep] | None, words: Words, *, end: datetime, zone: ZoneInfo, with_teams: bool = True
) -> Markup | None:
    """Return the drawing of the best number over time.

    Args:
        steps: The improvements; None if they are not computed.
        words: The words.
        end: Last moment of the drawing.
        zone: Zone of the board.
        with_teams: Whether dots name the team.

    Returns:
        The drawing; None without steps.

    """
    if not steps:
        return None
    points = [Point(step.accepted_at, step.number, _point_label(step, words, zone, with_teams)) for step in steps]
    label = words("frontier_label", number_text(steps[0].number), number_text(steps[-1].number))
    return frontier_drawing(points, end=end, zone=zone, label=label)


def _point_label(step: VisibleStep, words: Words, zone: ZoneInfo, with_teams: bool) -> str:
    at, number = time_text(step.accepted_at, zone), number_text(step.number)
    if not with_teams:
        return f"{at}: {number}"
    return words("frontier_point", at, number, step.team or words("anonymous_team"))
