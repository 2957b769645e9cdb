"""Connections: heads of requests that are slow or large are refused, and an address has a number of connections."""

from __future__ import annotations

import asyncio
from collections import Counter

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from muge_fast.leaderboard.web.proxies import Network, is_within
from muge_fast.leaderboard.web.rate_limits import address_key, is_loopback

HEAD_SECONDS = 10.0
WRITE_SECONDS = 60.0
MAX_HEAD = 32 * 1024
MAX_HEADERS = 100
MAX_CONNECTIONS_OF_ADDRESS = 64
# What is read of a body after its request was answered.
MAX_REST = 1024 * 1024

TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 28\r\nconnection: close\r\n\r\nthe request has large heads\n"
)

_of_address: Counter[str] = Counter()


class LimitedProtocol(HttpToolsProtocol):
    """A connection with limits."""

    trusted_networks: tuple[Network, ...] = ()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_ends: asyncio.TimerHandle | None = None
        self._write_ends: asyncio.TimerHandle | None = None
        self._head_size = 0
        self._rest = 0
        self._key = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, and expect a head."""
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        # All clients of a proxy have its address.
        if address and not is_loopback(address) and not is_within(address, self.trusted_networks):
            self._key = address_key(address)
            _of_address[self._key] += 1
            if _of_address[self._key] > MAX_CONNECTIONS_OF_ADDRESS:
                transport.abort()
                return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_timers()
        if self._key:
            _of_address[self._key] -= 1
            if not _of_address[self._key]:
                del _of_address[self._key]
            self._key = ""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read a part of a request."""
        if self._head_size >= 0:
            if self._head_ends is None:
                self._expect_head()
            self._head_size += len(data)
            # The data may have the end of a small head, and a body after it.
            if self._head_size > MAX_HEAD and b"\r\n\r\n" not in data[:MAX_HEAD]:
                self.transport.write(TOO_LARGE)
                self.transport.close()
                return
        elif self.cycle is not None and self.cycle.response_complete:
            self._rest += len(data)
            if self._rest > MAX_REST:
                self.transport.close()
                return
        super().data_received(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header."""
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            raise ValueError("too many headers")

    def on_headers_complete(self) -> None:
        """Begin a request."""
        if self._head_ends is not None:
            self._head_ends.cancel()
            self._head_ends = None
        self._head_size = -1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request."""
        super().on_message_complete()
        self._head_size, self._rest = 0, 0

    def pause_writing(self) -> None:
        """Wait for a client that reads slowly, but not forever."""
        super().pause_writing()
        self._write_ends = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on after a client has read."""
        super().resume_writing()
        if self._write_ends is not None:
            self._write_ends.cancel()
            self._write_ends = None

    def _expect_head(self) -> None:
        self._head_ends = self.loop.call_later(HEAD_SECONDS, self._close_slow)

    def _close_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _stop_timers(self) -> None:
        for timer in (self._head_ends, self._write_ends):
            if timer is not None:
                timer.cancel()
        self._head_ends = self._write_ends = None
