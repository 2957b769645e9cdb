"""A comparison as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from muge_fast._internal.display import format_id, json_text, printable
from muge_fast.cli.language import counted, language, translate
from muge_fast.cli.report_text import encodable, file_line, print_warnings
from muge_fast.comparison.comparison import Comparison
from muge_fast.evaluation.report import Report

if TYPE_CHECKING:
    from muge_fast.cli.run_folders import ComparedRun


def print_comparison(
    comparison: Comparison,
    reports: Mapping[str, Report],
    gold: Path,
    *,
    runs: Mapping[str, ComparedRun],
    as_json: bool,
) -> None:
    """Print a comparison, with the warnings about its submissions on stderr.

    Args:
        comparison: The comparison.
        reports: The report of each system by its name.
        gold: The gold file.
        runs: The systems that are runs, by name.
        as_json: Whether to print JSON.

    """
    first = next(iter(reports.values()))
    if as_json:
        files = {name: report.files["submission"].to_dict() for name, report in reports.items()}
        head = {"ok": True, "task": first.task.name, "gold": first.files["gold"].to_dict(), "submissions": files}
        described = {"runs": {name: run.to_dict() for name, run in runs.items()}} if runs else {}
        click.echo(json_text({**head, **described, **comparison.to_dict()}, indent=2))
    else:
        click.echo(click.style(first.title, bold=True))
        click.echo(file_line("gold", gold))
        for line in _lines(comparison, runs):
            click.echo(encodable(line))
    print_warnings(_warnings(reports))


def print_invalid_systems(reports: Mapping[str, Report], *, as_json: bool) -> None:
    """Print the errors of invalid submissions under the names of their systems.

    Args:
        reports: The report of each system by its name.
        as_json: Whether to print JSON.

    """
    invalid = {name: report for name, report in reports.items() if not report.ok}
    if as_json:
        found = {"ok": False, "invalid": {name: report.to_dict() for name, report in invalid.items()}}
        click.echo(json_text(found, indent=2))
        return
    for name, report in invalid.items():
        problems = counted(report.problem_count, "problem")
        heading = translate("{name} is invalid: {problems}").format(name=format_id(name), problems=problems)
        click.echo(click.style(heading, fg="red"))
        for error in report.errors:
            click.echo(f"  {printable(error)}")


def _lines(comparison: Comparison, runs: Mapping[str, ComparedRun]) -> Iterator[str]:
    """Yield a table for each metric, what they have in common, and signatures, those of models of runs included."""
    blocks = comparison.table(lang=language()).rstrip("\n").split("\n\n\n")
    for index, block in enumerate(blocks):
        first, line_end, rest = block.partition("\n")
        # Notes follow the tables.
        yield "\n" + (click.style(first, bold=True) if index < len(comparison) else first) + line_end + rest
    yield ""
    yield translate("Signatures")
    for signature in (comparison.signature, *(metric.signature for metric in comparison.values())):
        yield f"  {printable(signature)}"
    for name, run in runs.items():
        if run.signature is not None:
            yield f"  {printable(name)}: {printable(run.signature)}"


def _warnings(reports: Mapping[str, Report]) -> Iterator[str]:
    """Yield the warnings about the submissions, each once, with the names of systems unless it is about all."""
    systems: dict[str, list[str]] = {}
    for name, report in reports.items():
        for warning in dict.fromkeys(report.warnings):
            systems.setdefault(warning, []).append(name)
    for warning, names in systems.items():
        colon = "：" if language() == "zh" else ": "
        yield warning if len(names) == len(reports) else f"{', '.join(map(format_id, names))}{colon}{warning}"
    yield from _identical(reports)


def _identical(reports: Mapping[str, Report]) -> Iterator[str]:
    """Yield a warning for each submission that has the same bytes as an earlier one."""
    seen: dict[str, str] = {}
    for name, report in reports.items():
        # Files of images would be read again.
        content = report.files["submission"].sha256 if report.task.file_type == "lines" else None
        if content is not None and seen.setdefault(content, name) != name:
            text = translate("the submissions of {first} and {second} are identical")
            yield text.format(first=format_id(seen[content]), second=format_id(name))
