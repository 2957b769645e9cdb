"""``muge-fast demo``."""

from __future__ import annotations

from pathlib import Path

import click

from muge_fast.cli.demo_data import demo_captions, demo_images, demo_retrieval, demo_submissions
from muge_fast.cli.errors import usage_errors
from muge_fast.cli.language import translate
from muge_fast.cli.options import OUTPUT, WRITTEN, option
from muge_fast.cli.program import Command


@click.command(cls=Command)
@option(
    "--html",
    type=WRITTEN,
    default="muge-fast-demo.html",
    show_default=True,
    section=OUTPUT,
    help="Report for a browser.",
)
@option("--date", metavar="TEXT", section=OUTPUT, help="Date to show in the report.")
def demo(*, html: Path, date: str | None) -> None:
    """Score the sample data of the package, and write a report for a browser."""
    with usage_errors():
        for part in (demo_captions, demo_retrieval, lambda: demo_submissions(html, date=date)):
            click.echo(part() + "\n")
        # Loading torch and the network takes seconds.
        click.echo(translate("Scoring synthetic images …"), err=True)
        click.echo(demo_images())
