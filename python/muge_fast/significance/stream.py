"""The stream of random numbers from which all resamples are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.checks import whole_number

FloatArray = npt.NDArray[np.float64]

BLOCK = 2**20
"""Numbers in a block of sums: 8 MiB."""

WORD = 2**32


def pcg64(seed: int) -> _core.Pcg64:
    """Return the generator PCG64 with the stream of ``numpy.random.default_rng(seed)``.

    Args:
        seed: An integer of any size, at least 0.

    Returns:
        The generator.

    Raises:
        TypeError: ``seed`` is not an integer.
        ValueError: ``seed`` is negative.

    Example:
        >>> from muge_fast.significance.stream import pcg64
        >>> pcg64(12345).indices(10, 4).tolist()
        [6, 2, 7, 3]

    """
    rest = whole_number("seed", seed, least=0)
    words = [rest % WORD]
    while rest := rest // WORD:
        words.append(rest % WORD)
    return _core.Pcg64(words)


def block_length(columns: int) -> int:
    """Return the number of rows of a block with this number of columns, at least 1."""
    return max(1, BLOCK // columns)


def sums_in_blocks(
    draw: Callable[[FloatArray, int, int | None], FloatArray], rows: FloatArray, count: int, threads: int | None
) -> Iterator[FloatArray]:
    """Yield the sums of all resamples, or of all trials of swapped items, in blocks that limit the memory.

    Args:
        draw: The method ``resample_sums`` or ``swap_sums`` of a generator; blocks of its calls equal one call.
        rows: float64 of shape ``(items, columns)``.
        count: Number of resamples or trials.
        threads: Number of threads; None for all cores. The sums do not depend on it.

    Yields:
        float64 of shape ``(resamples, columns)``.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance.stream import pcg64, sums_in_blocks
        >>> rows = np.array([[1.0], [0.0], [0.0]])
        >>> [sums.shape for sums in sums_in_blocks(pcg64(1).resample_sums, rows, 2**20 + 1, 1)]
        [(1048576, 1), (1, 1)]

    """
    size = block_length(rows.shape[1])
    for start in range(0, count, size):
        yield draw(rows, min(size, count - start), threads)
