"""Arguments, options and output that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from muge_fast import tasks
from muge_fast._internal.atomic import replacing
from muge_fast._internal.display import format_path, json_text
from muge_fast.cli.input_files import InputFile, NamedPath
from muge_fast.cli.language import counted, translate
from muge_fast.cli.output_files import OutputFile
from muge_fast.cli.parameter_types import AtLeast, Name
from muge_fast.cli.program import Option
from muge_fast.cli.task_options import OF_RETRIEVAL

Command = TypeVar("Command", bound=Callable[..., None])

PATH = NamedPath(path_type=Path)
AT_LEAST_0, AT_LEAST_1 = AtLeast(0), AtLeast(1)
WRITTEN = OutputFile()

FILES, OUTPUT = "Files", "Output"
"""Headings of options."""

option = partial(click.option, cls=Option)

task_argument = click.argument("task", type=Name("task", tasks.names()), metavar="TASK")
threads_option = click.option("--threads", type=AT_LEAST_1, help="Number of threads.  [default: all cores]")
date_option = option("--date", metavar="TEXT", section=OUTPUT, help="Date to show in the --html report.")
seconds_option = option(
    "--seconds", is_flag=True, section=OUTPUT, help="Show the time taken in the --html report, which differs each time."
)
json_option = option("--json", "as_json", is_flag=True, section=OUTPUT, help="Print JSON instead of text.")


pool_option = option(
    "--pool",
    type=InputFile(),
    section=OF_RETRIEVAL,
    help="Image TSV or list of ids of the allowed items.",
)


def gold_option(*, is_required: bool) -> Callable[[Command], Command]:
    """Return a decorator that adds the option of the gold file.

    Args:
        is_required: Whether the gold file is required.

    Returns:
        The decorator.

    """
    text = "Gold file, or - for standard input." if is_required else "Gold file, to find missing and unknown ids."
    return option("-g", "--gold", required=is_required, type=InputFile(), section=FILES, help=text)


def submission_options(*, needs_gold: bool) -> Callable[[Command], Command]:
    """Return a decorator that adds the options of the files that are compared.

    Args:
        needs_gold: Whether the gold file is required.

    Returns:
        The decorator.

    """
    submission = option(
        "-s",
        "--submission",
        "--predictions",
        "--pred",
        "submission",
        required=True,
        type=InputFile(),
        section=FILES,
        help="Submission file, in the same format, or - for standard input.",
    )

    def decorate(command: Command) -> Command:
        for add in (pool_option, submission, gold_option(is_required=needs_gold)):
            command = add(command)
        return command

    return decorate


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write an object as JSON; the file appears complete or not at all.

    Args:
        path: The file.
        value: The object.

    """
    with replacing(path) as file:
        file.write(json_text(value).encode("utf-8"))


def print_written(path: Path, count: int | None = None, unit: str = "row") -> None:
    """Print on stderr which file was written, so that stdout has the result alone.

    Args:
        path: The file.
        count: Number of its rows; None to leave it out.
        unit: Their unit in the singular.

    """
    size = "" if count is None else f" ({counted(count, unit)})"
    click.echo(translate("wrote {path}").format(path=f"{format_path(path)}{size}"), err=True)
