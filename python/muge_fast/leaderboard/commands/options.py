"""Arguments and options that several commands of the leaderboard share, and how they open a board."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import click
from tabulate import tabulate

from muge_fast._internal.display import printable
from muge_fast.cli.language import translate
from muge_fast.cli.options import PATH, option
from muge_fast.cli.program import Group, debug_option, language_option
from muge_fast.cli.report_text import encodable
from muge_fast.leaderboard.blobs.addresses import open_blobs
from muge_fast.leaderboard.board import Board, open_board
from muge_fast.leaderboard.store.audit import Actor

Command = TypeVar("Command", bound=Callable[..., Any])

STORAGE, SERVER = "Storage", "Server"
"""Headings of options."""

DATABASE_VARIABLE, BLOBS_VARIABLE = "MUGE_FAST_DATABASE", "MUGE_FAST_BLOBS"
"""Environment variables with the values of ``--database`` and ``--blobs``: arguments are visible to other users."""

# Characters of a name or a text of a participant that are shown.
SHOWN = 200

folder_argument = click.argument("folder", type=PATH, metavar="DIR")
task_argument = click.argument("slug", metavar="TASK")
json_option = option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def storage_options(command: Command) -> Command:
    """Add the options of the database and the submitted files to a command.

    Args:
        command: The function of the command.

    Returns:
        The function.

    """
    add_blobs = option(
        "--blobs",
        metavar="ADDRESS",
        envvar=BLOBS_VARIABLE,
        section=STORAGE,
        help="Submitted files, s3://bucket/prefix or a folder.  [default: MUGE_FAST_BLOBS, or DIR/blobs]",
    )
    add_database = option(
        "--database",
        metavar="ADDRESS",
        envvar=DATABASE_VARIABLE,
        section=STORAGE,
        help="Database, postgresql://USER@HOST/NAME.  [default: MUGE_FAST_DATABASE, or DIR/board.sqlite]",
    )
    return add_database(add_blobs(command))


def group(name: str) -> Callable[[Callable[..., Any]], click.Group]:
    """Return a decorator that makes a group of commands.

    Args:
        name: Name of the group.

    Returns:
        The decorator.

    """
    return click.group(name, cls=Group, params=[language_option(), debug_option()])


@contextmanager
def opened_board(folder: Path, *, database: str | None, blobs: str | None, migrate: bool = False) -> Iterator[Board]:
    """Open the board of a command, and close it at the end of the block.

    Args:
        folder: Folder of the board.
        database: Value of ``--database``.
        blobs: Value of ``--blobs``.
        migrate: Bring tables of an older version up to date.

    Yields:
        The board.

    """
    storage = open_blobs(blobs) if blobs else None
    board = open_board(folder, database=database, blobs=storage, migrate=migrate)
    try:
        yield board
    finally:
        board.close()


def actor(command: str) -> Actor:
    """Return the actor of a command for the audit log.

    Args:
        command: Name of the command, such as ``"team add"``.

    Returns:
        The actor, with the name of the user of the system.

    """
    user = "unknown"
    with suppress(OSError, KeyError, ImportError):  # A container may have no entry for the user.
        user = getpass.getuser()
    return Actor(f"muge-fast board {command}", printable(user, 80))


def note(text: str, **values: object) -> None:
    """Print a line for a reader on stderr, so that stdout has the result alone.

    Args:
        text: The English text, which has a translation.
        values: Values of its placeholders.

    """
    shown = {name: printable(str(value), SHOWN) for name, value in values.items()}
    click.echo(encodable(translate(text).format(**shown)), err=True)


def print_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table.

    Args:
        heads: Titles of the columns in English.
        rows: The rows; None is an empty cell.

    """
    cells = [["" if cell is None else printable(str(cell), SHOWN) for cell in row] for row in rows]
    text = tabulate(cells, [translate(head) for head in heads], tablefmt="plain", disable_numparse=True)
    for line in text.splitlines():
        click.echo(encodable(line.rstrip()))
