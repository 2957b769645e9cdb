"""Addresses of sites, as participants write them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from muge_fast._internal.display import format_argument
from muge_fast.leaderboard.client.errors import ClientError

PORTS = {"https": 443, "http": 80}


class Address(NamedTuple):
    """The address of a site.

    Attributes:
        scheme: ``"https"`` or ``"http"``.
        host: Name or number of the machine.
        port: The port.
        prefix: Path before those of the site, without a slash at its end; usually empty.

    """

    scheme: str
    host: str
    port: int
    prefix: str

    def path(self, *parts: str) -> str:
        """Return the path of a part of the site.

        Args:
            parts: Names between slashes.

        Returns:
            The path, in which other characters are quoted.

        """
        return "/".join([self.prefix, *(quote(part, safe="") for part in parts)])

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.prefix}"


def parse_address(text: str, *, insecure: bool = False) -> Address:
    """Return the address of a site.

    Args:
        text: The address, such as ``"https://muge.example"``.
        insecure: Whether plain HTTP is allowed for other machines, which sends the token readable.

    Returns:
        Its parts.

    Raises:
        ClientError: It is not an address of HTTP, or is not encrypted.

    Example:
        >>> from muge_fast.leaderboard.client.addresses import parse_address
        >>> address = parse_address("https://muge.example/")
        >>> address.host, address.path("api", "v1", "tasks", "a/b")
        ('muge.example', '/api/v1/tasks/a%2Fb')

    """
    shown = format_argument(text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in PORTS or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ClientError(
            "not_an_address",
            f"{shown} is not the address of a site: write it as https://HOST",
            f"{shown} 不是网站地址：请写成 https://主机名",
        )
    host = parts.hostname
    if parts.scheme == "http" and not insecure and not _is_this_machine(host):
        raise ClientError(
            "not_encrypted",
            f"{shown} is not encrypted, and everyone on the way could read the token: use https, or add --insecure",
            f"{shown} 未加密，途中任何人都能读到令牌：请使用 https，或加上 --insecure",
        )
    return Address(parts.scheme, host, port or PORTS[parts.scheme], parts.path.rstrip("/"))


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
