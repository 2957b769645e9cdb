"""Precision, recall, density and coverage of generated images, by nearest neighbours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import whole_number
from muge_fast.image.backend import Float64Array
from muge_fast.image.options import UNKNOWN_EXTRACTOR
from muge_fast.image.statistics import feature_pair
from muge_fast.scores import Scores, mean_score, set_score, signature

# Rows per block of distances.
ROWS_PER_BLOCK = 512
MERGE_ERROR = "neighbours are searched in the whole sets; score the features of all images at once"


def precision_recall(
    real: npt.ArrayLike, generated: npt.ArrayLike, *, k: int = 3, extractor_signature: str | None = None
) -> Scores:
    """Compute precision and recall (Kynkäänniemi et al., 2019) of real and generated images, in this order.

    Density and coverage (Naeem et al., 2020) come with them. Sets in the other order swap precision and recall.

    The neighbourhood of an image is the ball that reaches to its ``k``-th nearest neighbour in its own set. Distances
    are exact, in double precision; precision and recall are those of torch-fidelity.

    Args:
        real: Features of real images, of shape ``(images, features)``.
        generated: Features of generated images, with the same number of columns.
        k: Index of the neighbour, at least 1 and smaller than the number of images of each set.
        extractor_signature: Signature of the extractor that made the features, for the signatures of the scores.

    Returns:
        Four scores, for which higher is better:

        - ``"precision"``: fraction of generated images in the neighbourhood of a real one, from 0 to 1; its
          ``per_item`` is 1 or 0 for each generated image.
        - ``"recall"``: fraction of real images in the neighbourhood of a generated one, from 0 to 1; its ``per_item``
          is 1 or 0 for each real image.
        - ``"density"``: mean number of real neighbourhoods that a generated image is in, divided by ``k``, from 0; it
          may exceed 1.
        - ``"coverage"``: fraction of real images with a generated one in their neighbourhood, from 0 to 1; its
          ``per_item`` is 1 or 0 for each real image.

    Raises:
        TypeError: ``k`` is not an integer.
        ValueError: Shapes do not match, a value is not finite or too large, or ``k`` is out of range.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import precision_recall
        >>> features = np.random.default_rng(0).normal(size=(50, 4))
        >>> precision_recall(features, features)["recall"].value
        1.0

    """
    left, right = feature_pair(real, generated)
    k = whole_number("k", k)
    if k >= min(len(left), len(right)):
        raise ValueError(f"k is {k}, the sets have {len(left)} and {len(right)} images, need more than k")
    real_radii, generated_radii = _squared_radii(left, k), _squared_radii(right, k)
    is_precise = np.zeros(len(right), bool)
    is_recalled, is_covered, inside = np.zeros(len(left), bool), np.zeros(len(left), bool), 0
    for start in range(0, len(right), ROWS_PER_BLOCK):
        block = slice(start, start + ROWS_PER_BLOCK)
        distances = _squared_distances(right[block], left)
        is_inside = distances <= real_radii
        is_precise[block] = is_inside.any(axis=1)
        inside += int(is_inside.sum())
        is_covered |= is_inside.any(axis=0)
        is_recalled |= (distances <= generated_radii[block, None]).any(axis=0)
    signatures = {
        name: signature(name, extractor_signature or UNKNOWN_EXTRACTOR, k=k, real=len(left), generated=len(right))
        for name in ("precision", "recall", "density", "coverage")
    }
    hits = {"precision": is_precise, "recall": is_recalled, "coverage": is_covered}
    scores = {
        name: mean_score(name, signatures[name], is_hit.astype(np.float64), merge_error=MERGE_ERROR)
        for name, is_hit in hits.items()
    }
    scores["density"] = set_score("density", signatures["density"], inside / (k * len(right)))
    return Scores({name: scores[name] for name in signatures})


def _squared_radii(features: Float64Array, k: int) -> Float64Array:
    """Return the squared distance from each row to its k-th nearest other row."""
    radii = np.empty(len(features))
    for start in range(0, len(features), ROWS_PER_BLOCK):
        squares = _squared_distances(features[start : start + ROWS_PER_BLOCK], features)
        rows = np.arange(len(squares))
        # A row is its own nearest neighbour, even if rounding makes another one as near.
        squares[rows, start + rows] = -1
        radii[start : start + ROWS_PER_BLOCK] = np.partition(squares, k, axis=1)[:, k]
    return radii


def _squared_distances(left: Float64Array, right: Float64Array) -> Float64Array:
    norms = (left * left).sum(axis=1)[:, None] + (right * right).sum(axis=1)
    squares: Float64Array = np.maximum(norms - 2 * (left @ right.T), 0)
    return squares
