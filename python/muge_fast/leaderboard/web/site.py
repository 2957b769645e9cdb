"""The site as every request sees it: the board, the options of the server, and what is kept in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from starlette.requests import HTTPConnection

from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.rules.settings import Settings, TaskSettings
from muge_fast.leaderboard.standings.cache import StandingCache
from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.web.rate_limits import RateLimits
from muge_fast.leaderboard.web.uploads import Uploads


@dataclass(frozen=True)
class WebOptions:
    """Options of the web server.

    Attributes:
        address: Address at which browsers reach the site, such as ``"https://muge.example"``; empty for any. With
            ``https``, cookies are sent over TLS only, and browsers are asked never to use anything else.
        trusted_proxies: Addresses or networks of proxies whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` count.
        session_lasts: How long a login lasts.
        invitation_lasts: How long an invitation to a team can be used.
        limit_floods: Whether floods of requests are refused. Logins are limited in any case.

    """

    address: str = ""
    trusted_proxies: tuple[str, ...] = ()
    session_lasts: timedelta = timedelta(days=14)
    invitation_lasts: timedelta = timedelta(days=7)
    limit_floods: bool = True

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the site by TLS."""
        return self.address.startswith("https://")


class Site:
    """What every request uses; ``request.app.state.site`` is it.

    Args:
        board: The board: its settings, database and files.
        options: Options of the web server.

    Attributes:
        standings: Standings of the tasks, kept until a board changes.
        limits: Limits on floods of requests.
        uploads: Uploads that are in progress.

    """

    def __init__(self, board: Board, options: WebOptions | None = None) -> None:
        self.board = board
        self.options = options or WebOptions()
        self.standings = StandingCache(board)
        self.limits = RateLimits()
        self.uploads = Uploads(board.blobs)

    @property
    def settings(self) -> Settings:
        """The settings of the board."""
        return self.board.settings

    def task(self, slug: str) -> TaskSettings:
        """Return the settings of a task.

        Args:
            slug: Name of the task in addresses.

        Returns:
            The settings.

        Raises:
            NotFoundError: The board has no such task.

        """
        try:
            return self.settings.tasks[slug]
        except KeyError:
            raise NotFoundError("there is no such task", "没有这个任务") from None

    def now(self) -> datetime:
        """Return the time of the database, in UTC.

        Returns:
            The time.

        """
        return self.board.database.present()

    def close(self) -> None:
        """Stop what runs in the background. The board stays open."""
        self.standings.close()
        self.uploads.close()


def site_of(request: HTTPConnection) -> Site:
    """Return the site of a request.

    Args:
        request: The request.

    Returns:
        The site.

    """
    return cast(Site, request.app.state.site)
