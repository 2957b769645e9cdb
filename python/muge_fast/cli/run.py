"""``muge-fast run``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from muge_fast._internal.display import format_id, json_text, printable
from muge_fast.cli.errors import Ended, usage_errors
from muge_fast.cli.input_files import InputFile, NamedPath
from muge_fast.cli.language import counted, language, translate
from muge_fast.cli.options import (
    AT_LEAST_0,
    AT_LEAST_1,
    FILES,
    OUTPUT,
    json_option,
    option,
    print_written,
    threads_option,
)
from muge_fast.cli.parameter_types import Guidance, Name
from muge_fast.cli.program import Command
from muge_fast.cli.report_text import print_report, print_warnings
from muge_fast.cli.scoring_options import choice
from muge_fast.cli.task_options import OF_CAPTIONS, OF_IMAGES, check_task_options
from muge_fast.models._run import PAGE, TASK_RUNS, Run
from muge_fast.models._run import run as run_model
from muge_fast.models.options import DTYPES, ModelOptions
from muge_fast.text.tokenizers import TOKENIZERS

OF_MODELS, OF_LANGUAGE, OF_DIFFUSION = "Model", "Models that write text", "Models that generate images"
# Items without a result that are printed.
LISTED = 10

# click keeps the line breaks after \b.
EXAMPLE = """
\b
Example:
  muge-fast run retrieval --model chinese-clip-vit-base-patch16/ \\
      --data MUGE/ --split valid --output runs/chinese-clip
"""


@click.command(cls=Command, epilog=EXAMPLE)
@click.argument("task", type=Name("task", list(TASK_RUNS)), metavar="TASK")
@option(
    "--model",
    required=True,
    metavar="PATH|NAME",
    section=OF_MODELS,
    help="Folder of a model of transformers or diffusers, or the name of one in their cache.",
)
@option(
    "--data",
    required=True,
    type=NamedPath(path_type=Path),
    section=FILES,
    help="Folder of the data set, with files as the benchmark names them.",
)
@option(
    "--split",
    default="valid",
    metavar="NAME",
    section=FILES,
    help="Split in the names of these files, valid if it is not given.",
)
@option(
    "-o",
    "--output",
    required=True,
    type=NamedPath(path_type=Path),
    section=OUTPUT,
    help="Folder of the run; the same command continues a run that was interrupted.",
)
@option("--batch-size", type=AT_LEAST_1, section=OF_MODELS, help="Items per batch.  [default: by task]")
@option(
    "--device",
    metavar="NAME",
    section=OF_MODELS,
    help="Device of the model, such as cpu or cuda:1.  [default: a GPU if available]",
)
@choice("dtype", DTYPES, OF_MODELS, default="auto")
@option("--download", is_flag=True, section=OF_MODELS, help="Download the model if it is not on this machine.")
@option(
    "--trust-remote-code",
    is_flag=True,
    section=OF_MODELS,
    help="Run Python code that the model's folder contains: it can do whatever you can do on this machine.",
)
@option(
    "--prompt",
    metavar="TEXT",
    section=OF_LANGUAGE,
    help="What the model is asked; {question} stands for the question.  [default: Chinese, by task]",
)
@option("--max-new-tokens", type=AT_LEAST_1, section=OF_LANGUAGE, help="Most tokens of a text.  [default: 64]")
@option("--beams", type=AT_LEAST_1, section=OF_LANGUAGE, help="Beams of the search for a text.  [default: 1]")
@option("--steps", type=AT_LEAST_1, section=OF_DIFFUSION, help="Denoising steps.  [default: of the model]")
@option("--guidance", type=Guidance(), section=OF_DIFFUSION, help="Guidance scale.  [default: of the model]")
@option("--size", type=AT_LEAST_1, section=OF_DIFFUSION, help="Height and width in pixels.  [default: of the model]")
@option("--seed", type=AT_LEAST_0, default=0, section=OF_DIFFUSION, help="Seed of the images.  [default: 0]")
@choice("tokenizer", TOKENIZERS, OF_CAPTIONS, default="muge")
@option(
    "--weights",
    type=InputFile("download"),
    section=OF_IMAGES,
    help="File with the weights of FID's Inception network, or 'download'.",
)
@option(
    "--splits",
    type=AT_LEAST_1,
    metavar="N",
    section=OF_IMAGES,
    help="Splits of the Inception Score.  [default: 10; ofa 1]",
)
@option(
    "--clip",
    metavar="MODEL",
    section=OF_IMAGES,
    help="CLIP or Chinese-CLIP model for R-precision, a folder or a cached model's name.",
)
@json_option
@threads_option
def run(
    *,
    task: str,
    model: str,
    data: Path,
    split: str,
    output: Path,
    batch_size: int | None,
    seed: int,
    tokenizer: str | None,
    weights: Path | str | None,
    clip: str | None,
    splits: int | None,
    as_json: bool,
    threads: int | None,
    **options: str | float | None,
) -> None:
    """Run a model through a task: from a data set to a submission, its scores and a report.

    TASK is retrieval, caption, t2i or vqa. Of the data set, retrieval needs MR_valid_imgs.tsv and
    MR_valid_queries.jsonl; caption IC_valid.tsv; t2i T2I_valid.text.tsv; vqa VQA_valid.tsv and VQA_valid.jsonl. Scores
    also need IC_valid.jsonl and T2I_valid.img.tsv.

    Exit code 0: the submission is valid. 1: it is invalid, because items have no result, and its errors are printed. 2:
    wrong usage, a file cannot be read, or the model failed; the same command continues the run.
    """
    with usage_errors():
        scoring = {"tokenizer": tokenizer, "weights": weights, "splits": splits, "clip": clip}
        check_task_options(task, scoring)
        with _interrupted_runs_go_on():
            result = run_model(
                task,  # type: ignore[arg-type] # one of the names
                model,
                data,
                split=split,
                output=output,
                batch_size=batch_size,
                seed=seed,
                threads=threads,
                lang=language(),
                scoring={name: value for name, value in scoring.items() if value is not None},
                options=_model_options(options),
            )
        _print_run(result)
        if as_json:
            click.echo(json_text(result.manifest))
            raise Ended(0 if result.report.ok else 1)
        submission = output / result.manifest["files"]["submission"]
        print_report(result.report, submission, None, as_json=False)


@contextmanager
def _interrupted_runs_go_on() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        click.echo(translate("the same command continues the run"), err=True)
        raise


def _model_options(given: Mapping[str, Any]) -> ModelOptions:
    """Return the options of the model; those that are not given have their defaults."""
    return ModelOptions(**{name: value for name, value in given.items() if value is not None})


def _print_run(result: Run) -> None:
    """Print on stderr what was written, and which items have no result."""
    for name in (*result.manifest["files"].values(), PAGE):
        print_written(result.output / name)
    warnings = [f"{format_id(item.id)}: {item.reason}" for item in result.missing[:LISTED]]
    if result.missing:
        message = translate("{items} without a result, see run.json")
        warnings.append(message.format(items=counted(len(result.missing), "item")))
    print_warnings(map(printable, warnings))
