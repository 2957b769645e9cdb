"""From feature files to a file of retrieval predictions, as the scripts of Chinese-CLIP do."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast.features.files import read_features
from muge_fast.retrieval.top_k_embeddings import top_k


class Direction(NamedTuple):
    """What is looked for, and how a line of predictions calls it.

    Attributes:
        query: Field of the id of what is asked for.
        items: Field of the ids that are found, best first.

    Example:
        >>> from muge_fast.retrieval.predictions import DIRECTIONS
        >>> DIRECTIONS["text-to-image"].items
        'image_ids'

    """

    query: str
    items: str


DIRECTIONS = {
    "text-to-image": Direction("text_id", "image_ids"),
    "image-to-text": Direction("image_id", "text_ids"),
}


def predict(
    image_features: str | os.PathLike[str],
    text_features: str | os.PathLike[str],
    k: int = 10,
    *,
    direction: str = "text-to-image",
    metric: str = "ip",
    threads: int | None = None,
    progress: bool | None = None,
) -> Iterator[str]:
    r"""Find the best images of each text, or the best texts of each image.

    Args:
        image_features: A file for :func:`muge_fast.read_features`.
        text_features: Another one, of as many dimensions.
        k: How many to find for each.
        direction: ``"text-to-image"`` or ``"image-to-text"``.
        metric: ``"ip"`` or ``"cosine"``, as for :func:`muge_fast.top_k`.
        threads: As for :func:`muge_fast.top_k`.
        progress: As for :func:`muge_fast.top_k`.

    Returns:
        The lines of a file of predictions, in the order of the queries: ``{"text_id": 8426, "image_ids": [42967, …]}``,
        or ``{"image_id": …, "text_ids": […]}``. :func:`muge_fast.read_queries` reads them.

    Raises:
        OSError: A file cannot be read.
        ValueError: A file that is no feature file, files of different dimensions, or ``k`` above the number of items.

    Example:
        >>> import pathlib, tempfile
        >>> import muge_fast as mf
        >>> from muge_fast.retrieval.predictions import predict
        >>> with tempfile.TemporaryDirectory() as name:
        ...     folder = pathlib.Path(name)
        ...     mf.write_features(folder / "img_feat.jsonl", [30, 20, 10], [[1, 0], [0, 1], [0.9, 0.1]])
        ...     mf.write_features(folder / "txt_feat.jsonl", [7], [[1, 0]], id_field="text_id")
        ...     list(predict(folder / "img_feat.jsonl", folder / "txt_feat.jsonl", 2))
        ['{"text_id": 7, "image_ids": [30, 10]}\n']

    """
    fields = DIRECTIONS[direction]
    images, texts = read_features(image_features, threads=threads), read_features(text_features, threads=threads)
    if images[1].shape[1] != texts[1].shape[1]:
        left, right = images[1].shape[1], texts[1].shape[1]
        raise ValueError(f"{image_features} has {left} dimensions, {text_features} has {right}")
    queries, items = (texts, images) if fields.query == "text_id" else (images, texts)
    ranking = top_k(queries[1], items[1], k, metric=metric, threads=threads, progress=progress)
    return _lines(fields, queries[0], items[0][ranking.indices])


def _lines(fields: Direction, queries: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> Iterator[str]:
    for query, found in zip(queries.tolist(), items.tolist(), strict=True):
        yield json.dumps({fields.query: query, fields.items: found}) + "\n"
