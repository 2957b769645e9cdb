"""``muge-fast top-k``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from muge_fast._internal.atomic import replacing
from muge_fast._internal.display import format_path, printable
from muge_fast._internal.field_names import DIRECTIONS, RETRIEVAL_FIELDS
from muge_fast._internal.paths import refuse_replacing
from muge_fast.cli.errors import usage_errors
from muge_fast.cli.options import AT_LEAST_1, threads_option
from muge_fast.cli.output_files import check_writable
from muge_fast.cli.program import Command
from muge_fast.datasets.writers import encode_lines
from muge_fast.retrieval.predictions import Sides, field_names, read_sides, search
from muge_fast.retrieval.top_k_arguments import SIMILARITIES

OPTIONS = ("--image-feats", "--text-feats")
FEATURES = click.Path(path_type=Path, exists=True, dir_okay=False)
SUBMITTED_ITEMS = 10
"""Number of items that the benchmark needs for each query."""


@click.command("top-k", cls=Command)
@click.option("--image-feats", required=True, type=FEATURES, help="Feature file of the images.")
@click.option("--text-feats", required=True, type=FEATURES, help="Feature file of the texts.")
@click.option("--top-k", "k", type=AT_LEAST_1, default=10, show_default=True, help="Number of results per query.")
@click.option(
    "--output", required=True, type=click.Path(path_type=Path, allow_dash=True), help="File, or - for stdout."
)
@click.option(
    "--direction",
    type=click.Choice(DIRECTIONS),
    default="text-to-image",
    show_default=True,
    help="Search images for each text, or texts for each image.",
)
@click.option(
    "--fields",
    type=click.Choice(list(RETRIEVAL_FIELDS)),
    help="Names of the fields of the output.  [default: those of the text features]",
)
@click.option(
    "--metric", type=click.Choice(SIMILARITIES), default="ip", show_default=True, help="Inner product or cosine."
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
            raise ValueError(f"--fields {fields} has no names for --direction {direction}, use chinese-clip")
        is_file = str(output) != "-"
        if is_file:
            refuse_replacing("--output", output, dict(zip(OPTIONS, (image_feats, text_feats), strict=True)))
            check_writable("--output", output)
        sides = read_sides(image_feats, text_feats, options=OPTIONS, threads=threads)
        _check_k(k, sides, direction)
        names = field_names(sides, direction, fields)
        lines = search(sides, k, names, direction=direction, metric=metric, threads=threads)
        _write(output if is_file else None, lines)
        if is_file:
            queries = sides.texts if direction == DIRECTIONS[0] else sides.images
            click.echo(f"wrote {format_path(output)} ({len(queries.ids):,} queries)", err=True)


def _check_k(k: int, sides: Sides, direction: str) -> None:
    """Raise for more items than there are, and warn if the output cannot be submitted."""
    option, items = (OPTIONS[0], sides.images) if direction == DIRECTIONS[0] else (OPTIONS[1], sides.texts)
    if k > len(items.ids):
        raise ValueError(f"--top-k is {k}, but the file of {option} has only {len(items.ids)} items")
    if k != SUBMITTED_ITEMS:
        _warn(f"--top-k is {k}, submissions to the benchmark need exactly {SUBMITTED_ITEMS} items")
    strings = [option for option, side in zip(OPTIONS, sides, strict=True) if side.ids.dtype.kind == "O"]
    if strings:
        _warn(f"ids of {' and '.join(strings)} are strings, submissions to the benchmark need integers")


def _warn(message: str) -> None:
    click.echo(click.style("Warning: ", fg="yellow") + printable(message), err=True)


def _write(output: Path | None, lines: Iterable[str]) -> None:
    """Write lines to a file, which appears complete or not at all, or to stdout."""
    if output is None:
        for part in encode_lines("rankings", lines):
            # As bytes, because JSON Lines are UTF-8 whatever the encoding of the terminal.
            click.echo(part, nl=False)
        return
    with replacing(output) as file:
        file.writelines(encode_lines("rankings", lines))
