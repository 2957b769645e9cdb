"""Untrusted JSON: its depth is found before a recursive parser reads it; and JSON that was cut off.

The parser of Python calls itself for each list and object. How deep that may go depends on the version of Python and on
``sys.setrecursionlimit``; in a thread with a small stack the process can end before Python raises an error.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from contextlib import suppress
from itertools import accumulate
from threading import Lock, Thread, current_thread, main_thread, stack_size
from typing import Any, TypeVar

Result = TypeVar("Result")

# Stack of the main thread on most systems, and a depth that it has room for: a level takes about 200 bytes. Python
# allows about 1,000 levels, some versions 10,000, and any number if a caller raises its limit.
STACK_BYTES, MAX_DEPTH = 1 << 23, 10_000
# Depth that has room in a thread with any stack.
SMALL_DEPTH = 127
_stack_lock = Lock()
# A string, valid or not, up to its end or that of the text.
ANY_STRING = re.compile(rb'(?s)"[^"\\]*(?:\\.[^"\\]*)*"?')
# 1 for a bracket that opens and -1 for one that closes, as signed bytes.
STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
NO_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))
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


def is_deeper(text: str | bytes, limit: int = MAX_DEPTH) -> bool:
    """Return whether lists and objects of a JSON text are nested more deeply than a limit.

    Args:
        text: The text, as UTF-8 if it is bytes; it need not be valid.
        limit: Largest depth that is allowed.

    Returns:
        True if they are, up to the first error of the text.

    Example:
        >>> from muge_fast._internal.json_text import is_deeper
        >>> is_deeper("[[1], [2]]", 1), is_deeper('["[["]', 1)
        (True, False)

    """
    # Nearly all rows have few brackets.
    brackets = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
    if brackets <= limit:
        return False
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    steps = ANY_STRING.sub(b"", data).translate(STEPS, NO_BRACKETS)
    return max(accumulate(memoryview(steps).cast("b")), default=0) > limit


class _Call(Thread):
    """A thread that calls a function, with few other calls below it."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[object, ...]) -> None:
        super().__init__(daemon=True)
        self._function, self._arguments = function, arguments
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self._function(*self._arguments)
        except BaseException as error:  # noqa: BLE001 - raised where the thread is waited for
            self.error = error
            _clear_frames(error)


def _clear_frames(error: BaseException | None) -> None:
    """Free the variables of an error's calls: freeing a deeply nested value may need as much stack as reading it."""
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            # Calls that have not ended are not cleared.
            with suppress(RuntimeError):
                trace.tb_frame.clear()
            trace = trace.tb_next
        error = error.__context__


def on_large_stack(function: Callable[..., Result], *arguments: object, always: bool = False) -> Result:
    """Call a function where the parser of Python has room: directly in the main thread, else in a new thread.

    Args:
        function: The function.
        arguments: Its arguments.
        always: Whether to start a thread in any case, which has fewer calls on its stack than the caller.

    Returns:
        What the function returns; what it raises is raised.

    Example:
        >>> from muge_fast._internal.json_text import on_large_stack
        >>> on_large_stack(max, 3, 7)
        7

    """
    if current_thread() is main_thread() and not always:
        return function(*arguments)
    thread = _Call(function, arguments)
    # The size of all new threads, for a moment.
    with _stack_lock:
        before = stack_size(STACK_BYTES)
        try:
            thread.start()
        finally:
            stack_size(before)
    thread.join()
    if thread.error is not None:
        raise thread.error
    result: Result = thread.result
    return result


def parse_json(text: str | bytes) -> object:
    """Return the value of an untrusted JSON text.

    Args:
        text: The text, UTF-8 if it is bytes.

    Returns:
        The value, with None for lists and objects that are nested more than 127 deep.

    Raises:
        ValueError: The text is not JSON, or bytes are not UTF-8.
        RecursionError: Lists and objects are nested too deeply.

    Example:
        >>> from muge_fast._internal.json_text import parse_json
        >>> parse_json(b'{"a": [1]}')
        {'a': [1]}

    """
    # Python itself would also take UTF-16, in which brackets can be hidden.
    string = text.decode("utf-8") if isinstance(text, bytes) else text
    if not is_deeper(text, SMALL_DEPTH):
        return json.loads(string)
    if is_deeper(text):
        raise RecursionError(f"lists or objects are nested more than {MAX_DEPTH:,} deep")
    return on_large_stack(_parse_and_cut, string)


def cut_deep(value: object, depth: int = SMALL_DEPTH) -> object:
    """Return a value in which None stands for what is nested so deeply that freeing it may need a large stack.

    Args:
        value: The value of a JSON text.
        depth: Depth of lists and objects that are kept.

    Returns:
        The value, with new lists and objects.

    Example:
        >>> from muge_fast._internal.json_text import cut_deep
        >>> cut_deep([1, [2, [3]]], 2)
        [1, [2, None]]

    """
    if not isinstance(value, (list, dict)):
        return value
    if not depth:
        return None
    if isinstance(value, list):
        return [cut_deep(element, depth - 1) for element in value]
    return {name: cut_deep(element, depth - 1) for name, element in value.items()}


def _parse_and_cut(text: str) -> object:
    return cut_deep(json.loads(text))


def is_json_prefix(data: bytes) -> bool:
    r"""Return whether bytes are the beginning of a JSON list or object that lacks its end.

    The bytes may end anywhere: in a string, an escape, a number, or in the middle of a character.

    Args:
        data: The bytes, which begin with the list or object.

    Returns:
        True if bytes can be appended that make it valid; False if it is complete or broken, or nested too deeply.

    Example:
        >>> from muge_fast._internal.json_text import is_json_prefix
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
