"""Verdicts: the results of evaluators, one for each submission and evaluator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from muge_fast.leaderboard.store.column_types import canonical_json
from muge_fast.leaderboard.store.schema import MAX_REPORT, evaluation, verdict


class NewVerdict(NamedTuple):
    """A verdict to store.

    Attributes:
        ok: Whether the file is valid.
        report: The report as JSON, up to 64 KiB: errors of an invalid file.
        scores: Every score by name.
        published: The rounded main score, which ranks; None for an invalid file.
        seconds: How long the scorer took.
        package_version: Version of muge_fast.
        rows_blob: Hash of a stored file with scores of items.

    """

    ok: bool
    report: object
    scores: Mapping[str, float]
    published: float | None
    seconds: float
    package_version: str
    rows_blob: str | None = None

    def checked(self) -> dict[str, object]:
        """Return the values of the row; scores are written in hexadecimal, which keeps their bits.

        Returns:
            The values by column.

        Raises:
            ValueError: A number is NaN or infinite, or the report is too large.

        """
        numbers = {**self.scores, "seconds": self.seconds}
        if self.published is not None:
            numbers["the published score"] = self.published
        for name, number in numbers.items():
            if not math.isfinite(number):
                raise ValueError(f"{name} is {number}: a verdict has finite numbers only; report an error instead")
        if self.ok != (self.published is not None):
            raise ValueError("a valid file has a published score, and an invalid one has none")
        if (size := len(canonical_json(self.report).encode())) > MAX_REPORT:
            raise ValueError(f"the report has {size} bytes, and at most {MAX_REPORT} are stored: shorten its lists")
        scores = {name: float(score).hex() for name, score in self.scores.items()}
        return self._asdict() | {"scores": scores}


class Evaluation(NamedTuple):
    """An evaluation of a submission, with its verdict if there is one.

    Attributes:
        id: Its id.
        evaluator: The evaluator.
        original: Whether it is the one that was queued when the submission was accepted.
        state: Its state.
        attempt: The number of claims.
        fault: The last fault.
        finished_at: When it ended.
        ok: Whether the file is valid.
        report: The report.
        scores: Every score by name.
        published: The rounded main score.
        seconds: How long the scorer took.

    """

    id: str
    evaluator: str
    original: bool
    state: str
    attempt: int
    fault: str | None
    finished_at: datetime | None
    ok: bool | None
    report: object
    scores: dict[str, float]
    published: float | None
    seconds: float | None


def evaluations_of(connection: Connection, submission_id: str) -> list[Evaluation]:
    """Return the evaluations of a submission, the original one first.

    Args:
        connection: A connection.
        submission_id: The submission.

    Returns:
        The evaluations.

    """
    in_verdict = ("ok", "report", "scores", "published", "seconds")
    columns = [(verdict if name in in_verdict else evaluation).c[name] for name in Evaluation._fields]
    query = (
        select(*columns)
        .outerjoin(verdict, verdict.c.evaluation == evaluation.c.id)
        .where(evaluation.c.submission == submission_id)
        .order_by(evaluation.c.original.desc(), evaluation.c.created_at)
    )
    rows = [Evaluation(*row) for row in connection.execute(query)]
    return [row._replace(scores=read_scores(row.scores)) for row in rows]


def read_scores(stored: Mapping[str, object] | None) -> dict[str, float]:
    """Return scores as numbers with all their bits.

    Args:
        stored: Hexadecimal numbers by name; None for no verdict.

    Returns:
        The numbers.

    Example:
        >>> from muge_fast.leaderboard.store.verdicts import read_scores
        >>> read_scores({"mean_recall": "0x1.8000000000000p+6"})
        {'mean_recall': 96.0}

    """
    return {name: float.fromhex(str(number)) for name, number in (stored or {}).items()}
