"""Messages between a worker and its scoring processes: a kind, a length, and bytes.

What a scoring process sends is not trusted, since it has read an untrusted file: it is read with limits, and never as a
pickle.
"""

from __future__ import annotations

import socket
import time
from typing import NamedTuple

from muge_fast.leaderboard.worker.report_verdict import MAX_HEADER

READY, VERDICT, FAULT, REQUEST = b"R", b"V", b"F", b"Q"
MAX_ROWS = 1 << 26
MAX_MESSAGE = MAX_HEADER + MAX_ROWS
BLOCK = 1 << 20
PREFIX = 9


class Message(NamedTuple):
    """A message.

    Attributes:
        kind: One byte.
        content: The bytes.

    """

    kind: bytes
    content: bytes


class LateError(Exception):
    """Raised when a message does not come in time."""


class EndedError(Exception):
    """Raised when the other process has ended."""


def send_message(connection: socket.socket, message: Message) -> None:
    """Send a message.

    Args:
        connection: The connection.
        message: The message.

    Raises:
        EndedError: The other process has ended.

    """
    try:
        connection.sendall(message.kind + len(message.content).to_bytes(PREFIX - 1, "big") + message.content)
    except OSError as error:
        raise EndedError from error


def receive_message(connection: socket.socket, *, seconds: float | None = None) -> Message:
    """Receive a message.

    Args:
        connection: The connection.
        seconds: How long to wait for all of it; None to wait without end.

    Returns:
        The message.

    Raises:
        EndedError: The other process has ended, or does not keep to the form.
        LateError: It does not come in time.

    """
    deadline = None if seconds is None else time.monotonic() + seconds
    prefix = _receive(connection, PREFIX, deadline)
    length = int.from_bytes(prefix[1:], "big")
    if length > MAX_MESSAGE:
        raise EndedError
    return Message(prefix[:1], _receive(connection, length, deadline))


def _receive(connection: socket.socket, length: int, deadline: float | None) -> bytes:
    found = bytearray()
    while len(found) < length:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise LateError
        connection.settimeout(left)
        try:
            block = connection.recv(min(BLOCK, length - len(found)))
        except TimeoutError as error:
            raise LateError from error
        except OSError as error:
            raise EndedError from error
        if not block:
            raise EndedError
        found += block
    return bytes(found)
