"""``muge-fast score``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from muge_fast import tasks
from muge_fast.cli.errors import usage_errors
from muge_fast.cli.options import (
    AT_LEAST_1,
    PATH,
    check_writable,
    print_report,
    report_options,
    task_argument,
    threads_option,
    write_json,
)
from muge_fast.datasets import ImageTsv
from muge_fast.evaluation._evaluate import evaluate
from muge_fast.evaluation.report import Report
from muge_fast.features.arrow import import_pyarrow
from muge_fast.text.tokenizers import TOKENIZERS

# Suffixes of tables of item scores.
TABLES = (".csv", ".parquet")
# click keeps the line breaks after \b.
EXAMPLE = (
    "\b\nExample:\n  muge-fast score retrieval --gold MR_valid_queries.jsonl --submission pred.jsonl --html report.html"
)


@click.command(epilog=EXAMPLE)
@task_argument
@click.option("--gold", required=True, type=PATH, help="Gold file: JSON lines, or the image TSV of t2i.")
@click.option("--submission", required=True, type=PATH, help="Submission file, in the same format.")
@click.option("--official", type=PATH, help="Write the official result object as JSON.")
@click.option("--html", type=PATH, help="Write a report for a browser.")
@click.option("--images", type=PATH, help="Image TSV: shows the images in the --html report.")
@click.option("--markdown", type=PATH, help="Write the scores as a Markdown table.")
@click.option("--per-item", type=PATH, help="Write the scores of each item: .csv or .parquet.")
@click.option("--tokenizer", help=f"caption: {', '.join(TOKENIZERS)}.  [default: muge]")
@click.option("--weights", help="t2i: file with the weights of FID's Inception network, or 'download'.")
@click.option("--protocol", help="t2i: tf1, pytorch-fid, torchmetrics, clean, ofa.  [default: tf1]")
@click.option("--precision", help="t2i: fp32, tf32, bf16.  [default: fp32]")
@click.option("--device", help="t2i: device of the networks, such as cpu or cuda:1.  [default: a GPU if available]")
@click.option("--batch-size", type=AT_LEAST_1, help="t2i: images per batch.  [default: 32]")
@click.option("--splits", type=AT_LEAST_1, help="t2i: splits of the Inception Score.  [default: 10; ofa 1]")
@click.option("--texts", type=PATH, help="t2i: TSV of ids and texts, for R-precision.")
@click.option("--clip", help="t2i: CLIP or Chinese-CLIP model for --texts, a folder or the name of a cached model.")
@click.option("--image-feats", "image_features", type=PATH, help="t2i: feature file of the generated images.")
@click.option("--text-feats", "text_features", type=PATH, help="t2i: feature file of the texts, for --image-feats.")
@click.option("--negatives", type=AT_LEAST_1, help="t2i: random texts per image in R-precision.  [default: 99]")
@threads_option
@report_options
def score(
    *,
    task: str,
    gold: Path,
    submission: Path,
    official: Path | None,
    html: Path | None,
    images: Path | None,
    markdown: Path | None,
    per_item: Path | None,
    lang: str,
    pool: Path | None,
    as_json: bool,
    **task_options: str | int | Path | None,
) -> None:
    """Check a submission, and score it if it is valid.

    Exit code 0: scored. 1: the submission is invalid, and its errors are printed. 2: wrong usage, a file cannot be
    read, or scoring failed.
    """
    with usage_errors():
        # Before scoring, which may take minutes.
        for option, path in (("official", official), ("html", html), ("markdown", markdown), ("per-item", per_item)):
            check_writable(f"--{option}", path)
        _check_table(per_item)
        shown = None if images is None else ImageTsv(images)
        used: dict[str, Any] = {name: value for name, value in task_options.items() if value is not None}
        report = evaluate(tasks.get(task), gold, submission, pool=pool, lang=lang, **used)
        if official is not None:
            write_json(official, report.official())
        if html is not None:
            report.to_html(path=html, images=shown)
        if markdown is not None:
            report.to_markdown(path=markdown)
        if per_item is not None and report.ok:
            _write_table(report, per_item)
        print_report(report, as_json=as_json)


def _check_table(path: Path | None) -> None:
    """Raise if a table of item scores has an unknown format, or one that needs a missing package."""
    if path is None:
        return
    suffix = path.suffix.lower()
    if suffix not in TABLES:
        raise ValueError(f"--per-item: unknown format {path.suffix!r}, use .csv or .parquet")
    if suffix == ".parquet":
        import_pyarrow()


def _write_table(report: Report, path: Path) -> None:
    if path.suffix.lower() == ".csv":
        report.to_csv(path=path)
    else:
        report.to_parquet(path=path)
