"""Pages: their language, and the tables of contents that name them by patterns."""

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

PATTERN = re.compile(r"^([\w/-]*\*)\n", re.MULTILINE)


def setup(app: Sphinx) -> dict[str, Any]:
    """Set the language of each page, and leave out patterns without a page.

    Args:
        app: The application that builds the site.

    Returns:
        What Sphinx asks of an extension.

    """
    app.connect("html-page-context", set_language)
    app.connect("source-read", remove_patterns)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def set_language(_: Sphinx, page: str, __: str, context: dict[str, Any], ___: object) -> None:
    """Set the attribute ``lang``, by which browsers choose fonts and screen readers a voice."""
    context["language"] = "zh-CN" if page.startswith("zh/") else "en"


def remove_patterns(app: Sphinx, page: str, source: list[str]) -> None:
    """Remove patterns without a page from the tables of contents of the first page.

    A pattern names a page for its place before the page is there.
    """
    if page == "index":
        folder = Path(app.srcdir)
        source[0] = PATTERN.sub(lambda found: found[0] if any(folder.glob(f"{found[1]}.md")) else "", source[0])
