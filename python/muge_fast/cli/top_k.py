"""``muge-fast top-k``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from muge_fast._internal.atomic import replacing
from muge_fast.cli.errors import usage_errors
from muge_fast.cli.options import AT_LEAST_1, PATH, threads_option
from muge_fast.cli.program import Command
from muge_fast.retrieval.predictions import DIRECTIONS, predict
from muge_fast.retrieval.top_k_arguments import SIMILARITIES


@click.command("top-k", cls=Command)
@click.option("--image-feats", required=True, type=PATH, help="Feature file of the images.")
@click.option("--text-feats", required=True, type=PATH, help="Feature file of the texts.")
@click.option("--top-k", "k", type=AT_LEAST_1, default=10, show_default=True, help="Number of results per query.")
@click.option(
    "--output", required=True, type=click.Path(path_type=Path, allow_dash=True), help="File, or - for stdout."
)
@click.option(
    "--direction",
    type=click.Choice(list(DIRECTIONS)),
    default="text-to-image",
    show_default=True,
    help="Search images for each text, or texts for each image.",
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
    metric: str,
    threads: int | None,
    eval_batch_size: int | None,
) -> None:
    """Find the most similar images for each text, or texts for each image, and write a file of predictions.

    Feature files are JSON lines {"image_id": 42967, "feature": [0.0123, …]}, as Chinese-CLIP writes them, or .npz,
    .npy, .parquet, .arrow, .feather. A line of the output is {"text_id": 8426, "image_ids": [42967, …]}, or
    {"image_id": 42967, "text_ids": [8426, …]} for --direction image-to-text.
    """
    del eval_batch_size
    with usage_errors():
        lines = predict(image_feats, text_feats, k, direction=direction, metric=metric, threads=threads)
        if str(output) == "-":
            sys.stdout.writelines(lines)
            return
        with replacing(output) as file:
            file.writelines(line.encode() for line in lines)
