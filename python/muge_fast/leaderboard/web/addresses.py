"""Addresses that cannot exist."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from muge_fast.leaderboard.web.answers import answer_problem
from muge_fast.leaderboard.web.problems import NOT_FOUND


class KnownAddresses:
    """Refuse addresses with control characters: no address of the site has one, and databases refuse NUL.

    Args:
        app: The next layer.

    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "http" and _has_controls(scope):
            await answer_problem(scope, receive, send, NOT_FOUND)
            return
        await self.app(scope, receive, send)


def _has_controls(scope: Scope) -> bool:
    query: bytes = scope["query_string"]
    return b"%00" in query or any(letter < " " or letter == "\x7f" for letter in scope["path"])
