"""``muge-fast demo``."""

from __future__ import annotations

from pathlib import Path

import click

from muge_fast.cli.demo_data import demo_captions, demo_comparisons, demo_images, demo_retrieval, demo_submissions
from muge_fast.cli.errors import usage_errors
from muge_fast.cli.language import translate
from muge_fast.cli.options import OUTPUT, WRITTEN, option
from muge_fast.cli.program import Command
from muge_fast.cli.report_text import encodable


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
    """Score the sample data of the package and compare its systems, and write a report for a browser.

    The comparison is written next to the report, with -comparison.html at the end of its name.
    """
    with usage_errors():
        comparison = html.with_name(f"{html.stem}-comparison.html")
        click.echo(demo_captions() + "\n")
        click.echo(demo_retrieval() + "\n")
        click.echo(demo_submissions(html, date=date) + "\n")
        click.echo(encodable(demo_comparisons(comparison, date=date)) + "\n")
        # Loading torch and the network takes seconds.
        click.echo(translate("Scoring synthetic images …"), err=True)
        click.echo(demo_images())
