"""Text-to-image, ECommerce-T2I: a TSV of generated images against one of real images with the same ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from muge_fast.scores import Scores
from muge_fast.tasks.task import Form, Task, Text


def score_images(
    predictions: Mapping[str, bytes],
    references: Mapping[str, bytes],
    *,
    threads: int | None = None,
    **options: Any,  # noqa: ANN401
) -> Scores:
    """Score generated images against real ones, see :func:`muge_fast.image.score_images`.

    Args:
        predictions: Generated images, the bytes of a file by id.
        references: Real ones.
        threads: Threads that decode images; None for all cores.
        options: As there.

    Raises:
        ImportError: torch or Pillow is not installed.

    Example:
        >>> from muge_fast.tasks.t2i import score_images
        >>> score_images(generated, real, weights="inception.pth")["fid"].value  # doctest: +SKIP
        17.3

    """
    try:
        from muge_fast.image._score_images import score_images as score  # noqa: PLC0415 - it imports torch
    except ImportError as error:
        raise ImportError("images need torch and Pillow: pip install 'muge-fast[t2i]'") from error
    return score(real=references, generated=predictions, threads=threads, **options)


TASK = Task(
    name="t2i",
    title="Text-to-image (ECommerce-T2I)",
    title_zh="文本生成图像（ECommerce-T2I）",
    forms=(Form("img_id", "image"),),
    id=Text(),
    gold=Text(),
    submission=Text(),
    score=score_images,
    main="fid",
    official={"fid": "fid", "is": "is", "r_precision": "r_precision"},
    higher_is_better=False,
    files="images",
    scale=1.0,
    scales={"r_precision": 100.0},
)
