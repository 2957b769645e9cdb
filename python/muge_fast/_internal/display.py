"""Formatting of untrusted values for messages and reports: short, on one line, without control characters."""

from __future__ import annotations

from typing import TypeVar

Value = TypeVar("Value")


def escape_surrogates(text: str) -> str:
    r"""Return a text with lone surrogates replaced by escapes, because no output encoding accepts them.

    Args:
        text: Any text.

    Returns:
        The text in valid Unicode.

    Example:
        >>> from muge_fast._internal.display import escape_surrogates
        >>> escape_surrogates("\ud83d裙")
        '\\ud83d裙'

    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def format_id(value: object, width: int = 80) -> str:
    r"""Return an id or a name for a message: without quotes, truncated, with escapes for unprintable characters.

    An untrusted id may have any length, and may hold line ends or terminal control sequences that would forge a report.

    Args:
        value: The id.
        width: Maximum number of characters of the result, apart from escapes.

    Returns:
        One line of printable characters.

    Example:
        >>> from muge_fast._internal.display import format_id
        >>> format_id("裙 1"), format_id("a\n# b"), format_id("x" * 100, 10)
        ('裙 1', 'a\\n# b', 'xxxxxxxxx…')

    """
    letters = str(value)[: width + 1]
    text = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in letters)
    return text if len(text) <= width else text[: width - 1] + "…"


def truncate_id(value: Value, width: int = 256) -> Value | str:
    """Return an id for a machine-readable report: unchanged, except that a long string is truncated.

    Args:
        value: The id.
        width: Maximum number of characters of a string.

    Returns:
        The id, or its first characters.

    Example:
        >>> from muge_fast._internal.display import truncate_id
        >>> truncate_id("裙 1"), truncate_id(7), truncate_id("x" * 100, 10)
        ('裙 1', 7, 'xxxxxxxxx…')

    """
    return f"{value[: width - 1]}…" if isinstance(value, str) and len(value) > width else value


def format_argument(value: object) -> str:
    """Return an argument for a message: as Python writes it, truncated.

    Args:
        value: Any value.

    Returns:
        One line of text.

    Example:
        >>> from muge_fast._internal.display import format_argument
        >>> format_argument(None), format_argument([1, 2]), format_argument("10")
        ('None', 'a list of 2', "'10'")

    """
    if value is None or isinstance(value, bool):
        return repr(value)
    return "a dict" if isinstance(value, dict) else format_value(value)


def format_value(value: object, width: int = 40) -> str:
    """Return a value from a file for a message: strings quoted, JSON literals as in JSON, truncated.

    Args:
        value: Any value.
        width: Maximum number of characters.

    Returns:
        One line of text.

    Example:
        >>> from muge_fast._internal.display import format_value
        >>> format_value("x" * 100, 10), format_value([1, 2]), format_value(None)
        ("'xxxxxxxx…", 'a list of 2', 'null')

    """
    if isinstance(value, (list, dict)):
        return f"a list of {len(value)}" if isinstance(value, list) else "an object"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = repr(value if not isinstance(value, str) else value[: width + 1])
    text = escape_surrogates(text)
    return text if len(text) <= width else text[: width - 1] + "…"
