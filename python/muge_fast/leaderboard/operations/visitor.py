"""Requests of a visitor to the application, in this process: what everyone may see, by the code that serves it."""

from __future__ import annotations

import asyncio
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from starlette.types import ASGIApp, Message, Scope

HOST = b"export.invalid"


class Answer(NamedTuple):
    """An answer of the application.

    Attributes:
        status: Status code of HTTP.
        media_type: Type of the content, such as ``"text/html"``.
        content: The content.

    """

    status: int
    media_type: str
    content: bytes


async def visit(app: ASGIApp, address: str) -> Answer:
    """Ask the application for an address, without a login.

    Args:
        app: The application.
        address: Path and query.

    Returns:
        The answer.

    """
    parts = urlsplit(address)
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode("ascii"),
        "query_string": parts.query.encode("ascii"),
        "root_path": "",
        "headers": [(b"host", HOST), (b"accept", b"text/html,application/json,*/*")],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }
    received: list[Message] = []
    body: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]
    never = asyncio.Event()

    async def receive() -> Message:
        if body:
            return body.pop()
        # A visitor that disconnects would end the answer.
        await never.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        received.append(message)

    await app(scope, receive, send)
    start = next(message for message in received if message["type"] == "http.response.start")
    content = b"".join(message.get("body", b"") for message in received if message["type"] == "http.response.body")
    headers = {name.lower(): value for name, value in start["headers"]}
    media_type = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0]
    return Answer(start["status"], media_type, content)
