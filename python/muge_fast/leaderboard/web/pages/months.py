"""What pages show of months."""

from __future__ import annotations

from muge_fast.leaderboard.rules.calendar_months import Month, parse_month
from muge_fast.leaderboard.standings.month_views import VisibleMonth
from muge_fast.leaderboard.store.months import closed_months
from muge_fast.leaderboard.web.pages.task_parts import task_path
from muge_fast.leaderboard.web.pages.words import Words
from muge_fast.leaderboard.web.site import Site

BADGES = {"running": "busy", "ended": "warn", "provisional": "plain", "final": "good"}


def last_closed(site: Site, slug: str) -> Month | None:
    """Return the last month of a task that is closed.

    Args:
        site: The site.
        slug: The task.

    Returns:
        The month; None if no month is closed.

    """
    with site.board.database.read() as connection:
        names = closed_months(connection, slug)
    return parse_month(names[0]) if names else None


def month_parts(month: VisibleMonth, words: Words) -> dict[str, object]:
    """Return the name, the state and the path of a month.

    Args:
        month: The month.
        words: The words.

    Returns:
        Values for the templates.

    """
    return {
        "name": str(month.month),
        "state": words(f"month_{month.state}"),
        "class": BADGES[month.state],
        "href": task_path(month.task, f"months/{month.month}"),
    }
