"""The fields of an item for two systems: what both of them answered, and the gold file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from muge_fast.datasets.fields import IntegerList, Text, TextList
from muge_fast.evaluation.report_page.captions import mark, ngrams
from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.fields import Field, id_list, plain_text, shorten
from muge_fast.text.tokenizers import Tokenizer

FIRST, SECOND, GOLD, TEXT = range(4)
"""Labels of fields: two systems, the gold file, and text for human readers."""

# Values of the gold file for each item, such as references of a caption.
SHOWN_GOLD = 10
# Levels of texts, see report_page.fields.LEVELS.
RIGHT, WRONG = 3, 4


class Pair(NamedTuple):
    """The contents of two reports of one task."""

    first: PageContent
    second: PageContent


def pair_fields(pair: Pair, keys: Sequence[Any]) -> list[list[Field]]:
    """Return the fields of items for two systems.

    Args:
        pair: The two reports.
        keys: Ids of the items.

    Returns:
        Fields of each item: captions and references with the n-grams that they share, rankings with their hits, labels,
        or plain values of tasks of other packages.

    """
    task = pair.first.task
    if task.file_type == "images":
        return [list(_text(pair, key)) for key in keys]
    if isinstance(task.gold, TextList) and isinstance(task.submission, Text):
        return _captions(pair, keys)
    if isinstance(task.gold, IntegerList) and isinstance(task.submission, IntegerList):
        return [[*_text(pair, key), *_rankings(pair, key)] for key in keys]
    if isinstance(task.gold, Text) and isinstance(task.submission, Text):
        return [[*_labels(pair, key), *_text(pair, key)] for key in keys]
    return [[*_values(pair, key), *_text(pair, key)] for key in keys]


def _text(pair: Pair, key: object) -> Iterator[Field]:
    """Yield the text of an item for human readers, if there is one."""
    text = pair.first.texts.get(key, pair.second.texts.get(key))
    if text is not None:
        yield Field(TEXT, "texts", [plain_text(text)])


def _captions(pair: Pair, keys: Sequence[Any]) -> list[list[Field]]:
    answers = [[shorten(content.predictions[key]) for key in keys] for content in pair]
    references = [[shorten(text) for text in pair.first.references[key][:SHOWN_GOLD]] for key in keys]
    tokenizer = pair.first.tokenizer
    if tokenizer is None:
        return [
            [Field(FIRST, "texts", [plain_text(first)]), Field(SECOND, "texts", [plain_text(second)]), _plain(gold)]
            for first, second, gold in zip(*answers, references, strict=True)
        ]
    texts = [[first, second, *gold] for first, second, gold in zip(*answers, references, strict=True)]
    tokens = _split(tokenizer, texts)
    fields = []
    for index, (first_tokens, second_tokens, *gold_tokens) in enumerate(tokens):
        shared = ngrams(gold_tokens)
        wanted = ngrams([first_tokens, second_tokens])
        gold = [mark(text, own, wanted) for text, own in zip(references[index], gold_tokens, strict=True)]
        fields.append(
            [
                Field(FIRST, "texts", [mark(answers[0][index], first_tokens, shared)]),
                Field(SECOND, "texts", [mark(answers[1][index], second_tokens, shared)]),
                Field(GOLD, "texts", gold),
            ]
        )
    return fields


def _split(tokenizer: Tokenizer, texts: Sequence[Sequence[str]]) -> list[list[list[str]]]:
    """Return the tokens of the texts of each item, tokenized in one call."""
    flat = iter(tokenizer.split(list(chain.from_iterable(texts))))
    return [[next(flat) for _ in item] for item in texts]


def _plain(texts: Sequence[object]) -> Field:
    return Field(GOLD, "texts", [plain_text(text) for text in texts])


def _rankings(pair: Pair, key: object) -> Iterator[Field]:
    relevant = pair.first.references[key]
    wanted = set(relevant)
    for label, content in zip((FIRST, SECOND), pair, strict=True):
        yield Field(label, "ranking", id_list(content.predictions[key], wanted))
    yield Field(GOLD, "ids", id_list(relevant))


def _labels(pair: Pair, key: object) -> Iterator[Field]:
    gold = pair.first.references[key]
    for label, content in zip((FIRST, SECOND), pair, strict=True):
        answer = content.predictions[key]
        yield Field(label, "texts", [plain_text(answer, RIGHT if answer == gold else WRONG)])
    yield _plain([gold])


def _values(pair: Pair, key: object) -> Iterator[Field]:
    for label, content in zip((FIRST, SECOND), pair, strict=True):
        if key in content.predictions:
            yield Field(label, "texts", [plain_text(value) for value in _listed(content.predictions[key])])
    if key in pair.first.references:
        yield _plain(_listed(pair.first.references[key]))


def _listed(value: object) -> list[object]:
    return value[:SHOWN_GOLD] if isinstance(value, list) else [value]
