"""FID of images, or of features, in Ray data sets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import ray
from numpy.typing import NDArray

from muge_fast._internal.states import json_array, json_value, pack, unpack
from muge_fast.image import Statistics
from muge_fast.image._fid import fid_from_statistics, warn_about_few_images
from muge_fast.image.backend import to_numpy
from muge_fast.image.extractors.interface import FeatureExtractor, ProtocolName, signature_of
from muge_fast.image.extractors.running import extract_features
from muge_fast.image.image_set import FEATURES, load_statistics
from muge_fast.image.options import LoadOptions, NetworkOptions
from muge_fast.integrations.ray.columns import Columns, ColumnWorker, features_of
from muge_fast.integrations.ray.passes import Part, Pool, RowError, check_dataset, parts
from muge_fast.scores import Score, without_engine

SourceLike: TypeAlias = "ray.data.Dataset | Statistics | str | os.PathLike[str]"

ROWS_PER_TASK = 256
"""Rows of a block that an actor gets, rounded up to whole batches."""


class FeatureWorker(ColumnWorker):
    """An actor that has features already.

    Args:
        field: The field of features.

    """

    def __init__(self, field: str) -> None:
        self.field = field

    def state_of(self, batch: Columns) -> bytes:
        """Return the features of a block."""
        return _pack(features_of(batch, self.field), "")


class ImageWorker(ColumnWorker):
    """An actor that runs the network.

    Args:
        field: The field of images.
        extractor: Reference to the extractor of the caller, or to None.
        network: Options of the published network.
        load: Options of reading images.

    """

    def __init__(self, field: str, extractor: ray.ObjectRef, network: NetworkOptions, load: LoadOptions) -> None:
        self.field, self.network, self.load = field, network, load
        self.given: FeatureExtractor | None = ray.get(extractor)
        self.opened: FeatureExtractor | None = None

    def state_of(self, batch: Columns) -> bytes:
        """Return the features of a block."""
        if self.opened is None:
            # Not in the constructor: Ray starts actors again whose constructor fails.
            self.opened = self.network.open(self.given, (FEATURES,))
        images = list(batch[self.field])
        try:
            features = self._extract(self.opened, images, self.load.batch_size)
        except (TypeError, ValueError):
            self._find_broken(self.opened, images)
            raise
        return _pack(features, signature_of(self.opened))

    def _extract(self, extractor: FeatureExtractor, images: list[Any], batch_size: int) -> NDArray[Any]:
        if any(image is None for image in images):
            raise TypeError("an image is null")
        are_files = isinstance(images[0], bytes)
        source = dict(enumerate(images)) if are_files else images
        batches = extract_features(
            extractor, source, (FEATURES,), batch_size=batch_size, threads=self.load.threads, progress=False
        )
        return np.concatenate([to_numpy(batch[FEATURES]) for batch in batches])

    def _find_broken(self, extractor: FeatureExtractor, images: list[Any]) -> None:
        """Raise the error of the first image that fails alone."""
        for row, image in enumerate(images):
            try:
                self._extract(extractor, [image], 1)
            except (TypeError, ValueError) as error:  # noqa: PERF203 - of few images
                raise RowError(row, self.field, str(error), type(error)) from None


def fid(
    real: SourceLike,
    generated: SourceLike,
    *,
    image_field: str = "image",
    feature_field: str | None = None,
    extractor: FeatureExtractor | None = None,
    weights: str | os.PathLike[str] | None = None,
    protocol: ProtocolName = "tf1",
    precision: str = "fp32",
    device: str | None = None,
    batch_size: int = 32,
    actors: int | None = None,
    threads: int = 1,
    actor_options: Mapping[str, Any] | None = None,
) -> Score:
    """Compute the Fréchet Inception Distance of real and generated images in Ray data sets, in this order.

    Actors run the network, which takes nearly all of the time. The order of additions decides the last bits of sums,
    so the features come back and are added here, in batches of ``batch_size`` rows: the score has the bits of
    :func:`muge_fast.image.fid` of the same images in the order of the rows, with the same ``batch_size``, if the
    network has the same features for a batch in every actor as here, which devices of different kinds may not have.
    With ``feature_field``, it has those of :class:`muge_fast.image.FID` updated with batches of ``batch_size``
    features.

    Args:
        real: Data set with a row for each real image; or :class:`muge_fast.image.Statistics`, or the path of an
            ``.npz`` file with saved ones.
        generated: Generated images, in the same forms.
        image_field: Field of images: bytes of image files, or uint8 arrays.
        feature_field: Field of features, which replace images and network; None for images.
        extractor: Feature extractor to use instead of the Inception network, as for :func:`muge_fast.image.fid`. It is
            pickled, and its parts must be importable by actors.
        weights: Path of the network's weights on the machines of the actors; as for :func:`muge_fast.image.fid`.
        protocol: Preprocessing of the images.
        precision: ``"fp32"``, ``"tf32"`` or ``"bf16"``.
        device: torch device of the network.
        batch_size: Images that go through the network at once, and rows that are added at once. It changes results by
            rounding only.
        actors: Number of actors; None for one for each CPU of the cluster. The result does not depend on it.
        threads: Threads of each actor that decode images. The result does not depend on it.
        actor_options: Options of the actors, such as ``{"num_gpus": 1}``. Each reserves half a CPU by default.

    Returns:
        The score ``"fid"``, from 0; lower is better.

    Raises:
        TypeError: A source or an option has the wrong type.
        ImportError: torch or Pillow is not installed where the actors run.
        OSError: There is no file of weights where the actors run.
        ValueError: A field is missing, an image is broken, a value is not finite, there are fewer than two images, an
            option is unknown, or actors have different extractors. The message names the row and the field.
        ray.exceptions.RayError: A block could not be read or made; there is no score of the others.

    Warns:
        UserWarning: A set has fewer than 10,000 images; or the actors reserve all CPUs, so that blocks may never be
            read.

    Example:
        >>> from muge_fast.integrations.ray import fid
        >>> fid("real.npz", ray.data.read_binary_files("generated/"), image_field="bytes").value  # doctest: +SKIP
        17.3

    """
    load = LoadOptions(batch_size, threads)
    pool = Pool(actors, threads, actor_options or {})
    field = image_field if feature_field is None else feature_field
    worker: type[ColumnWorker] = FeatureWorker
    arguments: tuple[object, ...] = (field,)
    if feature_field is None:
        network = NetworkOptions(weights, protocol, precision, device)
        worker, arguments = ImageWorker, (field, ray.put(extractor), network, load)
    elif extractor is not None:
        raise ValueError("extractor and feature_field are given: features need no extractor")
    sides = []
    for name, source in (("real", real), ("generated", generated)):
        known = load_statistics(source)
        rows = source if known is not None else check_dataset(name, source, [field])
        sides.append((name, rows, known))
    real_statistics, generated_statistics = (
        _statistics(name, rows, worker, arguments, pool=pool, batch_size=batch_size) if known is None else known
        for name, rows, known in sides
    )
    score = fid_from_statistics(real_statistics, generated_statistics)
    warn_about_few_images(real_statistics, generated_statistics)
    return score


def _statistics(
    name: str,
    dataset: ray.data.Dataset,
    worker: type[ColumnWorker],
    arguments: tuple[object, ...],
    *,
    pool: Pool,
    batch_size: int,
) -> Statistics:
    """Add the features of all rows, in the batches in which one process would add them."""
    size = -(-ROWS_PER_TASK // batch_size) * batch_size
    blocks = dataset.repartition(target_num_rows_per_block=size, strict=True)
    statistics: Statistics | None = None
    for part in parts(name, blocks, worker, arguments, pool, batch_size=None):
        if part.first % size:
            raise RuntimeError(f"Ray made a block of other than {size} rows before row {part.first} of {name}")
        arrays = unpack(part.state, "Features", dict)
        features, signature = arrays["features"], json_value(arrays, "signature")
        if statistics is None:
            statistics = Statistics(features.shape[1], extractor_signature=signature)
        _check_part(name, part, features, signature, statistics)
        for start, end in pairwise([*range(0, len(features), batch_size), len(features)]):
            statistics.update(features[start:end])
    assert statistics is not None  # noqa: S101 - parts raises for no rows
    return statistics


def _check_part(name: str, part: Part, features: NDArray[Any], signature: str, statistics: Statistics) -> None:
    where = f"{name}, rows {part.first} to {part.first + part.count - 1}"
    if features.shape[1] != statistics.dims:
        raise ValueError(f"{where}: {features.shape[1]} features, rows before have {statistics.dims}")
    if without_engine(signature) != without_engine(statistics.extractor_signature):
        raise ValueError(f"{where}: made by {signature!r}, rows before by {statistics.extractor_signature!r}")


def _pack(features: NDArray[Any], signature: str) -> bytes:
    return pack("Features", {"features": features, "signature": json_array(signature)})
