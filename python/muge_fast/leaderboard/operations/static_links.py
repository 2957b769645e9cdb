"""Addresses of the site as files of an export, and pages with the links between them."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Callable, Iterator
from functools import partial
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

API, DATA = "/api/v1/", "data/"
LANG = "lang"
UNSAFE = re.compile(r"[^A-Za-z0-9._=-]")
LINKS = ("href", "src")

# Elements that need a server or scripts. Others within them are left out, too.
DYNAMIC = ("script", "form", "noscript")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Place(NamedTuple):
    """A page or a file of the site.

    Attributes:
        path: Path and query without the language.
        lang: Language of a page; empty for a file that has none.

    """

    path: str
    lang: str

    @property
    def address(self) -> str:
        """The address that the application answers."""
        if not self.lang:
            return self.path
        return f"{self.path}{'&' if '?' in self.path else '?'}{LANG}={self.lang}"

    @property
    def file(self) -> str:
        """The file of the export."""
        parts = urlsplit(self.path)
        query = UNSAFE.sub("_", parts.query)
        if parts.path.startswith(API):
            name = DATA + parts.path.removeprefix(API)
            stem, suffix = (name[:-4], ".csv") if name.endswith(".csv") else (name, ".json")
            return _safe(stem + (f".{query}" if query else "") + suffix)
        if not self.lang:
            return _safe(parts.path.lstrip("/"))
        name = parts.path.strip("/") or "index"
        return _safe(f"{self.lang}/{name}{f'.{query}' if query else ''}.html")


def _safe(name: str) -> str:
    """Return a relative path in which no part leads elsewhere or is hidden."""
    return "/".join(UNSAFE.sub("_", part).lstrip(".") or "_" for part in name.split("/"))


def place_of(link: str, page: Place) -> tuple[Place, str] | None:
    """Return the place that a link leads to, and its fragment.

    Args:
        link: The link as it is written in a page.
        page: The page.

    Returns:
        Both; None for a link to another site.

    """
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    query = parse_qsl(parts.query, keep_blank_values=True)
    lang = dict(query).get(LANG, page.lang)
    if not parts.path:
        path = page.path if not parts.query else urlsplit(page.path).path
    else:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(urlsplit(page.path).path), parts.path))
    if path.startswith("/static/"):
        return Place(path, ""), ""
    rest = urlencode([(name, value) for name, value in query if name != LANG])
    is_data = path.startswith(API)
    return Place(f"{path}?{rest}" if rest else path, "" if is_data else lang), parts.fragment


def links_of(content: str) -> Iterator[str]:
    """Yield the links of a page.

    Args:
        content: HTML.

    Yields:
        The values of ``href`` and ``src``.

    """
    found: list[str] = []

    def keep(link: str) -> str:
        found.append(link)
        return link

    _Rewriter(keep).run(content)
    yield from found


def rewrite(content: str, page: Place, files: Callable[[Place], str | None]) -> str:
    """Return a page without scripts and forms, whose links lead to files of the export.

    Args:
        content: HTML.
        page: Its place.
        files: Function that returns the file of a place; an empty text if there is none, and None for a place that
            needs a server.

    Returns:
        HTML. Links to places that need a server are left out with their text, and of other links without a file, the
        text stays.

    """
    folder = posixpath.dirname(page.file)

    def target(link: str) -> str | None:
        found = place_of(link, page)
        if found is None:
            return link
        place, fragment = found
        file = files(place)
        if not file:
            return file
        return posixpath.relpath(file, folder or ".") + (f"#{fragment}" if fragment else "")

    return _Rewriter(target).run(content)


class _Rewriter(HTMLParser):
    """A parser that writes what it reads, with other links."""

    def __init__(self, target: Callable[[str], str | None]) -> None:
        super().__init__(convert_charrefs=False)
        self._target = target
        self._out: list[str] = []
        # The element that is left out, and how many of its kind are open.
        self._dropped, self._depth = "", 0

    def run(self, content: str) -> str:
        """Return the content with other links."""
        self.feed(content)
        self.close()
        return "".join(self._out)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write a start tag."""
        if self._dropped:
            self._depth += tag == self._dropped and tag not in VOID
            return
        links = {} if tag in DYNAMIC else self._links(attrs)
        if tag in DYNAMIC or None in links.values() or (tag == "meta" and ("http-equiv", "refresh") in attrs):
            if tag not in VOID:
                self._dropped, self._depth = tag, 1
            return
        self._out.append(_with_links(self.get_starttag_text() or "", links))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write a tag that ends itself."""
        del tag
        if not self._dropped:
            links = self._links(attrs)
            if None not in links.values():
                self._out.append(_with_links(self.get_starttag_text() or "", links))

    def _links(self, attrs: list[tuple[str, str | None]]) -> dict[str, str | None]:
        return {name: self._target(value or "") for name, value in attrs if name in LINKS}

    def handle_endtag(self, tag: str) -> None:
        """Write an end tag."""
        if not self._dropped:
            self._out.append(f"</{tag}>")
        elif tag == self._dropped:
            self._depth -= 1
            if self._depth == 0:
                self._dropped = ""

    def handle_data(self, data: str) -> None:
        """Write text."""
        self._write(data)

    def handle_entityref(self, name: str) -> None:
        """Write a named character."""
        self._write(f"&{name};")

    def handle_charref(self, name: str) -> None:
        """Write a numbered character."""
        self._write(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        """Write the declaration."""
        self._write(f"<!{decl}>")

    def _write(self, text: str) -> None:
        if not self._dropped:
            self._out.append(text)


def _with_links(tag: str, links: dict[str, str | None]) -> str:
    for name, link in links.items():
        if not link:
            tag = re.sub(rf"""\s{name}\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)""", "", tag)
            continue
        made = f'"{html.escape(link or "")}"'
        pattern = rf"""(\s{name}\s*=\s*)("[^"]*"|'[^']*'|[^\s>]+)"""
        tag = re.sub(pattern, partial(_with_value, made), tag)
    return tag


def _with_value(value: str, found: re.Match[str]) -> str:
    return found[1] + value
