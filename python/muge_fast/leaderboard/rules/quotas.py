"""Quotas: how many files a team may send for a task, and when the next one is free.

Four counts are limited: files without errors, and all files, each in the last 24 hours and in the calendar month of the
board's zone. Faults of the site and cancelled files do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Literal
from zoneinfo import ZoneInfo

from muge_fast.leaderboard.rules.calendar_months import MONTHS, month_of, month_start
from muge_fast.leaderboard.rules.moments import acceptance_time, to_utc
from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.rules.states import State

LimitName = Literal["valid_per_day", "all_per_day", "valid_per_month", "all_per_month"]

LIMIT_NAMES: tuple[LimitName, ...] = ("valid_per_day", "all_per_day", "valid_per_month", "all_per_month")

DAY = timedelta(hours=24)

# Files that wait for their verdict count as valid: they may become so.
COUNTED_AS_VALID: frozenset[State] = frozenset({"queued", "running", "scored"})
COUNTED: frozenset[State] = COUNTED_AS_VALID | {"invalid"}

LIMITS_EN = {
    "valid_per_day": "valid submissions in 24 hours ({limit})",
    "all_per_day": "submissions in 24 hours, files with errors included ({limit})",
    "valid_per_month": "valid submissions in a calendar month ({limit})",
    "all_per_month": "submissions in a calendar month, files with errors included ({limit})",
}
LIMITS_ZH = {
    "valid_per_day": "24 小时内最多 {limit} 次有效提交",
    "all_per_day": "24 小时内最多 {limit} 次提交（包括有错误的文件）",
    "valid_per_month": "每个自然月最多 {limit} 次有效提交",
    "all_per_month": "每个自然月最多 {limit} 次提交（包括有错误的文件）",
}


@dataclass(frozen=True)
class Limits:
    """Limits of a team for one task; 0 stands for no limit.

    Attributes:
        valid_per_day: Files without errors in the last 24 hours.
        all_per_day: All files in the last 24 hours.
        valid_per_month: Files without errors in the calendar month.
        all_per_month: All files in the calendar month.

    """

    valid_per_day: int = 5
    all_per_day: int = 25
    valid_per_month: int = 0
    all_per_month: int = 0

    def of(self, name: LimitName) -> int:
        """Return a limit by its name.

        Args:
            name: Name of an attribute.

        Returns:
            The limit.

        Example:
            >>> from muge_fast.leaderboard.rules.quotas import Limits
            >>> Limits(valid_per_day=3).of("valid_per_day")
            3

        """
        return int(getattr(self, name))


@dataclass(frozen=True)
class Use:
    """A submission for the task, which may count.

    Attributes:
        accepted_at: Time of acceptance, with a zone.
        state: State of its evaluation by the evaluator that was active at acceptance; a later one changes no quota.
        waived: Whether it is free in any state, because it once was ``faulted``. Otherwise the team would lose a file
            when an organizer puts it into the queue again.
        team: Id of the team that it was sent for.
        account: Id of the account that sent it.

    """

    accepted_at: datetime
    state: State
    waived: bool = False
    team: str = ""
    account: str = ""

    def counts(self, name: LimitName) -> bool:
        """Return whether the submission counts for a limit, in any period.

        Args:
            name: Name of the limit.

        Returns:
            Whether its state counts, and it is not waived.

        Example:
            >>> from datetime import datetime, timezone
            >>> from muge_fast.leaderboard.rules.quotas import Use
            >>> use = Use(datetime(2026, 11, 27, tzinfo=timezone.utc), "invalid")
            >>> use.counts("all_per_day"), use.counts("valid_per_day")
            (True, False)

        """
        return not self.waived and self.state in (COUNTED_AS_VALID if name.startswith("valid") else COUNTED)


@dataclass(frozen=True)
class Quota:
    """The use that a team has made of its limits at a moment.

    Attributes:
        at: The moment, which is the time of acceptance of a file that is accepted now.
        used: Number of counted files for each limit.
        limits: The limits.
        next_free: When one more file is possible: ``at`` if it is possible now. Files that wait for their verdict may
            turn out invalid or be cancelled, and make it earlier.

    """

    at: datetime
    used: dict[LimitName, int]
    limits: Limits
    next_free: datetime

    @property
    def is_free(self) -> bool:
        """Whether one more file is possible now."""
        return not self.reached

    @property
    def reached(self) -> tuple[LimitName, ...]:
        """Names of the limits that are reached."""
        return tuple(name for name in LIMIT_NAMES if 0 < self.limits.of(name) <= self.used[name])

    @property
    def left(self) -> int | None:
        """Number of files without errors that are possible now; None for no limit."""
        limited = [self.limits.of(name) - self.used[name] for name in LIMIT_NAMES if self.limits.of(name)]
        return max(0, min(limited)) if limited else None


def measure_quota(uses: Iterable[Use], limits: Limits, *, now: datetime, zone: ZoneInfo) -> Quota:
    """Count the files of a team for each limit, and find when the next file is possible.

    The count must be made inside the transaction that inserts the submission, or two requests at once both pass.

    Args:
        uses: The team's submissions for the task, from :func:`charged_uses`. Those of the calendar month and of the
            last 24 hours are enough, if the latest of all is among them.
        limits: Limits of the task.
        now: Time of the clock, or better :func:`.moments.acceptance_time` of it and the latest acceptance of all teams.
            An acceptance after it means that the clock stepped back; then the latest one counts.
        zone: Zone of the board, for calendar months.

    Returns:
        Counts, and the time of the next free file.

    Raises:
        ValueError: A time has no zone.

    Example:
        >>> from datetime import datetime, timezone
        >>> from zoneinfo import ZoneInfo
        >>> from muge_fast.leaderboard.rules.quotas import Limits, Use, measure_quota
        >>> noon = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
        >>> uses = [Use(noon.replace(hour=8), "scored"), Use(noon.replace(hour=9), "faulted")]
        >>> quota = measure_quota(uses, Limits(valid_per_day=1), now=noon, zone=ZoneInfo("Asia/Shanghai"))
        >>> quota.is_free, quota.reached, quota.next_free.isoformat()
        (False, ('valid_per_day',), '2026-11-28T08:00:00+00:00')

    """
    uses = list(uses)
    at = acceptance_time(now, (use.accepted_at for use in uses))
    month = month_of(at, zone)
    start, end = month_start(month, zone), month_start(month.plus(1), zone)
    used: dict[LimitName, int] = {}
    free = [at]
    for name in LIMIT_NAMES:
        counted = sorted(to_utc("accepted_at", use.accepted_at) for use in uses if use.counts(name))
        is_daily = name.endswith("day")
        inside = [moment for moment in counted if (moment > at - DAY if is_daily else moment >= start)]
        used[name] = len(inside)
        excess = len(inside) - limits.of(name)
        if limits.of(name) and excess >= 0:
            # A day is free once only one fewer than the limit is inside; a month ends for all at once.
            free.append(inside[excess] + DAY if is_daily else end)
    return Quota(at, used, limits, max(free))


def check_quota(quota: Quota, *, zone: ZoneInfo) -> None:
    """Raise if no file is possible now, with the limits that are reached and the time of the next file.

    Args:
        quota: Result of :func:`measure_quota`.
        zone: Zone in which the time is shown.

    Raises:
        RefusalError: A limit is reached (``quota_reached``).

    Example:
        >>> from datetime import datetime, timezone
        >>> from zoneinfo import ZoneInfo
        >>> from muge_fast.leaderboard.rules.quotas import Limits, Use, check_quota, measure_quota
        >>> zone, noon = ZoneInfo("Asia/Shanghai"), datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
        >>> quota = measure_quota([Use(noon, "scored")], Limits(valid_per_day=1), now=noon, zone=zone)
        >>> try:
        ...     check_quota(quota, zone=zone)
        ... except ValueError as error:
        ...     print(error)
        limit reached: valid submissions in 24 hours (1); the next is possible at 2026-11-28 20:00:00 (UTC+08:00)

    """
    if quota.is_free:
        return
    texts = (LIMITS_EN, LIMITS_ZH)
    en, zh = ([text[name].format(limit=quota.limits.of(name)) for name in quota.reached] for text in texts)
    shown = _shown(quota.next_free, zone)
    raise RefusalError(
        "quota_reached",
        f"limit reached: {', '.join(en)}; the next is possible at {shown}",
        f"已达上限：{'，'.join(zh)}；{shown} 起可再次提交",
    )


def check_open(*, opens: datetime | None, closes: datetime | None, now: datetime, zone: ZoneInfo) -> None:
    """Raise if a task takes no submissions at a moment. The time of acceptance counts, not the start of the upload.

    Args:
        opens: First moment at which it does; None for no start.
        closes: First moment at which it no longer does; None for no end.
        now: Time of acceptance.
        zone: Zone in which times are shown.

    Raises:
        RefusalError: The task is not open yet (``not_open``), or closed (``closed``).

    Example:
        >>> from datetime import datetime, timezone
        >>> from zoneinfo import ZoneInfo
        >>> from muge_fast.leaderboard.rules.quotas import check_open
        >>> end = datetime(2026, 11, 30, 16, tzinfo=timezone.utc)
        >>> try:
        ...     check_open(opens=None, closes=end, now=end, zone=ZoneInfo("Asia/Shanghai"))
        ... except ValueError as error:
        ...     print(error)
        the task takes no more submissions: it closed at 2026-12-01 00:00:00 (UTC+08:00)

    """
    at = to_utc("now", now)
    if opens is not None and at < to_utc("opens", opens):
        shown = _shown(opens, zone)
        raise RefusalError(
            "not_open", f"the task takes no submissions yet: it opens at {shown}", f"任务尚未开放：{shown} 开始"
        )
    if closes is not None and at >= to_utc("closes", closes):
        shown = _shown(closes, zone)
        raise RefusalError(
            "closed",
            f"the task takes no more submissions: it closed at {shown}",
            f"任务已停止接收提交：已于 {shown} 截止",
        )


def _shown(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment in a zone, rounded up: at the second that is shown, a participant must not be early."""
    local = (moment + timedelta(microseconds=-moment.microsecond % 1_000_000)).astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S} (UTC{local.isoformat()[19:]})"


def charged_uses(uses: Iterable[Use], *, team: str, members: Iterable[str]) -> tuple[Use, ...]:
    """Return the submissions that count for a team: its submissions, and those its members sent for other teams.

    So no one gets new files by leaving a team, founding one, or moving to another.

    Args:
        uses: Submissions of all teams for the task.
        team: Id of the team.
        members: Ids of the accounts that are in the team now.

    Returns:
        The submissions, each once.

    Example:
        >>> from datetime import datetime, timezone
        >>> from muge_fast.leaderboard.rules.quotas import Use, charged_uses
        >>> noon = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
        >>> uses = [Use(noon, "scored", team="old", account=account) for account in ("ann", "bob")]
        >>> [use.account for use in charged_uses(uses, team="new", members=["ann"])]
        ['ann']

    """
    accounts = frozenset(members)
    return tuple(use for use in uses if use.team == team or use.account in accounts)


def check_merger(
    teams: Sequence[Iterable[Use]], limits: Limits, *, opened_at: datetime, now: datetime, zone: ZoneInfo
) -> None:
    """Raise if teams together have sent more than one team could have sent since the task opened.

    Allowed are a day's limit for each 24 hours that have begun, and a month's limit for each calendar month that has
    begun. After the merger, the submissions of all of them count for the new team.

    Args:
        teams: Submissions of each team for the task.
        limits: Limits of the task.
        opened_at: When the task opened.
        now: Time of the clock.
        zone: Zone of the board.

    Raises:
        RefusalError: They have sent too many (``merger_over_quota``).

    Example:
        >>> from datetime import datetime, timezone
        >>> from zoneinfo import ZoneInfo
        >>> from muge_fast.leaderboard.rules.quotas import Limits, Use, check_merger
        >>> noon = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
        >>> teams = [[Use(noon, "scored")], [Use(noon, "scored")]]
        >>> options = {"opened_at": noon, "zone": ZoneInfo("Asia/Shanghai")}
        >>> check_merger(teams, Limits(valid_per_day=1), now=noon.replace(day=29), **options)
        >>> try:
        ...     check_merger(teams, Limits(valid_per_day=1), now=noon, **options)
        ... except ValueError as error:
        ...     print(error)
        the teams cannot merge yet: together they have 2 of the 1 submissions possible so far (valid_per_day: 1)

    """
    uses = [use for team in teams for use in team]
    opened, at = to_utc("opened_at", opened_at), acceptance_time(now, (use.accepted_at for use in uses))
    periods = {"day": max(1, ceil((at - opened) / DAY)), "month": max(1, _months_begun(opened, at, zone))}
    for name in LIMIT_NAMES:
        used = sum(use.counts(name) for use in uses)
        limit = limits.of(name)
        allowed = limit * periods[name.rpartition("_")[2]]
        if limit and used > allowed:
            raise RefusalError(
                "merger_over_quota",
                f"the teams cannot merge yet: together they have {used} of the {allowed} submissions possible so far "
                f"({name}: {limit})",
                f"这些队伍暂时不能合并：合计已提交 {used} 次，而至今最多可提交 {allowed} 次（{name}：{limit}）",
            )


def _months_begun(opened: datetime, at: datetime, zone: ZoneInfo) -> int:
    first, last = month_of(opened, zone), month_of(at, zone)
    return (last.year - first.year) * MONTHS + last.number - first.number + 1
