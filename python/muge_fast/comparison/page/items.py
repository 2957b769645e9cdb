"""The items where two systems differ most, with a choice of the pair."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from muge_fast._internal.display import printable
from muge_fast._internal.metric_names import metric_title
from muge_fast.comparison.metric_comparison import MetricComparison
from muge_fast.comparison.page.content import ComparisonContent, system_name
from muge_fast.comparison.page.pair_fields import Pair, pair_fields
from muge_fast.comparison.page.pair_pictures import PairPictures
from muge_fast.comparison.tables import NAME_WIDTH
from muge_fast.datasets.fields import IntegerList, Text
from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.elements import Markup, element, join
from muge_fast.evaluation.report_page.fields import field_element, shorten
from muge_fast.evaluation.report_page.scales import Scales

# Pairs of systems whose items are on a page, and bytes of all of them.
MAX_PAIRS = 15
MAX_BYTES = 3 << 20

Indices = npt.NDArray[np.intp]


def pairs_section(content: ComparisonContent) -> Markup:
    """Return the section with the items where two systems differ most.

    Args:
        content: The content of the page.

    Returns:
        The section; empty if no items are wanted.

    """
    if not content.items:
        return Markup()
    title = element("h2", content.word("pairs"))
    names = [content.main, *(name for name in content.metrics if name != content.main)]
    metric = next((content.metrics[name] for name in names if content.metrics[name].item_scores is not None), None)
    if metric is None:
        return element("section", title, element("p", content.word("no_items"), class_="muted"))
    pairs, count = _pairs(content, metric), len(metric)
    writer = _Writer(content, metric)
    blocks = list(writer.blocks(pairs))
    notes = [content.word("pairs_note", metric_title(metric.name))]
    notes += [writer.marks] if writer.marks else []
    notes += [content.word("pairs_cut", str(len(blocks)), f"{count:,}")] if len(blocks) < count else []
    notes += [content.word("pairs_full", str(MAX_BYTES >> 20))] if writer.is_full else []
    return element(
        "section",
        title,
        element("p", join(notes, content.space), class_="muted"),
        _choice(content, pairs[: len(blocks)]),
        *blocks,
    )


def _pairs(content: ComparisonContent, metric: MetricComparison) -> list[tuple[str, str]]:
    """Return the pairs of the best systems, the better system first; or of the best systems and the baseline."""
    order = metric.order
    if content.baseline is None:
        pairs = sorted(combinations(range(len(order)), 2), key=lambda pair: (pair[1], pair[0]))
        return [(order[first], order[second]) for first, second in pairs[:MAX_PAIRS]]
    start = order.index(content.baseline)
    better, worse = order[:start], order[start + 1 :]
    return [*((name, content.baseline) for name in better), *((content.baseline, name) for name in worse)][:MAX_PAIRS]


def _choice(content: ComparisonContent, pairs: Sequence[tuple[str, str]]) -> Markup:
    """Return the form that shows one pair, which appears if scripts run."""
    options = (
        # An option holds text alone, so that names are isolated by characters instead of an element.
        element("option", content.word("versus", *map(_isolated, pair)), value=str(index))
        for index, pair in enumerate(pairs)
    )
    label = element("label", element("span", content.word("pair")), element("select", *options, id="pair"))
    return element("form", label, id="controls", hidden="")


def _isolated(name: str) -> str:
    return f"\u2068{printable(name, NAME_WIDTH)}\u2069"


class _Writer:
    """The items of pairs of systems as elements, until they take too much space."""

    def __init__(self, content: ComparisonContent, metric: MetricComparison) -> None:
        assert metric.item_scores is not None  # noqa: S101 - checked by the caller
        self.content, self.metric, self.values = content, metric, metric.item_scores
        self.columns = {name: index for index, name in enumerate(metric.systems)}
        self.contents: dict[str, PageContent] = {}
        self.pictures = PairPictures()
        self.is_full = False
        self._remaining = MAX_BYTES

    @property
    def marks(self) -> Markup:
        """A sentence about the marks of captions; empty if there are none."""
        report = next(iter(self.contents.values()), None)
        if report is None or report.tokenizer is None:
            return Markup()
        return self.content.word("marks", report.tokenizer.signature)

    def blocks(self, pairs: Sequence[tuple[str, str]]) -> Iterator[Markup]:
        """Yield the element of each pair, the first of them open; nothing after the page is full."""
        for index, (first, second) in enumerate(pairs):
            if self.is_full:
                return
            yield self._block(first, second, is_open=index == 0)

    def _fitting(self, elements: Iterable[Markup]) -> Iterator[Markup]:
        """Yield elements until the page is full."""
        for one in elements:
            self._remaining -= len(one.encode(errors="replace"))
            if self._remaining < 0:
                self.is_full = True
                return
            yield one

    def _block(self, first: str, second: str, *, is_open: bool) -> Markup:
        names, pair = (system_name(first), system_name(second)), self.metric[first, second]
        wins, losses = pair.wins or 0, pair.losses or 0
        counts = (f"{count:,}" for count in (wins, losses, len(self.values) - wins - losses))
        parts = [
            element("summary", self.content.word("versus", *names)),
            element("p", self.content.word("wins", *names, *counts)),
        ]
        for name, chosen in zip(names, self._most_different(first, second), strict=True):
            if len(chosen):
                parts.append(element("h3", self.content.word("better_on", name)))
                parts += self._items((first, second), chosen)
        return element("details", *parts, class_="pair", **({"open": ""} if is_open else {}))

    def _most_different(self, first: str, second: str) -> tuple[Indices, Indices]:
        """Return the indices of items where the first system is better, and where the second is; largest first."""
        sign = 1 if self.metric.higher_is_better else -1
        difference = sign * (self.values[:, self.columns[first]] - self.values[:, self.columns[second]])
        order = np.argsort(-np.abs(difference), kind="stable")
        better, worse = order[difference[order] > 0], order[difference[order] < 0]
        # What one side lacks, the other may have.
        half = self.content.items // 2
        of_first = max(self.content.items - half, self.content.items - len(worse))
        of_second = max(half, self.content.items - len(better))
        return better[:of_first], worse[:of_second]

    def _items(self, names: tuple[str, str], chosen: Indices) -> Iterator[Markup]:
        if not self.content.reports:
            yield self._table(names, chosen)
            return
        first, second = names
        pair = Pair(self._page_content(first), self._page_content(second))
        keys = [self._key(index) for index in chosen.tolist()]
        labels = (
            system_name(first),
            system_name(second),
            Markup(pair.first.word("reference")),
            Markup(pair.first.word("query" if isinstance(pair.first.task.gold, IntegerList) else "text")),
        )
        hit = pair.first.word("hit")
        articles = (
            self._article(
                names,
                index,
                [
                    *self.pictures.figures(pair, labels[:2], key),
                    *(field_element(shown, labels[shown.label], hit) for shown in fields),
                ],
            )
            for index, key, fields in zip(chosen.tolist(), keys, pair_fields(pair, keys), strict=True)
        )
        yield from self._fitting(articles)

    def _article(self, names: tuple[str, str], index: int, fields: Sequence[Markup]) -> Markup:
        values = zip(self._titles(names), self._values(names, index), strict=True)
        spans = (element("span", title, " ", element("b", value)) for title, value in values)
        head = element(
            "header", element("span", shorten(self._key(index)), class_="id"), element("span", *spans, class_="values")
        )
        # Labels are short enough for three in a row.
        short = " short" if isinstance(self._page_content(names[0]).task.gold, Text) else ""
        return element("article", head, element("div", *fields, class_=f"versus{short}"), class_="item")

    def _titles(self, names: tuple[str, str]) -> tuple[Markup, ...]:
        return (*map(system_name, names), self.content.word("difference"))

    def _table(self, names: tuple[str, str], chosen: Indices) -> Markup:
        columns = (element("th", title, class_="number") for title in self._titles(names))
        head = element("tr", element("th", self.content.word("id")), *columns)
        rows = (
            element(
                "tr",
                element("td", shorten(self._key(index))),
                *(element("td", value, class_="number") for value in self._values(names, index)),
            )
            for index in chosen.tolist()
        )
        return element("table", head, *self._fitting(rows), class_="narrow")

    def _values(self, names: tuple[str, str], index: int) -> tuple[str, str, str]:
        """Return the scores of an item and their difference as text."""
        a, b = (float(self.values[index, self.columns[name]]) for name in names)
        if self.content.reports:
            scales = Scales(self._page_content(names[0]).task)
            texts = [scales.text(self.metric.name, value) for value in (a, b, a - b)]
        else:
            texts = [f"{value:.4g}" for value in (a, b, a - b)]
        return texts[0], texts[1], texts[2] if texts[2].startswith("-") else f"+{texts[2]}"

    def _key(self, index: int) -> object:
        return index if self.content.ids is None else self.content.ids[index]

    def _page_content(self, name: str) -> PageContent:
        if name not in self.contents:
            self.contents[name] = self.content.page_content(name)
        return self.contents[name]
