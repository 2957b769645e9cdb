"""Exact search in the items of a Ray data set, and scores of the rankings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, SupportsIndex

import numpy as np
import ray
from numpy.typing import NDArray

from muge_fast._internal.checks import check_choice
from muge_fast._internal.states import array_of, json_array, json_value, pack, unpack
from muge_fast.integrations.ray.columns import Columns, ColumnWorker, features_of, ids_of
from muge_fast.integrations.ray.passes import Part, Pool, RowError, check_dataset, check_ids, parts
from muge_fast.retrieval import Ranking, TopK, score_retrieval
from muge_fast.retrieval.metric_names import check_ks, check_metrics
from muge_fast.retrieval.search_states import move_search
from muge_fast.retrieval.top_k_arguments import SIMILARITIES, check_k
from muge_fast.retrieval.top_k_embeddings import MAX_K
from muge_fast.scores import Scores


class Queries(NamedTuple):
    """All queries, which each actor has.

    Attributes:
        ids: Their ids.
        features: float32 or float16 of shape ``(queries, dims)``.
        relevant: Relevant items of each; empty without a field of them.

    """

    ids: list[int | str]
    features: NDArray[Any]
    relevant: list[list[int | str]]


class SearchWorker(ColumnWorker):
    """An actor that searches in batches of items.

    Args:
        queries: Reference to the features of all queries.
        fields: Fields of ids and of features.
        k: Number of items to find for each query.
        metric: The similarity.
        threads: Number of threads.

    """

    def __init__(self, queries: ray.ObjectRef, fields: tuple[str, str], k: int, metric: str, threads: int) -> None:
        self.queries = ray.get(queries)
        self.id_field, self.feature_field = fields
        self.k, self.metric, self.threads = k, metric, threads

    def state_of(self, batch: Columns) -> bytes:
        """Return the ids of a batch and the best of its items for each query."""
        ids = ids_of(batch, self.id_field)
        items = _searchable(features_of(batch, self.feature_field), self.feature_field)
        if items.shape[1] != self.queries.shape[1]:
            problem = f"has {items.shape[1]} numbers, queries have {self.queries.shape[1]}"
            raise RowError(0, self.feature_field, problem)
        search = TopK(self.k, metric=self.metric)
        search.update(self.queries, items, 0, threads=self.threads, progress=False)
        best = np.frombuffer(search.to_bytes(), dtype=np.uint8)
        return pack("Items", {"ids": json_array(ids), "best": best})


class QueryWorker(ColumnWorker):
    """An actor that checks queries.

    Args:
        fields: Fields of ids, of features, and of relevant items or None.

    """

    def __init__(self, fields: tuple[str, str, str | None]) -> None:
        self.id_field, self.feature_field, self.relevant_field = fields

    def state_of(self, batch: Columns) -> bytes:
        """Return the ids, features and relevant items of a batch."""
        features = _searchable(features_of(batch, self.feature_field), self.feature_field)
        relevant = [] if self.relevant_field is None else _relevant_of(batch, self.relevant_field)
        ids = ids_of(batch, self.id_field)
        return pack("Queries", {"ids": json_array(ids), "features": features, "relevant": json_array(relevant)})


def top_k(
    queries: ray.data.Dataset,
    items: ray.data.Dataset,
    k: SupportsIndex,
    *,
    metric: str = "ip",
    query_id_field: str = "query_id",
    item_id_field: str = "item_id",
    feature_field: str = "features",
    batch_size: int = 16384,
    actors: int | None = None,
    threads: int = 1,
    actor_options: Mapping[str, Any] | None = None,
) -> Ranking:
    """Find the ``k`` best items of each query, from embeddings in two Ray data sets.

    The search is exact, and has the bits of :func:`muge_fast.top_k` over all items: of items with equal scores, the one
    in the earlier row comes first. Queries must fit in the memory of each actor; items are searched in batches.

    Args:
        queries: Data set with a row for each query.
        items: Data set with a row for each item.
        k: Number of items to find for each query, from 1 to the number of items.
        metric: ``"ip"``, the inner product, or ``"cosine"``.
        query_id_field: Field of ids of queries, integers or strings.
        item_id_field: Field of ids of items, integers or strings.
        feature_field: Field of embeddings in both, float32 or float16.
        batch_size: Items that an actor searches at once. The result does not depend on it.
        actors: Number of actors; None for one for each CPU of the cluster. The result does not depend on it.
        threads: Threads of each actor. The result does not depend on it.
        actor_options: Options of the actors, such as ``{"num_cpus": 1}``. Each reserves half a CPU by default.

    Returns:
        The ranking, with ids.

    Raises:
        TypeError: Not a data set of Ray, or a value or an option has the wrong type.
        ValueError: A field is missing, there are no rows, an id is in two rows, embeddings differ in length or are not
            finite, or an option is out of range. The message names the row and the field.
        ray.exceptions.RayError: A block could not be read or made.

    Warns:
        UserWarning: The actors reserve all CPUs, so that blocks may never be read.

    Example:
        >>> import numpy as np
        >>> import ray
        >>> from muge_fast.integrations.ray import top_k
        >>> vectors = np.eye(3, dtype="float32")
        >>> items = ray.data.from_items([{"item_id": i, "features": vectors[i]} for i in range(3)])  # doctest: +SKIP
        >>> queries = ray.data.from_items([{"query_id": "q", "features": vectors[2]}])  # doctest: +SKIP
        >>> top_k(queries, items, 1).to_dict()  # doctest: +SKIP
        {'q': [2]}

    """
    pool = Pool(actors, threads, actor_options or {})
    asked = _read_queries(queries, (query_id_field, feature_field, None), pool, batch_size)
    fields = item_id_field, feature_field
    return _search(asked, items, k, metric=metric, fields=fields, pool=pool, batch_size=batch_size)


def retrieval(
    queries: ray.data.Dataset,
    items: ray.data.Dataset,
    *,
    ks: int | Sequence[int] = (1, 5, 10),
    metrics: Sequence[str] = ("recall",),
    k: SupportsIndex | None = None,
    metric: str = "cosine",
    query_id_field: str = "query_id",
    item_id_field: str = "item_id",
    feature_field: str = "features",
    relevant_field: str = "item_ids",
    batch_size: int = 16384,
    actors: int | None = None,
    threads: int = 1,
    actor_options: Mapping[str, Any] | None = None,
) -> Scores:
    """Score the retrieval of items by embeddings in two Ray data sets.

    The scores have the bits of :func:`muge_fast.score_retrieval` of :func:`muge_fast.top_k` over all rows.

    Args:
        queries: Data set with a row for each query.
        items: Data set with a row for each item.
        ks: Cutoffs of the metrics.
        metrics: Names of metrics, as for :func:`muge_fast.score_retrieval`.
        k: Number of items to find for each query; None for the largest of ``ks``.
        metric: ``"cosine"``, or ``"ip"``, the inner product.
        query_id_field: Field of ids of queries, integers or strings.
        item_id_field: Field of ids of items, integers or strings.
        feature_field: Field of embeddings in both, float32 or float16.
        relevant_field: Field of lists of the ids of relevant items of a query.
        batch_size: Items that an actor searches at once. The result does not depend on it.
        actors: Number of actors; None for one for each CPU of the cluster. The result does not depend on it.
        threads: Threads of each actor. The result does not depend on it.
        actor_options: Options of the actors, such as ``{"num_cpus": 1}``. Each reserves half a CPU by default.

    Returns:
        The scores, with queries in the order of their rows.

    Raises:
        TypeError: Not a data set of Ray, or a value or an option has the wrong type.
        ValueError: A field is missing, there are no rows, an id is in two rows, a query has no relevant items,
            embeddings differ in length or are not finite, or an option is out of range. The message names the row and
            the field.
        ray.exceptions.RayError: A block could not be read or made.

    Warns:
        UserWarning: The actors reserve all CPUs, so that blocks may never be read.

    Example:
        >>> from muge_fast.integrations.ray import retrieval
        >>> retrieval(ray.data.read_parquet("queries/"), ray.data.read_parquet("items/"))  # doctest: +SKIP
        Scores(5,000 queries, recall@1=0.4340, recall@5=0.7010, recall@10=0.8060, mean_recall=0.6470)

    """
    # Wrong names and cutoffs raise before the search.
    cutoffs = check_ks(ks)
    check_metrics(metrics, cutoffs)
    pool = Pool(actors, threads, actor_options or {})
    asked = _read_queries(queries, (query_id_field, feature_field, relevant_field), pool, batch_size)
    found = _search(
        asked,
        items,
        max(cutoffs) if k is None else k,
        metric=metric,
        fields=(item_id_field, feature_field),
        pool=pool,
        batch_size=batch_size,
    )
    relevant = dict(zip(asked.ids, asked.relevant, strict=True))
    return score_retrieval(found, relevant, ks=ks, metrics=metrics)


def _read_queries(
    dataset: ray.data.Dataset, fields: tuple[str, str, str | None], pool: Pool, batch_size: int
) -> Queries:
    rows = check_dataset("queries", dataset, [field for field in fields if field is not None])
    ids: list[int | str] = []
    features: list[NDArray[Any]] = []
    relevant: list[list[int | str]] = []
    for part in parts("queries", rows, QueryWorker, (fields,), pool, batch_size=batch_size):
        arrays = unpack(part.state, "Queries", dict)
        ids += json_value(arrays, "ids")
        features.append(arrays["features"])
        relevant += json_value(arrays, "relevant")
        _check_width("queries", part, features, fields[1])
    check_ids("queries", ids, fields[0])
    return Queries(ids, np.concatenate(features), relevant)


def _search(
    queries: Queries,
    dataset: ray.data.Dataset,
    k: SupportsIndex,
    *,
    metric: str,
    fields: tuple[str, str],
    pool: Pool,
    batch_size: int,
) -> Ranking:
    """Merge the best items of all batches, as if they had been searched with their row as index."""
    count, similarity = (
        check_k(k, MAX_K, "the most that a search can keep"),
        check_choice("metric", metric, SIMILARITIES),
    )
    rows = check_dataset("items", dataset, fields)
    arguments = (ray.put(queries.features), fields, count, similarity, pool.threads)
    ids: list[int | str] = []
    search = TopK(count, metric=similarity)
    for part in parts("items", rows, SearchWorker, arguments, pool, batch_size=batch_size):
        arrays = unpack(part.state, "Items", dict)
        ids += json_value(arrays, "ids")
        best = array_of(arrays, "best", "|u1", 1).tobytes()
        search.merge(TopK.from_bytes(move_search(best, part.first)))
    check_ids("items", ids, fields[0])
    check_k(count, len(ids), "the number of items")
    return search.compute(query_ids=queries.ids, item_ids=ids)


def _check_width(name: str, part: Part, features: list[NDArray[Any]], field: str) -> None:
    width, first = features[-1].shape[1], features[0].shape[1]
    if width != first:
        raise ValueError(f"{name}, row {part.first}, field {field!r}: has {width} numbers, other rows have {first}")
    if features[-1].dtype != features[0].dtype:
        raise TypeError(
            f"{name}, row {part.first}, field {field!r}: is {features[-1].dtype}, other rows are {features[0].dtype}"
        )


def _searchable(features: NDArray[Any], field: str) -> NDArray[Any]:
    if features.dtype not in (np.float32, np.float16):
        problem = f"is {features.dtype}, needs float32 or float16: convert the field, as with Dataset.map_batches"
        raise RowError(0, field, problem, TypeError)
    return features


def _relevant_of(batch: Columns, field: str) -> list[list[int | str]]:
    return list(_lists_of(batch[field], field))


def _lists_of(column: NDArray[Any], field: str) -> Iterator[list[int | str]]:
    for row, value in enumerate(column):
        items = [value] if isinstance(value, (str, np.integer)) else value
        listed = items.tolist() if isinstance(items, np.ndarray) else items
        if not isinstance(listed, list):
            raise RowError(row, field, f"expected a list of ids, found {type(value).__name__}", TypeError)
        if not listed:
            raise RowError(row, field, "is empty, needs at least one relevant item")
        wrong = next((item for item in listed if type(item) not in (int, str)), None)
        if wrong is not None or None in listed:
            raise RowError(row, field, f"expected ids, integers or str, found {type(wrong).__name__} in it", TypeError)
        yield listed
