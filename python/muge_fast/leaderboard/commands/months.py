"""``muge-fast board close-month``."""

from __future__ import annotations

from pathlib import Path

import click

from muge_fast.cli.options import option
from muge_fast.cli.program import Command
from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.commands.errors import board_errors
from muge_fast.leaderboard.commands.options import (
    actor,
    folder_argument,
    note,
    opened_board,
    print_table,
    storage_options,
    task_argument,
)
from muge_fast.leaderboard.commands.tasks import known_task
from muge_fast.leaderboard.rules.calendar_months import parse_month
from muge_fast.leaderboard.standings.month_records import Winner, close_month, read_lists, revise_month
from muge_fast.leaderboard.store.months import MonthRecord
from muge_fast.leaderboard.store.teams import find_team

LISTS = {"board": "The board at the end of the month", "of_month": "The best of the month"}


@click.command("close-month", cls=Command)
@folder_argument
@task_argument
@click.argument("month", metavar="MONTH")
@option("--reason", metavar="TEXT", help="Correct a closed month by a revision; the reason is published.")
@storage_options
def close(*, folder: Path, slug: str, month: str, reason: str | None, database: str | None, blobs: str | None) -> None:
    """Close a month of a task, and print its winners. Workers do so on their own when it has ended.

    MONTH is written as 2026-11. A closed month is never opened again: --reason writes a revision, in which submissions
    that were withdrawn or ruled out since are left out.
    """
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        by, parsed = actor("close-month"), parse_month(month)
        if reason is None:
            record = close_month(board, known_task(board, slug), parsed, actor=by)
        else:
            record = revise_month(board, known_task(board, slug), parsed, reason=reason, actor=by)
        note("{month} of {task}, revision {revision}", month=record.month, task=slug, revision=record.revision)
        _print_winners(board, record)


def _print_winners(board: Board, record: MonthRecord) -> None:
    lists = read_lists(record.rows)
    for name, title in LISTS.items():
        winners: tuple[Winner, ...] = getattr(lists, name)
        note(title)
        with board.database.read() as connection:
            names = {one.team: find_team(connection, one.team).name for one in winners}
        rows = [(one.rank, one.prize, one.number, names[one.team], one.submission_number) for one in winners]
        print_table(("rank", "prize", lists.main, "team", "number"), rows)
