"""Text-to-image: generated images next to real ones, with their texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.fields import Field, plain_text, shorten
from muge_fast.evaluation.report_page.items import Item, ItemList
from muge_fast.evaluation.report_page.pictures import MAX_PAGE, Pictures
from muge_fast.evaluation.report_page.scales import Scales
from muge_fast.scores import Scores

# Items of a page whose metrics have no scores of items.
SAMPLED = 200


def image_items(content: PageContent, scores: Scores, scales: Scales) -> ItemList:
    """Return the images of a page of text-to-image.

    Args:
        content: The content of the page.
        scores: The scores.
        scales: Factors of the scores.

    Returns:
        Images that are nearer to another text first, if R-precision was computed; else some at equal distances.

    """
    word = content.word
    generated, real = images_of(content, "submission"), images_of(content, "gold")
    names = [name for name, score in scores.items() if len(score.per_item)]
    keys = [str(key) for key in (scores.ids if names else content.references or generated)]
    hits = scores[names[0]].per_item if names else np.zeros(len(keys))
    order = np.argsort(hits, kind="stable").tolist() if names else _sample(len(keys))
    items = []
    for index in order:
        key = keys[index]
        values = [scales.value(name, float(scores[name].per_item[index])) for name in names]
        facts = word("nearest" if hits[index] else "not_nearest") if names else ""
        fields = [Field(0, "texts", [plain_text(content.texts[key])])] if key in content.texts else []
        flags = (2 if hits[index] else 1) if names else 0
        items.append(Item(index, shorten(key), values, 0, flags, facts, fields, key))
    sides = ((word("real"), real), (word("generated"), content.images or generated))
    notes = [word("set_metrics")]
    if len(items) < len(keys):
        notes.append(word("sampled_note").format(f"{len(items):,}", f"{len(keys):,}"))
    return ItemList(
        title=word("pictures"),
        items=items,
        is_tiled=True,
        metrics=names,
        labels=(word("text"),),
        flags=(word("not_nearest"), word("nearest")) if names else (),
        note=" ".join(notes),
        pictures=[(label, _pictures(content, images, len(sides))) for label, images in sides if images],
    )


def _pictures(content: PageContent, images: Mapping[Any, bytes], sides: int) -> Pictures:
    return Pictures(images, MAX_PAGE // sides, broken=content.word("broken_picture"), is_lazy=images is content.images)


def images_of(content: PageContent, role: str) -> Mapping[str, bytes]:
    """Return the images of a file of a report.

    Args:
        content: The content of the page.
        role: ``"submission"`` or ``"gold"``.

    Returns:
        Image files by id; nothing if they are not there any more.

    """
    file = content.files.get(role)
    images = None if file is None else file.open_images()
    return images or {}


def _sample(count: int) -> list[int]:
    """Return the indices of all items, or of some at equal distances."""
    return np.unique(np.linspace(0, count - 1, min(count, SAMPLED)).astype(int)).tolist() if count else []
