"""Checks of rows against each other, by queries that return the rows that are wrong.

Constraints and triggers of the database refuse most of this when it is written. The queries find what was changed
without them: by an owner of the database who dropped a trigger, by a faulty disk, by a program with an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, text

from muge_fast.leaderboard.operations.messages import Message
from muge_fast.leaderboard.store.audit import audit_entries
from muge_fast.leaderboard.store.migrations.versions.r0001_first_tables import GUARDS

SHOWN = 5


class RowCheck(NamedTuple):
    """A query of rows that are wrong.

    Attributes:
        query: It returns the name of each wrong row in its first column.
        en: What is wrong with ``{rows}``, in English.
        zh: The same in Chinese.

    """

    query: str
    en: str
    zh: str


CHECKS = (
    RowCheck(
        "SELECT submission.id FROM submission LEFT JOIN evaluation "
        "ON evaluation.submission = submission.id AND evaluation.original WHERE evaluation.id IS NULL",
        "submissions without an evaluation, which no worker judges: {rows}",
        "没有评测记录、不会被评测的提交：{rows}",
    ),
    RowCheck(
        "SELECT evaluation.id FROM evaluation LEFT JOIN verdict ON verdict.evaluation = evaluation.id "
        "WHERE evaluation.state IN ('scored', 'invalid') AND verdict.evaluation IS NULL",
        "evaluations that ended without a verdict: {rows}",
        "已结束但没有结果的评测：{rows}",
    ),
    RowCheck(
        "SELECT verdict.evaluation FROM verdict JOIN evaluation ON evaluation.id = verdict.evaluation "
        "WHERE evaluation.state <> CASE WHEN verdict.ok THEN 'scored' ELSE 'invalid' END",
        "verdicts that differ from the state of their evaluation: {rows}",
        "与评测状态不一致的结果：{rows}",
    ),
    RowCheck(
        "SELECT verdict.evaluation FROM verdict JOIN evaluation ON evaluation.id = verdict.evaluation "
        "JOIN submission ON submission.id = evaluation.submission WHERE verdict.submission <> evaluation.submission "
        "OR verdict.evaluator <> evaluation.evaluator OR verdict.team <> submission.team "
        "OR verdict.accepted_at <> submission.accepted_at",
        "verdicts that belong to another submission, team or time: {rows}",
        "所属提交、团队或时间不一致的结果：{rows}",
    ),
    RowCheck(
        "SELECT verdict.evaluation FROM verdict JOIN submission ON submission.id = verdict.submission "
        "JOIN task ON task.slug = submission.task WHERE verdict.ok AND verdict.order_key <> "
        "CASE WHEN task.higher_is_better THEN -verdict.published ELSE verdict.published END",
        "verdicts that are ordered in the wrong direction: {rows}",
        "排序方向错误的结果：{rows}",
    ),
    RowCheck(
        "SELECT team || '/' || task FROM submission GROUP BY team, task "
        "HAVING count(*) <> max(number) OR min(number) <> 1",
        "teams and tasks whose numbers of submissions have gaps, so that rows are missing: {rows}",
        "提交编号有缺口、缺少记录的团队与任务：{rows}",
    ),
    RowCheck(
        "SELECT later.id FROM submission AS later JOIN submission AS earlier ON earlier.team = later.team "
        "AND earlier.task = later.task AND earlier.number = later.number - 1 "
        "WHERE later.accepted_at < earlier.accepted_at",
        "submissions that were accepted before their predecessor: {rows}",
        "受理时间早于前一次提交的提交：{rows}",
    ),
    RowCheck(
        "SELECT task || '/' || month FROM month GROUP BY task, month HAVING count(*) <> max(revision)",
        "months whose revisions have gaps: {rows}",
        "修订编号有缺口的月份：{rows}",
    ),
    RowCheck(
        "SELECT month.task || '/' || month.month FROM month JOIN evaluator ON evaluator.id = month.evaluator "
        "WHERE evaluator.task <> month.task",
        "months with the evaluator of another task: {rows}",
        "使用了其他任务评测器的月份：{rows}",
    ),
)


def row_faults(connection: Connection) -> Iterator[Message]:
    """Yield a sentence for each check that finds wrong rows.

    Args:
        connection: Connection of a snapshot.

    Yields:
        The sentences.

    """
    for check in CHECKS:
        found = [str(row[0]) for row in connection.execute(text(check.query)).fetchmany(SHOWN + 1)]
        if found:
            more = " …" if len(found) > SHOWN else ""
            rows = ", ".join(found[:SHOWN]) + more
            yield Message(check.en.format(rows=rows), check.zh.format(rows=rows))


def database_faults(connection: Connection) -> Iterator[Message]:
    """Yield a sentence for each fault of the database itself: damaged pages, broken references, missing triggers.

    Args:
        connection: Connection of a snapshot.

    Yields:
        The sentences.

    """
    if connection.dialect.name == "sqlite":
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check(5)"):
            if line != "ok":
                yield Message(f"the database file is damaged: {line}", f"数据库文件已损坏：{line}")
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(SHOWN):
            yield Message(
                f"a row of {row[0]} refers to a missing row of {row[2]}", f"{row[0]} 的一行引用了 {row[2]} 中不存在的行"
            )
    for name in sorted(_expected_triggers(connection) - _triggers(connection)):
        yield Message(
            f"the trigger {name} is missing or disabled, so rows that must stay can change: find out who removed it",
            f"触发器 {name} 缺失或被禁用，本应不变的数据可能被修改：请查明是谁移除的",
        )


def _expected_triggers(connection: Connection) -> set[str]:
    names = {f"guard_{guard.table}_{event}" for guard in GUARDS for event in ("update", "delete")}
    names |= {f"guard_{guard.table}_final" for guard in GUARDS if guard.final}
    if connection.dialect.name == "postgresql":
        names |= {f"guard_{guard.table}_truncate" for guard in GUARDS}
    return names


def _triggers(connection: Connection) -> set[str]:
    query = (
        "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
    )
    return set(connection.exec_driver_sql(query).scalars())


def audit_differences(connection: Connection) -> Iterator[Message]:
    """Yield a sentence for each month or evaluator that differs from what the audit log has noted about it.

    The log is chained by hashes, so a month that was changed together with its own hash is found.

    Args:
        connection: Connection of a snapshot.

    Yields:
        The sentences.

    """
    noted: dict[str, dict[str, object]] = {"month": {}, "evaluator": {}}
    for entry in audit_entries(connection):
        after = entry.after
        if entry.action == "month.write" and isinstance(after, Mapping):
            noted["month"][f"{entry.subject}, revision {after.get('revision')}"] = after.get("sha256")
        elif entry.action == "evaluator.add" and isinstance(after, Mapping):
            noted["evaluator"][entry.subject] = after.get("gold_sha256")
    months = text("SELECT task || '/' || month || ', revision ' || revision, sha256 FROM month")
    evaluators = text("SELECT id, gold_sha256 FROM evaluator")
    stored: dict[str, dict[str, object]] = {
        kind: {row[0]: row[1] for row in connection.execute(query)}
        for kind, query in (("month", months), ("evaluator", evaluators))
    }
    words = {"month": "月份", "evaluator": "评测器"}
    for kind, rows in stored.items():
        for name in sorted(rows.keys() | noted[kind].keys()):
            if rows.get(name) != noted[kind].get(name):
                yield Message(
                    f"the {kind} {name} is not what the audit log has noted: it was changed, added or removed by hand",
                    f"{words[kind]} {name} 与审计日志的记录不符：曾被手工修改、添加或删除",
                )
