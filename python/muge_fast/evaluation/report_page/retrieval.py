"""Retrieval: the rank of the first hit of each query, and what was missed."""

from __future__ import annotations

from collections.abc import Sequence

from muge_fast._internal.field_names import IMAGE_TO_TEXT
from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.elements import Markup, element
from muge_fast.evaluation.report_page.fields import Field, id_list, plain_text, shorten
from muge_fast.evaluation.report_page.items import Item, ItemList, worst_first
from muge_fast.evaluation.report_page.pictures import LARGE, SMALL, given_pictures
from muge_fast.evaluation.report_page.scales import Scales
from muge_fast.scores import Scores

# Last ranks of the groups of the table, apart from the length of the rankings.
GROUPS = (1, 5)


def first_hit(ranking: Sequence[object], relevant: Sequence[object]) -> int:
    """Return the rank of the first relevant item.

    Args:
        ranking: Items, best first.
        relevant: The relevant items.

    Returns:
        The rank from 1; 0 if there is no relevant item.

    """
    wanted = set(relevant)
    return next((rank for rank, item in enumerate(ranking, 1) if item in wanted), 0)


def hit_section(content: PageContent, scores: Scores) -> Markup:
    """Return the table of the ranks of first hits.

    Args:
        content: The content of the page.
        scores: The scores.

    Returns:
        The section.

    """
    word = content.word
    ranks = [first_hit(content.predictions[key], content.references[key]) for key in scores.ids]
    names, ends = _names(content), _ends(content)
    counts = [0] * len(names)
    for rank in ranks:
        counts[_group(rank, ends)] += 1
    head = element(
        "tr",
        element("th", word("rank")),
        element("th", word("queries"), class_="number"),
        element("th", word("fraction"), class_="number"),
        element("th", ""),
    )
    rows = (
        element(
            "tr",
            element("td", name),
            element("td", f"{count:,}", class_="number"),
            element("td", f"{100 * count / len(ranks):.1f}", class_="number"),
            element("td", _bar(count / len(ranks), is_hit=index < len(counts) - 1), class_="bar"),
        )
        for index, (name, count) in enumerate(zip(names, counts, strict=True))
    )
    return element("section", element("h2", word("first_hits")), element("table", head, *rows, class_="narrow"))


def _bar(fraction: float, *, is_hit: bool) -> Markup:
    rect = element("rect", x="0", y="0", width=f"{100 * fraction:.1f}", height="10", class_="hit" if is_hit else "miss")
    return element("svg", rect, viewBox="0 0 100 10", preserveAspectRatio="none", aria_hidden="true")


def _ends(content: PageContent) -> list[int]:
    """Return the last rank of each group."""
    longest = max(map(len, content.predictions.values()))
    return [*(end for end in GROUPS if end < longest), longest]


def _names(content: PageContent) -> list[str]:
    ends = _ends(content)
    starts = [1, *(end + 1 for end in ends[:-1])]
    names = [f"{start}–{end}" if start < end else str(end) for start, end in zip(starts, ends, strict=True)]
    return [*names, content.word("no_hit")]


def _group(rank: int, ends: Sequence[int]) -> int:
    return next(index for index, end in enumerate(ends) if rank <= end) if rank else len(ends)


def retrieval_items(content: PageContent, scores: Scores, scales: Scales) -> ItemList:
    """Return the queries of a page of retrieval.

    Args:
        content: The content of the page.
        scores: The scores.
        scales: Factors of the scores.

    Returns:
        The items, the worst ones first.

    """
    word = content.word
    columns = scales.columns(scores)
    groups, ends = _names(content), _ends(content)
    items = []
    for index in worst_first(scores, content.task.main):
        key = scores.ids[index]
        ranking, relevant = content.predictions[key], content.references[key]
        wanted, returned = set(relevant), set(ranking)
        rank = first_hit(ranking, relevant)
        group = _group(rank, ends)
        missed = [item for item in relevant if item not in returned]
        first = word("first_hit").format(rank) if rank else word("no_hit_in").format(len(ranking))
        facts = f"{first} · {word('found').format(len(wanted) - len(missed), len(wanted))}"
        fields = [Field(0, "texts", [plain_text(content.texts[key])])] if key in content.texts else []
        fields.append(Field(1, "ranking", id_list(ranking, wanted)))
        fields += [Field(2, "ids", id_list(missed))] if missed else []
        values = [column[index] for column in columns.values()]
        items.append(Item(index, shorten(key), values, rank, 1 << group, facts, fields, key))
    # The queries of the other direction are images, whose ids are not those of the items.
    is_of_queries = content.names == IMAGE_TO_TEXT
    pictures = given_pictures(content, LARGE if is_of_queries else SMALL)
    rank_names = [f"{word('first_hits')}: {name}" for name in groups[:-1]]
    return ItemList(
        title=word("all_queries"),
        items=items,
        metrics=list(columns),
        labels=(word("query"), word("ranking"), word("missed")),
        flags=(*rank_names, groups[-1]),
        pictures=(("", pictures),) if is_of_queries and pictures else (),
        value_pictures=pictures if pictures and not is_of_queries else None,
    )
