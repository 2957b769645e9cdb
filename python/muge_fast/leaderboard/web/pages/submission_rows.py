"""What lists of submissions show of each."""

from __future__ import annotations

from muge_fast.leaderboard.standings.visible import VisibleRow
from muge_fast.leaderboard.store.teams import Team
from muge_fast.leaderboard.web.pages.numbers import link_parts, number_text
from muge_fast.leaderboard.web.pages.row_parts import submission_path
from muge_fast.leaderboard.web.records import own_submissions
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.submissions import list_submissions
from muge_fast.leaderboard.web.viewers import SiteViewer


def listed_row(row: VisibleRow) -> dict[str, object]:
    """Return what everyone sees of the submission of a row of a board.

    Args:
        row: The row.

    Returns:
        Values for the templates.

    """
    return {
        "href": submission_path(row.submission),
        "number": row.number,
        "accepted_at": row.accepted_at,
        "state": "scored",
        "score": number_text(row.published),
        "method": row.method or "",
        "links": link_parts(row.links),
        "withdrawn": False,
        "ruled_out": False,
        "best": True,
    }


def own_rows(
    site: Site, viewer: SiteViewer, team: Team, slug: str, *, best: str | None = None
) -> list[dict[str, object]]:
    """Return what a member of a team, or an organizer, sees of its submissions for a task.

    Args:
        site: The site.
        viewer: The viewer.
        team: The team.
        slug: The task.
        best: Id of the submission that is on the board.

    Returns:
        Values for the templates, the newest first.

    """
    records = list_submissions(site, team, slug)
    shown = own_submissions(site, viewer, records)
    return [
        {
            "href": submission_path(record.id),
            "number": record.number,
            "accepted_at": record.accepted_at,
            "state": one.submission["state"],
            "score": str((one.verdict or {}).get("published") or ""),
            "method": record.method,
            "links": link_parts(record.links),
            "withdrawn": record.withdrawn_at is not None,
            "ruled_out": record.ruled_out_at is not None,
            "best": record.id == best,
        }
        for record, one in zip(records, shown, strict=True)
    ]
