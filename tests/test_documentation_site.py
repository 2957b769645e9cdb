"""The site of the documentation: its reference has every public name; links, languages and pages in a browser.

`make docs-check` builds the site and runs this file with its folder as MUGE_FAST_SITE; without it, most is skipped.
"""

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from source_files import ROOT, read

DOCS, SITE = ROOT / "docs", Path(os.environ.get("MUGE_FAST_SITE", "no-site")).absolute()
CHROMIUM = Path("/usr/bin/chromium")
PAGES = sorted(str(path.relative_to(SITE)) for path in SITE.rglob("*.html"))
GENERATED = {"genindex.html", "py-modindex.html", "search.html"}

needs_site = pytest.mark.skipif(not (SITE / "index.html").exists(), reason="make docs-check builds the site")


class Page(HTMLParser):
    """The language, ids, links and loaded files of a page, and the links of its list of public names."""

    def __init__(self, name):
        super().__init__()
        self.language, self.ids, self.links, self.loaded = "", set(), [], []
        self.feed(read(SITE / name))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "html":
            self.language = values["lang"]
        if "id" in values:
            self.ids.add(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag in ("script", "img", "source", "iframe") and "src" in values:
            self.loaded.append(values["src"])
        if tag == "link" and values.get("rel") not in ("index", "search", "next", "prev", "canonical"):
            self.loaded.append(values["href"])


@pytest.fixture(scope="module")
def pages():
    return {name: Page(name) for name in PAGES}


def test_pages_of_the_reference_are_about_one_module_each_and_in_its_contents():
    listed = re.findall(r"^## `([\w.]+)`", read(DOCS / "api.md"), re.MULTILINE)
    pages = [path for path in (DOCS / "reference").glob("*.md") if path.stem != "index"]
    found = [re.findall(r"^\.\. public-names:: (\S+)$", read(path), re.MULTILINE) for path in pages]
    assert [names for names in found if len(names) != 1 or names[0] not in listed] == []
    contents = read(DOCS / "reference" / "index.md")
    assert ".. public-names:: others\n" in contents
    assert [path.stem for path in pages if f"\n{path.stem}\n" not in contents] == []


@needs_site
def test_the_site_is_that_of_these_documents():
    documents = {str(path.relative_to(DOCS).with_suffix(".html")) for path in DOCS.rglob("*.md")}
    assert documents == set(PAGES) - GENERATED


@needs_site
def test_each_public_name_is_a_link_to_its_documentation(pages):
    linked = [urlsplit(link) for link in pages["api.html"].links if link.startswith("reference/")]
    documented = {link.fragment.rpartition(".")[2] for link in linked if link.fragment in pages[link.path].ids}
    names = re.findall(r"^\| `(\w+)` \|", read(DOCS / "api.md"), re.MULTILINE)
    assert len(names) > 140
    assert set(names) - documented == set()


@needs_site
@pytest.mark.parametrize("name", PAGES)
def test_links_have_targets_and_nothing_is_loaded_from_elsewhere(pages, name):
    broken = []
    for link in pages[name].links + pages[name].loaded:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (SITE / name).parent / unquote(parts.path) if parts.path else SITE / name
        page = pages.get(str(target.resolve().relative_to(SITE.resolve())))
        if not target.exists() or (page and parts.fragment and unquote(parts.fragment) not in page.ids):
            broken.append(link)
    assert broken == []
    assert [address for address in pages[name].loaded if urlsplit(address).netloc] == []


@needs_site
def test_pages_have_the_language_of_their_text(pages):
    for name, page in pages.items():
        assert page.language == ("zh-CN" if name.startswith("zh/") else "en"), name


# In a browser


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    if not CHROMIUM.exists():
        pytest.skip(f"the browser tests need {CHROMIUM}")
    with playwright.sync_playwright() as running:
        # Containers have no room for the sandbox and little shared memory.
        options = ["--no-sandbox", "--disable-dev-shm-usage", "--allow-file-access-from-files"]
        opened = running.chromium.launch(executable_path=str(CHROMIUM), args=options)
        yield opened
        opened.close()


LOOKS = [(390, "light"), (1280, "dark")]


@needs_site
@pytest.mark.parametrize("part", range(4))
def test_nothing_is_wider_than_the_screen(chromium, part):
    # Each page is loaded once, as most of the time goes into that, and pages are divided among processes.
    context = chromium.new_context(viewport={"width": LOOKS[0][0], "height": 844}, color_scheme=LOOKS[0][1])
    page, requested, wide = context.new_page(), [], []
    page.on("request", lambda request: requested.append(request.url))
    for name in PAGES[part::4]:
        page.goto((SITE / name).as_uri(), wait_until="domcontentloaded")
        for width, scheme in LOOKS:
            page.set_viewport_size({"width": width, "height": 844})
            page.emulate_media(color_scheme=scheme)
            shown = page.evaluate("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]")
            assert shown == [width, scheme == "dark"]
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            wide += [(name, width, over)] * (over > 0)
    context.close()
    assert wide == []
    assert [address for address in requested if not address.startswith(("file:", "data:"))] == []


@needs_site
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(chromium, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page, found = context.new_page(), []
    chosen = ["index.html", "metrics/cider-d.html", "metrics/index.html", "reference/scores.html", "file-formats.html"]
    for name in [*chosen, *[name for name in PAGES if name.startswith("zh/")][:1]]:
        page.goto((SITE / name).as_uri())
        faults = [fault for fault in axe.run(page).response["violations"] if fault["impact"] in ("serious", "critical")]
        found += [(name, fault["id"], [node["html"][:120] for node in fault["nodes"][:3]]) for fault in faults]
    context.close()
    assert found == []


@needs_site
def test_formulas_are_shown_by_the_browser_itself(chromium):
    page = chromium.new_page()
    page.goto((SITE / "metrics" / "cider-d.html").as_uri())
    heights = page.eval_on_selector_all(".formula mfrac", "all => all.map(one => one.getBoundingClientRect().height)")
    assert len(heights) >= 4
    assert min(heights) > 15  # A numerator above a denominator, here within an exponent.
    assert max(heights) > 35
    page.close()


# Queries, and a page that each must find.
SEARCHES = {
    "召回率": "metrics/recall.html",
    "交叉": "zh/captions.html",
    "交叉熵训练": "zh/captions.html",
    "怎么安装": "zh/index.html",
    "弗雷歇距离": "metrics/fid.html",
    "归一化折损累计增益": "metrics/ranking.html",
    "Recall@K 召回率": "metrics/recall.html",
    "rankings": "metrics/ranking.html",
}


@needs_site
@pytest.mark.parametrize("width", [390, 1280])
def test_the_search_finds_chinese_and_english_words(chromium, width):
    page, faults = chromium.new_page(viewport={"width": width, "height": 844}), []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    for query, expected in SEARCHES.items():
        page.goto((SITE / "index.html").as_uri())
        if width < 500:
            page.locator(".mobile-header label[for=__navigation]").click()
        page.locator(".sidebar-search").fill(query)
        page.locator(".sidebar-search").press("Enter")
        page.wait_for_function("document.querySelector('.search-summary')?.textContent.match(/found|did not/)")
        found = page.eval_on_selector_all("#search-results li > a", "all => all.map(a => a.getAttribute('href'))")
        assert expected in [urlsplit(link).path for link in found], (query, found)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, query
    page.close()
    assert faults == []


def test_chinese_text_has_the_terms_of_its_parts(monkeypatch):
    pytest.importorskip("sphinx", reason="make docs installs Sphinx")
    monkeypatch.syspath_prepend(DOCS / "extensions")
    from chinese_search import EnglishAndChinese  # noqa: PLC0415 - needs Sphinx

    language = EnglishAndChinese({})
    assert language.split("Recall@10（召回率）不低于K值") == [
        *["Recall", "10", "召", "回", "率", "召回", "回率"],
        *["不", "低", "于", "不低", "低于", "K", "值"],
    ]
    assert language.split("𠮷野家") == ["𠮷", "野", "家", "𠮷野", "野家"]
    assert not language.word_filter("什么")
    assert language.word_filter("召回")
