"""Every address as every role: no text of a gold file, no secret, nothing of other teams, no name of an anonymous team.

The board is real: files are judged by the worker's function, and the pages are those of the package.
"""

import json
import re
from html import unescape
from types import SimpleNamespace
from urllib.parse import urljoin, urlsplit

import pytest
from starlette.testclient import TestClient

from leaderboard_boards import ADMIN
from leaderboard_sites import PASSWORD, fast_hashes
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.registration import register_tasks
from muge_fast.leaderboard.rules.names import skeleton
from muge_fast.leaderboard.store.accounts import create_account, create_token
from muge_fast.leaderboard.store.oversight import list_faults
from muge_fast.leaderboard.store.queue import claim, report_fault
from muge_fast.leaderboard.store.teams import create_team
from muge_fast.leaderboard.web.app import create_app
from muge_fast.leaderboard.web.forms.routes import FORMS, SUBMIT
from muge_fast.leaderboard.web.pages import PAGES
from muge_fast.leaderboard.web.site import WebOptions
from muge_fast.leaderboard.worker.judgement import judge_once

API = "/api/v1"
SETTINGS = """
languages = ["en", "zh"]
[limits]
valid_per_day = 0
[tasks.caption]
gold = "gold/caption.jsonl"
[tasks.retrieval]
gold = "gold/retrieval.jsonl"
anonymous = true
[tasks.classification]
gold = "gold/classification.jsonl"
"""
# Each text is in a gold file, and in no submission.
REFERENCES = [f"第{number}条参考描述属于机密" for number in range(6)]
ITEMS = [918273640 + number for number in range(6)]
LABELS = [f"机密类别{number}" for number in range(6)]
GOLD = [*REFERENCES, *map(str, ITEMS), *LABELS, "参考描述", "机密"]
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
FAULT = "the worker was killed while it read /srv/board/gold/caption.jsonl"


def lines(rows) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def captions(team: str) -> bytes:
    return lines({"image_id": f"i{n}", "text": f"{team} 写的第{n}条描述"} for n in range(6))


def rankings(start: int) -> bytes:
    return lines(
        {"query_id": n, "query_text": f"查询{n}", "item_ids": [start + 100 * n + rank for rank in range(10)]}
        for n in range(6)
    )


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    """A board with submissions of every state, by teams whose names and files are known to the test."""
    with pytest.MonkeyPatch.context() as patch:
        fast_hashes(patch)
        made = make_board(tmp_path_factory.mktemp("leaky"))
        app = create_app(made.board, options=WebOptions(limit_floods=False))
        with TestClient(app, follow_redirects=False, raise_server_exceptions=False) as client:
            made.client = client
            send_all(made)
            yield made
    made.board.close()


def make_board(folder) -> SimpleNamespace:
    gold = folder / "gold"
    gold.mkdir()
    (gold / "caption.jsonl").write_bytes(lines({"image_id": f"i{n}", "text": [REFERENCES[n]]} for n in range(6)))
    retrieval = ({"query_id": n, "query_text": f"查询{n}", "item_ids": [ITEMS[n]]} for n in range(6))
    (gold / "retrieval.jsonl").write_bytes(lines(retrieval))
    (gold / "classification.jsonl").write_bytes(lines({"image_id": f"i{n}", "label": LABELS[n]} for n in range(6)))
    (folder / "board.toml").write_text(SETTINGS, "utf-8")
    board = open_board(folder, create=True)
    register_tasks(board, actor=ADMIN)
    made = SimpleNamespace(board=board, tokens={}, accounts={}, teams={}, ids={}, hashes={}, crawls={})
    for team in ("Crimson", "Azure", "Violet"):
        account = f"member-of-{team.lower()}"
        options = {"name": account, "name_key": skeleton(account), "password": PASSWORD, "actor": ADMIN}
        made.accounts[team] = create_account(board.database, **options)
        alias = f"Fox {team[0]}"
        made.teams[team] = create_team(
            board.database, name=team, name_key=skeleton(team), founder=made.accounts[team], alias=alias, actor=ADMIN
        )
        scopes = ("read", "submit", "manage")
        made.tokens[team] = create_token(board.database, made.accounts[team], label="t", scopes=scopes, actor=ADMIN)
    boss = create_account(board.database, name="chief", name_key=skeleton("chief"), role="organizer", actor=ADMIN)
    scopes = ("read", "submit", "manage", "organize")
    made.tokens["organizer"] = create_token(board.database, boss, label="t", scopes=scopes, actor=ADMIN)
    return made


def send_all(made) -> None:
    prepared: dict = {}

    def send(team: str, task: str, content: bytes, name: str) -> None:
        headers, described = {"Authorization": f"Bearer {made.tokens[team]}"}, {"method": f"by {team} {MARKUP}"}
        path = f"{API}/tasks/{task}/submissions"
        answer = made.client.post(path, params=described, content=content, headers=headers)
        assert answer.status_code == 201, answer.text
        made.ids[name], made.hashes[name] = answer.json()["id"], answer.json()["sha256"]

    def judge() -> None:
        assert judge_once(made.board, prepared)

    send("Crimson", "caption", captions("Crimson"), "listed")
    judge()
    send("Crimson", "caption", captions("Crimson")[:-30], "invalid")
    judge()
    send("Azure", "caption", captions("Azure"), "azure")
    judge()
    send("Violet", "retrieval", rankings(5_000_000), "violet")
    judge()
    labels = lines({"image_id": f"i{n}", "label": "别的"} for n in range(6))
    send("Crimson", "classification", labels, "labels")
    judge()
    send("Crimson", "caption", captions("Crimson again"), "faulted")
    faulted = claim(made.board.database, "worker")
    report_fault(made.board.database, faulted, FAULT)
    with made.board.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE evaluation SET state = 'faulted', faults = 3, attempt = 3, waived = 1, finished_at = created_at "
            f"WHERE id = '{faulted.evaluation}'"
        )
    with made.board.database.read() as connection:
        assert len(list_faults(connection)) == 1
    send("Crimson", "caption", captions("Crimson third"), "queued")


def starts(made) -> list[str]:
    """Return an address for each page and each operation of the API that reads, with every id."""
    values = {"task": list(made.board.settings.tasks), "submission": list(made.ids.values())}
    values |= {"team": list(made.teams.values()), "month": months(made), "account": list(made.accounts.values())}
    paths = [page.path for page in PAGES.table] + ["/healthz", "/metrics", "/static/", "/tasks/caption/submit"]
    description = made.client.get(f"{API}/openapi.json").json()
    paths += [path for path, ones in description["paths"].items() if "get" in ones]
    return sorted({filled for path in paths for filled in fill(path, values)})


def months(made) -> list[str]:
    """Return the present month, in which everything was sent."""
    with made.board.database.read() as connection:
        return [f"{made.board.database.now(connection).astimezone(made.board.settings.zone):%Y-%m}"]


def fill(path: str, values: dict[str, list[str]]) -> list[str]:
    names = re.findall(r"\{(\w+)\}", path)
    found = [path]
    for name in names:
        found = [one.replace(f"{{{name}}}", value) for one in found for value in values.get(name, ["x"])]
    return found


def crawl(made, role: str | None) -> dict[str, str]:
    """Return the text of every address that can be reached, in both languages, with headers."""
    if role in made.crawls:
        return made.crawls[role]
    todo, seen = starts(made), {}
    headers = {"Authorization": f"Bearer {made.tokens[role]}"} if role else {}
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        for accept in ("application/json", "text/html"):
            answer = made.client.get(path, headers={**headers, "Accept": accept})
            assert answer.status_code in (200, 303, 401, 403, 404, 405, 422), (path, answer.text)
            text = answer.text + json.dumps(dict(answer.headers))
            seen[path] = seen.get(path, "") + unescape(text)
        for link in re.findall(r"(?:href|src|action)=\"([^\"#]+)", answer.text):
            target = urlsplit(urljoin(path, unescape(link)))
            # Keys of forms are new each time, and the login repeats where one comes from.
            is_new = not re.search("lang=|key=|next=", target.query)
            if not target.netloc and is_new and not target.path.startswith("/static"):
                todo.append(target.path + (f"?{target.query}" if target.query else ""))
        chinese = path + ("&" if "?" in path else "?") + "lang=zh"
        seen[chinese] = unescape(made.client.get(chinese, headers=headers).text)
        # The site remembers the language.
        made.client.cookies.clear()
    assert 60 < len(seen) < 1000
    made.crawls[role] = seen
    return seen


def assert_without(seen: dict[str, str], texts, *, but: str = "$^") -> None:
    found = [
        (path, text) for path, content in seen.items() for text in texts if text in content and not re.search(but, path)
    ]
    assert found == []


SECRETS = ["$argon2", "mfb_session_", "mfb_token_", "mfb_invitation_", "Traceback", PASSWORD]


@pytest.mark.parametrize("role", [None, "Azure", "Crimson", "Violet", "organizer"])
def test_no_role_finds_gold_or_secrets(leaky, role):
    """Not even organizers: the pages have no need for references."""
    seen = crawl(leaky, role)
    assert_without(seen, [*GOLD, *SECRETS])


@pytest.mark.parametrize("role", [None, "Azure"])
def test_nothing_of_other_teams_is_found(leaky, role):
    seen = crawl(leaky, role)
    ids, hashes = leaky.ids, leaky.hashes
    hidden = [ids[name] for name in ("invalid", "faulted", "queued")]
    own = {"azure"} if role else set()
    assert_without(seen, [value for name, value in hashes.items() if name not in own])
    # An id that was asked for is in the error that there is no such submission.
    assert_without(seen, hidden, but="/submissions/")
    texts = ["Crimson 写的", "Crimson again", "member-of-crimson", "member-of-violet", FAULT, "/srv/board"]
    assert_without(seen, texts)
    # An anonymous team has an alias, and neither a name nor an id.
    assert_without(seen, ["Violet", "by Violet"])
    assert_without(seen, [leaky.teams["Violet"]], but="/teams/")
    assert any("Fox V" in text for text in seen.values())
    assert any("by Crimson" in text for text in seen.values())


def test_a_team_finds_its_own_submissions_but_not_what_the_site_knows_about_them(leaky):
    seen = crawl(leaky, "Crimson")
    everything = "\n".join(seen.values())
    for name in ("listed", "invalid", "faulted", "queued"):
        assert leaky.hashes[name] in everything
    assert_without(seen, [FAULT, "/srv/board", leaky.hashes["azure"], "member-of-azure", "Violet", "0x1."])
    assert_without(seen, ['"seconds"', '"exact"', '"rows_blob"', '"worker"', '"client_key"'])


def test_organizers_see_faults_and_names(leaky):
    everything = "\n".join(crawl(leaky, "organizer").values())
    for text in (FAULT, "Violet", "member-of-violet", '"exact"', '"seconds"'):
        assert text in everything


def test_every_form_of_the_pages_posts_to_an_address_that_exists(leaky):
    actions = set()
    for role in (None, "Crimson", "organizer"):
        for text in crawl(leaky, role).values():
            for form in re.findall(r"<form\b[^>]*>", text):
                if "post" in form.lower():
                    actions.add(urlsplit(re.search(r'action="([^"]*)"', form)[1]).path)
    patterns = {path: re.sub(r"\{\w+\}", "[^/]+", path) for path in (*(form.path for form in FORMS), SUBMIT)}
    used = {path for path, pattern in patterns.items() if any(re.fullmatch(pattern, action) for action in actions)}
    unknown = {action for action in actions if not any(re.fullmatch(one, action) for one in patterns.values())}
    assert unknown == set()
    assert len(used) > 12


def test_files_of_the_board_are_not_served(leaky):
    for path in ("board.toml", "board.sqlite", "gold/caption.jsonl", "blobs", f"blobs/{leaky.hashes['listed'][:2]}"):
        for prefix in ("/", "/static/", "/static/../", f"{API}/"):
            assert leaky.client.get(prefix + path).status_code == 404


def test_markup_of_participants_is_text(leaky):
    headers = {"Authorization": f"Bearer {leaky.tokens['Crimson']}"}
    for path in ("/tasks/caption", f"/submissions/{leaky.ids['listed']}", f"/teams/{leaky.teams['Crimson']}"):
        text = leaky.client.get(path, headers=headers).text
        assert "&lt;script&gt;alert(1)" in text, path
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "{{7*7}}" in text
    csv = leaky.client.get(f"{API}/tasks/caption/board.csv")
    assert csv.headers["content-type"] == "text/csv; charset=utf-8"


def test_files_of_pages_are_kept_by_browsers(leaky):
    page = leaky.client.get("/")
    paths = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert len(paths) >= 2
    for path in paths:
        assert leaky.client.get(path).headers["cache-control"] == "public, max-age=31536000, immutable"
    assert leaky.client.get("/static/nothing.css?v=1").headers["cache-control"] == "no-store"


def test_what_a_visitor_posts_changes_and_shows_nothing(leaky):
    before = leaky.client.get(f"{API}/tasks/caption/board").text
    for form in FORMS:
        path = re.sub(r"\{submission\}", leaky.ids["listed"], form.path)
        path = re.sub(
            r"\{task\}", "caption", re.sub(r"\{\w+\}(?=/)", lambda m: "caption" if m[0] == "{task}" else "x", path)
        )
        answer = leaky.client.post(path, data={"name": "x", "password": "x", "reason": "x"})
        assert answer.status_code in (303, 401, 404, 422), path
        assert not any(text in answer.text for text in GOLD)
    assert leaky.client.get(f"{API}/tasks/caption/board").text == before
