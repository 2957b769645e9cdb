"""``muge-fast board rejudge``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from muge_fast._internal.display import json_text
from muge_fast.cli.options import option
from muge_fast.cli.program import Command
from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.commands.errors import board_errors
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
from muge_fast.leaderboard.commands.tasks import known_task
from muge_fast.leaderboard.registration import add_evaluator_of_settings
from muge_fast.leaderboard.store.errors import NotFoundError, RefusedError
from muge_fast.leaderboard.store.rejudge import (
    RejudgeChange,
    RejudgeSet,
    apply_rejudge,
    cancel_rejudge,
    find_rejudge,
    rejudge_changes,
    start_rejudge,
)
from muge_fast.leaderboard.store.schema import OPEN_REJUDGE_STATES
from muge_fast.leaderboard.store.schema import rejudge as rejudge_table
from muge_fast.leaderboard.store.tasks import active_evaluator
from muge_fast.leaderboard.store.teams import find_team


@group("rejudge")
def rejudge() -> None:
    """Evaluate all submissions of a task again, see what would change, and apply or drop it as a whole."""


@rejudge.command("start", cls=Command)
@folder_argument
@task_argument
@option("--reason", required=True, metavar="TEXT", help="Reason, which is published.")
@option(
    "--evaluator",
    metavar="ID",
    help="An evaluator that was active before.  [default: that of the present gold file, options and version]",
)
@storage_options
def start(
    *, folder: Path, slug: str, reason: str, evaluator: str | None, database: str | None, blobs: str | None
) -> None:
    """Queue all submissions of a task for a new evaluation. The board stays as it is until it is applied."""
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        by, task = actor("rejudge start"), board.settings.tasks[known_task(board, slug)]
        target = evaluator or add_evaluator_of_settings(board, task, actor=by)
        with board.database.read() as connection:
            active = active_evaluator(connection, slug)
        if active is not None and active.id == target:
            raise RefusedError(
                f"the board of {slug} is evaluated by this gold file, these options and this version already",
                f"{slug} 的排行榜已使用当前的标准答案文件、选项和版本评测",
            )
        start_rejudge(board.database, slug, to_evaluator=target, reason=reason, actor=by)
        found = _open_set(board, slug)
        note("queued {count} evaluations of {task}", count=found.waiting, task=slug)
        note("see the changes: muge-fast board rejudge show {folder} {task}", folder=folder, task=slug)


@rejudge.command("show", cls=Command)
@folder_argument
@task_argument
@json_option
@storage_options
def show(*, folder: Path, slug: str, as_json: bool, database: str | None, blobs: str | None) -> None:
    """Show how far a new evaluation is, and what it would change."""
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        found = _open_set(board, known_task(board, slug))
        with board.database.read() as connection:
            changes = rejudge_changes(connection, found)
            teams = {one.team: find_team(connection, one.team).name for one in changes}
        rows = [_row(one, teams[one.team]) for one in changes if one.before != one.after]
        if as_json:
            click.echo(json_text({**found._asdict(), "submissions": len(changes), "changes": rows}, indent=2))
            return
        note("reason: {reason}", reason=found.reason)
        _say_progress(found, len(changes), len(rows))
        if rows:
            print_table(("team", "number", "before", "after", "state", "id"), [list(row.values()) for row in rows])


def _row(change: RejudgeChange, team: str) -> dict[str, Any]:
    shown = {"team": team, "number": change.number, "before": change.before, "after": change.after}
    return {**shown, "state": change.state, "submission": change.submission}


def _say_progress(found: RejudgeSet, submissions: int, changed: int) -> None:
    if found.waiting:
        note("{waiting} of {count} evaluations are still to come", waiting=found.waiting, count=submissions)
    if found.faulted:
        note("{count} evaluations are faulted: queue them again on the admin page", count=found.faulted)
    note("{changed} of {count} submissions change", changed=changed, count=submissions)


@rejudge.command("apply", cls=Command)
@folder_argument
@task_argument
@option("--with-faults", is_flag=True, help="Apply it even if evaluations are faulted, whose submissions are hidden.")
@storage_options
def apply(*, folder: Path, slug: str, with_faults: bool, database: str | None, blobs: str | None) -> None:
    """Show the new evaluation on the board. The old one can be brought back by `start --evaluator`."""
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        found = _open_set(board, known_task(board, slug))
        apply_rejudge(board.database, found.id, actor=actor("rejudge apply"), with_faults=with_faults)
        note("the board of {task} shows the new evaluation", task=slug)
        note("the old evaluator: {evaluator}", evaluator=found.from_evaluator)


@rejudge.command("drop", cls=Command)
@folder_argument
@task_argument
@storage_options
def drop(*, folder: Path, slug: str, database: str | None, blobs: str | None) -> None:
    """Drop a new evaluation. The board stays as it is."""
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        cancel_rejudge(board.database, _open_set(board, known_task(board, slug)).id, actor=actor("rejudge drop"))
        note("the new evaluation of {task} is dropped", task=slug)


def _open_set(board: Board, slug: str) -> RejudgeSet:
    """Return the open rejudge set of a task."""
    is_open = (rejudge_table.c.task == slug) & rejudge_table.c.state.in_(OPEN_REJUDGE_STATES)
    with board.database.read() as connection:
        found = connection.execute(select(rejudge_table.c.id).where(is_open)).scalar_one_or_none()
    if found is None:
        raise NotFoundError(
            f"{slug} has no new evaluation: begin one with `muge-fast board rejudge start`",
            f"{slug} 没有进行中的新评测：请先运行 `muge-fast board rejudge start`",
        )
    return find_rejudge(board.database, found)
