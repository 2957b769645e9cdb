"""Parsing of untrusted JSON: its depth is found before a recursive parser sees it.

The parser of Python calls itself for each list and object. How deep that may go depends on the version of Python and on
``sys.setrecursionlimit``; in a thread with a small stack the process can end before Python raises an error.
"""

from __future__ import annotations

import json

from muge_fast import _core

# As in the core, whose parser stops there. A level takes about 200 bytes of the stack of a thread.
MAX_DEPTH = 127


def is_deeper(text: str | bytes, limit: int = MAX_DEPTH) -> bool:
    """Return whether lists and objects of a JSON text are nested more deeply than a limit.

    Args:
        text: The text, as UTF-8 if it is bytes; it need not be valid.
        limit: Largest depth that is allowed.

    Returns:
        True if they are, up to the first error of the text.

    Example:
        >>> from muge_fast._internal.json_depth import is_deeper
        >>> is_deeper("[[1], [2]]", 1), is_deeper('["[["]', 1)
        (True, False)

    """
    # Nearly all rows have few brackets.
    brackets = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
    if brackets <= limit:
        return False
    return _core.is_deeper_json(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text, limit)


def parse_json(text: str | bytes) -> object:
    """Return the value of an untrusted JSON text.

    Args:
        text: The text, UTF-8 if it is bytes.

    Returns:
        The value.

    Raises:
        ValueError: The text is no JSON, or bytes are not UTF-8.
        RecursionError: Lists and objects are nested more than 127 deep.

    Example:
        >>> from muge_fast._internal.json_depth import parse_json
        >>> parse_json(b'{"a": [1]}')
        {'a': [1]}

    """
    if is_deeper(text):
        raise RecursionError(f"lists or objects are nested more than {MAX_DEPTH} deep")
    # Python itself would also take UTF-16, in which brackets can be hidden.
    return json.loads(text.decode("utf-8") if isinstance(text, bytes) else text)
