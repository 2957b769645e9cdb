"""Checks of a board that is open: tasks, gold files, the queue, months, accounts and backups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from sqlalchemy import Connection, func, select

from muge_fast._internal.display import format_path
from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.operations.backup import BACKUP_ACTION
from muge_fast.leaderboard.operations.durable_files import hash_file
from muge_fast.leaderboard.operations.findings import Finding, finding
from muge_fast.leaderboard.standings.month_records import months_to_close
from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.store.queue import queue_state
from muge_fast.leaderboard.store.schema import account, audit, evaluation, task
from muge_fast.leaderboard.store.tasks import active_evaluator

# An idle queue judges within seconds; files of images take minutes.
LONG_WAIT = timedelta(minutes=15)
OLD_BACKUP = timedelta(days=2)
SKEW = timedelta(seconds=5)
LATE = timedelta(days=1)


def board_findings(board: Board) -> Iterator[Finding]:
    """Yield what is found about a board.

    Args:
        board: The board.

    Yields:
        The findings.

    """
    with board.database.read() as connection:
        now = board.database.now(connection)
        yield _database_clock(now)
        yield from _future(connection, now)
        for slug in board.settings.tasks:
            yield _gold(board, connection, slug)
        yield _queue(connection, now)
        yield from _lost_leases(connection, now)
        yield _faults(connection)
        yield _organizers(connection)
        yield _backups(connection, now)
    yield from _months(board)


def _database_clock(now: datetime) -> Finding:
    skew = abs(datetime.now(timezone.utc) - now)
    if skew > SKEW:
        shown = f"{skew.total_seconds():,.0f}"
        return finding(
            "database_clock",
            "warning",
            f"the clocks of this machine and of the database differ by {shown} seconds: run a service of NTP on both",
            f"本机与数据库的时钟相差 {shown} 秒：请在两边运行 NTP 服务",
        )
    return finding("database_clock", "ok", "the clock of the database agrees", "数据库时钟一致")


def _future(connection: Connection, now: datetime) -> Iterator[Finding]:
    for slug, latest in connection.execute(select(task.c.slug, task.c.last_accepted_at)):
        if latest is not None and latest > now + SKEW:
            shown = f"{latest:%Y-%m-%d %H:%M:%S} UTC"
            yield finding(
                "future",
                "warning",
                f"the latest time of {slug}, {shown}, is in the future: the clock was set back, and stands still for "
                "acceptances until then",
                f"任务 {slug} 的最近受理时间 {shown} 晚于现在：时钟曾被回拨，在此之前受理时间不再前进",
            )


def _gold(board: Board, connection: Connection, slug: str) -> Finding:
    path = board.settings.tasks[slug].gold
    try:
        active = active_evaluator(connection, slug)
        sha256 = hash_file(path)
    except (NotFoundError, OSError) as error:
        return finding(
            "gold", "fault", f"the gold file of {slug} cannot be read: {error}", f"无法读取 {slug} 的标准答案：{error}"
        )
    if active is None:
        return finding(
            "gold",
            "fault",
            f"the task {slug} has no evaluator and takes no submissions: run `muge-fast board init` or `board serve`",
            f"任务 {slug} 没有评测器，无法接受提交：请运行 `muge-fast board init` 或 `board serve`",
        )
    if active.gold_sha256 != sha256:
        shown = format_path(path.name)
        return finding(
            "gold",
            "warning",
            f"the gold file {shown} of {slug} is not that of the board: preview a new evaluation with "
            f"`muge-fast board rejudge start DIR {slug} --reason …`",
            f"{slug} 的标准答案 {shown} 与排行榜所用的不同：请用 "
            f"`muge-fast board rejudge start DIR {slug} --reason …` 预览重新评测",
        )
    return finding("gold", "ok", f"the gold file of {slug} is that of the board", f"{slug} 的标准答案与排行榜一致")


def _queue(connection: Connection, now: datetime) -> Finding:
    state = queue_state(connection)
    counts_en = f"{state.queued} evaluations wait, {state.running} run"
    counts_zh = f"{state.queued} 个评测在排队，{state.running} 个在运行"
    age = timedelta(0) if state.oldest is None else now - state.oldest
    if age > LONG_WAIT:
        minutes = f"{age.total_seconds() / 60:,.0f}"
        return finding(
            "queue",
            "fault",
            f"{counts_en}, the oldest for {minutes} minutes: look whether workers run, and at their log",
            f"{counts_zh}，最久的已等待 {minutes} 分钟：请检查评测进程是否运行，并查看其日志",
        )
    return finding("queue", "ok", counts_en, counts_zh)


def _lost_leases(connection: Connection, now: datetime) -> Iterator[Finding]:
    over = select(func.count()).where(evaluation.c.state == "running", evaluation.c.lease_until < now)
    if count := connection.execute(over).scalar_one():
        yield finding(
            "leases",
            "warning",
            f"{count} evaluations have lost their worker, and no other worker takes them: start a worker",
            f"{count} 个评测失去了评测进程，且没有其他进程接手：请启动评测进程",
        )


def _faults(connection: Connection) -> Finding:
    count = queue_state(connection).faulted
    if count:
        return finding(
            "faults",
            "warning",
            f"{count} evaluations ended by faults of the site: read their causes on the page of the queue, and requeue",
            f"{count} 个评测因网站故障而结束：请在队列页面查看原因并重新排队",
        )
    return finding("faults", "ok", "no evaluation has ended by a fault", "没有因故障结束的评测")


def _organizers(connection: Connection) -> Finding:
    able = account.c.role.in_(("organizer", "admin")) & account.c.disabled_at.is_(None)
    if connection.execute(select(func.count()).where(able)).scalar_one():
        return finding("organizers", "ok", "there is an account of an organizer", "已有组织者账号")
    return finding(
        "organizers",
        "warning",
        "no account can see faults and rule: make one with `muge-fast board user add DIR NAME --role organizer`",
        "没有可以查看故障和裁定的账号：请用 `muge-fast board user add DIR NAME --role organizer` 创建",
    )


def _backups(connection: Connection, now: datetime) -> Finding:
    newest = select(func.max(audit.c.seq)).where(audit.c.action == BACKUP_ACTION).scalar_subquery()
    made = connection.execute(select(audit.c.at).where(audit.c.seq == newest)).scalar()
    advice_en = "run `muge-fast board backup DIR TARGET` every night"
    advice_zh = "请每晚运行 `muge-fast board backup DIR TARGET`"
    if made is None:
        return finding("backup", "warning", f"there is no backup: {advice_en}", f"从未备份：{advice_zh}")
    hours = f"{(now - made).total_seconds() / 3600:,.0f}"
    if now - made > OLD_BACKUP:
        return finding(
            "backup",
            "warning",
            f"the last backup is {hours} hours old: {advice_en}",
            f"最近一次备份在 {hours} 小时前：{advice_zh}",
        )
    return finding("backup", "ok", f"the last backup is {hours} hours old", f"最近一次备份在 {hours} 小时前")


def _months(board: Board) -> Iterator[Finding]:
    for slug in board.settings.tasks:
        try:
            open_months = months_to_close(board, slug)
        except NotFoundError:
            continue
        for month in open_months:
            yield finding(
                "months",
                "warning",
                f"the month {month} of {slug} has ended and is not closed: a worker closes it, or run "
                f"`muge-fast board close-month DIR {slug} {month}`",
                f"{slug} 的 {month} 月已结束但未结算：全部评测后由评测进程结算，或运行 "
                f"`muge-fast board close-month DIR {slug} {month}`",
            )
