"""Pages and boards of visitors, kept in memory until a board changes."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import NamedTuple

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.schema import task
from muge_fast.leaderboard.web.etags import is_match

# For how long a version counts without a query, and a page even if no board changes: it may name the time.
VERSION_SECONDS = 0.05
PAGE_SECONDS = 10.0
MAX_PAGES = 256
MAX_BYTES = 1_000_000
MAX_KEY = 600

Versions = tuple[tuple[str, int], ...]
Key = tuple[bytes, bytes, str, str]


class BoardVersions:
    """The versions of all boards, asked for once for all requests of a moment.

    Args:
        database: The database.

    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: Versions = ()
        self._until = 0.0
        self._query: asyncio.Future[Versions] | None = None

    async def get(self, *, exact: bool = False) -> Versions:
        """Return the versions, which are a few hundredths of a second old at most.

        Args:
            exact: Make a query in any case, for programs that read a board right after a verdict.

        Returns:
            The version by task.

        """
        if exact:
            return await self._ask()
        if time.monotonic() < self._until:
            return self._known
        if self._query is None or self._query.done():
            self._query = asyncio.ensure_future(self._ask())
        return await asyncio.shield(self._query)

    async def _ask(self) -> Versions:
        asked = time.monotonic()
        self._known = await run_in_threadpool(self._read)
        self._until = asked + VERSION_SECONDS
        return self._known

    def _read(self) -> Versions:
        with self._database.read() as connection:
            query = select(task.c.slug, task.c.board_version).order_by(task.c.slug)
            return tuple((row[0], row[1]) for row in connection.execute(query))


class KeptPage(NamedTuple):
    """A page in memory.

    Attributes:
        versions: The versions of the boards before it was made.
        until: When it ends.
        start: The beginning of the answer.
        body: The body.
        tag: Its tag.

    """

    versions: Versions
    until: float
    start: Message
    body: bytes
    tag: str


class PageCache:
    """Answer requests of visitors from memory. A route that sets ``request.state.keep_page`` is kept.

    Args:
        app: The next layer.
        database: The database.

    """

    def __init__(self, app: ASGIApp, *, database: Database) -> None:
        self.app = app
        self._versions = BoardVersions(database)
        self._pages: OrderedDict[Key, KeptPage] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on and keep its answer."""
        key = _key(scope)
        if key is None:
            await self.app(scope, receive, send)
            return
        try:
            versions = await self._versions.get(exact=scope["path"].startswith("/api/"))
        except Exception:  # noqa: BLE001 - the routes know the errors of a database
            await self.app(scope, receive, send)
            return
        page = self._pages.get(key)
        if page is not None and page.versions == versions and time.monotonic() < page.until:
            self._pages.move_to_end(key)
            await _send(page, scope, send)
            return
        await self.app(scope, receive, self._keeping(key, versions, scope, send))

    def _keeping(self, key: Key, versions: Versions, scope: Scope, send: Send) -> Send:
        start: Message | None = None
        body = b""

        async def send_and_keep(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and message["status"] == 200 and _is_kept(scope):  # noqa: PLR2004
                start = {**message, "headers": list(message["headers"])}
            elif message["type"] == "http.response.body" and start is not None:
                body += message.get("body", b"")
                if not message.get("more_body", False) and len(body) <= MAX_BYTES:
                    tag = Headers(raw=start["headers"]).get("etag", "")
                    self._keep(key, KeptPage(versions, time.monotonic() + PAGE_SECONDS, start, body, tag))
            await send(message)

        return send_and_keep

    def _keep(self, key: Key, page: KeptPage) -> None:
        self._pages[key] = page
        self._pages.move_to_end(key)
        if len(self._pages) > MAX_PAGES:
            self._pages.popitem(last=False)


def _is_kept(scope: Scope) -> bool:
    return bool(scope.get("state", {}).get("keep_page"))


def _may_be_kept(path: str) -> bool:
    return "/board" in path if path.startswith("/api/") else not path.startswith("/static/")


def _key(scope: Scope) -> Key | None:
    """Return the key of a request; None if its answer is never kept, such as with a login."""
    if scope["type"] != "http" or scope["method"] != "GET" or not _may_be_kept(scope["path"]):
        return None
    language = cookies = ""
    for name, value in scope["headers"]:
        if name == b"cookie":
            cookies += value.decode("latin-1")
        elif name == b"accept-language":
            language = value.decode("latin-1")
        elif name in (b"authorization", b"range"):
            return None
    if "session" in cookies or len(cookies) + len(language) + len(scope["query_string"]) > MAX_KEY:
        return None
    return (
        scope["raw_path"] if "raw_path" in scope else scope["path"].encode(),
        scope["query_string"],
        language,
        cookies,
    )


async def _send(page: KeptPage, scope: Scope, send: Send) -> None:
    sent = next((value for name, value in scope["headers"] if name == b"if-none-match"), None)
    if sent is not None and is_match(sent.decode("latin-1"), page.tag):
        headers = [pair for pair in page.start["headers"] if pair[0] not in (b"content-length", b"content-type")]
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({**page.start, "headers": list(page.start["headers"])})
    await send({"type": "http.response.body", "body": page.body})
