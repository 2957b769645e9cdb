"""Limits on the bodies of requests: small, complete in some seconds, and not compressed. Uploads have their own."""

from __future__ import annotations

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from muge_fast.leaderboard.web.answers import answer_problem
from muge_fast.leaderboard.web.problems import TOO_LARGE, TOO_SLOW, Problem, ProblemError

MAX_BODY = 64 * 1024
MAX_SECONDS = 20.0
ENCODED = Problem(
    415,
    "encoded",
    "the body has a Content-Encoding: send the file as it is, without compression",
    "请求体带有 Content-Encoding：请发送未压缩的原始文件",
)
BAD_LENGTH = Problem(400, "bad_length", "Content-Length is not a number", "Content-Length 不是数字")


def declared_length(headers: Headers) -> int | None:
    """Return the length that a request declares.

    Args:
        headers: The headers.

    Returns:
        The length; None without one.

    Raises:
        ProblemError: The length is not a number.

    """
    text = headers.get("content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):  # noqa: PLR2004 - of 64 bits
        raise ProblemError(BAD_LENGTH)
    return int(text)


class BodyLimit:
    """Refuse bodies that are compressed, and, but for uploads, those that are large or slow.

    Args:
        app: The next layer.
        max_body: Largest number of bytes.
        max_seconds: Seconds in which the whole body must arrive.

    """

    def __init__(self, app: ASGIApp, *, max_body: int = MAX_BODY, max_seconds: float = MAX_SECONDS) -> None:
        self.app = app
        self.max_body = max_body
        self.max_seconds = max_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on with a body that is limited."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            await answer_problem(scope, receive, send, ENCODED)
            return
        if is_upload(scope):
            await self.app(scope, receive, send)
            return
        try:
            length = declared_length(headers)
        except ProblemError as error:
            await answer_problem(scope, receive, send, error.problem)
            return
        if length is not None and length > self.max_body:
            await answer_problem(scope, receive, send, TOO_LARGE, {"Connection": "close"})
            return
        await self.app(scope, self._limited(receive), send)

    def _limited(self, receive: Receive) -> Receive:
        received, is_complete, ends = 0, False, anyio.current_time() + self.max_seconds

        async def receive_limited() -> Message:
            nonlocal received, is_complete
            if is_complete:
                # What follows the body is the end of the connection, for which an answer may wait long.
                return await receive()
            try:
                with anyio.fail_after(ends - anyio.current_time()):
                    message = await receive()
            except TimeoutError:
                raise ProblemError(TOO_SLOW, {"Connection": "close"}) from None
            received += len(message.get("body", b""))
            is_complete = not message.get("more_body", False)
            if received > self.max_body:
                raise ProblemError(TOO_LARGE, {"Connection": "close"})
            return message

        return receive_limited


def is_upload(scope: Scope) -> bool:
    """Return whether a request sends a submission.

    Args:
        scope: Scope of the request.

    Returns:
        Whether it does.

    """
    path: str = scope["path"]
    return scope["method"] == "POST" and path.endswith(("/submissions", "/submit")) and "/tasks/" in path
