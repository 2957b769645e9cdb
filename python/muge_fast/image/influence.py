"""Influence of each image on FID and on the Inception Score: how the score changes with the weight of the image."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from muge_fast.image.backend import Float64Array, NumpyBackend, zero_eigenvalue
from muge_fast.image.statistics import Statistics

# Rows per block of products with a matrix of all features.
ROWS_PER_BLOCK = 1024


def fid_influence(
    real: Statistics,
    generated: Statistics,
    generated_features: npt.NDArray[np.floating],
    real_features: npt.NDArray[np.floating] | None = None,
) -> tuple[Float64Array, ...]:
    """Return the influence of each generated image on FID, and of each real one if their features are given.

    With mean ``m`` and covariance ``S`` of a set, and those of the other set, ``m'`` and ``S'``, an image with the
    features ``m + x`` has the influence ``2 x·(m - m') + n / (n - 1) x·(I - G)x``, minus the mean over the ``n`` images
    of the set. ``G`` is the matrix ``A (A S A)^(-1/2) A`` with ``A = S'^(1/2)``. Where a covariance is singular, ``G``
    is restricted to its range, in which all images of the set are.

    Computed with two decompositions of a matrix of ``dims * dims`` and two products of each image with such a matrix.
    Besides the features, about eight of these matrices are kept: 270 MB for 2048 features.

    Args:
        real: Statistics of the real images.
        generated: Statistics of the generated images.
        generated_features: Features of the generated images, of shape ``(images, dims)``.
        real_features: Features of the real images; None if these are fixed.

    Returns:
        The influence of generated images, and then that of real ones if their features are given.

    Raises:
        ValueError: A covariance has a negative eigenvalue.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import Statistics
        >>> from muge_fast.image.influence import fid_influence
        >>> real = Statistics.from_state({"mu": [0.0], "sigma": [[1.0]]})
        >>> features = np.array([[1.0], [3.0]])
        >>> [values.tolist() for values in fid_influence(real, Statistics.from_features(features), features)]
        [[-4.0, 4.0]]

    """
    values, vectors = _eigen(real.covariance)
    roots = np.sqrt(values)
    root = (vectors * roots) @ vectors.T
    squares, directions = _eigen(root @ generated.covariance @ root)
    quartic = squares**0.25
    difference = generated.mean - real.mean
    factor = root @ (directions * _inverse(quartic))
    influence = _centred_changes(generated_features, generated.mean, 2 * difference, factor)
    if real_features is None:
        return (influence,)
    del factor, root
    back = ((vectors * _inverse(roots)) @ vectors.T) @ (directions * quartic)
    return influence, _centred_changes(real_features, real.mean, -2 * difference, back)


def _eigen(covariance: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return eigenvalues, those that are zero up to rounding as zero, and eigenvectors."""
    values, vectors = np.linalg.eigh(covariance)
    rounding = zero_eigenvalue(len(values), float(values[0]), float(values[-1]))
    return np.where(values > rounding, values, 0.0), vectors


def _inverse(values: Float64Array) -> Float64Array:
    """Return the inverse of each number, zero for zero."""
    return np.divide(1, values, out=np.zeros_like(values), where=values > 0)


def _centred_changes(
    features: npt.NDArray[np.floating], mean: Float64Array, slope: Float64Array, factor: Float64Array
) -> Float64Array:
    """Return ``x·slope + n / (n - 1) (x·x - |x @ factor|²)`` of each row ``mean + x``, minus the mean of the rows."""
    changes = np.empty(len(features))
    scale = len(features) / (len(features) - 1)
    for start in range(0, len(features), ROWS_PER_BLOCK):
        rows = features[start : start + ROWS_PER_BLOCK].astype(np.float64) - mean
        moved = rows @ factor
        squares = np.einsum("nd,nd->n", rows, rows) - np.einsum("nd,nd->n", moved, moved)
        changes[start : start + len(rows)] = rows @ slope + scale * squares
    changes -= changes.mean()
    return changes


def inception_score_influence(
    logits: npt.NDArray[np.floating], split_of_image: npt.NDArray[np.int64], splits: int
) -> Float64Array:
    """Return the influence of each image on the mean of the Inception Score over splits.

    In a split of ``k`` images it is ``k - 1`` times the change of the split's score without the image (the jackknife),
    minus the mean over the split. The derivative ``s * (divergence of the image - log(s))``, with the score ``s``, has
    standard errors that are 15 % too small where a split has half as many images as classes, since an image is part of
    the mean that it is compared with; without the image they are not. The factor ``n / (splits * k)`` is that of the
    mean over splits.

    Args:
        logits: Logits of shape ``(images, classes)``.
        split_of_image: Index of the split of each image.
        splits: Number of splits, each with at least one image.

    Returns:
        The influence of each image, of mean zero in each split; zero in a split of one image.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.influence import inception_score_influence
        >>> logits = np.log([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]])
        >>> inception_score_influence(logits, np.zeros(3, dtype=int), 1).round(4).tolist()
        [0.2252, 0.2252, -0.4504]

    """
    counts = np.bincount(split_of_image, minlength=splits)
    sum_p, sum_p_log_p = np.zeros((splits, logits.shape[1])), np.zeros(splits)
    for rows, p, p_log_p in _probabilities(logits, split_of_image):
        members = (np.arange(splits)[:, None] == rows).astype(np.float64)
        sum_p += members @ p
        sum_p_log_p += members @ p_log_p
    without, start = np.empty(len(logits)), 0
    for rows, p, p_log_p in _probabilities(logits, split_of_image):
        left = np.maximum(counts[rows] - 1, 1)
        mean_p = np.maximum(sum_p[rows] - p, 0) / left[:, None]
        without[start : start + len(rows)] = _score((sum_p_log_p[rows] - p_log_p) / left, mean_p)
        start += len(rows)
    scores = _score(sum_p_log_p / counts, sum_p / counts[:, None])
    changes = (counts - 1)[split_of_image] * (scores[split_of_image] - without)
    changes -= (np.bincount(split_of_image, changes, minlength=splits) / counts)[split_of_image]
    influence: Float64Array = changes * (len(logits) / (splits * counts))[split_of_image]
    return influence


def _probabilities(
    logits: npt.NDArray[np.floating], split_of_image: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int64], Float64Array, Float64Array]]:
    """Yield the splits of the images of each block, their probabilities ``p``, and the sum of ``p log p`` of each."""
    backend = NumpyBackend()
    for start in range(0, len(logits), ROWS_PER_BLOCK):
        block = slice(start, start + ROWS_PER_BLOCK)
        log_p, p = backend.log_softmax(backend.as_float64(logits[block]))
        yield split_of_image[block], p, (p * log_p).sum(axis=1)


def _score(mean_p_log_p: Float64Array, mean_p: Float64Array) -> Float64Array:
    """Return the Inception Score of each row of means."""
    # A mean of zero is multiplied by its logarithm, which only has to be finite.
    log_mean_p = np.log(np.maximum(mean_p, np.finfo(np.float64).tiny))
    scores: Float64Array = np.exp(mean_p_log_p - (mean_p * log_mean_p).sum(axis=1))
    return scores
