"""How many teams take part, and how many files they have sent."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from muge_fast.leaderboard.store.schema import submission, team


class Participation(NamedTuple):
    """Numbers of a whole board, without the host.

    Attributes:
        teams: Number of teams that have sent a file.
        submissions: Number of files that they have sent.

    """

    teams: int
    submissions: int


def participation(connection: Connection) -> Participation:
    """Count the teams that take part, and their files.

    Args:
        connection: A connection.

    Returns:
        The numbers.

    """
    query = (
        select(func.count(func.distinct(submission.c.team)), func.count())
        .select_from(submission)
        .join(team, team.c.id == submission.c.team)
        .where(team.c.host.is_(False))
    )
    return Participation(*connection.execute(query).one())
