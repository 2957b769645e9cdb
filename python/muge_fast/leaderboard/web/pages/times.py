"""Moments as pages show them: in the zone of the board, as elements that programs can read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from muge_fast.leaderboard.web.pages.words import Words

FORMS = {"day": "%Y-%m-%d", "minute": "%Y-%m-%d %H:%M", "second": "%Y-%m-%d %H:%M:%S", "full": "%Y-%m-%d %H:%M"}


def offset_of(moment: datetime, zone: ZoneInfo) -> str:
    """Return the offset of a zone at a moment.

    Args:
        moment: The moment.
        zone: The zone.

    Returns:
        Sign, hours and minutes.

    Example:
        >>> from datetime import datetime, timezone
        >>> from zoneinfo import ZoneInfo
        >>> from muge_fast.leaderboard.web.pages.times import offset_of
        >>> offset_of(datetime(2026, 12, 1, tzinfo=timezone.utc), ZoneInfo("Asia/Shanghai"))
        '+08:00'

    """
    return moment.astimezone(zone).isoformat()[-6:]


def time_text(moment: datetime, zone: ZoneInfo, form: str = "full") -> str:
    """Return a moment as text in a zone.

    Args:
        moment: The moment.
        zone: The zone.
        form: ``"day"``, ``"minute"``, ``"second"``, or ``"full"`` for minutes and the offset.

    Returns:
        The text.

    """
    text = moment.astimezone(zone).strftime(FORMS[form])
    return f"{text} (UTC{offset_of(moment, zone)})" if form == "full" else text


def time_writer(zone: ZoneInfo) -> Callable[..., Markup]:
    """Return the function by which templates write a moment.

    Args:
        zone: Zone of the board.

    Returns:
        A function of the moment and a form of :func:`time_text`, which returns an element ``time``.

    Example:
        >>> from datetime import datetime, timezone
        >>> from zoneinfo import ZoneInfo
        >>> from muge_fast.leaderboard.web.pages.times import time_writer
        >>> when = time_writer(ZoneInfo("Asia/Shanghai"))
        >>> print(when(datetime(2026, 12, 1, tzinfo=timezone.utc), "day"))
        <time datetime="2026-12-01T08:00:00+08:00" title="2026-12-01 08:00 (UTC+08:00)">2026-12-01</time>

    """

    def when(moment: datetime, form: str = "full") -> Markup:
        local = moment.astimezone(zone).isoformat(timespec="seconds")
        text, full = time_text(moment, zone, form), time_text(moment, zone)
        title = Markup("") if text == full else Markup(' title="{}"').format(full)
        return Markup('<time datetime="{}"{}>{}</time>').format(local, title, text)

    return when


def span_text(span: timedelta, words: Words) -> str:
    """Return a span of time in its largest unit.

    Args:
        span: The span.
        words: The words.

    Returns:
        The text.

    Example:
        >>> from datetime import timedelta
        >>> from muge_fast.leaderboard.web.pages.times import span_text
        >>> from muge_fast.leaderboard.web.pages.words import Words
        >>> span_text(timedelta(days=3, hours=5), Words("en")), span_text(timedelta(seconds=90), Words("zh"))
        ('3 days', '1 分钟')

    """
    seconds = max(0, int(span.total_seconds()))
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= length:
            return words.count(f"n_{unit}", seconds // length)
    return words.count("n_seconds", seconds)
