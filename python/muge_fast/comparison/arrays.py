"""Scores of systems in arrays, columns and tensors, with the ids of pandas Series."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from muge_fast._internal.display import format_argument
from muge_fast._internal.labelled import has_default_index, labelled_kind, plain_items
from muge_fast.scores import Score, Scores, mean_score, signature
from muge_fast.significance.values import numbers

__all__ = ["has_ids", "scores_of_arrays"]

ARRAY_METRIC = "mean"
"""Name of the metric of plain arrays."""


def has_ids(values: object) -> bool:
    """Return whether an object is a pandas Series whose index is not the default one.

    Args:
        values: Any object.

    Returns:
        True for a Series with ids, False for any other object.

    Example:
        >>> from muge_fast.comparison.arrays import has_ids
        >>> has_ids([1, 0])
        False

    """
    return labelled_kind(values) == "series" and not has_default_index(values)


def scores_of_arrays(where: str, value: object) -> Scores:
    """Return arrays of one number for each item as scores, whose values are the means.

    Args:
        where: What the value is, for errors.
        value: An array, or arrays or single scores by the name of a metric.

    Returns:
        The scores, with ids if the arrays are pandas Series with an index.

    Raises:
        TypeError: Not numbers in one dimension, a name of a metric that is not a string, or ids for only some arrays.
        ValueError: No arrays, or arrays of different items.

    Example:
        >>> from muge_fast.comparison.arrays import scores_of_arrays
        >>> scores_of_arrays("scores['a']", {"hits": [1, 0, 0, 1]})
        Scores(4 items, hits=0.5000)

    """
    if not isinstance(value, Mapping):
        score, ids = _score_of_array(where, ARRAY_METRIC, value)
        return Scores({ARRAY_METRIC: score}, len(score.per_item), ids)
    if not value:
        raise ValueError(f"{where} is an empty mapping, needs an array for each metric")
    scores: dict[str, Score] = {}
    first_ids: list[Hashable] | None = None
    for metric, values in value.items():
        if not isinstance(metric, str):
            raise TypeError(f"names of metrics must be strings, got {format_argument(metric)} in {where}")
        scores[metric], ids = _score_of_array(f"{where}[{metric!r}]", metric, values)
        if len(scores) == 1:
            first_ids = ids
        elif ids != first_ids:
            first = next(iter(scores))
            raise ValueError(f"{where}[{metric!r}] has other ids than {where}[{first!r}], or another order of them")
    lengths = {metric: len(score.per_item) for metric, score in scores.items() if score.statistics.columns}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the arrays of {where} must have the same number of items, got {lengths}")
    return Scores(scores, next(iter(lengths.values()), 0), first_ids)


def _score_of_array(where: str, metric: str, values: object) -> tuple[Score, list[Hashable] | None]:
    """Return the mean of the numbers of an array as a score, and the ids of a pandas Series."""
    ids: list[Hashable] | None = None
    if isinstance(values, Score):
        return values, None
    if has_ids(values):
        by_id: dict[Hashable, Any] = plain_items(values, where)
        ids, values = list(by_id), list(by_id.values())
    elif isinstance(values, (int, float)):
        fix = "for scores by id, pass a pandas Series of them, or a list in one order for all systems"
        raise TypeError(f"{where} is {format_argument(values)}, needs a number for each item; {fix}")
    elif values is None or isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"{where} must be Scores, a Report or an array of numbers, got {type(values).__name__}")
    elif not hasattr(values, "__len__") or not hasattr(values, "__getitem__"):
        fix = "convert it to a list" + (" in one order for all systems" if isinstance(values, (set, frozenset)) else "")
        raise TypeError(f"{where} is a {type(values).__name__}, needs an array or list of numbers; {fix}")
    array = numbers(where, values)
    return mean_score(metric, signature(metric), array), ids
