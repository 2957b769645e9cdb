"""``muge-fast info``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from muge_fast._internal.display import escape_surrogates, format_id
from muge_fast.cli.errors import usage_errors
from muge_fast.cli.options import PATH
from muge_fast.evaluation.file_info import describe

# Characters of a path and of an error that are shown.
PATH_LENGTH, ERROR_LENGTH = 4096, 400
# Keys that are formatted separately.
SEPARATE_KEYS = ("path", "kind", "files", "errors")


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH…")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(*, paths: tuple[Path, ...], as_json: bool) -> None:
    """Recognize files of MUGE, or all files of a folder, and count and check their rows."""
    with usage_errors():
        files = [describe(path) for path in paths]
        if as_json:
            text = json.dumps(files, ensure_ascii=False, indent=2)
        else:
            text = "\n\n".join("\n".join(_lines(file)) for file in files)
        click.echo(escape_surrogates(text))


def _lines(info: dict[str, Any]) -> Iterator[str]:
    """Yield a description for a terminal; untrusted names and ids must not control it."""
    yield click.style(format_id(info["path"], PATH_LENGTH), bold=True) + f": {info['kind']}"
    for file in info.get("files", []):
        yield from ("  " + line for line in _lines(file))
    for name, value in info.items():
        if name in SEPARATE_KEYS:
            continue
        if isinstance(value, dict):
            text = f"{value['min']:,} to {value['max']:,}, mean {value['mean']:,.1f}"
        else:
            text = " to ".join(map(format_id, value)) if isinstance(value, list) else f"{value:,}"
        yield f"  {name.replace('_', ' '):<16}{text}"
    for error in info.get("errors", []):
        yield "    " + click.style(format_id(error, ERROR_LENGTH), fg="red")
