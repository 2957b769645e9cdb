"""``muge-fast official``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from muge_fast.cli.error_language import in_chinese
from muge_fast.cli.errors import Ended, usage_errors
from muge_fast.cli.language import language, translate
from muge_fast.cli.options import PATH, WRITTEN, print_written, task_argument, write_json
from muge_fast.cli.program import Command
from muge_fast.cli.report_text import print_invalid, print_warnings
from muge_fast.cli.signals import Terminated
from muge_fast.evaluation.official_result import failed_result
from muge_fast.evaluation.official_verdict import official_verdict


@click.command(cls=Command)
@task_argument
@click.argument("gold", type=PATH)
@click.argument("prediction", type=PATH)
@click.argument("output", type=WRITTEN)
def official(*, task: str, gold: Path, prediction: Path, output: Path) -> None:
    """Score with the arguments of the official evaluator.

    OUTPUT gets the official result object in every case. For retrieval, success and score are those of MUGE's public
    script; what score and check refuse in a file that it accepts is a warning. Exit code 0: scored. 1: the submission
    is invalid. 2: it could not be evaluated, or OUTPUT cannot be written.
    """
    try:
        verdict = official_verdict(task, gold, prediction, lang=language())
    except BaseException:
        # Signals, and exceptions that are not errors of Python, such as a panic of PyO3.
        write_json(output, failed_result(translate("the evaluation was interrupted")))
        raise
    with usage_errors():
        result = _in_language(verdict.result)
        _write(output, result)
        print_written(output)
        print_warnings(verdict.warnings)
        if verdict.error is not None:
            raise ValueError(verdict.error)
        if not result["success"]:
            print_invalid(result["errorDetail"].partition("\n")[0])
    raise Ended(0 if result["success"] else 1)


def _in_language(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result object whose messages are in Chinese for ``--lang zh``, also those of the operating system."""
    keys = [key for key in ("errorMsg", "errorDetail") if key in result and language() == "zh"]
    return {**result, **{key: "\n".join(map(in_chinese, result[key].split("\n"))) for key in keys}}


def _write(output: Path, result: dict[str, Any]) -> None:
    """Write the result object, again if a signal comes while it is written."""
    try:
        write_json(output, result)
    except (KeyboardInterrupt, Terminated):
        write_json(output, result)
        raise
