"""Errors of a client, in English and Chinese."""

from __future__ import annotations

from muge_fast.leaderboard.rules.refusals import RefusalError


class ClientError(RefusalError):
    """Raised where a request fails: the address, the connection, or an answer of the site that refuses it."""


class ConnectionLostError(ClientError):
    """The site cannot be reached, or the connection broke; the request can be repeated."""
