"""``PTBTokenizer``, without Java."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

from muge_fast._internal.caller_warnings import warn_caller
from muge_fast.text.ptb import ptb_tokenizer


class PTBTokenizer:
    r"""Stanford's PTBTokenizer as pycocoevalcap runs it: words in lower case, without 17 marks of punctuation.

    All captions of a call are one text in the order of the dictionary, a line for each, as in the original. So the dot
    of an abbreviation at the end of a caption depends on the next caption. A caption with a character that breaks a
    line (``\r``, ``\v``, ``\f``, U+2028 or U+2029) is printed on several lines, and every
    caption after it gets the tokens of an earlier one. This is reproduced, and a ``UserWarning`` says so; the tokenizer
    ``"ptb"`` of :func:`muge_fast.tokenize` does not have it.

    Example:
        >>> from muge_fast.compat.pycocoevalcap import PTBTokenizer
        >>> PTBTokenizer().tokenize({1: [{"caption": "A man (left) can't ride."}]})  # doctest: +SKIP
        {1: ["a man -lrb- left -rrb- ca n't ride"]}

    """

    def tokenize(self, captions_for_image: Mapping[Any, Sequence[Mapping[str, Any]]]) -> dict[Any, list[str]]:
        """Tokenize captions.

        Args:
            captions_for_image: A list of captions for each id, each ``{"caption": text}``.

        Returns:
            The tokens of each caption, joined by spaces. Ids without captions are left out, as in the original.

        Raises:
            KeyError: A caption without ``"caption"``.
            TypeError: A caption that is not a string.
            ValueError: A caption that is not valid Unicode (a lone surrogate).
            ImportError: pycocoevalcap is not installed; it has the rules.
            OSError: Its archive is damaged.

        Example:
            >>> from muge_fast.compat.pycocoevalcap import PTBTokenizer
            >>> PTBTokenizer().tokenize({"a": [{"caption": "Two dogs -- one black"}], "b": []})  # doctest: +SKIP
            {'a': ['two dogs one black']}

        """
        captions = [row["caption"] for rows in captions_for_image.values() for row in rows]
        lines = ptb_tokenizer().caption_lines(captions, None)
        if captions and len(lines) != len(captions):
            _warn_about_shifts(len(captions), len(lines))
        ids: chain[Hashable] = chain.from_iterable(repeat(item, len(rows)) for item, rows in captions_for_image.items())
        tokenized: dict[Any, list[str]] = {}
        for item, line in zip(ids, lines, strict=False):
            tokenized.setdefault(item, []).append(line)
        return tokenized


def _warn_about_shifts(captions: int, lines: int) -> None:
    warn_caller(
        f"{captions} captions have {lines} lines of tokens, because some have characters that break lines (such as "
        "\\r or U+2028). As in pycocoevalcap, each caption after them gets the tokens of another. Replace "
        "these characters by spaces: [' '.join(caption.split()) for caption in captions]"
    )
