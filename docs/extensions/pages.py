"""Pages: their language, the order of those that tables of contents name by patterns, and links out of the folder."""

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

PATTERN = re.compile(r"^([\w/-]*\*)\n", re.MULTILINE)
NAME = re.compile(r"^[\w/-]+$", re.MULTILINE)
OUTSIDE = re.compile(r"\]\(((?:\.\./)+[\w./-]+)(#[\w-]+)?\)")
ACCESSIBLE = {
    'role="heading">': 'role="heading" aria-level="2">',
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper ': '<div tabindex="0" class="table-wrapper ',
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what changes pages when they are read and written.

    Args:
        app: The application that builds the site.

    Returns:
        What Sphinx asks of an extension.

    """
    app.add_config_value("repository", "", "env")
    app.connect("html-page-context", set_language)
    app.connect("html-page-context", make_accessible, priority=900)  # After the theme, which adds the navigation.
    app.connect("source-read", expand_patterns)
    app.connect("source-read", link_to_repository)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def set_language(_: Sphinx, page: str, __: str, context: dict[str, Any], ___: object) -> None:
    """Set the attribute ``lang``, by which browsers choose fonts and screen readers a voice."""
    context["language"] = "zh-CN" if page.startswith("zh/") else "en"


def make_accessible(_: Sphinx, __: str, ___: str, context: dict[str, Any], ____: object) -> None:
    """Set the level of captions, and make blocks that may scroll reachable by keys."""
    for part in ("body", "furo_navigation_tree"):
        html = context.get(part) or ""
        for plain, accessible in ACCESSIBLE.items():
            html = html.replace(plain, accessible)
        context[part] = html


def expand_patterns(app: Sphinx, page: str, source: list[str]) -> None:
    """Replace each pattern of the first page by the pages that it names and no other line does; maybe none."""
    if page != "index":
        return
    folder = Path(app.srcdir)
    listed = {"index", *NAME.findall(source[0])}

    def expanded(found: re.Match[str]) -> str:
        names = sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.glob(f"{found[1]}.md"))
        new = [name for name in names if name not in listed]
        listed.update(new)
        return "".join(f"{name}\n" for name in new)

    source[0] = PATTERN.sub(expanded, source[0])


def link_to_repository(app: Sphinx, page: str, source: list[str]) -> None:
    """Make links out of the folder of the documentation links to the site of the repository, if the file exists."""
    folder = Path(app.srcdir)

    def linked(found: re.Match[str]) -> str:
        path = (folder / page).parent.joinpath(found[1]).resolve()
        if path.is_relative_to(folder) or not path.is_relative_to(folder.parent) or not path.exists():
            return found[0]  # A missing file is reported as a broken link.
        return f"]({app.config.repository}/blob/main/{path.relative_to(folder.parent).as_posix()}{found[2] or ''})"

    source[0] = OUTSIDE.sub(linked, source[0])
