"""Cross-site requests: a form on another site cannot act for someone who is logged in here.

Browsers say where a request comes from. Requests with a token need no such check, because no browser adds a token by
itself.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from muge_fast.leaderboard.web.answers import answer_problem
from muge_fast.leaderboard.web.problems import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CROSS_SITE = Problem(
    403,
    "cross_site",
    "the request comes from another site: open the page of this site, and send it from there",
    "该请求来自其他网站：请打开本站页面后再提交",
)


class CrossSiteRequests:
    """Refuse requests that change something and come from another site.

    Args:
        app: The next layer.
        address: Address at which browsers reach the site; empty for that of the request.

    """

    def __init__(self, app: ASGIApp, *, address: str = "") -> None:
        self.app = app
        self.origin = address.rstrip("/").lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            headers = Headers(scope=scope)
            if not has_token(headers) and is_cross_site(headers, self.origin):
                await answer_problem(scope, receive, send, CROSS_SITE)
                return
        await self.app(scope, receive, send)


def has_token(headers: Headers) -> bool:
    """Return whether a request has a token, so that its cookies do not count.

    Args:
        headers: The headers.

    Returns:
        Whether it has one, valid or not.

    """
    return headers.get("authorization", "")[:7].lower() == "bearer "


def is_cross_site(headers: Headers, origin: str = "") -> bool:
    """Return whether a browser sends a request for another site.

    Args:
        headers: The headers.
        origin: Address of this site; empty for that of ``Host``.

    Returns:
        Whether it comes from elsewhere. Programs that send neither header are not browsers, and have no cookies that
        another site could use.

    Example:
        >>> from starlette.datastructures import Headers
        >>> from muge_fast.leaderboard.web.csrf import is_cross_site
        >>> is_cross_site(Headers({"sec-fetch-site": "cross-site"}))
        True
        >>> is_cross_site(Headers({"origin": "http://localhost:8000", "host": "localhost:8000"}))
        False

    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    sent = headers.get("origin")
    if sent is None:
        return False
    if origin:
        return sent.lower() != origin
    # Older browsers, and plain http other than localhost, send the origin alone. "null" has no host.
    try:
        host = urlsplit(sent).netloc.lower()
    except ValueError:
        return True
    return not host or host != headers.get("host", "").lower()
