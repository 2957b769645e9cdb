"""The best items of each query from embeddings, without the matrix of similarities."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.dlpack import as_array, bfloat16_bits
from muge_fast._internal.progress import Progress
from muge_fast.retrieval.ranking import Ranking

DTYPES = ("float32", "float16", "bfloat16")
METRICS = ("ip", "cosine")
# More items than any memory holds.
MAX_K = 2**48
# Indices of items are below this.
END = 2**63

Exclude = Sequence[Sequence[int]] | npt.NDArray[Any]
Indices = npt.NDArray[np.int64]


def top_k(
    queries: Any,  # noqa: ANN401 - any array
    items: Any,  # noqa: ANN401 - any array
    k: SupportsIndex,
    *,
    metric: str = "ip",
    exclude: Exclude | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> Ranking:
    """Find the ``k`` best items of each query, by inner product or cosine.

    The ranking is exact: items are ordered by scores in double precision, computed from the given numbers in a defined
    order of additions; of equal scores the lower index comes first. Every CPU, thread count and block size gives the
    same bits. How this is faster than a matrix product in single precision is told in ``docs/top-k.md``.

    Args:
        queries: Embeddings of shape ``(queries, dims)``, float32, float16 or bfloat16: a NumPy array, or anything with
            ``__dlpack__``, such as a torch tensor. Rows that do not lie one after the other are copied. With tensors on
            a GPU the search runs there.
        items: Embeddings of shape ``(items, dims)``, of the same or another of these dtypes.
        k: How many items for each query, 1 to the number of items.
        metric: ``"ip"``, the inner product, or ``"cosine"``, the inner product divided by both lengths, 0 where a
            vector is zero.
        exclude: For each query, the indices of items that it must not find, in any order: a sequence of sequences, or
            an integer matrix with one row for each query. None for no exclusions. An index is a row number of
            ``items``; a negative one does not count from the end.
        threads: Number of threads; None for all cores. The result does not depend on it.
        progress: Whether to show a progress bar; None for on a terminal, when the search takes longer than a second.

    Returns:
        A :class:`Ranking` of ``scores``, float64, and ``indices``, int64, both of shape ``(queries, k)``.

    Raises:
        ValueError: Shapes that do not fit, a number that is not finite (with its row and column), an unknown metric,
            ``k`` that is not within the items that a query may find, or an index in ``exclude`` that no item has.
        TypeError: Something that is no array, another dtype, or an index in ``exclude`` that is no integer.

    Example:
        >>> import numpy as np
        >>> import muge_fast as mf
        >>> queries = np.array([[1, 0], [1, 1]], dtype="float32")
        >>> items = np.array([[2, 0], [0, 3], [1, 1]], dtype="float32")
        >>> mf.top_k(queries, items, 2).indices.tolist()
        [[0, 2], [1, 0]]
        >>> mf.top_k(queries, items, 1, metric="cosine").scores.round(6).tolist()
        [[1.0], [1.0]]
        >>> mf.top_k(queries, items, 1, exclude=[[0], []]).indices.tolist()
        [[2], [1]]

    """
    if _on_gpu(queries) or _on_gpu(items):
        from muge_fast.retrieval import top_k_torch  # noqa: PLC0415 - only whoever has torch needs it

        return top_k_torch.top_k(queries, items, k, metric=metric, exclude=exclude, progress=progress)
    left, right = _embeddings("queries", queries), _embeddings("items", items)
    count = operator.index(k)
    if not 1 <= count <= len(right):
        raise ValueError(f"k is {count}, needs 1 to {len(right)}, the number of items")
    best = _core.TopK(count, metric)
    indices = excluded_lists(exclude, len(left), len(right))
    _show(best, left, right, 0, indices, threads=threads, progress=progress)
    return Ranking(*best.best())


class TopK:
    """The ``k`` best items of each query, from items that come in blocks.

    Blocks may come in any order, and parts that were searched elsewhere can be merged: the result is that of
    :func:`top_k` over all items. A search can be copied and pickled, with all that it has seen.

    Args:
        k: How many items for each query.
        metric: ``"ip"`` or ``"cosine"``, as for :func:`top_k`.

    Raises:
        ValueError: ``k`` below 1 or above 2**48, or an unknown metric.

    Example:
        >>> import numpy as np
        >>> import muge_fast as mf
        >>> queries, items = np.eye(2, dtype="float32"), np.arange(12, dtype="float32").reshape(6, 2)
        >>> first, second = mf.TopK(2), mf.TopK(2)
        >>> for start in (0, 2):
        ...     first.update(queries, items[start : start + 2], start)
        >>> second.update(queries, items[4:], 4)
        >>> first.merge(second)
        >>> first.result().indices.tolist()
        [[5, 4], [5, 4]]

    """

    def __init__(self, k: SupportsIndex, *, metric: str = "ip") -> None:
        count = operator.index(k)
        if not 1 <= count <= MAX_K:
            raise ValueError(f"k is {count}, needs at least 1 and at most {MAX_K}")
        self._best = _core.TopK(count, metric)

    def update(
        self,
        queries: Any,  # noqa: ANN401 - any array
        items: Any,  # noqa: ANN401 - any array
        offset: SupportsIndex,
        *,
        exclude: Exclude | None = None,
        threads: int | None = None,
        progress: bool | None = None,
    ) -> None:
        """Show a block of items to all queries.

        After an error or an interrupt it is as if the block had not been shown.

        Args:
            queries: As for :func:`top_k`; the same at every call.
            items: The block, of shape ``(items, dims)``; it may have fewer than ``k`` items, or none.
            offset: Index of the first item of the block among all items.
            exclude: As for :func:`top_k`, by indices among all items; those of items that are never shown exclude
                nothing.
            threads: As for :func:`top_k`.
            progress: As for :func:`top_k`.

        Raises:
            ValueError: As for :func:`top_k`; queries of another shape than before; items that were shown before.
            TypeError: As for :func:`top_k`.

        Example:
            >>> import numpy as np
            >>> import muge_fast as mf
            >>> best = mf.TopK(1, metric="cosine")
            >>> best.update(np.ones((1, 2), "float32"), np.eye(2, dtype="float32"), offset=40)
            >>> best.result().indices.tolist()
            [[40]]

        """
        left, right = _embeddings("queries", queries), _embeddings("items", items)
        first = operator.index(offset)
        if not 0 <= first < END:
            raise ValueError(f"offset: is {first}, needs 0 or more and room for the items")
        # How many items there will be is not known yet.
        indices = excluded_lists(exclude, len(left), END)
        _show(self._best, left, right, first, indices, threads=threads, progress=progress)

    def merge(self, other: TopK) -> None:
        """Take over what another search has found for the same queries among other items.

        Args:
            other: The other search; it stays as it is.

        Raises:
            ValueError: Another ``k``, metric or shape of queries, or items that both have seen.
            TypeError: Something else than a :class:`TopK`.

        Example:
            >>> import numpy as np
            >>> import muge_fast as mf
            >>> one, other = mf.TopK(1), mf.TopK(1)
            >>> other.update(np.ones((1, 2), "float32"), np.eye(2, dtype="float32"), 0)
            >>> one.merge(other)
            >>> one.result().indices.tolist()
            [[0]]

        """
        if not isinstance(other, TopK):
            raise TypeError(f"other: expected a TopK, found {type(other).__name__}")
        if other is self:
            raise ValueError("other: a search cannot be merged with itself")
        self._best.merge(other._best)

    def result(self) -> Ranking:
        """Give the best of all items that were shown.

        Returns:
            As :func:`top_k`.

        Raises:
            ValueError: A query has seen fewer than ``k`` items that it may find.

        Example:
            >>> import muge_fast as mf
            >>> mf.TopK(3).result().indices.shape
            (0, 3)

        """
        return Ranking(*self._best.best())

    def __reduce__(self) -> tuple[Any, ...]:
        return self._from_state, self._best.state()

    @classmethod
    def _from_state(cls, *state: Any) -> TopK:  # noqa: ANN401 - the parts that the core gives
        made = cls.__new__(cls)
        made._best = _core.TopK.from_state(*state)  # noqa: SLF001 - our own
        return made

    def __repr__(self) -> str:
        """Name what it has seen."""
        return f"<TopK of {self._best.items} items for {self._best.queries} queries>"


def excluded_lists(exclude: Exclude | None, queries: int, items: int) -> tuple[Indices, Indices]:
    """Lay the lists of ``exclude`` end to end, each sorted.

    Args:
        exclude: As for :func:`top_k`.
        queries: Number of queries.
        items: Number of items.

    Returns:
        All indices, and the length of each list; both empty for None.

    Raises:
        ValueError: Another number of lists than queries, or an index that no item has.
        TypeError: A list that is none, or holds something else than integers.

    Example:
        >>> from muge_fast.retrieval.top_k_embeddings import excluded_lists
        >>> [part.tolist() for part in excluded_lists([[7, 3], []], 2, 10)]
        [[3, 7], [2, 0]]

    """
    none = np.empty(0, dtype=np.int64)
    if exclude is None:
        return none, none
    if len(exclude) != queries:
        raise ValueError(f"exclude has {len(exclude)} lists but queries has {queries} rows")
    lists = [_indices(row, indices, items) for row, indices in enumerate(exclude)]
    lengths = np.fromiter(map(len, lists), dtype=np.int64, count=queries)
    return np.concatenate([none, *lists]), lengths


def _show(
    best: _core.TopK,
    queries: npt.NDArray[Any],
    items: npt.NDArray[Any],
    offset: int,
    exclude: tuple[Indices, Indices],
    *,
    threads: int | None,
    progress: bool | None,
) -> None:
    with Progress(len(queries), "query", progress) as bar:
        best.update(queries, items, offset, *exclude, threads, bar.callback)


def _on_gpu(array: object) -> bool:
    return bool(getattr(array, "is_cuda", False))


def _embeddings(name: str, array: Any) -> npt.NDArray[Any]:  # noqa: ANN401 - any array
    """A matrix in C order of float32, float16, or the bits of bfloat16 as uint16."""
    bits = bfloat16_bits(array)
    matrix = as_array(name, array if bits is None else bits, DTYPES)
    if matrix.ndim != 2:  # noqa: PLR2004
        raise ValueError(f"{name} has shape {matrix.shape}, needs two dimensions, ({name}, dims)")
    if bits is not None:
        matrix = matrix.view("uint16")
    elif matrix.dtype not in DTYPES[:2] or not matrix.dtype.isnative:
        raise TypeError(f"{name} has dtype {matrix.dtype}, needs one of {', '.join(DTYPES)}")
    return np.require(matrix, requirements=["C", "A"])


def _indices(row: int, indices: Any, items: int) -> Indices:  # noqa: ANN401
    """The indices of one list, sorted."""
    found = np.asarray(indices)
    if found.ndim != 1:
        raise TypeError(f"exclude[{row}]: expected a list of indices, found shape {found.shape}")
    if found.size and found.dtype.kind not in "iu":
        raise TypeError(f"exclude[{row}]: expected integers, found {found.dtype}")
    found = np.sort(found)
    wrong = [index for index in map(int, found[[0, -1]] if found.size else ()) if not 0 <= index < items]
    if wrong:
        raise ValueError(f"exclude[{row}] has the index {wrong[0]}, needs 0 to {items - 1}")
    return found.astype(np.int64)
