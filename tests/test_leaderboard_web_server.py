"""The server as a process: it finishes what has begun when it is stopped, and is reached through proxies."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager

import pytest

from muge_fast.leaderboard.web.server import run_web
from muge_fast.leaderboard.web.site import WebOptions

API = "/api/v1/tasks/retrieval/submissions"
SCRIPT = """
import pathlib, socket, sys
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.web.server import run_web
from muge_fast.leaderboard.web.site import WebOptions
board = open_board(pathlib.Path(sys.argv[1]))
with socket.socket(fileno=int(sys.argv[2])) as listener:
    run_web(board, listener=listener, options=WebOptions(trusted_proxies=("127.0.0.1",)))
board.close()
print("closed")
"""


@contextmanager
def running(site):
    """Run a server for a board, and yield its port and its process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        command = [sys.executable, "-c", SCRIPT, str(site.folder), str(number)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, pass_fds=[number], **pipes) as process:  # noqa: S603 - our own script
            try:
                yield listener.getsockname()[1], process
            finally:
                process.kill()


def test_a_server_that_is_stopped_finishes_the_upload_that_has_begun(site):
    with ExitStack() as stack, running(site) as (port, process):
        connection = stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)))
        connection.putrequest("POST", API)
        connection.putheader("Authorization", f"Bearer {site.tokens['red']}")
        connection.putheader("X-Forwarded-For", "203.0.113.9")
        connection.putheader("Content-Length", "600000")
        connection.endheaders()
        connection.send(b"x" * 300_000)
        wait_for_part(site)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        connection.send(b"x" * 300_000)
        answer = connection.getresponse()
        assert answer.status == 201
        answer.read()
        output, errors = process.communicate(timeout=30)
        assert (process.returncode, output) in ((0, b"closed\n"), (-signal.SIGTERM, b""))
        assert b"Traceback" not in errors
    assert len(list(site.board.blobs.hashes())) == 1


def ask(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, body, headers)
        with closing(connection.getresponse()) as answer:
            answer.read()
            return answer.status


def wait_for_part(site) -> None:
    parts = site.folder / "blobs" / "parts"
    for _ in range(1500):
        if any(parts.iterdir()):
            return
        time.sleep(0.02)
    pytest.fail("the upload has not begun")


def test_a_server_that_is_killed_has_lost_nothing_it_acknowledged(site):
    with running(site) as (port, process):
        assert ask(port, "POST", API, b"a file", site.bearer("red")) == 201
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert site.judge()
    assert [site.board.blobs.verify(sha256) for sha256 in site.board.blobs.hashes()] == [True]


def test_the_address_behind_a_proxy_is_in_the_audit_log(site):
    with running(site) as (port, _):
        headers = site.bearer("red", **{"X-Forwarded-For": "6.6.6.6, 203.0.113.9"})
        assert ask(port, "POST", "/api/v1/team/invitations", b"", headers) == 201
    with site.database.read() as connection:
        query = "SELECT request FROM audit ORDER BY seq DESC LIMIT 1"
        assert connection.exec_driver_sql(query).scalar().endswith(" 203.0.113.9")


def test_metrics_of_a_proxy_are_not_for_everyone(site):
    with running(site) as (port, _):
        for address in ("203.0.113.9", "127.0.0.1"):
            assert ask(port, "GET", "/metrics", b"", {"X-Forwarded-For": address}) == 404
        assert ask(port, "GET", "/metrics", b"", {}) == 200


def test_names_of_proxies_are_refused(site):
    with pytest.raises(ValueError, match="proxy"):
        run_web(site.board, options=WebOptions(trusted_proxies=("proxy",)))
