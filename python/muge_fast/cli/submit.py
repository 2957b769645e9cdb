"""``muge-fast submit``."""

from __future__ import annotations

from pathlib import Path

import click

from muge_fast.cli.errors import usage_errors
from muge_fast.cli.input_files import InputFile
from muge_fast.cli.options import OUTPUT, json_option, option
from muge_fast.cli.program import Command

SITE, SENT = "Site", "Submission"
"""Headings of options."""


@click.command(cls=Command)
@click.argument("task", metavar="TASK")
@click.argument("file", type=InputFile(), metavar="FILE")
@option("--to", "address", required=True, metavar="URL", section=SITE, help="Address of the site.")
@option("--token-file", required=True, type=InputFile(), section=SITE, help="File with the token of your account.")
@option("--insecure", is_flag=True, section=SITE, help="Send the token to another machine without encryption.")
@option("--method", default="", metavar="TEXT", section=SENT, help="Name or description of the method.")
@option("--link", "links", multiple=True, metavar="URL", section=SENT, help="Address of a paper or code, repeatable.")
@option("--no-check", is_flag=True, section=SENT, help="Send the file without checking it first.")
@option("--wait", is_flag=True, section=OUTPUT, help="Wait for the verdict, and print it.")
@json_option
def submit(
    *,
    task: str,
    file: Path,
    address: str,
    token_file: Path,
    insecure: bool,
    method: str,
    links: tuple[str, ...],
    no_check: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Send a submission to the site of a challenge.

    TASK is the name of a task of the site. The file is checked first, and is not sent if it has errors. A command that
    broke off can be repeated: the same file is sent once.

    Exit code 0: accepted, or with --wait scored. 1: the file is invalid, and its errors are printed. 2: wrong usage,
    the site refuses the file or cannot be reached, or the evaluation has no verdict.
    """
    # The client imports modules of the network, which take as long as the rest of the command.
    from muge_fast.cli.submission_flow import run_submission  # noqa: PLC0415

    with usage_errors():
        run_submission(
            task,
            file,
            address=address,
            token_file=token_file,
            insecure=insecure,
            method=method,
            links=links,
            check_first=not no_check,
            wait=wait,
            as_json=as_json,
        )
