"""Translation of messages by the texts with placeholders that they were made from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property

PLACEHOLDER = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")
# Placeholders of integers.
INTEGERS = {"line", "index", "position", "column", "count"}
# What a placeholder stands for if it is an integer, if it must end before the next colon, and otherwise.
INTEGER, PART, ANYTHING = r"[\d,]+", r"(?:(?!: ).)+?", ".+?"


def _as_it_is(value: str) -> str:
    return value


class Templates:
    """Texts with placeholders in two languages.

    Args:
        pairs: Texts of the second language by those of the first, with the same placeholders as ``str.format`` has.
            ``{line}``, ``{index}``, ``{position}``, ``{column}`` and ``{count}`` stand for integers.
        are_parts: Whether a value has no colon. Otherwise only one at the beginning has none, because it may be a path
            with another message behind it.

    Example:
        >>> from muge_fast._internal.templates import Templates
        >>> Templates({"line {line} has no {field}": "第 {line} 行缺少 {field}"}).translated("line 3 has no text")
        '第 3 行缺少 text'

    """

    def __init__(self, pairs: Mapping[str, str], *, are_parts: bool = False) -> None:
        self._pairs, self._are_parts = pairs, are_parts

    def translated(self, text: str, translate_value: Callable[[str], str] = _as_it_is) -> str | None:
        """Return a text in the second language.

        Args:
            text: A text that may have been made from one of the first language.
            translate_value: Function for the values of placeholders.

        Returns:
            The text of the second language with the same values; None if no text fits.

        """
        if text in self.whole:
            return self.whole[text]
        for pattern, other in self._patterns:
            if found := pattern.fullmatch(text):
                return other.format(**{name: translate_value(value) for name, value in found.groupdict().items()})
        return None

    @cached_property
    def whole(self) -> dict[str, str]:
        """The pairs without placeholders."""
        return {_plain(text): _plain(other) for text, other in self._pairs.items() if not PLACEHOLDER.search(text)}

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """Patterns with texts of the second language, those with the longest fixed parts first."""
        texts = filter(PLACEHOLDER.search, self._pairs)
        return [(self._pattern(text), self._pairs[text]) for text in sorted(texts, key=_fixed_length, reverse=True)]

    def _pattern(self, text: str) -> re.Pattern[str]:
        # Fixed parts and names of placeholders take turns.
        first, *parts = PLACEHOLDER.split(text)
        pattern = re.escape(_plain(first))
        for index, (name, fixed) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
            is_part = self._are_parts or (index == 0 and not first)
            value = INTEGER if name in INTEGERS else PART if is_part else ANYTHING
            pattern += f"(?P={name})" if name in parts[: 2 * index : 2] else f"(?P<{name}>{value})"
            pattern += re.escape(_plain(fixed))
        return re.compile(pattern, re.DOTALL)


def _plain(text: str) -> str:
    """Return a text without placeholders as ``str.format`` returns it."""
    return text.replace("{{", "{").replace("}}", "}")


def _fixed_length(text: str) -> int:
    return len(PLACEHOLDER.sub("", text))
