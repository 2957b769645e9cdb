"""Parts of the answers of the API."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from starlette.responses import Response

from muge_fast.leaderboard.web.api.schemas import ProblemDetails

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ProblemDetails, "description": "The request is refused."},
    "5XX": {"model": ProblemDetails, "description": "The site cannot serve the request now."},
}
"""Errors that every address may answer with, for the description of the API."""

JSON = "application/json"


def json_body(value: object) -> bytes:
    """Return JSON. Numbers are finite; times are in UTC.

    Args:
        value: Lists, objects, texts, numbers and times.

    Returns:
        The bytes.

    Example:
        >>> from muge_fast.leaderboard.web.api.answers import json_body
        >>> json_body({"team": "红裙"}).decode()
        '{"team": "红裙"}'

    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_time).encode("utf-8", "replace")


def json_response(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return an answer of JSON.

    Args:
        value: The value.
        status: Status code.
        headers: Further headers.

    Returns:
        The answer.

    """
    return Response(json_body(value), status, headers, JSON)


def _time(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"an answer of the API has a value of the type {type(value).__name__}")


def rows_json(rows: Iterable[NamedRow]) -> list[dict[str, object]]:
    """Return rows of the store as objects.

    Args:
        rows: Named tuples.

    Returns:
        The objects.

    """
    return [row._asdict() for row in rows]


class NamedRow(Protocol):
    """A named tuple."""

    def _asdict(self) -> dict[str, object]:
        """Return the fields by name."""
