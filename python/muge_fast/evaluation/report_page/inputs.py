"""The section about what was scored: files with their hashes, options, version."""

from __future__ import annotations

import json
from collections.abc import Iterator

from muge_fast import _core
from muge_fast._internal.display import format_id
from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.elements import Markup, element, join


def inputs_section(content: PageContent) -> Markup:
    """Return the section with the files and options of an evaluation.

    Args:
        content: The content of the page.

    Returns:
        The section.

    """
    title = content.word("inputs" if content.scores is not None else "inputs_checked")
    parts = [element("h2", title)]
    if content.files:
        parts.append(_file_table(content))
    pairs = (
        element("div", element("dt", content.word(key)), element("dd", value)) for key, value in _properties(content)
    )
    parts.append(element("dl", *pairs, class_="properties"))
    return element("section", *parts)


def _file_table(content: PageContent) -> Markup:
    word = content.word
    rows = {"submission": content.rows, "gold": len(content.references)}
    head = element(
        "tr",
        element("th", word("file")),
        element("th", word("row_count"), class_="number"),
        element("th", word("size"), class_="number"),
    )
    body = []
    for role in ("submission", "gold"):
        if role in content.files:
            file = content.files[role]
            name = element("td", element("b", word(role)), " ", element("bdi", file.name))
            numbers = (element("td", f"{number:,}", class_="number") for number in (rows[role], file.size))
            digest = element("code", f"{word('hash')} {file.sha256 or word('changed')}")
            body += [element("tr", name, *numbers, class_="group"), element("tr", element("td", digest, colspan="3"))]
    return element("table", head, *body, class_="files")


def _properties(content: PageContent) -> Iterator[tuple[str, Markup]]:
    options = [
        element("code", element("bdi", f"{name}={_option_text(value)}")) for name, value in content.options.items()
    ]
    yield "options", join(options, ", ") if options else Markup(content.word("default_options"))
    yield "version", Markup(f"muge_fast {_core.__version__}")
    yield "language", Markup(content.word("language_name"))
    if content.date is not None:
        yield "date", element("bdi", format_id(content.date))


def _option_text(value: object) -> str:
    """Return the value of an option in one line."""
    return format_id(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
