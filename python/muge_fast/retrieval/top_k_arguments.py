"""Checks of the arguments of top-k searches, on the CPU and on other devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import whole_number

SIMILARITIES = ("ip", "cosine")
"""Values of the option ``metric``: inner product and cosine."""

Exclude = Sequence[Sequence[int]] | npt.NDArray[np.integer[Any]]
Indices = npt.NDArray[np.int64]


def check_k(k: object, items: int, name: str) -> int:
    """Return the number of items to find for each query as a Python int.

    Args:
        k: The argument.
        items: Largest allowed value.
        name: What ``items`` counts, for errors.

    Returns:
        ``k``, from 1 to ``items``.

    Raises:
        TypeError: ``k`` is not an integer.
        ValueError: ``k`` is below 1 or above ``items``.

    Example:
        >>> from muge_fast.retrieval.top_k_arguments import check_k
        >>> check_k(3, 2, "the number of items")
        Traceback (most recent call last):
        ...
        ValueError: k must be at most 2, the number of items, got 3

    """
    count = whole_number("k", k)
    if count > items:
        raise ValueError(f"k must be at most {items}, {name}, got {count}")
    return count


def excluded_lists(exclude: Exclude | None, queries: int, items: int) -> tuple[Indices, Indices]:
    """Return the lists of ``exclude`` as one flat array, each list sorted.

    Args:
        exclude: For each query, the indices of items to exclude, in any order: a sequence of sequences, or an integer
            matrix with one row per query. None to exclude nothing.
        queries: Number of queries.
        items: Number of items.

    Returns:
        All indices, and the length of each list, both int64; both empty for None.

    Raises:
        ValueError: ``exclude`` has another number of lists than there are queries, or an index is negative or not below
            ``items``.
        TypeError: An element of ``exclude`` is not a list of integers.

    Example:
        >>> from muge_fast.retrieval.top_k_arguments import excluded_lists
        >>> [array.tolist() for array in excluded_lists([[7, 3], []], 2, 10)]
        [[3, 7], [2, 0]]

    """
    empty = np.empty(0, dtype=np.int64)
    if exclude is None:
        return empty, empty
    if len(exclude) != queries:
        raise ValueError(f"exclude has {len(exclude)} lists, but there are {queries} queries")
    lists = [_sorted_indices(query, indices, items) for query, indices in enumerate(exclude)]
    lengths = np.fromiter(map(len, lists), dtype=np.int64, count=queries)
    return np.concatenate([empty, *lists]), lengths


def _sorted_indices(query: int, indices: npt.ArrayLike, items: int) -> Indices:
    array = np.asarray(indices)
    if array.ndim != 1:
        raise TypeError(f"exclude[{query}] must be a list of indices, got an array of shape {array.shape}")
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"exclude[{query}] must have integers, got {array.dtype}")
    array = np.sort(array)
    extremes = map(int, array[[0, -1]] if array.size else ())
    outside = next((index for index in extremes if not 0 <= index < items), None)
    if outside is not None:
        raise ValueError(f"exclude[{query}] has the index {outside}, needs 0 to {items - 1}")
    return array.astype(np.int64)
