"""An export needs no server, shows what visitors may see, and hides the rest."""

import json
import posixpath
import re
from contextlib import closing
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from leaderboard_boards import ADMIN, Clock, admit_all
from leaderboard_sites import GOLD_TEXT, TestSite
from muge_fast.leaderboard.operations import export_static as module
from muge_fast.leaderboard.operations.export_static import export_static
from muge_fast.leaderboard.operations.messages import OperationError
from muge_fast.leaderboard.operations.static_links import Place, links_of, place_of, rewrite
from muge_fast.leaderboard.store.submissions import NewSubmission, accept, withdraw


def send(site, account: str, task: str, content: bytes, *, published: float | None = 80.0, method: str = "") -> str:
    stored = site.board.blobs.put([content])
    new = NewSubmission(task, site.accounts[account], stored.sha256, stored.size, content.decode(), method)
    accept(site.database, new, admit=admit_all)
    report = {"problems": [{"code": "x", "count": 1, "message_en": "own error", "message_zh": "自己的错误"}]}
    return site.judge(published=published, report=report if published is None else None)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Export a board with an open and an anonymous task."""
    folder = tmp_path_factory.mktemp("site")
    with closing(TestSite(folder, clock=Clock())) as site:
        site.ids = {
            "best": send(site, "red", "retrieval", b"one", method="<b>CLIP</b> & 红"),
            "worse": send(site, "red", "retrieval", b"two", published=70.0),
            "invalid": send(site, "blue", "retrieval", b"three", published=None),
            "hidden": send(site, "blue", "hidden", b"four"),
            "withdrawn": send(site, "blue", "retrieval", b"five", published=99.0),
        }
        withdraw(site.database, site.ids["withdrawn"], actor=ADMIN)
        site.target = tmp_path_factory.mktemp("out") / "export"
        site.summary = export_static(site.board, site.target)
        yield site


def pages(site) -> dict[str, str]:
    return {path.relative_to(site.target).as_posix(): path.read_text("utf-8") for path in site.target.rglob("*.html")}


class Tags(HTMLParser):
    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags, self.links = set(), []
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in {"href", "src", "action"}]


def test_every_link_leads_to_a_file_of_the_export_or_to_another_site(exported):
    found = 0
    for name, content in pages(exported).items():
        for link in Tags(content).links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme in {"http", "https"}
                continue
            assert not link.startswith("/"), (name, link)
            path = posixpath.normpath(
                posixpath.join(posixpath.dirname(name), unquote(parts.path) or posixpath.basename(name))
            )
            assert (exported.target / path).is_file(), (name, link)
            found += 1
    assert found > 50


def test_nothing_needs_a_server(exported):
    for name, content in pages(exported).items():
        assert not Tags(content).tags & {"script", "form", "input", "button", "iframe"}, name
        assert "/login" not in content


def test_both_languages_have_the_same_pages(exported):
    names = {name.partition("/")[0]: set() for name in pages(exported)}
    for name in pages(exported):
        lang, _, rest = name.partition("/")
        names[lang].add(rest)
    assert names["en"] == names["zh"]
    assert {"index.html", "tasks/retrieval.html", "tasks/hidden.html", "rules.html"} <= names["en"]
    assert 'lang="zh' in (exported.target / "zh" / "index.html").read_text("utf-8")
    # A page leads to the same page in the other language.
    assert 'href="../../zh/tasks/retrieval.html"' in (exported.target / "en" / "tasks" / "retrieval.html").read_text(
        "utf-8"
    )


def test_boards_are_there_as_json_and_csv(exported):
    board = json.loads((exported.target / "data" / "tasks" / "retrieval" / "board.json").read_text("utf-8"))
    assert [(row["rank"], row["team"], row["published"]) for row in board["rows"]] == [(1, "red", 80.0)]
    assert (exported.target / "data" / "tasks" / "retrieval" / "board.csv").read_text("utf-8-sig").count("\n") == 2
    months = list((exported.target / "data" / "tasks" / "retrieval" / "months").iterdir())
    assert [path.name for path in months] == ["2026-11.json"]


def test_nothing_hidden_is_in_any_file(exported):
    hidden = [GOLD_TEXT, "own error", "自己的错误", exported.ids["invalid"], exported.ids["withdrawn"]]
    hidden += [*exported.tokens.values(), "item_scores", exported.database.engine.url.database]
    for path in exported.target.rglob("*"):
        if path.is_file():
            content = path.read_text("utf-8")
            assert [text for text in hidden if text in content] == [], path
    anonymous = (exported.target / "en" / "tasks" / "hidden.html").read_text("utf-8")
    assert "alias of blue" in anonymous
    assert ">blue<" not in anonymous


def test_names_and_methods_stay_escaped(exported):
    content = (exported.target / "en" / "tasks" / "retrieval.html").read_text("utf-8")
    assert "&lt;b&gt;CLIP&lt;/b&gt; &amp; 红" in content
    assert "<b>CLIP" not in content


def test_the_summary_counts_what_was_written(exported):
    files = [path for path in exported.target.rglob("*") if path.is_file()]
    assert exported.summary == (len(files), sum(path.stat().st_size for path in files))
    note = json.loads((exported.target / "export.json").read_text("utf-8"))
    assert {path.relative_to(exported.target).as_posix() for path in files} == {*note["files"], "export.json"}
    assert "url=en/index.html" in (exported.target / "index.html").read_text("utf-8")


def test_an_earlier_export_is_replaced_and_nothing_else(exported, tmp_path):
    old = exported.target / "en" / "gone.html"
    old.write_text("x")
    assert export_static(exported.board, exported.target).files == exported.summary.files
    assert not old.exists()
    assert [path.name for path in exported.target.parent.iterdir()] == ["export"]
    (tmp_path / "letter.txt").write_text("x")
    with pytest.raises(OperationError, match="neither empty nor an earlier export"):
        export_static(exported.board, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_an_export_that_fails_leaves_the_earlier_one(exported, monkeypatch):
    before = pages(exported)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_index", fail)
    with pytest.raises(OSError, match="No space"):
        export_static(exported.board, exported.target)
    assert pages(exported) == before
    assert [path.name for path in exported.target.parent.iterdir()] == ["export"]


# Links


PAGE = Place("/tasks/retrieval/months/2026-11", "zh")


@pytest.mark.parametrize(
    ("link", "path", "lang"),
    [
        ("/", "/", "zh"),
        ("/tasks/a?lang=en", "/tasks/a", "en"),
        ("/tasks/a?month=2026-10&lang=en", "/tasks/a?month=2026-10", "en"),
        ("?lang=en", "/tasks/retrieval/months/2026-11", "en"),
        ("2026-10", "/tasks/retrieval/months/2026-10", "zh"),
        ("#top", "/tasks/retrieval/months/2026-11", "zh"),
        ("/static/site.css?v=1", "/static/site.css", ""),
        ("/api/v1/tasks/a/board.csv?month=2026-10", "/api/v1/tasks/a/board.csv?month=2026-10", ""),
    ],
)
def test_links_lead_to_places(link, path, lang):
    place, _ = place_of(link, PAGE)
    assert place == (path, lang)


def test_links_to_other_sites_stay():
    assert place_of("https://a.example/x", PAGE) is None
    assert place_of("//a.example/x", PAGE) is None
    assert place_of("mailto:a@b.example", PAGE) is None


@pytest.mark.parametrize(
    ("path", "lang", "file"),
    [
        ("/", "zh", "zh/index.html"),
        ("/tasks/a", "en", "en/tasks/a.html"),
        ("/tasks/a?month=2026-10", "en", "en/tasks/a.month=2026-10.html"),
        ("/api/v1/tasks/a/board.csv", "", "data/tasks/a/board.csv"),
        ("/api/v1/tasks/a/board?month=2026-10", "", "data/tasks/a/board.month=2026-10.json"),
        ("/static/site.css", "", "static/site.css"),
        ("/../../etc/passwd", "en", "en/_/_/etc/passwd.html"),
        ("/a/%2e%2e/b", "en", "en/a/_2e_2e/b.html"),
    ],
)
def test_files_of_places_stay_in_the_folder(path, lang, file):
    assert Place(path, lang).file == file


def test_what_needs_a_server_is_left_out_with_its_text():
    content = (
        '<!DOCTYPE html><p>a &amp; b&#8209;c</p><form action="/x"><input name="a"><p>gone</p></form>'
        '<script>if (a < b) {}</script><a href="/login">log in</a><a href="/lost">kept</a>'
        "<a class='x' href='/there?lang=en#end'>there</a><br/><img src=\"/static/i.svg\"/>"
    )
    places = {
        Place("/there", "en"): "en/there.html",
        Place("/static/i.svg", ""): "static/i.svg",
        Place("/lost", "zh"): "",
    }
    made = rewrite(content, Place("/a/b", "zh"), places.get)
    assert made == (
        "<!DOCTYPE html><p>a &amp; b&#8209;c</p><a>kept</a>"
        '<a class=\'x\' href="../../en/there.html#end">there</a><br/><img src="../../static/i.svg"/>'
    )
    assert "/x" not in list(links_of(content))
    assert not re.search("log in|gone", made)
