"""FID, Inception Score, KID and R-precision of images, in one pass of the network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from muge_fast.datasets.image_tsv import ImageTsv
from muge_fast.image._r_precision import NEGATIVES, r_precision, refuse_negatives
from muge_fast.image.extractors.clip import ClipExtractor
from muge_fast.image.extractors.interface import FeatureExtractor, convention_of_extractor, convention_of_protocol
from muge_fast.image.extractors.opening import open_extractor
from muge_fast.image.image_set import outputs_of
from muge_fast.image.one_pass import OnePass
from muge_fast.image.text_features import align, order_of
from muge_fast.scores import Scores, set_score, signature


def score_images(
    generated: Any,  # noqa: ANN401 - what callers have
    real: Any,  # noqa: ANN401
    *,
    metrics: Sequence[str] = ("fid", "is"),
    extractor: FeatureExtractor | None = None,
    weights: str | os.PathLike[str] | None = None,
    protocol: str = "tf1",
    precision: str = "fp32",
    device: str | None = None,
    batch_size: int = 32,
    threads: int | None = None,
    progress: bool | None = None,
    splits: int | None = None,
    subsets: int = 100,
    subset_size: int = 1000,
    texts: str | os.PathLike[str] | Mapping[str, str] | None = None,
    clip: str | os.PathLike[str] | ClipExtractor | None = None,
    image_features: str | os.PathLike[str] | npt.ArrayLike | None = None,
    text_features: str | os.PathLike[str] | npt.ArrayLike | None = None,
    negatives: int = NEGATIVES,
) -> Scores:
    """Score generated images against real ones. The network sees each image once, for all metrics together.

    The protocol ``"ofa"`` makes features and logits of different pixels: there generated images go through it twice.

    Args:
        generated: Generated images, as for :func:`muge_fast.image.fid`.
        real: Real images, as there; statistics give FID alone.
        metrics: Any of ``"fid"``, ``"is"`` and ``"kid"``, the main one first. KID keeps the features of all images.
        extractor: As for :func:`muge_fast.image.fid`. For the Inception Score beside others it gives a dictionary, of
            ``"2048"`` and ``"logits_unbiased"``.
        weights: As for :func:`muge_fast.image.fid`.
        protocol: As for :func:`muge_fast.image.fid`.
        precision: As for :func:`muge_fast.image.fid`.
        device: As for :func:`muge_fast.image.fid`; a model that ``clip`` names runs there too.
        batch_size: As for :func:`muge_fast.image.fid`.
        threads: As for :func:`muge_fast.image.fid`.
        progress: As for :func:`muge_fast.image.fid`.
        splits: As for :func:`muge_fast.image.inception_score`.
        subsets: Of KID, as for :func:`muge_fast.image.kid_of`.
        subset_size: Images of each.
        texts: For R-precision: a text file of the benchmark, or texts by id. The generated images need ids for it: they
            are a ``.tsv`` of the benchmark, or bytes by id.
        clip: The model that makes features of images and texts: a
            :class:`muge_fast.image.extractors.clip.ClipExtractor`, or what one takes.
        image_features: Instead of texts and a model, features of the generated images: a row for each, in the order of
            the real ones if those have the same ids, or in their own; or a file of :func:`muge_fast.read_features`,
            matched by id if it has ids.
        text_features: The same of their texts.
        negatives: As for :func:`muge_fast.image.r_precision`.

    Returns:
        ``"fid"`` and ``"kid"`` (lower is better), ``"is"``, and ``"r_precision"`` where texts or features are given.
        What a mean over parts spreads by is ``parts["std"]``.

    Raises:
        OSError: No file of weights, no such model, a file that cannot be read.
        ValueError: A broken image, with its id; an unknown metric; texts or features with ids that are missing or
            unknown, or without what goes with them; fewer images than splits or than a subset has, or fewer texts than
            are compared.

    Example:
        >>> import muge_fast.image
        >>> scores = muge_fast.image.score_images("generated/", "T2I_val.img.tsv")  # doctest: +SKIP
        >>> scores["fid"].value, scores["is"].value  # doctest: +SKIP
        (17.3, 9.1)

    """
    outputs = outputs_of(
        metrics, convention_of_protocol(protocol) if extractor is None else convention_of_extractor(extractor)
    )
    options: dict[str, Any] = {"batch_size": batch_size, "threads": threads, "progress": progress}
    generated, real = _with_ids(generated), _with_ids(real)
    network = open_extractor(
        extractor, outputs=outputs, weights=weights, protocol=protocol, precision=precision, device=device
    )
    one_pass = OnePass(generated, real, network, metrics, splits=splits, subsets=subsets, subset_size=subset_size)
    ids = order_of(generated, real)
    if texts is not None or image_features is not None:
        refuse_negatives(negatives, None if ids is None else len(ids))
    aligned = align(
        generated,
        ids,
        texts=texts,
        clip=clip,
        image_features=image_features,
        text_features=text_features,
        device=device,
        **options,
    )
    # First, because features that are given may be wrong, and the rest takes longer.
    hits = None if aligned is None else r_precision(aligned.images, aligned.texts, negatives=negatives)
    scores = one_pass.scores(**options)
    if hits is not None and aligned is not None:
        signed = signature(hits.signature, aligned.signature)
        scores["r_precision"] = set_score("r_precision", signed, hits.value, parts={"ties": hits.ties})
    return Scores(scores, 0)


def _with_ids(source: Any) -> Any:  # noqa: ANN401 - what callers have
    """A file of the benchmark opened, so that its ids are there; any other source as it is."""
    is_file = isinstance(source, (str, os.PathLike)) and Path(source).suffix.lower() == ".tsv"
    return ImageTsv(source) if is_file else source
