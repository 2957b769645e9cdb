"""What surrounds every page: navigation, languages, the account, and the zone of times."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlencode

from starlette.requests import Request

from muge_fast._core import __version__
from muge_fast.leaderboard.rules.settings import Settings, TaskSettings
from muge_fast.leaderboard.web.pages.times import offset_of
from muge_fast.leaderboard.web.pages.words import Words
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

STATIC = Path(__file__).parent / "static"
LANGUAGE_NAMES = {"zh": "中文", "en": "English"}
HTML_LANGUAGES = {"zh": "zh-CN", "en": "en"}
# A title before its addition in brackets, such as the name of the data set.
SHORT = re.compile(r"\s*[（(].*$")


def frame_of(site: Site, viewer: SiteViewer, request: Request) -> dict[str, object]:
    """Return what the frame of a page shows.

    Args:
        site: The site.
        viewer: The one who reads the page.
        request: The request.

    Returns:
        Values for the template ``base.html``.

    """
    words = Words(viewer.language)
    settings, path = site.settings, request.url.path
    return {
        "title": board_title(settings, viewer.language),
        "html_lang": HTML_LANGUAGES[viewer.language],
        "nav": _navigation(settings, words, path),
        "languages": _languages(settings, viewer.language, request),
        "account": viewer.account.name if viewer.account else None,
        "team": viewer.team.name if viewer.team else None,
        "is_organizer": viewer.is_organizer,
        "login": "/login" if path in ("/", "/login", "/register") else f"/login?{urlencode({'next': _here(request)})}",
        "zone": settings.zone.key,
        "offset": offset_of(datetime.now(timezone.utc), settings.zone),
        "version": __version__,
        "style": static_address("site.css"),
        "script": static_address("page.js"),
        "icon": static_address("icon.svg"),
    }


def board_title(settings: Settings, language: str) -> str:
    """Return the title of the board in a language.

    Args:
        settings: The settings.
        language: ``"en"`` or ``"zh"``.

    Returns:
        The title.

    """
    return settings.title_zh if language == "zh" else settings.title


def task_title(task: TaskSettings, language: str, *, short: bool = False) -> str:
    """Return the title of a task in a language.

    Args:
        task: The task.
        language: ``"en"`` or ``"zh"``.
        short: Leave out an addition in brackets.

    Returns:
        The title.

    """
    title = task.title_zh if language == "zh" else task.title
    return (SHORT.sub("", title) if short else title) or title


@cache
def static_address(name: str) -> str:
    """Return the address of a file of ``static``, which changes with its bytes so that browsers may keep it.

    Args:
        name: Name of the file.

    Returns:
        The address.

    """
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def _navigation(settings: Settings, words: Words, path: str) -> list[dict[str, str]]:
    tasks = [
        (f"/tasks/{quote(slug)}", task_title(task, words.language, short=True)) for slug, task in settings.tasks.items()
    ]
    items = [("/", words("nav_overview")), *tasks, ("/months", words("nav_months")), ("/rules", words("nav_rules"))]
    return [{"href": href, "label": label, "current": _current(href, path)} for href, label in items]


def _current(href: str, path: str) -> str:
    if path == href:
        return "page"
    return "true" if href != "/" and path.startswith(f"{href}/") else ""


def _languages(settings: Settings, language: str, request: Request) -> list[dict[str, str]]:
    others = [code for code in settings.languages if code != language]
    query = [(name, value) for name, value in request.query_params.multi_items() if name not in ("lang", "done")]
    return [
        {
            "code": HTML_LANGUAGES[code],
            "label": LANGUAGE_NAMES[code],
            "href": f"{quote(request.url.path)}?{urlencode([*query, ('lang', code)])}",
        }
        for code in others
    ]


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
