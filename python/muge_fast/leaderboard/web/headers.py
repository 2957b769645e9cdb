"""Headers of every answer: nothing of other sites is loaded or sent, nothing of this site is framed elsewhere."""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Styles, scripts and pictures are files of the site; nothing is inline.
CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# A report is one file with its styles. In a sandbox it has no scripts, no forms and no cookies.
REPORT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
FIXED = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")


# Addresses of these files change with their bytes.
KEPT = "public, max-age=31536000, immutable"


class SecurityHeaders:
    """Add the headers that protect browsers, and the id of the request.

    Args:
        app: The next layer.
        is_https: Whether browsers reach the site by TLS.

    """

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self.app = app
        self.fixed = [*FIXED, *([STRICT_TRANSPORT] if is_https else [])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add headers to its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=[*message.get("headers", ()), *self.fixed])
                headers["x-request-id"] = request_id
                # A report in a frame has a stricter policy, which stays.
                headers.setdefault("content-security-policy", CONTENT_POLICY)
                headers.setdefault("x-frame-options", "DENY")
                headers.setdefault("cache-control", _kept(scope, message["status"]))
                message["headers"] = headers.raw
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _kept(scope: Scope, status: int) -> str:
    is_static = scope["path"].startswith("/static/") and scope["query_string"].startswith(b"v=")
    return KEPT if is_static and status in (200, 304) else "no-store"
