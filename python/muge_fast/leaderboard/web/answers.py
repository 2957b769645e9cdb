"""Answers of the layers before the routes, which know neither viewer nor language."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from muge_fast.leaderboard.web.languages import language_of
from muge_fast.leaderboard.web.problems import Problem, problem_response
from muge_fast.leaderboard.web.site import Site


async def answer_problem(
    scope: Scope, receive: Receive, send: Send, problem: Problem, headers: Mapping[str, str] | None = None
) -> None:
    """Answer a request with a problem: as JSON below ``/api/``, else as a line of text.

    Args:
        scope: Scope of the request.
        receive: Function that receives the request.
        send: Function that sends the answer.
        problem: The problem.
        headers: Further headers.

    """
    request = Request(scope, receive)
    site: Site = scope["app_site"]
    language = language_of(request, site.settings)
    if scope["path"].startswith("/api/"):
        response = problem_response(request, problem, language, headers or {})
    else:
        response = PlainTextResponse(problem.message(language), problem.status, dict(headers or {}))
    await response(scope, receive, send)
