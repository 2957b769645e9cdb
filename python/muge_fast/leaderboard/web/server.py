"""Running the application by uvicorn, with limits on slow and large requests."""

from __future__ import annotations

import socket

import uvicorn

from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.web.app import create_app
from muge_fast.leaderboard.web.protocol import LimitedProtocol
from muge_fast.leaderboard.web.proxies import parse_networks
from muge_fast.leaderboard.web.site import WebOptions

KEEP_ALIVE_SECONDS = 15
SHUTDOWN_SECONDS = 20
MAX_CONNECTIONS = 1000
BACKLOG = 2048


def run_web(
    board: Board,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    options: WebOptions | None = None,
    listener: socket.socket | None = None,
) -> None:
    """Serve a board until SIGTERM or Ctrl-C, and finish the requests that have begun.

    Requests that take longer than twenty seconds to finish are ended; what they sent is not stored.

    Args:
        board: The board, which is open.
        host: Address to listen at.
        port: Port to listen at; 0 for any free one.
        options: Options of the web server.
        listener: A socket that listens, in place of ``host`` and ``port``.

    Raises:
        ValueError: A trusted proxy is not an address or a network.

    """
    options = options or WebOptions()
    networks = parse_networks(options.trusted_proxies)

    class Protocol(LimitedProtocol):
        trusted_networks = networks

    config = uvicorn.Config(
        create_app(board, options=options),
        host=host,
        port=port,
        http=Protocol,
        ws="none",
        # Proxies are trusted by the options alone.
        proxy_headers=False,
        server_header=False,
        date_header=True,
        access_log=False,
        log_level="warning",
        backlog=BACKLOG,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    uvicorn.Server(config).run(None if listener is None else [listener])
