"""The list of items: elements for reading without scripts, and data from which the script lists all of them.

Up to ``STATIC_ITEMS`` items are all elements of the page, and the script only sorts and filters them. Beyond, the page
has the worst and the best ones as elements, and the others as data of the same content, which takes less space and time
than elements.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from muge_fast._internal.metric_names import metric_title
from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.elements import Markup, element, join
from muge_fast.evaluation.report_page.fields import LEVELS, Field, field_element
from muge_fast.evaluation.report_page.pictures import MAX_PAGE, Pictures
from muge_fast.evaluation.report_page.scales import Scales
from muge_fast.scores import Scores

STATIC_ITEMS = 2_000
# Of more items, the number of worst and of best ones that are elements.
EXTREMES = 50


class Item(NamedTuple):
    """An item of the list.

    Attributes:
        position: Index in the order of the gold file.
        id: Its id, printable.
        scores: A number for each of :attr:`ItemList.metrics`.
        length: Length of the prediction, to sort by.
        flags: Bits of :attr:`ItemList.flags`.
        facts: Further numbers, as text.
        fields: Its fields.
        key: The id in the files, to find its pictures.

    """

    position: int
    id: str
    scores: list[float]
    length: int
    flags: int
    facts: str
    fields: list[Field]
    key: object


@dataclass(frozen=True, kw_only=True)
class ItemList:
    """All items of a page, in the order in which they are shown first: the worst ones at the top.

    Attributes:
        title: Title of the section.
        items: The items.
        metrics: Names of the scores of an item.
        labels: Labels of fields.
        flags: Names of the properties that items can be filtered by.
        note: A sentence about the list.
        has_length: Whether items can be sorted by length.
        pictures: Labels and pictures of the items by their ids.
        value_pictures: Pictures of the ids in fields.
        is_tiled: Whether items are short enough to stand side by side.

    """

    title: str
    items: Sequence[Item]
    metrics: Sequence[str] = ()
    labels: Sequence[str] = ()
    flags: Sequence[str] = ()
    note: str = ""
    has_length: bool = False
    pictures: Sequence[tuple[str, Pictures]] = ()
    value_pictures: Pictures | None = None
    is_tiled: bool = False


def worst_first(scores: Scores, main: str) -> list[int]:
    """Return the indices of items from the worst to the best by the main score; ties in order.

    Args:
        scores: Scores with values of items.
        main: Name of the main score.

    Returns:
        The indices.

    """
    score = scores[main]
    values = score.per_item if score.higher_is_better else -score.per_item
    return np.argsort(values, kind="stable").tolist()  # type: ignore[no-any-return]


def item_section(content: PageContent, listed: ItemList, scales: Scales) -> Markup:
    """Return the section with the list of items, and the data for the script.

    Args:
        content: The content of the page.
        listed: The items.
        scales: Factors of the scores.

    Returns:
        The section.

    """
    writer = _Writer(content, listed, scales)
    elements = join(writer.static_items(), "\n")
    groups = [pictures for _, pictures in listed.pictures]
    groups += [] if listed.value_pictures is None else [listed.value_pictures]
    notes = [listed.note] if listed.note else []
    notes += (
        [content.word("pictures_note").format(MAX_PAGE >> 20)] if any(pictures.is_full for pictures in groups) else []
    )
    return element(
        "section",
        element("h2", f"{listed.title} ({len(listed.items):,})"),
        *(element("p", note, class_="muted") for note in notes),
        _controls(content, listed),
        element("div", elements, id="items", class_="tiles" if listed.is_tiled else ""),
        element("button", "", id="more", type="button", hidden=""),
        element("script", writer.data(), type="application/json", id="data"),
    )


class _Writer:
    """The items as elements and as data."""

    def __init__(self, content: PageContent, listed: ItemList, scales: Scales) -> None:
        self.content, self.listed, self.scales = content, listed, scales
        self.titles = [metric_title(name) for name in listed.metrics]
        self.is_complete = len(listed.items) <= STATIC_ITEMS

    def static_items(self) -> Iterator[Markup]:
        items, word = self.listed.items, self.content.word
        if self.is_complete:
            yield from map(self._element, items)
            return
        yield element("p", word("static_note").format(EXTREMES, EXTREMES, f"{len(items):,}"), class_="muted")
        yield element("h3", word("worst").format(EXTREMES))
        yield from map(self._element, items[:EXTREMES])
        yield element("h3", word("best").format(EXTREMES))
        yield from map(self._element, items[: -EXTREMES - 1 : -1])

    def data(self) -> Markup:
        """Return the items as JSON, without those parts that are elements of the page."""
        count = len(self.listed.items)
        rows = [
            item[:5] if self.is_complete or not EXTREMES <= position < count - EXTREMES else item[:-1]
            for position, item in enumerate(self.listed.items)
        ]
        better = [self._is_better(name) for name in self.listed.metrics]
        words = {key: self.content.word(key) for key in ("count", "more", "reset", "rank", "hit")}
        data = {
            "metrics": self.titles,
            "better": better,
            "digits": [len(self.scales.text(name, 0.0)) - 2 for name in self.listed.metrics],
            "labels": self.listed.labels,
            "levels": LEVELS,
            "words": words,
            "items": rows,
        }
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        # Within a script element nothing is escaped, so nothing may look like markup.
        for letter in "<>&\u2028\u2029":
            text = text.replace(letter, f"\\u{ord(letter):04x}")
        return Markup(text)

    def _is_better(self, name: str) -> int:
        assert self.content.scores is not None  # noqa: S101 - there are metrics
        return 1 if self.content.scores[name].higher_is_better else -1

    # The script makes the same elements in its function "build".

    def _element(self, item: Item) -> Markup:
        anchor = f"item-{item.position}"
        head = [element("a", item.id, class_="id", href=f"#{anchor}")]
        if item.scores:
            head.append(element("span", *map(self._score, range(len(item.scores)), item.scores), class_="values"))
        facts = [element("p", item.facts, class_="facts")] if item.facts else []
        fields = [*self._pictures(item), *map(self._field, item.fields)]
        body = [element("div", *fields, class_="fields")] if fields else []
        return element("article", element("header", *head), *facts, *body, class_="item", id=anchor)

    def _score(self, metric: int, value: float) -> Markup:
        digits = len(self.scales.text(self.listed.metrics[metric], 0.0)) - 2
        return element("span", f"{self.titles[metric]} ", element("b", f"{value:.{digits}f}"))

    def _pictures(self, item: Item) -> Iterator[Markup]:
        figures = []
        for label, pictures in self.listed.pictures:
            image = pictures.image(item.key, f"{label} {item.id}".strip())
            if image:
                caption = [element("figcaption", label)] if label else []
                figures.append(element("figure", image, *caption))
        if figures:
            yield element("div", *figures, class_="pictures")

    def _field(self, shown: Field) -> Markup:
        label = self.listed.labels[shown.label]
        return field_element(shown, label, self.content.word("hit"), self.listed.value_pictures)


# Controls, which appear if scripts run


def _controls(content: PageContent, listed: ItemList) -> Markup:
    word = content.word
    parts = [
        _labelled(word("search"), element("input", type="search", id="search", placeholder=word("search_hint"))),
        _labelled(word("sort"), _select("sort", list(_sort_keys(content, listed)))),
        _labelled(
            word("direction"),
            _select("direction", [("1", word("ascending")), ("-1", word("descending"))]),
        ),
    ]
    if listed.flags:
        parts.append(_labelled(word("show"), _select("flag", [("", word("everything")), *_flag_counts(listed)])))
    if listed.metrics:
        parts.append(_labelled(word("score"), _select("metric", _metric_choices(content, listed))))
        parts.append(_labelled(word("from"), element("input", type="number", id="least", step="any")))
        parts.append(_labelled(word("to"), element("input", type="number", id="largest", step="any")))
    return element("form", *parts, element("output", "", id="count"), id="controls", hidden="")


def _metric_choices(content: PageContent, listed: ItemList) -> list[tuple[str, str]]:
    """Return the index and title of each metric, the main one first."""
    numbers = sorted(range(len(listed.metrics)), key=lambda number: listed.metrics[number] != content.task.main)
    return [(str(number), metric_title(listed.metrics[number])) for number in numbers]


def _sort_keys(content: PageContent, listed: ItemList) -> Iterator[tuple[str, str]]:
    for number, title in _metric_choices(content, listed):
        yield f"score:{number}", title
    if not listed.metrics and listed.flags:
        yield "position", content.word("worst_first")
    yield "order", content.word("order")
    yield "id", content.word("by_id")
    if listed.has_length:
        yield "length", content.word("length")


def _flag_counts(listed: ItemList) -> Iterator[tuple[str, str]]:
    for bit, name in enumerate(listed.flags):
        count = sum(item.flags >> bit & 1 for item in listed.items)
        if count:
            yield str(1 << bit), f"{name} ({count:,})"


def _select(name: str, choices: Sequence[tuple[str, str]]) -> Markup:
    return element("select", *(element("option", text, value=value) for value, text in choices), id=name)


def _labelled(text: str, control: Markup) -> Markup:
    return element("label", element("span", text), control)
