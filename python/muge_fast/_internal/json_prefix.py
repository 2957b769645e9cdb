"""Recognition of JSON that was cut off."""

from __future__ import annotations

import codecs
import re

from muge_fast._internal.json_depth import is_deeper, parse_json

# A string from its quote: complete, or up to the end of the text.
STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*')
PARTIAL_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
STRUCTURE = re.compile(r'["\[\]{}]')
CLOSING = {"[": "]", "{": "}"}
# The end of a number or a literal that lacks its rest, with a rest.
PARTIAL_NUMBER = re.compile(r"(?:-|\d\.|\d[eE]|[eE][+-])\Z")
PARTIAL_LITERAL = re.compile(r"[a-zA-Z]+\Z")
LITERALS = ("true", "false", "null")
# Characters at the end that are enough to find such a word: looking further takes quadratic time.
WORD_LENGTH = 6
# What may have to follow before the lists and objects are closed: nothing, a value, the value of a field, a field.
RESTS = ("", "0", ":0", '"":0')


def is_json_prefix(data: bytes) -> bool:
    r"""Return whether bytes are the beginning of a JSON list or object that lacks its end.

    The bytes may end anywhere: in a string, an escape, a number, or in the middle of a character.

    Args:
        data: The bytes, which begin with the list or object.

    Returns:
        True if bytes can be appended that make it valid; False if it is complete or broken, or nested too deeply.

    Example:
        >>> from muge_fast._internal.json_prefix import is_json_prefix
        >>> is_json_prefix(b'{"a": [1, "\\u4'), is_json_prefix(b'{"a": 1}'), is_json_prefix(b'{"a" 1')
        (True, False, False)

    """
    if is_deeper(data):
        return False
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data).rstrip(" \t\r\n")
    except UnicodeDecodeError:
        return False
    position, closing = 0, ""
    opened: list[str] = []
    while match := STRUCTURE.search(text, position):
        position = match.end()
        if match[0] == '"':
            string = STRING.match(text, match.start())
            assert string is not None  # noqa: S101 - it begins with a quote
            position = string.end() + 1
            if string.end() >= len(text) or PARTIAL_ESCAPE.match(text, string.end()):
                text, closing = text[: string.end()], '"'
                break
            if text[string.end()] != '"':
                return False
        elif match[0] in CLOSING:
            opened.append(CLOSING[match[0]])
        elif not opened or opened.pop() != match[0]:
            return False
    if not opened:
        return False
    text += closing or _rest_of_word(text)
    ends = "".join(reversed(opened))
    return any(_is_json(text + rest + ends) for rest in RESTS)


def _rest_of_word(text: str) -> str:
    text = text[-WORD_LENGTH:]
    if PARTIAL_NUMBER.search(text):
        return "0"
    word = PARTIAL_LITERAL.search(text)
    literal = next((literal for literal in LITERALS if word and literal.startswith(word[0])), "")
    return literal[len(word[0]) :] if word else ""


def _is_json(text: str) -> bool:
    try:
        parse_json(text)
    except (ValueError, RecursionError):
        return False
    return True
