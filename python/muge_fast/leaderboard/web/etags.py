"""ETags: an answer that has not changed is not sent again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

TAG = re.compile(r'(?:W/)?("[^"]*")')


def etag_of(body: bytes) -> str:
    """Return the tag of a body.

    Args:
        body: The bytes.

    Returns:
        The tag, in quotes.

    Example:
        >>> from muge_fast.leaderboard.web.etags import etag_of
        >>> etag_of(b"")
        '"e3b0c44298fc1c149afbf4c8996fb924"'

    """
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def is_match(header: str | None, tag: str) -> bool:
    """Return whether a client has what a tag stands for.

    Args:
        header: Value of ``If-None-Match``.
        tag: The tag.

    Returns:
        Whether it has.

    Example:
        >>> from muge_fast.leaderboard.web.etags import is_match
        >>> is_match('W/"a", "b"', '"b"'), is_match(None, '"b"')
        (True, False)

    """
    if header is None:
        return False
    return header.strip() == "*" or tag in TAG.findall(header)


def tagged_response(
    request: Request, body: bytes, media_type: str, *, headers: Mapping[str, str] | None = None, is_public: bool = False
) -> Response:
    """Return an answer with a tag, or 304 if the client has it.

    Args:
        request: The request.
        body: The bytes.
        media_type: Their type.
        headers: Further headers.
        is_public: Whether everyone gets the same answer, so that proxies may keep it. All clients ask again each time.

    Returns:
        The answer.

    """
    tag = etag_of(body)
    scope = "public" if is_public else "private"
    sent = {
        "ETag": tag,
        "Cache-Control": f"{scope}, no-cache",
        "Vary": "Accept-Language, Authorization, Cookie",
        **(headers or {}),
    }
    if is_match(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=sent)
    return Response(body, headers=sent, media_type=media_type)
