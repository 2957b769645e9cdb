"""FID, Inception Score, KID and R-precision of images, in one pass of the network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from muge_fast.image.extractor import InceptionExtractor
from muge_fast.image.fid import set_score
from muge_fast.image.one_pass import one_pass, outputs_of
from muge_fast.image.r_precision import r_precision
from muge_fast.score import Scores


def score_images(
    generated: Any,  # noqa: ANN401 - what callers have
    real: Any,  # noqa: ANN401
    *,
    metrics: Sequence[str] = ("fid", "is"),
    weights: str | os.PathLike[str] | None = None,
    protocol: str = "tf1",
    precision: str = "fp32",
    device: str | None = None,
    batch_size: int = 32,
    workers: int | None = None,
    progress: bool | None = None,
    splits: int = 10,
    subsets: int = 100,
    subset_size: int = 1000,
    image_features: npt.ArrayLike | None = None,
    text_features: npt.ArrayLike | None = None,
) -> Scores:
    """Score generated images against real ones. The network sees each image once, for all metrics together.

    Args:
        generated: Generated images, as for :func:`muge_fast.image.fid`.
        real: Real images, as there; statistics give FID alone.
        metrics: Any of ``"fid"``, ``"is"`` and ``"kid"``, the main one first. KID keeps the features of all images.
        weights: As for :func:`muge_fast.image.fid`.
        protocol: As for :func:`muge_fast.image.fid`.
        precision: As for :func:`muge_fast.image.fid`.
        device: As for :func:`muge_fast.image.fid`.
        batch_size: As for :func:`muge_fast.image.fid`.
        workers: As for :func:`muge_fast.image.fid`.
        progress: As for :func:`muge_fast.image.fid`.
        splits: Parts of the Inception Score.
        subsets: Of KID, as for :func:`muge_fast.image.kid_of`.
        subset_size: Images of each.
        image_features: Of the generated images, row for row, for R-precision.
        text_features: Of their texts, row for row.

    Returns:
        ``"fid"`` and ``"kid"`` (lower is better), ``"is"``, and ``"r_precision"`` where features are given. What a
        mean over parts spreads by is ``parts["std"]``.

    Raises:
        OSError: No file of weights, or a path that cannot be read.
        ValueError: A broken image, with its id; one kind of features without the other; fewer images than splits or
            than a subset has; an unknown metric.

    Example:
        >>> import muge_fast.image
        >>> scores = muge_fast.image.score_images("generated/", "T2I_val.img.tsv")  # doctest: +SKIP
        >>> scores["fid"].value, scores["is"].value  # doctest: +SKIP
        (17.3, 9.1)

    """
    if (image_features is None) != (text_features is None):
        raise ValueError("image_features and text_features are needed both, or none")
    outputs = outputs_of(metrics)
    extractor = InceptionExtractor(weights, protocol=protocol, precision=precision, device=device, outputs=outputs)
    options: dict[str, Any] = {"batch_size": batch_size, "workers": workers, "progress": progress}
    options |= {"splits": splits, "subsets": subsets, "subset_size": subset_size}
    scores = one_pass(generated, real, extractor, metrics, **options)
    if image_features is not None and text_features is not None:
        hits = r_precision(image_features, text_features)
        scores["r_precision"] = set_score("r_precision", hits.value, hits.signature, {"ties": hits.ties})
    return Scores(scores, 0)


def decode_all(images: Mapping[str, bytes], workers: int | None = None) -> dict[str, str]:
    """Decode each image once.

    Returns:
        What is wrong with each that cannot be decoded, by id.

    Example:
        >>> from muge_fast.image.verdict import decode_all
        >>> list(decode_all({"a": b"no image"}))
        ['a']

    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    from muge_fast.image.sources import open_images  # noqa: PLC0415

    def problem(load: tuple[str, Any]) -> str | None:
        try:
            load[1]()
        except Exception as error:  # noqa: BLE001 - Pillow's decoders raise whatever they like
            return str(error) or type(error).__name__
        return None

    loads = list(open_images(images))
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        found = zip((name for name, _ in loads), pool.map(problem, loads), strict=True)
        return {name: text for name, text in found if text is not None}
