"""The layer that refuses floods of requests from one address."""

from __future__ import annotations

from math import ceil

from starlette.types import ASGIApp, Receive, Scope, Send

from muge_fast.leaderboard.web.answers import answer_problem
from muge_fast.leaderboard.web.problems import TOO_MANY
from muge_fast.leaderboard.web.rate_limits import RateLimits, address_key, is_loopback


class FloodLimit:
    """Refuse floods of requests from one address. This machine is not limited.

    Args:
        app: The next layer.
        limits: The limits.

    """

    def __init__(self, app: ASGIApp, *, limits: RateLimits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        address = (scope.get("client") or ("",))[0]
        if scope["type"] == "http" and not is_loopback(address):
            buckets = self.limits.reads if scope["method"] in ("GET", "HEAD") else self.limits.changes
            if seconds := buckets.wait(address_key(address)):
                await answer_problem(scope, receive, send, TOO_MANY, {"Retry-After": str(ceil(seconds))})
                return
        await self.app(scope, receive, send)
