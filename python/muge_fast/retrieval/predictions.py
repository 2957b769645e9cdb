"""Retrieval predictions from feature files, in the format of the MUGE benchmark and Chinese-CLIP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, SupportsIndex

from muge_fast._internal.checks import check_choice
from muge_fast._internal.display import format_path
from muge_fast._internal.field_names import DIRECTIONS, IMAGE_IDS, QUERY, TEXT_IDS, TEXT_TO_IMAGE, FieldNames
from muge_fast._internal.field_names import retrieval_fields as named_fields
from muge_fast._internal.paths import PathLike
from muge_fast.datasets.writers import encode_lines, query_lines
from muge_fast.features.files import read_feature_file
from muge_fast.features.validation import FeatureFile
from muge_fast.retrieval.top_k_embeddings import top_k


class Sides(NamedTuple):
    """Features of images and of texts, from two files.

    Attributes:
        images: Features of the images.
        texts: Features of the texts.

    Example:
        >>> from muge_fast.retrieval.predictions import Sides
        >>> Sides._fields
        ('images', 'texts')

    """

    images: FeatureFile
    texts: FeatureFile


def predict(
    image_features: PathLike,
    text_features: PathLike,
    k: SupportsIndex,
    *,
    direction: Literal["text-to-image", "image-to-text"] = "text-to-image",
    metric: Literal["ip", "cosine"] = "ip",
    fields: Literal["muge", "chinese-clip"] | None = None,
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
        fields: Names of the fields of a line: ``"muge"`` for ``query_id`` and ``item_ids``, ``"chinese-clip"`` for
            ``text_id`` and ``image_ids`` or, from image to text, ``image_id`` and ``text_ids``. None for
            ``"chinese-clip"`` if the ids of the texts are named ``text_id`` or the search is from image to text, and
            ``"muge"`` otherwise, also for files that do not name their ids (``.npy``, or ``.npz`` with ``ids``).
        threads: Number of threads; None for all cores. The result does not depend on it.
        progress: Whether to show a progress bar. None shows one on a terminal if the search takes longer than a second.

    Returns:
        An iterator over JSON lines with their line breaks, in the order of the queries in their file:
        ``{"query_id": 8426, "item_ids": [42967, …]}``. Files are read and searched before it returns.
        :func:`muge_fast.read_queries` reads such lines.

    Raises:
        OSError: A file cannot be read.
        ValueError: A file is not a feature file, both arguments are the same file, the ids of a file are named as those
            of the other side, the vectors of the files have different lengths, ``k`` is below 1 or above the number of
            items, or ``direction``, ``metric`` or ``fields`` is unknown.
        TypeError: A file of arrays has ids or features of a wrong type, or ``k`` is not an integer.
        ImportError: A file is a Parquet or Arrow file, and pyarrow is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> import muge_fast as mf
        >>> from muge_fast.retrieval import predict
        >>> with tempfile.TemporaryDirectory() as name:
        ...     folder = pathlib.Path(name)
        ...     mf.write_features(folder / "img_feat.jsonl", [30, 20, 10], [[1, 0], [0, 1], [0.9, 0.1]])
        ...     mf.write_features(folder / "txt_feat.jsonl", [7], [[1, 0]], id_field="query_id")
        ...     list(predict(folder / "img_feat.jsonl", folder / "txt_feat.jsonl", 2))
        ['{"query_id": 7, "item_ids": [30, 10]}\n']

    """
    check_choice("direction", direction, DIRECTIONS)
    if fields is not None:
        named_fields(fields, direction)
    sides = read_sides(image_features, text_features, threads=threads)
    names = field_names(sides, direction, fields)
    lines = search(sides, k, names, direction=direction, metric=metric, threads=threads, progress=progress)
    return (line for part in encode_lines("rankings", lines) for line in part.decode().splitlines(keepends=True))


def read_sides(
    images: PathLike,
    texts: PathLike,
    *,
    options: tuple[str, str] = ("image_features", "text_features"),
    threads: int | None = None,
) -> Sides:
    """Read the feature files of both sides, and check that they are not swapped and fit together.

    Args:
        images: Path of the feature file of the images.
        texts: Path of the feature file of the texts.
        options: Names of both arguments, for errors.
        threads: Number of threads; None for all cores.

    Returns:
        The features of both sides.

    Raises:
        OSError: A file cannot be read.
        ValueError: A file is not a feature file, both are the same file, the ids of a file are named as those of the
            other side, or the vectors of the files have different lengths.
        TypeError: A file of arrays has ids or features of a wrong type.
        ImportError: A file is a Parquet or Arrow file, and pyarrow is not installed.

    Example:
        >>> from muge_fast.retrieval.predictions import read_sides
        >>> read_sides("img_feat.jsonl", "txt_feat.jsonl").texts.id_field  # doctest: +SKIP
        'query_id'

    """
    paths = zip(options, (images, texts), strict=True)
    image_label, text_label = (f"{name} {format_path(path)}" for name, path in paths)
    if Path(images).samefile(texts):
        raise ValueError(f"{image_label} and {text_label} are the same file, need features of images and of texts")
    sides = Sides(*(_read(name, path, threads) for name, path in zip(options, (images, texts), strict=True)))
    swapped = [
        f"{label} has features of {found}, its ids are named {side.id_field}"
        for label, side, names, found in (
            (image_label, sides.images, TEXT_IDS, "texts"),
            (text_label, sides.texts, IMAGE_IDS, "images"),
        )
        if side.id_field in names
    ]
    if swapped:
        hint = "the files are swapped" if len(swapped) > 1 else "needs the file of the other side"
        raise ValueError(f"{', and '.join(swapped)}: {hint}")
    image_dims, text_dims = (side.features.shape[1] for side in sides)
    if image_dims != text_dims:
        raise ValueError(
            f"{image_label} has {image_dims} dimensions, {text_label} has {text_dims}: need features of one model"
        )
    return sides


def _read(option: str, path: PathLike, threads: int | None) -> FeatureFile:
    """Read a feature file; errors begin with the name of the argument and the path."""
    try:
        return read_feature_file(path, threads=threads)
    except ValueError as error:
        raise ValueError(f"{option} {error}") from error
    except TypeError as error:
        raise TypeError(f"{option} {error}") from error


def field_names(sides: Sides, direction: str, fields: str | None) -> FieldNames:
    """Return the names of the fields of predictions.

    Args:
        sides: The features of both sides.
        direction: ``"text-to-image"`` or ``"image-to-text"``.
        fields: ``"muge"``, ``"chinese-clip"``, or None to decide by the name of the ids of the texts.

    Returns:
        The names.

    Raises:
        ValueError: An argument is unknown, or MUGE has no names for the direction.

    Example:
        >>> import numpy as np
        >>> from muge_fast.features.validation import FeatureFile
        >>> from muge_fast.retrieval.predictions import Sides, field_names
        >>> images, texts = (FeatureFile(np.arange(1), np.ones((1, 1)), name) for name in ("image_id", "text_id"))
        >>> str(field_names(Sides(images, texts), "text-to-image", None))
        'text_id, image_ids'

    """
    if fields is None and direction == DIRECTIONS[0]:
        return TEXT_TO_IMAGE if sides.texts.id_field == TEXT_TO_IMAGE.id else QUERY
    return named_fields("chinese-clip" if fields is None else fields, direction)


def search(
    sides: Sides,
    k: SupportsIndex,
    names: FieldNames,
    *,
    direction: str,
    metric: str = "ip",
    threads: int | None = None,
    progress: bool | None = None,
) -> Iterator[str]:
    """Search, and return the lines of predictions without line ends.

    Args:
        sides: The features of both sides.
        k: Number of items to find for each query.
        names: Names of the fields of a line.
        direction: ``"text-to-image"`` or ``"image-to-text"``.
        metric: ``"ip"`` or ``"cosine"``.
        threads: Number of threads; None for all cores.
        progress: Whether to show a progress bar, or None to decide by the time.

    Returns:
        An iterator over JSON objects, in the order of the queries.

    Raises:
        ValueError: ``k`` is below 1 or above the number of items, or ``metric`` is unknown.
        TypeError: ``k`` is not an integer.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.field_names import QUERY
        >>> from muge_fast.features.validation import FeatureFile
        >>> from muge_fast.retrieval.predictions import Sides, search
        >>> side = FeatureFile(np.array([7]), np.ones((1, 1), "float32"), None)
        >>> list(search(Sides(side, side), 1, QUERY, direction="text-to-image"))
        ['{"query_id": 7, "item_ids": [7]}']

    """
    queries, items = (sides.texts, sides.images) if direction == DIRECTIONS[0] else sides
    ranking = top_k(
        queries.features,
        items.features,
        k,
        metric=metric,
        query_ids=queries.ids,
        item_ids=items.ids,
        threads=threads,
        progress=progress,
    )
    return query_lines(names, ranking.to_dict())
