"""Load over HTTP on this machine: many requests over open connections, from separate processes."""

from __future__ import annotations

import multiprocessing
import socket
import time
from urllib.parse import urlsplit


def requests_per_second(address: str, paths: list[str], *, seconds: float, connections: int = 4) -> float:
    """Return how many requests a second a server answers with status 200.

    Args:
        address: Address of the server.
        paths: Paths, which each connection goes through again and again, from another place.
        seconds: How long to measure.
        connections: Number of connections, each of which has one request at a time.

    """
    context = multiprocessing.get_context("spawn")
    with context.Pool(connections) as pool:
        pool.map(time.sleep, [0.01] * connections)
        work = [(address, paths[shift:] + paths[:shift], seconds) for shift in _shifts(len(paths), connections)]
        return sum(pool.starmap(_ask, work))


def _shifts(count: int, connections: int) -> list[int]:
    return [count * number // connections for number in range(connections)]


def _ask(address: str, paths: list[str], seconds: float) -> float:
    """Return the requests a second of one connection."""
    parts = urlsplit(address)
    requests = [
        f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept-Language: en\r\n\r\n".encode() for path in paths
    ]
    count = 0
    with socket.create_connection((parts.hostname or "", parts.port or 80)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start = time.perf_counter()
        end = start + seconds
        while time.perf_counter() < end:
            connection.sendall(requests[count % len(requests)])
            _read_answer(connection)
            count += 1
        return count / (time.perf_counter() - start)


def _read_answer(connection: socket.socket) -> None:
    received = bytearray()
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += connection.recv(1 << 18)
    head = received[:end].lower()
    assert head.startswith(b"http/1.1 200"), head[:200]
    size = int(head.partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
    while len(received) < end + 4 + size:
        received += connection.recv(1 << 18)
