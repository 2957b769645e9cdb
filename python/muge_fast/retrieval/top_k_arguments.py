"""Checks of the arguments of top-k searches, on the CPU and on other devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import whole_number
from muge_fast._internal.labelled import labelled_kind, plain_items, refuse_labelled_matrix, refuse_other_index

SIMILARITIES = ("ip", "cosine")
"""Values of the option ``metric``: inner product and cosine."""

Exclude = Sequence[Sequence[int] | AbstractSet[int]] | npt.NDArray[np.integer[Any]]
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
        exclude: For each query, the indices of items to exclude: a sequence of sequences or sets, or an integer matrix
            with one row per query. None to exclude nothing.
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
    if exclude is None:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    lists = plain_items(exclude, "exclude", columns=("query_id", "item_ids"))
    if isinstance(lists, Mapping):
        raise TypeError("exclude must be a list for each query in their order, not a mapping or a Series with an index")
    return _flat_lists(lists, queries, items)


def check_array(name: str, array: object) -> None:
    """Raise ``TypeError`` for anything but an array of numbers without labels.

    Args:
        name: Name of the argument, for the error.
        array: The argument.

    Raises:
        TypeError: The argument is a list, a table, or an array with labels or a mask; the message shows what to pass.

    Example:
        >>> from muge_fast.retrieval.top_k_arguments import check_array
        >>> check_array("items", [[1.0, 2.0]])
        Traceback (most recent call last):
        ...
        TypeError: items must be a NumPy array or have __dlpack__, got list; pass np.asarray(items, dtype="float32")

    """
    refuse_labelled_matrix(array, name)
    if isinstance(array, (list, tuple)):
        got = type(array).__name__
        fix = f'pass np.asarray({name}, dtype="float32")'
        raise TypeError(f"{name} must be a NumPy array or have __dlpack__, got {got}; {fix}")


def with_labels(
    matrix: object,
    name: str,
    ids: object,
    ids_name: str,
    *,
    columns: bool = False,
) -> tuple[Any, Any, Any]:
    """Return a matrix as an array, the ids of its rows, and the labels of its columns.

    Args:
        matrix: An array, a DataFrame or a column of vectors.
        name: Name of the matrix, for errors.
        ids: Ids of the rows that were passed; None for none.
        ids_name: Name of the ids, for errors.
        columns: Whether the columns of a DataFrame have ids.

    Returns:
        The array; the ids that were passed, or else the index of a pandas object; and the labels of the columns of a
        DataFrame. None for those that there are not.

    Raises:
        TypeError: An index of several levels, of floats or of booleans.
        ValueError: A row is missing or has another length, or ids are a Series with another index.

    Example:
        >>> from muge_fast.retrieval.top_k_arguments import with_labels
        >>> with_labels([[0.5]], "items", ["a"], "item_ids")
        ([[0.5]], ['a'], None)

    """
    if labelled_kind(matrix) not in ("series", "column", "frame"):
        return matrix, ids, None
    from muge_fast._internal.vectors import labelled_matrix  # noqa: PLC0415 - few callers have tables

    if ids is not None:
        refuse_other_index(matrix, ids, (name, ids_name))
    labelled = labelled_matrix(matrix, name, columns=columns)
    return labelled.matrix, labelled.rows if ids is None else ids, labelled.columns


def dtype_error(name: str, dtypes: Sequence[str], dtype: np.dtype[Any]) -> TypeError:
    """Return the error for an array of another dtype, with how to convert it.

    Args:
        name: Name of the argument.
        dtypes: The dtypes that are allowed.
        dtype: The dtype of the array.

    Returns:
        The error, to be raised.

    Example:
        >>> import numpy as np
        >>> from muge_fast.retrieval.top_k_arguments import dtype_error
        >>> print(dtype_error("items", ("float32", "float16"), np.dtype("float64")))
        items must be float32, float16, got dtype float64; convert it to float32

    """
    fix = "; convert it to float32" if dtype.kind in "fiub" else ""
    return TypeError(f"{name} must be {', '.join(dtypes)}, got dtype {dtype}{fix}")


def _flat_lists(exclude: Any, queries: int, items: int) -> tuple[Indices, Indices]:  # noqa: ANN401 - checked here
    exclude = exclude if hasattr(exclude, "__len__") else list(exclude)
    if len(exclude) != queries:
        raise ValueError(f"exclude has {len(exclude)} lists, but there are {queries} queries")
    lists = [_sorted_indices(query, indices, items) for query, indices in enumerate(exclude)]
    lengths = np.fromiter(map(len, lists), dtype=np.int64, count=queries)
    return np.concatenate([np.empty(0, dtype=np.int64), *lists]), lengths


def _sorted_indices(query: int, indices: npt.ArrayLike | AbstractSet[int], items: int) -> Indices:
    if isinstance(indices, AbstractSet):
        indices = list(indices)
    if isinstance(indices, np.ma.MaskedArray):
        refuse_labelled_matrix(indices, f"exclude[{query}]")
    array = np.asarray(indices)
    if array.ndim != 1:
        raise TypeError(f"exclude[{query}] must be a list of indices, got an array of shape {array.shape}")
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"exclude[{query}] must have integers, got {array.dtype}")
    array = np.sort(array)
    extremes = map(int, array[[0, -1]] if array.size else ())
    outside = next((index for index in extremes if not 0 <= index < items), None)
    if outside is not None:
        hint = "; drop the padding" if outside == -1 else ""
        raise ValueError(f"exclude[{query}] has the index {outside}, needs 0 to {items - 1}{hint}")
    return array.astype(np.int64)
