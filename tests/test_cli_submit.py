"""``muge-fast submit`` against a site that misbehaves in each way; the real one is in test_leaderboard_submit.py."""

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from muge_fast._internal.paths import file_sha256
from muge_fast.cli.main import main
from muge_fast.leaderboard.client import requests, submitting
from muge_fast.leaderboard.client.addresses import parse_address
from muge_fast.leaderboard.client.errors import ClientError, ConnectionLostError
from muge_fast.leaderboard.client.requests import Api, Body
from muge_fast.leaderboard.client.submitting import read_token, request_key, send_submission, wait_for_verdict

TOKEN = "mfb_token_0123456789"  # noqa: S105 - of no site
LINES = '{"query_id": 1, "item_ids": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}\n'


class Site:
    """A site with answers that a test gives: for each request a function, the last one for all further ones."""

    def __init__(self) -> None:
        self.requests = []
        self.answers = {"POST": [accept], "GET": [scored]}
        self.lock = threading.Lock()

    def answer(self, handler) -> None:
        with self.lock:
            left = self.answers[handler.command]
            answer = left.pop(0) if len(left) > 1 else left[0]
        answer(self, handler)

    @property
    def posts(self):
        return [request for request in self.requests if request["method"] == "POST"]


def note(site, handler) -> None:
    body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    values = {"method": handler.command, "path": handler.path, "headers": dict(handler.headers), "body": body}
    site.requests.append(values)


def reply(handler, status, values, media_type="application/json", **headers) -> None:
    content = json.dumps(values).encode() if isinstance(values, dict) else values
    handler.send_response(status)
    for name, value in {"Content-Type": media_type, "Content-Length": str(len(content)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def accept(site, handler, status=201) -> None:
    note(site, handler)
    reply(handler, status, {"id": "0198-abc", "number": 3, "state": "queued", "queue_position": 2})


def accept_again(site, handler) -> None:
    accept(site, handler, 200)


def in_state(state, verdict=None, **more):
    def answer(site, handler) -> None:
        note(site, handler)
        reply(handler, 200, {"id": "0198-abc", "number": 3, "state": state, "verdict": verdict, **more})

    return answer


scored = in_state("scored", {"ok": True, "published": "81.25"})


def refuse(status, code, detail="", **headers):
    def answer(site, handler) -> None:
        note(site, handler)
        reply(handler, status, {"code": code, "detail": detail}, "application/problem+json", **headers)

    return answer


def refuse_at_once(site, handler) -> None:
    """Answer before the body is read, and close the connection."""
    site.requests.append({"method": "POST"})
    reply(handler, 413, {"code": "too_large", "detail": "the file is larger than 1 MB"}, "application/problem+json")
    handler.close_connection = True


def hang_up(site, handler) -> None:
    """Read a part of the body, and close the connection."""
    site.requests.append({"method": handler.command, "headers": dict(handler.headers)})
    handler.rfile.read(10)
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def accept_and_hang_up(site, handler) -> None:
    note(site, handler)
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


@contextmanager
def serving(site, *, context=None):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            site.answer(self)

        do_POST = do_GET  # noqa: N815 - the name that the server calls

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def address(site):
    with serving(site) as found:
        yield found


@pytest.fixture
def files(tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "pred.jsonl").write_text(LINES)
    return tmp_path


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(requests, "PAUSES", (0.01, 0.01, 0.01))
    monkeypatch.setattr(Api.__init__, "__kwdefaults__", {**Api.__init__.__kwdefaults__, "pauses": (0.01, 0.01, 0.01)})
    monkeypatch.setattr(submitting, "FIRST_PAUSE", 0.01)


def submit(files, address, *options, task="retrieval", lang="en"):
    command = ["submit", task, files / "pred.jsonl", "--to", address, "--token-file", files / "token", *options]
    return CliRunner().invoke(main, [*map(str, command), "--lang", lang])


# What is sent


def test_a_file_is_sent_with_its_token_and_a_key(site, address, files):
    result = submit(
        files, address, "--method", "CLIP 红", "--link", "https://a.example/x", "--link", "https://b.example"
    )
    assert result.exit_code == 0, result.output
    assert result.stderr == f"accepted: submission 3\n{address}/submissions/0198-abc\n"
    (request,) = site.requests
    assert request["path"] == (
        "/api/v1/tasks/retrieval/submissions?method=CLIP+%E7%BA%A2"
        "&link=https%3A%2F%2Fa.example%2Fx&link=https%3A%2F%2Fb.example"
    )
    assert request["body"] == LINES.encode()
    headers = request["headers"]
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Content-Length"] == str(len(LINES))
    with (files / "pred.jsonl").open("rb") as file:
        assert headers["Idempotency-Key"] == request_key("retrieval", file_sha256(file))
    assert headers["Accept-Language"] == "en"


def test_the_key_differs_for_other_files_and_tasks_only():
    keys = {request_key(task, sha256) for task in ("caption", "retrieval") for sha256 in ("0" * 64, "1" * 64)}
    assert len(keys) == 4
    assert all(key.isascii() and len(key) <= 200 for key in keys)


def test_a_file_that_was_sent_before_is_said_to_be(site, address, files):
    site.answers["POST"] = [accept_again]
    result = submit(files, address)
    assert (result.exit_code, result.stderr.splitlines()[0]) == (0, "accepted before: submission 3")


def test_json_is_the_answer_of_the_site(address, files):
    result = submit(files, address, "--json")
    assert json.loads(result.stdout)["queue_position"] == 2


@pytest.mark.parametrize("body", [b"", b"x" * 65536, b"y" * 200_000])
def test_bodies_of_every_size_are_sent_whole_with_their_progress(site, address, tmp_path, body):
    path = tmp_path / "file"
    path.write_bytes(body)
    done = []
    send_submission(Api(parse_address(address)), "caption", path, progress=done.append)
    assert site.requests[0]["body"] == body
    assert done[-1:] == ([len(body)] if body else [])
    assert done == sorted(done)


# Checked before


def test_an_invalid_file_is_not_sent(site, address, files):
    (files / "pred.jsonl").write_text(LINES + "{\n")
    result = submit(files, address)
    checked = CliRunner().invoke(main, ["check", "retrieval", "-s", str(files / "pred.jsonl")])
    assert (result.exit_code, result.stdout) == (1, checked.stdout)
    assert site.requests == []
    assert submit(files, address, "--no-check").exit_code == 0
    assert len(site.posts) == 1


def test_the_scorer_of_a_task_of_the_site_is_asked_for(site, address, files):
    def task(site, handler):
        note(site, handler)
        reply(handler, 200, {"slug": "hard", "scorer": "retrieval"})

    site.answers["GET"] = [task]
    (files / "pred.jsonl").write_text("{\n")
    assert submit(files, address, task="hard").exit_code == 1
    assert [request["path"] for request in site.requests] == ["/api/v1/tasks/hard"]


def test_a_task_with_the_scorer_of_another_package_is_sent_unchecked(site, address, files):
    def task(_site, handler):
        reply(handler, 200, {"slug": "own", "scorer": "of_another_package"})

    site.answers["GET"] = [task]
    assert submit(files, address, task="own").exit_code == 0


# Waiting


def test_waiting_ends_with_the_score(site, address, files):
    site.answers["GET"] = [in_state("queued", queue_position=2), in_state("running"), in_state("running"), scored]
    result = submit(files, address, "--wait")
    assert (result.exit_code, result.stdout) == (0, "scored: 81.25\n")
    assert result.stderr.splitlines()[2:] == ["queued, 2 before it", "running", "scored"]
    assert site.requests[-1]["path"] == "/api/v1/submissions/0198-abc"


def test_waiting_for_an_invalid_file_prints_its_errors(site, address, files):
    problems = [
        {"count": 1, "message_en": "line 7: no item_ids", "message_zh": "第 7 行：缺少 item_ids"},
        {"count": 40, "message_en": "40 rows:\x1b[31m red", "message_zh": "40 行"},
        "a word of a newer site",
    ]
    site.answers["GET"] = [in_state("invalid", {"ok": False, "problems": problems})]
    english, chinese = (submit(files, address, "--wait", lang=lang) for lang in ("en", "zh"))
    assert english.exit_code == 1
    first, second, last = english.stdout.splitlines()
    assert (first, last) == ("line 7: no item_ids", "invalid: 41 problems")
    assert "\x1b" not in second
    assert chinese.stdout.splitlines()[0] == "第 7 行：缺少 item_ids"


@pytest.mark.parametrize("state", ["faulted", "cancelled"])
def test_a_state_without_a_verdict_is_exit_code_2(site, address, files, state):
    site.answers["GET"] = [in_state(state)]
    result = submit(files, address, "--wait")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == "there is no verdict: ask the organizers"


def test_json_of_a_verdict(address, files):
    result = submit(files, address, "--wait", "--json")
    assert json.loads(result.stdout)["verdict"]["published"] == "81.25"


def test_waiting_asks_less_and_less_often(address, site):
    site.answers["GET"] = [in_state("queued")] * 12 + [scored]
    pauses = []
    list(wait_for_verdict(Api(parse_address(address)), "x", sleep=pauses.append))
    assert pauses == sorted(pauses)
    assert pauses[-1] > 5 * pauses[0]


# Connections that break


@pytest.mark.parametrize("trouble", [hang_up, accept_and_hang_up, refuse(503, "busy"), refuse(502, "", "")])
def test_a_lost_connection_is_tried_again_with_the_same_key(site, address, files, trouble):
    site.answers["POST"] = [trouble, trouble, accept_again]
    result = submit(files, address)
    assert result.exit_code == 0, result.output
    keys = [request["headers"]["Idempotency-Key"] for request in site.posts]
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_a_site_that_stays_away_is_named(files):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    result = submit(files, f"http://127.0.0.1:{port}")
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: http://127.0.0.1:{port} cannot be reached: nothing listens there; try again, nothing is sent twice\n"
    )


def test_a_wait_that_the_site_asks_for_is_kept(site, address):
    site.answers["GET"] = [refuse(429, "too_many_requests", Retry_After="7"), scored]
    pauses = []
    api = Api(parse_address(address), sleep=pauses.append)
    assert api.get("submissions", "x")["state"] == "scored"
    assert pauses == [7.0]


def test_a_site_without_an_answer_is_given_up(site, address, monkeypatch):
    monkeypatch.setattr(requests, "TIMEOUT", 0.05)
    site.answers["GET"] = [lambda *_: time.sleep(0.3)]
    with pytest.raises(ConnectionLostError, match="no answer in time"):
        Api(parse_address(address), pauses=()).get("submissions", "x")


# Refusals


@pytest.mark.parametrize(
    "refusal",
    [
        (401, "login_needed", "log in"),
        (429, "quota_reached", "5 files in 24 hours, the next at 14:03"),
        (409, "conflict", "the key was used"),
        (507, "storage_full", "the disk is full"),
    ],
)
def test_a_refusal_has_the_words_of_the_site_and_is_not_repeated(site, address, files, refusal):
    site.answers["POST"] = [refuse(*refusal, Retry_After="40")]
    result = submit(files, address)
    assert (result.exit_code, result.stderr) == (2, f"Error: the site refuses: {refusal[2]}\n")
    assert len(site.posts) == 1


def test_a_refusal_before_the_whole_file_was_read_is_understood(site, address, tmp_path):
    site.answers["POST"] = [refuse_at_once]
    path = tmp_path / "large"
    path.write_bytes(bytes(30_000_000))
    with pytest.raises(ClientError, match="larger than 1 MB"):
        send_submission(Api(parse_address(address)), "caption", path)


def test_a_redirect_is_not_followed(site, address, files):
    site.answers["POST"] = [refuse(308, "", Location="http://evil.example/")]
    result = submit(files, address)
    assert result.exit_code == 2
    assert "leads to another address" in result.stderr


@pytest.mark.parametrize("content", [b"<html>", b"[1]", b"{", b'{"id": 5}'])
def test_another_site_is_not_a_board(site, address, files, content):
    def answer(site, handler):
        note(site, handler)
        reply(handler, 200, content)

    site.answers["POST"] = [answer]
    result = submit(files, address)
    assert result.exit_code == 2
    assert "look whether it is the address of a board" in result.stderr


def test_an_answer_without_end_is_cut_off(site, address, monkeypatch):
    monkeypatch.setattr(requests, "MAX_ANSWER", 1000)
    site.answers["GET"] = [in_state("scored", {"page": "x" * 5000})]
    assert Api(parse_address(address)).get("submissions", "x") == {}


def test_words_of_the_site_cannot_control_the_terminal(site, address, files):
    site.answers["POST"] = [refuse(403, "closed", "\x1b[2J\u202egnp.exe")]
    result = submit(files, address)
    assert "\x1b" not in result.stderr
    assert "\u202e" not in result.stderr


def test_refusals_in_chinese(site, address, files):
    site.answers["POST"] = [refuse(429, "quota_reached", "24 小时内最多 5 次")]
    result = submit(files, address, lang="zh")
    assert result.stderr == "错误：网站拒绝请求：24 小时内最多 5 次\n"
    assert site.requests[0]["headers"]["Accept-Language"] == "zh"


# Addresses and tokens


@pytest.mark.parametrize("text", ["muge.example", "ftp://muge.example", "https://", "https://a:b@c", "https://a?x", ""])
def test_what_is_not_an_address_of_a_site_is_refused(text):
    with pytest.raises(ClientError, match="not the address of a site: write it as https://HOST"):
        parse_address(text)


@pytest.mark.parametrize("text", ["http://muge.example", "http://10.0.0.1:8000", "http://127.0.0.1.muge.example"])
def test_a_token_is_not_sent_readable_to_other_machines(text):
    with pytest.raises(ClientError, match="is not encrypted"):
        parse_address(text)
    assert parse_address(text, insecure=True).scheme == "http"


@pytest.mark.parametrize(
    "text", ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:8000/", "http://127.8.8.8"]
)
def test_this_machine_needs_no_encryption(text):
    assert str(parse_address(text)) == text.rstrip("/")


@pytest.mark.parametrize("content", [b"", b"two words", b"a\nb\n", b"\xff" * 20, b"short"])
def test_a_file_with_anything_but_a_token_is_refused(tmp_path, content):
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(ClientError, match="must have one token and nothing else"):
        read_token(tmp_path / "token")


def test_a_certificate_that_is_not_trusted_is_refused_without_another_try(site, tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"]
    command = [openssl, "req", "-x509", *kind, "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own command
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(site, context=context) as address, pytest.raises(ClientError, match="certificate that is not trusted"):
        Api(parse_address(address)).get("submissions", "x")
    assert site.requests == []


def test_a_file_that_became_shorter_is_not_sent_as_a_whole(address, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    with path.open("rb") as file, pytest.raises(ClientError, match="became shorter"):
        Api(parse_address(address)).post("x", headers={}, body=Body(file, 10))


def test_the_client_needs_no_extra():
    sources = Path(submitting.__file__).parent.glob("*.py")
    code = "".join(path.read_text("utf-8") for path in sources)
    assert not [name for name in ("sqlalchemy", "httpx", "starlette", "pydantic") if name in code]
