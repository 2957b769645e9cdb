"""Admission: whether a task takes one more submission of a team at a moment, by its times and limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from muge_fast.leaderboard.rules.quotas import Use, check_open, check_quota, measure_quota
from muge_fast.leaderboard.rules.settings import TaskSettings


def admission(task: TaskSettings, zone: ZoneInfo) -> Callable[[datetime, Sequence[Use]], None]:
    r"""Return the rule that refuses a submission which is too early, too late or one too many.

    Args:
        task: Settings of the task.
        zone: Zone of the board.

    Returns:
        A function of the time of acceptance and the submissions that count for the team. It raises
        :class:`~muge_fast.leaderboard.rules.refusals.RefusalError` to refuse.

    Example:
        >>> from datetime import datetime, timezone
        >>> from pathlib import Path
        >>> from muge_fast.leaderboard.rules.admission import admission
        >>> from muge_fast.leaderboard.rules.settings import parse_settings
        >>> settings = parse_settings('[tasks.caption]\ngold = "g"\ncloses = 2026-12-01', folder=Path("board"))
        >>> admit = admission(settings.tasks["caption"], settings.zone)
        >>> admit(datetime(2026, 11, 30, 15, tzinfo=timezone.utc), ())
        >>> try:
        ...     admit(datetime(2026, 11, 30, 16, tzinfo=timezone.utc), ())
        ... except ValueError as error:
        ...     print(error)
        the task takes no more submissions: it closed at 2026-12-01 00:00:00 (UTC+08:00)

    """

    def admit(now: datetime, past: Sequence[Use]) -> None:
        check_open(opens=task.opens, closes=task.closes, now=now, zone=zone)
        check_quota(measure_quota(past, task.limits, now=now, zone=zone), zone=zone)

    return admit
