"""How a standing came about: best over time, and which improvements are more than noise."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial

from sqlalchemy import Connection

from muge_fast.leaderboard.blobs.interface import Blobs
from muge_fast.leaderboard.rules.ranking import RankingRule, published_number
from muge_fast.leaderboard.standings.item_rows import ItemRows
from muge_fast.leaderboard.standings.resampled import comparable, load_item_rows
from muge_fast.leaderboard.standings.standing import History, Standing, Step
from muge_fast.leaderboard.store.boards import Improvement, improvements

logger = logging.getLogger(__name__)

MOST_STEPS = 50
"""Improvements of a team that are tested, the latest ones."""

MOST_KEPT = 50_000
"""Pairs of files whose test is kept."""

MOST_FILES = 4
"""Files that are kept while the improvements of a team are tested, 40 KB for 5,000 items."""


ROUNDING = 1e-9


def standing_history(connection: Connection, standing: Standing, confirmations: Confirmations) -> History:
    """Return the best over time of a standing.

    Args:
        connection: A connection.
        standing: The standing.
        confirmations: Tests of improvements.

    Returns:
        The history. Baselines are not in it.

    """
    window, rule = standing.window, standing.rule
    found = improvements(connection, standing.task, since=window.since, before=window.before)
    by_team: dict[str, list[Improvement]] = defaultdict(list)
    for one in found:
        if not one.host:
            by_team[one.team].append(one)
    confirmed: dict[str, bool] = {}
    for steps in by_team.values():
        confirmed |= confirmations.of_team(steps, higher_is_better=rule.higher_is_better)
    return History(
        frontier=tuple(_steps(_frontier(found, rule), rule)),
        teams={team: tuple(_steps(steps, rule)) for team, steps in by_team.items()},
        confirmed=confirmed,
    )


def _frontier(found: Iterable[Improvement], rule: RankingRule) -> Iterator[Improvement]:
    """Yield the improvements on the best of all teams."""
    sign, best = (1.0 if rule.higher_is_better else -1.0), -math.inf
    for one in found:
        if not one.host and sign * one.published > best:
            best = sign * one.published
            yield one


def _steps(found: Iterable[Improvement], rule: RankingRule) -> Iterator[Step]:
    # The stored number is published already.
    rule = replace(rule, scale=1)
    for one in found:
        number = published_number(one.published, rule)
        assert number is not None  # noqa: S101 - the store has finite numbers only
        yield Step(one.accepted_at, number, one.team, one.submission)


class Confirmations:
    """Which improvements are confirmed, kept for each pair of files. One thread may use an object at a time.

    An improvement is confirmed if the score exceeds that of the team's last confirmed submission by more than the
    standard error of the difference, which is paired by item. This is the step of the parameter-free Ladder (Blum and
    Hardt, 2015); an improvement by chance alone passes it about once in six times.

    Args:
        blobs: Files of item rows.

    """

    def __init__(self, blobs: Blobs) -> None:
        self._load = lru_cache(MOST_FILES)(partial(load_item_rows, blobs))
        self._kept: dict[tuple[str, str], bool | None] = {}

    def of_team(self, steps: Sequence[Improvement], *, higher_is_better: bool) -> Iterator[tuple[str, bool]]:
        """Test the improvements of a team.

        Args:
            steps: The improvements by time of acceptance.
            higher_is_better: Whether a larger score is better.

        Yields:
            Ids of submissions, and whether they are confirmed. Those that cannot be compared with the last confirmed
            one are left out, such as the first one, which stands for itself.

        """
        last: Improvement | None = None
        for step in steps[-MOST_STEPS:]:
            known = None if last is None else self._test(last.rows_blob, step.rows_blob, higher_is_better)
            if known is not None:
                yield step.submission, known
            if known or last is None or last.rows_blob is None:
                last = step

    def _test(self, last: str | None, step: str | None, higher_is_better: bool) -> bool | None:
        if last is None or step is None:
            return None
        pair = last, step
        if pair not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            try:
                self._kept[pair] = self._compare(last, step, higher_is_better)
            except OSError:
                # It may be there the next time.
                logger.warning("the scores of items in a file cannot be read", exc_info=True)
                return None
        return self._kept[pair]

    def _compare(self, last: str, step: str, higher_is_better: bool) -> bool | None:
        first, second = self._load(last), self._load(step)
        if first is None or second is None or comparable(first) != comparable(second):
            return None
        return is_confirmed(first, second, higher_is_better=higher_is_better)


def is_confirmed(last: ItemRows, step: ItemRows, *, higher_is_better: bool) -> bool:
    """Return whether a score is better than another by more than the standard error of their difference.

    Args:
        last: The earlier submission.
        step: The later one, of the same items.
        higher_is_better: Whether a larger score is better.

    Returns:
        Whether the improvement is confirmed.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.leaderboard.standings.history import is_confirmed
        >>> from muge_fast.leaderboard.standings.item_rows import read_item_rows, write_item_rows
        >>> gold = {query: [1] for query in range(4)}
        >>> def rows(hits):
        ...     ranked = {query: [1 if query < hits else 2] for query in range(4)}
        ...     return read_item_rows(write_item_rows(mf.score_retrieval(ranked, gold, ks=[1]), "mean_recall"))
        >>> is_confirmed(rows(1), rows(2), higher_is_better=True), is_confirmed(rows(1), rows(3), higher_is_better=True)
        (False, True)

    """
    differences = [new - old for new, old in zip(step.samples, last.samples, strict=True)]
    error = math.sqrt(sum(float(rows.var(ddof=1)) / len(rows) for rows in differences))
    gain = step.value - last.value
    # One item more is exactly one standard error; rounding must not decide.
    return (gain if higher_is_better else -gain) > error * (1 + ROUNDING)
