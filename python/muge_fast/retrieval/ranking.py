"""The result of a top-k search, and the instruction set that searches use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.ids import IdArray, unique_ids

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class _Arrays(NamedTuple):
    """The fields of a ranking."""

    scores: npt.NDArray[Any]
    indices: npt.NDArray[np.int64]


class Ranking(_Arrays):
    """The best items of each query, best first.

    A named tuple of ``scores`` and ``indices``, which may have the ids of queries and items too.

    Attributes:
        scores: Scores of shape ``(queries, k)``, in descending order, NaN last. A torch tensor if the search ran on a
            GPU, a NumPy array otherwise.
        indices: Indices of the items, int64 of the same shape. Of items with equal scores the lower index comes first.
        query_ids: The id of each query, an array of int64, or of ``str`` with dtype object; None for queries without
            ids.
        item_ids: The id of each item that was searched, by its index; None for items without ids.

    Raises:
        ValueError: Another number of ids than queries, fewer item ids than indices need, an id occurs twice or is
            missing, or, if there are item ids, an index is negative.
        TypeError: Ids are neither all integers nor all strings.

    Example:
        >>> import numpy as np
        >>> import muge_fast as mf
        >>> ranking = mf.Ranking(scores=np.array([[0.9, 0.2]]), indices=np.array([[4, 0]]))
        >>> ranking.indices[0].tolist()
        [4, 0]
        >>> ranking.with_ids(query_ids=[8426], item_ids=["a", "b", "c", "d", "e"]).to_dict()
        {8426: ['e', 'a']}

    """

    query_ids: IdArray | None = None
    item_ids: IdArray | None = None

    def __new__(  # noqa: D102, PYI034 - the class documents it; Python 3.10 has no Self
        cls,
        scores: npt.NDArray[Any],
        indices: npt.NDArray[np.int64],
        *,
        query_ids: Iterable[Any] | None = None,
        item_ids: Iterable[Any] | None = None,
    ) -> Ranking:
        ranking = super().__new__(cls, scores, indices)
        return ranking if query_ids is item_ids is None else ranking.with_ids(query_ids=query_ids, item_ids=item_ids)

    def with_ids(self, *, query_ids: Iterable[Any] | None = None, item_ids: Iterable[Any] | None = None) -> Ranking:
        """Return the ranking with ids of its queries, of its items, or of both.

        Args:
            query_ids: A different id for each query, integers or strings: a list, a one-dimensional array or tensor, or
                a column of pandas, polars or Arrow. None keeps the ids that the ranking has.
            item_ids: A different id for each item that was searched, in the order of the items. None keeps the ids that
                the ranking has.

        Returns:
            A ranking with the same scores and indices.

        Raises:
            ValueError: Another number of ids than queries, fewer item ids than indices need, an id occurs twice or is
                missing, or an index is negative.
            TypeError: Ids are neither all integers nor all strings.

        Example:
            >>> import numpy as np
            >>> import muge_fast as mf
            >>> ranking = mf.top_k_of(np.array([[0.1, 0.9, 0.5]]), 2).with_ids(item_ids=[30, 10, 20])
            >>> ranking.ids.tolist()
            [[10, 20]]

        """
        ids = check_ids(query_ids, item_ids, len(self.indices), None)
        if ids.item_ids is not None:
            _check_indices(self.indices, len(ids.item_ids))
        query_array = self.query_ids if ids.query_ids is None else ids.query_ids
        item_array = self.item_ids if ids.item_ids is None else ids.item_ids
        return attach_ids(self, RankingIds(query_array, item_array))

    @property
    def ids(self) -> IdArray:
        """Ids of the items, of the shape of ``indices``; int64, or ``str`` with dtype object, on the CPU."""
        if self.item_ids is None:
            raise ValueError("the ranking has no ids of items; ranking.with_ids(item_ids=…) adds them")
        ids: IdArray = self.item_ids[_on_cpu(self.indices)]
        return ids

    def to_dict(self) -> dict[Any, list[Any]]:
        """Return the ids of the best items of each query, best first.

        Returns:
            A list of item ids by query id, in the order of the queries. :func:`muge_fast.score_retrieval` and
            :func:`muge_fast.write_queries` take it.

        Raises:
            ValueError: The ranking has no ids of queries or of items.

        Example:
            >>> import numpy as np
            >>> import muge_fast as mf
            >>> queries, items = np.eye(2, dtype="float32"), np.eye(2, dtype="float32")
            >>> mf.top_k(queries, items, 1, query_ids=["a", "b"], item_ids=[7, 8]).to_dict()
            {'a': [7], 'b': [8]}

        """
        if self.query_ids is None:
            raise ValueError("the ranking has no ids of queries; ranking.with_ids(query_ids=…) adds them")
        return dict(zip(self.query_ids.tolist(), self.ids.tolist(), strict=True))

    def to_pandas(self) -> pd.DataFrame:
        """Return the best items as a pandas DataFrame with a row for each query and item.

        Returns:
            The columns ``"query_id"``, ``"rank"`` from 1, ``"item_id"`` and ``"score"``, in the order of queries and
            ranks. Queries and items without ids have their indices. :func:`muge_fast.score_retrieval` takes the frame.

        Raises:
            ImportError: pandas is not installed.

        Example:
            >>> import numpy as np
            >>> import muge_fast as mf
            >>> ranking = mf.top_k_of(np.array([[0.25, 0.5]]), 2, query_ids=["q"], item_ids=["a", "b"])
            >>> ranking.to_pandas().values.tolist()  # doctest: +SKIP
            [['q', 1, 'b', 0.5], ['q', 2, 'a', 0.25]]

        """
        from muge_fast._internal.output_tables import pandas_frame  # noqa: PLC0415 - few results become tables

        return pandas_frame(self._columns())

    def to_arrow(self) -> pa.Table:
        """Return the best items as a table of Arrow, with the rows and columns of :meth:`to_pandas`.

        Returns:
            The table.

        Raises:
            ImportError: pyarrow, the extra ``arrow``, is not installed.

        Example:
            >>> import numpy as np
            >>> import muge_fast as mf
            >>> mf.top_k_of(np.array([[0.25, 0.5]]), 1).to_arrow().to_pylist()  # doctest: +SKIP
            [{'query_id': 0, 'rank': 1, 'item_id': 1, 'score': 0.5}]

        """
        from muge_fast._internal.output_tables import arrow_table  # noqa: PLC0415 - few results become tables

        return arrow_table(self._columns())

    def _columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of the table of all queries and items."""
        indices, scores = _on_cpu(self.indices), _on_cpu(self.scores)
        queries = np.arange(len(indices)) if self.query_ids is None else self.query_ids
        k = indices.shape[1]
        return {
            "query_id": np.repeat(queries, k),
            "rank": np.tile(np.arange(1, k + 1), len(indices)),
            "item_id": (indices if self.item_ids is None else self.item_ids[indices]).ravel(),
            "score": scores.ravel(),
        }

    def _replace(self, **fields: Any) -> Ranking:  # noqa: ANN401 - as NamedTuple has it
        return attach_ids(super()._replace(**fields), RankingIds(self.query_ids, self.item_ids))


class RankingIds(NamedTuple):
    """Ids of a ranking, checked.

    Attributes:
        query_ids: The id of each query, or None.
        item_ids: The id of each item that was searched, or None.

    Example:
        >>> from muge_fast.retrieval.ranking import RankingIds
        >>> RankingIds(None, None).item_ids is None
        True

    """

    query_ids: IdArray | None
    item_ids: IdArray | None


def check_ids(
    query_ids: Iterable[Any] | None, item_ids: Iterable[Any] | None, queries: int | None, items: int | None
) -> RankingIds:
    """Return the arguments ``query_ids`` and ``item_ids`` of a search as arrays.

    Args:
        query_ids: The argument, or None.
        item_ids: The argument, or None.
        queries: Number of queries; None if unknown.
        items: Number of items; None if unknown.

    Returns:
        The ids.

    Raises:
        ValueError: A wrong number of ids, or an id occurs twice or is missing.
        TypeError: Ids are neither all integers nor all strings.

    Example:
        >>> from muge_fast.retrieval.ranking import check_ids
        >>> check_ids(None, [7, 8], 1, 2).item_ids
        array([7, 8])

    """
    return RankingIds(
        None if query_ids is None else unique_ids(query_ids, "query_ids", queries, "queries"),
        None if item_ids is None else unique_ids(item_ids, "item_ids", items, "items"),
    )


def attach_ids(ranking: Ranking, ids: RankingIds) -> Ranking:
    """Return a ranking with ids that were checked.

    Args:
        ranking: The ranking.
        ids: Ids that fit the ranking.

    Returns:
        The ranking itself if there are no ids.

    Example:
        >>> import numpy as np
        >>> from muge_fast.retrieval.ranking import Ranking, attach_ids, check_ids
        >>> ranking = Ranking(np.array([[0.5]]), np.array([[1]]))
        >>> attach_ids(ranking, check_ids(None, [7, 8], 1, 2)).ids.tolist()
        [[8]]

    """
    if ids.query_ids is ids.item_ids is None:
        return ranking
    labelled = Ranking(ranking.scores, ranking.indices)
    labelled.query_ids, labelled.item_ids = ids
    return labelled


def ranked_items(ranking: Ranking) -> dict[Any, list[Any]] | list[list[Any]] | npt.NDArray[np.int64]:
    """Return the items of each query as predictions: by id if queries have ids, and as ids if items have some.

    Args:
        ranking: The ranking.

    Returns:
        A list of items by query id, or without query ids a row of items for each query. Items without ids are indices.

    Example:
        >>> import numpy as np
        >>> from muge_fast.retrieval.ranking import Ranking, ranked_items
        >>> ranked_items(Ranking(np.array([[0.5]]), np.array([[1]]), query_ids=["a"]))
        {'a': [1]}

    """
    if ranking.query_ids is ranking.item_ids is None:
        return ranking.indices
    if ranking.item_ids is None:
        _check_indices(ranking.indices, None)
    items: list[list[Any]] = (ranking.indices if ranking.item_ids is None else ranking.ids).tolist()
    return items if ranking.query_ids is None else dict(zip(ranking.query_ids.tolist(), items, strict=True))


def cpu_level() -> str:
    """Return the name of the vector instructions that top-k searches use on this CPU.

    Results do not depend on it. It is for bug reports and benchmarks.

    Returns:
        ``"portable"``, ``"avx2"``, ``"avx-vnni"``, ``"avx512bw"``, ``"avx512-vnni"``, ``"neon"`` or
        ``"neon-dotprod"``: the fastest level that the CPU supports, or the one that the environment variable
        ``MUGE_FAST_CPU`` names.

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


def _check_indices(indices: npt.NDArray[np.int64], items: int | None) -> None:
    """Raise ``ValueError`` for the first index that no item has, of a known or unknown number of items."""
    on_cpu = _on_cpu(indices)
    if on_cpu.ndim != 2:  # noqa: PLR2004
        raise ValueError(f"indices have shape {on_cpu.shape}, need (queries, k) if the ranking has ids")
    outside = on_cpu < 0 if items is None else (on_cpu < 0) | (on_cpu >= items)
    if not outside.any():
        return
    row, column = np.argwhere(outside)[0]
    index = on_cpu[row, column]
    if index >= 0:
        raise ValueError(f"item_ids has {items} ids, but indices[{row}, {column}] is {index}")
    raise ValueError(
        f"indices[{row}, {column}] is {index}, not the index of an item; faiss pads with -1 where it finds fewer "
        "than k items. Drop it: {query: item_ids[row[row >= 0]] for query, row in zip(query_ids, indices)}"
    )


def _on_cpu(array: object) -> npt.NDArray[Any]:
    return np.asarray(array.cpu() if hasattr(array, "cpu") else array)
