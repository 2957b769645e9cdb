"""The command ``muge-fast``."""

from __future__ import annotations

import click

from muge_fast import __version__
from muge_fast.demo import demo_captions


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Score the tasks of MUGE, the Chinese multimodal benchmark."""


@main.command()
def demo() -> None:
    """Score the sample data that the package ships."""
    click.echo(demo_captions())
