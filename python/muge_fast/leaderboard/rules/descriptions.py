"""What a team writes about its submission: the method and its links. Everyone sees both."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

from muge_fast._internal.display import format_argument
from muge_fast.leaderboard.rules.names import BLANK, REFUSED_CATEGORIES
from muge_fast.leaderboard.rules.refusals import RefusalError

MAX_METHOD = 200
MAX_LINKS = 3
MAX_LINK = 300


def clean_method(text: str) -> str:
    r"""Return the description of a method in the form in which it is stored and shown.

    White space of any kind becomes one space.

    Args:
        text: The description, from a stranger.

    Returns:
        The description, in Unicode's form NFC.

    Raises:
        RefusalError: It has more than 200 characters (``method_too_long``), or invisible ones
            (``method_invisible_character``).

    Example:
        >>> from muge_fast.leaderboard.rules.descriptions import clean_method
        >>> clean_method(" CLIP,\tfine-tuned ")
        'CLIP, fine-tuned'

    """
    if len(text) > MAX_METHOD * 4:
        raise _too_long()
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    if len(text) > MAX_METHOD:
        raise _too_long()
    for letter in text:
        if unicodedata.category(letter) in REFUSED_CATEGORIES or letter in BLANK:
            raise RefusalError(
                "method_invisible_character",
                f"the method has U+{ord(letter):04X}, which is invisible or a control: type it again without it",
                f"方法说明含有不可见字符或控制字符 U+{ord(letter):04X}：请去掉后重新输入",
            )
    return text


def _too_long() -> RefusalError:
    return RefusalError(
        "method_too_long",
        f"the method has more than {MAX_METHOD} characters: shorten it",
        f"方法说明超过 {MAX_METHOD} 个字符：请缩短",
    )


def clean_links(links: Iterable[str]) -> tuple[str, ...]:
    """Return links to a paper or code in the form in which they are stored.

    Args:
        links: The addresses, from a stranger. Empty ones are left out.

    Returns:
        The addresses.

    Raises:
        RefusalError: There are more than three (``too_many_links``), or one is not an address of ``http`` or ``https``
            (``not_a_link``).

    Example:
        >>> from muge_fast.leaderboard.rules.descriptions import clean_links
        >>> clean_links([" https://example.org/paper ", ""])
        ('https://example.org/paper',)
        >>> try:
        ...     clean_links(["javascript:alert(1)"])
        ... except ValueError as error:
        ...     print(error)
        'javascript:alert(1)' is not a link: begin with https://

    """
    cleaned = tuple(stripped for link in links if (stripped := link.strip()))
    if len(cleaned) > MAX_LINKS:
        raise RefusalError(
            "too_many_links", f"at most {MAX_LINKS} links are possible: leave some out", f"最多 {MAX_LINKS} 个链接"
        )
    for link in cleaned:
        if not _is_link(link):
            shown = format_argument(link)
            raise RefusalError(
                "not_a_link", f"{shown} is not a link: begin with https://", f"{shown} 不是有效链接：请以 https:// 开头"
            )
    return cleaned


def _is_link(link: str) -> bool:
    # Spaces, quotes and everything outside of ASCII must be escaped, so that a link shows where it leads.
    is_plain = link.isascii() and link.isprintable() and not set(link) & set(" \"'<>\\^`{|}")
    try:
        parts = urlsplit(link)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_plain and len(link) <= MAX_LINK and parts.scheme in ("http", "https") and has_host and "@" not in link
