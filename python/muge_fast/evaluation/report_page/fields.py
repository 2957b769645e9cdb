"""Fields of an item: texts with marked parts, rankings and lists of ids, as data and as elements."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from muge_fast._internal.display import escape_surrogates, format_id
from muge_fast.evaluation.report_page.elements import Markup, element
from muge_fast.evaluation.report_page.pictures import Pictures

# Characters of a text, and texts or ids in one field of an item.
SHOWN_CHARACTERS = 400
SHOWN_VALUES = 20

# Classes of parts of a text, by level: plain, a shared token, a shared phrase, right, wrong.
LEVELS = ("", "token", "phrase", "right", "wrong")


class Field(NamedTuple):
    """A field of an item, such as its references.

    Attributes:
        label: Index of its label in :attr:`ItemList.labels`.
        kind: ``"texts"``, ``"ranking"`` or ``"ids"``.
        values: Of ``"texts"``, a list for each text: a string of levels, one digit for each part, then the parts. Of
            ids, pairs of the id and 1 for a hit, else 0.

    """

    label: int
    kind: str
    values: list[list[Any]]


def shorten(text: object) -> str:
    """Return the first characters of a text of a file, in valid Unicode.

    Args:
        text: The text.

    Returns:
        At most ``SHOWN_CHARACTERS`` characters, with an ellipsis if there were more.

    """
    value = str(text)
    value = value if len(value) <= SHOWN_CHARACTERS else value[:SHOWN_CHARACTERS] + "…"
    return value if value.isascii() else escape_surrogates(value)


def plain_text(text: object, level: int = 0) -> list[Any]:
    """Return a text of one level as a value of a field of texts.

    Args:
        text: The text.
        level: Index in ``LEVELS``.

    Returns:
        The value.

    """
    return [str(level), shorten(text)]


def id_list(values: Sequence[object], hits: object = frozenset()) -> list[list[Any]]:
    """Return ids as values of a field.

    Args:
        values: The ids.
        hits: A container of the ids that are hits.

    Returns:
        Pairs of id and 0 or 1.

    """
    return [[format_id(value), int(value in hits)] for value in values[:SHOWN_VALUES]]  # type: ignore[operator]


# The script makes the same elements in its function "buildField".


def field_element(shown: Field, label: str, hit: str, pictures: Pictures | None = None) -> Markup:
    """Return a field as an element.

    Args:
        shown: The field.
        label: Its label.
        hit: The word that marks a hit.
        pictures: Pictures of the ids in fields, if there are any.

    Returns:
        The element.

    """
    title = element("h4", label)
    if shown.kind == "texts":
        values = [element("li", *map(_part, text[0], text[1:])) for text in shown.values]
        return element("div", title, element("ul", *values, class_="texts"), class_="field")
    values = [_id(position, key, is_hit, hit, pictures) for position, (key, is_hit) in enumerate(shown.values, 1)]
    kind = "ol" if shown.kind == "ranking" else "ul"
    return element("div", title, element(kind, *values, class_="chips"), class_=f"field {shown.kind}")


def _part(level: str, text: str) -> Markup:
    name = LEVELS[int(level)]
    return element("span", text, class_=name) if name else Markup(escape(text))


def _id(rank: int, key: str, is_hit: int, hit: str, pictures: Pictures | None) -> Markup:
    picture = [] if pictures is None else [pictures.image(key, key)]
    mark = [element("span", hit, class_="badge good")] if is_hit else []
    number = element("span", str(rank), class_="rank")
    return element("li", *picture, number, element("span", key, class_="key"), *mark, class_="hit" if is_hit else "")
