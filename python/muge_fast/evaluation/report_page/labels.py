"""Classification: the confusion matrix, the scores of labels, and the errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.elements import Markup, element
from muge_fast.evaluation.report_page.fields import Field, plain_text, shorten
from muge_fast.evaluation.report_page.items import Item, ItemList, worst_first
from muge_fast.evaluation.report_page.pictures import given_pictures
from muge_fast.evaluation.report_page.scales import Scales
from muge_fast.scores import Scores

# Labels of the matrix, lines of the table of labels, and lines of the table of errors.
MATRIX_LABELS = 20
TABLE_LABELS = 200
SHOWN_ERRORS = 20
# Shades of a cell of the matrix.
SHADES = 8
# Levels of texts, see fields.LEVELS.
RIGHT, WRONG = 3, 4


def classification_sections(content: PageContent, scores: Scores, scales: Scales) -> Iterator[Markup]:
    """Yield the confusion matrix, the most frequent errors and the scores of labels.

    Args:
        content: The content of the page.
        scores: The scores.
        scales: Factors of the scores.

    Yields:
        Sections.

    """
    pairs = Counter((str(content.references[key]), str(content.predictions[key])) for key in scores.ids)
    yield _matrix_section(content, pairs)
    if any(gold != predicted for gold, predicted in pairs):
        yield _error_section(content, pairs)
    yield _label_section(content, pairs, scales)


def _matrix_section(content: PageContent, pairs: Counter[tuple[str, str]]) -> Markup:
    names, cells = _matrix(content, pairs)
    head = element("tr", element("td", ""), *(element("th", name, scope="col") for name in names))
    rows = []
    for name, row in zip(names, cells, strict=True):
        total = sum(row)
        tds = (
            element("td", f"{count:,}" if count else "", class_=_shade(count, total, is_hit=name == names[column]))
            for column, count in enumerate(row)
        )
        rows.append(element("tr", element("th", name, scope="row"), *tds))
    table = element("div", element("table", head, *rows, class_="matrix"), class_="scroll")
    return element(
        "section",
        element("h2", content.word("confusion")),
        element("p", content.word("confusion_note"), class_="muted"),
        table,
    )


def _matrix(content: PageContent, pairs: Counter[tuple[str, str]]) -> tuple[list[str], list[list[int]]]:
    """Return the names of labels and the numbers of items by gold and predicted label, the rarest labels together."""
    frequency: Counter[str] = Counter()
    for (gold, predicted), count in pairs.items():
        frequency[gold] += count
        frequency[predicted] += count
    # By frequency; ties by name, so that the page is the same every time.
    labels = sorted(frequency, key=lambda label: (-frequency[label], label))
    is_cut = len(labels) > MATRIX_LABELS
    shown = labels[: MATRIX_LABELS - 1] if is_cut else labels
    column = {label: index for index, label in enumerate(shown)}
    size = len(shown) + is_cut
    cells = [[0] * size for _ in range(size)]
    for (gold, predicted), count in pairs.items():
        cells[column.get(gold, size - 1)][column.get(predicted, size - 1)] += count
    names = list(map(shorten, shown))
    return names + ([content.word("other_labels").format(len(labels) - len(shown))] if is_cut else []), cells


def _shade(count: int, total: int, *, is_hit: bool) -> str:
    if not count:
        return "number"
    return f"number {'right' if is_hit else 'wrong'} shade{max(1, round(SHADES * count / total))}"


def _error_section(content: PageContent, pairs: Counter[tuple[str, str]]) -> Markup:
    errors = sorted(((-count, *pair) for pair, count in pairs.items() if pair[0] != pair[1]))[:SHOWN_ERRORS]
    word = content.word
    head = _row("th", word("reference"), word("prediction"), word("number_of_items"))
    rows = (_row("td", shorten(gold), shorten(predicted), f"{-count:,}") for count, gold, predicted in errors)
    return element("section", element("h2", word("confused")), element("table", head, *rows, class_="narrow"))


def _row(tag: str, *cells: str) -> Markup:
    """Return a row of a table whose last column has numbers."""
    return element("tr", *(element(tag, cell) for cell in cells[:-1]), element(tag, cells[-1], class_="number"))


def label_scores(pairs: Counter[tuple[str, str]]) -> dict[str, tuple[float, float, float, int, int]]:
    """Return precision, recall, F1, number of items and number of predictions of each label.

    Args:
        pairs: Number of items by gold and predicted label.

    Returns:
        Numbers by label, the most frequent labels first; a ratio without items is 0.

    Example:
        >>> from collections import Counter
        >>> from muge_fast.evaluation.report_page.labels import label_scores
        >>> label_scores(Counter({("a", "a"): 1, ("a", "b"): 1}))
        {'a': (1.0, 0.5, 0.6666666666666666, 2, 1), 'b': (0.0, 0.0, 0.0, 0, 1)}

    """
    gold_counts: Counter[str] = Counter()
    predicted_counts: Counter[str] = Counter()
    for (gold, predicted), count in pairs.items():
        gold_counts[gold] += count
        predicted_counts[predicted] += count
    labels = sorted({*gold_counts, *predicted_counts}, key=lambda label: (-gold_counts[label], label))
    table = {}
    for label in labels:
        hits, support, predictions = pairs[label, label], gold_counts[label], predicted_counts[label]
        f1 = 2 * hits / (support + predictions)
        table[label] = (hits / max(1, predictions), hits / max(1, support), f1, support, predictions)
    return table


def _label_section(content: PageContent, pairs: Counter[tuple[str, str]], scales: Scales) -> Markup:
    word = content.word
    table = label_scores(pairs)
    titles = [word(key) for key in ("precision", "recall", "f1", "support", "predicted")]
    head = element("tr", element("th", word("label")), *(element("th", title, class_="number") for title in titles))
    factor = scales.factor(content.task.main)
    rows = []
    for label, (*ratios, support, predictions) in list(table.items())[:TABLE_LABELS]:
        numbers = [f"{ratio * factor:.2f}" for ratio in ratios] + [f"{support:,}", f"{predictions:,}"]
        rows.append(
            element("tr", element("td", shorten(label)), *(element("td", text, class_="number") for text in numbers))
        )
    notes = [word("macro_note")]
    notes += [word("more_labels").format(len(table) - TABLE_LABELS)] if len(table) > TABLE_LABELS else []
    return element(
        "section",
        element("h2", word("by_class")),
        element("div", element("table", head, *rows), class_="scroll"),
        *(element("p", note, class_="muted") for note in notes),
    )


def classification_items(content: PageContent, scores: Scores, scales: Scales) -> ItemList:
    """Return the items of a page of classification, errors first.

    Args:
        content: The content of the page.
        scores: The scores.
        scales: Factors of the scores.

    Returns:
        The items. Their only score is the main one: the F1 of a label is not a score of an item.

    """
    del scales
    word = content.word
    items = []
    for index in worst_first(scores, content.task.main):
        key = scores.ids[index]
        gold, predicted = content.references[key], content.predictions[key]
        is_right = gold == predicted
        fields = [
            Field(0, "texts", [plain_text(predicted, RIGHT if is_right else WRONG)]),
            Field(1, "texts", [plain_text(gold)]),
        ]
        text = [Field(2, "texts", [plain_text(content.texts[key])])] if key in content.texts else []
        flags = 2 if is_right else 1
        items.append(Item(index, shorten(key), [], 0, flags, "", [*text, *fields], key))
    labels: Sequence[str] = (word("prediction"), word("reference"), word("text"))
    return ItemList(
        title=word("all_items"),
        items=items,
        is_tiled=True,
        labels=labels,
        flags=(word("wrong"), word("right")),
        pictures=(("", given_pictures(content)),) if content.images else (),
    )
