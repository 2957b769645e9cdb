"""Captions and references by id, as every class of pycocoevalcap takes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from muge_fast import _core
from muge_fast._internal.caller_warnings import warn_caller
from muge_fast.caption.document_frequency import MAX_ORDER, DocumentFrequency
from muge_fast.text.tokenizers import Tokenizer

if TYPE_CHECKING:
    from muge_fast.scores import FloatArray

TEXTS_TO_CHECK = 100
"""Number of lists of texts whose first text is searched for spaces."""

SPACED = re.compile(r"\S\s+\S")
CHINESE = re.compile("[\u3400-\u9fff]{4}")

Texts = Mapping[Any, "list[str]"]
"""A list of tokenized texts for each id."""


@dataclass(frozen=True)
class Items:
    """One caption and its references for each id; an id may occur several times."""

    ids: list[object]
    captions: list[str]
    references: list[list[str]]

    @classmethod
    def from_mappings(cls, gts: Texts, res: Texts) -> Items:
        """Return the items of the arguments of ``compute_score``.

        Args:
            gts: References by id.
            res: Captions by id.

        Returns:
            The items, in the order of ``gts``.

        Raises:
            AssertionError: Ids that differ, an id without exactly one caption, or without references.

        """
        if gts.keys() != res.keys():
            problem = missing_ids("res", res, gts) or missing_ids("gts", gts, res)
            raise AssertionError(f"gts and res have different ids: {problem}")
        return cls.from_rows((item, res[item], gts[item]) for item in gts)

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[object, object, object]]) -> Items:
        """Return items of an id, a list of one caption and a list of references each.

        Args:
            rows: The items.

        Returns:
            The items.

        Raises:
            AssertionError: An item without exactly one caption, or without references.

        """
        items = cls([], [], [])
        for item, caption, references in rows:
            if type(caption) is not list or len(caption) != 1:
                raise AssertionError(f"caption of {item!r}: expected a list of one str, found {_describe(caption)}")
            if type(references) is not list or not references:
                raise AssertionError(f"references of {item!r}: expected a list of str, found {_describe(references)}")
            items.ids.append(item)
            items.captions.append(caption[0])
            items.references.append(references)
        return items

    def statistics(
        self, metric: str, tokenizer: str, df: DocumentFrequency | None = None, sigma: float = 6.0, n: int = MAX_ORDER
    ) -> FloatArray:
        """Return the statistics of each item: its score, except for BLEU."""
        core, frequency = Tokenizer.resolve(tokenizer).core, None if df is None else df.core
        references = _core.References(self.references, core, self.ids, frequency)
        return references.score(
            self.captions,
            core,
            [metric],
            ids=self.ids,
            items=None,
            sigma=sigma,
            orders=n,
            threads=None,
            keep_tables=False,
        )[metric]

    def longest(self) -> int:
        """Return the number of tokens of the longest text."""
        return max(len(text.split()) for texts in [self.captions, *self.references] for text in texts)


class TokenizedTexts(dict[Any, "list[str]"]):
    """Texts that were cut with the tokenizer that the caller chose."""


def warn_about_uncut_text(gts: Texts, res: Texts) -> None:
    """Warn about Chinese text without spaces: each text is one token then, and nearly every score is 0."""
    if isinstance(gts, TokenizedTexts):
        return
    lists = islice(chain(res.values(), gts.values()), TEXTS_TO_CHECK)
    firsts = [texts[0] for texts in lists if isinstance(texts, list) and texts]
    texts = [text for text in firsts if isinstance(text, str) and text.strip()]
    if not texts:
        return
    if any(SPACED.search(text) for text in texts) or sum(map(bool, map(CHINESE.search, texts))) * 2 < len(texts):
        return
    warn_caller(
        "the captions are Chinese without spaces, but pycocoevalcap splits at spaces, so each caption is one token. "
        "Cut them first: [' '.join(tokens) for tokens in muge_fast.tokenize(texts)]"
    )


def missing_ids(name: str, texts: Texts, wanted: Texts) -> str:
    """Return what a dictionary lacks.

    Args:
        name: Its name, for the message.
        texts: The dictionary.
        wanted: One with the ids that it must have.

    Returns:
        The first missing id and the number of others; empty if there is none.

    """
    missing = [item for item in wanted if item not in texts]
    return f"{name} lacks {missing[0]!r}" + (f" and {len(missing) - 1} more" if missing[1:] else "") if missing else ""


def _describe(value: object) -> str:
    return f"a list of {len(value)}" if isinstance(value, list) else type(value).__name__


def mean_and_scores(scores: FloatArray) -> tuple[np.float64, FloatArray]:
    """Return the mean of scores, and the scores.

    Args:
        scores: The scores.

    Returns:
        Their mean, and the scores themselves.

    """
    return np.mean(scores, dtype=np.float64), scores
