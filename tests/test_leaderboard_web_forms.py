"""Forms of browsers: logins, sessions, cross-site requests, accounts, teams, and the form that sends a file."""

import inspect
import re
from urllib.parse import urlsplit

import pytest

from leaderboard_sites import PASSWORD, SETTINGS, TestSite
from muge_fast.leaderboard.store.accounts import account_of_session
from muge_fast.leaderboard.web.forms import account_forms, submission_forms
from muge_fast.leaderboard.web.forms.outcomes import DONE
from muge_fast.leaderboard.web.forms.routes import FORMS

BOUNDARY = "----boundary"


def log_in(client, name="ann", password=PASSWORD, **fields):
    return client.post("/login", data={"name": name, "password": password, **fields})


@pytest.fixture
def ann(site, client):
    """A client that is logged in as the account ann, which is in the team green."""
    site.add_team("ann", password=PASSWORD)
    assert log_in(client).status_code == 303
    return client


def multipart(*parts: tuple[str, str | None, bytes], boundary=BOUNDARY) -> dict[str, object]:
    body = b""
    for name, file, content in parts:
        disposition = f'form-data; name="{name}"' + (f'; filename="{file}"' if file is not None else "")
        body += f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + content + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return {"content": body, "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"}}


# Logins and sessions


def test_a_login_sets_a_cookie_that_scripts_cannot_read(site, client):
    site.add_account("ann", password=PASSWORD)
    answer = log_in(client, next="/tasks/retrieval/submit")
    assert (answer.status_code, answer.headers["location"]) == (303, "/tasks/retrieval/submit")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("muge_session=mfb_session_")
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert "secure" not in cookie.lower()
    assert client.get("/account").status_code == 200


def test_with_tls_the_cookie_is_bound_to_the_host(site):
    site.add_account("ann", password=PASSWORD)
    with site.client(address="https://muge.example") as client:
        headers = {"Origin": "https://muge.example"}
        answer = client.post("/login", data={"name": "ann", "password": PASSWORD}, headers=headers)
        assert answer.headers["set-cookie"].startswith("__Host-muge_session=")
        assert "Secure" in answer.headers["set-cookie"]
        assert "max-age=31536000" in answer.headers["strict-transport-security"]


def test_failed_logins_do_not_say_what_is_wrong(site, client):
    site.add_account("ann", password=PASSWORD)
    answers = [log_in(client, "ann", "wrong"), log_in(client, "nobody", "wrong"), log_in(client, "red", "wrong")]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert len({answer.json()["problem"] for answer in answers}) == 1
    assert answers[0].json()["values"] == {"name": "ann"}
    assert all("set-cookie" not in answer.headers for answer in answers)


def test_a_token_with_the_scope_manage_logs_in(site, client):
    assert log_in(client, "red", site.tokens["red"]).status_code == 303
    client.cookies.clear()
    assert log_in(client, "blue", site.tokens["red"]).status_code == 401
    site.add_account("script", scopes=("read", "submit"))
    assert log_in(client, "script", site.tokens["script"]).status_code == 401


def test_logins_are_limited_by_address_and_by_name(site, client):
    site.add_account("ann", password=PASSWORD)
    codes = [log_in(client, "ann", "wrong").status_code for _ in range(21)]
    assert codes == [401] * 20 + [429]
    assert int(log_in(client).headers["retry-after"]) >= 1


def test_a_session_that_a_browser_brings_is_never_adopted(site, client):
    """A stranger who sets the cookie of another browser does not get into what it logs in to later."""
    site.add_account("ann", password=PASSWORD)
    planted = "mfb_session_" + "0" * 72
    client.cookies.set("muge_session", planted)
    assert client.get("/account").status_code == 303
    first = log_in(client).cookies["muge_session"]
    assert first != planted
    client.cookies.set("muge_session", first)
    second = log_in(client).cookies["muge_session"]
    # A new login ends the session before it.
    assert account_of_session(site.database, first) is None
    assert account_of_session(site.database, second).name == "ann"


def test_logging_out_ends_the_session_on_the_server(site, ann):
    secret = ann.cookies["muge_session"]
    answer = ann.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?done=logged_out")
    assert account_of_session(site.database, secret) is None
    ann.cookies.set("muge_session", secret)
    assert ann.get("/account").headers["location"] == "/login?next=%2Faccount"


def test_sessions_end(site, ann):
    site.clock.advance(days=13.9)
    assert ann.get("/account").status_code == 200
    site.clock.advance(days=0.2)
    assert ann.get("/account").status_code == 303


def test_a_login_leads_to_paths_of_the_site_only(site, client):
    site.add_account("ann", password=PASSWORD)
    for path in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\r\nX: 1", "x"):
        assert log_in(client, next=path).headers["location"] == "/"
        client.cookies.clear()


# Cross-site requests


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://testserver"}, 303),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[evil"}, 403),
        ({}, 303),
    ],
)
def test_forms_of_other_sites_change_nothing(ann, headers, status):
    answer = ann.post("/team/change", data={"name": "Green two"}, headers=headers)
    assert answer.status_code == status
    assert ann.get("/api/v1/me").json()["team"] == ("Green two" if status == 303 else "ann")


def test_every_address_that_changes_something_is_protected(ann):
    description = ann.get("/api/v1/openapi.json").json()
    unsafe = {(method, path) for path, ones in description["paths"].items() for method in ones if method != "get"}
    unsafe |= {("post", form.path) for form in FORMS} | {("post", "/tasks/{task}/submit")}
    for method, path in unsafe:
        answer = ann.request(method.upper(), path.format_map(Anything()), headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
        assert "the request comes from another site" in answer.text
    assert len(unsafe) >= 40


class Anything(dict):
    def __missing__(self, key: str) -> str:
        return "retrieval" if key == "task" else "x"


def test_a_token_does_not_borrow_the_cookie_of_a_browser(ann):
    """With a token, the cookie does not count, so the check of the origin may be left out."""
    headers = {"Authorization": "Bearer x", "Sec-Fetch-Site": "cross-site"}
    assert ann.post("/api/v1/team/invitations", headers=headers).status_code == 401


def test_json_of_forms_is_refused(ann):
    answer = ann.post("/api/v1/teams", content='{"name": "x"}', headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_type")


# Registration and passwords


def test_anyone_registers_on_an_open_board(client):
    answer = client.post("/register", data={"name": " 小红 ", "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/team?done=registered")
    assert client.get("/account").status_code == 200
    assert client.post("/team", data={"name": "红队"}).headers["location"] == "/team?done=team_founded"


def test_registrations_that_are_refused(client):
    for name, password, status in (
        ("ann", "short", 422),
        ("ann", "x" * 2000, 422),
        ("Rеd", PASSWORD, 409),
        ("=1+1", PASSWORD, 422),
        ("a\u202eb", PASSWORD, 422),
        ("<b>x</b>", PASSWORD, 422),
        ("admin", PASSWORD, 422),
        ("", PASSWORD, 422),
        ("x" * 10_000, PASSWORD, 422),
    ):
        answer = client.post("/register", data={"name": name, "password": password})
        assert (answer.status_code, "password" in answer.json()["values"]) == (status, False)
        assert "set-cookie" not in answer.headers


def test_boards_by_invitation(tmp_path):
    folder = tmp_path / "invited"
    folder.mkdir()
    invited = TestSite(folder, settings='registration = "invitation"\n' + SETTINGS)
    with invited.client() as client:
        body = {"name": "ann", "password": PASSWORD}
        assert client.post("/register", data=body).status_code == 403
        wrong = client.post("/register", data={**body, "invitation": "mfb_invitation_" + "0" * 72})
        assert wrong.status_code == 404
        secret = client.post("/api/v1/team/invitations", headers=invited.bearer("red")).json()["secret"]
        # A registration that failed has not taken the name.
        assert client.post("/register", data={**body, "invitation": secret}).status_code == 303
        assert client.get("/api/v1/me").json()["team"] == "red"
        client.post("/team/leave")
        assert client.post("/team", data={"name": "Ann"}).status_code == 403
    invited.close()


def test_a_new_password_ends_all_other_sessions(site, ann):
    old = ann.cookies["muge_session"]
    assert ann.post("/account/password", data={"old": "wrong password", "new": "another skirt"}).status_code == 401
    answer = ann.post("/account/password", data={"old": PASSWORD, "new": "another skirt"})
    assert answer.headers["location"] == "/account?done=password_changed"
    assert account_of_session(site.database, old) is None
    assert ann.get("/account").status_code == 200
    assert log_in(ann, password=PASSWORD).status_code == 401


# Tokens, teams, submissions and organizers


def test_secrets_are_shown_once_and_not_kept(ann):
    answer = ann.post("/account/tokens", data={"label": "laptop", "days": "30"})
    secret = answer.json()["secret"]
    assert answer.headers["cache-control"] == "no-store"
    assert ann.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).json()["scopes"] == ["read", "submit"]
    assert ann.post("/account/tokens", data={"label": "x", "days": "many"}).status_code == 422
    token = next(one["id"] for one in ann.get("/api/v1/tokens").json()["tokens"] if one["label"] == "laptop")
    assert ann.post(f"/account/tokens/{token}/revoke").headers["location"] == "/account?done=token_revoked"


def test_invitations_by_link(site, ann):
    link = ann.post("/team/invitations").json()["secret"]
    assert link.startswith("/team/join?invitation=mfb_invitation_")
    with site.client() as client:
        assert log_in(client, "blue", site.tokens["blue"]).status_code == 303
        secret = link.partition("=")[2]
        refused = client.post("/team/join", data={"invitation": secret})
        assert (refused.status_code, refused.json()["page"]) == (409, "join")
        client.post("/team/leave")
        assert client.post("/team/join", data={"invitation": secret}).headers["location"] == "/team?done=team_joined"
    assert ann.post("/team/invitations/revoke").status_code == 303


def test_a_file_is_sent_without_scripts(site, ann):
    form = multipart(("method", None, b"CLIP"), ("file", "../../etc/passwd", b"line 1\r\nline 2"), ("links", None, b""))
    answer = ann.post("/tasks/retrieval/submit?key=one", **form)
    path = urlsplit(answer.headers["location"])
    assert (answer.status_code, path.query) == (303, "done=submitted")
    shown = ann.get(f"/api/v1{path.path}").json()
    assert (shown["method"], shown["links"], shown["size"]) == ("CLIP", [], 14)
    # The button was pressed twice.
    assert ann.post("/tasks/retrieval/submit?key=one", **form).headers["location"] == answer.headers["location"]
    assert "passwd" not in {path.name for path in site.folder.rglob("*")}


def test_forms_with_a_file_that_are_refused(ann):
    for parts, code in (
        ([("method", None, b"x")], 422),
        ([("file", "a", b"x"), ("file", "b", b"y")], 422),
        ([("file", "a", b"")], 422),
        ([("method", None, b"\xff"), ("file", "a", b"x")], 400),
        ([("method", None, b"x" * 20_000), ("file", "a", b"x")], 400),
        ([("method", None, b"x" * 300), ("file", "a", b"x")], 422),
        ([("links", None, b"javascript:x"), ("file", "a", b"x")], 422),
        ([("file", "a", b"x" * 1_000_001)], 413),
    ):
        answer = ann.post("/tasks/retrieval/submit", **multipart(*parts))
        assert (answer.status_code, answer.json()["page"]) == (code, "submit")
    for headers in ({"Content-Type": "multipart/form-data"}, {"Content-Type": "text/plain"}, {}):
        assert ann.post("/tasks/retrieval/submit", content=b"x", headers=headers).status_code == 415
    cut = multipart(("file", "a", b"x" * 500))
    answer = ann.post("/tasks/retrieval/submit", content=cut["content"][:300], headers=cut["headers"])
    assert answer.status_code == 400
    assert ann.get("/api/v1/tasks/retrieval/submissions").json() == {"submissions": []}


def test_what_was_entered_is_kept_after_an_error(ann):
    form = multipart(("method", None, "图文模型".encode()), ("links", None, b"x"), ("file", "a", b"x"))
    assert ann.post("/tasks/retrieval/submit", **form).json()["values"] == {"method": "图文模型", "links": "x"}


def test_visitors_are_sent_to_the_login(client):
    assert client.get("/account?x=1").headers["location"] == "/login?next=%2Faccount%3Fx%3D1"
    assert client.post("/team", data={"name": "x"}).headers["location"].startswith("/login?next=")
    answer = client.post("/tasks/retrieval/submit", **multipart(("file", "a", b"x")))
    assert answer.headers["location"].startswith("/login?next=")


def test_forms_about_submissions_and_of_organizers(site, ann):
    form = multipart(("file", "a", b"x"))
    path = urlsplit(ann.post("/tasks/retrieval/submit", **form).headers["location"]).path
    for action, done in (("withdraw", "withdrawn"), ("restore", "restored"), ("cancel", "cancelled")):
        assert ann.post(f"{path}/{action}").headers["location"] == f"{path}?done={done}"
    again = ann.post(f"{path}/cancel")
    assert (again.status_code, again.json()["page"]) == (409, "submission")
    for form in FORMS:
        if form.path.startswith("/admin"):
            assert ann.post(form.path.format_map(Anything())).status_code == 404
    with site.client() as boss:
        log_in(boss, "boss", site.tokens["boss"])
        assert boss.get("/admin").status_code == 200
        assert boss.post(f"/admin{path}/rule-out", data={"reason": ""}).json()["page"] == "submission"
        answer = boss.post(f"/admin{path}/rule-out", data={"reason": "a copy"})
        assert answer.headers["location"] == f"{path}?done=ruled_out"
        assert boss.post(f"/admin/submissions/{path.split('/')[-1]}/reinstate").status_code == 303
        assert boss.get("/admin/rejudges/x").status_code == 200
        assert boss.post("/admin/rejudges/x/drop").status_code == 404


def test_forms_in_other_encodings(ann):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"name=%FF", b"name=\xff", b"a&" * 100, b"name=%ED%A0%80"):
        assert ann.post("/team/change", content=body, headers=form).status_code in (303, 400, 422)
    assert ann.post("/team/change", content=b"{}", headers={"Content-Type": "application/json"}).status_code == 415
    assert ann.post("/team/change", data={"name": "x" * 70_000}).status_code == 413


def test_every_redirect_has_a_message():
    assert len(set(DONE)) == len(DONE)
    named = {outcome for path in (account_forms, submission_forms) for outcome in outcomes_in(path)}
    assert named <= set(DONE)
    assert set(DONE) - named == {"submitted"}


def outcomes_in(module) -> set[str]:
    found = re.findall(r'(?:Outcome|_on_submission)\("(\w+)"', inspect.getsource(module))
    return set(found)
