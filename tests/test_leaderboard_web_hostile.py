"""Hostile connections to a running server: slow, lying, huge and broken requests. It goes on to serve others."""

import re
import socket
import time

import pytest

from leaderboard_sites import exchange, receive_all, serving
from muge_fast.leaderboard.web import protocol, uploads

UPLOAD = b"/api/v1/tasks/retrieval/submissions"
HOST = b"Host: localhost\r\n"


@pytest.fixture
def port(site):
    with serving(site.app()) as opened:
        yield opened
        assert_serves(opened)


def assert_serves(port: int) -> None:
    """Check that others are served: an empty line and a body have nothing left over."""
    assert status(exchange(port, b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")) == 200


def status(answer: bytes) -> int | None:
    """Return the status of the first answer; None if there is none."""
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    return int(found[1]) if found else None


def upload(site, *headers: bytes, path=UPLOAD, name="red") -> bytes:
    token = b"Authorization: Bearer " + site.tokens[name].encode() + b"\r\n"
    lines = b"".join(line + b"\r\n" for line in headers)
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + token + lines + b"\r\n"


def nothing_is_stored(site) -> bool:
    parts = site.folder / "blobs" / "parts"
    for _ in range(250):
        # Once only: a request that was refused may be about to begin a part, and to delete it.
        if not any(parts.iterdir()):
            return not list(site.board.blobs.hashes())
        time.sleep(0.02)
    return False


# Slow clients


def is_closed(connection: socket.socket) -> bool:
    """Wait until a server closes a connection; raise a TimeoutError if it does not."""
    connection.settimeout(10)
    try:
        return connection.recv(65536) == b""
    except ConnectionResetError:
        return True


def test_a_head_that_never_ends_is_closed(port, monkeypatch):
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.5)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for letter in b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ":
            connection.sendall(bytes([letter]))
        assert is_closed(connection)
    # The second request of a connection has the same limit.
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert receive_all(connection, silence=0.1).endswith(b"ok\n")
        connection.sendall(b"GET /hea")
        assert is_closed(connection)


def test_a_connection_without_a_request_is_closed(port, monkeypatch):
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        assert is_closed(connection)


def test_an_upload_that_stalls_is_refused(site, port, monkeypatch):
    monkeypatch.setattr(uploads, "STALL_SECONDS", 0.4)
    answer = exchange(port, upload(site, b"Content-Length: 1000") + b"x" * 10, timeout=10)
    assert status(answer) == 408
    assert nothing_is_stored(site)


def test_an_upload_that_trickles_is_refused(site, port, monkeypatch):
    monkeypatch.setattr(uploads, "GRACE_SECONDS", 0.3)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(upload(site, b"Content-Length: 100000"))
        connection.settimeout(0.02)
        answer = b""
        for _ in range(300):
            try:
                connection.sendall(b"x")
                answer += connection.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                break
            if answer:
                break
    assert status(answer) == 408
    assert nothing_is_stored(site)


def test_a_client_that_does_not_read_is_dropped(site, port, monkeypatch):
    monkeypatch.setattr(protocol, "WRITE_SECONDS", 0.5)
    content = bytes(1_000_000)
    sent = exchange(port, upload(site, b"Content-Length: 1000000", b"Connection: close") + content)
    identity = re.search(rb'"id": "([^"]+)"', sent)[1]
    download = b"GET /api/v1/submissions/" + identity + b"/file HTTP/1.1\r\n" + HOST
    download += b"Authorization: Bearer " + site.tokens["red"].encode() + b"\r\n\r\n"
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with connection:
        connection.connect(("127.0.0.1", port))
        connection.sendall(download * 20)
        time.sleep(1.5)
        connection.settimeout(10)
        assert len(receive_all(connection)) < 20 * len(content)


def test_an_address_has_a_number_of_connections(port, monkeypatch):
    monkeypatch.setattr(protocol, "is_loopback", lambda _: False)
    monkeypatch.setattr(protocol, "MAX_CONNECTIONS_OF_ADDRESS", 3)
    held = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(3)]
    time.sleep(0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as fourth:
        assert receive_all(fourth) == b""
    for connection in held:
        connection.close()
    time.sleep(0.2)
    assert not protocol._of_address


# Lengths that lie


def test_a_body_that_is_shorter_than_it_says_is_not_stored(site, port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(upload(site, b"Content-Length: 100000") + b"x" * 50_000)
    assert nothing_is_stored(site)


def test_a_body_that_is_longer_than_it_says_is_cut(site, port):
    answer = exchange(port, upload(site, b"Content-Length: 3") + b"abcGET / HTTP/9.9 nonsense\r\n\r\n")
    assert [int(one) for one in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)] in ([201, 400], [400])
    sizes = [site.board.blobs.path(sha256).stat().st_size for sha256 in site.board.blobs.hashes()]
    assert sizes in ([3], [])


CONTRADICTIONS = [
    ([b"Content-Length: 3", b"Content-Length: 4"], b"abcd"),
    ([b"Content-Length: 3", b"Transfer-Encoding: chunked"], b"3\r\nabc\r\n0\r\n\r\n"),
    ([b"Transfer-Encoding: chunked, identity"], b"3\r\nabc\r\n0\r\n\r\n"),
    ([b"Transfer-Encoding: xchunked"], b"abc"),
    ([b"Content-Length: -1"], b"abc"),
    ([b"Content-Length: +3"], b"abc"),
    ([b"Content-Length: 0x3"], b"abc"),
    ([b"Content-Length: 3 4"], b"abcd"),
    ([b"Content-Length: 99999999999999999999"], b"abc"),
    ([b"Transfer-Encoding: chunked"], b"zz\r\nabc\r\n0\r\n\r\n"),
    ([b"Transfer-Encoding: chunked"], b"-3\r\nabc\r\n0\r\n\r\n"),
    ([b"Transfer-Encoding: chunked"], b"ffffffffffffffffff\r\nabc"),
    ([b"Transfer-Encoding: chunked"], b"3\r\nabcdef\r\n0\r\n\r\n"),
]


def test_lengths_that_contradict_are_refused(site, port):
    for headers, body in CONTRADICTIONS:
        answer = exchange(port, upload(site, *headers) + body, timeout=1)
        assert status(answer) in (400, 413, 501, None), headers
    assert nothing_is_stored(site)


def test_the_limit_holds_for_bodies_without_a_length(site, port):
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(upload(site, b"Transfer-Encoding: chunked"))
        try:
            for _ in range(200):
                connection.sendall(piece)
        except OSError:
            pass
        answer = receive_all(connection)
    assert status(answer) in (413, None)
    assert nothing_is_stored(site)


def test_a_client_that_expects_an_answer_gets_it_before_it_sends(site, port):
    head = b"POST " + UPLOAD + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
    assert status(exchange(port, head, timeout=2)) == 401
    large = upload(site, b"Content-Length: 100000000", b"Expect: 100-continue")
    assert status(exchange(port, large, timeout=2)) == 413
    right = upload(site, b"Content-Length: 3", b"Expect: 100-continue")
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(right)
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"abc")
        assert status(connection.recv(65536)) == 201


def test_what_follows_a_refused_upload_is_bounded(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"POST " + UPLOAD + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 10000000000\r\n\r\n")
        sent = 0
        try:
            for _ in range(200):
                sent += connection.send(b"x" * 65536)
        except OSError:
            pass
    assert sent < 200 * 65536


# Heads


HUGE = [
    b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: x\r\n" % n for n in range(2000)) + b"\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"Cookie: " + b"a=b; " * 10_000 + b"\r\n\r\n",
]


def test_huge_heads_are_refused(port):
    for head in HUGE:
        assert status(exchange(port, head, timeout=3)) in (400, 431, None)


BROKEN = [
    b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
    b"GET / HTTP/1.1\nHost: a\n\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET \xff HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT localhost:22 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"G\xc3\x89T / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    bytes(range(256)) * 10,
    b"\r\n" * 1000,
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nCookie: muge_session=\xff\xfe; lang=\xe7\xba\xa2\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \xff\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Language: \xff\xff,\xe7\r\nIf-None-Match: \xff\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: \xff\xff\r\n\r\n",
]


def test_broken_heads_cause_no_fault(port):
    for head in BROKEN:
        answer = exchange(port, head, timeout=0.4)
        assert status(answer) != 500, head
        assert b"Traceback" not in answer


def test_paths_lead_nowhere_else(port):
    for path in (
        "/../board.toml",
        "/static/../board.toml",
        "/static/%2e%2e/board.toml",
        "/static/..%2fboard.toml",
        "/static/..%5cboard.toml",
        "//etc/passwd",
        "/static//etc/passwd",
        "/%00",
        "/%ff",
        "/%c0%ae%c0%ae/board.toml",
        "/api/v1/submissions/..%2f..%2fboard.toml",
        "/api/v1/submissions/%00",
        "/api/v1/submissions/%f0%9f%98%80",
        "/api/v1/submissions/' OR 1=1 --".replace(" ", "%20"),
        "/api/v1/submissions/" + "x" * 5000,
        "/api/v1/tasks/..%2f..%2fboard.toml/board",
        "/api/v1/tasks/__class__/board",
        "/api/v1/tasks/retrieval/board?month=" + "9" * 5000,
        "/api/v1/tasks/retrieval/board?month=%00",
        "/api/v1/tasks/retrieval/months/9998-12",
        "/api/v1/tasks/retrieval/months/2099-12",
        "/board.sqlite",
        "/gold.jsonl",
    ):
        answer = exchange(port, b"GET " + path.encode() + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        assert status(answer) in (404, 422), path
        assert b"[tasks" not in answer
        assert b"root:" not in answer
