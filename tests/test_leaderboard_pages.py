"""Pages of the leaderboard without a browser: what they show, to whom, in both languages, and how they are built."""

import copy
import json
import re
import shutil
from datetime import timedelta
from string import Formatter

import pytest

from leaderboard_boards import ADMIN
from leaderboard_pages import BEYOND, HOSTILE, LINKS, PROBLEM, Page, browser, filled_site, send, text_of
from leaderboard_sites import GOLD_TEXT, TestSite
from muge_fast.evaluation.report_page.style import PALETTE
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.rules.visibility import known_fields
from muge_fast.leaderboard.store.audit import Actor
from muge_fast.leaderboard.store.queue import claim, finish
from muge_fast.leaderboard.store.submissions import rule_out
from muge_fast.leaderboard.store.teams import invite
from muge_fast.leaderboard.store.verdicts import NewVerdict
from muge_fast.leaderboard.web.forms.outcomes import DONE
from muge_fast.leaderboard.web.pages import PAGES
from muge_fast.leaderboard.web.pages.rendering import TEMPLATES
from muge_fast.leaderboard.web.pages.words import WORDS
from muge_fast.leaderboard.web.pages.words.rules import MARKS, SECTIONS, VISIBILITY
from source_files import PACKAGE, read

FOLDER = PACKAGE / "leaderboard" / "web" / "pages"
ROLES = (None, "lone", "red", "boss")


@pytest.fixture(scope="module")
def board(tmp_path_factory, sqlite_template):
    """Open a site for tests that read its pages."""
    folder = tmp_path_factory.mktemp("board")
    shutil.copy(sqlite_template, folder / "board.sqlite")
    site = filled_site(folder)
    yield site
    site.close()


@pytest.fixture
def changing(board, tmp_path):
    """Open a copy of the site for a test that changes it."""
    site = copy.copy(board)
    with board.database.write():  # Nothing is written meanwhile.
        shutil.copytree(board.folder, tmp_path / "board")
    site.board = open_board(tmp_path / "board", clock=board.clock)
    site.database = site.board.database
    yield site
    site.close()


def paths(site) -> list[str]:
    """Return an address of every page."""
    values = {"task": "retrieval", "month": "2026-11", "team": site.teams["red"], "rejudge": site.rejudge}
    found = [page.path.format(**values, submission=site.ids["red"]) for page in PAGES.table]
    found += [f"/submissions/{submission}" for submission in site.ids.values()]
    found += ["/tasks/retrieval?month=2026-11", "/tasks/hidden", "/tasks/hidden/data", "/tasks/hidden/months/2026-11"]
    return [*found, "/tasks/retrieval/months/2026-12", "/tasks/retrieval/months/2026-11?revision=1", "/nothing"]


# Every page


@pytest.mark.parametrize(
    ("role", "lang"), [(None, "en"), (None, "zh"), ("lone", "en"), ("red", "zh"), ("boss", "en"), ("boss", "zh")]
)
def test_every_page_keeps_to_the_rules_of_pages_and_leads_only_to_pages_that_exist(board, role, lang):
    with browser(board, role, lang=lang) as client:
        links = set()
        for path in paths(board):
            answer = client.get(path)
            assert answer.status_code in (200, 303, 404), path
            if answer.status_code == 303:
                assert role is None
                assert answer.headers["location"].startswith("/login?next=")
                continue
            page = Page(answer.text)
            assert page.language == {"en": "en", "zh": "zh-CN"}[lang]
            assert GOLD_TEXT not in answer.text
            assert "javascript:" not in answer.text
            assert "<img" not in answer.text
            if answer.status_code == 200:
                links |= {node["href"] for node in page.all("a") if node["href"].startswith("/")}
        for link in links:
            assert client.get(link).status_code in (200, 303), link


def test_links_say_that_users_wrote_them_and_names_are_isolated(board):
    with browser(board) as client:
        page = Page(client.get("/tasks/retrieval").text)
    (link,) = {node["href"] for node in page.all("a", rel="nofollow ugc noopener")}
    assert link == LINKS[0]
    assert text_of(page.all("a", rel="nofollow ugc noopener")[0]) == "example.org"
    names = [text_of(node) for node in page.all("bdi")]
    assert " ".join(HOSTILE.split()) in names


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline(board):
    with browser(board, "red") as client:
        answer = client.get("/tasks/retrieval")
        page = Page(answer.text)
        files = [node["href"] for node in page.all("link")] + [node["src"] for node in page.all("script")]
        assert len(files) == 3
        assert {client.get(file).status_code for file in files} == {200}
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_style_begins_with_the_palette_of_all_pages():
    style = read(FOLDER / "static" / "site.css")
    assert style.partition("*/")[2].startswith(PALETTE)
    assert not re.search(r"url\(|@import|expression", style)


def test_the_script_is_short_and_writes_no_html():
    script = read(FOLDER / "static" / "page.js")
    assert len(script.splitlines()) <= 60
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(|https?:", script)


# Words

# Beginnings of keys that are put together from a state, a column or a code.
COMPOSED = ("state_", "role_", "evaluator_", "rejudge_", "month_", "quota_", "problem_", "done_", "about_", "kind_")
COMPOSED += ("action_", "prop_", "nav_", "data_", "file_", "n_")
LATIN_ONLY = {"nav_api", "evaluator_version", "file_lines", "frontier_point"}


def test_every_word_is_in_both_languages():
    for key, (en, zh) in WORDS.items():
        assert en.strip(), key
        assert re.search(r"[\u4e00-\u9fff]", zh) or key in LATIN_ONLY, key
        assert not re.search(r"[\u4e00-\u9fff]", en), key
        for one in en.split("|"):
            assert count_fields(one) == count_fields(zh), key
    for _, title, rules in SECTIONS:
        for en, zh in (title, *rules):
            assert names_of_fields(en) == names_of_fields(zh)
    assert {len(letters) for _, letters in VISIBILITY} == {3}
    assert set("".join(letters for _, letters in VISIBILITY)) == set(MARKS)


def names_of_fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text)}


def count_fields(text: str) -> int:
    return sum(name is not None for _, name, _, _ in Formatter().parse(text))


def test_templates_and_views_use_words_that_exist_and_all_of_them():
    sources = [*TEMPLATES.glob("*.html"), *FOLDER.glob("*.py"), *FOLDER.glob("views/*.py")]
    text = "\n".join(read(path) for path in sources)
    named = set(re.findall(r"\b(?:t|n|words|count)\(\s*\"(\w+)\"", text))
    assert {key for key in named if not key.endswith("_")} <= set(WORDS)
    mentioned = set(re.findall(r"\"(\w+)\"", text))
    assert {key for key in WORDS if key not in mentioned and not key.startswith(COMPOSED)} == set()


def test_every_result_of_a_form_has_a_sentence():
    assert {key.removeprefix("done_") for key in WORDS if key.startswith("done_")} == set(DONE)


def test_forms_find_the_pages_that_they_need():
    needed = {"login", "register", "account", "my_team", "join", "submit", "submission", "admin", "admin_rejudge"}
    assert needed <= set(PAGES.by_name)


# Who sees what


def test_an_anonymous_board_names_no_team_to_strangers(board):
    for role in (None, "lone", "blue"):
        with browser(board, role) as client:
            for path in ("/tasks/hidden", "/", "/months", "/tasks/hidden/months/2026-11"):
                text = client.get(path).text
                assert "secret method" not in text
                page = Page(text)
                assert "/tasks/hidden" not in path or "red" not in [text_of(node) for node in page.all("bdi")]
                assert "alias of red" in page.text
    with browser(board, "red") as client:
        assert "secret method" in client.get("/tasks/hidden").text


def test_a_submission_that_is_on_no_board_does_not_exist_for_strangers(board):
    for role in (None, "lone", "blue"):
        with browser(board, role) as client:
            for state in ("invalid", "faulted", "withdrawn", "ruled_out", "running", "queued"):
                assert client.get(f"/submissions/{board.ids[state]}").status_code == 404
            page = Page(client.get(f"/submissions/{board.ids['red']}").text)
            assert "SHA-256" not in page.text
            assert page.all("button") == []


def test_a_team_on_no_board_has_no_page_for_strangers(changing):
    changing.add_team("quiet")
    for role, status in ((None, 404), ("lone", 404), ("quiet", 200), ("boss", 200)):
        with browser(changing, role) as client:
            assert client.get(f"/teams/{changing.teams['quiet']}").status_code == status


def test_pages_of_organizers_do_not_exist_for_others(board):
    organizers = [page.path.format(rejudge=board.rejudge) for page in PAGES.table if page.access == "organizer"]
    assert len(organizers) == 5
    for role, status in ((None, 303), ("lone", 404), ("red", 404), ("boss", 200)):
        with browser(board, role) as client:
            assert {client.get(path).status_code for path in organizers} == {status}


def test_only_organizers_see_scores_in_full_precision(board):
    exact = repr(0.6 + BEYOND)
    for role in ROLES:
        with browser(board, role) as client:
            text = client.get(f"/submissions/{board.ids['red']}").text
            assert (exact in text) == (role == "boss")


# The board


def test_a_board_has_ranks_numbers_and_times_of_its_zone(board):
    with browser(board) as client:
        page = Page(client.get("/tasks/retrieval").text)
    table = page.one("table", class_="board")
    assert text_of(table).count("60.00") == 2
    ranks = [text_of(node) for node in page.all("td", class_="rank")]
    assert ranks == ["1", "1", "3"]
    assert any(node["datetime"] == "2026-11-27T20:00:00+08:00" for node in page.all("time"))
    assert "Asia/Shanghai (UTC+08:00)" in page.text


def test_the_board_of_a_month_counts_its_submissions_alone(board):
    with browser(board) as client:
        links = [node["href"] for node in Page(client.get("/tasks/retrieval").text).all("a")]
        assert "/tasks/retrieval?month=2026-12" in links
        page = Page(client.get("/tasks/retrieval?month=2026-12").text)
        assert [text_of(node)[:5] for node in page.all("td", class_="score")] == ["58.00"]
        page = Page(client.get("/tasks/hidden?month=2026-12").text)
        assert page.all("table", class_="board") == []
        assert "No submission of this month has a score." in page.text
        assert client.get("/tasks/retrieval?month=2019-01").status_code == 404
        assert client.get("/tasks/retrieval?month=x").status_code == 404


def test_a_submission_on_the_page_of_a_month_opens_for_everyone(board):
    path = f"/submissions/{board.ids['green']}"
    for role in (*ROLES, "green"):
        with browser(board, role) as client:
            assert path not in client.get("/tasks/retrieval").text
            for page in ("/tasks/retrieval?month=2026-11", "/tasks/retrieval/months/2026-11"):
                links = [node["href"] for node in Page(client.get(page).text).all("a")]
                assert path in links
            page = Page(client.get(path).text)
            assert "56.00" in page.text
            assert "on the page of a month; not on the board now" in page.text
            assert ("SHA-256" in page.text) == (role in ("green", "boss"))
            answer = client.get(f"/api/v1{path}").json()
            assert ("sha256" in answer, answer["verdict"]["published"]) == (role in ("green", "boss"), "56.00")


def test_every_submission_that_a_public_page_links_opens_for_visitors(board):
    with browser(board) as client:
        pages = ["/tasks/retrieval", "/tasks/hidden", "/", "/months"]
        months = {
            node["href"] for page in pages for node in Page(client.get(page).text).all("a") if "month" in node["href"]
        }
        pages += sorted(months)
        pages += [f"{page}?revision=1" for page in months if "/months/" in page]
        found = {node["href"] for page in pages for node in Page(client.get(page).text).all("a")}
        submissions = {href for href in found if href.startswith("/submissions/")}
        assert len(submissions) >= 4
        assert {client.get(path).status_code for path in submissions} == {200}


def test_the_legend_says_what_the_marks_of_neighbors_mean(board):
    for lang, sentence in (("en", "although an interval excludes 0"), ("zh", "差值的区间不含 0")):
        with browser(board, lang=lang) as client:
            client.web.standings.complete("retrieval")
            text = Page(client.get("/tasks/retrieval").text).text
            assert sentence in text
            assert "≈" in text


def test_a_board_of_too_many_teams_says_that_ranks_are_not_computed(board, monkeypatch):
    for module in ("standings.statistics", "web.pages.views.board"):
        monkeypatch.setattr(f"muge_fast.leaderboard.{module}.MOST_TEAMS", 2)
    sentences = (("en", "More than 2 teams: possible ranks"), ("zh", "参赛队伍超过 2 支：不计算可能的名次"))
    for lang, sentence in sentences:
        with browser(board, lang=lang) as client:
            client.web.standings.complete("retrieval")
            page = Page(client.get("/tasks/retrieval").text)
            assert sentence in page.text
            assert "≈" not in page.text
            # Intervals of scores are there.
            assert len(page.all("svg")) > 1
            assert all(row["rank_range"] is None for row in client.get("/api/v1/tasks/retrieval/board").json()["rows"])


def test_a_viewer_sees_which_row_is_the_own_one(board):
    with browser(board, "blue") as client:
        page = Page(client.get("/tasks/retrieval").text)
        assert "blue your team" in text_of(page.one("tr", class_="mine"))
    with browser(board) as client:
        assert Page(client.get("/tasks/retrieval").text).all("tr", class_="mine") == []


def test_a_renamed_team_has_its_new_name_at_once(changing):
    with browser(changing, "blue") as client:
        assert "blue" in client.get("/tasks/retrieval").text
        assert client.post("/team/change", data={"name": "azure"}).status_code == 303
        assert "azure your team" in Page(client.get("/tasks/retrieval").text).text


# Submissions


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("invalid", ("line 17: query_id 3 has 1 item_ids, needs exactly 10", "Wrong number of items (1)")),
        ("faulted", ("The evaluation failed by a fault of the site",)),
        ("withdrawn", ("The team took it off the board:", "Put it back on the board")),
        ("ruled_out", ("The organizers ruled it out:",)),
        ("running", ("The evaluation is running",)),
        ("queued", ("1 evaluation of this task before it.", "Cancel")),
    ],
)
def test_the_page_of_a_submission_says_what_happened_to_it(board, state, words):
    with browser(board, "red") as client:
        page = Page(client.get(f"/submissions/{board.ids[state]}").text)
    assert [word for word in words if word not in page.text] == [], page.text
    refreshes = [node for node in page.all("meta") if node.get("http-equiv") == "refresh"]
    assert len(refreshes) == (state in ("running", "queued"))
    assert all("noscript" in node["parents"] for node in refreshes)


def test_errors_are_in_the_language_of_the_reader_with_the_beginning_of_the_line(board):
    with browser(board, "red", lang="zh") as client:
        page = Page(client.get(f"/submissions/{board.ids['invalid']}").text)
    assert PROBLEM["message_zh"] in page.text
    assert text_of(page.one("code", class_="excerpt")) == PROBLEM["excerpt"]


def test_a_report_is_shown_in_a_frame_without_rights(site):
    site.ids = {}
    submission = send(site, "red")
    site.judge(report={"problems": [], "page": {"en": "<p>english", "zh": "<p>中文"}})
    with browser(site, "red", lang="zh") as client:
        page = Page(client.get(f"/submissions/{submission}").text)
        frame = page.one("iframe")
        assert frame["sandbox"] == ""
        report = client.get(frame["src"], headers={"Accept": "text/html"})
        assert report.text == "<p>中文"
        assert report.headers["content-security-policy"].startswith("sandbox")


def test_withdrawing_from_the_page_takes_the_submission_off_the_board(changing):
    with browser(changing, "red") as client:
        address = f"/submissions/{changing.ids['red']}"
        page = Page(client.get(address).text)
        form = next(node for node in page.all("form") if node["action"].endswith("/withdraw"))
        answer = client.post(form["action"])
        assert answer.headers["location"] == f"{address}?done=withdrawn"
        assert "It is off the board." in Page(client.get(answer.headers["location"]).text).text
        assert changing.ids["red"] not in client.get("/tasks/retrieval").text


# Forms


def test_a_refused_form_is_shown_again_with_what_was_entered_and_why(board):
    with browser(board, "lone", lang="zh") as client:
        answer = client.post("/team", data={"name": "red"})
        page = Page(answer.text)
        assert answer.status_code == 409
        assert "名称" in text_of(page.one("div", role="alert"))
        assert page.one("input", id="name")["value"] == "red"


def test_the_form_of_a_task_shows_the_use_of_the_limits(board):
    with browser(board, "red") as client:
        page = Page(client.get("/tasks/retrieval/submit").text)
        assert "without errors, last 24 hours 4 / 3" in page.text
        assert "The next file is possible at" in page.text
        (button,) = [node for node in page.all("button") if text_of(node) == "Submit"]
        assert "disabled" in button
    with browser(board, "blue") as client:
        page = Page(client.get("/tasks/retrieval/submit").text)
        form = page.one("form", id="upload")
        assert form["enctype"] == "multipart/form-data"
        assert re.fullmatch(r"/tasks/retrieval/submit\?key=\w{32}", form["action"])
        fields = [node["name"] for node in page.nodes if node["tag"] in ("input", "textarea")]
        assert fields == ["method", "links", "file"]


@pytest.mark.parametrize(("role", "word"), [(None, "Log in to submit."), ("lone", "Found one, or open an invitation.")])
def test_without_a_team_the_form_says_what_is_missing(board, role, word):
    with browser(board, role) as client:
        page = Page(client.get("/tasks/retrieval/submit").text)
        assert word in page.text
        assert page.all("form", id="upload") == []


def test_a_file_that_is_sent_without_scripts_leads_to_its_page(changing):
    with browser(changing, "blue") as client:
        action = Page(client.get("/tasks/retrieval/submit").text).one("form", id="upload")["action"]
        answer = client.post(action, data={"method": "by hand"}, files={"file": ("a.jsonl", b"{}\n")})
        assert answer.status_code == 303
        page = Page(client.get(answer.headers["location"]).text)
        assert "The file is stored and accepted." in page.text
        assert "by hand" in page.text


def test_an_invitation_names_the_team_to_those_who_have_its_link(changing):
    lasts = timedelta(days=1)
    secret = invite(
        changing.database, changing.teams["red"], account_id=changing.accounts["red"], lasts=lasts, actor=ADMIN
    )
    for role in (None, "lone"):
        with browser(changing, role) as client:
            assert "red" in Page(client.get(f"/team/join?invitation={secret}").text).text
            page = Page(client.get("/team/join?invitation=x").text)
            assert "is not valid any more" in page.text
            assert page.all("form") == []
    with browser(changing, "lone") as client:
        form = Page(client.get(f"/team/join?invitation={secret}").text).one("form")
        assert client.post(form["action"], data={"invitation": secret}).status_code == 303
        assert "is not valid any more" in Page(client.get(f"/team/join?invitation={secret}").text).text


def test_a_new_token_and_the_link_of_an_invitation_are_shown_once(changing):
    with browser(changing, "red") as client:
        page = Page(client.post("/account/tokens", data={"label": "script", "days": "90"}).text)
        secret = text_of(page.one("code", class_="secret"))
        assert secret not in client.get("/account").text
        page = Page(client.post("/team/invitations").text)
        assert text_of(page.one("code", class_="secret")).startswith("http://testserver/team/join?invitation=")


# Months, rules and data


def test_a_closed_month_shows_its_lists_and_every_revision(board):
    with browser(board) as client:
        page = Page(client.get("/tasks/retrieval/months/2026-11").text)
        assert "revision 1" in page.text
        assert text_of(page.all("table")[0]).count("60.00") == 2
        assert " ".join(HOSTILE.split()) in page.text
        first = Page(client.get("/tasks/retrieval/months/2026-11?revision=1").text)
        assert " ".join(HOSTILE.split()) + " 评" not in first.text
        assert client.get("/tasks/retrieval/months/2026-11?revision=3").status_code == 404
        assert "provisional" in page.text
        assert "running" in Page(client.get("/tasks/retrieval/months/2026-12").text).text


def test_the_rules_have_the_numbers_of_the_settings(board):
    with browser(board) as client:
        page = Page(client.get("/rules").text)
    assert "in the zone Asia/Shanghai (UTC+08:00)" in page.text
    assert "Each list has 8 winners" in page.text
    assert "For 10 days a record is provisional" in page.text
    row = next(text_of(node) for node in page.all("tr") if "Image retrieval" in text_of(node))
    assert re.search(r"\b3 15 – – 1 MB\b", row), row


def test_the_table_of_the_rules_agrees_with_the_rules_of_visibility():
    assert {"sha256", "account"} <= known_fields("submission")
    by_name = {title[0]: letters for title, letters in VISIBILITY}
    assert by_name["scores in full precision, seconds, addresses"] == "nny"
    assert by_name["references and scores of items"] == "nry"


def test_the_data_of_a_task_shows_rows_that_the_package_accepts(board):
    with browser(board) as client:
        page = Page(client.get("/tasks/retrieval/data").text)
    sample = text_of(page.all("pre")[0])
    assert json.loads(sample.partition("} {")[0] + "}")["item_ids"]
    assert "muge-fast check retrieval --submission pred.jsonl" in page.text
    assert "query_id integer text_id, image_id" in page.text


SCORERS = """
languages = ["en", "zh"]
prizes = 3
[tasks.caption]
gold = "gold.jsonl"
options = { tokenizer = "muge" }
[tasks.classification]
gold = "gold.jsonl"
references_public = true
[tasks.t2i]
gold = "gold.jsonl"
closes = 2026-11-01
[tasks.soon]
scorer = "caption"
gold = "gold.jsonl"
opens = 2027-01-01
limits = { valid_per_day = 0 }
"""


def test_every_task_of_the_package_has_its_pages(tmp_path):
    site = TestSite(tmp_path, settings=SCORERS)
    with browser(site, "red") as client:
        for slug in site.board.settings.tasks:
            for page in ("", "/data", "/submit", "/months"):
                assert Page(client.get(f"/tasks/{slug}{page}").text)
        assert "The task closed at 2026-11-01 00:00 (UTC+08:00)." in Page(client.get("/tasks/t2i/submit").text).text
        assert "Closed at 2026-11-01 00:00 (UTC+08:00)" in Page(client.get("/tasks/t2i").text).text
        assert "The task opens at 2027-01-01 00:00 (UTC+08:00)." in Page(client.get("/tasks/soon/submit").text).text
        assert "There is no limit." in Page(client.get("/tasks/soon/submit").text).text
        assert "FID ↓ lower is better" in Page(client.get("/tasks/t2i/data").text).text
        assert "tokenizer='muge'" in Page(client.get("/tasks/caption/data").text).text
        assert "References public" in Page(client.get("/tasks/classification/data").text).text
        assert "the best 3 of every task" in Page(client.get("/").text).text
    site.close()


# Organizers


def test_organizers_see_faults_and_try_them_again(changing):
    with browser(changing, "boss") as client:
        page = Page(client.get("/admin").text)
        (form,) = [node for node in page.all("form") if node["action"].endswith("/requeue")]
        assert client.post(form["action"]).headers["location"] == "/admin?done=requeued"
        assert "There are no faults." in Page(client.get("/admin").text).text


def test_the_preview_of_a_rejudge_set_shows_changed_ranks_and_asks_for_the_name(changing):
    while claim_of_the_set(changing):
        pass
    with browser(changing, "boss") as client:
        page = Page(client.get(f"/admin/rejudges/{changing.rejudge}").text)
        rows = [text_of(node) for node in page.all("tr")]
        assert "blue 1 2 60.00 61.00" in rows
        assert "red 1 1 60.00 62.00" in rows
        assert page.one("input", id="confirm")


def claim_of_the_set(board) -> bool:
    """Judge the next evaluation of the rejudge set: each team gets another number."""
    job = claim(board.database, "second")
    if job is None or job.evaluator == board.evaluators["retrieval"]:
        return job is not None
    numbers = {board.ids["red"]: 62.0, board.ids["blue"]: 61.0}
    scores = {"mean_recall": numbers.get(job.submission, 3.0) / 100}
    published = round(100 * scores["mean_recall"], 2)
    return finish(board.database, job, NewVerdict(True, {"problems": []}, scores, published, 0.1, "0.3.0"))


def test_the_audit_log_names_accounts_and_pages_backwards(board):
    with browser(board, "boss") as client:
        page = Page(client.get("/admin/audit").text)
        assert "rejudge.start" in page.text
        assert Page(client.get("/admin/audit?before=3").text).text.count("evaluator.add") == 1
        assert client.get("/admin/audit?before=%EF%BC%93").status_code == 200


# Languages


def test_a_chosen_language_is_kept(board):
    with browser(board, lang="fr") as client:
        assert Page(client.get("/").text).language == "en"
        link = Page(client.get("/").text).one("a", hreflang="zh-CN")["href"]
        assert Page(client.get(link).text).language == "zh-CN"
        assert Page(client.get("/rules").text).language == "zh-CN"


def test_errors_are_pages_in_the_language_of_the_reader(board):
    with browser(board, lang="zh") as client:
        answer = client.get("/nothing")
        assert answer.status_code == 404
        assert text_of(Page(answer.text).one("h1")) == "页面不存在"


def test_actors_of_the_audit_log_may_be_commands(changing):
    rule_out(changing.database, changing.ids["blue"], reason="x", actor=Actor(HOSTILE))
    with browser(changing, "boss") as client:
        assert " ".join(HOSTILE.split()) in Page(client.get("/admin/audit").text).text
