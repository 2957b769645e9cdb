"""Precision, recall, density and coverage: whose neighbourhood the images of the other set fall into."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import whole_number
from muge_fast.image.statistics import Float64, feature_pair

BLOCK = 512


class Manifold(NamedTuple):
    """How two sets of images cover each other.

    Attributes:
        precision: Share of generated images within reach of a real one.
        recall: Share of real images within reach of a generated one.
        density: Mean number of real neighbourhoods that a generated image is in, by ``k``.
        coverage: Share of real images with a generated one within their own reach.

    Example:
        >>> from muge_fast.image import Manifold
        >>> Manifold(precision=1.0, recall=0.5, density=1.1, coverage=0.9).recall
        0.5

    """

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(real: npt.ArrayLike, generated: npt.ArrayLike, *, k: int = 3) -> Manifold:
    """Compare two sets by exact nearest neighbours, in double precision.

    The reach of an image is the distance to its ``k``-th nearest neighbour in its own set. Precision and recall are
    those of Kynkäänniemi et al. (2019), as in torch-fidelity; density and coverage those of Naeem et al. (2020).

    Args:
        real: Features of real images, of shape ``(images, features)``.
        generated: Features of generated images.
        k: Which neighbour.

    Returns:
        A :class:`Manifold`.

    Raises:
        ValueError: Shapes that do not fit, a number that is not finite or too large, or no more images than ``k``.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import precision_recall
        >>> features = np.random.default_rng(0).normal(size=(50, 4))
        >>> precision_recall(features, features).recall
        1.0

    """
    left, right = feature_pair(real, generated)
    k = whole_number("k", k)
    if not k < min(len(left), len(right)):
        raise ValueError(f"k is {k}, the sets have {len(left)} and {len(right)} images, need more than k")
    real_reach, generated_reach = _reach(left, k), _reach(right, k)
    is_precise, is_recalled, is_covered, inside = [], np.zeros(len(left), bool), np.zeros(len(left), bool), 0
    for start in range(0, len(right), BLOCK):
        distances = _squares(right[start : start + BLOCK], left)
        within = distances <= real_reach
        is_precise.append(within.any(axis=1))
        inside += int(within.sum())
        is_covered |= within.any(axis=0)
        is_recalled |= (distances <= generated_reach[start : start + BLOCK, None]).any(axis=0)
    return Manifold(
        precision=float(np.concatenate(is_precise).mean()),
        recall=float(is_recalled.mean()),
        density=inside / (k * len(right)),
        coverage=float(is_covered.mean()),
    )


def _reach(side: Float64, k: int) -> Float64:
    """The square of the distance from each row to its k-th neighbour, itself aside."""
    reach = np.empty(len(side))
    for start in range(0, len(side), BLOCK):
        squares = _squares(side[start : start + BLOCK], side)
        rows = np.arange(len(squares))
        # Rounding must not make a row something else than its own nearest neighbour.
        squares[rows, start + rows] = -1
        reach[start : start + BLOCK] = np.partition(squares, k, axis=1)[:, k]
    return reach


def _squares(left: Float64, right: Float64) -> Float64:
    """Squares of the distances of rows."""
    norms = (left * left).sum(axis=1)[:, None] + (right * right).sum(axis=1)
    squares: Float64 = np.maximum(norms - 2 * (left @ right.T), 0)
    return squares
