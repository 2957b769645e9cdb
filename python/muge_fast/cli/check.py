"""``muge-fast check``."""

from __future__ import annotations

from pathlib import Path

import click

from muge_fast import tasks
from muge_fast.cli.errors import usage_errors
from muge_fast.cli.options import PATH, print_report, report_options, task_argument
from muge_fast.evaluation._evaluate import check as check_submission


@click.command()
@task_argument
@click.option("--submission", required=True, type=PATH, help="Submission file.")
@click.option("--gold", type=PATH, help="Gold file, to find missing and unknown ids.")
@report_options
def check(*, task: str, submission: Path, gold: Path | None, lang: str, pool: Path | None, as_json: bool) -> None:
    """Check a submission without scoring it.

    Exit code 0: the submission is valid. 1: it is invalid, and its errors are printed. 2: wrong usage, a file cannot be
    read, or checking failed.
    """
    with usage_errors():
        print_report(check_submission(tasks.get(task), submission, gold=gold, pool=pool, lang=lang), as_json=as_json)
