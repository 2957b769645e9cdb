"""Cookies: of the session, which scripts cannot read, and of the language."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response

from muge_fast.leaderboard.web.languages import LANGUAGE
from muge_fast.leaderboard.web.site import Site

SESSION = "muge_session"
# Browsers refuse this prefix without TLS, with a domain, or with another path: no other host can set it.
SECURE_SESSION = "__Host-muge_session"
YEAR = 365 * 24 * 3600


def session_name(site: Site) -> str:
    """Return the name of the session's cookie.

    Args:
        site: The site.

    Returns:
        The name.

    """
    return SECURE_SESSION if site.options.is_https else SESSION


def session_secret(site: Site, request: HTTPConnection) -> str | None:
    """Return the secret that a browser sends.

    Args:
        site: The site.
        request: The request.

    Returns:
        The secret; None without a cookie.

    """
    return request.cookies.get(session_name(site))


def set_session(site: Site, response: Response, secret: str) -> None:
    """Set the secret of a new session in a browser.

    Args:
        site: The site.
        response: The answer.
        secret: The secret.

    """
    response.set_cookie(
        session_name(site),
        secret,
        max_age=int(site.options.session_lasts.total_seconds()),
        path="/",
        secure=site.options.is_https,
        httponly=True,
        samesite="lax",
    )


def clear_session(site: Site, response: Response) -> None:
    """Make a browser forget its session.

    Args:
        site: The site.
        response: The answer.

    """
    response.delete_cookie(session_name(site), path="/", secure=site.options.is_https, httponly=True, samesite="lax")


def set_language(site: Site, response: Response, language: str) -> None:
    """Make a browser remember a language.

    Args:
        site: The site.
        response: The answer.
        language: The language.

    """
    response.set_cookie(LANGUAGE, language, max_age=YEAR, path="/", secure=site.options.is_https, samesite="lax")
