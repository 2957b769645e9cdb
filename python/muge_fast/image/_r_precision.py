"""How well images fit their texts: R-precision and CLIPScore of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import whole_number
from muge_fast.image.statistics import Float64

SEED = 2020
NEGATIVES = 99
BLOCK = 256
# Numbers of the texts that a block of images is compared with: 64 MiB.
MOST = 1 << 23


class RPrecision(NamedTuple):
    """The share of images whose own text is the nearest.

    Attributes:
        value: The share, 0 to 1.
        per_item: 1 for each image whose own text is nearer than all others that were drawn, float64.
        ties: How many images have their own text as near as another; they count as misses.
        signature: The protocol.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import r_precision
        >>> r_precision(np.eye(3), np.eye(3), negatives=2).value
        1.0

    """

    value: float
    per_item: Float64
    ties: int
    signature: str


def r_precision(
    image_features: npt.ArrayLike, text_features: npt.ArrayLike, *, negatives: int = NEGATIVES, seed: int = SEED
) -> RPrecision:
    """Compute R-precision (Xu et al., 2018): each image against its own text and others.

    Published code disagrees in how the others are drawn, in ties and in norms. Here they are drawn for each image
    without replacement, never its own, by ``numpy.random.default_rng(seed)``; nearness is the cosine in double
    precision; an image is a hit if its own text is strictly nearer than all others.

    Args:
        image_features: Of shape ``(images, features)``.
        text_features: Of the same shape, row for row.
        negatives: How many other texts each image is compared with.
        seed: Of the drawing.

    Returns:
        A :class:`RPrecision`.

    Raises:
        ValueError: Shapes that do not fit, numbers that are not finite, a vector of zeros, or too few texts.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import r_precision
        >>> features = np.random.default_rng(0).normal(size=(200, 16))
        >>> r_precision(features, features).signature
        'r_precision|negatives:99|seed:2020|similarity:cosine|ties:misses'

    """
    images, texts = _unit("image_features", image_features), _unit("text_features", text_features)
    _refuse_unequal(images, texts)
    negatives = refuse_negatives(negatives, len(texts))
    random = np.random.default_rng(seed)
    hits, ties = np.empty(len(images)), 0
    block = min(BLOCK, max(1, MOST // (negatives * texts.shape[1])))
    for start in range(0, len(images), block):
        rows = np.arange(start, min(start + block, len(images)))
        others = np.stack([random.choice(len(texts) - 1, negatives, replace=False) for _ in rows])
        # Numbers from the own text on stand for the next one.
        others += others >= rows[:, None]
        own = np.einsum("nd,nd->n", images[rows], texts[rows])
        best = np.einsum("nd,nkd->nk", images[rows], texts[others]).max(axis=1)
        hits[rows] = own > best
        ties += int((own == best).sum())
    signature = f"r_precision|negatives:{negatives}|seed:{seed}|similarity:cosine|ties:misses"
    return RPrecision(float(hits.mean()), hits, ties, signature)


def refuse_negatives(negatives: int, texts: int | None) -> int:
    """Refuse to compare images with more texts than there are, and give the number as Python's.

    Args:
        negatives: As for :func:`r_precision`.
        texts: How many texts there are; None if nobody knows.

    Raises:
        ValueError: Fewer than one, or too many.

    Example:
        >>> from muge_fast.image._r_precision import refuse_negatives
        >>> refuse_negatives(99, 50)
        Traceback (most recent call last):
        ...
        ValueError: negatives is 99, there are 49 other texts

    """
    count = whole_number("negatives", negatives)
    if texts is not None and count >= texts:
        raise ValueError(f"negatives is {count}, there are {texts - 1} other texts")
    return count


def text_recall(
    image_features: npt.ArrayLike, text_features: npt.ArrayLike, *, ks: Sequence[int] = (1, 5, 10)
) -> dict[int, float]:
    """Compute R@k: the share of images whose own text is among the ``k`` nearest of all texts.

    Args:
        image_features: Of shape ``(images, features)``.
        text_features: Of the same shape, row for row.
        ks: Where to cut.

    Returns:
        The share for each ``k``, by cosine in double precision. A text that is as near as the own one counts as
        nearer.

    Raises:
        ValueError: Shapes that do not fit, numbers that are not finite, a vector of zeros, or a ``k`` that is not
            within the texts.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import text_recall
        >>> text_recall(np.eye(3), np.eye(3)[[0, 2, 1]], ks=(1, 2, 3))[1]
        0.3333333333333333

    """
    images, texts = _unit("image_features", image_features), _unit("text_features", text_features)
    _refuse_unequal(images, texts)
    ks = [whole_number("k", k) for k in ks]
    for k in ks:
        if k > len(texts):
            raise ValueError(f"k is {k}, needs 1 to {len(texts)}, the number of texts")
    ranks = np.empty(len(images), dtype=np.int64)
    # Products of matrices round columns in different ways. Equal texts, one of which may be the own, share a column.
    different, places = np.unique(texts, axis=0, return_inverse=True)
    for start in range(0, len(images), BLOCK):
        scores = (images[start : start + BLOCK] @ different.T)[:, places.ravel()]
        own = scores[np.arange(len(scores)), start + np.arange(len(scores))]
        # The own text is as near as itself: its rank is at least one.
        ranks[start : start + BLOCK] = (scores >= own[:, None]).sum(axis=1)
    return {k: float((ranks <= k).mean()) for k in ks}


def clip_score_of(image_features: npt.ArrayLike, text_features: npt.ArrayLike, *, weight: float = 2.5) -> Float64:
    """Compute the CLIPScore (Hessel et al., 2021) of each pair: ``weight * max(cosine, 0)``.

    Args:
        image_features: Of shape ``(images, features)``.
        text_features: Of the same shape, row for row.
        weight: 2.5 in the paper.

    Returns:
        A score for each pair, float64; their mean is the score of the set.

    Raises:
        ValueError: Shapes that do not fit, numbers that are not finite, or a vector of zeros.

    Example:
        >>> from muge_fast.image import clip_score_of
        >>> clip_score_of([[1.0, 0.0], [1.0, 0.0]], [[2.0, 0.0], [-1.0, 0.0]]).tolist()
        [2.5, 0.0]

    """
    images, texts = _unit("image_features", image_features), _unit("text_features", text_features)
    _refuse_unequal(images, texts)
    scores: Float64 = weight * np.maximum(np.einsum("nd,nd->n", images, texts), 0)
    return scores


def _unit(name: str, features: npt.ArrayLike) -> Float64:
    matrix = np.asarray(features, dtype=np.float64)
    if matrix.ndim != 2 or not matrix.size:  # noqa: PLR2004
        raise ValueError(f"{name} has shape {matrix.shape}, needs (rows, features)")
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    bad = np.flatnonzero(~(np.isfinite(lengths[:, 0]) & (lengths[:, 0] > 0)))
    if len(bad):
        raise ValueError(f"{name}[{bad[0]}] is not finite, or zero")
    unit: Float64 = matrix / lengths
    return unit


def _refuse_unequal(images: Float64, texts: Float64) -> None:
    if images.shape != texts.shape:
        raise ValueError(f"image_features has shape {images.shape}, text_features {texts.shape}: need the same")
