"""``muge-fast board task``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from sqlalchemy import func, select

from muge_fast._internal.display import json_text
from muge_fast.cli.program import Command
from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.commands.errors import board_errors
from muge_fast.leaderboard.commands.notes import print_notes
from muge_fast.leaderboard.commands.options import (
    actor,
    folder_argument,
    group,
    json_option,
    note,
    opened_board,
    print_table,
    storage_options,
    task_argument,
)
from muge_fast.leaderboard.registration import register_tasks
from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.store.oversight import list_evaluators
from muge_fast.leaderboard.store.schema import submission
from muge_fast.leaderboard.store.tasks import StoredEvaluator, active_evaluator, task_settings


@group("task")
def task() -> None:
    """List the tasks, show their settings and evaluators, and register changes of board.toml."""


@task.command("list", cls=Command)
@folder_argument
@json_option
@storage_options
def list_all(*, folder: Path, as_json: bool, database: str | None, blobs: str | None) -> None:
    """List the tasks of board.toml with the numbers of their submissions."""
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        rows = _rows(board)
        if as_json:
            click.echo(json_text(rows))
            return
        print_table(
            ("task", "scorer", "main score", "gold", "submissions", "evaluator"), [list(row.values()) for row in rows]
        )


def _rows(board: Board) -> list[dict[str, Any]]:
    rows = []
    with board.database.read() as connection:
        for slug, settings in board.settings.tasks.items():
            count = connection.execute(select(func.count()).where(submission.c.task == slug)).scalar_one()
            active = active_evaluator(connection, slug)
            gold = settings.gold.relative_to(board.folder).as_posix()
            rows.append(
                {
                    "task": slug,
                    "scorer": settings.scorer,
                    "main": settings.main,
                    "gold": gold,
                    "submissions": count,
                    "evaluator": active and active.id,
                }
            )
    return rows


@task.command("settings", cls=Command)
@folder_argument
@task_argument
@storage_options
def settings(*, folder: Path, slug: str, database: str | None, blobs: str | None) -> None:
    """Show the settings of a task as they are registered, and its evaluators, as JSON."""
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        with board.database.read() as connection:
            version, stored = task_settings(connection, slug)
            evaluators = [_described(one) for one in list_evaluators(connection, slug)]
        made = {"task": slug, "version": version, "settings": stored, "evaluators": evaluators}
        click.echo(json_text(made, indent=2))


def _described(one: StoredEvaluator) -> dict[str, Any]:
    times = {
        name: moment and moment.isoformat()
        for name, moment in (("created_at", one.created_at), ("activated_at", one.activated_at))
    }
    return one._asdict() | times


@task.command("register", cls=Command)
@folder_argument
@storage_options
def register(*, folder: Path, database: str | None, blobs: str | None) -> None:
    """Register the tasks of board.toml, as `serve` does when it starts.

    A changed gold file or option does not change the board: preview it with `muge-fast board rejudge start`.
    """
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        print_notes(register_tasks(board, actor=actor("task register")), folder)
        note("registered: {tasks}", tasks=", ".join(board.settings.tasks))


def known_task(board: Board, slug: str) -> str:
    """Return the name of a task that the board has.

    Args:
        board: The board.
        slug: The name that was given.

    Returns:
        The name.

    Raises:
        NotFoundError: There is no such task; the message has those that exist.

    """
    tasks = board.settings.tasks
    if slug not in tasks:
        names = ", ".join(tasks)
        raise NotFoundError(f"there is no task {slug!r}, choose from {names}", f"没有任务 {slug!r}，可选：{names}")
    return slug
