"""The text-to-image task: FID, Inception Score and R-precision of a submission, in one pass of the network."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast.image.extraction import rules_for
from muge_fast.image.extractor import InceptionExtractor
from muge_fast.image.fid import fid_of, set_score
from muge_fast.image.inception_score import SEED, inception_score_of
from muge_fast.image.r_precision import r_precision
from muge_fast.image.statistics import Statistics
from muge_fast.score import Scores


def score_images(
    generated: Mapping[str, bytes],
    real: Mapping[str, bytes],
    *,
    weights: str | os.PathLike[str] | None = None,
    protocol: str = "tf1",
    precision: str = "fp32",
    device: str | None = None,
    batch_size: int = 32,
    workers: int | None = None,
    progress: bool | None = None,
    splits: int | None = None,
    image_features: npt.ArrayLike | None = None,
    text_features: npt.ArrayLike | None = None,
) -> Scores:
    """Score generated images against real ones.

    Args:
        generated: Bytes of image files by id.
        real: The same of real images.
        weights: As for :func:`muge_fast.image.fid`.
        protocol: As for :func:`muge_fast.image.fid`.
        precision: As for :func:`muge_fast.image.fid`.
        device: As for :func:`muge_fast.image.fid`.
        batch_size: As for :func:`muge_fast.image.fid`.
        workers: As for :func:`muge_fast.image.fid`.
        progress: As for :func:`muge_fast.image.fid`.
        splits: As for :func:`muge_fast.image.inception_score`.
        image_features: Of the generated images, row for row, for R-precision.
        text_features: Of their texts, row for row.

    Returns:
        ``"fid"`` (lower is better), ``"is"``, and ``"r_precision"`` where features are given.

    Raises:
        OSError: No file of weights.
        ValueError: A broken image, with its id; one kind of features without the other; fewer images than splits.

    Example:
        >>> from muge_fast.image.verdict import score_images
        >>> score_images(generated, real, weights="inception.pth")["is"].value  # doctest: +SKIP
        9.1

    """
    if (image_features is None) != (text_features is None):
        raise ValueError("image_features and text_features are needed both, or none")
    rules = rules_for(protocol)
    outputs = ("2048", rules.logits)
    extractor = InceptionExtractor(weights, protocol=protocol, precision=precision, device=device, outputs=outputs)
    options = {"batch_size": batch_size, "workers": workers, "progress": progress}
    sides, logits = [], []
    for source, is_generated in ((real, False), (generated, True)):
        statistics = Statistics(2048, protocol=extractor.signature)
        for batch in extractor.stream(source, **options):  # type: ignore[arg-type]
            statistics.update(batch["2048"].cpu().numpy())
            if is_generated:
                logits.append(batch[rules.logits].cpu().numpy())
        sides.append(statistics)
    with warnings.catch_warnings():
        # The signature tells how many images there were.
        warnings.simplefilter("ignore")
        scores = {"fid": fid_of(*sides)}
    number = rules.splits if splits is None else splits
    found = inception_score_of(np.concatenate(logits), splits=number, shuffle=rules.shuffle)
    signature = f"is|splits:{number}|shuffle:{SEED if rules.shuffle else 'none'}|{extractor.signature}"
    scores["is"] = set_score("is", found.mean, signature, {"std": found.std})
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
