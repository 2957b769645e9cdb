"""Moments in time: aware datetimes only, compared and counted in UTC."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone


def to_utc(name: str, moment: datetime) -> datetime:
    """Return a moment in UTC.

    Arithmetic with a ``datetime`` of another zone is that of its wall clock, in which a day may have 23 hours.

    Args:
        name: Name of the argument, for errors.
        moment: The moment, with a zone.

    Returns:
        The same moment in UTC.

    Raises:
        TypeError: ``moment`` is not a ``datetime``.
        ValueError: It has no zone.

    Example:
        >>> from datetime import datetime
        >>> from zoneinfo import ZoneInfo
        >>> from muge_fast.leaderboard.rules.moments import to_utc
        >>> to_utc("now", datetime(2026, 12, 1, tzinfo=ZoneInfo("Asia/Shanghai"))).isoformat()
        '2026-11-30T16:00:00+00:00'
        >>> to_utc("now", datetime(2026, 12, 1))
        Traceback (most recent call last):
        ...
        ValueError: now must have a time zone, got 2026-12-01T00:00:00: pass datetime.now(timezone.utc)

    """
    if not isinstance(moment, datetime):
        raise TypeError(f"{name} must be a datetime, got {type(moment).__name__}")
    if moment.utcoffset() is None:
        raise ValueError(f"{name} must have a time zone, got {moment.isoformat()}: pass datetime.now(timezone.utc)")
    return moment.astimezone(timezone.utc)


def acceptance_time(now: datetime, accepted: Iterable[datetime]) -> datetime:
    """Return the time of acceptance of a new submission: never before an earlier acceptance.

    A clock that steps back would otherwise put a later submission first, and count it in another window.

    Args:
        now: Time of the clock.
        accepted: Times of earlier acceptances.

    Returns:
        The latest of all of them, in UTC.

    Example:
        >>> from datetime import datetime, timezone
        >>> from muge_fast.leaderboard.rules.moments import acceptance_time
        >>> noon = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
        >>> acceptance_time(noon.replace(hour=11), [noon]).hour
        12

    """
    return max([to_utc("now", now), *(to_utc("accepted", moment) for moment in accepted)])
