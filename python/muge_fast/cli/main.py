"""The command ``muge-fast``."""

from __future__ import annotations

import codecs
import io
import json
import sys

import click

from muge_fast import __version__
from muge_fast.cli.demo import demo
from muge_fast.cli.info import info
from muge_fast.cli.score import check, official, score
from muge_fast.cli.top_k import top_k


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """What an output cannot write, as JSON writes it, so that JSON stays what it is."""
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101 - for the type checker
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error("muge_fast.escaped", _escaped)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show where in the program an error comes from.")
@click.version_option(__version__)
def main(*, debug: bool) -> None:
    """Score the tasks of MUGE, the Chinese multimodal benchmark."""
    del debug
    for stream in (sys.stdout, sys.stderr):
        # A verdict must not fail for want of Chinese characters, which an output of Windows often has not.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="muge_fast.escaped")


for command in (score, check, official, top_k, info, demo):
    main.add_command(command)
