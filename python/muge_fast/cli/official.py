"""``muge-fast official``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from muge_fast.cli.errors import usage_errors
from muge_fast.cli.options import PATH, WRITTEN, print_written, task_argument, write_json
from muge_fast.cli.program import Command
from muge_fast.evaluation._evaluate import evaluate
from muge_fast.evaluation.official_result import failed_result


@click.command(cls=Command)
@task_argument
@click.argument("gold", type=PATH)
@click.argument("prediction", type=PATH)
@click.argument("output", type=WRITTEN)
def official(*, task: str, gold: Path, prediction: Path, output: Path) -> None:
    """Score with the arguments of the official evaluator.

    OUTPUT gets the official result object in every case. Exit code 0: scored. 1: the submission is invalid. 2: it could
    not be evaluated, or OUTPUT cannot be written.
    """
    message = None
    try:
        result = evaluate(task, gold, prediction).official()
    except Exception as error:  # noqa: BLE001 - OUTPUT is written for every error
        message = str(error) or type(error).__name__
        result = failed_result(message)
    with usage_errors():
        write_json(output, result)
        print_written(output)
        if message is not None:
            raise ValueError(message)
    sys.exit(0 if result["success"] else 1)
