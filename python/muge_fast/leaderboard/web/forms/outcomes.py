"""What happens after a form: a redirect with a message, or a page with a secret or a problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.requests import Request

from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

DONE = (
    *("logged_out", "registered", "password_changed", "token_revoked"),
    *("team_founded", "team_changed", "invitations_revoked", "team_joined", "team_left"),
    *("submitted", "withdrawn", "restored", "cancelled"),
    *("ruled_out", "reinstated", "requeued", "account_disabled", "rejudge_started", "rejudge_applied"),
    "rejudge_dropped",
)
"""Values of ``?done=``, for which pages have a message."""


class Outcome(NamedTuple):
    """The outcome of a form that succeeded.

    Attributes:
        done: What was done, of ``DONE``; empty for no message.
        page: Name of the next page; empty if ``path`` says it.
        path: Path of the next page.
        values: Path parameters of the next page.
        secret: A secret to show once, on the page itself.
        session: Secret of a new session for the browser.
        ends_session: Whether the browser forgets its session.

    """

    done: str = ""
    page: str = ""
    path: str = "/"
    values: Mapping[str, str] = {}
    secret: str | None = None
    session: str | None = None
    ends_session: bool = False


Action = Callable[[Site, SiteViewer, Request, dict[str, str]], Outcome]


class Form(NamedTuple):
    """A form.

    Attributes:
        path: Path that it posts to.
        page: Name of the page that shows it, and shows it again if it is refused.
        action: What it does. It runs in a thread.
        secrets: Fields that are never shown again.

    """

    path: str
    page: str
    action: Action
    secrets: frozenset[str] = frozenset()


def local_path(text: str) -> str:
    r"""Return a path of this site from the field ``next``; ``"/"`` for anything else.

    Args:
        text: The text, which a link of a stranger may have set.

    Returns:
        The path with its query.

    Example:
        >>> from muge_fast.leaderboard.web.forms.outcomes import local_path
        >>> local_path("/tasks/retrieval?month=2026-11"), local_path("//evil.example"), local_path("/\\evil.example")
        ('/tasks/retrieval?month=2026-11', '/', '/')

    """
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    is_plain = text.isascii() and text.isprintable() and "\\" not in text and " " not in text
    is_local = not parts.scheme and not parts.netloc and text.startswith("/") and not text.startswith("//")
    return text if is_plain and is_local else "/"
