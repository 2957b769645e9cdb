"""Checks of arguments: numbers, bools, names, and ids that must match."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from numbers import Integral, Real

import numpy as np

from muge_fast._internal.display import format_argument, format_id

# Ids that an error names before it counts the rest.
LISTED_IDS = 3

# Characters of a misspelled name that are compared with the choices.
LONGEST_NAME = 100

SEPARATORS = dict.fromkeys(map(ord, "-_. "))


def whole_number(name: str, value: object, least: int = 1) -> int:
    """Return an integer argument as a Python int.

    Integers of NumPy are converted, so that later arithmetic cannot overflow their width.

    Args:
        name: Name of the argument, for errors.
        value: The argument.
        least: Smallest allowed value.

    Returns:
        The value as ``int``.

    Raises:
        TypeError: ``value`` is not an integer; ``True`` and ``2.0`` are not.
        ValueError: ``value`` is smaller than ``least``.

    Example:
        >>> from muge_fast._internal.checks import whole_number
        >>> whole_number("splits", 10)
        10
        >>> whole_number("splits", 2.5)
        Traceback (most recent call last):
        ...
        TypeError: splits must be an integer, got 2.5

    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {format_argument(value)}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {format_argument(int(value))}")
    return int(value)


def finite_number(name: str, value: object) -> float:
    """Return a real argument as a Python float.

    Args:
        name: Name of the argument, for errors.
        value: The argument, an integer or a float of Python or NumPy.

    Returns:
        The value as ``float``.

    Raises:
        TypeError: ``value`` is not a real number; ``True`` is not.
        ValueError: ``value`` is infinite, NaN, or too large for a float.

    Example:
        >>> from muge_fast._internal.checks import finite_number
        >>> finite_number("gamma", float("nan"))
        Traceback (most recent call last):
        ...
        ValueError: gamma must be a finite number, got nan

    """
    if type(value) is float and math.isfinite(value):
        # Nearly every call; the checks below take ten times as long.
        return value
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {format_argument(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} must be a finite number, got {format_argument(value)}")
    return number


def true_or_false(name: str, value: object) -> bool:
    """Return an argument that must be a bool as Python's bool.

    Args:
        name: Name of the argument, for errors.
        value: The argument.

    Returns:
        The value as ``bool``.

    Raises:
        TypeError: ``value`` is not a bool of Python or NumPy: any string would count as true.

    Example:
        >>> from muge_fast._internal.checks import true_or_false
        >>> true_or_false("influence", "no")
        Traceback (most recent call last):
        ...
        TypeError: influence must be True or False, got 'no'

    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {format_argument(value)}")
    return bool(value)


def find_repeated(items: Collection[Hashable]) -> int | None:
    """Return the index of the first item that occurred before, or None if all items differ.

    Takes linear time.

    Args:
        items: Hashable items.

    Returns:
        Index from 0 of the first repeated item; None if there is no repetition.

    Example:
        >>> from muge_fast._internal.checks import find_repeated
        >>> find_repeated([7, 3, 7, 3])
        2

    """
    if len(set(items)) == len(items):
        return None
    seen: set[Hashable] = set()
    for index, item in enumerate(items):
        if item in seen:
            return index
        seen.add(item)
    return None


def check_choice(option: str, value: object, choices: Iterable[str]) -> str:
    """Return an argument that must be one of several names.

    Args:
        option: Name of the argument, for errors.
        value: The argument.
        choices: Allowed names.

    Returns:
        The value.

    Raises:
        TypeError: ``value`` is not a string.
        ValueError: ``value`` is not one of the choices; the message lists them.

    Example:
        >>> from muge_fast._internal.checks import check_choice
        >>> check_choice("tokenizer", "jiebo", ["muge", "char", "jieba"])
        Traceback (most recent call last):
        ...
        ValueError: unknown tokenizer 'jiebo', choose one of muge, char, jieba; did you mean 'jieba'?

    """
    choices = list(choices)
    if not isinstance(value, str):
        raise TypeError(f"{option} must be one of {', '.join(choices)}, got {format_argument(value)}")
    if value not in choices:
        hint = suggest(value, choices)
        raise ValueError(f"unknown {option} {format_argument(value)}, choose one of {', '.join(choices)}{hint}")
    return value


def check_names(
    option: str, names: Iterable[str], choices: Iterable[str], aliases: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Return an argument that must be a list of different names, at least one.

    Args:
        option: Name of the argument, for errors.
        names: The argument, any iterable of strings except a string.
        choices: Allowed names.
        aliases: Other names of some choices, as :func:`fold_name` returns them. Case and separators of a given name do
            not matter for them.

    Returns:
        The names, in their order, each of them one of the choices.

    Raises:
        TypeError: ``names`` is a string or not iterable, or an element is not a string.
        ValueError: ``names`` is empty, or has an unknown or a repeated name.

    Example:
        >>> from muge_fast._internal.checks import check_names
        >>> check_names("metrics", ["bleu", "rouge_l"], ["cider_d", "bleu", "rouge_l"])
        ('bleu', 'rouge_l')
        >>> check_names("metrics", ["BLEU-4"], ["cider_d", "bleu", "rouge_l"], {"bleu4": "bleu"})
        ('bleu',)
        >>> check_names("metrics", "bleu", ["cider_d", "bleu", "rouge_l"])
        Traceback (most recent call last):
        ...
        TypeError: metrics must be a sequence of names such as ('bleu',), not the string 'bleu'

    """
    choices = list(choices)
    if isinstance(names, (str, bytes)):
        raise TypeError(
            f"{option} must be a sequence of names such as ({format_argument(names)},), "
            f"not the string {format_argument(names)}"
        )
    if not isinstance(names, Iterable):
        raise TypeError(f"{option} must be a sequence of names, got {format_argument(names)}")
    checked = tuple(_check_name(option, name, choices, aliases or {}) for name in names)
    if not checked:
        raise ValueError(f"{option} is empty, choose from {', '.join(choices)}")
    repeated = find_repeated(checked)
    if repeated is not None:
        raise ValueError(f"{option} has {format_argument(checked[repeated])} more than once")
    return checked


def _check_name(option: str, name: object, choices: Sequence[str], aliases: Mapping[str, str]) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{option} must be names, got {format_argument(name)}")
    if name in choices:
        return name
    folded = fold_name(name)
    if folded in aliases:
        return aliases[folded]
    hint = suggest(name, choices)
    raise ValueError(f"unknown {option} {format_argument(name)}, choose from {', '.join(choices)}{hint}")


def align_ids(given: Sequence[Hashable], wanted: Sequence[Hashable], *, given_name: str, wanted_name: str) -> list[int]:
    """Return the index in ``given`` of each wanted id; both must hold the same ids, in any order.

    Args:
        given: Different ids.
        wanted: Different ids, in the order of the result.
        given_name: What ``given`` is, for errors, such as ``"predictions"``.
        wanted_name: What ``wanted`` is, for errors, such as ``"references"``.

    Returns:
        Indices ``i`` with ``given[i[j]] == wanted[j]``.

    Raises:
        ValueError: An id occurs twice in ``given`` or ``wanted``, or in only one of them. The message names the first
            three such ids, counts the rest, and says if an id has another type or form on the other side.

    Example:
        >>> from muge_fast._internal.checks import align_ids
        >>> align_ids(["b", "a"], ["a", "b"], given_name="predictions", wanted_name="references")
        [1, 0]
        >>> align_ids(["b"], ["a", "b"], given_name="predictions", wanted_name="references")
        Traceback (most recent call last):
        ...
        ValueError: predictions lack 1 id of references: 'a'

    """
    # Not a set: the integers of a file that was read are fit for a dictionary, as it had one.
    indices = {key: index for index, key in enumerate(given)}
    is_unique = len(indices) == len(given)
    for name, ids in ((given_name, () if is_unique else given), (wanted_name, wanted)):
        repeated = find_repeated(ids)
        if repeated is not None:
            raise ValueError(f"{name}: id {_quoted(ids[repeated])} occurs more than once")
    missing = [key for key in wanted if key not in indices]
    if missing:
        hint = _type_hint(missing, given, given_name=given_name, wanted_name=wanted_name)
        raise ValueError(f"{given_name} lack {_count(missing)} of {wanted_name}: {_first_ids(missing)}{hint}")
    if len(given) > len(wanted):
        wanted_ids = set(wanted)
        unknown = [key for key in given if key not in wanted_ids]
        raise ValueError(f"{given_name} have {_count(unknown)} not in {wanted_name}: {_first_ids(unknown)}")
    return [indices[key] for key in wanted]


def check_same_kind(
    given: Sequence[Hashable] | None,
    wanted: Sequence[Hashable] | None,
    *,
    given_name: str,
    wanted_name: str,
    hint: str = "",
) -> None:
    """Raise ``TypeError`` if only one of two arguments has ids, because matching them by position may be wrong.

    Args:
        given: The ids of one argument; None for a sequence.
        wanted: The ids of the other; None for a sequence.
        given_name: What ``given`` is, for errors, such as ``"predictions"``.
        wanted_name: What ``wanted`` is, for errors, such as ``"references"``.
        hint: How to make both the same kind.

    Raises:
        TypeError: One is a mapping, the other a sequence.

    Example:
        >>> from muge_fast._internal.checks import check_same_kind
        >>> check_same_kind(None, ["a"], given_name="predictions", wanted_name="references")
        Traceback (most recent call last):
        ...
        TypeError: predictions are a sequence but references a mapping; pass both as the same kind

    """
    if (given is None) is (wanted is None):
        return
    kinds = ("a sequence", "a mapping") if given is None else ("a mapping", "a sequence")
    how = f": {hint}" if hint else ""
    raise TypeError(f"{given_name} are {kinds[0]} but {wanted_name} {kinds[1]}; pass both as the same kind{how}")


def other_form(key: Hashable, ids: Iterable[Hashable]) -> Hashable | None:
    """Return the id that looks like a missing id but is not equal to it, for the hint of an error.

    Args:
        key: An id that ``ids`` lack.
        ids: The ids that are there. All of them are read, so call it for errors only.

    Returns:
        The first id with the same text: 7 for ``"7"``, ``"007"``, ``b"7"`` or ``" 7"``, and the reverse; None without
        such an id.

    Example:
        >>> from muge_fast._internal.checks import other_form
        >>> other_form("10000", [9999, 10000]), other_form(23, ["000023"]), other_form("a", ["b"])
        (10000, '000023', None)

    """
    text = _bare_text(key)
    return next((candidate for candidate in ids if candidate != key and _bare_text(candidate) == text), None)


def other_form_hint(key: Hashable, ids: Iterable[Hashable]) -> str:
    """Return a hint that names the type or the form in which a missing id is there, or an empty string.

    Args:
        key: An id that ``ids`` lack.
        ids: The ids that are there. All of them are read, so call it for errors only.

    Returns:
        ``"; the id is there as an int: 7"``, ``"; the id is there as '007'"``, or ``""``.

    Example:
        >>> from muge_fast._internal.checks import other_form_hint
        >>> other_form_hint("7", [7, 8]), other_form_hint("7", ["007"]), other_form_hint("a", ["b"])
        ('; the id is there as an int: 7', "; the id is there as '007'", '')

    """
    if key != key:  # noqa: PLR0124 - NaN
        return "; NaN equals no other id: drop these rows"
    found = other_form(key, ids)
    if found is None:
        return ""
    described = _quoted(found) if type(found) is type(key) else f"{_a_type(found)}: {_quoted(found)}"
    return f"; the id is there as {described}"


def fold_name(name: str) -> str:
    """Return a name in lower case without hyphens, underscores, dots and spaces.

    Args:
        name: Any name.

    Returns:
        The name, to compare it with others.

    Example:
        >>> from muge_fast._internal.checks import fold_name
        >>> fold_name("CIDEr-D"), fold_name("bleu_4")
        ('ciderd', 'bleu4')

    """
    return name.casefold().translate(SEPARATORS)


def suggest(name: str, choices: Iterable[str]) -> str:
    """Return a hint that names the choice most similar to a misspelled name, or an empty string.

    Args:
        name: The misspelled name. Case, hyphens and underscores do not count as differences.
        choices: Allowed names.

    Returns:
        ``"; did you mean …?"``, or ``""`` if no choice is similar.

    Example:
        >>> from muge_fast._internal.checks import suggest
        >>> suggest("tokenizr", ["tokenizer", "metrics"]), suggest("x", ["tokenizer"])
        ("; did you mean 'tokenizer'?", '')

    """
    # A name of thousands of characters would take get_close_matches seconds.
    by_folded = {fold_name(choice): choice for choice in choices}
    close = get_close_matches(fold_name(name[:LONGEST_NAME]), list(by_folded), n=1)
    return f"; did you mean {by_folded[close[0]]!r}?" if close else ""


def _type_hint(missing: Sequence[Hashable], given: Sequence[Hashable], *, given_name: str, wanted_name: str) -> str:
    """Return a hint for ids that differ only in type or form between the two sides, or an empty string."""
    key = missing[0]
    if key != key:  # noqa: PLR0124 - NaN
        return f"; NaN equals no other id: drop these rows of {wanted_name}"
    found = other_form(key, given)
    if found is None:
        return ""
    if type(found) is type(key):
        return f"; the id {_quoted(key)} is there as {_quoted(found)}"
    types = f"ids of {given_name} are {type(found).__name__}, those of {wanted_name} {type(key).__name__}"
    return f"; {types}: the id is there as {_a_type(found)}, convert one of them"


def _bare_text(key: Hashable) -> str:
    """Return the text of an id without white space around it and zeros before it."""
    if isinstance(key, float) and key.is_integer():
        key = int(key)
    text = (key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)).strip()
    return text.lstrip("0") or "0" if text.isdecimal() else text


def _a_type(key: Hashable) -> str:
    name = type(key).__name__
    return f"{'an' if name[0] in 'aeiouAEIO' else 'a'} {name}"


def _count(ids: Sequence[Hashable]) -> str:
    return f"{len(ids)} id{'s' if len(ids) > 1 else ''}"


def _first_ids(ids: Sequence[Hashable]) -> str:
    more = len(ids) - LISTED_IDS
    return ", ".join(map(_quoted, ids[:LISTED_IDS])) + (f" and {more} more" if more > 0 else "")


def _quoted(key: Hashable) -> str:
    return format_argument(key) if isinstance(key, str) else format_id(key)
