"""The relevant items of each query, from every form of references."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast._internal.display import format_argument, format_id
from muge_fast._internal.labelled import missing_hint, plain_ids
from muge_fast.retrieval.item_lists import ItemLists, is_number, label, number_of_array, row_with_nan, to_numpy
from muge_fast.retrieval.ranked_lists import plain_rankings
from muge_fast.text.tokenizers import as_list

LIST_AS_TEXT = re.compile(r"[\s,;\[\](){}|]")
"""Characters that separate items in a text or enclose a list."""

LARGEST_GAIN = 1e9
"""Largest gain of a judgement; sums of such gains are exact enough in double precision."""


def relevant_lists(references: object) -> ItemLists:
    """Return the relevant items of each query, with their gains if there are any.

    Args:
        references: Any form that :func:`muge_fast.score_retrieval` takes.

    Returns:
        The items. Those with a gain of 0 or less are left out.

    Raises:
        TypeError: References or the items of a query are of a wrong type.
        ValueError: A gain is not a finite number of at most 1e9, or an array is not one of items.

    Example:
        >>> from muge_fast.retrieval.relevant_lists import relevant_lists
        >>> lists = relevant_lists({"a": {1: 3, 2: 0}, "b": {1: 1}})
        >>> lists.flat, lists.lengths.tolist(), lists.gains.tolist()
        ([1, 1], [1, 1], [3.0, 1.0])

    """
    values = to_numpy(plain_rankings(references, "references", ordered=False))
    if hasattr(values, "tocsr"):
        return _from_sparse(values)
    from_array = isinstance(values, np.ndarray)
    if isinstance(values, np.ndarray):
        _check_array(values)
        if values.dtype.kind == "b":
            columns, lengths = np.nonzero(values)[1], values.sum(axis=1, dtype=np.int64)
            return ItemLists("references", None, columns.tolist(), lengths, columns=values.shape[1])
        values = values.tolist()
    ids: list[Hashable] | None = None
    if isinstance(values, Mapping):
        ids, lists = plain_ids(list(values), "the ids of references"), list(values.values())
    else:
        lists = as_list(values, "references", "a mapping or a sequence")
    if any(hasattr(item_type, "shape") for item_type in set(map(type, lists))):
        lists = list(map(number_of_array, lists))
    types = set(map(type, lists))
    if any(issubclass(item_type, Mapping) for item_type in types):
        return _from_gains(ids, lists)
    if float in types:
        _refuse_missing(ids, lists)
    if any(map(_is_item, types)):
        _check_single(ids, lists)
        lists = [[item] for item in lists]
    return ItemLists.from_lists("references", lists, ids, padded=from_array)


def transpose_references(references: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the relevant queries of each item, to score retrieval in the other direction.

    Args:
        references: Relevant items by query id: lists, single items, or dictionaries of gains by item.

    Returns:
        Query ids by item, or gains by query id by item, items and queries in the order in which they occur.

    Raises:
        ValueError: A query has an item twice, or an item is missing.
        TypeError: ``references`` is not a mapping, or items are not integers or strings in a list or alone.

    Example:
        >>> import muge_fast as mf
        >>> mf.transpose_references({8426: [42967, 11], 8427: [11]})
        {42967: [8426], 11: [8426, 8427]}
        >>> mf.transpose_references({8426: {42967: 2, 11: 1}, 8427: {11: 3}})
        {42967: {8426: 2}, 11: {8426: 1, 8427: 3}}

    """
    by_query = plain_rankings(references, "references", ordered=False)
    if not isinstance(by_query, Mapping):
        raise TypeError(f"references must be a mapping from query id, got {type(references).__name__}")
    transposed: dict[Any, Any] = {}
    queries = plain_ids(list(by_query), "the ids of references")
    for query, items in zip(queries, by_query.values(), strict=True):
        name = label("references", [query], 0)
        if isinstance(items, Mapping):
            for item, gain in zip(plain_ids(list(items), name), items.values(), strict=True):
                transposed.setdefault(item, {})[query] = gain
            continue
        listed = _listed_items(items, query, name)
        if len(set(listed)) < len(listed):
            raise ValueError(f"{name} has an item twice")
        for item in listed:
            transposed.setdefault(item, []).append(query)
    return transposed


def _listed_items(items: object, query: Hashable, name: str) -> list[Hashable]:
    """Return the items of a query, or its single item, as ``int`` and ``str``, which are equal between queries."""
    items = number_of_array(items)
    if _is_item(type(items)):
        _check_single([query], [items])
        items = [items]
    return plain_ids(list(items) if isinstance(items, AbstractSet) else items, name)


def _is_item(item_type: type) -> bool:
    return issubclass(item_type, (int, str, np.integer)) and not issubclass(item_type, bool)


def _check_single(ids: list[Hashable] | None, items: list[Any]) -> None:
    """Raise ``TypeError`` for anything but an item, and for a string that seems to hold several, as in CSV files."""
    for query, item in enumerate(items):
        if not _is_item(type(item)):
            got = f"{format_id(repr(item))} ({type(item).__name__})"
            raise TypeError(f"{label('references', ids, query)} is {got}, but other queries have one item; pass lists")
        if isinstance(item, str) and LIST_AS_TEXT.search(item):
            got = f"the string {format_argument(str(item))}"
            how = "pass a list: split it, or parse it with json.loads"
            raise TypeError(f"{label('references', ids, query)} is {got}, which may hold several items; {how}")


def _refuse_missing(ids: list[Hashable] | None, items: list[Any]) -> None:
    """Raise ``TypeError`` for NaN, with which pandas makes floats of all integers of a column."""
    for query, item in enumerate(items):
        if missing_hint(item):
            name = label("references", ids, query)
            raise TypeError(f"{name} is a missing value ({format_id(item)}); drop the query, or pass lists")


def _check_array(array: npt.NDArray[Any]) -> None:
    """Raise ``TypeError`` or ``ValueError`` for an array that does not list items."""
    got = f"got shape {array.shape} and dtype {array.dtype}{row_with_nan(array)}"
    if array.ndim not in (1, 2) or (array.ndim == 1 and array.dtype.kind == "b"):
        raise ValueError(f"references must be an array of one item or a row of items for each query, {got}")
    if array.dtype.kind == "f" and array.ndim == 1:
        raise TypeError(f"references must be items, not floats; drop missing values and convert to integers; {got}")
    if array.dtype.kind == "f":
        raise TypeError(
            "references must be items or booleans, not floats; pass matrix > 0 for relevance, "
            f"or gains as {{query: {{item: gain}}}} or as a sparse matrix of scipy; {got}"
        )
    if array.dtype.kind not in "iuUTOb":
        raise TypeError(f"references must be an array of integers, strings or booleans, {got}")
    is_flags = array.ndim == 2 and array.shape[1] > 1 and array.dtype.kind in "iu"  # noqa: PLR2004
    if is_flags and array.size and ((array == 0) | (array == 1)).all():
        raise ValueError(
            "references is a matrix of 0 and 1, which could be items or relevance; "
            f"pass relevance as booleans: references.astype(bool); {got}"
        )


def _from_sparse(matrix: Any) -> ItemLists:  # noqa: ANN401 - of scipy, which is not imported
    """Return the columns of a sparse matrix that have values above 0; their values are gains."""
    rows = matrix.tocsr(copy=True)
    rows.sum_duplicates()
    gains = _finite_gains(np.asarray(rows.data), lambda _: "references: a value of the sparse matrix")
    query_of_gain = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    kept = gains > 0
    lengths = np.bincount(query_of_gain[kept], minlength=rows.shape[0]).astype(np.int64)
    items = np.asarray(rows.indices)[kept].tolist()
    return ItemLists("references", None, items, lengths, gains=gains[kept], columns=int(rows.shape[1]))


def _from_gains(ids: list[Hashable] | None, lists: Sequence[Any]) -> ItemLists:
    for query, judged in enumerate(lists):
        if not isinstance(judged, Mapping):
            got = type(judged).__name__
            raise TypeError(f"{label('references', ids, query)} must be a dict of gains, as others are, got {got}")
    lengths = np.fromiter(map(len, lists), np.int64, len(lists))
    query_of_gain = np.repeat(np.arange(len(lists)), lengths)
    items = list(chain.from_iterable(lists))
    values = [to_numpy(gain) for judged in lists for gain in judged.values()]

    def name(flat_index: int) -> str:
        query = int(query_of_gain[flat_index])
        return f"{label('references', ids, query)}: the gain of {format_id(repr(items[flat_index]))}"

    gains = _finite_gains(values, name)
    kept = gains > 0
    lengths = np.bincount(query_of_gain[kept], minlength=len(lists)).astype(np.int64)
    flat = [item for item, is_kept in zip(items, kept.tolist(), strict=True) if is_kept]
    return ItemLists("references", ids, flat, lengths, gains=gains[kept])


def _finite_gains(values: Any, name: Any) -> npt.NDArray[np.float64]:  # noqa: ANN401
    """Return gains as float64; ``name`` is a function from an index to what errors call it."""
    if isinstance(values, list):
        bad = next((i for i, value in enumerate(values) if not is_number(value) and not _is_flag(value)), None)
        if bad is not None:
            raise TypeError(f"{name(bad)} is {format_argument(values[bad])}, needs a number")
    gains = np.asarray(values).astype(np.float64)
    large = np.flatnonzero(~(np.abs(gains) <= LARGEST_GAIN)).tolist()
    if large:
        found = format_argument(float(gains[large[0]]))
        raise ValueError(f"{name(large[0])} is {found}, needs a finite number of at most {LARGEST_GAIN:g}")
    return gains


def _is_flag(value: object) -> bool:
    return isinstance(value, (bool, np.bool_))
