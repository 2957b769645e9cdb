"""Intervals and tests on plain arrays."""

from typing import Any

import numpy as np
import numpy.typing as npt

SEED = 12345
"""Default seed of resamples and draws, that of sacrebleu."""

RESAMPLES = 10_000
"""Default number of resamples and draws."""


def mean_of_sums(sums: npt.NDArray[np.float64], counts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the means of the means of columns.

    Args:
        sums: Sums of rows, of shape ``(samples, columns)``.
        counts: Number of rows in each sum.

    Returns:
        The score of each sum.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance import mean_of_sums
        >>> mean_of_sums(np.array([[3.0, 1.0]]), np.array([4]))
        array([0.5])

    """
    # The columns are added from left to right, as for scores of several columns.
    means: npt.NDArray[np.float64] = sum(sums.T / counts) / sums.shape[1]
    return means
