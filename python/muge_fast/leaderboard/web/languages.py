"""The language of an answer: of the address, the cookie, the browser, or the settings."""

from __future__ import annotations

import re

from starlette.requests import HTTPConnection

from muge_fast.leaderboard.rules.settings import Settings

LANGUAGE = "lang"
ITEM = re.compile(r"([a-z]{2,3}|\*)(?:-[\w-]+)?(?:;q=([01](?:\.\d{1,3})?))?", re.ASCII | re.IGNORECASE)
MAX_HEADER = 500


def language_of(request: HTTPConnection, settings: Settings) -> str:
    """Return the language of an answer.

    Args:
        request: The request: ``?lang=``, the cookie and ``Accept-Language`` count, in this order.
        settings: The settings of the board; the first language is the default.

    Returns:
        ``"en"`` or ``"zh"``.

    """
    languages = settings.languages
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE)):
        if chosen in languages:
            return chosen
    return accepted_language(request.headers.get("accept-language", ""), languages)


def accepted_language(header: str, languages: tuple[str, ...]) -> str:
    """Return the language that a browser prefers.

    Args:
        header: Value of ``Accept-Language``.
        languages: The languages, the default first.

    Returns:
        One of them.

    Example:
        >>> from muge_fast.leaderboard.web.languages import accepted_language
        >>> accepted_language("en-US,en;q=0.9,zh;q=0.8", ("zh", "en"))
        'en'
        >>> accepted_language("fr, *;q=0.1", ("zh", "en"))
        'zh'

    """
    found: list[tuple[float, str]] = []
    for item in header[:MAX_HEADER].replace(" ", "").split(","):
        match = ITEM.fullmatch(item)
        if match and (language := match[1].lower()) in languages:
            found.append((float(match[2] or 1), language))
    # The first of equal ones, as browsers list them by preference.
    return max(found, key=lambda pair: pair[0])[1] if found else languages[0]
