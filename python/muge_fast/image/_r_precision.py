"""Agreement of images with their texts, from features: R-precision, recall of texts, and CLIPScore."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import find_repeated, finite_number, whole_number
from muge_fast.image.backend import Float64Array, NumpyBackend
from muge_fast.image.inputs import checked_features
from muge_fast.image.options import SEED, UNKNOWN_EXTRACTOR
from muge_fast.scores import Score, Scores, mean_score, signature

NEGATIVES = 99
IMAGES_PER_BLOCK = 256
# Values of the text features that a block of images is compared with: 64 MiB.
MAX_FLOATS_PER_BLOCK = 1 << 23
MERGE_ERROR = "images are compared with texts of the whole set; score the features of all images at once"


def r_precision(
    image_features: npt.ArrayLike,
    text_features: npt.ArrayLike,
    *,
    negatives: int = NEGATIVES,
    seed: int = SEED,
    extractor_signature: str | None = None,
) -> Score:
    """Compute R-precision (Xu et al., 2018): how often an image is nearer to its own text than to random other ones.

    Published implementations disagree on how texts are drawn, on ties and on norms. Here
    ``numpy.random.default_rng(seed)`` draws ``negatives`` different texts for each image, never its own; similarity is
    the cosine in double precision; and an image is a hit if its text is strictly more similar than all drawn texts.

    Args:
        image_features: Features of images, of shape ``(images, features)``, without zero rows.
        text_features: Features of their texts, of the same shape, in the same order.
        negatives: Number of other texts per image, at least 1 and smaller than the number of texts.
        seed: Seed of the random texts.
        extractor_signature: Signature of the extractor that made the features, for the score's signature.

    Returns:
        The score ``"r_precision"``, the fraction of hits, from 0 to 1; higher is better. Its ``per_item`` is 1 for a
        hit and 0 otherwise, ``parts["ties"]`` the number of images whose text is as similar as the best other one.

    Raises:
        TypeError: ``negatives`` is not an integer.
        ValueError: Shapes do not match, a value is not finite, a row is zero, or there are too few texts.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import r_precision
        >>> score = r_precision(np.eye(3), np.eye(3), negatives=2)
        >>> score.value, score.per_item.tolist(), score.parts["ties"]
        (1.0, [1.0, 1.0, 1.0], 0)

    """
    images, texts = _unit_pair(image_features, text_features)
    negatives = check_negatives(negatives, len(texts))
    random = np.random.default_rng(seed)
    hits, ties = np.empty(len(images)), 0
    block = min(IMAGES_PER_BLOCK, max(1, MAX_FLOATS_PER_BLOCK // (negatives * texts.shape[1])))
    for start in range(0, len(images), block):
        rows = np.arange(start, min(start + block, len(images)))
        drawn = np.stack([random.choice(len(texts) - 1, negatives, replace=False) for _ in rows])
        # Skip the image's own text: indices from its index on are those of the next text.
        drawn += drawn >= rows[:, None]
        similarity = np.einsum("nd,nd->n", images[rows], texts[rows])
        best_other = np.einsum("nd,nkd->nk", images[rows], texts[drawn]).max(axis=1)
        hits[rows] = similarity > best_other
        ties += int((similarity == best_other).sum())
    score_signature = signature(
        "r_precision",
        extractor_signature or UNKNOWN_EXTRACTOR,
        negatives=negatives,
        seed=seed,
        similarity="cosine",
        ties="misses",
    )
    return mean_score("r_precision", score_signature, hits, parts={"ties": ties}, merge_error=MERGE_ERROR)


def check_negatives(negatives: int, texts: int | None) -> int:
    """Return the number of other texts per image as a Python integer, after checking it.

    Args:
        negatives: Number of other texts.
        texts: Number of all texts; None if unknown.

    Returns:
        ``negatives``.

    Raises:
        TypeError: ``negatives`` is not an integer.
        ValueError: ``negatives`` is smaller than 1 or too large.

    Example:
        >>> from muge_fast.image._r_precision import check_negatives
        >>> check_negatives(99, 50)
        Traceback (most recent call last):
        ...
        ValueError: negatives is 99, there are 49 other texts

    """
    count = whole_number("negatives", negatives)
    if texts is not None and count >= texts:
        raise ValueError(f"negatives is {count}, there are {texts - 1} other texts")
    return count


def text_recall(
    image_features: npt.ArrayLike,
    text_features: npt.ArrayLike,
    *,
    ks: int | Sequence[int] = (1, 5, 10),
    extractor_signature: str | None = None,
) -> Scores:
    """Compute Recall@k of texts: how often an image's own text is among its ``k`` nearest of all texts.

    Similarity is the cosine in double precision. A text that is as similar as the image's own counts as nearer.

    Args:
        image_features: Features of images, of shape ``(images, features)``, without zero rows.
        text_features: Features of their texts, of the same shape, in the same order.
        ks: Cutoffs, different numbers from 1 to the number of texts, or one.
        extractor_signature: Signature of the extractor that made the features, for the signatures of the scores.

    Returns:
        A score ``"text_recall@k"`` for each cutoff, the fraction of images, from 0 to 1; higher is better. Its
        ``per_item`` is 1 for a hit and 0 otherwise.

    Raises:
        TypeError: A cutoff is not an integer.
        ValueError: Shapes do not match, a value is not finite, a row is zero, or a cutoff is out of range or repeated.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import text_recall
        >>> text_recall(np.eye(3), np.eye(3)[[0, 2, 1]], ks=(1, 3)).to_dict()
        {'text_recall@1': 0.3333333333333333, 'text_recall@3': 1.0}

    """
    images, texts = _unit_pair(image_features, text_features)
    cutoffs = [whole_number(f"ks[{index}]", k) for index, k in enumerate(ks if isinstance(ks, Iterable) else (ks,))]
    for index, k in enumerate(cutoffs):
        if k > len(texts):
            raise ValueError(f"ks[{index}] is {k}, needs 1 to {len(texts)}, the number of texts")
    repeated = find_repeated(cutoffs)
    if not cutoffs or repeated is not None:
        raise ValueError("ks is empty" if repeated is None else f"ks has {cutoffs[repeated]} more than once")
    ranks = _ranks(images, texts)
    extractor = extractor_signature or UNKNOWN_EXTRACTOR
    options = {"texts": len(texts), "similarity": "cosine", "ties": "misses"}
    names = {k: f"text_recall@{k}" for k in cutoffs}
    scores = {
        name: mean_score(
            name, signature(name, extractor, **options), (ranks <= k).astype(np.float64), merge_error=MERGE_ERROR
        )
        for k, name in names.items()
    }
    return Scores(scores, len(images))


def clip_score(
    image_features: npt.ArrayLike,
    text_features: npt.ArrayLike,
    *,
    weight: float = 2.5,
    extractor_signature: str | None = None,
) -> Score:
    """Compute the CLIPScore (Hessel et al., 2021): the mean of ``weight * max(cosine, 0)`` over pairs.

    Args:
        image_features: Features of images, of shape ``(images, features)``, without zero rows.
        text_features: Features of their texts, of the same shape, in the same order.
        weight: Factor of the cosine; 2.5 in the paper.
        extractor_signature: Signature of the extractor that made the features, for the score's signature.

    Returns:
        The score ``"clip_score"``, from 0 to ``weight``; higher is better. Its ``per_item`` is the score of each pair.

    Raises:
        TypeError: ``weight`` is not a number.
        ValueError: Shapes do not match, a value is not finite, or a row is zero.

    Example:
        >>> from muge_fast.image import clip_score
        >>> clip_score([[1.0, 0.0], [1.0, 0.0]], [[2.0, 0.0], [-1.0, 0.0]]).per_item.tolist()
        [2.5, 0.0]

    """
    weight = finite_number("weight", weight)
    images, texts = _unit_pair(image_features, text_features)
    values = weight * np.maximum(np.einsum("nd,nd->n", images, texts), 0)
    return mean_score(
        "clip_score", signature("clip_score", extractor_signature or UNKNOWN_EXTRACTOR, weight=f"{weight:g}"), values
    )


def _ranks(images: Float64Array, texts: Float64Array) -> npt.NDArray[np.int64]:
    """Return the rank, from 1, of each image's own text among all texts."""
    ranks = np.empty(len(images), dtype=np.int64)
    # Matrix products round columns in different ways, so equal texts share a column.
    different, columns = np.unique(texts, axis=0, return_inverse=True)
    for start in range(0, len(images), IMAGES_PER_BLOCK):
        similarities = (images[start : start + IMAGES_PER_BLOCK] @ different.T)[:, columns.ravel()]
        rows = np.arange(len(similarities))
        matched = similarities[rows, start + rows]
        ranks[start : start + IMAGES_PER_BLOCK] = (similarities >= matched[:, None]).sum(axis=1)
    return ranks


def _unit_pair(image_features: npt.ArrayLike, text_features: npt.ArrayLike) -> tuple[Float64Array, Float64Array]:
    """Return both matrices with rows of unit length."""
    images, texts = _unit_rows("image_features", image_features), _unit_rows("text_features", text_features)
    if images.shape != texts.shape:
        raise ValueError(f"image_features has shape {images.shape}, text_features {texts.shape}: need the same")
    return images, texts


def _unit_rows(name: str, features: npt.ArrayLike) -> Float64Array:
    matrix = NumpyBackend().as_float64(checked_features(name, features))
    if not matrix.size:
        raise ValueError(f"{name} has shape {matrix.shape}, needs (rows, features)")
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    bad = np.flatnonzero(~(np.isfinite(lengths[:, 0]) & (lengths[:, 0] > 0)))
    if len(bad):
        raise ValueError(f"{name}[{bad[0]}] is not finite, or zero")
    unit: Float64Array = matrix / lengths
    return unit
