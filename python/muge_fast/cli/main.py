"""The command ``muge-fast``: a group of commands."""

from __future__ import annotations

import codecs
import io
import json
import sys

import click

from muge_fast._core import __version__
from muge_fast.cli.board import board
from muge_fast.cli.check import check
from muge_fast.cli.compare import compare
from muge_fast.cli.demo import demo
from muge_fast.cli.info import info
from muge_fast.cli.official import official
from muge_fast.cli.program import Program, debug_option, language_option
from muge_fast.cli.run import run
from muge_fast.cli.score import score
from muge_fast.cli.states import count, merge
from muge_fast.cli.submit import submit
from muge_fast.cli.top_k import top_k

ESCAPE = "muge_fast.escape"


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that an output encoding lacks by JSON's escapes, so that JSON stays valid."""
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101 - for the type checker
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(ESCAPE, _escape)


@click.group(
    "muge-fast",
    cls=Program,
    params=[language_option(), debug_option()],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__)
def main() -> None:
    """Score the tasks of MUGE, the Chinese multimodal benchmark."""
    for stream in (sys.stdout, sys.stderr):
        # Output must not fail on a terminal whose encoding has no Chinese characters, as is common on Windows.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPE)


for command in (score, check, compare, official, top_k, run, count, merge, info, submit, demo, board):
    main.add_command(command)
