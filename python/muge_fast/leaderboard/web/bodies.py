"""Bodies of requests: JSON, short forms, and multipart with a file that is passed on while it arrives."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from email.message import Message
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser
from starlette.requests import Request

from muge_fast.leaderboard.web.problems import Problem, ProblemError
from muge_fast.leaderboard.web.uploads import body_of

MAX_FIELDS = 50
MAX_FIELD = 8 * 1024
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

BAD_FORM = Problem(
    400, "bad_form", "the form cannot be read: send it again from the page", "无法读取表单：请从页面重新提交"
)
BAD_JSON = Problem(400, "bad_json", "the body is not a JSON object in UTF-8", "请求体不是 UTF-8 编码的 JSON 对象")
WRONG_TYPE = Problem(
    415, "wrong_type", "the Content-Type is not the one of this address", "Content-Type 不符合该地址的要求"
)
NO_FILE = Problem(422, "no_file", "the form has no file: choose one", "表单中没有文件：请选择文件")
TWO_FILES = Problem(422, "two_files", "the form has more than one file: choose one", "表单中有多个文件：请只选择一个")


async def read_json(request: Request) -> dict[str, object]:
    """Return the JSON object of a body; an empty body is an empty object.

    Args:
        request: The request.

    Returns:
        The object.

    Raises:
        ProblemError: The body is not a JSON object, or not sent as JSON. Forms of other sites cannot send this type.

    """
    body = await request.body()
    if not body:
        return {}
    if media_type(request) != "application/json":
        raise ProblemError(WRONG_TYPE)
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ProblemError(BAD_JSON) from None
    if not isinstance(value, dict) or not all(map(is_storable, _texts(value))):
        raise ProblemError(BAD_JSON)
    return value


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from (name, *_texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def is_storable(text: str) -> bool:
    """Return whether a text is one that databases can store: no NUL, which ends texts in C, and no half characters.

    Args:
        text: The text.

    Returns:
        Whether it is.

    Example:
        >>> from muge_fast.leaderboard.web.bodies import is_storable
        >>> is_storable("红裙"), is_storable(chr(0)), is_storable(chr(0xD800))
        (True, False, False)

    """
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def text_of(values: dict[str, object], name: str, default: str | None = None) -> str:
    """Return a text of a JSON object.

    Args:
        values: The object.
        name: Name of the field.
        default: Value without the field; None if it must be there.

    Returns:
        The text.

    Raises:
        ProblemError: The field is missing or not a text.

    """
    value = values.get(name, default)
    if not isinstance(value, str):
        raise ProblemError(Problem(422, "bad_field", f"the field {name} must be a text", f"字段 {name} 必须是文本"))
    return value


def media_type(request: Request) -> str:
    """Return the type of a body without its parameters.

    Args:
        request: The request.

    Returns:
        The type in lower case; empty without one.

    """
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a short form; of equal names, the last one.

    Args:
        request: The request.

    Returns:
        The fields.

    Raises:
        ProblemError: The body is not a form in UTF-8.

    """
    body = await request.body()
    if body and media_type(request) != FORM:
        raise ProblemError(WRONG_TYPE)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise ProblemError(BAD_FORM) from None
    if not all(is_storable(text) for pair in pairs for text in pair):
        raise ProblemError(BAD_FORM)
    return dict(pairs)


class MultipartBody:
    """A multipart form: short fields in ``fields``, and one file by :meth:`file`. Names of files are not used.

    Args:
        request: The request.

    Raises:
        ProblemError: The body is not a multipart form.

    """

    def __init__(self, request: Request) -> None:
        header = Message()
        header["content-type"] = request.headers.get("content-type", "")
        boundary = header.get_boundary()
        if header.get_content_type() != MULTIPART or not boundary:
            raise ProblemError(WRONG_TYPE)
        self.fields: dict[str, str] = {}
        self._request = request
        self._header = (b"", b"")
        self._disposition = self._name = ""
        self._is_file = self._has_file = self._is_complete = False
        self._chunks: list[bytes] = []
        self._values: dict[str, bytes] = {}
        callbacks = {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._add_to_header(data[start:end], b""),
            "on_header_value": lambda data, start, end: self._add_to_header(b"", data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_data,
            "on_part_data": lambda data, start, end: self._data(data[start:end]),
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(boundary.encode("latin-1", "replace"), callbacks)  # type: ignore[arg-type]
        except FormParserError:
            raise ProblemError(BAD_FORM) from None

    async def file(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the file; afterwards, all fields have been read.

        Yields:
            Each piece.

        Raises:
            ProblemError: The form cannot be read, has no file, or more than one.

        """
        async for data in body_of(self._request):
            try:
                self._parser.write(data)
            except FormParserError:
                raise ProblemError(BAD_FORM) from None
            chunks, self._chunks = self._chunks, []
            for chunk in chunks:
                yield chunk
        if not self._is_complete:
            raise ProblemError(BAD_FORM)
        if not self._has_file:
            raise ProblemError(NO_FILE)
        try:
            self.fields.update({name: value.decode("utf-8") for name, value in self._values.items()})
        except UnicodeDecodeError:
            raise ProblemError(BAD_FORM) from None
        if not all(map(is_storable, self.fields.values())):
            raise ProblemError(BAD_FORM)

    def _begin(self) -> None:
        self._disposition, self._header = "", (b"", b"")

    def _add_to_header(self, field: bytes, value: bytes) -> None:
        self._header = (self._header[0] + field, self._header[1] + value)

    def _end_header(self) -> None:
        name, value = self._header
        if name.strip().lower() == b"content-disposition":
            self._disposition = value.decode("utf-8", "replace")
        self._header = (b"", b"")

    def _begin_data(self) -> None:
        header = Message()
        header["content-disposition"] = self._disposition
        name = header.get_param("name", header="content-disposition")
        self._is_file = header.get_param("filename", header="content-disposition") is not None
        if not isinstance(name, str) or len(self._values) >= MAX_FIELDS:
            raise FormParserError("a part has no name")
        self._name = name
        if not self._is_file:
            self._values[name] = b""
        elif self._has_file:
            raise ProblemError(TWO_FILES)
        else:
            self._has_file = True

    def _data(self, data: bytes) -> None:
        if self._is_file:
            self._chunks.append(bytes(data))
            return
        self._values[self._name] += data
        if len(self._values[self._name]) > MAX_FIELD:
            raise FormParserError("a field is too long")

    def _end(self) -> None:
        self._is_complete = True
