"""Pages of the leaderboard in Chromium: with and without scripts, wide and narrow, light and dark, and by axe-core."""

import shutil
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("playwright", reason="the browser tests need playwright: it is in the group test")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from leaderboard_boards import valid
from leaderboard_pages import filled_site
from leaderboard_sites import PASSWORD, serving
from muge_fast.leaderboard.store.accounts import start_session
from muge_fast.leaderboard.store.queue import claim, finish
from muge_fast.leaderboard.web.app import app_of
from muge_fast.leaderboard.web.cookies import session_name
from muge_fast.leaderboard.web.pages import PAGES
from muge_fast.leaderboard.web.site import Site, WebOptions

CHROMIUM = "/usr/bin/chromium"
pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"the browser tests need {CHROMIUM}")

NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
# What depends on colors and widths.
LOOK = {"type": "rule", "values": ["color-contrast", "link-in-text-block", "scrollable-region-focusable"]}
COLORFUL = {"/", "/tasks/retrieval", "/tasks/retrieval/submit", "/rules", "/team", "/account", "/admin", "/admin/audit"}
ACCEPTED = {"minor", "moderate"}
SECONDS = 1000


@pytest.fixture(scope="module")
def site(tmp_path_factory, sqlite_template):
    folder = tmp_path_factory.mktemp("board")
    shutil.copy(sqlite_template, folder / "board.sqlite")
    opened = filled_site(folder)
    opened.web = Site(opened.board, WebOptions(limit_floods=False))
    # Intervals and the best numbers over time are there before the first page.
    for slug in opened.board.settings.tasks:
        opened.web.standings.complete(slug)
    with serving(app_of(opened.web, PAGES)) as port:
        opened.address = f"http://127.0.0.1:{port}"
        yield opened
    opened.close()


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        # Containers have no room for the sandbox and little shared memory.
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield opened
        opened.close()


@contextmanager
def page_of(chromium, site, role=None, *, lang="en", status=None, **options):
    """Yield a page of a new context, logged in; requests to other hosts and messages of the console are errors.

    A status that a test expects is a message as well, and not an error.
    """
    locale = {"en": "en-US", "zh": "zh-CN"}[lang]
    context = chromium.new_context(base_url=site.address, locale=locale, **{"viewport": WIDE, **options})
    if role is not None:
        secret = start_session(site.database, site.accounts[role], lasts=timedelta(days=1))
        context.add_cookies([{"name": session_name(site.web), "value": secret, "url": site.address}])
    page = context.new_page()
    page.set_default_timeout(20 * SECONDS)
    faults = []
    own = urlsplit(site.address).netloc
    page.on("request", lambda request: urlsplit(request.url).netloc == own or faults.append(request.url))
    page.on("console", lambda message: message.type in ("error", "warning") and faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert [fault for fault in faults if f"status of {status}" not in fault] == []


def paths(site) -> list[tuple[str | None, str]]:
    """Return the address of every page with a role that may open it."""
    values = {"task": "retrieval", "month": "2026-11", "team": site.teams["red"], "rejudge": site.rejudge}
    roles = {"everyone": None, "account": "red", "organizer": "boss"}
    found = [(roles[page.access], page.path.format(**values, submission=site.ids["red"])) for page in PAGES.table]
    found += [("red", f"/submissions/{site.ids[state]}") for state in ("red", "invalid", "faulted", "queued")]
    return [*found, ("red", "/tasks/retrieval/submit"), ("red", f"/teams/{site.teams['red']}"), ("lone", "/team")]


LOOKS = {
    "zh-wide-light": ({"lang": "zh", "viewport": WIDE, "color_scheme": "light"}, EVERYTHING),
    "en-narrow-dark": ({"lang": "en", "viewport": NARROW, "color_scheme": "dark"}, LOOK),
}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_no_serious_fault_and_nothing_is_wider_than_the_screen(chromium, site, look):
    options, rules = LOOKS[look]
    axe, found = Axe(), []
    for role in (None, "lone", "red", "boss"):
        with page_of(chromium, site, role, **options) as page:
            for path in [path for one, path in paths(site) if one == role]:
                page.goto(path)
                if rules is EVERYTHING or path in COLORFUL:
                    found += [(path, *fault) for fault in faults_of(axe, page, rules)]
                wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert wider == 0, path
    assert found == []


def faults_of(axe, page, rules) -> list[tuple[str, str]]:
    """Return the name and the first element of each fault that is at least serious.

    Frames are left out: axe sends them messages, and where Chromium runs out of processes, the frame of a report shares
    that of its page and answers with a message of the console.
    """
    options = {"runOnly": rules, "resultTypes": ["violations"], "iframes": False}
    violations = axe.run(page, options=options).response["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in violations if one["impact"] not in ACCEPTED]


def test_a_file_is_sent_with_progress_and_its_page_follows_the_evaluation(chromium, site):
    with page_of(chromium, site, "blue") as page:
        page.goto("/tasks/retrieval/submit")
        page.get_by_label("Method").fill("sent by a script")
        page.get_by_label("File").set_input_files({"name": "a.jsonl", "mimeType": "", "buffer": b"{}\n"})
        expect(page.locator("#chosen")).to_have_text("a.jsonl · 0.00 MB")
        page.get_by_role("button", name="Submit").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("queued")
        expect(page.get_by_text("sent by a script")).to_be_visible()
        judge(site, page, 33.0)
        expect(page.get_by_role("heading", level=1)).to_contain_text("scored")
        expect(page.locator(".main-score")).to_have_text("33.00")


def judge(site, page, published: float) -> None:
    """Judge the submission of a page, and those that come before it."""
    submission = urlsplit(page.url).path.rpartition("/")[2]
    while (job := claim(site.database, "worker")).submission != submission:
        assert finish(site.database, job, valid(1.0))
    assert finish(site.database, job, valid(published))


def test_a_file_that_is_dropped_is_chosen_and_one_that_is_too_large_is_refused_before_it_is_sent(chromium, site):
    drop = """([size]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(size)], "dropped.jsonl"));
        document.querySelector(".drop").dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
    }"""
    with page_of(chromium, site, "blue") as page:
        page.goto("/tasks/retrieval/submit")
        page.evaluate(drop, [500_000])
        expect(page.locator("#chosen")).to_have_text("dropped.jsonl · 0.50 MB")
        assert page.evaluate("document.getElementById('file').checkValidity()")
        page.evaluate(drop, [2_000_000])
        assert not page.evaluate("document.getElementById('file').checkValidity()")
        assert page.evaluate("document.getElementById('file').validationMessage") == "The file is larger than 1 MB."


def test_a_refusal_is_shown_next_to_the_progress(chromium, site):
    with page_of(chromium, site, "red", status=422) as page:
        page.goto("/tasks/hidden/submit")
        page.get_by_label("Links").fill("not a link")
        page.get_by_label("File").set_input_files({"name": "a.jsonl", "mimeType": "", "buffer": b"{}\n"})
        with page.expect_response(lambda answer: answer.status == 422):
            page.get_by_role("button", name="Submit").click()
        expect(page.locator("#progress p")).to_contain_text("is not a link: begin with https://")
        expect(page.get_by_role("button", name="Submit")).to_be_enabled()


def test_everything_works_without_scripts(chromium, site):
    with page_of(chromium, site, "green", lang="zh", java_script_enabled=False) as page:
        page.goto("/tasks/retrieval")
        expect(page.locator("table.board tbody tr")).to_have_count(3)
        page.goto("/tasks/retrieval/submit")
        page.get_by_label("方法").fill("没有脚本")
        page.get_by_label("文件").set_input_files({"name": "a.jsonl", "mimeType": "", "buffer": b"{}\n"})
        page.get_by_role("button", name="提交").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("排队中")
        judge(site, page, 44.0)
        # The page loads itself again.
        expect(page.locator(".main-score")).to_have_text("44.00")
        page.get_by_role("button", name="从榜单撤下").click()
        expect(page.get_by_role("status")).to_have_text("已从榜单撤下。")


def test_one_logs_in_and_lands_on_the_page_that_needed_it(chromium, site):
    site.add_account("visitor", password=PASSWORD)
    with page_of(chromium, site) as page:
        page.goto("/account")
        page.get_by_label("Name").fill("visitor")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Account")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("link", name="Log in")).to_be_visible()


def test_the_report_is_visible_in_its_frame(chromium, site):
    with page_of(chromium, site, "red", lang="zh") as page:
        page.goto(f"/submissions/{site.ids['red']}")
        expect(page.frame_locator("iframe").get_by_text("zh")).to_be_visible()


def test_a_reader_jumps_to_the_content_by_keyboard(chromium, site):
    with page_of(chromium, site) as page:
        page.goto("/tasks/retrieval")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
