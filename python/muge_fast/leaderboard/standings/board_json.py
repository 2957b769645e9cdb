"""A standing as plain objects that JSON can represent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from muge_fast.leaderboard.standings.visible import VisibleRow, VisibleStanding, VisibleStep


def standing_json(standing: VisibleStanding) -> dict[str, Any]:
    """Return a standing as plain Python objects, for the API.

    Args:
        standing: The standing as the viewer sees it.

    Returns:
        The rows with everything that the viewer may see, and ``"statistics"``, the options of the statistics, or None
        if there are none; they are complete if ``"stage"`` is 2. Numbers have the digits that are published; times are
        in UTC.

    """
    window = standing.window
    return {
        "task": standing.task,
        "version": standing.version,
        "stage": standing.stage,
        "since": _time(window.since),
        "before": _time(window.before),
        "digits": standing.digits,
        "higher_is_better": standing.higher_is_better,
        "statistics": None
        if standing.level is None
        else {"level": standing.level, "items": standing.items, "resamples": standing.resamples},
        "rows": [_row(row) for row in standing.rows],
        "frontier": None if standing.frontier is None else [_step(step) for step in standing.frontier],
    }


def _row(row: VisibleRow) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "rank": row.rank,
        "rank_range": None if row.rank_range is None else [row.rank_range.low, row.rank_range.high],
        "prize": row.prize,
        "team": row.team,
        "team_id": row.team_id,
        "published": float(row.published),
        "interval": None if row.interval is None else [float(bound) for bound in row.interval],
        "difference": None,
        "not_apart": row.not_apart,
        "confirmed": row.confirmed,
        "submission": row.submission,
        "number": row.number,
        "submissions": row.submissions,
        "accepted_at": _time(row.accepted_at),
        "method": row.method,
        "links": None if row.links is None else list(row.links),
        "status": row.status,
        "history": None if row.history is None else [_step(step) for step in row.history],
    }
    if row.difference is not None:
        low, high = row.difference.low, row.difference.high
        bounds = None if low is None or high is None else [float(low), float(high)]
        fields["difference"] = {"value": float(row.difference.value), "interval": bounds}
    if row.exact is not None:
        fields |= {"exact": row.exact, "team_name": row.team_name, "same_file_as": list(row.same_file_as or ())}
    return fields


def _step(step: VisibleStep) -> dict[str, Any]:
    return {"accepted_at": _time(step.accepted_at), "published": float(step.number), "team": step.team}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
