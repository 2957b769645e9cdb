"""Monthly results: when a month may be closed, the record of it, and corrections.

A record has two lists: the board at the end of the month, of the best submissions so far, and the best of the month
alone. A record never changes; a correction is a new revision with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from muge_fast.leaderboard.rules.calendar_months import Month, month_start
from muge_fast.leaderboard.rules.moments import to_utc
from muge_fast.leaderboard.rules.ranking import PRIZES, Entry, Finalist, RankingRule, rank_entries, select_finalists
from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.rules.states import TERMINAL, State

VETTING_DAYS = 10


@dataclass(frozen=True)
class MonthRecord:
    """The result of a task in a month.

    Attributes:
        month: The month.
        zone: Name of the board's zone.
        boundary: End of the month in UTC; a submission accepted at this moment belongs to the next month.
        evaluator: Id of the evaluator that made the scores.
        closed_at: When this revision was made, in UTC.
        board: Winners of the board at the boundary: the best submission of each team since the task opened.
        of_month: Winners among the submissions that were accepted in the month.
        revision: 1 for the first record of the month; each correction adds one.
        reason: Why the record was corrected; empty for the first.

    """

    month: Month
    zone: str
    boundary: datetime
    evaluator: str
    closed_at: datetime
    board: tuple[Finalist, ...]
    of_month: tuple[Finalist, ...]
    revision: int = 1
    reason: str = ""


def check_closable(
    submissions: Iterable[tuple[datetime, State]], month: Month, *, zone: ZoneInfo, now: datetime
) -> None:
    """Raise if a month cannot be closed yet: it has not ended, or a verdict of a submission before its end is missing.

    Args:
        submissions: Time of acceptance and state of every submission of the task, later ones included or not.
        month: The month.
        zone: Zone of the board.
        now: Time of the clock.

    Raises:
        RefusalError: The month has not ended (``month_not_over``), or evaluations are pending (``month_pending``).

    Example:
        >>> from datetime import datetime, timezone
        >>> from zoneinfo import ZoneInfo
        >>> from muge_fast.leaderboard.rules.calendar_months import Month
        >>> from muge_fast.leaderboard.rules.months import check_closable
        >>> zone, end = ZoneInfo("Asia/Shanghai"), datetime(2026, 11, 30, 16, tzinfo=timezone.utc)
        >>> check_closable([(end.replace(hour=15), "scored"), (end, "queued")], Month(2026, 11), zone=zone, now=end)
        >>> try:
        ...     check_closable([(end.replace(hour=15), "running")], Month(2026, 11), zone=zone, now=end)
        ... except ValueError as error:
        ...     print(error)
        2026-11 cannot be closed yet: evaluations of it or of earlier months are pending (1); try again later

    """
    boundary = month_start(month.plus(1), zone)
    if to_utc("now", now) < boundary:
        end = boundary.astimezone(zone).isoformat(sep=" ")
        raise RefusalError(
            "month_not_over",
            f"{month} cannot be closed yet: it ends at {end}",
            f"{month} 尚不能结算：该月于 {end} 结束",
        )
    pending = sum(to_utc("accepted_at", moment) < boundary and state not in TERMINAL for moment, state in submissions)
    if pending:
        raise RefusalError(
            "month_pending",
            f"{month} cannot be closed yet: evaluations of it or of earlier months are pending ({pending}); "
            "try again later",
            f"{month} 尚不能结算：该月或更早的提交中还有 {pending} 个评测未完成，请等待完成后再试",
        )


def close_month(
    entries: Iterable[Entry],
    month: Month,
    rule: RankingRule,
    *,
    zone: ZoneInfo,
    evaluator: str,
    now: datetime,
    prizes: int = PRIZES,
) -> MonthRecord:
    """Return the record of a month. :func:`check_closable` says whether it may be made.

    Args:
        entries: Submissions of the task with their scores; those accepted after the month are left out here.
        month: The month.
        rule: How scores are published and compared.
        zone: Zone of the board.
        evaluator: Id of the evaluator that made the scores.
        now: Time of the clock.
        prizes: Number of prizes.

    Returns:
        The first revision.

    Raises:
        RefusalError: The month has not ended (``month_not_over``).

    Example:
        >>> from datetime import datetime, timezone
        >>> from zoneinfo import ZoneInfo
        >>> from muge_fast.leaderboard.rules.calendar_months import Month
        >>> from muge_fast.leaderboard.rules.months import close_month
        >>> from muge_fast.leaderboard.rules.ranking import Entry, RankingRule
        >>> noon = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
        >>> entries = [Entry("s1", "red", 0.9, noon.replace(month=10)), Entry("s2", "blue", 0.8, noon)]
        >>> options = {"zone": ZoneInfo("Asia/Shanghai"), "evaluator": "e1", "now": noon.replace(month=12)}
        >>> record = close_month(entries, Month(2026, 11), RankingRule(), **options)
        >>> [f.row.entry.team for f in record.board], [f.row.entry.team for f in record.of_month]
        (['red', 'blue'], ['blue'])

    """
    check_closable((), month, zone=zone, now=now)
    board, of_month = _finalists(entries, month, rule, zone, prizes)
    boundary = month_start(month.plus(1), zone)
    return MonthRecord(month, zone.key, boundary, evaluator, to_utc("now", now), board, of_month)


def _finalists(
    entries: Iterable[Entry], month: Month, rule: RankingRule, zone: ZoneInfo, prizes: int
) -> tuple[tuple[Finalist, ...], tuple[Finalist, ...]]:
    start, boundary = month_start(month, zone), month_start(month.plus(1), zone)
    before = [entry for entry in entries if to_utc("accepted_at", entry.accepted_at) < boundary]
    inside = [entry for entry in before if to_utc("accepted_at", entry.accepted_at) >= start]
    board, of_month = (select_finalists(rank_entries(part, rule), prizes) for part in (before, inside))
    return board, of_month


def revise_month(
    record: MonthRecord,
    entries: Iterable[Entry],
    rule: RankingRule,
    *,
    reason: str,
    evaluator: str,
    now: datetime,
    prizes: int = PRIZES,
) -> MonthRecord:
    """Return a correction of a month's record, for example after a submission was ruled out; the record stays as it is.

    The month keeps its boundary, even if the board's zone was changed since.

    Args:
        record: The latest revision.
        entries: Submissions of the task with their scores and their present status.
        rule: How scores are published and compared.
        reason: Why the record is corrected. It is published.
        evaluator: Id of the evaluator that made the scores, mostly that of the record.
        now: Time of the clock.
        prizes: Number of prizes.

    Returns:
        The next revision.

    Raises:
        RefusalError: The reason is blank (``reason_missing``).

    Example:
        >>> from dataclasses import replace
        >>> from datetime import datetime, timezone
        >>> from zoneinfo import ZoneInfo
        >>> from muge_fast.leaderboard.rules.calendar_months import Month
        >>> from muge_fast.leaderboard.rules.months import close_month, revise_month
        >>> from muge_fast.leaderboard.rules.ranking import Entry, RankingRule
        >>> noon = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
        >>> copied, rule, options = Entry("s1", "red", 0.9, noon), RankingRule(), {"evaluator": "e1", "now": noon}
        >>> options |= {"now": noon.replace(month=12)}
        >>> record = close_month([copied], Month(2026, 11), rule, zone=ZoneInfo("Asia/Shanghai"), **options)
        >>> ruled_out = replace(copied, status="ruled_out")
        >>> revised = revise_month(record, [ruled_out], rule, reason="a copied file", **options)
        >>> revised.revision, revised.board, len(record.board)
        (2, (), 1)

    """
    if not reason.strip():
        raise RefusalError(
            "reason_missing",
            f"a correction of {record.month} needs a reason, which is published: say what was wrong",
            f"更正 {record.month} 的结果须说明原因（将会公布）：请写明哪里有误",
        )
    board, of_month = _finalists(entries, record.month, rule, ZoneInfo(record.zone), prizes)
    return MonthRecord(
        month=record.month,
        zone=record.zone,
        boundary=record.boundary,
        evaluator=evaluator,
        closed_at=to_utc("now", now),
        board=board,
        of_month=of_month,
        revision=record.revision + 1,
        reason=reason.strip(),
    )


def is_provisional(record: MonthRecord, *, now: datetime, vetting_days: int = VETTING_DAYS) -> bool:
    """Return whether a record is still provisional: the days in which winners are vetted have not passed.

    Args:
        record: A revision.
        now: Time of the clock.
        vetting_days: Days of vetting after the closing of this revision; 0 for a record that is final at once.

    Returns:
        Whether it may still be corrected as a matter of course. A correction of a final record is possible too.

    Example:
        >>> from datetime import datetime, timezone
        >>> from muge_fast.leaderboard.rules.calendar_months import Month
        >>> from muge_fast.leaderboard.rules.months import MonthRecord, is_provisional
        >>> end = datetime(2026, 11, 30, 16, tzinfo=timezone.utc)
        >>> record = MonthRecord(Month(2026, 11), "Asia/Shanghai", end, "e1", end, (), ())
        >>> is_provisional(record, now=datetime(2026, 12, 5, tzinfo=timezone.utc))
        True

    """
    return to_utc("now", now) < record.closed_at + timedelta(days=vetting_days)
