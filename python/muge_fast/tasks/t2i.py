"""Text-to-image generation: ECommerce-T2I. Both files are TSV files of images with the same ids."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from muge_fast._internal.field_names import IMAGE
from muge_fast.datasets.decoding import quiet_decoding
from muge_fast.datasets.fields import Text
from muge_fast.datasets.problems import LANGUAGES
from muge_fast.image import score_images as score
from muge_fast.image._score_images import ImageScorer
from muge_fast.image.scoring_options import ScoringOptions
from muge_fast.image.small_sets import MIN_IMAGES_FOR_FID, SMALL_SET
from muge_fast.scores import Scores
from muge_fast.tasks.task import Task, signature_options, unofficial_options


def score_images(
    predictions: Mapping[str, bytes],
    references: Mapping[str, bytes],
    *,
    threads: int | None = None,
    **options: Any,  # noqa: ANN401 - those of muge_fast.image.score_images
) -> Scores:
    """Score generated images against real images of the same texts.

    Args:
        predictions: Generated images: the bytes of an image file by id.
        references: Real images: the bytes of an image file by id.
        threads: Number of threads that decode images; None for all cores.
        options: Keyword options of :func:`muge_fast.image.score_images`, such as ``weights``, ``protocol`` or
            ``texts``.

    Returns:
        ``"fid"`` (lower is better), ``"is"``, and ``"r_precision"`` if texts or features are given.

    Raises:
        ImportError: torch or Pillow is not installed.
        OSError: There are no weights, or a file cannot be read.
        ValueError: An image is broken, or an option is invalid; see :func:`muge_fast.image.score_images`.

    Example:
        >>> from muge_fast.tasks.t2i import score_images
        >>> score_images(generated, real, weights="inception.pth")["fid"].value  # doctest: +SKIP
        17.3

    """
    with quiet_decoding(), warnings.catch_warnings():
        # Reports have warnings about the number of images, in the language of the report.
        warnings.filterwarnings("ignore", SMALL_SET)
        return score(real=references, generated=predictions, threads=threads, **options)


def prepare_images(
    references: Mapping[str, bytes], options: Mapping[str, Any]
) -> Callable[[Mapping[str, bytes]], Scores]:
    """Return a function that scores generated images; the first call reads the real images, and the network.

    Args:
        references: Real images: the bytes of an image file by id.
        options: Options of :func:`score_images`.

    Returns:
        A function of generated images that returns the scores of :func:`score_images`.

    Example:
        >>> from muge_fast.tasks.t2i import prepare_images
        >>> score = prepare_images(real, {"weights": "inception.pth"})  # doctest: +SKIP
        >>> score(generated)["fid"].value  # doctest: +SKIP
        17.3

    """
    scorer = ImageScorer(references, ScoringOptions(**options))

    def score_prepared(predictions: Mapping[str, bytes]) -> Scores:
        with quiet_decoding(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", SMALL_SET)
            return scorer.score(predictions)

    return score_prepared


def _option_names() -> list[str]:
    """Return the options of muge_fast.image.score_images."""
    return [field.name for field in fields(ScoringOptions)]


def _check_values(options: Mapping[str, Any]) -> None:
    """Raise for invalid options; weights, networks and files of texts are checked when they are opened."""
    ScoringOptions(**options)


# Parts of the signatures of official scores.
NETWORK = "inception-2015-12-05"
NETWORK_OPTIONS = "resize:tf1|precision:fp32"
OPTIONS = {"fid": "", "is": "splits:10|shuffle:2020", "r_precision": "negatives:99"}
# Names of options that have another name in signatures.
OPTION_NAMES = {"resize": "protocol"}


def _unofficial(scores: Scores, lang: str) -> Iterator[str]:
    """Yield why scores are not official: another network or options, or too few images."""
    language = LANGUAGES.index(lang)
    signature = scores["fid"].signature
    found = signature_options(signature)
    # R-precision is there only if texts are given.
    official = {name: options for name, options in OPTIONS.items() if name != "r_precision" or name in scores}
    if f"|{NETWORK}|" in signature:
        official["fid"] = NETWORK_OPTIONS
    else:
        yield (f"the network is not {NETWORK}", f"网络不是 {NETWORK}")[language]
    if "weights" in found:
        weights = found["weights"]
        yield (f"the weights ({weights}) are not the published ones", f"权重（{weights}）不是公开发布的权重")[language]
    counts = [int(found[side]) for side in ("real", "generated") if found.get(side, "").isdecimal()]
    if counts and min(counts) < MIN_IMAGES_FOR_FID:
        fewest, least = min(counts), f"{MIN_IMAGES_FOR_FID:,}"
        yield (
            f"FID of {fewest} images; it is too high for fewer than {least}",
            f"FID 仅基于 {fewest} 张图像，少于 {least} 张时会偏高",
        )[language]
    yield from unofficial_options(official, scores, lang, OPTION_NAMES)


TASK = Task(
    name="t2i",
    title="Text-to-image (ECommerce-T2I)",
    title_zh="文本生成图像（ECommerce-T2I）",
    fields=(IMAGE,),
    id=Text(),
    gold=Text(),
    submission=Text(),
    score=score_images,
    main="fid",
    lower_is_better=("fid", "kid"),
    main_metric="fid",
    official={"fid": "fid", "is": "is", "r_precision": "r_precision"},
    file_type="images",
    score_scale=1.0,
    score_scales={"r_precision": 100.0},
    unofficial=_unofficial,
    option_names=_option_names,
    check_values=_check_values,
    prepare=prepare_images,
)
