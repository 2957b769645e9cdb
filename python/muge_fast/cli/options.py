"""Arguments, options and output that several commands share."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from muge_fast import tasks
from muge_fast._internal.atomic import replacing
from muge_fast._internal.display import escape_surrogates
from muge_fast.datasets.problems import LANGUAGES
from muge_fast.evaluation.report import Report

Command = TypeVar("Command", bound=Callable[..., None])

PATH = click.Path(path_type=Path)
AT_LEAST_1 = click.IntRange(min=1)

task_argument = click.argument("task", type=click.Choice(tasks.names()))
threads_option = click.option("--threads", type=AT_LEAST_1, help="Number of threads.  [default: all cores]")


def report_options(command: Command) -> Command:
    """Add the options of commands that print a report.

    Args:
        command: The function of the command.

    Returns:
        The function.

    """
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the report as JSON."),
        click.option("--pool", type=PATH, help="For retrieval: image TSV or list of ids of the allowed items."),
        click.option(
            "--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language of errors."
        ),
    ):
        command = option(command)
    return command


def print_report(report: Report, *, as_json: bool) -> None:
    """Print a report and exit: with code 0 for a valid submission, 1 for an invalid one.

    Args:
        report: The report.
        as_json: Whether to print JSON.

    """
    if as_json:
        click.echo(report.to_json(), nl=False)
    elif not report.ok:
        for error in report.errors:
            click.echo(escape_surrogates(error))
        click.echo(click.style("invalid", fg="red") + f": {report.problem_count} problems")
    elif report.scores is None:
        click.echo(click.style("valid", fg="green") + f": {report.rows:,} rows")
    else:
        for name, score in report.scores.items():
            text = f"{name:<12}{report.task.official_value(name, score.value):>8.2f}"
            click.echo(click.style(text, bold=True) if name == report.task.main else text)
        click.echo(f"{report.rows:,} rows, {report.seconds * 1000:.0f} ms")
    for warning in report.warnings:
        click.echo(click.style("Warning: ", fg="yellow") + escape_surrogates(warning), err=True)
    sys.exit(0 if report.ok else 1)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write an object as JSON; the file appears complete or not at all.

    Args:
        path: The file.
        value: The object.

    """
    with replacing(path) as file:
        file.write(escape_surrogates(json.dumps(value, ensure_ascii=False)).encode("utf-8"))


def check_writable(option: str, path: Path | None) -> None:
    """Raise if a file cannot be written, before the work whose result it is for.

    Args:
        option: Name of the option, for the error.
        path: The file; None if the option is not used.

    Raises:
        ValueError: The folder does not exist or is not writable, or the path is a folder.

    """
    if path is None:
        return
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise ValueError(f"{option}: the folder {folder} does not exist")
    if path.is_dir():
        raise ValueError(f"{option}: {path} is a folder, expected a file")
    if not path.exists() and not os.access(folder, os.W_OK):
        raise ValueError(f"{option}: the folder {folder} is not writable")
