"""The maximum mean discrepancy of two sets of features, of random subsets or of all rows, with a polynomial kernel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from muge_fast._internal.checks import finite_number, whole_number
from muge_fast._internal.npz import Array
from muge_fast.image.backend import Float64Array
from muge_fast.image.statistics import MAX_FEATURE

# Up to this number of pairs, the kernel of all pairs is computed once (512 MiB), and subsets pick from it.
MAX_PAIRS_KEPT = 1 << 26
# Rows per block of kernel values when all images are compared.
ROWS_PER_BLOCK = 1024


class Kernel:
    """The polynomial kernel ``(gamma * x·y + coef0) ** degree``.

    Args:
        degree: Degree, at least 1.
        gamma: Factor of the inner product.
        coef0: Constant that is added to the product.

    Raises:
        TypeError: A number has the wrong type.
        ValueError: A number is out of range.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.mmd import Kernel
        >>> Kernel(3, 0.5, 1.0)(np.array([[2.0]]), np.array([[1.0], [0.0]])).tolist()
        [[8.0, 1.0]]

    """

    def __init__(self, degree: int, gamma: float, coef0: float) -> None:
        self.degree = whole_number("degree", degree)
        self.gamma, self.coef0 = finite_number("gamma", gamma), finite_number("coef0", coef0)

    def __call__(self, left: Float64Array, right: Float64Array) -> Float64Array:
        """Return the kernel of each row of ``left`` with each row of ``right``."""
        values: Float64Array = (self.gamma * (left @ right.T) + self.coef0) ** self.degree
        return values

    def check_size(self, *sets: Float64Array) -> None:
        """Check that the sum of the kernel over all pairs stays within double precision.

        Args:
            sets: Matrices of features.

        Raises:
            ValueError: It does not.

        """
        square = max(float((features * features).sum(axis=1).max()) for features in sets)
        largest = abs(self.gamma) * square + abs(self.coef0)
        if largest > MAX_FEATURE ** (1 / self.degree):
            raise ValueError(f"features are too large: the kernel of a pair may be {largest:.0e} ** {self.degree}")

    def diagonal(self, features: Float64Array) -> Float64Array:
        """Return the kernel of each row with itself."""
        values: Float64Array = (self.gamma * (features * features).sum(axis=1) + self.coef0) ** self.degree
        return values


def draw_subsets(real: int, generated: int, subsets: int, size: int, seed: int) -> list[tuple[Array, Array]]:
    """Return the rows of each subset: of the real images, then of the generated ones.

    Args:
        real: Number of real images.
        generated: Number of generated images.
        subsets: Number of subsets.
        size: Images per subset.
        seed: Seed of the subsets.

    Example:
        >>> from muge_fast.image.mmd import draw_subsets
        >>> [[rows.tolist() for rows in pair] for pair in draw_subsets(1, 2, subsets=1, size=1, seed=0)]
        [[[0], [1]]]

    """
    random = np.random.RandomState(seed)
    return [
        (random.choice(real, size, replace=False), random.choice(generated, size, replace=False))
        for _ in range(subsets)
    ]


def mmd_of_subsets(
    kernel: Kernel, left: Float64Array, right: Float64Array, rows: list[tuple[Array, Array]], *, influence: bool
) -> tuple[list[float], tuple[Float64Array, Float64Array] | None]:
    """Return the unbiased estimate of MMD² of each subset, and the influence of rows on the mean over subsets.

    The influence of a row adds up over the subsets that have it, so that it is the influence on the mean over these
    very subsets, not on the estimate of all rows: rows that are in more subsets have more of it.

    Args:
        kernel: The kernel.
        left: First set of features.
        right: Second set of features.
        rows: Rows of each subset, of ``left`` and of ``right``.
        influence: Whether to compute the influence.

    Returns:
        The estimates, and the influence of the rows of ``left`` and of those of ``right``; None if not asked for.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.mmd import Kernel, mmd_of_subsets
        >>> sets = np.array([[0.0], [0.0], [1.0]]), np.array([[1.0], [2.0]])
        >>> values, influence = mmd_of_subsets(
        ...     Kernel(1, 1.0, 0.0), *sets, [(np.array([0, 1]), np.array([0, 1]))], influence=True
        ... )
        >>> values, [array.tolist() for array in influence]
        ([2.0], [[0.0, 0.0, 0.0], [0.0, 0.0]])

    """
    values, changes = [], (np.zeros(len(left)), np.zeros(len(right)))
    for (left_rows, right_rows), kernels in zip(rows, _kernels_of_subsets(kernel, left, right, rows), strict=True):
        values.append(_mmd(*kernels))
        if influence:
            within_left, across, within_right = kernels
            means = across.mean(axis=1), across.mean(axis=0)
            changes[0][left_rows] += _projection(within_left.sum(axis=1), within_left.diagonal(), means[0])
            changes[1][right_rows] += _projection(within_right.sum(axis=1), within_right.diagonal(), means[1])
    if not influence:
        return values, None
    drawn = len(rows) * len(rows[0][0])
    return values, (changes[0] * (len(left) / drawn), changes[1] * (len(right) / drawn))


def mmd_of_all(
    kernel: Kernel, left: Float64Array, right: Float64Array, *, influence: bool
) -> tuple[float, tuple[Float64Array, Float64Array] | None]:
    """Return the unbiased estimate of MMD² of two sets, and the influence of their rows.

    Args:
        kernel: The kernel.
        left: First set of features, of at least two rows.
        right: Second set of features, of at least two rows.
        influence: Whether to compute the influence.

    Returns:
        The estimate, and the influence of the rows of ``left`` and of those of ``right``; None if not asked for.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.mmd import Kernel, mmd_of_all
        >>> sets = np.array([[0.0], [0.0]]), np.array([[1.0], [3.0]])
        >>> value, influence = mmd_of_all(Kernel(1, 1.0, 0.0), *sets, influence=True)
        >>> value, [array.tolist() for array in influence]
        (3.0, [[0.0, 0.0], [0.0, 0.0]])

    """
    across, by_left, by_right = _kernel_sums(kernel, left, right, by_row=influence)
    means, projections = [], []
    for features, across_by_row, others in ((left, by_left, len(right)), (right, by_right, len(left))):
        within, by_row, _ = _kernel_sums(kernel, features, features, by_row=influence)
        diagonal, count = kernel.diagonal(features), len(features)
        means.append((within - diagonal.sum()) / (count * (count - 1)))
        if influence:
            projections.append(_projection(by_row, diagonal, across_by_row / others))
    value = float(sum(means) - 2 * across / (len(left) * len(right)))
    return value, (projections[0], projections[1]) if influence else None


def _kernels_of_subsets(
    kernel: Kernel, left: Float64Array, right: Float64Array, rows: list[tuple[Array, Array]]
) -> Iterator[tuple[Float64Array, Float64Array, Float64Array]]:
    """Yield the kernel within the left rows of each subset, across, and within its right rows."""
    if len(left) * len(right) + len(left) ** 2 + len(right) ** 2 > MAX_PAIRS_KEPT:
        for a, b in rows:
            yield kernel(left[a], left[a]), kernel(left[a], right[b]), kernel(right[b], right[b])
        return
    within_left, across, within_right = kernel(left, left), kernel(left, right), kernel(right, right)
    for a, b in rows:
        yield within_left[np.ix_(a, a)], across[np.ix_(a, b)], within_right[np.ix_(b, b)]


def _mmd(within_left: Float64Array, across: Float64Array, within_right: Float64Array) -> float:
    """Return the unbiased estimate of MMD²: pairs of an image with itself are left out."""
    size = len(within_left)
    within = sum((kernel.sum() - np.trace(kernel)) / (size * (size - 1)) for kernel in (within_left, within_right))
    return float(within - 2 * across.sum() / size**2)


def _projection(within: Float64Array, diagonal: Float64Array, across: Float64Array) -> Float64Array:
    """Return the first-order change of the estimate with the weight of each row, times the number of rows.

    It is made of three numbers for each row: the sum of its kernel within the set, its kernel with itself, and the mean
    of its kernel with the other set.
    """
    values: Float64Array = 2 * ((within - diagonal) / (len(within) - 1) - across)
    centred: Float64Array = values - values.mean()
    return centred


def _kernel_sums(
    kernel: Kernel, left: Float64Array, right: Float64Array, *, by_row: bool
) -> tuple[float, Float64Array, Float64Array]:
    """Return the sum of the kernel over all pairs, and by rows of ``left`` and of ``right`` if asked for."""
    total, by_left, by_right = 0.0, np.zeros(len(left)), np.zeros(len(right))
    for start in range(0, len(left), ROWS_PER_BLOCK):
        block = slice(start, start + ROWS_PER_BLOCK)
        values = kernel(left[block], right)
        total += values.sum()
        if by_row:
            by_left[block] = values.sum(axis=1)
            by_right += values.sum(axis=0)
    return float(total), by_left, by_right
