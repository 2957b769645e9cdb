"""Features of generated images and of their texts, row for row, whatever order files have."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast.datasets.texts import read_texts
from muge_fast.features.files import read_features
from muge_fast.image.sources import count_images, open_images

if TYPE_CHECKING:
    from muge_fast.image.extractors.clip import ClipExtractor

PathLike = str | os.PathLike[str]
Features = npt.NDArray[Any]


class Alignment(NamedTuple):
    """Features of images and of their texts, row for row.

    Attributes:
        images: Of shape ``(images, features)``.
        texts: Of the same shape.
        signature: What made them.

    """

    images: Features
    texts: Features
    signature: str


def order_of(generated: Any, real: Any) -> list[str] | None:  # noqa: ANN401 - what callers have
    """Give the ids of generated images, in the order that rows get: numbers shall not depend on that of a submission.

    Args:
        generated: Images, by id if they have ids.
        real: The same of real images, whose order it is if they have the same ids.

    Returns:
        None for images without ids.

    Example:
        >>> from muge_fast.image.text_features import order_of
        >>> order_of({"b": b"", "a": b""}, {"a": b"", "b": b""}), order_of("generated/", {"a": b""})
        (['a', 'b'], None)

    """
    if not isinstance(generated, Mapping):
        return None
    has_same = isinstance(real, Mapping) and set(real) == set(generated)
    return list(real if has_same else generated)


def align(
    generated: Any,  # noqa: ANN401 - what callers have
    ids: Sequence[str] | None,
    *,
    texts: PathLike | Mapping[str, str] | None,
    clip: PathLike | ClipExtractor | None,
    image_features: PathLike | npt.ArrayLike | None,
    text_features: PathLike | npt.ArrayLike | None,
    device: str | None = None,
    **options: Any,  # noqa: ANN401 - those of ClipExtractor.images
) -> Alignment | None:
    """Make features of images and texts by a model, or take features that are there.

    Args:
        generated: Images, by id if they have ids.
        ids: All their ids, in the order that rows get, see :func:`order_of`; None for images without ids.
        texts: A text file of the benchmark, or texts by id.
        clip: The model that makes features of images and texts.
        image_features: Features of the images, see :func:`features_by_id`.
        text_features: Features of their texts, likewise.
        device: Where a model that is given by its path runs.
        options: For :meth:`muge_fast.image.extractors.clip.ClipExtractor.images`.

    Returns:
        The features, or None where neither texts nor features are given.

    Raises:
        OSError: A file cannot be read.
        ValueError: Texts without a model or features without the other ones; ids that are missing or unknown, or
            images without ids.

    Example:
        >>> from muge_fast.image.text_features import align
        >>> given = {"texts": None, "clip": None, "image_features": [[1.0]], "text_features": [[0.5]]}
        >>> align({"a": b""}, ["a"], **given).texts.tolist()
        [[0.5]]

    """
    if (image_features is None) != (text_features is None):
        raise ValueError("image_features and text_features are needed both, or none")
    if (texts is None) != (clip is None):
        raise ValueError("texts and clip are needed both, or none: the model makes features of images and texts")
    if image_features is not None and text_features is not None:
        if texts is not None:
            raise ValueError("texts and clip make features, image_features and text_features are some: give one pair")
        count = count_images(open_images(generated)) if ids is None else len(ids)
        images = features_by_id("image_features", image_features, ids, count=count)
        return Alignment(
            images, features_by_id("text_features", text_features, ids, count=len(images)), "features:given"
        )
    if texts is None or clip is None:
        return None
    if ids is None:
        raise ValueError("texts go by ids, which the images do not have: needs a .tsv of the benchmark or bytes by id")
    known = texts_by_id(texts, ids)
    from muge_fast.image.extractors.clip import ClipExtractor  # noqa: PLC0415 - it imports torch

    model = clip if isinstance(clip, ClipExtractor) else ClipExtractor(clip, device=device)
    places = {key: place for place, key in enumerate(generated)}
    images = model.images(generated, **options)[[places[key] for key in ids]]
    return Alignment(images, model.texts(known, progress=options.get("progress")), model.signature)


def texts_by_id(texts: PathLike | Mapping[str, str], ids: Sequence[str]) -> list[str]:
    """Give the text of each id.

    Args:
        texts: As for :func:`align`.
        ids: The ids, all of them and no others.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line that is none, an id without text, or a text without id.

    Example:
        >>> from muge_fast.image.text_features import texts_by_id
        >>> texts_by_id({"b": "黑鞋", "a": "红裙"}, ["a", "b"])
        ['红裙', '黑鞋']

    """
    is_path = isinstance(texts, (str, os.PathLike))
    known = texts if isinstance(texts, Mapping) else read_texts(texts)
    _refuse_others(os.fspath(texts) if is_path else "texts", "text", known.keys(), ids)  # type: ignore[arg-type]
    return [known[key] for key in ids]


def features_by_id(
    name: str, given: PathLike | npt.ArrayLike, ids: Sequence[str] | None, *, count: int | None
) -> Features:
    """Give features of each image.

    Args:
        name: What errors call them.
        given: A matrix, or the path of an ``.npy``: a row for each image, in the order of ``ids``; or the path of
            another file of :func:`muge_fast.read_features`, whose ids, written as texts, are those of ``ids`` in any
            order.
        ids: The ids; None for images without ids.
        count: How many images there are; None if nobody knows.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no such file, another number of rows, an id without features, features without id, or a file
            with ids for images without ids.

    Example:
        >>> from muge_fast.image.text_features import features_by_id
        >>> features_by_id("image_features", [[0.0], [1.0]], ["a", "b"], count=2).tolist()
        [[0.0], [1.0]]

    """
    if not isinstance(given, (str, os.PathLike)):
        matrix = np.asarray(given)
    else:
        name = os.fspath(given)
        numbers, matrix = read_features(name)
        if Path(name).suffix.lower() != ".npy":
            if ids is None:
                raise ValueError(f"{name} has ids, which the images do not have: needs an .npy in their order")
            places = {str(number): place for place, number in enumerate(numbers.tolist())}
            _refuse_others(name, "feature", places.keys(), ids)
            return matrix[[places[key] for key in ids]]
    if matrix.ndim != 2 or count not in (None, len(matrix)):  # noqa: PLR2004
        wanted = "images" if count is None else count
        raise ValueError(f"{name} has shape {matrix.shape}, needs ({wanted}, features): a row for each image")
    return matrix


def _refuse_others(name: str, kind: str, found: Collection[str], ids: Sequence[str]) -> None:
    wanted = set(ids)
    missing = [key for key in ids if key not in found]
    unknown = [key for key in found if key not in wanted]
    if missing:
        raise ValueError(f"{name}: {len(missing)} ids of the gold file have no {kind}, such as {missing[0]!r}")
    if unknown:
        raise ValueError(f"{name}: {len(unknown)} ids are not in the gold file, such as {unknown[0]!r}")
