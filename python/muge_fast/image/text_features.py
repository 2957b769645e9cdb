"""Features of generated images and of their texts, in the same order, for R-precision."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import align_ids
from muge_fast._internal.labelled import labelled_kind, plain_items
from muge_fast._internal.paths import PathLike
from muge_fast.datasets.texts import read_texts
from muge_fast.features.files import read_features
from muge_fast.image.backend import to_numpy
from muge_fast.image.inputs import checked_features, describe
from muge_fast.image.options import UNKNOWN_EXTRACTOR, LoadOptions
from muge_fast.image.sources import ImageSource, count_images, open_images

FeatureArray: TypeAlias = npt.NDArray[np.floating[Any]]


class ImageTextModel(Protocol):
    """A model with features of images and of texts, such as :class:`muge_fast.image.extractors.ClipExtractor`.

    Attributes:
        signature: String that identifies its features in signatures of scores.

    Example:
        >>> from muge_fast.image.text_features import ImageTextModel
        >>> model: ImageTextModel = ClipExtractor("chinese-clip/")  # doctest: +SKIP

    """

    signature: str

    def images(
        self, source: ImageSource, *, batch_size: int = ..., threads: int | None = ..., progress: bool | None = ...
    ) -> FeatureArray:
        """Return the features of all images of a source, of shape ``(images, features)``."""

    def texts(self, texts: Sequence[str], *, progress: bool | None = ...) -> FeatureArray:
        """Return the features of texts, of shape ``(texts, features)``."""


@dataclass(frozen=True)
class PairedFeatures:
    """Features of images and of their texts, in the same order.

    Attributes:
        images: Features of the images, of shape ``(images, features)``.
        texts: Features of their texts, of the same shape.
        signature: Signature of the model that made them.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.text_features import PairedFeatures
        >>> PairedFeatures(np.eye(2), np.eye(2), "clip").images.shape
        (2, 2)

    """

    images: FeatureArray
    texts: FeatureArray
    signature: str


@dataclass(frozen=True)
class TextOptions:
    """Texts and a model for them, or features of images and texts, or neither.

    Attributes:
        texts: Path of a text file of the benchmark, or texts by id.
        clip: The model, or the path or name of a CLIP model.
        image_features: Features of the images, or the path of a file of features.
        text_features: Features of their texts, or the path of a file of features.

    Raises:
        ValueError: One option of a pair without the other, or both pairs.

    Example:
        >>> from muge_fast.image.text_features import TextOptions
        >>> TextOptions(texts={"a": "红裙"})
        Traceback (most recent call last):
        ...
        ValueError: texts and clip go together: the model computes features of images and texts

    """

    texts: PathLike | Mapping[str, str] | None = None
    clip: PathLike | ImageTextModel | None = None
    image_features: PathLike | npt.ArrayLike | None = None
    text_features: PathLike | npt.ArrayLike | None = None

    def __post_init__(self) -> None:
        """Check that pairs are complete, and that there is at most one."""
        if (self.image_features is None) != (self.text_features is None):
            raise ValueError("image_features and text_features go together")
        if (self.texts is None) != (self.clip is None):
            raise ValueError("texts and clip go together: the model computes features of images and texts")
        if self.texts is not None and self.image_features is not None:
            raise ValueError("use texts and clip, or image_features and text_features, not both")

    def __bool__(self) -> bool:
        """Return whether there are texts or features."""
        return self.texts is not None or self.image_features is not None


def ids_in_order(generated: object, real: object) -> list[str] | None:
    """Return the ids of generated images in an order that does not depend on the submission.

    Args:
        generated: Generated images; a mapping if they have ids.
        real: Real images; if they have the same ids, their order is used.

    Returns:
        The ids; None for images without ids.

    Example:
        >>> from muge_fast.image.text_features import ids_in_order
        >>> ids_in_order({"b": b"", "a": b""}, {"a": b"", "b": b""}), ids_in_order("generated/", {"a": b""})
        (['a', 'b'], None)

    """
    if not isinstance(generated, Mapping):
        return None
    if isinstance(real, Mapping) and set(real) == set(generated):
        return list(real)
    return list(generated)


def paired_features(
    generated: ImageSource,
    ids: Sequence[str] | None,
    options: TextOptions,
    *,
    load: LoadOptions | None = None,
    device: str | None = None,
) -> PairedFeatures:
    """Compute the features of images and their texts by a model, or read them.

    Args:
        generated: Generated images; a mapping if they have ids.
        ids: All their ids, in the order of the features, see :func:`ids_in_order`; None for images without ids.
        options: Texts and a model, or features.
        load: Options of reading images; None for the defaults.
        device: torch device of a model that is opened here; None for a GPU if there is one.

    Returns:
        The features.

    Raises:
        ImportError: The model needs a package that is not installed.
        OSError: A file cannot be read.
        ValueError: Ids are missing or unknown, or texts or features by id for images without ids.

    Example:
        >>> from muge_fast.image.text_features import TextOptions, paired_features
        >>> options = TextOptions(image_features=[[1.0]], text_features=[[0.5]])
        >>> paired_features({"a": b""}, ["a"], options).texts.tolist()
        [[0.5]]

    """
    if options.image_features is not None and options.text_features is not None:
        count = count_images(open_images(generated)) if ids is None else len(ids)
        images = features_in_order("image_features", options.image_features, ids, count=count)
        texts = features_in_order("text_features", options.text_features, ids, count=len(images))
        return PairedFeatures(images, texts, UNKNOWN_EXTRACTOR)
    assert options.texts is not None  # noqa: S101 - one of the pairs is there
    assert options.clip is not None  # noqa: S101
    if ids is None or not isinstance(generated, Mapping):
        raise ValueError(
            "texts are matched by id, but the images have no ids: use a .tsv of the benchmark, or bytes by id"
        )
    sentences = texts_in_order(options.texts, ids)
    model = _open_model(options.clip, device)
    load = load or LoadOptions()
    features = model.images(generated, batch_size=load.batch_size, threads=load.threads, progress=load.progress)
    rows = align_ids(list(generated), ids, given_name="generated images", wanted_name="ids")
    return PairedFeatures(features[rows], model.texts(sentences, progress=load.progress), model.signature)


def texts_in_order(texts: PathLike | Mapping[str, str], ids: Sequence[str]) -> list[str]:
    """Return the text of each id.

    Args:
        texts: Path of a text file of the benchmark, or texts by id, of all ids and no others: a mapping, a pandas
            Series whose index has the ids, or a table with the columns ``img_id`` or ``image_id``, and ``text``.
        ids: The ids.

    Returns:
        The texts, in the order of ``ids``.

    Raises:
        OSError: The file cannot be read.
        TypeError: ``texts`` is neither a path nor a mapping or table.
        ValueError: A malformed line, an id without a text, or a text without an id.

    Example:
        >>> from muge_fast.image.text_features import texts_in_order
        >>> texts_in_order({"b": "黑鞋", "a": "红裙"}, ["a", "b"])
        ['红裙', '黑鞋']

    """
    if not isinstance(texts, (str, os.PathLike, Mapping)):
        texts = cast("Mapping[str, str]", _texts_by_id(texts))
    if not isinstance(texts, (str, os.PathLike, Mapping)):
        fix = ", such as dict(zip(ids, texts))"
        raise TypeError(f"texts must be a path or a mapping from ids to texts, got {describe(texts)}: pass one{fix}")
    by_id = texts if isinstance(texts, Mapping) else read_texts(texts)
    name = "texts" if isinstance(texts, Mapping) else f"{os.fspath(texts)}: texts"
    align_ids(list(by_id), ids, given_name=name, wanted_name="the images")
    return [by_id[key] for key in ids]


def features_in_order(
    name: str, features: PathLike | npt.ArrayLike, ids: Sequence[str] | None, *, count: int | None
) -> FeatureArray:
    """Return the features of each image.

    Args:
        name: Name of the features, for errors.
        features: A matrix, or the path of an ``.npy`` file, with a row for each image in the order of ``ids``; or the
            path of another file of :func:`muge_fast.read_features`, matched by id in any order.
        ids: The ids; None for images without ids.
        count: Number of images; None if unknown.

    Returns:
        Matrix of shape ``(images, features)``, in the order of ``ids``.

    Raises:
        OSError: The file cannot be read.
        ValueError: Not a file of features, a wrong number of rows, missing or unknown ids, or a file with ids for
            images without ids.

    Example:
        >>> from muge_fast.image.text_features import features_in_order
        >>> features_in_order("image_features", [[0.0], [1.0]], ["a", "b"], count=2).tolist()
        [[0.0], [1.0]]

    """
    if not isinstance(features, (str, os.PathLike)):
        matrix = to_numpy(checked_features(name, features))
    else:
        name = os.fspath(features)
        file_ids, matrix = read_features(name)
        if Path(name).suffix.lower() != ".npy":
            if ids is None:
                raise ValueError(f"{name} has ids, which the images lack: use an .npy file in the order of the images")
            keys = [str(key) for key in file_ids.tolist()]
            return matrix[align_ids(keys, ids, given_name=f"{name}: features", wanted_name="the images")]
    if matrix.ndim != 2 or count not in (None, len(matrix)):  # noqa: PLR2004
        rows = "images" if count is None else count
        raise ValueError(f"{name} has shape {matrix.shape}, needs ({rows}, features): a row for each image")
    return matrix


def _texts_by_id(texts: object) -> object:
    """Return the texts of a table or of a Series with an index by id; other objects unchanged."""
    if labelled_kind(texts) == "frame":
        from muge_fast._internal.tables import TEXT_COLUMNS, column_items  # noqa: PLC0415 - few callers have tables

        by_id = column_items(texts, "texts", TEXT_COLUMNS)
        if by_id is not None:
            return by_id
    return plain_items(texts, "texts", columns=("img_id", "text"))


def _open_model(clip: PathLike | ImageTextModel, device: str | None) -> ImageTextModel:
    if not isinstance(clip, (str, os.PathLike)):
        return clip
    from muge_fast.image.extractors.clip import ClipExtractor  # noqa: PLC0415 - imports torch, an optional package

    return ClipExtractor(clip, device=device)
