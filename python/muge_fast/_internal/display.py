"""Values of files and callers, as messages and reports show them: short, on one line, harmless to a terminal."""

from __future__ import annotations

from typing import Any


def escape_surrogates(text: str) -> str:
    r"""Write half surrogate pairs, which hostile files hold and no output takes, as escapes.

    Example:
        >>> from muge_fast._internal.display import escape_surrogates
        >>> escape_surrogates("\ud83d裙")
        '\\ud83d裙'

    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def format_id(value: object, width: int = 80) -> str:
    r"""Show what names a thing, such as an id, without quotes: cut short, and with all that does not print as escapes.

    A hostile file has ids of any size, with line ends that would forge lines of a report, or with characters that
    would control a terminal.

    Example:
        >>> from muge_fast._internal.display import format_id
        >>> format_id("裙 1"), format_id("a\n# b"), format_id("x" * 100, 10)
        ('裙 1', 'a\\n# b', 'xxxxxxxxx…')

    """
    letters = str(value)[: width + 1]
    text = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in letters)
    return text if len(text) <= width else text[: width - 1] + "…"


def truncate_id(value: object, width: int = 256) -> Any:  # noqa: ANN401 - what was given
    """Give an id for a report that a machine reads: as it is, but for a text that is long beyond use.

    Example:
        >>> from muge_fast._internal.display import truncate_id
        >>> truncate_id("裙 1"), truncate_id(7), truncate_id("x" * 100, 10)
        ('裙 1', 7, 'xxxxxxxxx…')

    """
    is_long = isinstance(value, str) and len(value) > width
    return f"{value[: width - 1]}…" if is_long else value  # type: ignore[index]


def format_value(value: object, width: int = 40) -> str:
    """Show a value of a file, cut short: it may be of any size.

    Example:
        >>> from muge_fast._internal.display import format_value
        >>> format_value("x" * 100, 10)
        "'xxxxxxxx…"

    """
    if isinstance(value, (list, dict)):
        return f"a list of {len(value)}" if isinstance(value, list) else "an object"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = repr(value if not isinstance(value, str) else value[: width + 1])
    text = escape_surrogates(text)
    return text if len(text) <= width else text[: width - 1] + "…"
