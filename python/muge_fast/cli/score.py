"""``muge-fast score``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from muge_fast import tasks
from muge_fast._internal.optional import import_optional
from muge_fast.caption.options import METRICS
from muge_fast.cli.errors import usage_errors
from muge_fast.cli.input_files import InputFile
from muge_fast.cli.language import counted, language, translate
from muge_fast.cli.options import (
    OUTPUT,
    WRITTEN,
    date_option,
    json_option,
    option,
    print_written,
    seconds_option,
    submission_options,
    task_argument,
    threads_option,
    write_json,
)
from muge_fast.cli.parameter_types import Name
from muge_fast.cli.program import Command
from muge_fast.cli.report_text import print_report, print_warnings
from muge_fast.cli.scoring_options import loaded_options, scoring_options, with_more_metrics
from muge_fast.cli.states import write_state
from muge_fast.cli.task_options import OF_CAPTIONS, OF_IMAGES, check_combinations, check_task_options
from muge_fast.evaluation._evaluate import evaluate
from muge_fast.evaluation.report import Report
from muge_fast.evaluation.report_page.picture_files import open_pictures
from muge_fast.features.arrow import import_pyarrow

# Suffixes of tables of item scores.
TABLES = (".csv", ".parquet")
# click keeps the line breaks after \b.
EXAMPLE = """
\b
Example:
  muge-fast score retrieval --gold MR_valid_queries.jsonl \\
      --submission pred.jsonl --html report.html
"""


@click.command(cls=Command, epilog=EXAMPLE)
@task_argument
@submission_options(needs_gold=True)
@scoring_options
@option(
    "--metric",
    "metrics",
    multiple=True,
    type=Name("metric", METRICS),
    section=OF_CAPTIONS,
    help="Further metric to compute: cider or meteor; may be repeated.",
)
@option(
    "--image-feats",
    "image_features",
    type=InputFile(),
    section=OF_IMAGES,
    help="Feature file of the generated images, instead of --texts.",
)
@option(
    "--text-feats", "text_features", type=InputFile(), section=OF_IMAGES, help="Feature file of the texts, likewise."
)
@option("--html", type=WRITTEN, section=OUTPUT, help="Write a report for a browser.")
@option(
    "--images",
    type=InputFile(may_be_folder=True),
    section=OUTPUT,
    help="Image TSV, folder or zip: shows the images in the --html report.",
)
@date_option
@seconds_option
@option("--markdown", type=WRITTEN, section=OUTPUT, help="Write the scores as a Markdown table.")
@option("--per-item", type=WRITTEN, section=OUTPUT, help="Write the scores of each item: .csv or .parquet.")
@option("--state", type=WRITTEN, section=OUTPUT, help="Write the scores as a state, for merge.")
@option("--official", type=WRITTEN, section=OUTPUT, help="Write the official result object as JSON.")
@json_option
@threads_option
def score(
    *,
    task: str,
    gold: Path,
    submission: Path,
    pool: Path | None,
    official: Path | None,
    html: Path | None,
    images: Path | None,
    date: str | None,
    seconds: bool,
    markdown: Path | None,
    per_item: Path | None,
    state: Path | None,
    as_json: bool,
    **task_options: str | int | Path | tuple[str, ...] | None,
) -> None:
    """Check a submission, and score it if it is valid.

    TASK is caption, retrieval, t2i, classification, vqa or vcr.

    Exit code 0: scored. 1: the submission is invalid, and its errors are printed. 2: wrong usage, a file cannot be
    read, or scoring failed.
    """
    with usage_errors():
        check_task_options(task, {"pool": pool, **task_options})
        of_page = {"images": images, "date": date, "seconds": seconds or None}
        check_combinations({"html": html, **of_page, **task_options})
        # Before scoring, which may take minutes.
        _check_table(per_item)
        shown = None if images is None else _open_images(images)
        used = loaded_options(task_options)
        if "metrics" in used:
            used["metrics"] = with_more_metrics(tasks.get(task), used["metrics"])
        report = evaluate(tasks.get(task), gold, submission, pool=pool, lang=language(), **used)
        if official is not None:
            write_json(official, report.official())
            print_written(official)
        if html is not None:
            _warn_about_images(report, shown)
            report.to_html(path=html, images=shown, date=date, seconds=seconds)
            print_written(html, report.rows)
        if markdown is not None:
            report.to_markdown(path=markdown)
            print_written(markdown)
        if per_item is not None and report.ok:
            _write_table(report, per_item)
        if state is not None and report.scores is not None:
            write_state(state, report.scores)
        print_report(report, submission, gold, as_json=as_json)


def _check_table(path: Path | None) -> None:
    """Raise if a table of item scores has an unknown format, or one that needs a missing package."""
    if path is None:
        return
    suffix = path.suffix.lower()
    if suffix not in TABLES:
        message = translate("unknown format {suffix}, use .csv or .parquet")
        raise ValueError("--per-item: " + message.format(suffix=repr(path.suffix)))
    if suffix == ".parquet":
        import_pyarrow()


def _open_images(path: Path) -> Mapping[Any, bytes]:
    """Return the images of an option, after checking that they can be decoded."""
    import_optional("PIL", purpose="images", install="muge-fast[images]")
    return open_pictures(path)


def _warn_about_images(report: Report, images: Mapping[Any, bytes] | None) -> None:
    if images is not None and report.ok and not _are_shown(report, images):
        message = translate("none of the {images} of --images has an id of the submission or the gold file")
        print_warnings([message.format(images=counted(len(images), "image"))])


def _are_shown(report: Report, images: Mapping[Any, bytes]) -> bool:
    """Return whether an image belongs to an item, or to an id that is listed for one."""
    for values in (report.predictions, report.references):
        for key, value in values.items():
            if str(key) in images:
                return True
            if isinstance(value, list) and any(str(item) in images for item in value if isinstance(item, int)):
                return True
    return False


def _write_table(report: Report, path: Path) -> None:
    if path.suffix.lower() == ".csv":
        report.to_csv(path=path)
    else:
        report.to_parquet(path=path)
    print_written(path, sum(1 for _ in report.items()))
