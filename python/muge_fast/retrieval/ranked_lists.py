"""The ranked items of each query, from every form of predictions."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from muge_fast._internal.checks import align_ids, check_same_kind
from muge_fast._internal.display import format_argument, format_id
from muge_fast._internal.labelled import labelled_kind, plain_ids, plain_items
from muge_fast.retrieval.item_lists import COLUMNS, ItemLists, is_number, label, number_of_array, row_with_nan, to_numpy
from muge_fast.retrieval.ranking import Ranking, ranked_items
from muge_fast.text.tokenizers import as_list

LARGEST_EXACT = 2.0**53
"""Integers up to this number are floats."""

MATRIX = "predictions must be an integer or string matrix (queries, items)"


def ranked_lists(predictions: object, ids: Sequence[Hashable] | None) -> ItemLists:
    """Return the ranked items of each query in the order of the references.

    Args:
        predictions: Any form that :func:`muge_fast.score_retrieval` takes.
        ids: The ids of the references; None if they have none.

    Returns:
        The items, best first.

    Raises:
        TypeError: Only one of predictions and references has ids, or predictions or the items of a query are of a wrong
            type.
        ValueError: Ids differ, an array has a wrong shape or dtype, or a score is NaN.

    Example:
        >>> from muge_fast.retrieval.ranked_lists import ranked_lists
        >>> ranked_lists({"b": {3: 0.5}, "a": {1: 0.5, 2: 0.75}}, ["a", "b"]).flat
        [2, 1, 3]

    """
    values: Any = plain_rankings(predictions, "predictions", ordered=True)
    values, from_array = _rows(to_numpy(values))
    if isinstance(values, Mapping):
        given_ids: list[Hashable] | None = plain_ids(list(values), "the ids of predictions")
        lists = list(values.values())
    else:
        given_ids, lists = None, as_list(values, "predictions", "a mapping or a sequence")
    hint = _kind_hint(predictions, have_ids=given_ids is not None)
    check_same_kind(given_ids, ids, given_name="predictions", wanted_name="references", hint=hint)
    if given_ids is not None and ids is not None and given_ids != ids:
        order = align_ids(given_ids, ids, given_name="predictions", wanted_name="references")
        lists = [lists[index] for index in order]
    if any(issubclass(item_type, Mapping) for item_type in set(map(type, lists))):
        lists = [_rank(label("predictions", ids, query), items) for query, items in enumerate(lists)]
    return ItemLists.from_lists("predictions", lists, ids, padded=from_array)


def plain_rankings(value: object, name: str, *, ordered: bool) -> object:
    """Return items of queries as a plain mapping or sequence.

    Args:
        value: Predictions or references in any form.
        name: Name of the argument, for errors.
        ordered: Whether the order of items matters.

    Returns:
        Items by query for tables and Series with an index; lists for other columns; other objects unchanged.

    Raises:
        TypeError: An object without ids or items, such as a table without their columns.
        ValueError: An id is missing or occurs twice.

    Example:
        >>> from muge_fast.retrieval.ranked_lists import plain_rankings
        >>> plain_rankings([[1, 2]], "predictions", ordered=True)
        [[1, 2]]

    """
    if labelled_kind(value) == "frame":
        from muge_fast._internal.tables import ranking_items  # noqa: PLC0415 - few callers have tables

        items = ranking_items(value, name, ordered=ordered)
        if items is not None:
            return items
    return plain_items(unwrap(value), name, columns=COLUMNS)


def unwrap(value: object) -> object:
    """Return the dictionary of a Run or Qrels of ranx, or the items of a ranking; other objects unchanged.

    Args:
        value: Any object.

    Returns:
        The object to score.

    Example:
        >>> from muge_fast.retrieval.ranked_lists import unwrap
        >>> unwrap([[1, 2]])
        [[1, 2]]

    """
    if isinstance(value, Ranking):
        return ranked_items(value)
    return cast("Any", value).to_dict() if type(value).__module__.startswith("ranx.") else value


def _rows(values: Any) -> tuple[Any, bool]:  # noqa: ANN401 - checked here
    """Return a matrix as lists, and whether it was one; other objects unchanged."""
    if hasattr(values, "tocsr"):
        raise TypeError(
            "predictions is a sparse matrix; pass the ranked items of each query, or a dict of their scores"
        )
    if isinstance(values, (tuple, list)) and [getattr(part, "ndim", 0) for part in values[:3]] == [2, 2]:
        raise TypeError(
            "predictions is a pair of matrices, such as scores and indices; pass the indices: predictions[1]"
        )
    if not isinstance(values, np.ndarray):
        return values, False
    is_ragged = values.ndim == 1 and values.dtype.kind == "O"
    if is_ragged or (values.ndim == 2 and values.dtype.kind in "iuUTO"):  # noqa: PLR2004
        return values.tolist(), True
    hint = "; to rank scores, pass mf.top_k_of(scores, k)" if values.dtype.kind == "f" else ""
    raise ValueError(f"{MATRIX}, got shape {values.shape} and dtype {values.dtype}{row_with_nan(values)}{hint}")


def _rank(query: str, scores: object) -> list[Any]:
    """Return the items of a dict of scores in the order of trec_eval: by score, equal scores by id, both descending."""
    if not isinstance(scores, Mapping):
        raise TypeError(f"{query} must be a dict of scores, as other predictions are, got {type(scores).__name__}")
    items, values = list(scores), _checked_scores(query, scores)
    if len(set(values)) < len(values):
        # trec_eval compares ids as text, also if they are numbers.
        by_text = sorted(range(len(items)), key=lambda index: str(items[index]), reverse=True)
    else:
        by_text = list(range(len(items)))
    return [items[index] for index in sorted(by_text, key=values.__getitem__, reverse=True)]


def _checked_scores(query: str, scores: Mapping[Any, Any]) -> list[float]:
    values = [to_numpy(score) for score in scores.values()]
    bad = [item for item, value in zip(scores, values, strict=True) if not is_number(value)]
    if bad:
        raise TypeError(
            f"{query}: the score of {format_id(repr(bad[0]))} is {format_argument(scores[bad[0]])}, needs a number"
        )
    array = np.array(values, dtype=np.float64)
    missing = np.flatnonzero(np.isnan(array))
    if len(missing):
        raise ValueError(f"{query}: the score of {format_id(repr(list(scores)[int(missing[0])]))} is NaN")
    exact = [number_of_array(value) for value in values] if np.abs(array).max(initial=0) >= LARGEST_EXACT else array
    # Integers above 2**53, such as times in nanoseconds, differ although the nearest floats are equal.
    return cast("list[float]", exact if isinstance(exact, list) else array.tolist())


def _kind_hint(predictions: object, *, have_ids: bool) -> str:
    """Return how to make predictions and references the same kind."""
    if labelled_kind(predictions) == "series":
        return "predictions.tolist() is a sequence" if have_ids else "set the query ids as the index of predictions"
    if have_ids:
        return "such as references = dict(zip(query_ids, references))"
    if isinstance(predictions, Ranking):
        return "such as predictions = ranking.with_ids(query_ids=query_ids)"
    return "such as predictions = dict(zip(query_ids, predictions))"
