"""Rates of requests, in memory: buckets of tokens for each address. Quotas of teams are in the database."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from muge_fast.leaderboard.web.problems import TOO_MANY, ProblemError

MAX_KEYS = 20_000


class Rate(NamedTuple):
    """A rate of requests.

    Attributes:
        burst: Requests that are possible at once.
        per_second: Requests that become possible each second.

    """

    burst: float
    per_second: float


READS = Rate(400, 100)
CHANGES = Rate(60, 2)
LOGINS_OF_ADDRESS = Rate(20, 1 / 10)
LOGINS_OF_NAME = Rate(30, 1 / 60)
REGISTRATIONS = Rate(10, 1 / 600)


class Buckets:
    """Buckets of tokens by key. The least recently used ones are forgotten first, and full again.

    Args:
        rate: Size and rate of each bucket.
        clock: Function that returns seconds which never go back.

    Example:
        >>> from muge_fast.leaderboard.web.rate_limits import Buckets, Rate
        >>> seconds = iter([0, 0, 0, 1])
        >>> buckets = Buckets(Rate(2, 1), clock=lambda: next(seconds))
        >>> [buckets.wait("10.0.0.1") for _ in range(4)]
        [0.0, 0.0, 1.0, 0.0]

    """

    def __init__(self, rate: Rate, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Take a token, if there is one.

        Args:
            key: Key of the bucket.

        Returns:
            Zero if a token was taken; else the seconds until there is one.

        """
        with self._lock:
            now = self._clock()
            level, at = self._levels.pop(key, (self.rate.burst, now))
            level = min(self.rate.burst, level + (now - at) * self.rate.per_second)
            taken = level >= 1
            self._levels[key] = (level - taken, now)
            if len(self._levels) > MAX_KEYS:
                self._levels.popitem(last=False)
            return 0.0 if taken else (1 - level) / self.rate.per_second

    def take(self, key: str) -> None:
        """Take a token, or refuse the request.

        Args:
            key: Key of the bucket.

        Raises:
            ProblemError: There is no token; ``Retry-After`` says when.

        """
        if seconds := self.wait(key):
            raise ProblemError(TOO_MANY, {"Retry-After": str(ceil(seconds))})


class RateLimits:
    """The limits of a site.

    Attributes:
        reads: Requests that change nothing, by address.
        changes: Other requests, by address.
        logins_of_address: Tries to log in, by address.
        logins_of_name: Tries to log in, by account.
        registrations: New accounts, by address.

    """

    def __init__(self) -> None:
        self.reads = Buckets(READS)
        self.changes = Buckets(CHANGES)
        self.logins_of_address = Buckets(LOGINS_OF_ADDRESS)
        self.logins_of_name = Buckets(LOGINS_OF_NAME)
        self.registrations = Buckets(REGISTRATIONS)


def address_key(address: str) -> str:
    """Return the key of an address: of IPv6, the network of 64 bits, because a client has all of it.

    Args:
        address: The address.

    Returns:
        The key.

    Example:
        >>> from muge_fast.leaderboard.web.rate_limits import address_key
        >>> address_key("2001:db8::1") == address_key("2001:db8::2")
        True

    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004 - of the protocol
        return address
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))


def is_loopback(address: str) -> bool:
    """Return whether an address is that of this machine, such as of monitoring and of scripts of the host.

    Args:
        address: The address.

    Returns:
        Whether it is.

    """
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
