"""What a top-k search returns, and on which CPU level it runs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast import _core


class Ranking(NamedTuple):
    """The best items for each query, best first.

    Attributes:
        scores: Scores of shape ``(queries, k)``, descending, NaN last. A torch tensor where tensors on a GPU were
            given, otherwise a NumPy array.
        indices: Row numbers of the items, int64 of the same shape. Of items with equal scores the lower comes first.

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
    """Name the vector instructions that top-k searches use on this CPU.

    Returns:
        ``"portable"``, ``"avx2"``, ``"avx512"`` or ``"vnni"``: the highest that the CPU has, or the one that the
        environment variable ``MUGE_FAST_CPU`` names. Results do not depend on it, not in the last bit.

    Raises:
        ValueError: ``MUGE_FAST_CPU`` names no level, or one that this CPU does not have.

    Example:
        >>> import os
        >>> import muge_fast as mf
        >>> os.environ["MUGE_FAST_CPU"] = "portable"
        >>> mf.cpu_level()
        'portable'
        >>> del os.environ["MUGE_FAST_CPU"]

    """
    return _core.cpu_level()
