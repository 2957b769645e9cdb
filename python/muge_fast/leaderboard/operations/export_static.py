"""Exporting a whole board as plain files that need no server: pages, CSV and JSON.

Files are the answers of the application to a visitor, in each language, so an export shows what everyone may see and
nothing else. Links lead from file to file; scripts and forms, which need a server, are left out.
"""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import NamedTuple

from starlette.types import ASGIApp

from muge_fast._core import __version__
from muge_fast._internal.display import format_path
from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.operations.messages import OperationError
from muge_fast.leaderboard.operations.static_links import API, Place, links_of, place_of, rewrite
from muge_fast.leaderboard.operations.visitor import Answer, visit
from muge_fast.leaderboard.standings.month_views import months_of_task
from muge_fast.leaderboard.standings.standing import month_window
from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.web.app import app_of
from muge_fast.leaderboard.web.page_table import Pages
from muge_fast.leaderboard.web.pages import PAGES
from muge_fast.leaderboard.web.site import Site, WebOptions

MARK = "export.json"
# Pages that are forms and nothing else.
FORMS = ("login", "register", "join", "submit")
MAX_PLACES = 100_000
OK = 200


class ExportSummary(NamedTuple):
    """An export that was written.

    Attributes:
        files: Number of files.
        bytes: Their size.

    """

    files: int
    bytes: int


def export_static(board: Board, target: Path, *, pages: Pages = PAGES) -> ExportSummary:
    """Write what every visitor may see as plain files: nothing of it needs a server, and nothing is hidden in it.

    Args:
        board: The board.
        target: The folder, which must be missing or empty, or an earlier export, which is replaced.
        pages: The pages.

    Returns:
        What was written.

    Raises:
        OperationError: The folder has other files.
        OSError: A file cannot be written.

    """
    target = target.absolute()
    _check_target(target)
    patterns = [_pattern(page.path) for page in pages.table if page.access == "everyone" and page.name not in FORMS]
    is_exported = partial(_is_exported, patterns, board.settings.languages)
    site = Site(board, WebOptions(limit_floods=False))
    try:
        _complete(site)
        answers = asyncio.run(_crawl(app_of(site, pages), site, is_exported))
    finally:
        site.close()
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_name(f".{target.name}.{os.urandom(6).hex()}")
    try:
        summary = _write(site, answers, is_exported, made)
        _replace(made, target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return summary


def _check_target(target: Path) -> None:
    if not target.exists() or (target.is_dir() and ((target / MARK).is_file() or not any(target.iterdir()))):
        return
    shown = format_path(target)
    raise OperationError(
        f"{shown} is neither empty nor an earlier export: choose another folder",
        f"{shown} 不是空目录，也不是先前的导出：请选择其他目录",
    )


def _complete(site: Site) -> None:
    """Compute the statistics of every board first, which pages do not wait for."""
    for slug in site.settings.tasks:
        # A task that was never registered has no board.
        with suppress(NotFoundError):
            for month in months_of_task(site.board, slug):
                site.standings.complete(slug, month_window(month, site.settings.zone))
            site.standings.complete(slug)


async def _crawl(app: ASGIApp, site: Site, is_exported: Callable[[Place], bool]) -> dict[Place, Answer]:
    """Return the answers to all addresses that visitors can reach by links, and those of the API."""
    waiting = deque(_starts(site))
    answers: dict[Place, Answer] = {}
    while waiting:
        place = waiting.popleft()
        if place in answers or len(answers) >= MAX_PLACES:
            continue
        answers[place] = answer = await visit(app, place.address)
        if answer.status != OK or answer.media_type != "text/html":
            continue
        for link in links_of(answer.content.decode()):
            found = place_of(link, place)
            if found and is_exported(found[0]):
                waiting.append(found[0])
    return {place: answer for place, answer in answers.items() if answer.status == OK}


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(
        "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", path))
    )


def _is_exported(patterns: list[re.Pattern[str]], languages: tuple[str, ...], place: Place) -> bool:
    path = place.path.partition("?")[0]
    if path.startswith(("/static/", f"{API}tasks/")):
        return True
    return place.lang in languages and any(pattern.fullmatch(path) for pattern in patterns)


def _starts(site: Site) -> Iterator[Place]:
    yield from (Place("/", lang) for lang in site.settings.languages)
    yield Place(f"{API}tasks", "")
    for slug in site.settings.tasks:
        task = f"{API}tasks/{slug}"
        yield from (Place(f"{task}{part}", "") for part in ("", "/board", "/board.csv", "/months"))
        with suppress(NotFoundError):
            yield from (Place(f"{task}/months/{month}", "") for month in months_of_task(site.board, slug))


def _write(
    site: Site, answers: dict[Place, Answer], is_exported: Callable[[Place], bool], folder: Path
) -> ExportSummary:
    def file_of(place: Place) -> str | None:
        if place in answers:
            return place.file
        return "" if is_exported(place) else None

    size = 0
    contents = {place.file: _content(place, answer, file_of) for place, answer in answers.items()}
    contents["index.html"] = _index(site)
    note = {"made_at": datetime.now(timezone.utc).isoformat(), "version": __version__, "files": sorted(contents)}
    contents[MARK] = json.dumps(note, ensure_ascii=False, indent=1).encode()
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        size += len(content)
    return ExportSummary(len(contents), size)


def _content(place: Place, answer: Answer, file_of: Callable[[Place], str | None]) -> bytes:
    if answer.media_type != "text/html":
        return answer.content
    return rewrite(answer.content.decode(), place, file_of).encode()


def _index(site: Site) -> bytes:
    """Return the page that leads to those of the first language."""
    first, *_ = site.settings.languages
    names = {"zh": "中文", "en": "English"}
    links = " · ".join(f'<a href="{lang}/index.html">{names[lang]}</a>' for lang in site.settings.languages)
    title = html.escape(site.settings.title)
    head = (
        f'<meta charset="utf-8"><title>{title}</title><meta http-equiv="refresh" content="0; url={first}/index.html">'
    )
    return f"<!doctype html><html><head>{head}</head><body><p>{links}</p></body></html>\n".encode()


def _replace(made: Path, target: Path) -> None:
    old = target.with_name(f"{made.name}.old")
    if target.exists():
        target.rename(old)
    made.rename(target)
    shutil.rmtree(old, ignore_errors=True)
