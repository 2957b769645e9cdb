"""The result of a top-k search, and the instruction set that searches use."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast import _core


class Ranking(NamedTuple):
    """The best items of each query, best first.

    Attributes:
        scores: Scores of shape ``(queries, k)``, in descending order, NaN last. A torch tensor if the search ran on a
            GPU, a NumPy array otherwise.
        indices: Indices of the items, int64 of the same shape. Of items with equal scores the lower index comes first.

    Example:
        >>> import numpy as np
        >>> import muge_fast as mf
        >>> ranking = mf.Ranking(scores=np.array([[0.9, 0.2]]), indices=np.array([[4, 0]]))
        >>> ranking.indices[0].tolist()
        [4, 0]

    """

    scores: npt.NDArray[Any]
    indices: npt.NDArray[np.int64]


def cpu_level() -> str:
    """Return the name of the vector instructions that top-k searches use on this CPU.

    Results do not depend on it. It is for bug reports and benchmarks.

    Returns:
        ``"portable"``, ``"avx2"``, ``"avx512"`` or ``"vnni"``: the highest level that the CPU supports, or the one that
        the environment variable ``MUGE_FAST_CPU`` names.

    Raises:
        ValueError: ``MUGE_FAST_CPU`` is not one of these names, or this CPU does not support the level.

    Example:
        >>> import os
        >>> import muge_fast as mf
        >>> os.environ["MUGE_FAST_CPU"] = "portable"
        >>> mf.cpu_level()
        'portable'
        >>> del os.environ["MUGE_FAST_CPU"]

    """
    return _core.cpu_level()
