"""The address of a client behind proxies: their headers count only if the peer is a proxy that was configured."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return networks of addresses.

    Args:
        texts: Addresses or networks, such as ``"10.0.0.0/8"``.

    Returns:
        The networks.

    Raises:
        ValueError: A text is not an address or a network.

    Example:
        >>> from muge_fast.leaderboard.web.proxies import parse_networks
        >>> parse_networks(["10.0.0.0/8", "::1"])
        (IPv4Network('10.0.0.0/8'), IPv6Network('::1/128'))

    """
    return tuple(ipaddress.ip_network(text.strip(), strict=False) for text in texts)


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Return whether an address is in one of several networks.

    Args:
        address: The address; other texts are in no network.
        networks: The networks.

    Returns:
        Whether it is.

    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def client_address(peer: str, forwarded: Iterable[str], trusted: tuple[Network, ...]) -> str:
    """Return the address of a client: the last one of the chain that is not a trusted proxy.

    Args:
        peer: Address of the other end of the connection.
        forwarded: Values of ``X-Forwarded-For`` in the order of their lines. Anyone may have written the first ones.
        trusted: Networks of the proxies.

    Returns:
        The address.

    Example:
        >>> from muge_fast.leaderboard.web.proxies import client_address, parse_networks
        >>> trusted = parse_networks(["10.0.0.1"])
        >>> client_address("10.0.0.1", ["6.6.6.6, 203.0.113.9"], trusted)
        '203.0.113.9'
        >>> client_address("203.0.113.9", ["6.6.6.6"], trusted)
        '203.0.113.9'

    """
    chain = [part.strip() for value in forwarded for part in value.split(",")]
    address = peer
    while chain and is_within(address, trusted):
        candidate = chain.pop()
        try:
            address = str(ipaddress.ip_address(candidate))
        except ValueError:
            break
    return address


class ForwardedHeaders:
    """Set the client and the scheme of requests from trusted proxies.

    Args:
        app: The next layer.
        trusted: Networks of the proxies.

    """

    def __init__(self, app: ASGIApp, *, trusted: tuple[Network, ...]) -> None:
        self.app = app
        self.trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with the address of its client."""
        peer, port = scope.get("client") or ("", 0)
        if scope["type"] == "http" and self.trusted and is_within(peer, self.trusted):
            headers = Headers(scope=scope)
            address = client_address(peer, headers.getlist("x-forwarded-for"), self.trusted)
            scope = {**scope, "client": (address, port)}
            if headers.get("x-forwarded-proto") in ("http", "https"):
                scope["scheme"] = headers["x-forwarded-proto"]
        await self.app(scope, receive, send)
