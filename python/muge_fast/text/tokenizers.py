"""Tokenizers by name, by user dictionary or as a Python function."""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from muge_fast import _core
from muge_fast._internal.paths import read_whole

TokenizerLike = str | Callable[[str], list[str]]
"""The name of a tokenizer, or a function from a text to its tokens."""


@dataclass(frozen=True)
class Tokenizer:
    """A tokenizer ready for use: a named one in Rust, or a Python function.

    Attributes:
        signature: What it is called in signatures.
        core: The named tokenizer; None for a function.
        function: The function; None for a named one.

    """

    signature: str
    core: _core.Tokenizer | None = None
    function: Callable[[str], list[str]] | None = None

    @classmethod
    def of(cls, tokenizer: TokenizerLike, user_dict: str | os.PathLike[str] | None = None) -> Tokenizer:
        """Look a tokenizer up; ``user_dict`` is the path of a jieba user dictionary."""
        if isinstance(tokenizer, str):
            if user_dict is None:
                return cls(tokenizer, core=_named(tokenizer))
            words = read_whole(user_dict)
            digest = hashlib.sha256(words).hexdigest()[:8]
            try:
                text = words.decode("utf-8")
            except UnicodeDecodeError as error:
                raise ValueError(f"user_dict: {os.fspath(user_dict)} is not UTF-8 at byte {error.start}") from None
            return cls(f"{tokenizer}+user_dict({digest})", core=_core.Tokenizer(tokenizer, text))
        if not callable(tokenizer):
            raise TypeError(f"tokenizer: expected a name or a function, found {type(tokenizer).__name__}")
        if user_dict is not None:
            raise ValueError("user_dict: not used by a function, only by the tokenizer 'jieba'")
        name = f"{getattr(tokenizer, '__module__', '?')}.{getattr(tokenizer, '__qualname__', type(tokenizer).__name__)}"
        return cls(f"python({name})", function=tokenizer)

    def texts(
        self, texts: list[str], parameter: str, ids: Sequence[Hashable] | None = None
    ) -> list[str] | list[list[str]]:
        """The texts as the core wants them: as they are for a named tokenizer, cut by a function otherwise."""
        if self.function is None:
            return texts
        return [self._cut(text, f"{parameter}[{_row(place, ids)}]") for place, text in enumerate(texts)]

    def nested_texts(
        self, rows: list[list[str]], parameter: str, ids: Sequence[Hashable] | None = None
    ) -> list[list[str]] | list[list[list[str]]]:
        """The same for several texts in each row."""
        if self.function is None:
            return rows
        return [self._cut_row(row, f"{parameter}[{_row(place, ids)}]") for place, row in enumerate(rows)]

    def _cut_row(self, row: list[str], name: str) -> list[list[str]]:
        if not isinstance(row, (list, tuple)):
            raise TypeError(f"{name}: expected a list of str, found {type(row).__name__}")
        return [self._cut(text, f"{name}[{place}]") for place, text in enumerate(row)]

    def _cut(self, text: str, name: str) -> list[str]:
        if not isinstance(text, str):
            raise TypeError(f"{name}: expected str, found {type(text).__name__}")
        assert self.function is not None  # noqa: S101 - for the type checker
        tokens: object = self.function(text)
        # A string would fall apart into characters; the core refuses it by name.
        is_final = isinstance(tokens, (list, str)) or not isinstance(tokens, Iterable)
        return tokens if is_final else list(tokens)  # type: ignore[return-value, call-overload]


def _row(place: int, ids: Sequence[Hashable] | None) -> str:
    return str(place) if ids is None else repr(ids[place])


@cache
def _named(name: str) -> _core.Tokenizer:
    return _core.Tokenizer(name)


def tokenize(
    texts: Sequence[str],
    tokenizer: TokenizerLike = "muge",
    *,
    user_dict: str | os.PathLike[str] | None = None,
    threads: int | None = None,
) -> list[list[str]]:
    """Cut texts into tokens, as the metrics do before they count.

    Args:
        texts: The texts.
        tokenizer: One of

            - ``"muge"``: the rule of the MUGE caption task. Each Chinese character is a token, a run of ASCII
              letters and digits is one, white space separates, any other character is a token.
            - ``"char"``: each character that is not white space.
            - ``"whitespace"``: already tokenised text, split as ``str.split()`` does.
            - ``"space"``: split as ``str.split(" ")`` does, empty tokens included; what pycocoevalcap's ROUGE does.
            - ``"jieba"``: Chinese words, exactly those of ``jieba.lcut`` (jieba 0.42.1, default dictionary, HMM on).
            - ``"13a"``, ``"zh"``: as sacrebleu 2.6.0 defines them.
            - a function from a text to a list of tokens.
        user_dict: Path of a user dictionary in jieba's format, for ``"jieba"`` only.
        threads: Number of threads; None for all cores. The result does not depend on it.

    Returns:
        The tokens of each text.

    Raises:
        ValueError: An unknown tokenizer, a broken user dictionary, or a text that is not valid Unicode
            (a lone surrogate); the message names the row.
        TypeError: A text that is not a string.

    Example:
        >>> import muge_fast as mf
        >>> mf.tokenize(["新款A字裙，XL码"])
        [['新', '款', 'A', '字', '裙', '，', 'XL', '码']]
        >>> mf.tokenize(["新款连衣裙显瘦"], "jieba")
        [['新款', '连衣裙', '显瘦']]

    """
    rows = as_list(texts, "texts")
    chosen = Tokenizer.of(tokenizer, user_dict)
    cut = chosen.texts(rows, "texts")
    with _collector_paused():
        return _core.tokenize(cut, chosen.core, threads)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep Python's collector from looking at all lists again and again while they are made: half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def as_list(values: object, name: str) -> list[str]:
    """Make a list of a sequence; a single string, which is a sequence of characters, and sets are refused."""
    if isinstance(values, (str, AbstractSet)) or not isinstance(values, Iterable):
        raise TypeError(f"{name}: expected a sequence of str, found {type(values).__name__}")
    return values if isinstance(values, list) else list(values)


def split_ids(values: Mapping[Any, Any] | Iterable[Any], name: str) -> tuple[list[Hashable] | None, list[Any]]:
    """Ids and rows of a mapping; no ids, and the rows of a sequence."""
    if isinstance(values, Mapping):
        return list(values), list(values.values())
    return None, as_list(values, name)
