"""Intervals, possible ranks and differences of the rows of a standing, from their scores on joint resamples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast.comparison.pairs import RankRange
from muge_fast.leaderboard.standings.resampled import (
    RESAMPLES,
    ResampledScore,
    ResampledScores,
    exchanged_scores,
)
from muge_fast.leaderboard.standings.standing import RowStatistics, Standing, StandingRow, Statistics
from muge_fast.scores import FloatArray
from muge_fast.significance.intervals import quantile
from muge_fast.significance.step_down import all_pairs, rank_ranges, step_down

IntArray = npt.NDArray[np.int64]

LEVEL = 0.95

MOST_TEAMS = 1_000
"""Teams whose pairs are tested. A board with more has intervals, but no possible ranks."""


def standing_statistics(standing: Standing, resampled: ResampledScores) -> Statistics:
    """Return the statistics of a standing.

    All rows meet the same resamples of the items, so differences are paired. Possible ranks and marks come from
    step-down tests of all pairs of teams: with a probability of about 95 %, all of them are right at once. Baselines
    have intervals and differences, but no ranks.

    Rows without a file of scores of items, or with other items or options than most rows, have no statistics. A team
    without them may have any rank, so it widens the possible ranks of others.

    Args:
        standing: The standing.
        resampled: Resampled scores of stored files.

    Returns:
        The statistics.

    """
    found = _scores(standing, resampled)
    if not found:
        return Statistics(rows={}, items=0, level=LEVEL, resamples=RESAMPLES)
    tests = _Tests.of_teams(standing, found)
    scale, first = standing.rule.scale, standing.first
    reference = None if first is None else found.get(first.submission)
    rows = {}
    for row in standing.rows:
        score = found.get(row.submission)
        if score is None:
            continue
        difference = None if reference is None or row is first else score.values - reference.values
        rows[row.submission] = RowStatistics(
            interval=_interval(score.values, scale),
            standard_error=scale * float(score.values.std(ddof=1)),
            rank_range=tests.ranks.get(row.submission),
            difference=None if reference is None else scale * (score.value - reference.value),
            difference_interval=None if difference is None else _interval(difference, scale),
            not_apart=tests.not_apart.get(row.submission),
        )
    items = next(iter(found.values())).key.sizes[0]
    return Statistics(rows=rows, items=items, level=LEVEL, resamples=RESAMPLES)


def _scores(standing: Standing, resampled: ResampledScores) -> dict[str, ResampledScore]:
    """Return the resampled scores of the rows that can be compared, by id of the submission."""
    files = {row.submission: row.rows_blob for row in standing.rows if row.rows_blob is not None}
    by_file = resampled.of(files.values())
    found = {submission: by_file[file] for submission, file in files.items() if file in by_file}
    if not found:
        return {}
    ((most, _),) = Counter(score.key for score in found.values()).most_common(1)
    return {submission: score for submission, score in found.items() if score.key == most}


class _Tests(NamedTuple):
    """What the tests of all pairs of teams say."""

    ranks: Mapping[str, RankRange]
    not_apart: Mapping[str, bool]

    @classmethod
    def of_teams(cls, standing: Standing, found: Mapping[str, ResampledScore]) -> _Tests:
        teams = [row for row in standing.rows if row.rank is not None]
        known = [index for index, row in enumerate(teams) if row.submission in found]
        if not 2 <= len(known) <= MOST_TEAMS:  # noqa: PLR2004 - a pair
            return cls({}, {})
        sign = 1.0 if standing.rule.higher_is_better else -1.0
        scores = [found[teams[index].submission] for index in known]
        observed, drawn = exchanged_scores(scores)
        test = step_down(sign * drawn, sign * observed, all_pairs(len(known)), level=LEVEL, threads=1)
        pairs = np.array(known)[test.pairs.astype(np.int64)]
        ranks = _ranks(teams, pairs, test.significant, sign)
        is_better = np.zeros((len(teams), len(teams)), dtype=bool)
        is_better[tuple(pairs[test.significant].T)] = True
        not_apart = {
            teams[lower].submission: not bool(is_better[upper, lower])
            for upper, lower in pairwise(known)
            if upper == lower - 1
        }
        return cls({teams[index].submission: ranks[index] for index in known}, not_apart)


def _ranks(
    teams: list[StandingRow], pairs: IntArray, significant: npt.NDArray[np.bool_], sign: float
) -> list[RankRange]:
    """Return the possible ranks of all teams; each range has the published rank, which rounding may have moved."""
    ranges = rank_ranges(sign * np.array([float(row.number) for row in teams]), pairs, significant)
    found = []
    for row, low, high in zip(teams, ranges.low.tolist(), ranges.high.tolist(), strict=True):
        rank = row.rank or 0
        found.append(RankRange(rank=rank, low=min(low, rank), high=max(high, rank)))
    return found


def _interval(values: FloatArray, scale: float) -> tuple[float, float]:
    ordered, tail = np.sort(values), (1 - LEVEL) / 2
    return scale * quantile(ordered, tail), scale * quantile(ordered, 1 - tail)
