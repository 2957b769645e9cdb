"""Boards: queries over the verdicts of the active evaluator, never stored as truth."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, bindparam, func, or_, select

from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.errors import UnknownTaskError
from muge_fast.leaderboard.store.schema import evaluation, submission, task, team, verdict
from muge_fast.leaderboard.store.tasks import active_evaluator_id
from muge_fast.leaderboard.store.verdicts import read_scores

BY_AGE = (verdict.c.accepted_at, verdict.c.submission)
BATCH = 500
VERSION = select(task.c.board_version).where(task.c.slug == bindparam("slug"))


class BoardEntry(NamedTuple):
    """A scored submission, as the rules of ranking and visibility need it.

    Attributes:
        submission: Its id.
        team: Id of the team.
        team_name: Name of the team.
        alias: Name under which an anonymous team is shown.
        public: Whether the team shows its name.
        host: Whether the team is the host, whose submissions are baselines.
        number: Number of the submission among those of the team.
        accepted_at: When it was accepted.
        visible: Whether the team shows it.
        ruled_out: Whether an organizer took it out of the ranking.
        method: The method.
        links: Addresses of a paper or code.
        sha256: Hash of the file; teams with equal files have the same.
        evaluator: The evaluator.
        published: The rounded main score.
        scores: Every score by name.
        rows_blob: Hash of a stored file with scores of items; None if there is none.

    """

    submission: str
    team: str
    team_name: str
    alias: str | None
    public: bool
    host: bool
    number: int
    accepted_at: datetime
    visible: bool
    ruled_out: bool
    method: str
    links: list[str]
    sha256: str
    evaluator: str
    published: float
    scores: dict[str, float]
    rows_blob: str | None


class ShownSubmission(NamedTuple):
    """What records of months show of a submission.

    Attributes:
        submission: Its id.
        team: Id of the team.
        team_name: Name of the team.
        alias: Name under which an anonymous team is shown.
        public: Whether the team shows its name.
        method: The method.
        links: Addresses of a paper or code.

    """

    submission: str
    team: str
    team_name: str
    alias: str | None
    public: bool
    method: str
    links: list[str]


def board_version(connection: Connection, slug: str) -> int:
    """Return a number that increases whenever the board of a task could change, for caches.

    Args:
        connection: A connection.
        slug: The task.

    Returns:
        The number.

    Raises:
        NotFoundError: There is no such task.

    """
    version: int | None = connection.execute(VERSION, {"slug": slug}).scalar_one_or_none()
    if version is None:
        raise UnknownTaskError(slug)
    return version


def present_version(database: Database, slug: str) -> int:
    """Return what :func:`board_version` returns, outside a transaction: the one query of a board in memory.

    Args:
        database: The database.
        slug: The task.

    Returns:
        The number.

    Raises:
        NotFoundError: There is no such task.

    """
    version = database.value(VERSION, slug=slug)
    if not isinstance(version, int):
        raise UnknownTaskError(slug)
    return version


def board_entries(
    connection: Connection, slug: str, *, since: datetime | None = None, before: datetime | None = None
) -> list[BoardEntry]:
    """Return every scored submission of a task that its team has not withdrawn, by time of acceptance.

    Args:
        connection: A connection.
        slug: The task.
        since: Earliest time of acceptance.
        before: Time of acceptance to end before.

    Returns:
        The entries.

    """
    query = _active_entries(slug, since, before).order_by(*BY_AGE)
    return [_entry(row) for row in connection.execute(query)]


def best_entries(
    connection: Connection,
    slug: str,
    *,
    since: datetime | None = None,
    before: datetime | None = None,
    evaluator: str | None = None,
) -> list[BoardEntry]:
    """Return the best visible submission of each team, by its published score and then by time of acceptance.

    Submissions that an organizer ruled out do not count.

    Args:
        connection: A connection.
        slug: The task.
        since: Earliest time of acceptance.
        before: Time of acceptance to end before.
        evaluator: Id of the evaluator; None for the active one.

    Returns:
        An entry for each team, the best first.

    """
    chosen = active_evaluator_id(slug).scalar_subquery() if evaluator is None else evaluator
    # For each team, the index of verdicts leads to the first one in the order.
    best = (
        _chosen(select(verdict.c.evaluation).select_from(verdict), since, before)
        .where(verdict.c.evaluator == chosen, verdict.c.team == team.c.id)
        .where(submission.c.ruled_out_at.is_(None), submission.c.visible)
        # SQLite has the missing keys of files with errors first, and would read all of them.
        .where(verdict.c.order_key.is_not(None))
        .order_by(verdict.c.order_key, *BY_AGE)
        .limit(1)
        .correlate(team)
        .scalar_subquery()
    )
    # The ids first: as a condition of the next query, PostgreSQL would read every verdict.
    ids = [row for row in connection.execute(select(best).select_from(team)).scalars() if row is not None]
    rows: list[Row[Any]] = []
    for start in range(0, len(ids), BATCH):
        query = _entries(None, None).add_columns(verdict.c.order_key)
        rows += connection.execute(query.where(verdict.c.evaluation.in_(ids[start : start + BATCH])))
    rows.sort(key=lambda row: (row.order_key, row.accepted_at, row.submission))
    return [_entry(row[:-1]) for row in rows]


def baseline_entries(
    connection: Connection, slug: str, *, since: datetime | None = None, before: datetime | None = None
) -> list[BoardEntry]:
    """Return every visible submission of the host, by time of acceptance: a host may show several baselines.

    Args:
        connection: A connection.
        slug: The task.
        since: Earliest time of acceptance.
        before: Time of acceptance to end before.

    Returns:
        The entries.

    """
    hosts = list(connection.execute(select(team.c.id).where(team.c.host)).scalars())
    query = _active_entries(slug, since, before).where(verdict.c.team.in_(hosts)).order_by(*BY_AGE)
    shown = query.where(submission.c.visible, submission.c.ruled_out_at.is_(None))
    return [_entry(row) for row in connection.execute(shown)] if hosts else []


def submission_counts(
    connection: Connection, slug: str, *, since: datetime | None = None, before: datetime | None = None
) -> dict[str, int]:
    """Return how many files each team has sent for a task, with errors or not.

    Args:
        connection: A connection.
        slug: The task.
        since: Earliest time of acceptance.
        before: Time of acceptance to end before.

    Returns:
        The numbers by id of the team; teams without files are not in it.

    """
    if since is None and before is None:
        # Files of a team are numbered without gaps, and an index leads to the last number.
        last = (
            select(func.max(submission.c.number))
            .where(submission.c.team == team.c.id, submission.c.task == slug)
            .correlate(team)
            .scalar_subquery()
        )
        return {row: number for row, number in connection.execute(select(team.c.id, last)) if number is not None}
    query = select(submission.c.team, func.count().label("files")).where(submission.c.task == slug)
    query = query if since is None else query.where(submission.c.accepted_at >= since)
    query = query if before is None else query.where(submission.c.accepted_at < before)
    return {row.team: row.files for row in connection.execute(query.group_by(submission.c.team))}


class Improvement(NamedTuple):
    """A submission that was better than every earlier one of its team that the board shows.

    Attributes:
        team: Id of the team.
        host: Whether the team is the host.
        submission: Id of the submission.
        accepted_at: When it was accepted.
        published: The rounded main score.
        rows_blob: Hash of a stored file with scores of items; None if there is none.

    """

    team: str
    host: bool
    submission: str
    accepted_at: datetime
    published: float
    rows_blob: str | None


def improvements(
    connection: Connection, slug: str, *, since: datetime | None = None, before: datetime | None = None
) -> list[Improvement]:
    """Return the submissions that improved the best published score of their team, by time of acceptance.

    Args:
        connection: A connection.
        slug: The task.
        since: Earliest time of acceptance.
        before: Time of acceptance to end before.

    Returns:
        The improvements of all teams.

    """
    earlier = func.min(verdict.c.order_key).over(
        partition_by=verdict.c.team, order_by=[verdict.c.accepted_at, verdict.c.submission], rows=(None, -1)
    )
    # An index has what is read of verdicts here, so the few submissions that are not shown are looked up, not all.
    names = (verdict.c.submission, verdict.c.evaluator, verdict.c.order_key)
    is_off = or_(submission.c.withdrawn_at.is_not(None), submission.c.ruled_out_at.is_not(None), ~submission.c.visible)
    shown = (
        _accepted(select(*names, earlier.label("earlier")), since, before)
        .where(verdict.c.evaluator == active_evaluator_id(slug).scalar_subquery(), verdict.c.order_key.is_not(None))
        .where(verdict.c.submission.not_in(select(submission.c.id).where(submission.c.task == slug, is_off)))
        .subquery()
    )
    columns = (verdict.c.submission, verdict.c.accepted_at, verdict.c.published, verdict.c.rows_blob)
    same = (evaluation.c.submission == shown.c.submission) & (evaluation.c.evaluator == shown.c.evaluator)
    query = (
        select(verdict.c.team, team.c.host, *columns)
        .select_from(shown)
        .join(evaluation, same)
        .join(verdict, verdict.c.evaluation == evaluation.c.id)
        .join(team, team.c.id == verdict.c.team)
        .where(or_(shown.c.earlier.is_(None), shown.c.order_key < shown.c.earlier))
        .order_by(*BY_AGE)
    )
    return [Improvement(*row) for row in connection.execute(query)]


def shown_submissions(connection: Connection, ids: Collection[str]) -> dict[str, ShownSubmission]:
    """Return what records of months show of submissions, whether or not a board shows them now.

    Args:
        connection: A connection.
        ids: Ids of submissions, some hundreds at most.

    Returns:
        What is shown, by id.

    """
    columns = (submission.c.id, team.c.id, team.c.name, team.c.alias, team.c.public)
    query = select(*columns, submission.c.method, submission.c.links).join(team, team.c.id == submission.c.team)
    found = (ShownSubmission(*row) for row in connection.execute(query.where(submission.c.id.in_(list(ids)))))
    return {one.submission: one for one in found}


def first_acceptance(connection: Connection, slug: str) -> datetime | None:
    """Return when the first submission of a task was accepted.

    Args:
        connection: A connection.
        slug: The task.

    Returns:
        The time; None if there are no submissions.

    """
    first = select(func.min(submission.c.accepted_at)).where(submission.c.task == slug)
    moment: datetime | None = connection.execute(first).scalar()
    return moment


def _chosen(query: Select[Any], since: datetime | None, before: datetime | None) -> Select[Any]:
    """Join submissions to verdicts, and choose the valid ones that are not withdrawn."""
    query = query.join(submission, submission.c.id == verdict.c.submission)
    return _accepted(query.where(verdict.c.ok, submission.c.withdrawn_at.is_(None)), since, before)


def _accepted(query: Select[Any], since: datetime | None, before: datetime | None) -> Select[Any]:
    """Choose the verdicts of a window of time."""
    query = query if since is None else query.where(verdict.c.accepted_at >= since)
    return query if before is None else query.where(verdict.c.accepted_at < before)


def _entries(since: datetime | None, before: datetime | None) -> Select[Any]:
    columns = {
        **{name: submission.c[name] for name in ("team", "number", "accepted_at", "visible", "method", "links")},
        "submission": submission.c.id,
        "team_name": team.c.name,
        "alias": team.c.alias,
        "public": team.c.public,
        "host": team.c.host,
        "ruled_out": submission.c.ruled_out_at.is_not(None),
        "sha256": submission.c.blob,
        "evaluator": verdict.c.evaluator,
        "published": verdict.c.published,
        "scores": verdict.c.scores,
        "rows_blob": verdict.c.rows_blob,
    }
    query = select(*(columns[name].label(name) for name in BoardEntry._fields)).select_from(verdict)
    return _chosen(query, since, before).join(team, team.c.id == verdict.c.team)


def _active_entries(slug: str, since: datetime | None, before: datetime | None) -> Select[Any]:
    return _entries(since, before).where(verdict.c.evaluator == active_evaluator_id(slug).scalar_subquery())


def _entry(row: Sequence[Any]) -> BoardEntry:
    entry = BoardEntry._make(row)
    return entry._replace(scores=read_scores(entry.scores), ruled_out=bool(entry.ruled_out))
