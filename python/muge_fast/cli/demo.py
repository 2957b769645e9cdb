"""``muge-fast demo``."""

from __future__ import annotations

from pathlib import Path

import click

from muge_fast.cli.errors import usage_errors


@click.command()
@click.option(
    "--html", type=click.Path(path_type=Path), default="muge-fast-demo.html", show_default=True, help="Report."
)
def demo(*, html: Path) -> None:
    """Score the sample data that the package ships, and write a report to look at in a browser."""
    from muge_fast.cli.demo_data import demo_captions, demo_images, demo_retrieval, demo_verdicts  # noqa: PLC0415 - not for other commands

    with usage_errors():
        click.echo(demo_captions())
        click.echo()
        click.echo(demo_retrieval())
        click.echo()
        click.echo(demo_verdicts(html))
        click.echo()
        click.echo(demo_images())
