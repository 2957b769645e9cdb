"""The pages of the leaderboard for tests: a filled site, and a reader that checks what each must keep to."""

import re
from contextlib import contextmanager
from datetime import timedelta
from html.parser import HTMLParser

from starlette.testclient import TestClient

import muge_fast as mf
from leaderboard_boards import ADMIN, admit_all
from leaderboard_sites import TestSite
from muge_fast.leaderboard.rules.calendar_months import Month
from muge_fast.leaderboard.standings.item_rows import write_item_rows
from muge_fast.leaderboard.standings.month_records import close_month, revise_month
from muge_fast.leaderboard.store.accounts import start_session
from muge_fast.leaderboard.store.queue import claim, finish, report_fault
from muge_fast.leaderboard.store.rejudge import start_rejudge
from muge_fast.leaderboard.store.schema import team as team_table
from muge_fast.leaderboard.store.submissions import NewSubmission, accept, add_blob, rule_out, withdraw
from muge_fast.leaderboard.store.tasks import NewEvaluator, add_evaluator
from muge_fast.leaderboard.store.verdicts import NewVerdict
from muge_fast.leaderboard.web.app import app_of
from muge_fast.leaderboard.web.cookies import session_name
from muge_fast.leaderboard.web.pages import PAGES
from muge_fast.leaderboard.web.site import Site, WebOptions

HOSTILE = '<img src=x onerror="alert(1)">&amp;\u202e=1+1'
PROBLEM = {
    "code": "wrong_count",
    "field": "item_ids",
    "count": 1,
    "line": 17,
    "id": 3,
    "excerpt": '{"query_id": 3, "item_ids": [<b>1</b>]}',
    "message_en": "line 17: query_id 3 has 1 item_ids, needs exactly 10",
    "message_zh": "第 17 行：query_id 3 有 1 个 item_ids，应恰好为 10 个",
}
# What a score has beyond the published digits.
BEYOND = 1e-6
VOID = {"meta", "link", "input", "img", "br"}
INLINE = {"a", "b", "bdi", "span", "code", "time", "small"}
FIELDS = {"input", "textarea", "select"}
REFERENCES = ("aria-describedby", "aria-labelledby", "for")


@contextmanager
def browser(site, name: str | None = None, *, lang: str = "en", **options):
    """Yield a client of the pages, logged in as an account of a test site; the web site is its attribute ``web``."""
    web = Site(site.board, WebOptions(**options))
    with TestClient(app_of(web, PAGES), follow_redirects=False) as client:
        client.headers["Accept-Language"] = lang
        client.web = web
        if name is not None:
            secret = start_session(site.database, site.accounts[name], lasts=timedelta(days=1))
            client.cookies.set(session_name(web), secret)
        yield client


class Page(HTMLParser):
    """A page of the site: balanced, labelled, nothing inline, nothing of other sites.

    Args:
        html: The HTML.

    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.nodes, self.texts, self.language = [], [], [], ""
        self.feed(html)
        self.close()
        assert self.open == []
        self.check()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        assert len(values) == len(attributes), attributes
        assert not [name for name in values if name == "style" or name.startswith("on")], attributes
        assert tag not in ("style", "base", "object", "embed")
        if tag == "br":
            self.handle_data(" ")
        self.nodes.append({"tag": tag, "parents": tuple(self.open), "text": [], **values})
        if tag not in VOID:
            self.open.append(tag)
            self.texts.append(self.nodes[-1]["text"])

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.texts.pop()
        if tag not in INLINE:
            for text in self.texts:
                text.append(" ")

    def handle_data(self, data):
        assert self.open[-1:] != ["script"], "a script is a file"
        for text in self.texts:
            text.append(data)

    def all(self, tag: str, **values: str) -> list[dict]:
        """Return the elements with a tag and attributes; a class counts if it is one of several."""
        return [node for node in self.nodes if node["tag"] == tag and all(has(node, *one) for one in values.items())]

    def one(self, tag: str, **values: str) -> dict:
        (found,) = self.all(tag, **values)
        return found

    @property
    def text(self) -> str:
        return text_of(self.one("body"))

    def check(self) -> None:
        (html,) = self.all("html")
        self.language = html["lang"]
        titles = [node for node in self.all("title") if "head" in node["parents"]]
        assert len(self.all("h1")) == len(titles) == len(self.all("main")) == 1
        ids = [node["id"] for node in self.nodes if "id" in node]
        assert len(ids) == len(set(ids)), ids
        for node in self.nodes:
            for name in REFERENCES:
                assert set(node.get(name, "").split()) <= set(ids), node
            for name in ("href", "src", "action"):
                self.check_address(node, name)
        labelled = {node["for"] for node in self.all("label") if "for" in node}
        for node in self.nodes:
            if node["tag"] in FIELDS and node.get("type") != "hidden":
                assert node.get("id") in labelled or "label" in node["parents"], node
            if node["tag"] == "form":
                assert node["method"] == "post"
            if node["tag"] == "table":
                assert "scope" in self.nodes[self.nodes.index(node) + 4] or self.all("caption")

    def check_address(self, node: dict, name: str) -> None:
        address = node.get(name, "/")
        if address.startswith(("http://", "https://")):
            assert (node["tag"], name) == ("a", "href")
            assert node["rel"] == "nofollow ugc noopener"
        else:
            assert re.match(r"[/#?](?!/)", address), node


def has(node: dict, name: str, value: str) -> bool:
    name = name.rstrip("_").replace("_", "-")
    return value in node.get(name, "").split() if name == "class" else node.get(name) == value


def text_of(node: dict) -> str:
    return " ".join("".join(node["text"]).split())


def filled_site(folder):
    """Return a site with submissions in every state, a closed month with a revision, and an open rejudge set."""
    site = TestSite(folder)
    site.add_account("lone")
    site.add_team("green")
    with site.database.write() as connection:
        connection.execute(team_table.update().where(team_table.c.id == site.teams["green"]).values(name=HOSTILE))
    site.ids = {}
    for name, hits in (("red", range(30)), ("blue", range(20, 50)), ("green", range(5, 33))):
        site.ids[name] = send(site, name)
        judge_by_items(site, hits)
        site.clock.advance(minutes=1)
    send(site, "red", task="hidden", method="secret method")
    site.judge(published=70.0)
    site.clock.advance(days=10)
    for slug in ("retrieval", "hidden"):
        close_month(site.board, slug, Month(2026, 11), actor=ADMIN)
    revise_month(site.board, "retrieval", Month(2026, 11), reason=HOSTILE, actor=ADMIN)
    # A month lists a submission that the board of all time does not.
    site.ids["better"] = send(site, "green")
    judge_by_items(site, range(5, 34))
    make_states(site)
    new = NewEvaluator("b" * 64, "0.3.0", {}, "muge")
    second = add_evaluator(site.database, "retrieval", new, actor=ADMIN)
    site.rejudge = start_rejudge(site.database, "retrieval", to_evaluator=second, reason=HOSTILE, actor=ADMIN)
    return site


def judge_by_items(site, hits) -> None:
    """Judge the next submission by 50 items, with the file that intervals are made from."""
    found = {item: [item if item in hits else -1] for item in range(50)}
    scores = mf.score_retrieval(found, {item: [item] for item in range(50)}, ks=[1])
    stored = site.board.blobs.put([write_item_rows(scores, "mean_recall")])
    with site.database.write() as connection:
        add_blob(connection, stored.sha256, stored.size, site.clock.now)
    values, published = {"mean_recall": scores["mean_recall"].value + BEYOND}, 2.0 * len(hits)
    page = {lang: scores_page(lang) for lang in ("en", "zh")}
    verdict = NewVerdict(True, {"problems": [], "page": page}, values, published, 0.1, "0.2.0", stored.sha256)
    assert finish(site.database, claim(site.database, "worker"), verdict)


def scores_page(lang: str) -> str:
    return f'<!doctype html><html lang="{lang}"><title>report</title><style>p {{ color: gray }}</style><p>{lang}</p>'


def make_states(site) -> None:
    site.ids["invalid"] = send(site, "red")
    site.judge(published=None, report={"problem_count": 1, "problems": [PROBLEM], "is_cut": False})
    site.ids["faulted"] = send(site, "red")
    for _ in range(3):
        site.clock.advance(minutes=5)
        job = claim(site.database, "worker")
        assert job.submission == site.ids["faulted"]
        report_fault(site.database, job, HOSTILE)
    site.ids["withdrawn"] = send(site, "red")
    site.judge(published=1.0)
    withdraw(site.database, site.ids["withdrawn"], actor=ADMIN)
    site.ids["ruled_out"] = send(site, "red")
    site.judge(published=2.0)
    rule_out(site.database, site.ids["ruled_out"], reason=HOSTILE, actor=ADMIN)
    site.ids["running"] = send(site, "red")
    claim(site.database, "worker")
    site.ids["queued"] = send(site, "red")


def send(site, name: str, task: str = "retrieval", method: str = "", content: bytes | None = None) -> str:
    key = f"{name} {site.clock.now} {task} {len(site.ids) if hasattr(site, 'ids') else 0}"
    stored = site.board.blobs.put([content or key.encode()])
    new = NewSubmission(task, site.accounts[name], stored.sha256, stored.size, key, method or HOSTILE, LINKS)
    return accept(site.database, new, admit=admit_all).submission


LINKS = ("https://example.org/a?b=<c>", "javascript:alert(1)")
