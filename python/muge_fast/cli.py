"""The command ``muge-fast``."""

from __future__ import annotations

import click

from muge_fast import __version__
from muge_fast.commands.demo import demo
from muge_fast.commands.info import info
from muge_fast.commands.score import check, official, score
from muge_fast.commands.top_k import top_k


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show where in the program an error comes from.")
@click.version_option(__version__)
def main(*, debug: bool) -> None:
    """Score the tasks of MUGE, the Chinese multimodal benchmark."""
    del debug


for command in (score, check, official, top_k, info, demo):
    main.add_command(command)
