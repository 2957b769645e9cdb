"""The text-to-image task: FID, Inception Score and R-precision of a submission, in one pass of the network."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast.image.alignment import align
from muge_fast.image.clip import ClipExtractor
from muge_fast.image.extraction import rules_for
from muge_fast.image.extractor import InceptionExtractor
from muge_fast.image.fid import fid_of, set_score
from muge_fast.image.inception_score import SEED, inception_score_of
from muge_fast.image.r_precision import NEGATIVES, r_precision
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
    texts: str | os.PathLike[str] | Mapping[str, str] | None = None,
    clip: str | os.PathLike[str] | ClipExtractor | None = None,
    image_features: str | os.PathLike[str] | npt.ArrayLike | None = None,
    text_features: str | os.PathLike[str] | npt.ArrayLike | None = None,
    negatives: int = NEGATIVES,
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
        texts: For R-precision: a text file of the benchmark, or texts by id.
        clip: The model that makes features of images and texts: a :class:`muge_fast.image.clip.ClipExtractor`, or what
            one takes.
        image_features: Instead of texts and a model, features of the generated images: a row for each, in the order of
            the real ones, or a file of :func:`muge_fast.read_features`, matched by id if it has ids.
        text_features: The same of their texts.
        negatives: As for :func:`muge_fast.image.r_precision`.

    Returns:
        ``"fid"`` (lower is better), ``"is"``, and ``"r_precision"`` where texts or features are given.

    Raises:
        OSError: No file of weights, no such model, a file that cannot be read.
        ValueError: A broken image, with its id; texts or features with ids that are missing or unknown, or without
            what goes with them; fewer images than splits, or fewer texts than are compared.

    Example:
        >>> from muge_fast.image.verdict import score_images
        >>> score_images(generated, real, weights="inception.pth")["is"].value  # doctest: +SKIP
        9.1

    """
    options: dict[str, Any] = {"batch_size": batch_size, "workers": workers, "progress": progress}
    aligned = align(
        generated,
        list(real),
        texts=texts,
        clip=clip,
        image_features=image_features,
        text_features=text_features,
        device=device,
        **options,
    )
    # First, because its options may be wrong, and the rest takes longer.
    hits = None if aligned is None else r_precision(aligned.images, aligned.texts, negatives=negatives)
    rules = rules_for(protocol)
    outputs = ("2048", rules.logits)
    extractor = InceptionExtractor(weights, protocol=protocol, precision=precision, device=device, outputs=outputs)
    sides, logits = [], []
    for source, is_generated in ((real, False), (generated, True)):
        statistics = Statistics(2048, protocol=extractor.signature)
        for batch in extractor.stream(source, **options):
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
    if hits is not None and aligned is not None:
        signature = f"{hits.signature}|{aligned.signature}"
        scores["r_precision"] = set_score("r_precision", hits.value, signature, {"ties": hits.ties})
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
