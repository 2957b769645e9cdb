"""Numbers as pages show them."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import urlsplit

MINUS = "\u2212"


def number_text(number: Decimal) -> str:
    r"""Return a number with a real minus sign.

    Args:
        number: The number.

    Returns:
        The text.

    Example:
        >>> from decimal import Decimal
        >>> from muge_fast.leaderboard.web.pages.numbers import number_text
        >>> number_text(Decimal("65.30")), ascii(number_text(Decimal("-0.5")))
        ('65.30', "'\\u22120.5'")

    """
    return f"{number:f}".replace("-", MINUS)


def signed_text(number: Decimal) -> str:
    """Return a difference with its sign.

    Args:
        number: The difference.

    Returns:
        The text.

    Example:
        >>> from decimal import Decimal
        >>> from muge_fast.leaderboard.web.pages.numbers import signed_text
        >>> signed_text(Decimal("1.20")), signed_text(Decimal("0.00"))
        ('+1.20', '0.00')

    """
    return f"{number:+f}".replace("-", MINUS) if number else f"{abs(number):f}"


def bounds_text(low: Decimal | None, high: Decimal | None) -> str:
    """Return an interval.

    Args:
        low: Lower bound; None for no interval.
        high: Upper bound; None for no interval.

    Returns:
        The text; empty for no interval.

    Example:
        >>> from decimal import Decimal
        >>> from muge_fast.leaderboard.web.pages.numbers import bounds_text
        >>> bounds_text(Decimal("64.10"), Decimal("66.90")), bounds_text(None, None)
        ('[64.10, 66.90]', '')

    """
    return "" if low is None or high is None else f"[{number_text(low)}, {number_text(high)}]"


def level_text(level: float, language: str) -> str:
    """Return a confidence level in percent.

    Args:
        level: The level between 0 and 1.
        language: ``"en"`` or ``"zh"``.

    Returns:
        The text.

    Example:
        >>> from muge_fast.leaderboard.web.pages.numbers import level_text
        >>> level_text(0.95, "zh"), level_text(0.95, "en")
        ('95%', '95 %')

    """
    return f"{level * 100:g}{'' if language == 'zh' else ' '}%"


def size_text(size: int) -> str:
    """Return a size in bytes with a unit of 1,000 or its powers.

    Args:
        size: Number of bytes.

    Returns:
        The text.

    Example:
        >>> from muge_fast.leaderboard.web.pages.numbers import size_text
        >>> size_text(900), size_text(601_400), size_text(128_000_000), size_text(8_192_000_000)
        ('900 B', '601.4 kB', '128 MB', '8.192 GB')

    """
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.4g} {unit}"
    return f"{size} B"


def link_parts(addresses: tuple[str, ...] | list[str] | None) -> list[dict[str, str]]:
    """Return links for a page, shown by their host. Addresses that are not of ``http`` or ``https`` are left out.

    Args:
        addresses: The addresses; None for none.

    Returns:
        Address and host of each.

    Example:
        >>> from muge_fast.leaderboard.web.pages.numbers import link_parts
        >>> link_parts(["https://arxiv.org/abs/1", "javascript:alert(1)"])
        [{'href': 'https://arxiv.org/abs/1', 'host': 'arxiv.org'}]

    """
    parts = [(address, urlsplit(address)) for address in addresses or ()]
    return [
        {"href": address, "host": split.hostname}
        for address, split in parts
        if split.scheme in ("http", "https") and split.hostname
    ]
