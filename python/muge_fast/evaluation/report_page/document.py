"""The frame of a page: its head with the security policy, its style and its script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from muge_fast._internal.display import escape_surrogates
from muge_fast.evaluation.report_page.elements import Markup, element, join
from muge_fast.evaluation.report_page.style import STYLE


def html_document(title: str, body: Sequence[Markup], *, lang: str, script: str = "", style: str = "") -> str:
    """Return a page.

    Nothing in a submission can make a browser load or run anything: text is escaped, and the policy of the page allows
    only the style and the script with the hashes in it, and pictures inside the page.

    Args:
        title: Title of the window.
        body: Elements of the page.
        lang: ``"en"`` or ``"zh"``.
        script: Script of the page, if it has one.
        style: Style in addition to that of all pages.

    Returns:
        The HTML, with the same bytes for the same content.

    """
    whole_style = STYLE + style
    scripts = [element("script", Markup(script))] if script else []
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=Markup(_policy(script, whole_style))),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(whole_style)),
    )
    page = element("html", head, element("body", join([*body, *scripts], "\n")), lang="zh-CN" if lang == "zh" else lang)
    # Names of files and messages of problems may hold lone surrogates, which no file can.
    return escape_surrogates(f"<!doctype html>\n{page}\n")


def _policy(script: str, style: str) -> str:
    sources = f"style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:"
    return f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
