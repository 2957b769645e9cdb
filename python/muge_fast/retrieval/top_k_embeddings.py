"""Exact top-k search over embeddings, without the matrix of all similarities."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.checks import check_choice, whole_number
from muge_fast._internal.display import quantity
from muge_fast._internal.dlpack import DLPackArray, as_array, bfloat16_bits
from muge_fast._internal.labelled import labelled_kind
from muge_fast._internal.progress import Progress
from muge_fast.retrieval.ranking import Ranking, RankingIds, attach_ids, check_ids
from muge_fast.retrieval.top_k_arguments import (
    SIMILARITIES,
    Exclude,
    Indices,
    check_array,
    check_k,
    dtype_error,
    excluded_lists,
    with_labels,
)

DTYPES = ("float32", "float16", "bfloat16")

State = tuple[int, str, int, list[int], npt.NDArray[np.float64], Indices, list[tuple[int, int]]]
"""``k``, metric, dimensions, end of each query's scores, scores, indices, and ranges of items."""

MAX_K = 2**48
"""Largest ``k``: more items than fit in any memory."""

MAX_OFFSET = 2**63 - 1
"""The largest index of an item."""


def top_k(
    queries: DLPackArray,
    items: DLPackArray,
    k: SupportsIndex,
    *,
    metric: str = "ip",
    exclude: Exclude | None = None,
    query_ids: Iterable[Any] | None = None,
    item_ids: Iterable[Any] | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> Ranking:
    """Find the ``k`` items with the highest inner product or cosine for each query.

    The search is exact. Scores are computed in double precision, in a fixed order of additions, and items with equal
    scores are ordered by index, so the result has the same bits on every CPU and with any number of threads.
    ``docs/top-k.md`` describes the algorithm.

    Args:
        queries: Embeddings of shape ``(queries, dims)``, float32, float16 or bfloat16: a NumPy array, or any array with
            ``__dlpack__``, such as a torch tensor; a column of vectors of polars, Arrow or Hugging Face datasets; or a
            pandas DataFrame or Series of vectors, whose index has the ids unless it is the default one. Arrays that are
            not in C order are copied. If ``queries`` and ``items`` are torch tensors on a GPU, the search runs there.
        items: Embeddings of shape ``(items, dims)``, in any of these forms and dtypes.
        k: Number of items to find for each query, from 1 to the number of items.
        metric: ``"ip"``, the inner product, or ``"cosine"``, the inner product divided by both Euclidean norms; 0 where
            a norm is 0.
        exclude: For each query, the indices of items that must not be found, in any order: a sequence of sequences, or
            an integer matrix with one row per query. Negative indices do not count from the end. None to exclude
            nothing.
        query_ids: A different id for each query, integers or strings: a list, a one-dimensional array or tensor, or a
            column of pandas, polars, Arrow or Hugging Face datasets. The result has them. None for the index of
            ``queries``, and for no ids if there is none.
        item_ids: A different id for each item, in the same forms.
        threads: Number of threads; None for all cores. The result does not depend on it. Ignored on a GPU.
        progress: Whether to show a progress bar. None shows one on a terminal if the search takes longer than a second.

    Returns:
        A :class:`Ranking` of ``scores``, float64, and ``indices``, int64, both of shape ``(queries, k)``, best first:
        NumPy arrays, or torch tensors on the device of the arguments if that is a GPU. With ids it has ``ids``, the
        matrix of item ids, and ``to_dict()``, the item ids by query id.

    Raises:
        ValueError: Shapes do not match, a number is not finite (the message has its row and column), ``metric`` is
            unknown, ``k`` is below 1 or above the number of items that a query may find, ``exclude`` has another number
            of lists than there are queries or an index that no item has, there is another number of ids than of queries
            or items, an id occurs twice or is missing, ids are a Series whose index is not that of the embeddings, or
            ``threads`` is below 1.
        TypeError: ``queries`` or ``items`` is not an array or has an unsupported dtype, they are on different devices,
            ``k`` or an index in ``exclude`` is not an integer, or ids are neither all integers nor all strings.

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
        >>> mf.top_k(queries, items, 2, query_ids=[8426, 8427], item_ids=["a", "b", "c"]).to_dict()
        {8426: ['a', 'c'], 8427: ['b', 'a']}

    """
    if labelled_kind(queries) == labelled_kind(items) == "frame":
        from muge_fast._internal.vectors import refuse_other_columns  # noqa: PLC0415 - few callers have tables

        refuse_other_columns(queries, items, ("queries", "items"))
    queries, query_ids, _ = with_labels(queries, "queries", query_ids, "query_ids")
    items, item_ids, _ = with_labels(items, "items", item_ids, "item_ids")
    if _is_on_gpu(queries) or _is_on_gpu(items):
        from muge_fast.retrieval import top_k_torch  # noqa: PLC0415 - it needs torch

        ids = check_ids(query_ids, item_ids, _row_count(queries), _row_count(items))
        ranking = top_k_torch.top_k(queries, items, k, metric=metric, exclude=exclude, progress=progress)
        return attach_ids(ranking, ids)
    left, right = _embeddings("queries", queries), _embeddings("items", items)
    count = check_k(k, len(right), "the number of items")
    ids = check_ids(query_ids, item_ids, len(left), len(right))
    search = _core.TopK(count, check_choice("metric", metric, SIMILARITIES))
    excluded = excluded_lists(exclude, len(left), len(right))
    _update(search, left, right, 0, excluded, threads=threads, progress=progress)
    return attach_ids(Ranking(*search.best()), ids)


class TopK:
    """A top-k search over items that arrive in batches.

    Batches may come in any order, and searches over different items can be merged. The result equals :func:`top_k` over
    all items, bit for bit. A search can be copied and pickled at any time. Threads may share one: a call waits until
    the one before it has ended.

    Args:
        k: Number of items to find for each query, from 1 to 2**48.
        metric: ``"ip"``, the inner product, or ``"cosine"``, the inner product divided by both Euclidean norms; 0 where
            a norm is 0.

    Raises:
        ValueError: ``k`` is below 1 or above 2**48, or ``metric`` is unknown.
        TypeError: ``k`` is not an integer.

    Example:
        >>> import numpy as np
        >>> import muge_fast as mf
        >>> queries, items = np.eye(2, dtype="float32"), np.arange(12, dtype="float32").reshape(6, 2)
        >>> first, second = mf.TopK(2), mf.TopK(2)
        >>> for start in (0, 2):
        ...     first.update(queries, items[start : start + 2], start)
        >>> second.update(queries, items[4:], 4)
        >>> first.merge(second)
        >>> first.compute().indices.tolist()
        [[5, 4], [5, 4]]

    """

    def __init__(self, k: SupportsIndex, *, metric: str = "ip") -> None:
        self._k = check_k(k, MAX_K, "the most that a search can keep")
        self._metric = check_choice("metric", metric, SIMILARITIES)
        self._search = _core.TopK(self._k, self._metric)
        # Reentrant, so that a call from a signal handler is an error of the core and does not wait for itself.
        self._lock = threading.RLock()

    def update(
        self,
        queries: DLPackArray,
        items: DLPackArray,
        offset: SupportsIndex,
        *,
        exclude: Exclude | None = None,
        threads: int | None = None,
        progress: bool | None = None,
    ) -> None:
        """Add a batch of items to the search.

        After an error or an interrupt the search is as it was before the call.

        Args:
            queries: Embeddings of shape ``(queries, dims)``, float32, float16 or bfloat16, on the CPU: a NumPy array,
                or any array with ``__dlpack__``. They must be the same at every call; only their shape is checked.
            items: The batch, of shape ``(items, dims)``. It may have fewer than ``k`` items, or none.
            offset: Index of the first item of the batch among all items.
            exclude: For each query, the indices of items that must not be found, among all items: a sequence of
                sequences, or an integer matrix with one row per query. Indices outside the batch are allowed and have
                no effect on this call. None to exclude nothing.
            threads: Number of threads; None for all cores. The result does not depend on it.
            progress: Whether to show a progress bar. None shows one on a terminal if the call takes longer than a
                second.

        Raises:
            ValueError: Shapes do not match, ``queries`` has a different shape than before, a number is not finite,
                items with these indices were added before, ``offset`` is negative or too large, ``exclude`` has another
                number of lists than there are queries or a negative index, or ``threads`` is below 1.
            TypeError: ``queries`` or ``items`` is not an array or has an unsupported dtype, or ``offset`` or an index
                in ``exclude`` is not an integer.

        Example:
            >>> import numpy as np
            >>> import muge_fast as mf
            >>> search = mf.TopK(1, metric="cosine")
            >>> search.update(np.ones((1, 2), "float32"), np.eye(2, dtype="float32"), offset=40)
            >>> search.compute().indices.tolist()
            [[40]]

        """
        left, right = _embeddings("queries", queries), _embeddings("items", items)
        first = whole_number("offset", offset, 0)
        if first > MAX_OFFSET:
            raise ValueError(f"offset must be at most {MAX_OFFSET}, got {first}")
        # The total number of items is not known yet, so any index is allowed.
        excluded = excluded_lists(exclude, len(left), MAX_OFFSET + 1)
        with self._lock:
            _update(self._search, left, right, first, excluded, threads=threads, progress=progress)

    def merge(self, other: TopK) -> None:
        """Add the items of another search for the same queries.

        Args:
            other: A search with the same ``k``, metric and queries, over other items. It is not changed.

        Raises:
            ValueError: ``other`` has a different ``k``, metric or shape of queries, has items that this search has too,
                or is this search.
            TypeError: ``other`` is not a :class:`TopK`.

        Example:
            >>> import numpy as np
            >>> import muge_fast as mf
            >>> first, second = mf.TopK(1), mf.TopK(1)
            >>> second.update(np.ones((1, 2), "float32"), np.eye(2, dtype="float32"), 0)
            >>> first.merge(second)
            >>> first.compute().indices.tolist()
            [[0]]

        """
        if not isinstance(other, TopK):
            raise TypeError(f"other must be a TopK, got {type(other).__name__}")
        if other is self:
            raise ValueError("other is this search, whose items would count twice")
        with _locked(self, other):
            self._search.merge(other._search)

    def compute(self, *, query_ids: Iterable[Any] | None = None, item_ids: Iterable[Any] | None = None) -> Ranking:
        """Return the best of all items added so far.

        Args:
            query_ids: A different id for each query, integers or strings: a list, a one-dimensional array or tensor, or
                a column of pandas, polars or Arrow. The result has them. None for no ids.
            item_ids: A different id for each item by its index, in the same forms: the first id is that of the item
                with index 0, the last one that of the item with the highest index added.

        Returns:
            A :class:`Ranking` of ``scores``, float64, and ``indices``, int64, both of shape ``(queries, k)``, best
            first. Of items with equal scores the lower index comes first.

        Raises:
            ValueError: Fewer than ``k`` items that are not excluded were added for a query, there is another number of
                ids than of queries or items, or an id occurs twice or is missing.
            TypeError: Ids are neither all integers nor all strings.

        Example:
            >>> import numpy as np
            >>> import muge_fast as mf
            >>> search = mf.TopK(1)
            >>> search.update(np.ones((1, 2), "float32"), np.eye(2, dtype="float32"), 0)
            >>> search.compute().indices.tolist()
            [[0]]
            >>> search.compute(item_ids=["a", "b"]).ids.tolist()
            [['a']]

        """
        ids = RankingIds(None, None)
        with self._lock:
            if query_ids is not None or item_ids is not None:
                # The ends of the ranges of items; the state is copied, so not without need.
                ends = [end for _, end in self._search.state()[-1]]
                ids = check_ids(query_ids, item_ids, self._search.queries, max(ends, default=0))
            best = self._search.best()
        return attach_ids(Ranking(*best), ids)

    def to_bytes(self) -> bytes:
        """Return the search as bytes, which :meth:`from_bytes` reads on any machine.

        Returns:
            An ``.npz`` archive.

        Example:
            >>> import muge_fast as mf
            >>> mf.TopK.from_bytes(mf.TopK(3).to_bytes())
            <TopK of 0 items for 0 queries>

        """
        from muge_fast.retrieval.search_states import pack_search  # noqa: PLC0415 - few searches are saved

        with self._lock:
            return pack_search(self._search.state())

    @classmethod
    def from_bytes(cls, data: bytes) -> TopK:
        """Return the search of :meth:`to_bytes`; bytes of any origin are safe.

        Args:
            data: The bytes.

        Returns:
            The search, which goes on where it was.

        Raises:
            TypeError: ``data`` is not bytes.
            ValueError: The bytes are damaged, or are not a search.

        Example:
            >>> import numpy as np
            >>> import muge_fast as mf
            >>> search = mf.TopK(1)
            >>> search.update(np.ones((1, 2), "float32"), np.eye(2, dtype="float32"), 0)
            >>> mf.TopK.from_bytes(search.to_bytes()).compute().indices.tolist()
            [[0]]

        """
        from muge_fast._internal.states import unpack  # noqa: PLC0415 - few searches are saved
        from muge_fast.retrieval.search_states import unpack_search  # noqa: PLC0415 - few searches are saved

        return unpack(data, "TopK", lambda arrays: _restore(unpack_search(arrays)))

    def reset(self) -> None:
        """Forget all items and queries, so that the search can be used again with the same options.

        Example:
            >>> import numpy as np
            >>> import muge_fast as mf
            >>> search = mf.TopK(1)
            >>> search.update(np.ones((1, 2), "float32"), np.eye(2, dtype="float32"), 0)
            >>> search.reset()
            >>> search
            <TopK of 0 items for 0 queries>

        """
        with self._lock:
            self._search = _core.TopK(self._k, self._metric)

    def __reduce__(self) -> tuple[Any, ...]:
        with self._lock:
            return _restore, (self._search.state(),)

    def __repr__(self) -> str:
        with self._lock:
            items, queries = quantity(self._search.items, "item"), quantity(self._search.queries, "query")
            return f"<TopK of {items} for {queries}>"


@contextmanager
def _locked(*searches: TopK) -> Iterator[None]:
    """Wait until no other thread uses any of the searches, in one order: two calls must not wait for each other."""
    with ExitStack() as stack:
        for search in sorted(searches, key=id):
            stack.enter_context(search._lock)  # noqa: SLF001
        yield


def _restore(state: State) -> TopK:
    """Return a search in a pickled state; a function of the module, so that pickle finds it."""
    k, metric = state[:2]
    search = TopK(k, metric=metric)
    search._search = _core.TopK.from_state(*state)  # noqa: SLF001
    return search


def _update(
    search: _core.TopK,
    queries: npt.NDArray[Any],
    items: npt.NDArray[Any],
    offset: int,
    excluded: tuple[Indices, Indices],
    *,
    threads: int | None,
    progress: bool | None,
) -> None:
    with Progress(len(queries), "query", progress) as bar:
        search.update(queries, items, offset, *excluded, threads, bar.callback)


def _row_count(array: object) -> int | None:
    """Return the number of rows; None for an object without a shape, which the search refuses."""
    shape: tuple[int, ...] = getattr(array, "shape", ())
    return int(shape[0]) if len(shape) else None


def _is_on_gpu(array: object) -> bool:
    return bool(getattr(array, "is_cuda", False))


def _embeddings(name: str, array: object) -> npt.NDArray[Any]:
    """Return an aligned matrix in C order, of float32, float16, or the bits of bfloat16 as uint16."""
    if labelled_kind(array) in ("series", "column"):
        from muge_fast._internal.vectors import vectors_of_column  # noqa: PLC0415 - few callers have columns of vectors

        array = vectors_of_column(array, name)
    check_array(name, array)
    bits = bfloat16_bits(array)
    matrix = as_array(name, array if bits is None else bits, DTYPES)
    if matrix.ndim != 2:  # noqa: PLR2004
        raise ValueError(f"{name} must have two dimensions, ({name}, dims), got shape {matrix.shape}")
    if bits is not None:
        matrix = matrix.view(np.uint16)
    elif matrix.dtype not in DTYPES[:2] or not matrix.dtype.isnative:
        raise dtype_error(name, DTYPES, matrix.dtype)
    return np.require(matrix, requirements=["C", "A"])
