"""States of scores: the rows of statistics of each score, and which function makes the score of them.

The value is computed from the rows again, so a state cannot claim another one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, Protocol, TypeVar

import numpy as np

from muge_fast._internal.display import format_argument
from muge_fast._internal.states import Array, array_of, json_array, json_value, pack

# Modules and functions that make a score of rows. They are in higher layers, so they are found by their names.
FUNCTIONS = {
    "mean": ("muge_fast.scores", "mean_score"),
    "bleu": ("muge_fast.caption.scoring", "_bleu"),
    "meteor": ("muge_fast.caption.meteor", "meteor_score"),
    "mean_recall": ("muge_fast.retrieval.scoring", "_mean_recall"),
    "macro_f1": ("muge_fast.tasks.classification", "_macro_f1"),
}
KINDS = {f"{module}:{name}": kind for kind, (module, name) in FUNCTIONS.items()}

T = TypeVar("T")

WHOLE_SET = "whole_set"
INT64 = range(-(2**63), 2**63)
MOST_KS = 10_000
MOST_WORDS = 2**53


class Statistics(Protocol):
    """Statistics of items."""

    @property
    def rows(self) -> Array:
        """A row for each item."""


class SavedScore(Protocol):
    """A score of :mod:`muge_fast.scores`, which is in a higher layer."""

    @property
    def name(self) -> str:
        """Name of the metric."""

    @property
    def value(self) -> float:
        """The score of the set."""

    @property
    def signature(self) -> str:
        """Signature of the metric."""

    @property
    def parts(self) -> Mapping[str, float]:
        """Further numbers by name."""

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value is better."""

    @property
    def statistics(self) -> Statistics:
        """Statistics of the items."""


class Cost(Protocol):
    """Time that a dictionary with these integers as keys takes."""

    def add(self, key: int) -> bool:
        """Add a key, and return whether the dictionary is still fast."""

    def is_fast(self) -> bool:
        """Return whether looking up any key is fast."""


def pack_scores(scores: Mapping[str, SavedScore], items: int, ids: Sequence[object] | None) -> bytes:
    """Return the state of scores.

    Args:
        scores: Scores by name.
        items: Number of items.
        ids: The id of each item; None if items have no ids.

    Returns:
        The state.

    Raises:
        TypeError: An id is neither an integer nor a string, or a score is of another package and no mean over items.

    """
    arrays: dict[str, Array] = {}
    recipes = []
    for index, (name, score) in enumerate(scores.items()):
        recipe = _recipe(name, score)
        recipes.append(recipe)
        if recipe["kind"] != WHOLE_SET:
            arrays[f"rows_{index}"] = np.ascontiguousarray(score.statistics.rows, dtype="<f8")
        else:
            for number, sample in enumerate(score.__dict__.get("_influence") or ()):
                arrays[f"influence_{index}_{number}"] = np.ascontiguousarray(sample, dtype="<f8")
    if ids is not None:
        arrays["ids"] = _packed_ids(ids)
    return pack("Scores", {"scores": json_array({"items": items, "scores": recipes}), **arrays})


def _recipe(name: str, score: SavedScore) -> dict[str, object]:
    rescore = score.__dict__["_rescore"]
    recipe = {"name": name, "signature": score.signature, "parts": dict(score.parts)}
    if rescore is None:
        influence = len(score.__dict__.get("_influence") or ())
        direction = {"higher_is_better": score.higher_is_better}
        return {
            "kind": WHOLE_SET,
            "metric": score.name,
            "value": score.value,
            "influence": influence,
            **direction,
            **recipe,
        }
    function = getattr(rescore, "func", rescore)
    kind = KINDS.get(f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}")
    if kind is None or not isinstance(rescore, partial):
        raise TypeError(f"{name}: only means over items and the metrics of muge_fast have a state that can be saved")
    return {"kind": kind, "arguments": list(rescore.args), "options": dict(rescore.keywords), **recipe}


def _packed_ids(ids: Sequence[object]) -> Array:
    if all(type(key) is int and key in INT64 for key in ids):
        return np.array(ids, dtype="<i8")
    for index, key in enumerate(ids):
        if type(key) is not str and not (type(key) is int and key in INT64):
            raise TypeError(
                f"ids[{index}] is {format_argument(key)}; only integers of 64 bits and strings can be saved"
            )
    return json_array(list(ids))


def unpack_scores(
    arrays: Mapping[str, Array], make_set: Callable[..., T], cost: Cost
) -> tuple[dict[str, Any], int, list[Any] | None]:
    """Return the scores of a state.

    Args:
        arrays: Arrays of the state.
        make_set: The function that makes the score of a whole set of items.
        cost: A dictionary without keys.

    Returns:
        The scores by name, the number of items, and their ids.

    Raises:
        ValueError: The arrays are not the state of scores.

    """
    document = json_value(arrays, "scores")
    items, recipes = document["items"], document["scores"]
    if type(items) is not int or items < 0 or not isinstance(recipes, list):
        raise ValueError("it has no number of items or no scores")
    scores: dict[str, Any] = {}
    for index, recipe in enumerate(recipes):
        name = _checked(recipe, "name", str)
        if name in scores:
            raise ValueError(f"score {name!r} occurs more than once")
        if _checked(recipe, "kind", str) == WHOLE_SET:
            scores[name] = _whole_set(arrays, index, recipe, make_set)
        else:
            scores[name] = _of_rows(array_of(arrays, f"rows_{index}", "<f8", 2), items, recipe)
    return scores, items, _unpacked_ids(arrays, items, cost) if "ids" in arrays else None


def _whole_set(arrays: Mapping[str, Array], index: int, recipe: Mapping[str, Any], make: Callable[..., T]) -> T:
    count = _checked(recipe, "influence", int)
    influence = tuple(array_of(arrays, f"influence_{index}_{number}", "<f8", 1) for number in range(min(count, 3)))
    return make(
        _checked(recipe, "metric", str),
        _checked(recipe, "signature", str),
        _checked(recipe, "value", float),
        parts=_parts(recipe),
        higher_is_better=_checked(recipe, "higher_is_better", bool),
        influence=influence or None,
    )


def _of_rows(rows: Array, items: int, recipe: Mapping[str, Any]) -> SavedScore:
    kind, arguments = recipe["kind"], _checked(recipe, "arguments", list)
    options = _checked(recipe, "options", dict)
    if kind not in FUNCTIONS:
        raise ValueError(f"it has scores of an unknown kind {format_argument(kind)}")
    if len(rows) != items or not items:
        raise ValueError(f"it has {items} items, but {len(rows)} rows")
    if not np.isfinite(rows).all():
        raise ValueError("a row has a value that is not finite")
    CHECKS[kind](rows, arguments, options)
    module, name = FUNCTIONS[kind]
    if kind == "mean":
        options = {**options, "parts": _parts(recipe)}
    score: SavedScore = partial(getattr(import_module(module), name), *arguments)(rows, **options)
    if score.signature != recipe.get("signature"):
        raise ValueError(
            f"it was scored as {format_argument(recipe.get('signature'))}, this version makes {score.signature!r}"
        )
    return score


def _check_mean(rows: Array, arguments: list[Any], options: dict[str, Any]) -> None:
    known = {"merge_error": str, "higher_is_better": bool}
    is_known = all(name in known and type(value) is known[name] for name, value in options.items())
    _require(list(map(type, arguments)) == [str, str] and is_known and rows.shape[1] == 1)


def _check_bleu(rows: Array, arguments: list[Any], options: dict[str, Any]) -> None:
    _require(len(arguments) == 4 and not options and rows.shape[1] == 10 and bool((rows >= 0).all()))  # noqa: PLR2004
    tokenizer, smoothing, value, effective_order = arguments
    is_value = value is None or type(value) in (int, float)
    _require(type(tokenizer) is str and type(smoothing) is str and is_value and type(effective_order) is bool)


def _check_meteor(rows: Array, arguments: list[Any], options: dict[str, Any]) -> None:
    _require(len(arguments) == 1 and not options and type(arguments[0]) is str and rows.shape[1] == 23)  # noqa: PLR2004
    _require(bool((rows == np.floor(rows)).all() and (rows >= 0).all() and (rows <= MOST_WORDS).all()))
    # Words of prediction and reference, function words of both; the same of what four modules matched.
    words, functions, matched = rows[:, :2], rows[:, 2:4], rows[:, 4:20].reshape(-1, 4, 2, 2).sum(axis=1)
    chunks, matches = rows[:, 20], rows[:, 21:]
    _require(bool((matched[:, 0] <= words - functions).all() and (matched[:, 1] <= functions).all()))
    _require(bool((matched.sum(axis=1) == matches).all() and (chunks <= matches.min(axis=1)).all()))


def _check_mean_recall(rows: Array, arguments: list[Any], options: dict[str, Any]) -> None:
    _require(len(arguments) == 1 and not options and isinstance(arguments[0], list))
    ks = arguments[0]
    _require(0 < len(ks) <= MOST_KS and len(ks) == rows.shape[1] and all(type(k) is int and k > 0 for k in ks))


def _check_macro_f1(rows: Array, arguments: list[Any], options: dict[str, Any]) -> None:
    _require(len(arguments) == 1 and not options and isinstance(arguments[0], list) and rows.shape[1] == 2)  # noqa: PLR2004
    labels = arguments[0]
    _require(all(type(label) is str for label in labels) and bool((rows == np.floor(rows)).all()))
    # They index the labels.
    _require(bool((rows >= 0).all() and (rows < len(labels)).all()))


CHECKS: dict[str, Callable[[Array, list[Any], dict[str, Any]], None]] = {
    "mean": _check_mean,
    "bleu": _check_bleu,
    "meteor": _check_meteor,
    "mean_recall": _check_mean_recall,
    "macro_f1": _check_macro_f1,
}


def _require(is_valid: bool) -> None:
    if not is_valid:
        raise ValueError("the rows or options of a score are not those of its metric")


def _parts(recipe: Mapping[str, Any]) -> dict[str, float]:
    parts = _checked(recipe, "parts", dict)
    if not all(type(value) in (int, float) for value in parts.values()):
        raise ValueError("a part of a score is not a number")
    return {name: float(value) for name, value in parts.items()}


def _checked(recipe: Mapping[str, Any], name: str, kind: type[T]) -> T:
    value = recipe.get(name)
    if type(value) is not kind or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"a score has no valid {name}")
    return value


def _unpacked_ids(arrays: Mapping[str, Array], items: int, cost: Cost) -> list[Any]:
    if arrays["ids"].dtype == np.dtype("<i8"):
        ids = array_of(arrays, "ids", "<i8", 1).tolist()
    else:
        ids = json_value(arrays, "ids")
    if not isinstance(ids, list) or len(ids) != items or not all(type(key) in (int, str) for key in ids):
        raise ValueError(f"it has {items} items, but other ids")
    # Integers can be chosen so that a dictionary of them is slow.
    if not all(type(key) is str or (key in INT64 and cost.add(key)) for key in ids) or not cost.is_fast():
        raise ValueError("its ids make a dictionary slow")
    return ids
