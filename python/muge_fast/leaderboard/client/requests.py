"""Requests to a site: bodies read from a file, answers of bounded size, repetition after a lost connection.

The standard library alone, so that participants need no other package. Redirects are not followed, because the token
would go along.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import IO, Any, NamedTuple
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from muge_fast._core import __version__
from muge_fast._internal.display import format_id
from muge_fast.leaderboard.client.addresses import Address
from muge_fast.leaderboard.client.errors import ClientError, ConnectionLostError

BLOCK = 1 << 16
MAX_ANSWER = 4 << 20
TIMEOUT = 60.0
PAUSES = (0.5, 1.0, 2.0, 4.0)
LONGEST_PAUSE = 30.0

# Answers of a site, or of a proxy before it, that a later try may not get.
PASSING = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


class Body(NamedTuple):
    """A body that is read from a file each time it is sent.

    Attributes:
        file: The file.
        size: Its size in bytes, which is announced.
        progress: Function that is called with the number of bytes that were sent; None for no such function.

    """

    file: IO[bytes]
    size: int
    progress: Callable[[int], object] | None = None


class Answer(NamedTuple):
    """An answer of a site.

    Attributes:
        status: Status code of HTTP.
        values: The JSON object; empty if the answer has none.
        retry_after: Seconds after which another try is possible; None if the site does not say.

    """

    status: int
    values: dict[str, Any]
    retry_after: float | None


class Api:
    """The API of a site, as one account uses it.

    Args:
        address: Address of the site.
        token: Token of the account; None for a visitor.
        lang: Language of messages, ``"en"`` or ``"zh"``.
        pauses: Seconds to wait before each repetition of a request.
        sleep: Function that waits, for tests.

    """

    def __init__(
        self,
        address: Address,
        *,
        token: str | None = None,
        lang: str = "en",
        pauses: tuple[float, ...] = PAUSES,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.address = address
        self._headers = {
            "Accept": "application/json",
            "Accept-Language": lang,
            "User-Agent": f"muge-fast/{__version__}",
        }
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._pauses = pauses
        self._sleep = sleep

    def get(self, *parts: str) -> dict[str, Any]:
        """Return a JSON object of the site.

        Args:
            parts: Names of the path after ``/api/v1``.

        Returns:
            The object.

        Raises:
            ClientError: The site cannot be reached, or refuses the request.

        """
        return self._request("GET", parts, {}, None).values

    def post(
        self, *parts: str, query: Sequence[tuple[str, str]] = (), headers: Mapping[str, str], body: Body
    ) -> Answer:
        """Send a file. It is sent again after a lost connection, so the headers must have a key of the request.

        Args:
            parts: Names of the path after ``/api/v1``.
            query: Names and values of parameters.
            headers: Further headers.
            body: The file.

        Returns:
            The answer, whose status is a success.

        Raises:
            ClientError: The site cannot be reached, or refuses the request.

        """
        given = {"Content-Type": "application/octet-stream", **headers}
        return self._request("POST", parts, given, body, f"?{urlencode(query)}" if query else "")

    def _request(
        self, method: str, parts: tuple[str, ...], headers: Mapping[str, str], body: Body | None, query: str = ""
    ) -> Answer:
        path = self.address.path("api", "v1", *parts) + query
        for pause in (*self._pauses, None):
            try:
                answer = self._once(method, path, {**self._headers, **headers}, body)
            except ConnectionLostError:
                if pause is None:
                    raise
                self._sleep(pause)
                continue
            wait = pause if answer.retry_after is None else answer.retry_after
            if pause is None or wait is None or wait > LONGEST_PAUSE or not _is_passing(answer):
                return self._success(answer)
            self._sleep(wait)
        raise AssertionError  # The last pause is None.

    def _once(self, method: str, path: str, headers: Mapping[str, str], body: Body | None) -> Answer:
        with closing(_connection(self.address)) as connection:
            try:
                connection.connect()
            except ssl.SSLCertVerificationError as error:
                raise _untrusted(self.address, error) from error
            except (OSError, HTTPException) as error:
                raise _lost(self.address, error) from error
            try:
                with closing(_exchange(connection, method, path, headers, body)) as response:
                    return _answer(response)
            except (OSError, HTTPException) as error:
                raise _lost(self.address, error) from error

    def _success(self, answer: Answer) -> Answer:
        if answer.status in (HTTPStatus.OK, HTTPStatus.CREATED):
            return answer
        if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
            raise ClientError(
                "redirected",
                f"{self.address} leads to another address: give the address that browsers show",
                f"{self.address} 会跳转到其他地址：请使用浏览器显示的地址",
            )
        detail = format_id(str(answer.values.get("detail") or ""), 1000)
        code = str(answer.values.get("code") or f"http_{answer.status}")
        if detail:
            raise ClientError(code, f"the site refuses: {detail}", f"网站拒绝请求：{detail}")
        raise ClientError(
            code,
            f"{self.address} answers with the code {answer.status}: look whether it is the address of a board",
            f"{self.address} 返回状态码 {answer.status}：请检查它是否为排行榜的地址",
        )


def _is_passing(answer: Answer) -> bool:
    # The limit of submissions has this status, too, and does not pass within seconds.
    return answer.status in PASSING and answer.values.get("code") != "quota_reached"


def _connection(address: Address) -> HTTPConnection:
    if address.scheme == "http":
        return HTTPConnection(address.host, address.port, timeout=TIMEOUT)
    proxy = None if proxy_bypass(address.host) else getproxies().get("https")
    context = ssl.create_default_context()
    if not proxy:
        return HTTPSConnection(address.host, address.port, timeout=TIMEOUT, context=context)
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    made = HTTPSConnection(parts.hostname or "", parts.port or 3128, timeout=TIMEOUT, context=context)
    made.set_tunnel(address.host, address.port)
    return made


def _exchange(
    connection: HTTPConnection, method: str, path: str, headers: Mapping[str, str], body: Body | None
) -> HTTPResponse:
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(body.size))
    connection.endheaders()
    if body is not None:
        try:
            _send(connection, body)
        except (BrokenPipeError, ConnectionResetError) as error:
            # A site that refuses a file may answer before it has read it.
            try:
                return connection.getresponse()
            except (OSError, HTTPException):
                raise error from None
    return connection.getresponse()


def _send(connection: HTTPConnection, body: Body) -> None:
    body.file.seek(0)
    sent = 0
    while sent < body.size and (chunk := body.file.read(min(BLOCK, body.size - sent))):
        connection.send(chunk)
        sent += len(chunk)
        if body.progress is not None:
            body.progress(sent)
    if sent < body.size:
        raise ClientError(
            "file_changed",
            "the file became shorter while it was sent: send it when it is complete",
            "文件在发送过程中变短：请在写入完成后再发送",
        )


def _answer(response: HTTPResponse) -> Answer:
    content = response.read(MAX_ANSWER + 1)
    values = {}
    if len(content) <= MAX_ANSWER and "json" in response.headers.get_content_subtype():
        try:
            values = json.loads(content)
        except ValueError:
            values = {}
    return Answer(response.status, values if isinstance(values, dict) else {}, _seconds(response))


def _seconds(response: HTTPResponse) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _lost(address: Address, error: Exception) -> ClientError:
    if isinstance(error, socket.gaierror):
        words = "no such host, or no network", "没有这台主机，或没有网络"
    elif isinstance(error, ConnectionRefusedError):
        words = "nothing listens there", "该地址没有服务"
    elif isinstance(error, TimeoutError):
        words = "no answer in time", "未及时响应"
    else:
        reason = format_id(str(error) or type(error).__name__, 200)
        words = f"the connection broke ({reason})", f"连接中断（{reason}）"
    return ConnectionLostError(
        "no_connection",
        f"{address} cannot be reached: {words[0]}; try again, nothing is sent twice",
        f"无法连接 {address}：{words[1]}；可以重试，不会重复提交",
    )


def _untrusted(address: Address, error: ssl.SSLCertVerificationError) -> ClientError:
    reason = format_id(error.verify_message or str(error), 200)
    return ClientError(
        "untrusted",
        f"{address} has a certificate that is not trusted ({reason}): check the address, or ask the organizers",
        f"{address} 的证书不受信任（{reason}）：请检查地址，或联系组织者",
    )
