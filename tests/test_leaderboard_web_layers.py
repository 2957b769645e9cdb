"""The layers before the routes: headers, proxies, floods, bodies, pages in memory, languages."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.web import page_cache
from muge_fast.leaderboard.web.body_limits import MAX_BODY, BodyLimit
from muge_fast.leaderboard.web.languages import accepted_language
from muge_fast.leaderboard.web.problems import ProblemError
from muge_fast.leaderboard.web.proxies import client_address, parse_networks
from muge_fast.leaderboard.web.rate_limits import MAX_KEYS, READS, Buckets, Rate, address_key

API = "/api/v1"


# Headers


def test_every_answer_protects_the_browser(client):
    paths = ("/", "/nothing", "/broken", f"{API}/tasks", f"{API}/nothing", f"{API}/me", "/healthz")
    for answer in (*(client.get(path) for path in paths), client.post("/team", headers={"Sec-Fetch-Site": "x"})):
        headers = answer.headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
        assert headers["referrer-policy"] == "same-origin"
        assert len(headers["x-request-id"]) == 16
        assert "cache-control" in headers
        assert "server" not in headers
        assert "strict-transport-security" not in headers


def test_answers_to_an_account_are_not_kept_by_proxies(site, client):
    for path in (f"{API}/me", f"{API}/tokens", f"{API}/tasks/retrieval/submissions", f"{API}/tasks/retrieval/board"):
        kept = client.get(path, headers=site.bearer("red")).headers["cache-control"]
        assert "no-store" in kept or "private" in kept


# Proxies and floods


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", ["6.6.6.6"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["not an address"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, not an address"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["2001:DB8::1"], "2001:db8::1"),
    ],
)
def test_the_address_of_a_client_behind_proxies(peer, forwarded, address):
    assert client_address(peer, forwarded, parse_networks(["10.0.0.0/8"])) == address


def test_forwarded_headers_of_strangers_change_nothing(site):
    red = site.bearer("red", **{"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https"})
    with site.client() as client:
        client.post(f"{API}/team/invitations", headers=red)
        entries = client.get(f"{API}/admin/audit", headers=site.bearer("boss")).json()["entries"]
        assert entries[0]["request"].endswith(" testclient")


def test_floods_from_one_address_are_refused(site):
    now = [0.0]
    with site.client(trusted_proxies=("10.0.0.0/8",)) as client:
        site.web.limits.reads._clock = lambda: now[0]
        # The client of the tests is at no address, so the layer is asked as a proxy would.
        client._transport.client = ("10.0.0.1", 1)

        def status(address: str) -> int:
            return client.get(f"{API}/tasks", headers={"X-Forwarded-For": address}).status_code

        assert {status("203.0.113.9") for _ in range(int(READS.burst))} == {200}
        refused = client.get(f"{API}/tasks", headers={"X-Forwarded-For": "203.0.113.9"})
        assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (
            429,
            "too_many_requests",
            "1",
        )
        assert status("203.0.113.10") == 200
        now[0] += 1
        assert status("203.0.113.9") == 200


def test_buckets_forget_the_oldest_addresses():
    buckets = Buckets(Rate(1, 1), clock=lambda: 0.0)
    for number in range(MAX_KEYS + 100):
        buckets.wait(str(number))
    assert len(buckets._levels) == MAX_KEYS
    assert buckets.wait(str(MAX_KEYS)) > 0


def test_addresses_of_ipv6_are_limited_by_network():
    assert address_key("2001:db8::1") == address_key("2001:db8::ffff")
    assert address_key("2001:db8::1") != address_key("2001:db8:0:1::1")
    assert address_key("::ffff:203.0.113.9") == "203.0.113.9"


# Bodies


def test_compressed_bodies_are_refused(site, client):
    for path in (f"{API}/tasks/retrieval/submissions", "/login", "/tasks/retrieval/submit"):
        answer = client.post(path, content=b"x", headers=site.bearer("red", **{"Content-Encoding": "gzip"}))
        assert answer.status_code == 415


def test_bodies_of_other_addresses_are_small(site, client):
    answer = client.post(f"{API}/teams", content=b"x" * (MAX_BODY + 1), headers=site.bearer("red"))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    pieces = (b"x" * 1000 for _ in range(100))
    answer = client.post(f"{API}/teams", content=pieces, headers=site.bearer("red"))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    for length in ("-1", "1e3", "٣", "9" * 30):
        headers = site.bearer("red", **{"Content-Length": length.encode()})
        assert client.post(f"{API}/teams", content=b"x", headers=headers).status_code == 400


def test_a_slow_body_is_refused():
    async def receive():
        await asyncio.sleep(0.03)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def app(_scope, receive, _send):
        while True:
            await receive()

    async def run():
        scope = {"type": "http", "method": "POST", "path": "/login", "headers": []}
        await BodyLimit(app, max_seconds=0.2)(scope, receive, None)

    with pytest.raises(ProblemError, match="too_slow"):
        asyncio.run(run())


def test_json_that_is_refused(site, client):
    for body in (b"{", b"[]", b"\xff", b"1", b'{"name": 1}', b"{}", b"[" * 50_000):
        headers = site.bearer("red", **{"Content-Type": "application/json"})
        assert client.post(f"{API}/teams", content=body, headers=headers).status_code in (400, 422)


# Pages in memory


def count(client, path="/", **headers: str) -> int:
    return client.get(path, headers=headers).json()["count"]


def test_pages_of_visitors_are_kept_until_a_board_changes(site, client, monkeypatch):
    monkeypatch.setattr(page_cache, "VERSION_SECONDS", 0.0)
    assert [count(client) for _ in range(3)] == [1, 1, 1]
    assert count(client, **{"Accept-Language": "zh"}) == 2
    assert count(client, "/?x=1") == 3
    # Those who are logged in always see the present.
    assert [count(client, **site.bearer("red")) for _ in range(2)] == [4, 5]
    client.post(f"{API}/tasks/retrieval/submissions", content=b"x", headers=site.bearer("red"))
    assert count(client) == 1
    site.judge()
    assert [count(client) for _ in range(2)] == [6, 6]
    monkeypatch.setattr(page_cache, "PAGE_SECONDS", 0.0)
    site_changes(site)
    assert [count(client) for _ in range(2)] == [7, 8]


def site_changes(site) -> None:
    with site.database.write() as connection:
        page_cache_table = page_cache.task
        version = page_cache_table.c.board_version
        connection.execute(page_cache_table.update().values(board_version=version + 1))


def test_kept_pages_have_tags(client):
    first = client.get("/")
    again = client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


def test_pages_that_wait_for_statistics_and_errors_are_not_kept(client):
    assert [count(client, "/computing") for _ in range(2)] == [1, 2]
    assert client.get("/nothing").status_code == client.get("/nothing").status_code == 404


def test_the_memory_of_pages_is_bounded(client):
    for number in range(page_cache.MAX_PAGES + 20):
        client.get(f"/?x={number}")
    assert count(client, "/?x=0") > page_cache.MAX_PAGES
    long = "/?x=" + "y" * page_cache.MAX_KEY
    assert count(client, long) != count(client, long)


def test_a_board_with_a_cookie_of_a_session_is_not_kept(client):
    client.cookies.set("muge_session", "old")
    assert [count(client) for _ in range(2)] == [1, 2]


def test_a_database_that_does_not_answer_is_said(client, monkeypatch):
    def broken(_database, *_query, **_parameters):
        raise OperationalError("SELECT", {}, Exception("the server was restarted"))

    monkeypatch.setattr(Database, "read", broken)
    monkeypatch.setattr(Database, "value", broken)
    answer = client.get(f"{API}/tasks/retrieval/board")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "busy", "5")
    assert client.get("/healthz").text == "page of 503: the site is busy: try again in some seconds"
    assert client.get("/").status_code == 200


def test_health_is_that_of_the_database(client, site):
    assert client.get("/healthz").status_code == 200
    with site.database.write() as connection:
        connection.execute(text("ALTER TABLE task RENAME TO lost"))
    assert client.get("/healthz").status_code == 503


# Languages


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("EN-us,en;q=0.5", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.1, zh;q=0.9", "zh"),
        ("fr, de", "zh"),
        ("en;q=x", "zh"),
        (",;,;q=," * 10_000 + "en", "zh"),
    ],
)
def test_the_language_that_a_browser_prefers(header, language):
    assert accepted_language(header, ("zh", "en")) == language


def test_a_language_is_remembered(client):
    answer = client.get("/?lang=zh")
    assert answer.headers["set-cookie"].startswith("lang=zh;")
    assert client.get("/nothing").text == "page of 404: 该地址没有内容"
    assert "set-cookie" not in client.get("/?lang=fr").headers
