"""Errors as clients read them: problem details of RFC 9457 for programs, and pages for browsers."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from muge_fast._internal.display import json_text, printable
from muge_fast.leaderboard.blobs.interface import BlobTooLargeError
from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.store.errors import ConflictError, NotFoundError, RefusedError, StorageFullError, StoreError

MEDIA_TYPE = "application/problem+json"

# Other refusals of the rules are about the values of a request.
STATUS_OF_REFUSAL = {
    **dict.fromkeys(("not_open", "closed"), HTTPStatus.FORBIDDEN),
    "quota_reached": HTTPStatus.TOO_MANY_REQUESTS,
    **dict.fromkeys(("name_taken", "illegal_move", "merger_over_quota"), HTTPStatus.CONFLICT),
    "not_a_month": HTTPStatus.NOT_FOUND,
}
STATUS_OF_STORE_ERROR: dict[type[StoreError], tuple[HTTPStatus, str]] = {
    NotFoundError: (HTTPStatus.NOT_FOUND, "not_found"),
    ConflictError: (HTTPStatus.CONFLICT, "conflict"),
    RefusedError: (HTTPStatus.CONFLICT, "refused"),
    StorageFullError: (HTTPStatus.INSUFFICIENT_STORAGE, "storage_full"),
}
FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
RETRY_SECONDS = "5"


class Problem(NamedTuple):
    """An error of a request.

    Attributes:
        status: Status code of HTTP.
        code: Kind of the error, for programs, such as ``"quota_reached"``.
        en: What is wrong and what to do, in English.
        zh: The same in Chinese.

    """

    status: int
    code: str
    en: str
    zh: str

    def message(self, language: str) -> str:
        """Return the message in a language.

        Args:
            language: ``"en"`` or ``"zh"``.

        Returns:
            One line of text.

        """
        return self.zh if language == "zh" else self.en


NOT_FOUND = Problem(404, "not_found", "there is nothing at this address", "该地址没有内容")
FULL = Problem(
    507, "storage_full", "the disk of the site is full: nothing was stored", "网站磁盘已满：没有保存任何内容"
)
BUSY = Problem(503, "busy", "the site is busy: try again in some seconds", "网站繁忙：请几秒后再试")
INTERNAL = Problem(
    500, "internal", "the site has a fault, which was logged: try again later", "网站出现故障（已记录）：请稍后再试"
)
LOGIN = Problem(
    401,
    "login_needed",
    "log in, or send a token: Authorization: Bearer …",
    "请登录，或发送令牌：Authorization: Bearer …",
)
TOO_LARGE = Problem(413, "too_large", "the request is too large", "请求过大")
INCOMPLETE = Problem(400, "incomplete", "the connection ended before the file did", "连接在文件传输完成前中断")
TOO_SLOW = Problem(408, "too_slow", "the request arrives too slowly: send it again", "请求发送过慢：请重新发送")
TOO_MANY = Problem(429, "too_many_requests", "too many requests: wait a moment", "请求过于频繁：请稍候")


class ProblemError(Exception):
    """Raised to answer a request with a problem.

    Attributes:
        problem: The problem.
        headers: Further headers of the answer.

    """

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.headers = dict(headers or {})


EXPECTED = (
    *(ProblemError, RefusalError, StoreError, HTTPException, BlobTooLargeError, ClientDisconnect),
    *(OperationalError, InterfaceError, PoolTimeoutError),
)
"""Errors that are answered with a problem, and are not faults of the site."""


def problem_of(error: Exception) -> Problem | None:
    """Return the problem of an error.

    Args:
        error: An error of the rules, the store, the storage of files or the framework.

    Returns:
        The problem; None for a fault of the site.

    """
    if isinstance(error, ProblemError):
        return error.problem
    if isinstance(error, RefusalError):
        status = STATUS_OF_REFUSAL.get(error.code, HTTPStatus.UNPROCESSABLE_ENTITY)
        return Problem(status, error.code, error.en, error.zh)
    if isinstance(error, StoreError):
        for kind, (status, code) in STATUS_OF_STORE_ERROR.items():
            if isinstance(error, kind):
                return Problem(status, code, error.en, error.zh)
    if isinstance(error, HTTPException):
        return _of_framework(error.status_code)
    return INCOMPLETE if isinstance(error, ClientDisconnect) else _of_storage(error)


def _of_framework(status: int) -> Problem:
    if status == HTTPStatus.NOT_FOUND:
        return NOT_FOUND
    phrase = HTTPStatus(status).phrase
    return Problem(
        status, phrase.lower().replace(" ", "_"), f"the request is not possible: {phrase}", f"请求无法处理：{phrase}"
    )


def _of_storage(error: Exception) -> Problem | None:
    if isinstance(error, BlobTooLargeError):
        return Problem(413, "too_large", str(error), f"文件过大：{error}")
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        return FULL
    # A database that is locked for long, or a server that is restarted.
    return BUSY if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError) else None


def problem_headers(error: Exception, problem: Problem) -> dict[str, str]:
    """Return the headers that go with a problem.

    Args:
        error: The error.
        problem: Its problem.

    Returns:
        The headers.

    """
    headers = dict(error.headers) if isinstance(error, ProblemError) else {}
    if isinstance(error, HTTPException):
        headers |= dict(error.headers or {})
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", "Bearer")
    if problem.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE):
        headers.setdefault("Retry-After", RETRY_SECONDS)
    return headers


def problem_response(request: Request, problem: Problem, language: str, headers: Mapping[str, str]) -> Response:
    """Return an error as JSON.

    Args:
        request: The request.
        problem: The problem.
        language: Language of the text.
        headers: Further headers.

    Returns:
        The answer.

    """
    body = {
        "type": f"/problems/{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.message(language),
        "instance": printable(request.url.path, 200),
    }
    return Response(json_text(body), problem.status, {**headers, "Cache-Control": "no-store"}, MEDIA_TYPE)
