"""``muge-fast score``, ``check`` and ``official``: a submission and its verdict."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from muge_fast import tasks
from muge_fast._internal.atomic import replacing
from muge_fast._internal.display import escape_surrogates
from muge_fast.cli.errors import usage_errors
from muge_fast.datasets.problems import LANGUAGES
from muge_fast.evaluation._evaluate import check as check_submission
from muge_fast.evaluation._evaluate import evaluate
from muge_fast.evaluation.report import Report, import_parquet

FILE = click.Path(path_type=Path)
TASK = click.Choice(tasks.names())
# Options that go to the task as they are.
EXTRA = (
    *("tokenizer", "threads"),
    *("weights", "protocol", "precision", "device", "batch_size", "splits"),
    *("texts", "clip", "image_features", "text_features", "negatives"),
)
# Those that name a file to be written, and the ends of names that tables of items have.
OUTPUTS = ("official", "html", "markdown", "per_item")
TABLES = (".csv", ".parquet")
# click leaves lines as they are after this sign.
EXAMPLE = (
    "\b\nExample:\n  muge-fast score retrieval --gold MR_valid_queries.jsonl --submission pred.jsonl --html report.html"
)


def _common(command: Any) -> Any:  # noqa: ANN401 - click's decorators have no narrower type
    """The options of both commands."""
    for option in (
        click.option(
            "--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language of errors."
        ),
        click.option("--pool", type=FILE, help="Image TSV or list of ids: the items that may be found (retrieval)."),
        click.option("--json", "as_json", is_flag=True, help="Print the report as JSON."),
    ):
        command = option(command)
    return command


@click.command(epilog=EXAMPLE)
@click.argument("task", type=TASK)
@click.option("--gold", required=True, type=FILE, help="Gold file: JSON lines, or the image TSV of t2i.")
@click.option("--submission", required=True, type=FILE, help="Submission, in the same form.")
@click.option("--official", type=FILE, help="Write the official result object.")
@click.option("--html", type=FILE, help="Write a report to look at in a browser.")
@click.option("--images", type=FILE, help="Image TSV with pictures for --html.")
@click.option("--markdown", type=FILE, help="Write the scores as Markdown.")
@click.option("--per-item", type=FILE, help="Write the scores of each item: .csv or .parquet.")
@click.option("--tokenizer", help="Of captions: muge, char, whitespace, jieba, 13a, zh.  [default: muge]")
@click.option("--weights", help="Of t2i: file of FID's Inception, or the word download.")
@click.option("--protocol", help="Of t2i: tf1, pytorch-fid, torchmetrics, clean, ofa.  [default: tf1]")
@click.option("--precision", help="Of t2i: fp32, tf32, bf16.  [default: fp32]")
@click.option("--device", help="Of t2i: where networks run, such as cpu or cuda:1.  [default: a GPU if there is one]")
@click.option("--batch-size", type=click.IntRange(min=1), help="Of t2i: images of a batch.  [default: 32]")
@click.option(
    "--splits", type=click.IntRange(min=1), help="Of t2i: parts of the Inception Score.  [default: 10, ofa 1]"
)
@click.option("--texts", type=FILE, help="Of t2i, for R-precision: ids and texts, a TSV of the benchmark.")
@click.option("--clip", help="With --texts: folder of a CLIP or Chinese-CLIP model, or the name of a cached one.")
@click.option("--image-feats", "image_features", type=FILE, help="Instead of these: features of generated images.")
@click.option("--text-feats", "text_features", type=FILE, help="With --image-feats: features of their texts.")
@click.option("--negatives", type=click.IntRange(min=1), help="Of R-precision: other texts of each.  [default: 99]")
@click.option("--threads", type=click.IntRange(min=1), help="Number of threads.  [default: all cores]")
@_common
def score(*, task: str, gold: Path, submission: Path, **options: Any) -> None:  # noqa: ANN401
    """Check and score a submission.

    Exit code 0: scored. 1: the submission is invalid, and all errors are printed. 2: wrong usage, or a file that cannot
    be read.
    """
    with usage_errors():
        _check_outputs(options)
        images = _pictures(options["images"])
        extra = {name: options[name] for name in EXTRA if options[name] is not None}
        report = evaluate(task, gold, submission, pool=options["pool"], lang=options["lang"], **extra)
        _write(report, options, images)
        _finish(report, as_json=options["as_json"])


@click.command()
@click.argument("task", type=TASK)
@click.option("--submission", required=True, type=FILE, help="Submission, in the same form.")
@click.option("--gold", type=FILE, help="Gold file, or none to look at the submission alone.")
@_common
def check(*, task: str, submission: Path, gold: Path | None, lang: str, pool: Path | None, as_json: bool) -> None:
    """Check a submission without scoring it. Exit codes as for score."""
    with usage_errors():
        _finish(check_submission(task, submission, gold=gold, pool=pool, lang=lang), as_json=as_json)


@click.command()
@click.argument("task", type=TASK)
@click.argument("gold", type=FILE)
@click.argument("prediction", type=FILE)
@click.argument("output", type=FILE)
def official(*, task: str, gold: Path, prediction: Path, output: Path) -> None:
    """Score as the official evaluator is called: the result object is written in every case."""
    failed = None
    try:
        result = evaluate(task, gold, prediction).official()
    except Exception as error:  # noqa: BLE001 - whatever it is, whoever called waits for a result
        failed = str(error) or type(error).__name__
        result = {"success": False, "score": 0, "scoreJson": {}, "errorMsg": failed, "errorDetail": failed}
    with usage_errors():
        _write_json(output, result)
        if failed is not None:
            raise ValueError(failed)
    sys.exit(0 if result["success"] else 1)


def _write_json(path: Path, result: dict[str, Any]) -> None:
    with replacing(path) as file:
        file.write(escape_surrogates(json.dumps(result, ensure_ascii=False)).encode("utf-8"))


def _check_outputs(options: dict[str, Any]) -> None:
    """Refuse outputs that cannot be written, before scoring, which may take minutes."""
    for name in OUTPUTS:
        flaw = None if options[name] is None else _flaw(options[name])
        if flaw is not None:
            raise ValueError(f"--{name.replace('_', '-')}: {flaw}")
    table = options["per_item"]
    if table is not None and table.suffix.lower() not in TABLES:
        raise ValueError(f"--per-item: the name ends in {table.suffix!r}, needs .csv or .parquet")
    if table is not None and table.suffix.lower() == ".parquet":
        import_parquet()


def _flaw(path: Path) -> str | None:
    """Say why a file cannot be written, as far as can be told before."""
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        return f"there is no folder for {path}"
    if path.is_dir():
        return f"{path} is a folder, needs a file"
    return None if path.exists() or os.access(folder, os.W_OK) else f"{folder} may not be written to"


def _pictures(path: Path | None) -> Mapping[str, bytes] | None:
    if path is None:
        return None
    from muge_fast.datasets import ImageTsv  # noqa: PLC0415 - few reports have pictures

    return ImageTsv(path)


def _write(report: Report, options: dict[str, Any], images: Mapping[str, bytes] | None) -> None:
    if options["official"] is not None:
        _write_json(options["official"], report.official())
    if options["html"] is not None:
        report.to_html(path=options["html"], images=images)
    if options["markdown"] is not None:
        report.to_markdown(path=options["markdown"])
    if options["per_item"] is not None and report.ok:
        is_csv = options["per_item"].suffix.lower() == ".csv"
        (report.to_csv if is_csv else report.to_parquet)(options["per_item"])


def _finish(report: Report, *, as_json: bool) -> None:
    """Print a report and leave with its exit code."""
    if as_json:
        click.echo(report.to_json(), nl=False)
    elif not report.ok:
        for error in report.errors:
            click.echo(escape_surrogates(error))
        click.echo(click.style("invalid", fg="red") + f": {report.problem_count} problems")
    elif report.scores is None:
        click.echo(click.style("valid", fg="green") + f": {report.rows:,} rows")
    else:
        for name, value in report.scores.items():
            text = f"{name:<12}{report.task.official_value(name, value.value):>8.2f}"
            click.echo(click.style(text, bold=True) if name == report.task.main else text)
        click.echo(f"{report.rows:,} rows, {report.seconds * 1000:.0f} ms")
        for warning in report.warnings:
            click.echo(click.style("Warning: ", fg="yellow") + warning, err=True)
    sys.exit(0 if report.ok else 1)
