"""Items of a task of another package, with values of any kind."""

from __future__ import annotations

from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.fields import SHOWN_VALUES, Field, plain_text, shorten
from muge_fast.evaluation.report_page.items import Item, ItemList, worst_first
from muge_fast.evaluation.report_page.pictures import given_pictures
from muge_fast.evaluation.report_page.scales import Scales
from muge_fast.scores import Scores


def other_items(content: PageContent, scores: Scores, scales: Scales) -> ItemList:
    """Return the items of a page, with their values as text.

    Args:
        content: The content of the page.
        scores: The scores.
        scales: Factors of the scores.

    Returns:
        The items, the worst ones first.

    """
    word = content.word
    columns = scales.columns(scores)
    items = []
    for index in worst_first(scores, content.task.main):
        key = scores.ids[index]
        fields = [Field(2, "texts", [plain_text(content.texts[key])])] if key in content.texts else []
        fields += [_field(0, content.predictions[key]), _field(1, content.references[key])]
        items.append(Item(index, shorten(key), [column[index] for column in columns.values()], 0, 0, "", fields, key))
    return ItemList(
        title=word("all_items"),
        items=items,
        metrics=list(columns),
        labels=(word("prediction"), word("reference"), word("text")),
        pictures=(("", given_pictures(content)),) if content.images else (),
    )


def _field(label: int, value: object) -> Field:
    values = value if isinstance(value, list) else [value]
    return Field(label, "texts", [plain_text(shown) for shown in values[:SHOWN_VALUES]])
