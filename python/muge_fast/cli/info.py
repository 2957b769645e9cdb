"""``muge-fast info``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import click

from muge_fast import tasks
from muge_fast._internal.display import format_id, json_text, printable
from muge_fast.cli.errors import DEBUG, WRONG_USAGE, Ended, describe, print_error, usage_errors
from muge_fast.cli.language import language, translate
from muge_fast.cli.options import PATH, json_option
from muge_fast.cli.program import Command
from muge_fast.evaluation import file_info

# Characters of a path and of an error that are shown.
PATH_LENGTH, ERROR_LENGTH = 4096, 400
# Keys that are formatted separately.
SEPARATE_KEYS = ("path", "kind", "files", "errors")
# Width of the names of the other keys.
LABEL = 16


@click.command(cls=Command)
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH…")
@json_option
def info(*, paths: tuple[Path, ...], as_json: bool) -> None:
    """Recognize files of MUGE, or all files of a folder, and count and check their rows.

    Exit code 0: no file has problems. 1: a file has problems, which are printed. 2: wrong usage, or a file cannot be
    read; the others are described.
    """
    with usage_errors():
        described = [_describe(path) for path in paths]
        files = [file for file in described if file is not None]
        text = json_text(files, indent=2) if as_json else "\n\n".join("\n".join(_lines(file)) for file in files)
        if files or as_json:
            click.echo(text)
        raise Ended(WRONG_USAGE if None in described else int(_have_problems(files)))


def _describe(path: Path) -> dict[str, Any] | None:
    """Return the description of a file; None, after an error was printed, if it cannot be read."""
    try:
        return file_info.describe(path, lang=language())
    except (OSError, ValueError) as error:
        context = click.get_current_context()
        if context.meta.get(DEBUG):
            raise
        print_error(describe(error, context))
        return None


def _have_problems(files: Iterable[dict[str, Any]]) -> bool:
    return any(file.get("problems") or _have_problems(file.get("files", [])) for file in files)


def _lines(info: dict[str, Any]) -> Iterator[str]:
    """Yield a description for a terminal; untrusted names and ids must not control it."""
    yield click.style(format_id(info["path"], PATH_LENGTH), bold=True) + f": {printable(_kind(info['kind']))}"
    for file in info.get("files", []):
        yield from ("  " + line for line in _lines(file))
    for name, value in info.items():
        if name in SEPARATE_KEYS:
            continue
        yield f"  {_label(name.replace('_', ' '))}{_value(value)}"
    for error in info.get("errors", []):
        yield "    " + click.style(format_id(error, ERROR_LENGTH), fg="red")


def _kind(kind: str) -> str:
    """Return a kind of files in the language of the command."""
    task, _, role = kind.partition(" ")
    if language() == "zh" and task in tasks.names():
        return tasks.get(task).title_zh.partition("（")[0] + translate(role)
    return translate(kind)


def _label(name: str) -> str:
    label = printable(translate(name))
    # Chinese characters are twice as wide.
    width = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in label)
    return label + " " * max(1, LABEL - width)


def _value(value: object) -> str:
    if isinstance(value, dict):
        low, mean, high = (value[key] for key in ("min", "mean", "max"))
        return translate("{low} to {high}, mean {mean}").format(low=f"{low:,}", high=f"{high:,}", mean=f"{mean:,.1f}")
    if isinstance(value, list):
        return translate(" to ").join(map(format_id, value))
    return f"{value:,}" if isinstance(value, int) else format_id(value)
