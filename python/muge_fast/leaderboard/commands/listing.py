"""Reading lists that the store returns in parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar


class HasId(Protocol):
    """A row with an id."""

    @property
    def id(self) -> str:
        """The id."""


Row = TypeVar("Row", bound=HasId)


def every(part: Callable[[str], list[Row]]) -> list[Row]:
    """Return all rows of a list.

    Args:
        part: Function of an id that returns the rows after it; of an empty text, the first ones.

    Returns:
        The rows.

    """
    rows, after = [], ""
    while found := part(after):
        rows += found
        after = found[-1].id
    return rows
