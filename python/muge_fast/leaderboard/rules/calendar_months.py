"""Calendar months of a time zone: their names, and the moments at which they begin."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from muge_fast._internal.display import format_argument
from muge_fast.leaderboard.rules.moments import to_utc
from muge_fast.leaderboard.rules.refusals import RefusalError

NAME = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1970, 9998
MONTHS = 12


@dataclass(frozen=True, order=True)
class Month:
    """A month of the calendar; the text of it is ``yyyy-mm``.

    Attributes:
        year: Year from 1970 to 9998.
        number: Month from 1 to 12.

    Raises:
        ValueError: The year or the number is outside of these.

    Example:
        >>> from muge_fast.leaderboard.rules.calendar_months import Month
        >>> str(Month(2026, 2)), Month(2026, 2) < Month(2026, 11)
        ('2026-02', True)

    """

    year: int
    number: int

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not (FIRST_YEAR <= self.year <= LAST_YEAR and 1 <= self.number <= MONTHS):
            raise ValueError(f"there is no month {self.number} of the year {self.year} between 1970-01 and 9998-12")

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    def plus(self, months: int) -> Month:
        """Return the month that is a number of months later.

        Args:
            months: Number of months; negative for an earlier month.

        Returns:
            The other month.

        Example:
            >>> from muge_fast.leaderboard.rules.calendar_months import Month
            >>> str(Month(2026, 12).plus(1)), str(Month(2026, 1).plus(-13))
            ('2027-01', '2024-12')

        """
        count = self.year * MONTHS + self.number - 1 + months
        return Month(count // MONTHS, count % MONTHS + 1)


def parse_month(text: str) -> Month:
    """Return the month of a text ``yyyy-mm``, as it stands in addresses.

    Args:
        text: Four digits, a hyphen, two digits.

    Returns:
        The month.

    Raises:
        RefusalError: The text is not a month (``not_a_month``).

    Example:
        >>> from muge_fast.leaderboard.rules.calendar_months import parse_month
        >>> parse_month("2026-11")
        Month(year=2026, number=11)
        >>> try:
        ...     parse_month("2026-13")
        ... except ValueError as error:
        ...     print(error)
        '2026-13' is not a month: write it as yyyy-mm, such as 2026-11

    """
    if found := NAME.fullmatch(text):
        with suppress(ValueError):
            return Month(int(found[1]), int(found[2]))
    shown = format_argument(text)
    raise RefusalError(
        "not_a_month",
        f"{shown} is not a month: write it as yyyy-mm, such as 2026-11",
        f"{shown} 不是月份：请写成 yyyy-mm，例如 2026-11",
    )


def month_start(month: Month, zone: ZoneInfo) -> datetime:
    """Return the moment at which a month begins: midnight of its first day in a zone.

    Where clocks are put forward at this midnight, it is the moment of the change; where they are put back over it, the
    first of the two midnights.

    Args:
        month: The month.
        zone: The zone.

    Returns:
        The moment in UTC; the end of the month before.

    Example:
        >>> from zoneinfo import ZoneInfo
        >>> from muge_fast.leaderboard.rules.calendar_months import Month, month_start
        >>> month_start(Month(2026, 12), ZoneInfo("Asia/Shanghai")).isoformat()
        '2026-11-30T16:00:00+00:00'

    """
    return datetime(month.year, month.number, 1, tzinfo=zone).astimezone(timezone.utc)


def month_of(moment: datetime, zone: ZoneInfo) -> Month:
    """Return the month of a zone that a moment belongs to.

    Args:
        moment: A moment, with any zone.
        zone: The zone of the board.

    Returns:
        The month that begins at or before the moment and ends after it.

    Example:
        >>> from datetime import datetime, timezone
        >>> from zoneinfo import ZoneInfo
        >>> from muge_fast.leaderboard.rules.calendar_months import month_of
        >>> zone = ZoneInfo("Asia/Shanghai")
        >>> str(month_of(datetime(2026, 11, 30, 15, 59, 59, 999999, timezone.utc), zone))
        '2026-11'
        >>> str(month_of(datetime(2026, 11, 30, 16, tzinfo=timezone.utc), zone))
        '2026-12'

    """
    moment = to_utc("moment", moment)
    local = moment.astimezone(zone)
    month = Month(local.year, local.month)
    # A clock that is put back over midnight shows the last evening of the month twice, the second time after its end.
    if moment >= month_start(month.plus(1), zone):
        return month.plus(1)
    return month.plus(-1) if moment < month_start(month, zone) else month
