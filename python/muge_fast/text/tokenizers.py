"""Tokenizers: by name, by name with a user dictionary, or as a Python function."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Hashable, ItemsView, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from muge_fast import _core
from muge_fast._internal.checks import check_choice
from muge_fast._internal.display import format_path
from muge_fast._internal.labelled import missing_hint, plain_ids, plain_items
from muge_fast._internal.paths import PathLike, read_whole

TOKENIZERS: Final = (*_core.Tokenizer.NAMES, "ptb")
"""Names of the tokenizers, the default one first. :func:`tokenize` defines each of them."""

TokenizerName = Literal["muge", "char", "whitespace", "space", "jieba", "13a", "zh", "ptb"]
"""The same names, for type checkers."""

TokenizerLike = TokenizerName | Callable[[str], Iterable[str]]
"""One of :data:`TOKENIZERS`, or a function from a text to its tokens."""


def tokenize(
    texts: Iterable[str],
    tokenizer: TokenizerLike = "muge",
    *,
    user_dict: PathLike | None = None,
    threads: int | None = None,
) -> list[list[str]]:
    """Split texts into tokens, as the caption metrics do before they count n-grams.

    Args:
        texts: The texts, valid Unicode; not a single string.
        tokenizer: One of

            - ``"muge"``: the rule of the MUGE caption task. Each Chinese character is a token, a run of ASCII
              letters and digits is one token, white space separates tokens, any other character is a token.
            - ``"char"``: each character that is not white space is a token.
            - ``"whitespace"``: split as ``str.split()`` does; for text that is already tokenized.
            - ``"space"``: split as ``str.split(" ")`` does, empty tokens included, as ROUGE of pycocoevalcap does.
            - ``"jieba"``: Chinese words, the tokens of ``jieba.lcut`` (jieba 0.42.1, default dictionary, HMM on).
            - ``"13a"``: the rule of the WMT script mteval-v13a, as in sacrebleu 2.6.0.
            - ``"zh"``: Chinese characters one by one and the rest by punctuation, as in sacrebleu 2.6.0.
            - ``"ptb"``: English words in lower case without punctuation, as pycocoevalcap 1.2 has them by Stanford's
              PTBTokenizer, here without Java. Needs the extra ``coco``, because the rules are read from that package.
              Each text is tokenized alone, and line breaks are white space.
            - a function from a text to an iterable of tokens. It runs in Python, so it is slower than a name.
        user_dict: Path of a UTF-8 file in the format of ``jieba.load_userdict``: one word on each line, optionally
            followed by its frequency and its part of speech, separated by spaces. For the jieba tokenizer only.
        threads: Number of threads, at least 1; None for all cores. The result does not depend on it.

    Returns:
        The tokens of each text, in the order of ``texts``.

    Raises:
        ValueError: An unknown tokenizer, a user dictionary with another tokenizer or with a line that is not in its
            format, a text or token that is not valid Unicode (a lone surrogate), or ``threads`` below 1. The message
            names the text or the line.
        TypeError: A text or token that is not a string, or an option of the wrong type.
        ImportError: ``"ptb"`` without pycocoevalcap, which has its rules.
        OSError: The user dictionary cannot be read, or pycocoevalcap's archive is damaged.

    Example:
        >>> import muge_fast as mf
        >>> mf.tokenize(["新款A字裙，XL码"])
        [['新', '款', 'A', '字', '裙', '，', 'XL', '码']]
        >>> mf.tokenize(["新款连衣裙显瘦"], "jieba")
        [['新款', '连衣裙', '显瘦']]
        >>> mf.tokenize(["新款 连衣裙"], lambda text: text.split())
        [['新款', '连衣裙']]

    """
    items = as_list(texts, "texts")
    if items and hasattr(items[0], "as_py"):
        # Scalars of Arrow, from iterating over an array.
        items = [item.as_py() if hasattr(item, "as_py") else item for item in items]
    return Tokenizer.resolve(tokenizer, user_dict).split(items, threads)


@dataclass(frozen=True)
class Tokenizer:
    """A tokenizer ready for use: a named one in Rust, or a Python function.

    Attributes:
        signature: Name of the tokenizer in signatures, such as ``"muge"``, ``"jieba+user_dict(1f3a9c52)"``,
            ``"ptb(715fdfb3)"`` or ``"python(module.function)"``.
        core: The named tokenizer; None for a function.
        function: The function; None for a named tokenizer.
        user_dict: Content of the user dictionary, to pickle the tokenizer; None if there is none.

    """

    signature: str
    core: _core.Tokenizer | None = None
    function: Callable[[str], Iterable[str]] | None = None
    user_dict: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        name = None if self.core is None else self.core.name
        return self._restore, (self.signature, name, self.user_dict, self.function)

    @classmethod
    def _restore(
        cls, signature: str, name: str | None, user_dict: str | None, function: Callable[[str], Iterable[str]] | None
    ) -> Tokenizer:
        if name is None:
            return cls(signature, function=function)
        core = _named_tokenizer(name) if user_dict is None else _core.Tokenizer(name, user_dict)
        return cls(signature, core=core, user_dict=user_dict)

    @classmethod
    def resolve(cls, tokenizer: str | Callable[[str], Iterable[str]], user_dict: PathLike | None = None) -> Tokenizer:
        """Return the tokenizer that an option names.

        Args:
            tokenizer: One of :data:`TOKENIZERS`, or a function.
            user_dict: Path of a user dictionary of jieba, for the tokenizer ``"jieba"`` only.

        Returns:
            The tokenizer.

        Raises:
            ValueError: An unknown name, a broken user dictionary, or a user dictionary without the tokenizer
                ``"jieba"``.
            TypeError: Neither a name nor a function.
            ImportError: The tokenizer ``"ptb"`` without pycocoevalcap.
            OSError: The user dictionary cannot be read.

        """
        if not isinstance(tokenizer, str) and not callable(tokenizer):
            raise TypeError(f"tokenizer: expected a name or a function, found {type(tokenizer).__name__}")
        if not isinstance(tokenizer, str):
            if user_dict is not None:
                raise ValueError("user_dict: not used by a function, only by the tokenizer 'jieba'")
            return cls(f"python({_qualified_name(tokenizer)})", function=tokenizer)
        core = _named_tokenizer(tokenizer)
        if user_dict is None:
            return cls(_signature(tokenizer), core=core)
        if tokenizer != "jieba":
            raise ValueError(f"user_dict: not used by tokenizer {tokenizer!r}, only by 'jieba'")
        data = read_whole(user_dict)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"user_dict: {format_path(user_dict)} is not UTF-8 at byte {error.start}") from None
        digest = hashlib.sha256(data).hexdigest()[:8]
        return cls(f"{tokenizer}+user_dict({digest})", core=_core.Tokenizer(tokenizer, text), user_dict=text)

    def split(self, texts: list[str], threads: int | None = None) -> list[list[str]]:
        """Return the tokens of texts.

        Args:
            texts: The texts.
            threads: Number of threads; None for all cores.

        Returns:
            The tokens of each text.

        Raises:
            ValueError: A text or token is not valid Unicode.
            TypeError: A text or token is not a string.

        """
        prepared = self.prepare(texts, "texts")
        with _collector_paused():
            return _core.tokenize(prepared, self.core, threads)

    def prepare(
        self, texts: list[str], parameter: str, ids: Sequence[Hashable] | None = None
    ) -> list[str] | list[list[str]]:
        """Return texts in the form that the core reads: unchanged for a named tokenizer, tokens for a function.

        Args:
            texts: One text for each item.
            parameter: Name of the texts, for errors.
            ids: The id of each item, for errors; None for indices.

        Returns:
            The texts, or the tokens of each.

        Raises:
            TypeError: A text that is not a string. (The core checks texts of named tokenizers.)

        """
        if self.function is None:
            return texts
        return [self._tokens(text, _label(parameter, index, ids)) for index, text in enumerate(texts)]

    def prepare_nested(
        self, rows: list[list[str]], parameter: str, ids: Sequence[Hashable] | None = None
    ) -> list[list[str]] | list[list[list[str]]]:
        """Return several texts for each item in the form that the core reads.

        Args:
            rows: The texts of each item.
            parameter: Name of the texts, for errors.
            ids: The id of each item, for errors; None for indices.

        Returns:
            The texts of each item, or the tokens of each text of each item.

        Raises:
            TypeError: A text that is not a string, or an item that is not a list or tuple of texts.

        """
        if self.function is None:
            return rows
        return [self._tokens_of_row(row, _label(parameter, index, ids)) for index, row in enumerate(rows)]

    def _tokens_of_row(self, row: list[str], name: str) -> list[list[str]]:
        if not isinstance(row, (list, tuple)):
            raise TypeError(f"{name}: expected a list of str, found {type(row).__name__}")
        return [self._tokens(text, f"{name}[{index}]") for index, text in enumerate(row)]

    def _tokens(self, text: str, name: str) -> list[str]:
        if not isinstance(text, str):
            raise TypeError(f"{name}: expected str, found {type(text).__name__}{missing_hint(text)}")
        assert self.function is not None  # noqa: S101 - for the type checker
        tokens: object = self.function(text)
        # list() would split a string into characters; the core raises an error for it that names the item.
        is_left_alone = isinstance(tokens, (list, str)) or not isinstance(tokens, Iterable)
        return tokens if is_left_alone else list(tokens)  # type: ignore[return-value, call-overload]


def _label(parameter: str, index: int, ids: Sequence[Hashable] | None) -> str:
    """Return how errors name an item, such as ``references['a']``."""
    return f"{parameter}[{index if ids is None else repr(ids[index])}]"


def _qualified_name(function: Callable[[str], Iterable[str]]) -> str:
    module = getattr(function, "__module__", "?")
    return f"{module}.{getattr(function, '__qualname__', type(function).__name__)}"


@cache
def _named_tokenizer(name: str) -> _core.Tokenizer:
    if check_choice("tokenizer", name, TOKENIZERS) == "ptb":
        from muge_fast.text.ptb import ptb_tokenizer  # noqa: PLC0415 - few texts are tokenized so

        return ptb_tokenizer()
    return _core.Tokenizer(name)


@cache
def _signature(name: str) -> str:
    if name != "ptb":
        return name
    from muge_fast.text.ptb import signature  # noqa: PLC0415 - few texts are tokenized so

    return signature()


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the garbage collector, which would take half of the time to traverse the growing lists repeatedly."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def as_list(values: object, name: str, expected: str = "a sequence of str") -> list[Any]:
    """Return an iterable as a list; a list is returned as it is.

    Args:
        values: The values. The index of a pandas Series is not used.
        name: Name of the values, for errors.
        expected: Description of valid values, for errors.

    Returns:
        The list.

    Raises:
        TypeError: A single string (its items would be characters), a set (it has no order), a mapping (its items would
            be ids), a table such as a DataFrame, a masked array, or not an iterable.

    """
    if type(values) is list:
        return values
    if isinstance(values, Mapping):
        raise TypeError(f"{name}: expected {expected}, found {type(values).__name__}; pass list({name}.values())")
    values = plain_items(values, name)
    if isinstance(values, Mapping):
        return list(values.values())
    if isinstance(values, (str, AbstractSet)) or not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0:
        found = "an array without axes" if hasattr(values, "ndim") else type(values).__name__
        fix = f"; pass dict({name})" if isinstance(values, ItemsView) else ""
        raise TypeError(f"{name}: expected {expected}, found {found}{fix}")
    return values if isinstance(values, list) else list(values)


def split_ids(values: object, name: str) -> tuple[list[Hashable] | None, list[Any]]:
    """Split a mapping into ids and values; a sequence has no ids.

    Args:
        values: A mapping from id, or a sequence. A pandas Series is a mapping from its index, unless its index is the
            default one.
        name: Name of the values, for errors.

    Returns:
        The ids, or None for a sequence, and the values in the same order.

    Raises:
        TypeError: A string, a set, a table such as a DataFrame, a masked array, or not an iterable.
        ValueError: A Series with an id that is missing or occurs twice.

    Example:
        >>> from muge_fast.text.tokenizers import split_ids
        >>> split_ids({"a": "红裙"}, "predictions"), split_ids(("红裙",), "predictions")
        ((['a'], ['红裙']), (None, ['红裙']))

    """
    if type(values) is list:
        return None, values
    values = plain_items(values, name)
    if isinstance(values, Mapping):
        return _ids_of_keys(values, name), list(values.values())
    return None, as_list(values, name, "a mapping or a sequence")


def _ids_of_keys(values: Mapping[Any, Any], name: str) -> list[Hashable]:
    """Return the keys of a mapping; those that are tensors or scalars of Arrow as integers and strings."""
    ids = list(values)
    is_scalar = bool(ids) and type(ids[0]) not in (int, str) and (hasattr(ids[0], "detach") or hasattr(ids[0], "as_py"))
    return plain_ids(ids, f"the ids of {name}") if is_scalar else ids
