"""``muge-fast board init``."""

from __future__ import annotations

from pathlib import Path

import click

from muge_fast._internal.display import format_argument, format_path
from muge_fast.cli.language import listed, translate
from muge_fast.cli.options import AT_LEAST_0, option
from muge_fast.cli.program import Command
from muge_fast.leaderboard.blobs.addresses import open_blobs
from muge_fast.leaderboard.board import BLOBS, DATABASE, open_board
from muge_fast.leaderboard.commands.errors import board_errors
from muge_fast.leaderboard.commands.options import actor, folder_argument, note, storage_options
from muge_fast.leaderboard.new_board import create_admin, new_folder, write_settings
from muge_fast.leaderboard.registration import register_tasks
from muge_fast.leaderboard.rules.settings import LANGUAGES, ZONE
from muge_fast.leaderboard.store.database import open_database
from muge_fast.tasks import names

TASKS = "Tasks"


@click.command("init", cls=Command)
@folder_argument
@option(
    "--task",
    "given",
    multiple=True,
    metavar="NAME=FILE",
    section=TASKS,
    help="Task and its gold file, which is copied; NAME is a scorer, or NAME:SCORER. May be repeated.",
)
@option("--samples", is_flag=True, section=TASKS, help="Set up the sample tasks of the package.")
@option(
    "--demo",
    is_flag=True,
    section=TASKS,
    help="Set up the sample tasks, with twenty teams and two months of submissions.",
)
@option(
    "--quota",
    type=AT_LEAST_0,
    section=TASKS,
    metavar="N",
    help="Valid submissions of a team for each task in 24 hours, 0 for no limit.  [default: 5]",
)
@option("--zone", default=ZONE, show_default=True, metavar="ZONE", section=TASKS, help="Zone of the board's months.")
@storage_options
def init(
    *,
    folder: Path,
    given: tuple[str, ...],
    samples: bool,
    demo: bool,
    quota: int | None,
    zone: str,
    database: str | None,
    blobs: str | None,
) -> None:
    """Make a board: a folder with its settings, a database, and an account of the organizer.

    The last line of standard output is the token of the organizer, which is shown only once. Without tasks, add them to
    board.toml before the board is served.

    Exit code 0: the board was made. 2: it was not, and its folder does not exist.
    """
    with board_errors():
        gold = dict(_task_and_file(text) for text in given)
        if gold and (samples or demo):
            message = translate("{option} and {other} exclude each other")
            raise click.UsageError(message.format(option="--task", other="--samples" if samples else "--demo"))
        with new_folder(folder) as making:
            if samples or demo:
                from muge_fast.leaderboard.samples import write_sample_board

                write_sample_board(making, quota=quota, languages=LANGUAGES, zone=zone)
            else:
                write_settings(making, gold, quota=quota, zone=zone)
            has_tasks = bool(gold or samples or demo)
            token = _fill(making, database, blobs, has_tasks=has_tasks, is_demo=demo)
        _say_next(folder, has_tasks=has_tasks)
        click.echo(token)


def _task_and_file(text: str) -> tuple[str, tuple[str, Path]]:
    """Return name, scorer and gold file of a value of ``--task``."""
    name, equals, path = text.partition("=")
    slug, _, scorer = name.partition(":")
    scorer = scorer or slug
    if not equals or not slug or not path:
        message = translate("{value} is not a task with its gold file: write NAME=FILE, such as retrieval=gold.jsonl")
        raise ValueError(message.format(value=format_argument(text)))
    if scorer not in names():
        message = translate("there is no scorer {name}: write NAME:SCORER=FILE, with a scorer of {choices}")
        raise ValueError(message.format(name=format_argument(scorer), choices=listed(names())))
    if not Path(path).is_file():
        raise FileNotFoundError(f"--task {format_path(path)}: {translate('no such file')}")
    return slug, (scorer, Path(path))


def _fill(folder: Path, database: str | None, blobs: str | None, *, has_tasks: bool, is_demo: bool) -> str:
    """Make the database of a new board, with its tasks if it has any, and return the token of the organizer."""
    by = actor("init")
    opened = open_database(database or folder / DATABASE, create=True)
    try:
        token = create_admin(opened, actor=by)
    finally:
        opened.close()
    storage = open_blobs(blobs or str(folder / BLOBS))
    if not has_tasks:
        return token
    board = open_board(folder, database=database, blobs=storage)
    try:
        register_tasks(board, actor=by)
        if is_demo:
            from muge_fast.leaderboard.samples import fill_demo

            note("filling the board with teams and two months of submissions …")
            fill_demo(board)
    finally:
        board.close()
    return token


def _say_next(folder: Path, *, has_tasks: bool) -> None:
    shown = format_path(folder)
    note("made the board {folder}", folder=shown)
    if not has_tasks:
        note("add tasks to {path}", path=format_path(folder / "board.toml"))
    note("add a team: muge-fast board team add {folder} NAME", folder=shown)
    note("serve it:   muge-fast board serve {folder}", folder=shown)
    note("log in on the pages as admin, with the token of the organizer as the password; it is shown only now:")
