"""Kinds of values of the fields of MUGE's files, and the format of a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from muge_fast._internal.display import format_value
from muge_fast._internal.field_names import FieldNames

# Ids have at most 64 bits: any number of larger integers can have the same hash.
INT64 = range(-(2**63), 2**63)

# Integers of a list that are compared in a set: so few are fast whatever they are.
MAX_SET_SIZE = 64

# Strings that are an integer in quotes.
INTEGER = re.compile(r"-?[0-9]{1,19}")

KindProblem = tuple[str, Mapping[str, object]]
"""Code of a problem, a key of ``muge_fast.datasets.problems.MESSAGES``, and the details of its message."""


class Kind(Protocol):
    """A kind of value of a field: anything with a method ``problems``.

    Example:
        >>> from muge_fast.tasks import Integer, Kind
        >>> kind: Kind = Integer()
        >>> list(kind.problems(7))
        []

    """

    def problems(self, value: object) -> Iterator[KindProblem]:
        """Yield what is wrong with a value parsed from JSON, as a code and details; nothing if it is valid.

        Args:
            value: The value.

        Yields:
            Pairs of a key of ``muge_fast.datasets.problems.MESSAGES`` and the values of its placeholders; also
            ``"index"`` for an element of a list.

        """
        ...


@dataclass(frozen=True)
class Integer:
    """An integer of at most 64 bits; ``true`` and ``1.0`` are not integers.

    Example:
        >>> from muge_fast.tasks import Integer
        >>> [code for code, _ in Integer().problems(True)]
        ['wrong_type']

    """

    def problems(self, value: object) -> Iterator[KindProblem]:
        """Yield what is wrong with a value.

        Args:
            value: The value, as parsed from JSON.

        Yields:
            Codes of problems, with their details; see :class:`Kind`.

        """
        if type(value) is not int:
            yield "wrong_type", {"actual": format_value(value), "expected": "an integer", **_integer_hint(value)}
        elif value not in INT64:
            yield "out_of_range", {"value": format_value(value)}


@dataclass(frozen=True)
class Text:
    """A string of valid Unicode that is not blank.

    Attributes:
        any_string: Whether blank strings and lone surrogates are valid too.
        allow_blank: Whether blank strings are valid.

    Example:
        >>> from muge_fast.tasks import Text
        >>> [code for code, _ in Text().problems(" ")]
        ['empty_text']

    """

    any_string: bool = False
    allow_blank: bool = False

    def problems(self, value: object) -> Iterator[KindProblem]:
        """Yield what is wrong with a value.

        Args:
            value: The value, as parsed from JSON.

        Yields:
            Codes of problems, with their details; see :class:`Kind`.

        """
        if not isinstance(value, str):
            hint = {"hint": "quote"} if type(value) is int else {}
            yield "wrong_type", {"actual": format_value(value), "expected": "a string", **hint}
        elif self.any_string:
            return
        elif not self.allow_blank and not value.strip():
            yield "empty_text", {}
        elif not _is_unicode(value):
            yield "not_unicode", {}


@dataclass(frozen=True)
class TextList:
    """A list of at least one :class:`Text`.

    Attributes:
        any_string: Whether blank strings and lone surrogates are valid too.
        allow_blank: Whether blank strings are valid.

    Example:
        >>> from muge_fast.tasks import TextList
        >>> [code for code, _ in TextList().problems([])]
        ['too_few']

    """

    any_string: bool = False
    allow_blank: bool = False

    def problems(self, value: object) -> Iterator[KindProblem]:
        """Yield what is wrong with a value.

        Args:
            value: The value, as parsed from JSON.

        Yields:
            Codes of problems, with their details; see :class:`Kind`.

        """
        if not isinstance(value, list):
            yield "wrong_type", {"actual": format_value(value), "expected": "a list of strings"}
        elif not value:
            yield "too_few", {}
        else:
            element = Text(any_string=self.any_string, allow_blank=self.allow_blank)
            for index, text in enumerate(value):
                for code, details in element.problems(text):
                    yield code, {**details, "index": index}


@dataclass(frozen=True)
class IntegerList:
    """A list of distinct :class:`Integer` values.

    Attributes:
        count: Exact number of elements; None for any number.
        allow_empty: Whether a list without elements is valid where ``count`` allows any number.

    Example:
        >>> from muge_fast.tasks import IntegerList
        >>> [code for code, _ in IntegerList(count=3).problems([1, 1])]
        ['wrong_count', 'repeated_item']

    """

    count: int | None = None
    allow_empty: bool = False

    def problems(self, value: object) -> Iterator[KindProblem]:
        """Yield what is wrong with a value.

        Args:
            value: The value, as parsed from JSON.

        Yields:
            Codes of problems, with their details; see :class:`Kind`.

        """
        if not isinstance(value, list):
            yield "wrong_type", {"actual": format_value(value), "expected": "a list of integers"}
            return
        if self.count is not None and len(value) != self.count:
            yield "wrong_count", {"actual": len(value), "expected": self.count}
        elif not value and not self.allow_empty:
            yield "too_few", {}
        repeated = _repeated_indices(value)
        for index, item in enumerate(value):
            problem = next(Integer().problems(item), None)
            if problem is not None:
                code, details = problem
                yield code, {**details, "index": index}
            elif index in repeated:
                yield "repeated_item", {"value": item}


@dataclass(frozen=True, kw_only=True)
class RowFormat:
    """Format of a file of JSON lines: which fields a row has, and what they hold.

    Attributes:
        names: Alternative names of the two fields; all rows of a file use the same names. The first is the default.
        id: Kind of the ids.
        value: Kind of the values.
        text_fields: Names of optional fields with text for human readers.
        group_fields: Names of optional fields with the group of a row, a string.
        convert: Function of the content of a file that returns it as JSON Lines, or None for content that already is;
            line numbers of problems are those of its result. None if there is no other form.
        strict: Whether names of several forms in a row, repeated fields and NaN are problems; otherwise they are
            ignored.
        strict_lines: Whether blank lines, and carriage returns that no line feed follows, are problems; otherwise they
            are white space.

    Example:
        >>> from muge_fast.datasets.fields import RowFormat, Text
        >>> from muge_fast.tasks import FieldNames
        >>> RowFormat(names=(FieldNames("image_id", "label"),), id=Text(), value=Text()).strict
        True

    """

    names: tuple[FieldNames, ...]
    id: Kind
    value: Kind
    text_fields: tuple[str, ...] = ()
    group_fields: tuple[str, ...] = ()
    convert: Callable[[bytes], bytes | None] | None = None
    strict: bool = True
    strict_lines: bool = False


def _repeated_indices(items: list[object]) -> set[int]:
    """Return the indices of integers that occurred before. They are sorted: those of a file can collide in a set."""
    integers = [item for item in items if type(item) is int]
    if len(integers) <= MAX_SET_SIZE and len(set(integers)) == len(integers):
        return set()
    pairs = sorted((item, index) for index, item in enumerate(items) if type(item) is int and item in INT64)
    return {second[1] for first, second in pairwise(pairs) if first[0] == second[0]}


def _integer_hint(value: object) -> Mapping[str, object]:
    """Return how to correct an integer that is written as a string or with a fraction."""
    if isinstance(value, str) and INTEGER.fullmatch(value):
        return {"hint": "unquote"}
    return {"hint": "whole"} if isinstance(value, float) and value.is_integer() else {}


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
