"""``muge-fast demo``."""

from __future__ import annotations

from pathlib import Path

import click

from muge_fast.cli.demo_data import demo_captions, demo_images, demo_retrieval, demo_submissions
from muge_fast.cli.errors import usage_errors
from muge_fast.cli.options import PATH


@click.command()
@click.option("--html", type=PATH, default="muge-fast-demo.html", show_default=True, help="Report for a browser.")
def demo(*, html: Path) -> None:
    """Score the sample data of the package, and write a report for a browser."""
    with usage_errors():
        click.echo("\n\n".join([demo_captions(), demo_retrieval(), demo_submissions(html), demo_images()]))
