"""``muge-fast info``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from muge_fast._internal.display import escape_surrogates, format_id
from muge_fast.cli.errors import usage_errors

# The most characters of a path and of an error that are shown.
PATH, ERROR = 4096, 400


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(*, paths: tuple[Path, ...], as_json: bool) -> None:
    """Recognise files of MUGE, or folders of them, and count what is in them."""
    from muge_fast.evaluation.file_info import describe  # noqa: PLC0415 - not for other commands

    with usage_errors():
        found = [describe(path) for path in paths]
        if as_json:
            text = json.dumps(found, ensure_ascii=False, indent=2)
        else:
            text = "\n\n".join("\n".join(_lines(one)) for one in found)
        click.echo(escape_surrogates(text))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    """What was found, for a terminal: names and ids of others must not control it."""
    yield click.style(format_id(found["path"], PATH), bold=True) + f": {found['kind']}"
    for file in found.get("files", []):
        yield from ("  " + line for line in _lines(file))
    for name, value in found.items():
        if name in ("path", "kind", "files", "errors"):
            continue
        if isinstance(value, dict):
            shown = f"{value['least']:,} to {value['largest']:,}, mean {value['mean']:,.1f}"
        else:
            shown = " to ".join(map(format_id, value)) if isinstance(value, list) else f"{value:,}"
        yield f"  {name.replace('_', ' '):<16}{shown}"
    for error in found.get("errors", []):
        yield "    " + click.style(format_id(error, ERROR), fg="red")
