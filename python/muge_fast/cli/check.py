"""``muge-fast check``."""

from __future__ import annotations

from pathlib import Path

import click

from muge_fast import tasks
from muge_fast.cli.errors import usage_errors
from muge_fast.cli.language import language
from muge_fast.cli.options import json_option, submission_options, task_argument
from muge_fast.cli.program import Command
from muge_fast.cli.report_text import print_report
from muge_fast.cli.task_options import check_task_options
from muge_fast.evaluation._evaluate import check as check_submission


@click.command(cls=Command)
@task_argument
@submission_options(needs_gold=False)
@json_option
def check(*, task: str, submission: Path, gold: Path | None, pool: Path | None, as_json: bool) -> None:
    """Check a submission without scoring it.

    TASK is caption, retrieval, t2i, classification, vqa or vcr.

    Exit code 0: the submission is valid. 1: it is invalid, and its errors are printed. 2: wrong usage, a file cannot be
    read, or checking failed.
    """
    with usage_errors():
        check_task_options(task, {"pool": pool})
        report = check_submission(tasks.get(task), submission, gold=gold, pool=pool, lang=language())
        print_report(report, submission, gold, as_json=as_json)
