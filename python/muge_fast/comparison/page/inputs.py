"""The sections about what was compared, and what the numbers do not cover."""

from __future__ import annotations

from collections.abc import Iterator

from muge_fast import _core
from muge_fast._internal.display import format_id
from muge_fast._internal.metric_names import metric_title
from muge_fast.comparison.page.content import ComparisonContent, system_name
from muge_fast.datasets.input_file import InputFile
from muge_fast.evaluation.report_page.elements import Markup, element
from muge_fast.evaluation.report_page.words import WORDS

LIMITS = ("limit_items", "limit_seeds", "limit_references", "limit_sets", "limit_repeats", "limit_metrics")


def limits_section(content: ComparisonContent) -> Markup:
    """Return the section about what the numbers do not cover.

    Args:
        content: The content of the page.

    Returns:
        The section.

    """
    sentences = (element("li", content.word(key)) for key in LIMITS)
    return element("section", element("h2", content.word("limits")), element("ul", *sentences))


def inputs_section(content: ComparisonContent) -> Markup:
    """Return the section with signatures, metrics that were left out, and the files of reports.

    Args:
        content: The content of the page.

    Returns:
        The section.

    """
    pairs = (element("div", element("dt", title), element("dd", value)) for title, value in _properties(content))
    parts = [element("h2", content.word("inputs")), element("dl", *pairs, class_="properties")]
    files = _files(content)
    if files:
        rows = (row for name, file in files for row in _file_rows(content, name, file))
        table = element("table", *rows, class_="files")
        parts.append(element("details", element("summary", content.word("files")), table))
    return element("section", *parts)


def _properties(content: ComparisonContent) -> Iterator[tuple[Markup, Markup]]:
    yield content.word("signature"), element("code", content.signature)
    for metric in content.metrics.values():
        yield content.word("metric_signature"), element("code", element("bdi", format_id(metric.signature, 300)))
    for name, reason in content.left_out.items():
        yield content.word("left_out"), element("bdi", f"{metric_title(name)}: {format_id(reason, 300)}")
    words = WORDS[content.lang]
    yield Markup(words["version"]), Markup(f"muge_fast {_core.__version__}")
    if content.date is not None:
        yield Markup(words["date"]), element("bdi", format_id(content.date))


def _files(content: ComparisonContent) -> list[tuple[Markup, InputFile]]:
    """Return the files of reports: the gold file of the first one, and all submissions."""
    files = []
    gold = next((report.files["gold"] for report in content.reports.values() if "gold" in report.files), None)
    if gold is not None:
        files.append((Markup(WORDS[content.lang]["gold"]), gold))
    files += [
        (system_name(name), report.files["submission"])
        for name, report in content.reports.items()
        if "submission" in report.files
    ]
    return files


def _file_rows(content: ComparisonContent, name: Markup, file: InputFile) -> Iterator[Markup]:
    words = WORDS[content.lang]
    title = element("td", element("b", name), " ", element("bdi", file.name))
    yield element("tr", title, element("td", f"{file.size:,}", class_="number"), class_="group")
    digest = element("code", f"{words['hash']} {file.sha256 or words['changed']}")
    yield element("tr", element("td", digest, colspan="2"))
