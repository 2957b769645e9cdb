"""A standing as CSV."""

from __future__ import annotations

import csv
import io

from muge_fast._internal.display import spreadsheet_text
from muge_fast.leaderboard.standings.visible import VisibleRow, VisibleStanding

COLUMNS = (
    *("rank", "rank_low", "rank_high", "team", "published", "low", "high"),
    *("difference", "difference_low", "difference_high", "not_apart", "confirmed"),
    *("submission", "number", "submissions", "accepted_at", "method", "links", "status", "prize"),
)
"""Names of the columns for everyone."""

ORGANIZER_COLUMNS = ("exact", "team_name", "same_file_as")
"""Names of further columns for organizers."""


def standing_csv(standing: VisibleStanding) -> str:
    """Return a standing as CSV: a header, then one line for each row. Cells that are not known are empty.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.

    Args:
        standing: The standing as the viewer sees it.

    Returns:
        The text.

    """
    is_full = any(row.exact is not None for row in standing.rows)
    columns = [*COLUMNS, *(ORGANIZER_COLUMNS if is_full else ())]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in standing.rows:
        cells = _cells(row)
        writer.writerow([spreadsheet_text(cells[name]) for name in columns])
    return text.getvalue()


def _cells(row: VisibleRow) -> dict[str, object]:
    low, high = row.interval or (None, None)
    difference, ranks = row.difference, row.rank_range
    return {
        "rank": row.rank,
        "rank_low": None if ranks is None else ranks.low,
        "rank_high": None if ranks is None else ranks.high,
        "team": row.team,
        "published": row.published,
        "low": low,
        "high": high,
        "difference": None if difference is None else difference.value,
        "difference_low": None if difference is None else difference.low,
        "difference_high": None if difference is None else difference.high,
        "not_apart": _flag(row.not_apart),
        "confirmed": _flag(row.confirmed),
        "submission": row.submission,
        "number": row.number,
        "submissions": row.submissions,
        "accepted_at": row.accepted_at.isoformat(),
        "method": row.method,
        "links": None if row.links is None else " ".join(row.links),
        "status": row.status,
        "prize": row.prize,
        "exact": row.exact,
        "team_name": row.team_name,
        "same_file_as": None if row.same_file_as is None else " ".join(row.same_file_as),
    }


def _flag(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"
