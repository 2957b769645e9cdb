"""Boards: queries over the verdicts of the active evaluator, never stored as truth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, select

from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.store.schema import submission, task, team, verdict
from muge_fast.leaderboard.store.tasks import active_evaluator_id
from muge_fast.leaderboard.store.verdicts import read_scores

BY_AGE = (verdict.c.accepted_at, verdict.c.submission)
BATCH = 500


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
    version: int | None = connection.execute(
        select(task.c.board_version).where(task.c.slug == slug)
    ).scalar_one_or_none()
    if version is None:
        raise NotFoundError(f"there is no task {slug!r}")
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
    query = _entries(slug, since, before).order_by(*BY_AGE)
    return [_entry(row) for row in connection.execute(query)]


def best_entries(
    connection: Connection, slug: str, *, since: datetime | None = None, before: datetime | None = None
) -> list[BoardEntry]:
    """Return the best visible submission of each team, by its published score and then by time of acceptance.

    Submissions that an organizer ruled out do not count.

    Args:
        connection: A connection.
        slug: The task.
        since: Earliest time of acceptance.
        before: Time of acceptance to end before.

    Returns:
        An entry for each team, the best first.

    """
    # For each team, the index of verdicts leads to the first one in the order.
    best = (
        _chosen(select(verdict.c.evaluation).select_from(verdict), since, before)
        .where(verdict.c.evaluator == active_evaluator_id(slug).scalar_subquery(), verdict.c.team == team.c.id)
        .where(submission.c.ruled_out_at.is_(None), submission.c.visible)
        .order_by(verdict.c.order_key, *BY_AGE)
        .limit(1)
        .correlate(team)
        .scalar_subquery()
    )
    # The ids first: as a condition of the next query, PostgreSQL would read every verdict.
    ids = [row for row in connection.execute(select(best).select_from(team)).scalars() if row is not None]
    rows: list[Row[Any]] = []
    for start in range(0, len(ids), BATCH):
        query = _entries(slug, None, None).add_columns(verdict.c.order_key)
        rows += connection.execute(query.where(verdict.c.evaluation.in_(ids[start : start + BATCH])))
    rows.sort(key=lambda row: (row.order_key, row.accepted_at, row.submission))
    return [_entry(row[:-1]) for row in rows]


def _chosen(query: Select[Any], since: datetime | None, before: datetime | None) -> Select[Any]:
    """Join submissions to verdicts, and choose the valid ones that are not withdrawn."""
    query = query.join(submission, submission.c.id == verdict.c.submission)
    query = query.where(verdict.c.ok, submission.c.withdrawn_at.is_(None))
    query = query if since is None else query.where(verdict.c.accepted_at >= since)
    return query if before is None else query.where(verdict.c.accepted_at < before)


def _entries(slug: str, since: datetime | None, before: datetime | None) -> Select[Any]:
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
    }
    query = select(*(columns[name].label(name) for name in BoardEntry._fields)).select_from(verdict)
    query = _chosen(query, since, before).join(team, team.c.id == verdict.c.team)
    return query.where(verdict.c.evaluator == active_evaluator_id(slug).scalar_subquery())


def _entry(row: Sequence[Any]) -> BoardEntry:
    entry = BoardEntry._make(row)
    return entry._replace(scores=read_scores(entry.scores), ruled_out=bool(entry.ruled_out))
