"""Retrieval predictions from feature files, in the format of the MUGE benchmark and Chinese-CLIP."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import SupportsIndex

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import check_choice
from muge_fast._internal.field_names import IMAGE_TO_TEXT, TEXT_TO_IMAGE, FieldNames
from muge_fast.features.files import read_features
from muge_fast.retrieval.top_k_embeddings import top_k

DIRECTIONS = {"text-to-image": TEXT_TO_IMAGE, "image-to-text": IMAGE_TO_TEXT}
"""Field names of a line of predictions, by direction of the search."""


def predict(
    image_features: str | os.PathLike[str],
    text_features: str | os.PathLike[str],
    k: SupportsIndex,
    *,
    direction: str = "text-to-image",
    metric: str = "ip",
    threads: int | None = None,
    progress: bool | None = None,
) -> Iterator[str]:
    r"""Return the lines of a prediction file: the best images for each text, or the best texts for each image.

    Args:
        image_features: Path of the feature file of the images, in any format of :func:`muge_fast.read_features`.
        text_features: Path of the feature file of the texts, with vectors of the same length.
        k: Number of items to find for each query, from 1 to the number of items. MUGE submissions need exactly 10.
        direction: ``"text-to-image"``, where texts are the queries, or ``"image-to-text"``, where images are.
        metric: ``"ip"``, the inner product, or ``"cosine"``, the inner product divided by both Euclidean norms.
        threads: Number of threads; None for all cores. The result does not depend on it.
        progress: Whether to show a progress bar. None shows one on a terminal if the search takes longer than a second.

    Returns:
        An iterator over JSON lines with their line breaks, in the order of the queries in their file:
        ``{"text_id": 8426, "image_ids": [42967, …]}``, or ``{"image_id": …, "text_ids": […]}``. Files are read and
        searched before it returns. :func:`muge_fast.read_queries` reads such lines.

    Raises:
        OSError: A file cannot be read.
        ValueError: A file is not a feature file, the vectors of the files have different lengths, ``k`` is below 1 or
            above the number of items, or ``direction`` or ``metric`` is unknown.
        TypeError: A file of arrays has ids that are not integers or features that are not numbers, or ``k`` is not an
            integer.
        ImportError: A file is a Parquet or Arrow file, and pyarrow is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> import muge_fast as mf
        >>> from muge_fast.retrieval import predict
        >>> with tempfile.TemporaryDirectory() as name:
        ...     folder = pathlib.Path(name)
        ...     mf.write_features(folder / "img_feat.jsonl", [30, 20, 10], [[1, 0], [0, 1], [0.9, 0.1]])
        ...     mf.write_features(folder / "txt_feat.jsonl", [7], [[1, 0]], id_field="text_id")
        ...     list(predict(folder / "img_feat.jsonl", folder / "txt_feat.jsonl", 2))
        ['{"text_id": 7, "image_ids": [30, 10]}\n']

    """
    names = DIRECTIONS[check_choice("direction", direction, DIRECTIONS)]
    images, texts = read_features(image_features, threads=threads), read_features(text_features, threads=threads)
    image_dims, text_dims = images[1].shape[1], texts[1].shape[1]
    if image_dims != text_dims:
        raise ValueError(
            f"{os.fspath(image_features)} has {image_dims} dimensions, {os.fspath(text_features)} has {text_dims}"
        )
    queries, items = (texts, images) if direction == "text-to-image" else (images, texts)
    ranking = top_k(queries[1], items[1], k, metric=metric, threads=threads, progress=progress)
    return _format_lines(names, queries[0], items[0][ranking.indices])


def _format_lines(names: FieldNames, queries: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> Iterator[str]:
    for query, ranked in zip(queries.tolist(), items.tolist(), strict=True):
        yield json.dumps({names.id: query, names.value: ranked}) + "\n"
