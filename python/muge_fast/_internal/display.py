"""Formatting of untrusted values for messages and reports: short, on one line, without control characters."""

from __future__ import annotations

import json
import math
import os
import re
from typing import TypeVar

Value = TypeVar("Value")

# Characters without a glyph that Python calls printable: joiners, fillers, variation selectors.
INVISIBLE = frozenset(
    map(
        chr,
        (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164, *range(0xFE00, 0xFE10), 0xFFA0),
    )
) | frozenset(map(chr, range(0xE0100, 0xE01F0)))
NOT_ASCII = re.compile(r"[^\n -~]")
# Most characters of a message with text of a file, whose parts are limited, too; and accents on one letter.
MAX_MESSAGE, MAX_MARKS = 10_000, 4
ACCENT = (
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u06d6-\u06dc\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
MARKS = re.compile(f"({ACCENT}{{{MAX_MARKS}}})({ACCENT}+)")
# First characters of what spreadsheets calculate, also in full width; and what they need not be kept from.
FORMULA, PLAIN_NUMBER = "=+-@\t\r\n＝＋－＠", re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
# Text that no renderer takes for markup or for an address: words, also with an underscore between letters.
PLAIN = re.compile(r"[^\W_]+(?:_[^\W_]+|[ ,:，：]+[^\W_]+)*")


def printable(text: str, width: int | None = MAX_MESSAGE) -> str:
    r"""Return text for a terminal or a log: one line, with escapes for everything that is not seen or that controls.

    This is the function that all output passes which may have text of a file, a file name, an argument or another
    package: it escapes control characters, line ends, marks of direction, characters without a width, private ones and
    lone surrogates.

    Args:
        text: Any text.
        width: Maximum number of characters of the text; None for no limit.

    Returns:
        The text in visible characters, truncated in the middle if it is longer than ``width``.

    Example:
        >>> from muge_fast._internal.display import printable
        >>> printable("a\x1b[2J\n\u202e\udc80裙"), printable("begin" + "x" * 100 + "end", 9)
        ('a\\x1b[2J\\n\\u202e\\udc80裙', 'begin…end')

    """
    if width is not None and len(text) > width:
        text = f"{text[: width // 2 + 1]}…{text[len(text) - width // 2 + 1 :]}"
    if text.isascii() and text.isprintable():
        return text
    # Hundreds of accents on one letter reach over the lines above.
    text = MARKS.sub(lambda found: found[1] + _escaped(found[2]), text)
    return "".join(map(_visible, text))


def format_path(path: str | bytes | os.PathLike[str]) -> str:
    r"""Return a path for a message: on one line, without characters that control a terminal.

    Args:
        path: The path.

    Returns:
        The path, with escapes for characters that are not printable.

    Example:
        >>> from muge_fast._internal.display import format_path
        >>> format_path("folder/a\x1b[2J.jsonl")
        'folder/a\\x1b[2J.jsonl'

    """
    return printable(os.fsdecode(path))


def plain_markdown(text: str) -> str:
    """Return a text without markup, because it may come from a submission: as it is, or as code.

    Only code keeps all renderers from making links of bare addresses, of names after ``@`` and of numbers after ``#``,
    whatever is escaped.

    Args:
        text: The text.

    Returns:
        Markdown that is rendered as the text. Within a table, bars still have to be escaped.

    Example:
        >>> from muge_fast._internal.display import plain_markdown
        >>> plain_markdown("red dress"), plain_markdown("[a](http://b)")
        ('red dress', '`[a](http://b)`')

    """
    text = printable(text) or " "
    if PLAIN.fullmatch(text):
        return text
    # Longer than all others in the text, so that none of them can end the code.
    mark = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    # A renderer takes one space from both ends away.
    space = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{mark}{space}{text}{space}{mark}"


def json_text(value: object, *, indent: int | None = None) -> str:
    r"""Return a value as JSON that every parser accepts, and that controls no terminal it is printed on.

    Args:
        value: Plain values.
        indent: Spaces of each level; None for one line.

    Returns:
        JSON in valid Unicode. Characters that are not printable are JSON escapes; half of a surrogate pair, which some
        parsers refuse, is the text of its escape. A float that is not finite is ``null``.

    Example:
        >>> from muge_fast._internal.display import json_text
        >>> json_text({"裙": "\x9b2J\ud83d", "n": float("nan")})
        '{"裙": "\\u009b2J\\\\ud83d", "n": null}'

    """
    try:
        text = json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, indent=indent)
    # Line feeds are those of the indentation; those in strings are escaped already.
    return NOT_ASCII.sub(lambda found: _json_letter(found[0]), text)


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(element) for key, element in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(element) for element in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _json_letter(letter: str) -> str:
    if letter.isprintable() and letter not in INVISIBLE:
        return letter
    return f"\\{_escaped(letter)}" if "\ud800" <= letter <= "\udfff" else json.dumps(letter)[1:-1]


def _visible(letter: str) -> str:
    """Return a character, or its escape if it is not seen; the ideographic space and the like are seen as spaces."""
    if letter in INVISIBLE:
        return _escaped(letter)
    return letter if letter.isprintable() or letter == "\u3000" else repr(letter)[1:-1]


def _escaped(letter: str) -> str:
    return letter.encode("ascii", "backslashreplace").decode("ascii")


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
    text = printable(str(value)[: width + 1], None)
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
    text = printable(repr(value if not isinstance(value, str) else value[: width + 1]), None)
    return text if len(text) <= width else text[: width - 1] + "…"


def spreadsheet_text(value: object) -> object:
    """Return a cell of a table: text that a spreadsheet would take for a formula gets an apostrophe.

    Args:
        value: The cell.

    Returns:
        The cell, unchanged unless it is such a text.

    Example:
        >>> from muge_fast._internal.display import spreadsheet_text
        >>> spreadsheet_text("=1+1"), spreadsheet_text("-5"), spreadsheet_text(-5)
        ("'=1+1", '-5', -5)

    """
    is_formula = isinstance(value, str) and value[:1] in FORMULA and value[:1] and not PLAIN_NUMBER.fullmatch(value)
    return f"'{value}" if is_formula else value


def quantity(count: int | str, unit: str) -> str:
    """Return a number with its unit in singular or plural.

    Args:
        count: The number, or its digits as they are to be shown.
        unit: A noun in singular.

    Returns:
        The text.

    Example:
        >>> from muge_fast._internal.display import quantity
        >>> quantity(1, "item"), quantity("1,000", "query"), quantity(0, "image")
        ('1 item', '1,000 queries', '0 images')

    """
    if str(count) == "1":
        return f"1 {unit}"
    return f"{count} {unit.removesuffix('y')}ies" if unit.endswith("y") else f"{count} {unit}s"
