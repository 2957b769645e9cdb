"""The kernel distance of features."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import finite_number, whole_number
from muge_fast.image._inception_score import SEED, MeanAndSpread
from muge_fast.image.statistics import LARGEST, Float64, feature_pair

# Up to so many pairs the kernel of all is made once, and subsets pick from it: 512 MiB.
MOST_PAIRS = 1 << 26
# Ten thousand times the usual number: a file that was saved may hold any.
MOST_SUBSETS = 1_000_000


def kid_of(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    subsets: int = 100,
    subset_size: int = 1000,
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
    seed: int = SEED,
) -> MeanAndSpread:
    """Compute the Kernel Inception Distance (Bińkowski et al., 2018) with the subsets of torch-fidelity.

    Each subset draws ``subset_size`` rows of the first set, then of the second, by ``RandomState(seed).choice`` without
    replacement; its value is the unbiased estimate of MMD². Everything is in double precision.

    Args:
        first: Features of one set, of shape ``(images, features)``.
        second: Features of the other.
        subsets: How many subsets.
        subset_size: Images of each.
        degree: Of the polynomial kernel ``(gamma x·y + coef0) ** degree``.
        gamma: None for one by the number of features.
        coef0: See above.
        seed: Of the subsets.

    Returns:
        Mean and standard deviation over subsets.

    Raises:
        ValueError: Shapes that do not fit, a number that is not finite or too large, fewer images than a subset has,
            or a degree that is no whole number.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import kid_of
        >>> features = np.random.default_rng(0).normal(size=(300, 8))
        >>> abs(kid_of(features[:150], features[150:], subsets=5, subset_size=100).mean) < 0.1
        True

    """
    left, right = feature_pair(first, second)
    subsets, subset_size = refuse_subsets(subsets, subset_size, len(left), len(right))
    kernel = _Kernel(degree, 1 / left.shape[1] if gamma is None else gamma, coef0)
    kernel.refuse_large(left, right)
    random = np.random.RandomState(seed)
    pairs = [
        (random.choice(len(left), subset_size, replace=False), random.choice(len(right), subset_size, replace=False))
        for _ in range(subsets)
    ]
    if len(left) * len(right) + len(left) ** 2 + len(right) ** 2 <= MOST_PAIRS:
        within, across, other = kernel(left, left), kernel(left, right), kernel(right, right)
        values = [_mmd(within[np.ix_(a, a)], across[np.ix_(a, b)], other[np.ix_(b, b)]) for a, b in pairs]
    else:
        values = [
            _mmd(kernel(left[a], left[a]), kernel(left[a], right[b]), kernel(right[b], right[b])) for a, b in pairs
        ]
    return MeanAndSpread(float(np.mean(values)), float(np.std(values)))


def refuse_subsets(subsets: int, subset_size: int, *counts: int | None) -> tuple[int, int]:
    """Refuse subsets that some sets do not have, and give both numbers as Python's.

    Args:
        subsets: As for :func:`kid_of`.
        subset_size: As for :func:`kid_of`.
        counts: The number of images of each set; None where nobody knows.

    Raises:
        ValueError: No subsets, or fewer images than a subset has.

    Example:
        >>> from muge_fast.image._kid import refuse_subsets
        >>> refuse_subsets(100, 1000, 500, None)
        Traceback (most recent call last):
        ...
        ValueError: subset_size is 1000, the set has 500 images

    """
    number, size = whole_number("subsets", subsets), whole_number("subset_size", subset_size, least=2)
    if number > MOST_SUBSETS:
        raise ValueError(f"subsets is {number}, needs at most {MOST_SUBSETS}")
    for count in counts:
        if count is not None and count < size:
            raise ValueError(f"subset_size is {size}, the set has {count} images")
    return number, size


def kid_of_all(
    first: npt.ArrayLike, second: npt.ArrayLike, *, degree: int = 3, gamma: float | None = None, coef0: float = 1.0
) -> float:
    """Compute the unbiased estimate of MMD² from all images at once: no subsets, no seed.

    Args:
        first: As for :func:`kid_of`, at least two images.
        second: As for :func:`kid_of`.
        degree: As for :func:`kid_of`.
        gamma: As for :func:`kid_of`.
        coef0: As for :func:`kid_of`.

    Raises:
        ValueError: As for :func:`kid_of`.

    Example:
        >>> from muge_fast.image import kid_of_all
        >>> kid_of_all([[0.0], [0.0]], [[1.0], [1.0]], degree=1)
        1.0

    """
    left, right = feature_pair(first, second)
    if min(len(left), len(right)) < 2:  # noqa: PLR2004
        raise ValueError(f"the sets have {len(left)} and {len(right)} images, need at least two each")
    kernel = _Kernel(degree, 1 / left.shape[1] if gamma is None else gamma, coef0)
    kernel.refuse_large(left, right)
    sums = [_sum(kernel, left, left), _sum(kernel, right, right)]
    inner = sum(
        (total - kernel.diagonal(side).sum()) / (len(side) * (len(side) - 1))
        for total, side in zip(sums, (left, right), strict=True)
    )
    return float(inner - 2 * _sum(kernel, left, right) / (len(left) * len(right)))


class _Kernel:
    def __init__(self, degree: int, gamma: float, coef0: float) -> None:
        self.degree = whole_number("degree", degree)
        self.gamma, self.coef0 = finite_number("gamma", gamma), finite_number("coef0", coef0)

    def __call__(self, left: Float64, right: Float64) -> Float64:
        values: Float64 = (self.gamma * (left @ right.T) + self.coef0) ** self.degree
        return values

    def refuse_large(self, *sides: Float64) -> None:
        """Refuse features whose kernel may be beyond double precision, also when all pairs are added."""
        square = max(float((side * side).sum(axis=1).max()) for side in sides)
        largest = abs(self.gamma) * square + abs(self.coef0)
        if largest > LARGEST ** (1 / self.degree):
            raise ValueError(f"features are too large: the kernel of a pair may be {largest:.0e} to the {self.degree}")

    def diagonal(self, side: Float64) -> Float64:
        values: Float64 = (self.gamma * (side * side).sum(axis=1) + self.coef0) ** self.degree
        return values


def _mmd(within: Float64, across: Float64, other: Float64) -> float:
    """The unbiased estimate: pairs of an image with itself are left out."""
    size = len(within)
    inner = sum((kernel.sum() - np.trace(kernel)) / (size * (size - 1)) for kernel in (within, other))
    return float(inner - 2 * across.sum() / size**2)


def _sum(kernel: _Kernel, left: Float64, right: Float64, block: int = 1024) -> float:
    return float(sum(kernel(left[start : start + block], right).sum() for start in range(0, len(left), block)))
