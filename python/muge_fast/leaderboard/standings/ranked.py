"""The ranking of a task, from the store by the rules of ranking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sqlalchemy import Connection

from muge_fast.leaderboard.rules.ranking import Entry, RankingRule, Row, Status, rank_entries, select_finalists
from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.standings.standing import ALL_TIME, Standing, StandingRow, Window
from muge_fast.leaderboard.store.boards import (
    BoardEntry,
    baseline_entries,
    best_entries,
    board_version,
    submission_counts,
)
from muge_fast.leaderboard.store.tasks import active_evaluator


def ranked_standing(connection: Connection, task: TaskSettings, *, prizes: int, window: Window = ALL_TIME) -> Standing:
    """Return the ranking of a task, without statistics and history.

    Args:
        connection: Connection of a snapshot.
        task: The task.
        prizes: Number of prizes.
        window: The submissions that count.

    Returns:
        The standing.

    Raises:
        NotFoundError: There is no such task.

    """
    version = board_version(connection, task.slug)
    evaluator = active_evaluator(connection, task.slug)
    since, before = window.since, window.before
    entries = [entry for entry in best_entries(connection, task.slug, since=since, before=before) if not entry.host]
    entries += baseline_entries(connection, task.slug, since=since, before=before)
    counts = submission_counts(connection, task.slug, since=since, before=before)
    return Standing(
        task=task.slug,
        window=window,
        version=version,
        evaluator=None if evaluator is None else evaluator.id,
        rule=task.ranking,
        rows=tuple(_rows(entries, counts, task, prizes)),
    )


def ranked_entries(entries: Iterable[BoardEntry], rule: RankingRule) -> tuple[tuple[Row, BoardEntry], ...]:
    """Rank entries of the store by their published numbers.

    Args:
        entries: Entries of one task and evaluator.
        rule: How scores are published and compared.

    Returns:
        The rows, best first, each with its entry.

    """
    by_id = {entry.submission: entry for entry in entries}
    # The stored number is published already.
    rows = rank_entries(map(_as_ranked, by_id.values()), replace(rule, scale=1))
    return tuple((row, by_id[row.entry.submission]) for row in rows)


def _as_ranked(entry: BoardEntry) -> Entry:
    status: Status = "baseline" if entry.host else "counted"
    return Entry(entry.submission, entry.team, entry.published, entry.accepted_at, status)


def _rows(
    entries: Iterable[BoardEntry], counts: Mapping[str, int], task: TaskSettings, prizes: int
) -> Iterator[StandingRow]:
    ranked = ranked_entries(entries, task.ranking)
    winners = {
        finalist.row.entry.submission: finalist.prize
        for finalist in select_finalists([row for row, _ in ranked], prizes)
    }
    for row, entry in ranked:
        exact = entry.scores.get(task.main)
        yield StandingRow(
            rank=row.rank,
            prize=winners.get(entry.submission),
            number=row.number,
            exact=entry.published if exact is None else exact * task.ranking.scale,
            status=row.entry.status,
            submission=entry.submission,
            submission_number=entry.number,
            submissions=counts.get(entry.team, 0),
            accepted_at=entry.accepted_at,
            method=entry.method,
            links=tuple(entry.links),
            team=entry.team,
            team_name=entry.team_name,
            alias=entry.alias,
            is_public=entry.public,
            sha256=entry.sha256,
            rows_blob=entry.rows_blob,
        )
