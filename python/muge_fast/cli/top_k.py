"""``muge-fast top-k``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from muge_fast._internal.atomic import replacing
from muge_fast._internal.field_names import DIRECTIONS, RETRIEVAL_FIELDS
from muge_fast.cli.errors import usage_errors
from muge_fast.cli.input_files import InputFile, NamedPath
from muge_fast.cli.language import translate
from muge_fast.cli.options import AT_LEAST_1, print_written, threads_option
from muge_fast.cli.output_files import check_writable, refuse_input
from muge_fast.cli.parameter_types import Name
from muge_fast.cli.program import Command
from muge_fast.cli.report_text import print_warnings
from muge_fast.datasets.writers import encode_lines
from muge_fast.retrieval.predictions import Sides, field_names, read_sides, search
from muge_fast.retrieval.top_k_arguments import SIMILARITIES

OPTIONS = ("--image-feats", "--text-feats")
FEATURES = InputFile()
SUBMITTED_ITEMS = 10
"""Number of items that the benchmark needs for each query."""


@click.command("top-k", cls=Command)
@click.option("--image-feats", required=True, type=FEATURES, help="Feature file of the images.")
@click.option("--text-feats", required=True, type=FEATURES, help="Feature file of the texts.")
@click.option("--top-k", "k", type=AT_LEAST_1, default=10, show_default=True, help="Number of results per query.")
@click.option("--output", required=True, type=NamedPath(path_type=Path, allow_dash=True), help="File, or - for stdout.")
@click.option(
    "--direction",
    type=Name("direction", DIRECTIONS),
    metavar="|".join(DIRECTIONS),
    default="text-to-image",
    show_default=True,
    help="Search images for each text, or texts for each image.",
)
@click.option(
    "--fields",
    type=Name("field", list(RETRIEVAL_FIELDS)),
    metavar="|".join(RETRIEVAL_FIELDS),
    help="Names of the fields of the output.  [default: those of the text features]",
)
@click.option(
    "--metric",
    type=Name("metric", SIMILARITIES),
    metavar="|".join(SIMILARITIES),
    default="ip",
    show_default=True,
    help="Inner product or cosine.",
)
@threads_option
@click.option("--eval-batch-size", type=int, help="Has no effect; accepted for existing scripts.")
def top_k(
    *,
    image_feats: Path,
    text_feats: Path,
    k: int,
    output: Path,
    direction: str,
    fields: str | None,
    metric: str,
    threads: int | None,
    eval_batch_size: int | None,
) -> None:
    """Find the most similar images for each text, or texts for each image, and write a file of predictions.

    Feature files are JSON lines {"image_id": 42967, "feature": [0.0123, …]}, as Chinese-CLIP writes them, or .npz,
    .npy, .parquet, .arrow, .feather. The ids of texts are named text_id or query_id.

    A line of the output is {"query_id": 8426, "item_ids": [42967, …]} (muge), or {"text_id": 8426, "image_ids":
    [42967, …]} (chinese-clip) if the ids of the texts are named text_id. For --direction image-to-text it is
    {"image_id": 42967, "text_ids": [8426, …]}.
    """
    del eval_batch_size
    with usage_errors():
        if fields is not None and direction not in RETRIEVAL_FIELDS[fields]:
            message = translate("--fields {fields} has no names for --direction {direction}, use chinese-clip")
            raise ValueError(message.format(fields=fields, direction=direction))
        is_file = str(output) != "-"
        if is_file:
            refuse_input("--output", output, dict(zip(OPTIONS, (image_feats, text_feats), strict=True)))
            check_writable("--output", output)
        sides = read_sides(image_feats, text_feats, options=OPTIONS, threads=threads)
        _check_k(k, sides, direction)
        names = field_names(sides, direction, fields)
        lines = search(sides, k, names, direction=direction, metric=metric, threads=threads)
        _write(output if is_file else None, lines)
        if is_file:
            queries = sides.texts if direction == DIRECTIONS[0] else sides.images
            print_written(output, len(queries.ids), "query")


def _check_k(k: int, sides: Sides, direction: str) -> None:
    """Raise for more items than there are, and warn if the output cannot be submitted."""
    option, items = (OPTIONS[0], sides.images) if direction == DIRECTIONS[0] else (OPTIONS[1], sides.texts)
    if k > len(items.ids):
        message = translate("--top-k is {k}, but the file of {option} has only {count} items")
        raise ValueError(message.format(k=k, option=option, count=len(items.ids)))
    warnings = []
    if k != SUBMITTED_ITEMS:
        warning = translate("--top-k is {k}, submissions to the benchmark need exactly {count} items")
        warnings.append(warning.format(k=k, count=SUBMITTED_ITEMS))
    strings = [option for option, side in zip(OPTIONS, sides, strict=True) if side.ids.dtype.kind == "O"]
    if strings:
        warning = translate("ids of {options} are strings, submissions to the benchmark need integers")
        warnings.append(warning.format(options=translate(" and ").join(strings)))
    print_warnings(warnings)


def _write(output: Path | None, lines: Iterable[str]) -> None:
    """Write lines to a file, which appears complete or not at all, or to stdout."""
    if output is None:
        for part in encode_lines("rankings", lines):
            # As bytes, because JSON Lines are UTF-8 whatever the encoding of the terminal.
            click.echo(part, nl=False)
        return
    with replacing(output) as file:
        file.writelines(encode_lines("rankings", lines))
