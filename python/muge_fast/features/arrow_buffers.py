"""Sizes of the buffers of an Arrow file, from the headers of its batches, before anything is unpacked.

A compressed buffer begins with its unpacked size, which readers allocate. Headers are FlatBuffers: tables whose fields
are found through offsets.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

from muge_fast._internal.npz import unpacked_limit

MAGIC = b"ARROW1"
FOOTER_BYTES_ALLOWED = 2 << 20
"""Largest footer, in addition to 1 % of the file."""

BLOCK_BYTES = 24
NODE_BYTES = 16
BUFFER_BYTES = 16
DICTIONARIES, BATCHES = 2, 3
"""Fields of the footer."""

DICTIONARY_BATCH, RECORD_BATCH = 2, 3
"""Types of messages."""


def check_buffers(file: IO[bytes]) -> None:
    r"""Raise ``ValueError`` if an Arrow file unpacks to more than its limit.

    Args:
        file: The open file.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not an Arrow file, is damaged, or its buffers unpack to more than 16 MiB plus 20 times
            its size.

    Example:
        >>> import io
        >>> from muge_fast.features.arrow_buffers import check_buffers
        >>> check_buffers(io.BytesIO(b"ARROW1\0\0" + b"\xff" * 20 + b"ARROW1"))
        Traceback (most recent call last):
        ...
        ValueError: the footer is said to have -1 bytes, of a file of 34

    """
    size = file.seek(0, os.SEEK_END)
    limit = unpacked_limit(size)
    total = 0
    for start, header, body in _blocks(file, size):
        for unpacked in _unpacked_sizes(file, start + header, _read(file, start, header, size), body, size):
            total += unpacked
            if total > limit:
                raise ValueError(f"unpacks to more than the {limit} bytes allowed, 16 MiB plus 20 times its size")


def _blocks(file: IO[bytes], size: int) -> Iterator[tuple[int, int, int]]:
    """Yield the offset, the size of the header and that of the body of each batch."""
    head, tail = _read(file, 0, 6, size), _read(file, max(0, size - 10), 10, size)
    if head != MAGIC or tail[4:] != MAGIC:
        raise ValueError("it does not begin and end with ARROW1")
    length = int.from_bytes(tail[:4], "little", signed=True)
    if not 0 < length <= size - 10:
        raise ValueError(f"the footer is said to have {length} bytes, of a file of {size}")
    if length > FOOTER_BYTES_ALLOWED + size // 100:
        raise ValueError(f"the footer has {length} bytes, more than the {FOOTER_BYTES_ALLOWED + size // 100} allowed")
    footer = _Table.root(_read(file, size - 10 - length, length, size))
    for field in (DICTIONARIES, BATCHES):
        for at in footer.vector(field, BLOCK_BYTES):
            yield footer.integer(at, 8), footer.integer(at + 8, 4), footer.integer(at + 16, 8)


def _unpacked_sizes(file: IO[bytes], start: int, header: bytes, body: int, size: int) -> Iterator[int]:
    """Yield the memory that a batch takes: its body, values of columns, and buffers that are unpacked."""
    yield body
    prefix = 8 if header[:4] == b"\xff\xff\xff\xff" else 4
    message = _Table.root(header[prefix:])
    kind = message.data[message.field(1)] if message.field(1) else 0
    declared = message.integer(message.field(3), 8) if message.field(3) else 0
    if not 0 <= body == declared <= size:
        raise ValueError(f"a batch is said to have {declared} bytes, and {body} in the footer")
    batch = message.table(2)
    if kind == DICTIONARY_BATCH:
        batch = batch.table(1)
    elif kind != RECORD_BATCH:
        raise ValueError(f"a batch is a message of type {kind}")
    rows = batch.field(0)
    yield max(0, batch.integer(rows, 8)) if rows else 0
    # Readers may allocate for as many values as a column declares.
    for at in batch.vector(1, NODE_BYTES):
        yield max(0, batch.integer(at, 8))
    if not batch.field(3):
        return
    for at in batch.vector(2, BUFFER_BYTES):
        offset, length = batch.integer(at, 8), batch.integer(at + 8, 8)
        if length >= 8:  # noqa: PLR2004 - bytes of the unpacked size
            unpacked = int.from_bytes(_read(file, start + offset, 8, size), "little", signed=True)
            yield max(0, unpacked)


def _read(file: IO[bytes], start: int, length: int, size: int) -> bytes:
    if start < 0 or length < 0 or start + length > size:
        raise ValueError("a batch is said to be outside of the file")
    file.seek(start)
    return file.read(length)


class _Table:
    """A table of a FlatBuffer."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at
        self.fields = at - self.integer(at, 4)
        self.fields_end = self.fields + self.integer(self.fields, 2)

    @classmethod
    def root(cls, data: bytes) -> _Table:
        return cls(data, int.from_bytes(data[:4], "little"))

    def integer(self, at: int, width: int) -> int:
        """Return a signed integer."""
        if at < 0 or at + width > len(self.data):
            raise ValueError("a header is damaged")
        return int.from_bytes(self.data[at : at + width], "little", signed=True)

    def field(self, number: int) -> int:
        """Return where a field is, 0 if the table lacks it."""
        slot = self.fields + 4 + 2 * number
        if slot + 2 > self.fields_end:
            return 0
        offset = self.integer(slot, 2)
        return self.at + offset if 0 < offset < len(self.data) - self.at else 0

    def table(self, number: int) -> _Table:
        at = self.field(number)
        if not at:
            raise ValueError("a header is damaged")
        return _Table(self.data, at + self.integer(at, 4))

    def vector(self, number: int, width: int) -> range:
        """Return where each element of a field is; a range without elements if the table lacks it."""
        at = self.field(number)
        if not at:
            return range(0)
        start = at + self.integer(at, 4)
        count = self.integer(start, 4)
        if not 0 <= count * width <= len(self.data) - start - 4:
            raise ValueError("a header is damaged")
        return range(start + 4, start + 4 + count * width, width)
