"""Sizes of the columns of a Parquet file, from the headers of its pages, before anything is unpacked.

The sizes in the footer need not be true, and leave out what dictionaries and run lengths stand for. Readers trust the
headers of pages, so they are what counts. Headers are structs in Thrift's compact protocol.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from muge_fast._internal.npz import unpacked_limit

Struct = dict[int, Any]

FOOTER_BYTES_ALLOWED = 2 << 20
"""Largest footer, in addition to 1 % of the file: pyarrow needs a hundred times as much memory."""

GROUPS = 4
"""Field of the footer."""

MAX_DEPTH = 64
"""Nesting of columns, which readers follow by recursion."""

PAGES_ALLOWED = 10_000
BYTES_PER_PAGE = 256
"""Pages of a file: this many, and one more for each 256 bytes."""

HEADER_BYTES = (1 << 10, 1 << 17)
"""Bytes that are read for the header of a page, and again if it is longer: it may hold a smallest and largest value."""

LEVEL_BYTES = 4
"""Memory for the levels that mark lists and nulls, for each value."""

DICTIONARY_HEADER = 7
DATA_HEADERS = (5, DICTIONARY_HEADER, 8)
"""Fields of a page's header that describe its values: those of a page, of a dictionary, and of version 2."""

PREFIXES = 7
"""The encoding DELTA_BYTE_ARRAY: a value may repeat the one before it, which is not in any size."""


class Span(NamedTuple):
    """Where the pages of a column of a row group are, and how many rows the footer says they have.

    Attributes:
        start: Offset in the file.
        size: Number of bytes.
        rows: Number of rows.
        width: Bytes of an unpacked value; 0 for values of any length, whose bytes are in the pages.

    Example:
        >>> from muge_fast.features.parquet_pages import Span
        >>> Span(4, 100, 10, 8).size
        100

    """

    start: int
    size: int
    rows: int
    width: int


def read_footer(file: IO[bytes]) -> Struct:
    r"""Return the footer of a Parquet file, which is not too large and not nested deeply.

    pyarrow's own interface to the footer may end the process if the footer is damaged.

    Args:
        file: The open file.

    Returns:
        Its fields by number; none if the file does not end like a Parquet file.

    Raises:
        OSError: The file cannot be read.
        ValueError: The footer is too large, damaged, or nested too deeply.

    Example:
        >>> import io
        >>> from muge_fast.features.parquet_pages import read_footer
        >>> read_footer(io.BytesIO(b"PAR1" + b"\xff" * 100 + b"\xf0\xff\xff\xff" + b"PAR1"))
        Traceback (most recent call last):
        ...
        ValueError: the footer is said to have 4294967280 bytes, of a file of 112

    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 8))
    tail = file.read(8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1":
        # Not Parquet, or encrypted: an error of pyarrow, which reads no more of it.
        return {}
    if length > size:
        raise ValueError(f"the footer is said to have {length} bytes, of a file of {size}")
    allowed = FOOTER_BYTES_ALLOWED + size // 100
    if length > allowed:
        raise ValueError(f"the footer has {length} bytes, more than the {allowed} allowed")
    file.seek(size - 8 - length)
    footer, _ = _Reader(file.read(length)).struct()
    _check_depth(footer.get(2))
    return footer


def check_pages(file: IO[bytes], footer: Struct, columns: dict[int, int]) -> bool:
    """Raise ``ValueError`` if columns unpack to more than the file's limit, and return whether they have dictionaries.

    Args:
        file: The open file.
        footer: Its footer.
        columns: Index of each column that will be read, with the bytes of an unpacked value, 0 for strings.

    Returns:
        Whether a column of strings has a dictionary. What that stands for is not in the sum.

    Raises:
        OSError: The file cannot be read.
        ValueError: The pages unpack to more than 16 MiB plus 20 times the size of the file, or are damaged.

    Example:
        >>> from muge_fast.features.parquet_pages import check_pages
        >>> check_pages(file, footer, {0: 8, 1: 4})  # doctest: +SKIP
        False

    """
    size = file.seek(0, os.SEEK_END)
    limit = unpacked_limit(size)
    total, pages, has_dictionary = 0, 0, False
    for span in _spans(footer, columns):
        values = 0
        for page_values, page_bytes, is_dictionary in _pages(file, span, size):
            has_dictionary |= is_dictionary and not span.width
            values += page_values
            total += page_bytes + page_values * (span.width + LEVEL_BYTES)
            pages += 1
            if total > limit:
                raise ValueError(f"unpacks to more than the {limit} bytes allowed, 16 MiB plus 20 times its size")
            if pages > PAGES_ALLOWED + size // BYTES_PER_PAGE:
                raise ValueError(f"has more than {pages - 1} pages for {size} bytes")
        if span.rows > values:
            raise ValueError(f"a group is said to have {span.rows} rows, and has {values} values")
    return has_dictionary


def _number(value: object, field: int) -> int | None:
    """Return a field of a struct, None if it is not there or no integer."""
    number = value.get(field) if isinstance(value, dict) else None
    return number if isinstance(number, int) else None


def _check_depth(elements: object) -> None:
    """Follow the tree of columns, which is a list in depth-first order with the number of children of each."""
    missing: list[int] = []
    for element in elements if isinstance(elements, list) else []:
        while missing and not missing[-1]:
            missing.pop()
        if missing:
            missing[-1] -= 1
        children = _number(element, 5) or 0
        if children > 0:
            missing.append(children)
        if len(missing) > MAX_DEPTH:
            raise ValueError(f"columns are nested more than {MAX_DEPTH} deep")


def _spans(footer: Struct, columns: dict[int, int]) -> Iterator[Span]:
    groups = footer.get(GROUPS)
    for group in groups if isinstance(groups, list) else []:
        chunks = group.get(1) if isinstance(group, dict) else None
        for column, width in columns.items():
            chunk = chunks[column] if isinstance(chunks, list) and column < len(chunks) else None
            content = chunk.get(3) if isinstance(chunk, dict) else None
            rows, data, size = _number(group, 3), _number(content, 9), _number(content, 7)
            if rows is None or data is None or size is None:
                raise ValueError("the footer lacks the place of a column")
            dictionary = _number(content, 11) or 0
            # As readers choose the first page.
            yield Span(dictionary if 0 < dictionary < data else data, size, rows, width)


def _pages(file: IO[bytes], span: Span, size: int) -> Iterator[tuple[int, int, bool]]:
    """Yield the number of values and of unpacked bytes of each page, and whether it is a dictionary."""
    at, end = span.start, min(size, span.start + span.size)
    if not 0 <= at <= end:
        raise ValueError("a column is said to be outside of the file")
    while at < end:
        header, length = _header(file, at, end)
        unpacked, packed = _number(header, 2), _number(header, 3)
        if unpacked is None or packed is None or min(unpacked, packed) < 0:
            raise ValueError(f"the page at byte {at} has no size")
        # A reader takes the struct that belongs to the type of the page, so all are counted.
        contents = [header.get(field) for field in DATA_HEADERS]
        encodings = {_number(content, field) for content in contents for field in (2, 4)}
        if span.width == 0 and PREFIXES in encodings:
            raise ValueError(
                "ids are stored as DELTA_BYTE_ARRAY, whose size is not known before it is read: write PLAIN"
            )
        values = max(max(0, _number(content, 1) or 0) for content in contents)
        yield values, max(packed, unpacked), DICTIONARY_HEADER in header
        at += length + packed


def _header(file: IO[bytes], at: int, end: int) -> tuple[Struct, int]:
    for length in HEADER_BYTES:
        file.seek(at)
        data = file.read(min(length, end - at))
        try:
            return _Reader(data).struct()
        except ValueError:
            if len(data) < length:
                raise
    raise ValueError(f"the header of the page at byte {at} is damaged or has more than {HEADER_BYTES[-1]} bytes")


class _Reader:
    """A reader of Thrift's compact protocol. Strings are skipped."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def struct(self, depth: int = 0) -> tuple[Struct, int]:
        """Return the fields by number, and where the struct ends."""
        fields: Struct = {}
        number = 0
        while True:
            head = self._byte()
            if head == 0:
                return fields, self.at
            number = number + (head >> 4) if head >> 4 else self._integer()
            fields[number] = self._value(head & 15, depth)

    def _byte(self) -> int:
        if self.at >= len(self.data):
            raise ValueError("a header ends too early")
        self.at += 1
        return self.data[self.at - 1]

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:  # noqa: PLR2004
                return value
            if shift > 63:  # noqa: PLR2004
                raise ValueError("a header has a number of more than 64 bits")

    def _integer(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)

    def _value(self, kind: int, depth: int) -> Any:  # noqa: ANN401 - of any type
        if depth > 16:  # noqa: PLR2004 - formats need four
            raise ValueError("a header is nested too deeply")
        if kind in (1, 2):
            return kind == 1
        if kind == 3:  # noqa: PLR2004
            return self._byte()
        if kind in (4, 5, 6):
            return self._integer()
        if kind in (7, 8):
            # Reading the length moves the position.
            length = 8 if kind == 7 else self._unsigned()  # noqa: PLR2004
            self.at += length
            return None
        if kind in (9, 10):
            return self._list(depth)
        if kind == 12:  # noqa: PLR2004
            return self.struct(depth + 1)[0]
        raise ValueError(f"a header has a value of unknown type {kind}")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._unsigned()  # noqa: PLR2004
        if count > len(self.data) - self.at:
            raise ValueError("a header has a list that is longer than itself")
        kind = head & 15
        if kind in (1, 2):
            self.at += count
            return []
        return [self._value(kind, depth + 1) for _ in range(count)]
