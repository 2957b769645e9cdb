"""Writing the HTML of a page from its template, the words of its language, and the context of its view."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.requests import Request

from muge_fast.leaderboard.web.page_table import NO_NOTICE, Notice, Page
from muge_fast.leaderboard.web.pages.frame import frame_of
from muge_fast.leaderboard.web.pages.times import time_writer
from muge_fast.leaderboard.web.pages.words import WORDS, Words
from muge_fast.leaderboard.web.problems import Problem
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment() -> Environment:
    """Return the environment of templates: everything is escaped, and an unknown name is an error.

    Returns:
        The environment.

    """
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def render(  # noqa: PLR0917 - the arguments of every page
    site: Site, viewer: SiteViewer, request: Request, page: Page, context: Mapping[str, object], notice: Notice
) -> str:
    """Return the HTML of a page.

    Args:
        site: The site.
        viewer: The one who reads the page.
        request: The request.
        page: The page.
        context: What its view returned.
        notice: The outcome of a form.

    Returns:
        The HTML.

    """
    problem = sentence(notice.problem.message(viewer.language), viewer.language) if notice.problem else None
    return _write(site, viewer, request, page.template, {**context, "notice": notice, "problem": problem})


def render_problem(site: Site, viewer: SiteViewer, request: Request, problem: Problem) -> str:
    """Return the HTML of an error.

    Args:
        site: The site.
        viewer: The one who reads the page.
        request: The request.
        problem: The error.

    Returns:
        The HTML.

    """
    key = f"problem_{problem.status}"
    heading = Words(viewer.language)(key if key in WORDS else "problem_other")
    context = {
        "heading": heading,
        "message": sentence(problem.message(viewer.language), viewer.language),
        "status": problem.status,
    }
    return _write(site, viewer, request, "problem.html", {**context, "notice": NO_NOTICE, "problem": None})


def sentence(message: str, language: str) -> str:
    """Return a message as a sentence: with a capital letter and a full stop.

    Args:
        message: The message.
        language: ``"en"`` or ``"zh"``.

    Returns:
        The sentence.

    Example:
        >>> from muge_fast.leaderboard.web.pages.rendering import sentence
        >>> sentence("the file is empty", "en"), sentence("文件为空", "zh")
        ('The file is empty.', '文件为空。')

    """
    stop = "。" if language == "zh" else "."
    return message[:1].upper() + message[1:] + ("" if message.endswith((stop, "…", "!", "?")) else stop)


def render_part(site: Site, language: str, template: str, context: Mapping[str, object]) -> Markup:
    """Return the HTML of a part of a page, which does not depend on the frame.

    Args:
        site: The site.
        language: ``"en"`` or ``"zh"``.
        template: File name of the template.
        context: What it shows.

    Returns:
        The HTML.

    """
    html = environment().get_template(template).render(**_tools(site, language), **context)
    return Markup(html)  # noqa: S704 - templates escape what they show


def _write(site: Site, viewer: SiteViewer, request: Request, template: str, context: Mapping[str, object]) -> str:
    around = {"frame": frame_of(site, viewer, request), "done": _done(request, viewer.language)}
    return environment().get_template(template).render(**around, **_tools(site, viewer.language), **context)


def _tools(site: Site, language: str) -> dict[str, object]:
    """Return the functions that templates use."""
    words = Words(language)
    return {"t": words, "n": words.count, "when": time_writer(site.settings.zone), "lang": language}


def _done(request: Request, language: str) -> str | None:
    """Return the sentence for a form that succeeded, from the code in the address."""
    key = f"done_{request.query_params.get('done', '')}"
    return Words(language)(key) if key in WORDS else None
