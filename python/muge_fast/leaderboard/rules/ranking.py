"""Ranking: from the scores of submissions to the rows of a board and the winners of a list of prizes.

The published number ranks, not the double: everyone can recompute the board from it, and noise in the last bits
decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from muge_fast._internal.display import format_argument
from muge_fast.leaderboard.rules.moments import to_utc

Status = Literal["counted", "baseline", "withdrawn", "ruled_out"]

STATUSES: tuple[Status, ...] = ("counted", "baseline", "withdrawn", "ruled_out")

PRIZES = 8


@dataclass(frozen=True)
class RankingRule:
    """How scores of a task are published and compared.

    Attributes:
        higher_is_better: Whether a larger number ranks first; False for FID.
        digits: Decimals of the published number.
        scale: Factor of the published number: 100 for a score between 0 and 1 that is shown in percent.

    """

    higher_is_better: bool = True
    digits: int = 2
    scale: float = 100


@dataclass(frozen=True)
class Entry:
    """A submission that may rank.

    Attributes:
        submission: Id of the submission, unique.
        team: Id of the team.
        score: The main score as the metric defines it; None if there is none, for example since it is not evaluated.
        accepted_at: Time of acceptance, with a zone.
        status: ``"counted"``; ``"baseline"`` for a row of the host, which is shown without a rank; ``"withdrawn"`` by
            the team or ``"ruled_out"`` by an organizer, which are not shown.

    """

    submission: str
    team: str
    score: float | None
    accepted_at: datetime
    status: Status = "counted"


@dataclass(frozen=True)
class Row:
    """A row of a board.

    Attributes:
        rank: Rank from 1, the same for equal numbers; None for a baseline.
        number: The published number.
        entry: The submission that counts for the team.

    """

    rank: int | None
    number: Decimal
    entry: Entry


@dataclass(frozen=True)
class Finalist:
    """A row of a list of winners.

    Attributes:
        prize: Number of the prize, from 1, each given once; None for a row that shares the last rank, but was accepted
            later than the others of this rank.
        row: The row of the board.

    """

    prize: int | None
    row: Row


def published_number(score: float | None, rule: RankingRule) -> Decimal | None:
    """Return the number that a board shows: the scaled score, rounded half to even from its exact value.

    Args:
        score: The score; None if there is none.
        rule: Scale and decimals.

    Returns:
        The number with exactly the decimals of the rule; None for a score that is missing, NaN or infinite.

    Example:
        >>> from muge_fast.leaderboard.rules.ranking import RankingRule, published_number
        >>> published_number(0.65625, RankingRule()), published_number(0.5, RankingRule())
        (Decimal('65.62'), Decimal('50.00'))
        >>> published_number(float("nan"), RankingRule()) is None
        True

    """
    if score is None or not math.isfinite(score):
        return None
    units = round(Fraction(score) * Fraction(rule.scale) * 10**rule.digits)
    return Decimal(f"{units}e-{rule.digits}")


def rank_entries(entries: Iterable[Entry], rule: RankingRule) -> tuple[Row, ...]:
    """Return the rows of a board, best first: the best submission of each team.

    - Entries without a finite score, withdrawn and ruled-out ones have no row.
    - Published numbers are compared. Equal ones share a rank, and the next rank counts them: 1, 2, 2, 4.
    - Among equal numbers, and among the equal best submissions of a team, the earlier acceptance stands first, and of
      two that were accepted at the same moment the smaller id.
    - A baseline stands after the teams with the same number, has no rank and takes none from a team.

    Args:
        entries: Submissions of one task and one evaluator, in any order.
        rule: How scores are published and compared.

    Returns:
        The rows.

    Raises:
        ValueError: Two entries have the same submission id, a status is unknown, or a time has no zone.

    Example:
        >>> from datetime import datetime, timezone
        >>> from muge_fast.leaderboard.rules.ranking import Entry, RankingRule, rank_entries
        >>> morning = datetime(2026, 11, 27, 8, tzinfo=timezone.utc)
        >>> rows = rank_entries(
        ...     [
        ...         Entry("s1", "red", 0.5, morning.replace(hour=10)),
        ...         Entry("s2", "blue", 0.50001, morning.replace(hour=11)),
        ...         Entry("s3", "green", 0.4, morning),
        ...         Entry("s4", "gray", None, morning),
        ...     ],
        ...     RankingRule(),
        ... )
        >>> [(row.rank, row.entry.team, str(row.number)) for row in rows]
        [(1, 'red', '50.00'), (1, 'blue', '50.00'), (3, 'green', '40.00')]

    """
    numbered = sorted(_numbered(entries, rule), key=lambda pair: _order(pair[0], pair[1], rule))
    best: dict[tuple[str, bool], tuple[Decimal, Entry]] = {}
    for number, entry in numbered:
        # A host may show several baselines, so each of them is a row.
        is_baseline = entry.status == "baseline"
        best.setdefault((entry.submission if is_baseline else entry.team, is_baseline), (number, entry))
    return tuple(_with_ranks(list(best.values())))


def _numbered(entries: Iterable[Entry], rule: RankingRule) -> Iterable[tuple[Decimal, Entry]]:
    """Yield the entries that may have a row, each with its number.

    Exact rounding takes microseconds, so of each team only those entries are rounded that are so near to its best score
    that the numbers may be equal. Rounding keeps the order, so no other entry can count.
    """
    sign = 1 if rule.higher_is_better else -1
    shown = [
        (sign * entry.score, entry)
        for entry in _checked(entries)
        if entry.score is not None and math.isfinite(entry.score)
    ]
    best: dict[str, float] = {}
    for score, entry in shown:
        if entry.status == "counted":
            best[entry.team] = max(best.get(entry.team, -math.inf), score)
    # Scores with equal numbers differ by one unit of the last digit at most; two allow for the error of the difference.
    reach = 2 / (rule.scale * 10**rule.digits)
    for score, entry in shown:
        if entry.status == "baseline" or best[entry.team] - score <= reach:
            number = published_number(entry.score, rule)
            if number is not None:
                yield number, entry


def _checked(entries: Iterable[Entry]) -> Iterable[Entry]:
    """Yield the entries that are neither withdrawn nor ruled out."""
    seen: set[str] = set()
    for entry in entries:
        if entry.submission in seen:
            shown = format_argument(entry.submission)
            raise ValueError(f"submission {shown} occurs twice in one ranking: pass the scores of one evaluator")
        seen.add(entry.submission)
        if entry.status not in STATUSES:
            raise ValueError(f"unknown status {format_argument(entry.status)}, choose one of {', '.join(STATUSES)}")
        if entry.status in ("counted", "baseline"):
            yield entry


def _order(number: Decimal, entry: Entry, rule: RankingRule) -> tuple[Decimal, bool, datetime, str]:
    # copy_negate does not round, which a unary minus does at 28 digits.
    key = number.copy_negate() if rule.higher_is_better else number
    return key, entry.status == "baseline", to_utc("accepted_at", entry.accepted_at), entry.submission


def _with_ranks(best: Sequence[tuple[Decimal, Entry]]) -> Iterable[Row]:
    rank, ranked, previous = 0, 0, None
    for number, entry in best:
        if entry.status == "baseline":
            yield Row(None, number, entry)
            continue
        ranked += 1
        if number != previous:
            rank, previous = ranked, number
        yield Row(rank, number, entry)


def select_finalists(rows: Sequence[Row], prizes: int = PRIZES) -> tuple[Finalist, ...]:
    """Return the winners of a board, best first, and the rows that share the rank of the last of them.

    Prizes go to distinct teams in the order of the board: rank first, then earlier acceptance. With fewer teams than
    prizes, the remaining prizes are not given. Where the last rank is shared by more teams than prizes are left, all of
    them are listed, and those accepted later get none.

    Args:
        rows: Rows of :func:`rank_entries`.
        prizes: Number of prizes.

    Returns:
        The rows with a rank up to ``prizes``; no baselines.

    Example:
        >>> from datetime import datetime, timezone
        >>> from muge_fast.leaderboard.rules.ranking import Entry, RankingRule, rank_entries, select_finalists
        >>> noon = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
        >>> scores = {"red": 0.9, "blue": 0.8, "green": 0.8}
        >>> entries = [Entry(team, team, score, noon) for team, score in scores.items()]
        >>> [(f.prize, f.row.rank, f.row.entry.team) for f in select_finalists(rank_entries(entries, RankingRule()), 2)]
        [(1, 1, 'red'), (2, 2, 'blue'), (None, 2, 'green')]

    """
    listed = [row for row in rows if row.rank is not None and row.rank <= prizes]
    return tuple(Finalist(index if index <= prizes else None, row) for index, row in enumerate(listed, 1))
