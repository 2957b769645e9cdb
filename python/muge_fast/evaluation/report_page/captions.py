"""Captions: each item with its references, shared n-grams and BLEU."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain, pairwise
from operator import mul

from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.fields import SHOWN_VALUES, Field, plain_text, shorten
from muge_fast.evaluation.report_page.items import Item, ItemList, worst_first
from muge_fast.evaluation.report_page.pictures import given_pictures
from muge_fast.evaluation.report_page.scales import Scales
from muge_fast.scores import Score, Scores

# Levels of marks, see fields.LEVELS.
PLAIN, TOKEN, PHRASE = "0", "1", "2"
RUN = re.compile(r"(.)\1*")
DUPLICATE, EQUAL, NO_PHRASE, SHORTER = 1, 2, 4, 8


def caption_items(content: PageContent, scores: Scores, scales: Scales) -> ItemList:
    """Return the items of a page of captions.

    Args:
        content: The content of the page.
        scores: The scores.
        scales: Factors of the scores.

    Returns:
        The items, the worst ones first.

    """
    ids = scores.ids
    predictions = [str(content.predictions[key]) for key in ids]
    references = [[str(text) for text in content.references[key]] for key in ids]
    fields, has_phrase = _fields(content, predictions, references)
    counts = Counter(predictions)
    bleu = scores.get("bleu")
    facts, lengths, is_shorter = _bleu_facts(content, bleu, scales, predictions)
    columns = scales.columns(scores)
    items = []
    for index in worst_first(scores, content.task.main):
        text = predictions[index]
        flags = DUPLICATE * (counts[text] > 1) | EQUAL * (text in references[index])
        flags |= NO_PHRASE * (not has_phrase[index]) | SHORTER * is_shorter[index]
        values = [column[index] for column in columns.values()]
        key = ids[index]
        item_id = shorten(key)
        items.append(Item(index, item_id, values, lengths[index], flags, facts[index], fields[index], key))
    word = content.word
    return ItemList(
        title=word("all_items"),
        items=items,
        metrics=list(columns),
        labels=(word("prediction"), word("reference")),
        flags=tuple(map(word, ("duplicates", "equal_reference", "no_phrase", "shorter"))),
        note="" if content.tokenizer is None else word("marks").format(content.tokenizer.signature),
        has_length=True,
        pictures=(("", given_pictures(content)),) if content.images else (),
    )


def _bleu_facts(
    content: PageContent, bleu: Score | None, scales: Scales, predictions: Sequence[str]
) -> tuple[list[str], list[int], list[bool]]:
    """Return the facts of each item, its length, and whether it is shorter than the closest reference."""
    if bleu is None:
        lengths = [len(text) for text in predictions]
        return [f"{length:,} {content.word('characters')}" for length in lengths], lengths, [False] * len(lengths)
    facts = []
    rows = bleu.statistics.rows
    pairs = [(int(row[0]), int(row[1])) for row in rows[:, :2]]
    for index, pair in enumerate(pairs):
        # The score of one item under the options of the set: its orders and its penalty.
        parts = bleu.with_statistics(rows[index : index + 1]).parts
        orders = "/".join(scales.text("bleu", parts[f"bleu_{order}"]) for order in range(1, 5))
        penalty = content.word("penalty").format(f"{parts['brevity_penalty']:.2f}")
        facts.append(f"BLEU-1/2/3/4 {orders} · {penalty} · {content.word('lengths').format(*pair)}")
    return facts, [pair[0] for pair in pairs], [prediction < reference for prediction, reference in pairs]


# Shared n-grams


def _fields(
    content: PageContent, predictions: Sequence[str], references: Sequence[Sequence[str]]
) -> tuple[list[list[Field]], list[bool]]:
    """Return the fields of each item, with marks, and whether prediction and references share two tokens in a row."""
    shown = [[shorten(text) for text in texts[:SHOWN_VALUES]] for texts in references]
    if content.tokenizer is None:
        fields = [
            [Field(0, "texts", [plain_text(text)]), Field(1, "texts", [plain_text(value) for value in texts])]
            for text, texts in zip(predictions, shown, strict=True)
        ]
        return fields, [True] * len(fields)
    texts = [shorten(text) for text in predictions]
    tokens = content.tokenizer.split(texts)
    flat = iter(content.tokenizer.split(list(chain.from_iterable(shown))))
    fields, has_phrase = [], []
    for text, words, candidates in zip(texts, tokens, shown, strict=True):
        others = [next(flat) for _ in candidates]
        prediction = mark(text, words, ngrams(others))
        wanted = ngrams([words])
        marked = [mark(candidate, other, wanted) for candidate, other in zip(candidates, others, strict=True)]
        fields.append([Field(0, "texts", [prediction]), Field(1, "texts", marked)])
        has_phrase.append(PHRASE in prediction[0])
    return fields, has_phrase


def ngrams(texts: Sequence[Sequence[str]]) -> tuple[set[str], set[tuple[str, str]]]:
    """Return the tokens of texts, and the pairs of tokens in a row.

    Args:
        texts: The tokens of each text.

    Returns:
        Two sets.

    """
    return set(chain.from_iterable(texts)), set(chain.from_iterable(map(pairwise, texts)))


def mark(text: str, tokens: Sequence[str], compared: tuple[set[str], set[tuple[str, str]]]) -> list[str]:
    """Return a text in parts, each with its level: tokens that occur in another text, alone or with a neighbour.

    Args:
        text: The text.
        tokens: Its tokens.
        compared: Tokens and pairs of tokens of other texts, as :func:`ngrams` returns them.

    Returns:
        A value of a field of texts.

    """
    single, pairs = compared
    is_shared = [pair in pairs for pair in pairwise(tokens)]
    levels = [
        # Punctuation alone says nothing.
        PHRASE if before or after else TOKEN if token in single and token.isalnum() else PLAIN
        for token, before, after in zip(tokens, [False, *is_shared], [*is_shared, False], strict=bool(tokens))
    ]
    letters = _spread(text, tokens, levels)
    runs = list(RUN.finditer(letters))
    return ["".join(run[0][0] for run in runs), *(text[run.start() : run.end()] for run in runs)]


def _spread(text: str, tokens: Sequence[str], levels: Sequence[str]) -> str:
    """Return the level of each character of a text.

    A tokenizer may return tokens that are not in the text, such as lower-cased ones; these mark nothing.
    """
    letters = "".join(map(mul, levels, map(len, tokens)))
    if len(letters) == len(text) and "".join(tokens) == text:
        return letters
    letters, end = "", 0
    for token, level in zip(tokens, levels, strict=True):
        start = text.find(token, end)
        if start < 0 or not token:
            continue
        # White space between tokens of a phrase belongs to the phrase.
        is_inside = letters[-1:] == level and text[end:start].isspace()
        letters += (level if is_inside else PLAIN) * (start - end) + level * len(token)
        end = start + len(token)
    return letters + PLAIN * (len(text) - end)
