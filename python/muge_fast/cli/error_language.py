"""Errors and warnings of the library in Chinese, found by the English text that they were made from."""

from __future__ import annotations

from functools import cache, lru_cache

from muge_fast._internal.row_kinds import NAMES
from muge_fast._internal.templates import Templates
from muge_fast.cli.chinese_errors import ERRORS, PLACES
from muge_fast.datasets.image_reasons import IMAGE_REASONS
from muge_fast.datasets.problems import EXPECTED, HINTS, MESSAGES
from muge_fast.datasets.recognition import A_JSON_FILE

# Longer messages, and those of more parts, are left as they are: trying all texts would take long.
MAX_LENGTH, MAX_PARTS = 2000, 30


def in_chinese(message: str) -> str:
    """Return a message of the library in Chinese.

    Args:
        message: The message in English. It may begin with a path and a line, and end in a hint.

    Returns:
        The message in Chinese, with paths, names and values as they are; parts that have no translation stay in
        English.

    Example:
        >>> from muge_fast.cli.error_language import in_chinese
        >>> in_chinese("img.jsonl: line 2: feature[3] is NaN, needs a finite number")
        'img.jsonl：第 2 行：feature[3] 为 NaN，应为有限的数字'

    """
    is_short = len(message) <= MAX_LENGTH and message.count(": ") + message.count("; ") < MAX_PARTS
    return _translated(message) if is_short else message


# A message with many separators has the same end many times.
@lru_cache(maxsize=1000)
def _translated(text: str) -> str:
    if (chinese := _messages().translated(text, _translated)) is not None:
        return chinese
    for separator, mark, translate_head in ((": ", "：", _place), ("; ", "；", _translated), ("：", "：", str)):
        parts = text.split(separator)
        # A path before the message may have the separator, too.
        for count in range(1, len(parts)):
            head, tail = separator.join(parts[:count]), separator.join(parts[count:])
            if (chinese := _translated(tail)) != tail:
                return f"{translate_head(head)}{mark}{chinese}"
    return _quoted_reason(text)


def _place(text: str) -> str:
    """Return what stands before a message in Chinese; a path is left as it is, whatever words it has."""
    return "：".join(_places().translated(part) or part for part in text.split(": "))


def _quoted_reason(text: str) -> str:
    """Return a message of another package in quotation marks, after what this package says about it in Chinese."""
    parts = text.split(": ")
    for count, part in enumerate(parts[:-1], 1):
        if part in _places().whole:
            return f"{_place(': '.join(parts[:count]))}：“{': '.join(parts[count:])}”"
    return text


@cache
def _messages() -> Templates:
    # The row in front of a problem is translated by itself.
    problems = {english.removeprefix("{at}"): text.removeprefix("{at}") for english, text in MESSAGES.values()}
    hints = {english.removeprefix("; "): chinese.lstrip("；，") for english, chinese in HINTS.values()}
    return Templates(
        {**ERRORS, **IMAGE_REASONS, **EXPECTED, **dict([A_JSON_FILE, *NAMES.values()]), **problems, **hints}
    )


@cache
def _places() -> Templates:
    return Templates(PLACES, are_parts=True)
