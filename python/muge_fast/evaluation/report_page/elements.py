"""Elements of an HTML page, with all text escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

# Elements without content or end tag.
VOID = ("img", "input", "meta")


class Markup(str):
    """Text that is already HTML and is not escaped again."""

    __slots__ = ()


def element(tag: str, *content: str, **attributes: str) -> Markup:
    """Return an element; content and attributes are escaped unless they are :class:`Markup`.

    Args:
        tag: Name of the element.
        content: Text and elements inside it.
        attributes: Attributes. Underscores stand for hyphens, and one at the end is dropped, as in ``class_``.

    Returns:
        The element.

    Example:
        >>> from muge_fast.evaluation.report_page.elements import element
        >>> element("p", "1 < 2 ", element("b", "!"), class_="muted")
        '<p class="muted">1 &lt; 2 <b>!</b></p>'

    """
    names = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    start = f"<{tag}" + "".join(f' {name}="{_escape(value)}"' for name, value in names.items()) + ">"
    return Markup(start if tag in VOID else f"{start}{''.join(map(_escape, content))}</{tag}>")


def join(elements: Iterable[Markup], separator: str = "") -> Markup:
    """Return several elements as one piece of markup.

    Args:
        elements: The elements.
        separator: Text between them.

    Returns:
        The markup.

    Example:
        >>> from muge_fast.evaluation.report_page.elements import element, join
        >>> join([element("b", "1"), element("b", "2")], ", ")
        '<b>1</b>, <b>2</b>'

    """
    return Markup(_escape(separator).join(elements))


def _escape(text: str) -> str:
    return text if isinstance(text, Markup) else escape(text)
