"""``muge-fast compare``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from muge_fast import tasks
from muge_fast._internal.checks import align_ids
from muge_fast.cli.comparison_text import print_comparison, print_invalid_systems
from muge_fast.cli.error_language import in_chinese
from muge_fast.cli.errors import Ended, usage_errors
from muge_fast.cli.input_files import InputFile, NamedFile, NamedInputFile
from muge_fast.cli.language import language, translate
from muge_fast.cli.options import (
    AT_LEAST_0,
    AT_LEAST_1,
    OUTPUT,
    WRITTEN,
    date_option,
    gold_option,
    json_option,
    option,
    pool_option,
    print_written,
    task_argument,
    threads_option,
)
from muge_fast.cli.parameter_types import Level, Name
from muge_fast.cli.program import Command
from muge_fast.cli.scoring_options import choice, loaded_options, scoring_options, with_more_metrics
from muge_fast.cli.system_names import system_names
from muge_fast.cli.task_options import check_combinations, check_task_options
from muge_fast.comparison._compare import compare as compare_systems
from muge_fast.comparison.adjusted import CORRECTIONS
from muge_fast.comparison.comparison import Comparison
from muge_fast.comparison.pair_tests import TESTS
from muge_fast.datasets.texts import read_clusters
from muge_fast.evaluation.prepared import prepare
from muge_fast.evaluation.report import Report
from muge_fast.significance.intervals import IntervalOptions
from muge_fast.significance.sign_flips import ALTERNATIVES
from muge_fast.tasks.task import Task

if TYPE_CHECKING:
    from muge_fast.cli.run_folders import ComparedRun

OF_COMPARISONS = "Comparison"
NUMBERS = ("level", "resamples", "seed", "threads")
# Options of the function of the library, which has the defaults of those that are not passed on.
COMPARISON_OPTIONS = ("baseline", "level", "test", "alternative", "correction", "resamples", "seed")

# click keeps the line breaks after \b.
EXAMPLE = """
\b
Example:
  muge-fast compare caption --gold IC_valid.jsonl \\
      base=runs/1/pred.jsonl large=runs/2/pred.jsonl
  muge-fast compare retrieval --gold MR_valid_queries.jsonl runs/*/
"""


@click.command(cls=Command, epilog=EXAMPLE)
@task_argument
@click.argument("submissions", nargs=-1, required=True, type=NamedInputFile(may_be_folder=True), metavar="SUBMISSION…")
@gold_option(is_required=True)
@pool_option
@scoring_options
@option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    section=OF_COMPARISONS,
    help="Metric to compare; may be repeated.  [default: all of the task]",
)
@option("--baseline", metavar="NAME", section=OF_COMPARISONS, help="Compare the others with this system only.")
@option("--level", type=Level(), default=0.95, section=OF_COMPARISONS, help="Confidence level.  [default: 0.95]")
@choice("test", TESTS, OF_COMPARISONS, default="auto")
@choice("alternative", ALTERNATIVES, OF_COMPARISONS, default="two-sided")
@choice("correction", CORRECTIONS, OF_COMPARISONS, default="step_down")
@option(
    "--clusters",
    type=InputFile(),
    section=OF_COMPARISONS,
    help="TSV of ids and keys: items with the same key, such as those of a user, are kept together.",
)
@option(
    "--resamples",
    type=AT_LEAST_1,
    default=10_000,
    section=OF_COMPARISONS,
    help="Number of resamples.  [default: 10000]",
)
@option(
    "--seed", type=AT_LEAST_0, default=12345, section=OF_COMPARISONS, help="Seed of the resamples.  [default: 12345]"
)
@option("--html", type=WRITTEN, section=OUTPUT, help="Write a report for a browser.")
@date_option
@option("--markdown", type=WRITTEN, section=OUTPUT, help="Write the tables in Markdown.")
@json_option
@threads_option
def compare(
    *,
    task: str,
    submissions: tuple[NamedFile, ...],
    gold: Path,
    pool: Path | None,
    metrics: tuple[str, ...],
    clusters: Path | None,
    html: Path | None,
    date: str | None,
    markdown: Path | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - those of the task and of the comparison
) -> None:
    """Compare systems, and say which differences the items support and which ranks are possible.

    TASK is caption, retrieval, t2i, classification, vqa or vcr. SUBMISSION is a file or NAME=FILE, at least two
    of them; other systems are named after their files. It may also be a folder of muge-fast run, which is named after
    its model; the run must be complete, and made with the same gold file.

    Exit code 0: compared. 1: a submission is invalid, and the errors of all are printed. 2: wrong usage, a file cannot
    be read, or comparing failed.
    """
    with usage_errors():
        scoring = loaded_options(options)
        chosen = {name: scoring.pop(name) for name in COMPARISON_OPTIONS if name in scoring}
        check_task_options(task, {"pool": pool, **scoring})
        check_combinations({"html": html, "date": date, **scoring})
        # Before scoring, which may take minutes.
        systems, runs = _read_runs(submissions, task, gold)
        names = _system_names(systems)
        wanted = _metric_names(tasks.get(task), metrics, scoring)
        if wanted is not None and "metrics" in tasks.get(task).option_choices:
            scoring["metrics"] = with_more_metrics(tasks.get(task), wanted)
        if "baseline" in chosen:
            chosen["baseline"] = _one_of("baseline", "system", names, chosen["baseline"])
        _check_numbers({**chosen, "threads": options["threads"]})
        keys = None if clusters is None else read_clusters(clusters)
        files = {name: file.path for name, file in zip(names, systems, strict=True)}
        reports = _evaluate(tasks.get(task), files, gold, pool=pool, **scoring)
        if not all(report.ok for report in reports.values()):
            print_invalid_systems(reports, as_json=as_json)
            raise Ended(1)
        compared = compare_systems(
            reports,
            wanted,
            clusters=None if keys is None else _keys_in_order(keys, next(iter(reports.values()))),
            threads=options["threads"],
            **chosen,
        )
        by_name = {name: runs[path] for name, path in files.items() if path in runs}
        comparison = replace(_in_language(compared), missing={name: run.missing for name, run in by_name.items()})
        if html is not None:
            comparison.to_html(path=html, lang=language(), date=date)
            print_written(html)
        if markdown is not None:
            comparison.to_markdown(path=markdown, lang=language())
            print_written(markdown)
        print_comparison(comparison, reports, gold, runs=by_name, as_json=as_json)


def _read_runs(
    submissions: Sequence[NamedFile], task: str, gold: Path
) -> tuple[Sequence[NamedFile], Mapping[Path, ComparedRun]]:
    """Return the submissions, with those of runs in place of their folders, and the runs by their submissions."""
    if not any(file.path.is_dir() for file in submissions):
        return submissions, {}
    from muge_fast.cli.run_folders import read_runs  # noqa: PLC0415 - few comparisons are of runs

    return read_runs(submissions, task, gold)


def _system_names(submissions: Sequence[NamedFile]) -> list[str]:
    """Return the names of the systems, of which there must be two."""
    if len(submissions) < 2:  # noqa: PLR2004 - a comparison
        message = translate("a comparison needs at least two submissions, got {count}")
        raise click.UsageError(message.format(count=len(submissions)), click.get_current_context())
    return system_names(submissions)


def _check_numbers(options: Mapping[str, Any]) -> None:
    """Raise for too few resamples for the level."""
    IntervalOptions.check(method="bootstrap", **{name: options[name] for name in NUMBERS})


def _metric_names(task: Task, metrics: Sequence[str], scoring: Mapping[str, Any]) -> list[str] | None:
    """Return the names of the metrics to compare; None for all."""
    # Tasks of other packages may have more scores than their official result.
    of_task = dict.fromkeys((*task.official.values(), *task.option_choices.get("metrics", ())))
    known = list(of_task) if task.name in tasks.BUILT_IN else metrics
    names = [_one_of("metrics", "metric", known, name) for name in dict.fromkeys(metrics)]
    if "r_precision" in names and "texts" not in scoring:
        message = translate("{option} needs {other} too").format(option="--metric r_precision", other="--texts")
        raise click.UsageError(message, click.get_current_context())
    return names or None


def _one_of(key: str, kind: str, names: Sequence[str], value: str) -> str:
    """Return one of several names, which an option has as its value, or raise an error about the option."""
    context = click.get_current_context()
    parameter = next(parameter for parameter in context.command.params if parameter.name == key)
    return value if value in names else Name(kind, names).convert(value, parameter, context)


def _evaluate(
    task: Task,
    files: Mapping[str, Path],
    gold: Path,
    *,
    pool: Path | None,
    **scoring: Any,  # noqa: ANN401 - of tasks
) -> dict[str, Report]:
    """Return the reports of the systems; without scores if a submission is invalid and scoring takes long."""
    lang = language()
    if task.name in tasks.BUILT_IN and task.has_option("influence"):
        # FID and the Inception Score have no scores of items.
        scoring["influence"] = True
    first = next(iter(files.values()))
    prepared = prepare(task, gold, pool=pool, lang=lang, submission=first, **scoring)
    if task.file_type == "images":
        checked = {name: prepared.check(path, lang=lang) for name, path in files.items()}
        if not all(report.ok for report in checked.values()):
            return checked
    return {name: prepared.evaluate(path, lang=lang) for name, path in files.items()}


def _keys_in_order(keys: Mapping[str, str], report: Report) -> list[str]:
    """Return the key of each item, in the order of the scores."""
    scores = report.scores
    # Scores of sets of images have no ids; the images are in the order of the gold file.
    ids = list(map(str, (scores.ids if scores is not None else []) or report.references))
    wanted = set(ids)
    given = [key for key in keys if key in wanted]
    align_ids(given, ids, given_name="clusters", wanted_name="the gold file")
    return [keys[key] for key in ids]


def _in_language(comparison: Comparison) -> Comparison:
    """Return a comparison that says in the language of the command why metrics are left out."""
    if language() == "en":
        return comparison
    return replace(comparison, left_out={name: in_chinese(reason) for name, reason in comparison.left_out.items()})
