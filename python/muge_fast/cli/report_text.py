"""A report as text for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from muge_fast._internal.display import format_id, printable
from muge_fast._internal.metric_names import arrow, metric_title
from muge_fast.cli.errors import Ended
from muge_fast.cli.input_files import original_names
from muge_fast.cli.language import counted, duration, language, translate
from muge_fast.evaluation.report import Report
from muge_fast.scores import Score

# Characters of a path that are shown.
PATH_LENGTH = 4096
# Width of the words before the names of files.
LABEL = 12
# What is printed for characters that stdout lacks.
PLAINER = {" ↑": "", " ↓": "", "–": "-"}


def print_report(report: Report, submission: Path, gold: Path | None, *, as_json: bool) -> None:
    """Print a report and exit: with code 0 for a valid submission, 1 for an invalid one.

    Warnings are printed on stderr.

    Args:
        report: The report.
        submission: The submission.
        gold: The gold file; None if there is none.
        as_json: Whether to print JSON.

    Raises:
        Ended: Always, with the exit code.

    """
    if as_json:
        click.echo(report.to_json(), nl=False)
    elif not report.ok:
        for error in report.errors:
            click.echo(printable(error))
        click.echo(_verdict("invalid", counted(report.problem_count, "problem")))
    elif report.scores is None:
        click.echo(_verdict("valid", counted(report.rows, "row")))
    else:
        for line in _score_lines(report, submission, gold):
            click.echo(line)
    print_warnings(report.warnings)
    raise Ended(0 if report.ok else 1)


def print_warnings(warnings: Iterable[str]) -> None:
    """Print warnings on stderr.

    Args:
        warnings: The warnings, one line each.

    """
    for warning in warnings:
        click.echo(click.style(translate("Warning: "), fg="yellow") + printable(warning), err=True)


def print_invalid(error: str) -> None:
    """Print on stderr that a submission is invalid, and the first error.

    Args:
        error: The error.

    """
    click.echo(_verdict("invalid", printable(error)), err=True)


def _verdict(state: str, text: str) -> str:
    """Return a line that says whether a submission is ``"valid"`` or ``"invalid"``, the state in color."""
    styled = click.style(translate(state), fg="green" if state == "valid" else "red")
    return f"{styled}：{text}" if language() == "zh" else f"{styled}: {text}"


def file_line(role: str, path: Path) -> str:
    """Return a line with the name of a file as it was given.

    Args:
        role: ``"submission"`` or ``"gold"``.
        path: The file.

    Returns:
        The line.

    """
    names = original_names(click.get_current_context())
    # Both words have four characters in Chinese.
    return f"{translate(role):<{LABEL}}{format_id(names.get(str(path), path), PATH_LENGTH)}"


def encodable(text: str) -> str:
    """Return a text with other characters for those that stdout lacks: arrows are left out, dashes are hyphens.

    Args:
        text: The text.

    Returns:
        The text.

    """
    for character, other in PLAINER.items():
        if not _can_print(character):
            text = text.replace(character, other)
    return text


def _can_print(text: str) -> bool:
    """Return whether stdout has all characters of a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _score_lines(report: Report, submission: Path, gold: Path | None) -> Iterator[str]:
    """Yield what was scored, a table of the scores, and their signatures."""
    assert report.scores is not None  # noqa: S101 - the submission was scored
    scores = list(report.scores.values())
    yield click.style(report.title, bold=True)
    for role, path in (("submission", submission), ("gold", gold)):
        if path is not None:
            yield file_line(role, path)
    yield ""
    width = max(len(metric_title(score.name)) for score in scores)
    for score in scores:
        line = _score_line(report, score, width)
        yield click.style(line, bold=True) if score.name == report.task.main else line
    yield ""
    yield translate("Signatures")
    yield from (f"  {printable(score.signature)}" for score in scores)
    yield ""
    yield translate("{rows} in {time}").format(rows=counted(report.rows, "row"), time=duration(report.seconds))


def _score_line(report: Report, score: Score, width: int) -> str:
    factor = report.task.score_scales.get(score.name, report.task.score_scale)
    scale = "" if factor == 1 else translate("x{factor}, ").format(factor=f"{factor:g}")
    direction = translate("higher is better" if score.higher_is_better else "lower is better")
    value = report.task.official_value(score.name, score.value)
    direction += encodable(f" {arrow(score.higher_is_better)}")
    return f"{metric_title(score.name):<{width}}{value:>9.2f}  ({scale}{direction})"
