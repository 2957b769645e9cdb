"""Ids as arrays: all integers or all strings, all different."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import find_repeated
from muge_fast._internal.display import format_argument, format_id
from muge_fast._internal.labelled import plain_ids

IdArray = npt.NDArray[Any]
"""An int64 array, or an array of ``str`` with dtype object: NumPy's own strings lose null characters at the end."""


def id_array(ids: object, name: str) -> IdArray:
    """Return ids as an array.

    Args:
        ids: Integers or strings: a list or another iterable, a one-dimensional array or tensor, or a column of pandas,
            polars or Arrow. The index of a Series is not used.
        name: Name of the ids, for errors.

    Returns:
        An array of int64, or of ``str`` with dtype object.

    Raises:
        TypeError: Some ids are integers and some are strings, or they are of another type, such as floats.
        ValueError: An id is missing or does not fit in int64.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.ids import id_array
        >>> id_array(np.array([3, 1], dtype="uint8"), "ids"), id_array(("a", "b"), "ids")
        (array([3, 1]), array(['a', 'b'], dtype=object))
        >>> id_array([1, "1"], "ids")
        Traceback (most recent call last):
        ...
        TypeError: ids: [1] is '1', a string, and [0] is an integer; all ids must be of one type

    """
    if type(ids) is np.ndarray and ids.ndim == 1 and (ids.dtype.kind == "i" or ids.dtype.name in SMALL_UNSIGNED):
        return ids.astype(np.int64)
    values: list[Any] = plain_ids(ids, name)
    types = set(map(type, values))
    if not types <= {int} and types != {str}:
        values = _converted(values, name)
        types = set(map(type, values))
    if len(types) > 1:
        wanted = type(values[0])
        index = next(index for index, value in enumerate(values) if type(value) is not wanted)
        kinds = {int: "an integer", str: "a string"}
        raise TypeError(
            f"{name}: [{index}] is {format_argument(values[index])}, {kinds[type(values[index])]}, and [0] is "
            f"{kinds[wanted]}; all ids must be of one type"
        )
    return _strings(values) if types == {str} else _integers(values, name)


SMALL_UNSIGNED = ("uint8", "uint16", "uint32")
"""Names of unsigned types whose values all fit in int64."""


def repeated_rows(ids: IdArray) -> tuple[int, int] | None:
    """Return the rows of the first id that occurs twice, or None if all differ.

    Args:
        ids: An array that :func:`id_array` returned.

    Returns:
        Two row indices in ascending order.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.ids import repeated_rows
        >>> repeated_rows(np.array([3, 5, 3]))
        (0, 2)

    """
    if ids.dtype.kind == "O":
        values = ids.tolist()
        second = find_repeated(values)
        return None if second is None else (values.index(values[second]), second)
    order = np.argsort(ids, kind="stable")
    repeated = np.flatnonzero(ids[order[1:]] == ids[order[:-1]])
    return (int(order[repeated[0]]), int(order[repeated[0] + 1])) if len(repeated) else None


def count_distinct(integers: Iterable[int]) -> int:
    """Return the number of different integers. They are sorted: those in a file can be chosen to collide in a set.

    Args:
        integers: Integers of any size.

    Returns:
        How many there are, each counted once.

    Example:
        >>> from muge_fast._internal.ids import count_distinct
        >>> count_distinct([3, 5, 3, 2**80])
        3

    """
    values = list(integers)
    try:
        # Not `np.unique`, which has hash tables too.
        array = np.sort(np.array(values, dtype=np.int64))
    except OverflowError:
        return sum(1 for _ in groupby(sorted(values)))
    return len(array) and 1 + int(np.count_nonzero(array[1:] != array[:-1]))


def unique_ids(ids: object, name: str, count: int | None = None, counted: str = "") -> IdArray:
    """Return an argument that has a different id for each row of another argument.

    Args:
        ids: The argument, in any form that :func:`id_array` takes.
        name: Name of the argument, for errors.
        count: Number of rows; None for any number.
        counted: What the rows are, for errors, such as ``"items"``.

    Returns:
        An array of int64, or of ``str`` with dtype object.

    Raises:
        TypeError: Some ids are integers and some are strings, or they are of another type, such as floats.
        ValueError: Another number of ids, or an id that occurs twice, is missing or does not fit in int64.

    Example:
        >>> from muge_fast._internal.ids import unique_ids
        >>> unique_ids([7, 8, 7], "item_ids", 3, "items")
        Traceback (most recent call last):
        ...
        ValueError: item_ids: id 7 occurs twice, at [0] and [2]

    """
    array = id_array(ids, name)
    if count is not None and len(array) != count:
        raise ValueError(f"{name} has {len(array)} ids, but there are {count} {counted}")
    rows = repeated_rows(array)
    if rows is not None:
        raise ValueError(f"{name}: id {quoted_id(array[rows[0]])} occurs twice, at [{rows[0]}] and [{rows[1]}]")
    return array


def refuse_surrogates(ids: IdArray, name: str) -> None:
    r"""Raise an error for a string that no file can hold, because it is not valid Unicode.

    Args:
        ids: An array that :func:`id_array` returned.
        name: Name of the ids, for the error.

    Raises:
        ValueError: An id has a lone surrogate.

    Example:
        >>> from muge_fast._internal.ids import id_array, refuse_surrogates
        >>> refuse_surrogates(id_array(["a", "\ud83d"], "ids"), "ids")
        Traceback (most recent call last):
        ...
        ValueError: ids: [1] is '\ud83d', which has a lone surrogate: not valid Unicode

    """
    if ids.dtype.kind != "O":
        return
    try:
        "".join(ids.tolist()).encode()
    except UnicodeEncodeError:
        index = next(index for index, value in enumerate(ids) if has_surrogate(value))
        value = format_argument(ids[index])
        raise ValueError(f"{name}: [{index}] is {value}, which has a lone surrogate: not valid Unicode") from None


def has_surrogate(text: str) -> bool:
    r"""Return whether a text has a lone surrogate, so that UTF-8 cannot encode it.

    Args:
        text: Any text.

    Returns:
        Whether it has one.

    Example:
        >>> from muge_fast._internal.ids import has_surrogate
        >>> has_surrogate("裙"), has_surrogate("\ud83d")
        (False, True)

    """
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def quoted_id(value: object) -> str:
    """Return an id for a message: strings quoted, so that they differ from integers.

    Args:
        value: The id.

    Returns:
        One line of text.

    Example:
        >>> from muge_fast._internal.ids import quoted_id
        >>> quoted_id("7"), quoted_id(7)
        ("'7'", '7')

    """
    return format_argument(value) if isinstance(value, str) else format_id(value)


def _converted(values: list[Any], name: str) -> list[int | str]:
    """Return members of Enums of integers or strings as ``int`` and ``str``, or raise for other types."""
    converted: list[int | str] = []
    for index, value in enumerate(values):
        if isinstance(value, str):
            converted.append(str.__str__(value))
        elif isinstance(value, int):
            converted.append(operator.index(value))
        else:
            raise TypeError(f"{name}: [{index}] is {type(value).__name__}, ids must be integers or strings")
    return converted


def _strings(values: list[Any]) -> IdArray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _integers(values: list[Any], name: str) -> IdArray:
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        index = next(index for index, value in enumerate(values) if not -(2**63) <= value < 2**63)
        raise ValueError(f"{name}: [{index}] is {format_id(values[index])}, which does not fit in int64") from None
