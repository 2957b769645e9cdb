"""The API: every address, the fields of each role, errors as problem details, ETags."""

import json
import re

from leaderboard_boards import ADMIN
from muge_fast.leaderboard.store.queue import claim, report_fault
from muge_fast.leaderboard.store.tasks import NewEvaluator, add_evaluator

API = "/api/v1"
RETRIEVAL = f"{API}/tasks/retrieval"
NOT_AN_ID = "01a21fd3-47a7-797f-9375-000000000000"


def send(site, client, name="red", content=b"a file", task="retrieval", **headers):
    headers = site.bearer(name, **headers)
    return client.post(f"{API}/tasks/{task}/submissions", content=content, headers=headers)


def fault(site) -> str:
    """Let the next submission fail three times, and return its evaluation."""
    for _ in range(3):
        job = claim(site.database, "worker")
        report_fault(site.database, job, "out of memory")
        site.clock.advance(minutes=5)
    return job.evaluation


# Sending and reading submissions


def test_a_submission_is_stored_before_it_is_acknowledged(site, client):
    answer = send(site, client, content=b"abc", **{"Idempotency-Key": "one"})
    assert answer.status_code == 201
    fields = answer.json()
    assert (fields["state"], fields["queue_position"], fields["number"], fields["size"]) == ("queued", 0, 1, 3)
    assert answer.headers["location"] == f"{API}/submissions/{fields['id']}"
    assert site.board.blobs.verify(fields["sha256"])


def test_a_request_with_the_same_key_is_the_same_submission(site, client):
    first = send(site, client, **{"Idempotency-Key": "one"})
    again = send(site, client, **{"Idempotency-Key": "one"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    other = send(site, client, content=b"another file", **{"Idempotency-Key": "one"})
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    # Keys belong to an account.
    assert send(site, client, "blue", **{"Idempotency-Key": "one"}).status_code == 201


def test_a_key_is_recognized_after_the_quota_is_used_up(site, client):
    answers = [send(site, client, content=b"%d" % n, **{"Idempotency-Key": str(n)}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    refused = send(site, client, content=b"3")
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_reached")
    assert "the next is possible at 2026-11-28 20:00:00 (UTC+08:00)" in refused.json()["detail"]
    assert send(site, client, content=b"1", **{"Idempotency-Key": "1"}).status_code == 200


def test_the_place_in_the_queue_is_shown(site, client):
    ids = [send(site, client, name).json()["id"] for name in ("red", "blue")]
    places = [
        client.get(f"{API}/submissions/{one}", headers=site.bearer(name)).json()["queue_position"]
        for one, name in zip(ids, ("red", "blue"), strict=True)
    ]
    assert places == [0, 1]


def test_states_are_shown(site, client):
    scored = send(site, client, content=b"1").json()["id"]
    site.judge()
    invalid = send(site, client, content=b"2").json()["id"]
    site.judge(published=None, report={"problems": [{"line": 1, "en": "not JSON"}]})
    faulted = send(site, client, content=b"3").json()["id"]
    fault(site)
    cancelled = send(site, client, content=b"4").json()["id"]
    client.post(f"{API}/submissions/{cancelled}/cancel", headers=site.bearer("red"))
    ids = (scored, invalid, faulted, cancelled)
    shown = [client.get(f"{API}/submissions/{one}", headers=site.bearer("red")).json() for one in ids]
    assert [one["state"] for one in shown] == ["scored", "invalid", "faulted", "cancelled"]
    assert shown[0]["verdict"]["published"] == "80.00"
    assert shown[1]["verdict"]["problems"] == [{"line": 1, "en": "not JSON"}]
    assert shown[2]["verdict"] is None
    assert "out of memory" not in json.dumps(shown)
    # Our fault is free: of the limit of three, the scored one alone is used.
    quota = client.get(f"{RETRIEVAL}/quota", headers=site.bearer("red")).json()
    assert quota["left"] == 2
    assert quota["limits"][0] == {"name": "valid_per_day", "limit": 3, "used": 1}


def test_the_fields_of_each_role(site, client):
    one = send(site, client, content=b"abc", **{"Idempotency-Key": "secret-key"}).json()["id"]
    site.judge()
    get = {name: client.get(f"{API}/submissions/{one}", headers=site.bearer(name)).json() for name in site.tokens}
    public = {"id", "task", "number", "accepted_at", "method", "team", "links", "state", "verdict"}
    assert client.get(f"{API}/submissions/{one}").json().keys() == public
    assert get["blue"].keys() == public
    assert get["red"].keys() - public >= {"sha256", "account", "listed", "file"}
    assert get["red"].keys().isdisjoint({"worker", "client_key", "fault", "same_file_as", "lease_until"})
    assert get["boss"]["client_key"] == "secret-key"
    assert get["boss"]["verdict"].keys() - get["red"]["verdict"].keys() == {"exact", "rows", "seconds"}
    assert get["blue"]["verdict"].keys() == {"ok", "published", "evaluator", "version", "signature"}


def test_submissions_that_no_board_lists_do_not_exist_for_others(site, client):
    one = send(site, client).json()["id"]
    paths = [f"{API}/submissions/{one}{rest}" for rest in ("", "/report", "/file")]
    unknown = [path.replace(one, NOT_AN_ID) for path in paths]
    for headers in ({}, site.bearer("blue")):
        for path, other in zip(paths, unknown, strict=True):
            mine, theirs = client.get(path, headers=headers), client.get(other, headers=headers)
            assert mine.status_code == theirs.status_code == 404
            assert mine.json()["detail"].replace(one, NOT_AN_ID) == theirs.json()["detail"]
    assert client.post(f"{API}/submissions/{one}/withdraw", headers=site.bearer("blue")).status_code == 404
    assert client.post(f"{API}/submissions/{one}/cancel", headers=site.bearer("blue")).status_code == 404
    # A better one of the team in the same month takes its row; the worse one is hidden again.
    site.judge(published=70)
    assert client.get(paths[0]).status_code == 200
    send(site, client, content=b"better")
    site.judge(published=90)
    assert client.get(paths[0]).status_code == 404


def test_anonymous_tasks_and_teams_show_the_alias(site, client):
    one = send(site, client, task="hidden").json()["id"]
    site.judge()
    assert client.get(f"{API}/submissions/{one}", headers=site.bearer("blue")).json()["team"] == "alias of red"
    assert client.get(f"{API}/submissions/{one}", headers=site.bearer("red")).json()["team"] == "red"
    body = client.get(f"{API}/tasks/hidden/board", headers=site.bearer("blue")).text
    assert "alias of red" in body
    assert site.teams["red"] not in body


def test_reports_are_for_the_team(site, client):
    one = send(site, client).json()["id"]
    assert client.get(f"{API}/submissions/{one}/report", headers=site.bearer("red")).status_code == 404
    page = {"en": "<p>page</p>", "zh": "<p>页面</p>"}
    site.judge(report={"problems": [], "problem_count": 0, "is_cut": False, "page": page})
    path = f"{API}/submissions/{one}/report"
    report = client.get(path, headers=site.bearer("red")).json()
    assert (report["problems"], report["problem_count"], "page" in report) == ([], 0, False)
    page = client.get(f"{path}?lang=zh", headers=site.bearer("red", Accept="text/html"))
    assert page.text == "<p>页面</p>"
    # In a sandbox without an origin: whatever is in the page can run nothing and read no cookie.
    assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    for headers in ({}, site.bearer("blue")):
        assert client.get(path, headers=headers).status_code == 404
        assert client.get(path, headers={**headers, "Accept": "text/html"}).status_code == 404


def test_files_are_downloaded_as_they_were_sent(site, client):
    content = bytes(range(256)) * 3000
    one = send(site, client, content=content).json()["id"]
    answer = client.get(f"{API}/submissions/{one}/file", headers=site.bearer("red"))
    assert answer.content == content
    assert answer.headers["content-disposition"] == 'attachment; filename="retrieval-1"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.get(f"{API}/submissions/{one}/file", headers=site.bearer("boss")).status_code == 200


def test_a_team_lists_its_submissions(site, client):
    for n in range(3):
        send(site, client, content=b"%d" % n)
    send(site, client, "blue")
    found = client.get(f"{RETRIEVAL}/submissions", headers=site.bearer("red")).json()["submissions"]
    assert [one["number"] for one in found] == [3, 2, 1]
    older = client.get(f"{RETRIEVAL}/submissions?before=2", headers=site.bearer("red")).json()["submissions"]
    assert [one["number"] for one in older] == [1]


def test_withdrawing_takes_a_submission_off_the_board(site, client):
    one = send(site, client).json()["id"]
    site.judge()

    def rows():
        return [row["submission"] for row in client.get(f"{RETRIEVAL}/board").json()["rows"]]

    assert rows() == [one]
    answer = client.post(f"{API}/submissions/{one}/withdraw", headers=site.bearer("red"))
    assert answer.json()["withdrawn_at"] is not None
    assert rows() == []
    client.post(f"{API}/submissions/{one}/restore", headers=site.bearer("red"))
    assert rows() == [one]
    late = client.post(f"{API}/submissions/{one}/cancel", headers=site.bearer("red"))
    assert (late.status_code, late.json()["code"]) == (409, "refused")


def test_descriptions_are_checked_before_the_file_is_stored(site, client):
    for query, code in (
        ("link=javascript:alert(1)", "not_a_link"),
        ("link=https://a/&link=https://b/&link=https://c/&link=https://d/", "too_many_links"),
        ("method=" + "x" * 201, "method_too_long"),
        ("method=a%E2%80%AEb", "method_invisible_character"),
    ):
        answer = client.post(f"{RETRIEVAL}/submissions?{query}", content=b"x", headers=site.bearer("red"))
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert list(site.board.blobs.hashes()) == []


def test_a_form_is_not_taken_for_a_file(site, client):
    files = {"file": ("pred.jsonl", b"{}")}
    answer = client.post(f"{RETRIEVAL}/submissions", files=files, headers=site.bearer("red"))
    assert (answer.status_code, answer.json()["code"]) == (415, "not_a_form")
    # curl sends this type with --data-binary.
    form = site.bearer("red", **{"Content-Type": "application/x-www-form-urlencoded"})
    assert client.post(f"{RETRIEVAL}/submissions", content=b"{}", headers=form).status_code == 201


def test_descriptions_are_shown(site, client):
    query = "method=CLIP&link=https://a.example/&link=http://b.example/"
    answer = client.post(f"{RETRIEVAL}/submissions?{query}", content=b"x", headers=site.bearer("red"))
    assert answer.json()["method"] == "CLIP"
    assert answer.json()["links"] == ["https://a.example/", "http://b.example/"]


# Boards and months


def test_tasks_are_listed(client):
    body = client.get(f"{API}/tasks").json()
    assert [task["slug"] for task in body["tasks"]] == ["retrieval", "hidden"]
    one = client.get(RETRIEVAL).json()
    assert (one["max_bytes"], one["limits"]["valid_per_day"], one["main"]) == (1_000_000, 3, "mean_recall")
    assert client.get(f"{API}/tasks/nothing").status_code == 404


def test_boards_are_json_and_csv(site, client):
    for name, published in (("red", 80.0), ("blue", 90.0)):
        send(site, client, name)
        site.judge(published=published)
    rows = client.get(f"{RETRIEVAL}/board").json()["rows"]
    assert [(row["rank"], row["team"], row["published"]) for row in rows] == [(1, "blue", 90.0), (2, "red", 80.0)]
    text = client.get(f"{RETRIEVAL}/board.csv").content.decode("utf-8-sig")
    assert [line.split(",")[0] for line in text.splitlines()] == ["rank", "1", "2"]
    assert client.get(f"{RETRIEVAL}/board?month=2026-11").json()["rows"] == rows
    assert client.get(f"{RETRIEVAL}/board?month=2026-10").json()["rows"] == []
    assert client.get(f"{RETRIEVAL}/board?month=2026-13").status_code == 404
    assert client.get(f"{RETRIEVAL}/board?month=" + "9" * 50).status_code == 422


def test_formulas_in_cells_of_csv_are_text(site, client):
    client.post(f"{RETRIEVAL}/submissions?method=%3DHYPERLINK(1)", content=b"x", headers=site.bearer("red"))
    site.judge()
    assert "'=HYPERLINK(1)" in client.get(f"{RETRIEVAL}/board.csv").text


def test_months_have_previews(site, client):
    send(site, client)
    site.judge()
    month = client.get(f"{RETRIEVAL}/months/2026-11").json()
    assert month["month"] == "2026-11"
    assert client.get(f"{RETRIEVAL}/months").json() == {"task": "retrieval", "months": []}
    assert client.get(f"{RETRIEVAL}/months/2020-01").status_code == 404
    assert client.get(f"{RETRIEVAL}/months/nothing").status_code == 404


def test_an_answer_that_has_not_changed_is_not_sent_again(site, client):
    send(site, client)
    site.judge()
    # Statistics are ready a moment after the ranking, and change the answer.
    site.web.standings.complete("retrieval")
    first = client.get(f"{RETRIEVAL}/board")
    again = client.get(f"{RETRIEVAL}/board", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    send(site, client, "blue", content=b"y")
    site.judge(published=90)
    assert client.get(f"{RETRIEVAL}/board", headers={"If-None-Match": first.headers["etag"]}).status_code == 200
    # The answer of one account is not kept for another.
    assert first.headers["cache-control"] == "public, no-cache"
    assert "private" in client.get(f"{RETRIEVAL}/board", headers=site.bearer("red")).headers["cache-control"]


# Accounts, tokens and teams


def test_me_and_tokens(site, client):
    me = client.get(f"{API}/me", headers=site.bearer("red")).json()
    assert (me["account"], me["team"], me["members"]) == ("red", "red", ["red"])
    body = {"label": "laptop", "scopes": ["read"], "days": 30}
    secret = client.post(f"{API}/tokens", json=body, headers=site.bearer("red")).json()["secret"]
    reader = {"Authorization": f"Bearer {secret}"}
    assert client.get(f"{API}/me", headers=reader).json()["scopes"] == ["read"]
    refused = client.post(f"{RETRIEVAL}/submissions", content=b"x", headers=reader)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert client.post(f"{API}/tokens", json=body, headers=reader).status_code == 403
    listed = client.get(f"{API}/tokens", headers=site.bearer("red"))
    assert secret not in listed.text
    token = next(one["id"] for one in listed.json()["tokens"] if one["label"] == "laptop")
    assert client.delete(f"{API}/tokens/{token}", headers=site.bearer("blue")).status_code == 404
    assert client.delete(f"{API}/tokens/{token}", headers=site.bearer("red")).status_code == 204
    assert client.get(f"{API}/me", headers=reader).json()["code"] == "bad_token"


def test_a_token_that_only_sends_is_shown_what_it_sent(site, client):
    site.add_team("green", scopes=("submit",))
    sent = send(site, client, "green")
    assert (sent.status_code, sent.json()["state"]) == (201, "queued")
    path = f"{API}/submissions/{sent.json()['id']}"
    assert client.get(path, headers=site.bearer("green")).status_code == 404
    assert client.post(f"{path}/cancel", headers=site.bearer("green")).json()["state"] == "cancelled"


def test_tokens_that_are_refused(site, client):
    scopes = [{"scopes": given} for given in (["read", "organize"], [], ["everything"], "read")]
    days = [{"days": given} for given in (-1, 10**9, True)]
    for body in (*scopes, *days, {"label": "x" * 81}, {"label": 1}, []):
        answer = client.post(f"{API}/tokens", json=body, headers=site.bearer("red"))
        assert answer.status_code in (400, 422), body
        assert answer.headers["content-type"] == "application/problem+json"


def test_teams_by_the_api(site, client):
    site.add_account("ann")
    ann, red = site.bearer("ann"), site.bearer("red")
    assert client.post(f"{RETRIEVAL}/submissions", content=b"x", headers=ann).json()["code"] == "no_team"
    taken = client.post(f"{API}/teams", json={"name": "ReԀ"}, headers=ann)
    assert taken.status_code in (409, 422)
    assert client.post(f"{API}/teams", json={"name": "RED"}, headers=ann).status_code == 409
    secret = client.post(f"{API}/team/invitations", headers=red).json()["secret"]
    assert client.post(f"{API}/team/join", json={"invitation": secret}, headers=ann).status_code == 200
    assert client.get(f"{API}/me", headers=ann).json()["members"] == ["red", "ann"]
    assert client.post(f"{API}/team/join", json={"invitation": secret}, headers=site.bearer("blue")).status_code == 404
    assert client.patch(f"{API}/team", json={"name": "Red two", "alias": "Fox"}, headers=ann).status_code == 204
    assert client.get(f"{API}/me", headers=red).json()["team"] == "Red two"
    # An alias must not look like another team.
    assert client.patch(f"{API}/team", json={"alias": "blue"}, headers=ann).json()["code"] == "name_taken"
    assert client.post(f"{API}/team/leave", headers=ann).status_code == 204
    assert client.post(f"{API}/teams", json={"name": "alias of blue"}, headers=ann).status_code == 409
    assert client.post(f"{API}/teams", json={"name": "Green"}, headers=ann).status_code == 201


def test_revoked_invitations_do_not_work(site, client):
    site.add_account("ann")
    secret = client.post(f"{API}/team/invitations", headers=site.bearer("red")).json()["secret"]
    assert client.delete(f"{API}/team/invitations", headers=site.bearer("red")).status_code == 204
    answer = client.post(f"{API}/team/join", json={"invitation": secret}, headers=site.bearer("ann"))
    assert answer.status_code == 404


# Organizers

ADMIN_PATHS = [
    ("GET", "queue"),
    ("GET", "teams"),
    ("GET", "accounts"),
    ("GET", "audit"),
    ("GET", f"rejudges/{NOT_AN_ID}"),
    ("POST", f"evaluations/{NOT_AN_ID}/requeue"),
    ("POST", f"submissions/{NOT_AN_ID}/rule-out"),
    ("POST", f"submissions/{NOT_AN_ID}/reinstate"),
    ("POST", f"accounts/{NOT_AN_ID}/disable"),
    ("POST", "tasks/retrieval/rejudges"),
    ("POST", f"rejudges/{NOT_AN_ID}/apply"),
    ("POST", f"rejudges/{NOT_AN_ID}/drop"),
]


def test_addresses_of_organizers_do_not_exist_for_others(site, client):
    unknown = client.get(f"{API}/nothing").json()["detail"]
    for method, path in ADMIN_PATHS:
        for headers in ({}, site.bearer("red")):
            body = {} if method == "POST" else None
            answer = client.request(method, f"{API}/admin/{path}", headers=headers, json=body)
            assert answer.status_code == 404
            assert answer.json()["detail"] == unknown


def test_a_token_without_the_scope_does_not_act_as_an_organizer(site, client):
    site.add_account("deputy", role="organizer", scopes=("read", "submit", "manage"))
    assert client.get(f"{API}/admin/queue", headers=site.bearer("deputy")).status_code == 404
    assert client.get(f"{API}/admin/queue", headers=site.bearer("boss")).status_code == 200


def test_faults_are_queued_again(site, client):
    send(site, client)
    evaluation = fault(site)
    found = client.get(f"{API}/admin/queue", headers=site.bearer("boss")).json()
    assert found["queue"]["faulted"] == 1
    assert [(one["evaluation"], one["fault"]) for one in found["faults"]] == [(evaluation, "out of memory")]
    path = f"{API}/admin/evaluations/{evaluation}/requeue"
    assert client.post(path, headers=site.bearer("boss")).status_code == 204
    assert client.post(path, headers=site.bearer("boss")).status_code == 409
    site.judge()


def test_submissions_are_ruled_out_with_a_reason(site, client):
    one = send(site, client).json()["id"]
    site.judge()
    path = f"{API}/admin/submissions/{one}"
    assert client.post(f"{path}/rule-out", json={"reason": " "}, headers=site.bearer("boss")).status_code == 422
    assert client.post(f"{path}/rule-out", json={"reason": "a copy"}, headers=site.bearer("boss")).status_code == 204
    assert client.get(f"{RETRIEVAL}/board").json()["rows"] == []
    assert client.get(f"{API}/submissions/{one}").status_code == 404
    mine = client.get(f"{API}/submissions/{one}", headers=site.bearer("red")).json()
    assert mine["ruled_out_reason"] == "a copy"
    assert client.post(f"{path}/reinstate", headers=site.bearer("boss")).status_code == 204
    assert len(client.get(f"{RETRIEVAL}/board").json()["rows"]) == 1
    entries = client.get(f"{API}/admin/audit", headers=site.bearer("boss")).json()["entries"]
    assert [entry["action"] for entry in entries[:2]] == ["submission.reinstate", "submission.rule_out"]
    assert entries[0]["actor"] == site.accounts["boss"]
    assert "testclient" in entries[0]["request"]


def test_a_rejudge_set_is_previewed_and_applied_with_a_typed_name(site, client):
    one = send(site, client).json()["id"]
    site.judge(published=80.0)
    new = NewEvaluator("b" * 64, "0.3.0", {}, "muge2")
    draft = add_evaluator(site.database, "retrieval", new, actor=ADMIN)
    boss = site.bearer("boss")
    body = {"evaluator": draft, "reason": "corrected gold"}
    made = client.post(f"{API}/admin/tasks/retrieval/rejudges", json=body, headers=boss).json()["id"]
    path = f"{API}/admin/rejudges/{made}"
    confirmed = {"confirm": "retrieval"}
    assert client.post(f"{path}/apply", json=confirmed, headers=boss).status_code == 409
    # What the set computes is not shown before it is applied.
    site.judge(published=70.0)
    assert client.get(f"{API}/submissions/{one}").json()["verdict"]["published"] == "80.00"
    preview = client.get(path, headers=boss).json()
    assert [(change["before"], change["after"]) for change in preview["changes"]] == [(80.0, 70.0)]
    assert client.post(f"{path}/apply", json={"confirm": "yes"}, headers=boss).json()["code"] == "not_confirmed"
    assert client.post(f"{path}/apply", json=confirmed, headers=boss).status_code == 204
    assert client.get(f"{API}/submissions/{one}").json()["verdict"]["published"] == "70.00"
    assert client.post(f"{path}/drop", headers=boss).status_code == 409


def test_accounts_are_disabled_at_once(site, client):
    boss = site.bearer("boss")
    rows = client.get(f"{API}/admin/accounts", headers=boss).json()["accounts"]
    assert [row["name"] for row in rows] == ["boss", "red", "blue"]
    assert {row["name"]: row["members"] for row in client.get(f"{API}/admin/teams", headers=boss).json()["teams"]} == {
        "red": 1,
        "blue": 1,
    }
    path = f"{API}/admin/accounts/{site.accounts['red']}/disable"
    assert client.post(path, headers=boss).status_code == 204
    assert client.get(f"{API}/me", headers=site.bearer("red")).status_code == 401
    own = client.post(f"{API}/admin/accounts/{site.accounts['boss']}/disable", headers=boss)
    assert own.json()["code"] == "own_account"


# Errors and the description


def test_errors_are_problem_details_in_the_language_of_the_client(client):
    english = client.get(f"{API}/tasks/nothing")
    chinese = client.get(f"{API}/tasks/nothing", headers={"Accept-Language": "zh-CN"})
    assert english.headers["content-type"] == "application/problem+json"
    assert english.json() == {
        "type": "/problems/not_found",
        "title": "Not Found",
        "status": 404,
        "code": "not_found",
        "detail": "there is no such task",
        "instance": "/api/v1/tasks/nothing",
    }
    assert chinese.json()["detail"] == "没有这个任务"
    assert client.get(f"{API}/tasks/nothing?lang=zh").json()["detail"] == "没有这个任务"


def test_errors_without_a_login(client):
    for method, path in (("GET", f"{API}/me"), ("POST", f"{RETRIEVAL}/submissions"), ("GET", f"{RETRIEVAL}/quota")):
        answer = client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "login_needed")
        assert answer.headers["www-authenticate"] == "Bearer"
    for token in ("x", "mfb_token_" + "0" * 72, "红"):
        answer = client.get(f"{API}/tasks", headers={"Authorization": f"Bearer {token}".encode()})
        assert answer.status_code in (200, 401)
        assert client.get(f"{API}/me", headers={"Authorization": f"Bearer {token}".encode()}).status_code == 401


def test_wrong_methods_and_addresses(client):
    assert client.put(f"{RETRIEVAL}/board").status_code == 405
    assert client.get(f"{API}/nothing").json()["code"] == "not_found"
    assert client.get("/nothing").text == "page of 404: there is nothing at this address"


def test_faults_show_nothing(client):
    answer = client.get("/broken")
    assert answer.status_code == 500
    assert "金标" not in answer.text
    assert "KeyError" not in answer.text


def test_every_path_is_described(client):
    description = client.get(f"{API}/openapi.json").json()
    paths = {(method.upper(), path) for path, ones in description["paths"].items() for method in ones}
    assert ("POST", "/api/v1/tasks/{task}/submissions") in paths
    assert all(path.startswith(API) for _, path in paths)
    assert len(paths) > 30
    one = description["paths"]["/api/v1/tasks/{task}/submissions"]["post"]
    assert "application/octet-stream" in one["requestBody"]["content"]
    assert {"200", "201", "4XX"} <= one["responses"].keys()
    assert all(ones[method].get("description") for ones in description["paths"].values() for method in ones)


def test_health_and_metrics(site, client):
    assert client.get("/healthz").text == "ok\n"
    send(site, client)
    site.clock.advance(seconds=30)
    for headers in ({}, site.bearer("red")):
        assert client.get("/metrics", headers=headers).status_code == 404
    text = client.get("/metrics", headers=site.bearer("boss")).text
    assert 'muge_evaluations{state="queued"} 1' in text
    assert re.search(r"^muge_queue_oldest_seconds 30\.000$", text, re.MULTILINE)
