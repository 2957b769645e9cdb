"""Pages of reports: structure, hostile text, repeated bytes, what was scored, problems and checks."""

import hashlib
import json
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest

import muge_fast as mf
from muge_fast._internal.file_kinds import MESSAGES as FILE_KINDS
from muge_fast.datasets import ImageTsv
from muge_fast.datasets.problems import MESSAGES
from muge_fast.evaluation.report_page import items
from muge_fast.evaluation.report_page.problem_kinds import problem_hint, problem_title
from muge_fast.evaluation.report_page.words import WORDS
from pages import Page
from source_files import PACKAGE, PYTHON, read

SAMPLES = Path(mf.__file__).parent / "samples"
FILES = {
    "caption": ("IC_sample.jsonl", "IC_sample.pred.base.jsonl"),
    "retrieval": ("MR_sample_queries.jsonl", "MR_sample.pred.base.jsonl"),
    "classification": ("CC_sample.jsonl", "CC_sample.pred.base.jsonl"),
}
HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<!--<script>",
    "&lt;b&gt; & ' \" `",
    "\u202e]]>\u2028\x00\x1b[31m",
    "</title></style><svg onload=alert(1)>",
]


def sample(task, **options):
    gold, submission = (SAMPLES / task / name for name in FILES[task])
    return mf.evaluate(task, gold, submission, **options)


def write(path, rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("task", FILES)
def test_pages_of_every_task_are_well_formed_and_load_nothing(task, lang):
    html = sample(task, lang=lang).to_html()
    page = Page(html)
    assert page.select("html")[0]["attributes"]["lang"] == {"en": "en", "zh": "zh-CN"}[lang]
    assert "://" not in html
    assert html.count("<script") == 2
    ids = [node["attributes"]["id"] for node in page.nodes if "id" in node["attributes"]]
    assert len(ids) == len(set(ids))
    assert set(page.links) <= set(ids)
    assert len(page.select("article")) == 64


def test_the_same_input_gives_the_same_bytes_and_times_are_shown_on_request_only():
    first, second = sample("caption"), sample("caption")
    assert first.seconds != second.seconds
    assert first.to_html() == second.to_html()
    assert first.to_html(seconds=True) != first.to_html()
    assert "2026-01-31" in Page(first.to_html(date="2026-01-31")).text
    assert re.search(r"\b20\d\d-", Page(first.to_html()).text) is None


# Hostile text


def hostile_report(task, folder):
    """Evaluate a submission whose ids, texts and file name are markup."""
    if task == "caption":
        gold = [{"image_id": text, "text": [text, "裙"]} for text in HOSTILE]
        rows = [{"image_id": text, "text": text + "裙"} for text in HOSTILE]
    elif task == "retrieval":
        gold = [{"query_id": key, "query_text": text, "item_ids": [key]} for key, text in enumerate(HOSTILE)]
        rows = [{"query_id": key, "item_ids": list(range(10))} for key in range(len(HOSTILE))]
    else:
        gold = [{"image_id": text, "label": text} for text in HOSTILE]
        rows = [{"image_id": text, "label": HOSTILE[0]} for text in HOSTILE]
    name = "<img src=x onerror=alert(1)>&amp;.jsonl"
    return mf.evaluate(task, write(folder / "gold.jsonl", gold), write(folder / name, rows))


@pytest.mark.parametrize("is_static", [True, False])
@pytest.mark.parametrize("task", FILES)
def test_hostile_text_stays_text(task, is_static, tmp_path, monkeypatch):
    if not is_static:
        monkeypatch.setattr(items, "STATIC_ITEMS", 2)
        monkeypatch.setattr(items, "EXTREMES", 1)
    report = replace(hostile_report(task, tmp_path), warnings=HOSTILE)
    page = Page(report.to_html(date=HOSTILE[0]))
    assert "<img src=x onerror=alert(1)>&amp;.jsonl" in page.text
    data = json.dumps(page.data, ensure_ascii=False)
    for text in HOSTILE:
        shown = text.replace("\x00", "").replace("\x1b", "")
        assert is_static is False or shown in page.text.replace("\ufffd", "").replace("\x00", "").replace("\x1b", "")
        assert json.dumps(text, ensure_ascii=False)[1:-1] in data or text in page.text
    assert len(page.find("script")) == 2


def test_problems_with_hostile_text_stay_text(tmp_path):
    rows = [{"image_id": text, "text": 5} for text in HOSTILE] + [{text: 1} for text in HOSTILE]
    report = mf.check("caption", write(tmp_path / "a\udcffb.jsonl", rows))
    page = Page(report.to_html())
    assert page.find("script") == []
    assert HOSTILE[1] in page.text
    assert "a\\udcffb.jsonl" in page.text
    assert report.to_html().encode()


def test_long_texts_and_ids_are_cut(tmp_path):
    gold = write(tmp_path / "gold.jsonl", [{"image_id": "a" * 9000, "text": ["裙" * 9000] * 500}])
    submission = write(tmp_path / "pred.jsonl", [{"image_id": "a" * 9000, "text": "裙" * 9000}])
    with pytest.warns(UserWarning, match="single item"):
        report = mf.evaluate("caption", gold, submission)
    assert len(report.to_html()) < 100_000


# What was scored


def test_a_page_says_what_was_scored():
    report = sample("caption", tokenizer="char", threads=1)
    page = Page(report.to_html())
    for role, name in zip(("gold", "submission"), FILES["caption"], strict=True):
        data = (SAMPLES / "caption" / name).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        assert report.to_dict()["files"][role] == {"name": name, "bytes": len(data), "sha256": digest}
        assert digest in page.text
        assert f"{len(data):,}" in page.find("td", "number")
        assert f"{role} {name}" in page.find("td")
    assert report.options == report.to_dict()["options"] == {"tokenizer": "char"}
    assert "tokenizer=char" in page.find("code")
    assert mf.__version__ in page.text
    assert str(SAMPLES) not in report.to_html() + report.to_json()
    assert "all defaults" in Page(sample("caption", tokenizer="muge", threads=2).to_html()).text


def test_options_are_plain_values_without_folders(tmp_path):
    user_dict = tmp_path / "words.txt"
    user_dict.write_text("连衣裙\n", encoding="utf-8")
    report = sample("caption", tokenizer="jieba", user_dict=user_dict, sigma=5.0)
    assert report.options == {"tokenizer": "jieba", "user_dict": "words.txt", "sigma": 5.0}
    report = sample("retrieval", ks=(1, 10), pool=range(20_000))
    assert report.options == {"ks": [1, 10], "pool": "range of 20,000"}
    assert sample("caption", tokenizer=list).options == {"tokenizer": "list"}
    assert json.loads(report.to_json())["options"] == report.options


def test_hashes_are_of_the_bytes_that_were_read(tmp_path):
    gold, submission = (SAMPLES / "caption" / name for name in FILES["caption"])
    copy = tmp_path / "pred.jsonl"
    copy.write_bytes(submission.read_bytes())
    report = mf.evaluate("caption", gold, copy)
    copy.write_bytes(b"another submission")
    assert report.files["submission"].sha256 == hashlib.sha256(submission.read_bytes()).hexdigest()


def test_a_report_is_pickled_with_its_page():
    for options in ({}, {"tokenizer": "jieba"}):
        report = sample("caption", **options)
        loaded = pickle.loads(pickle.dumps(report))  # noqa: S301 - our own bytes
        assert loaded.to_html() == report.to_html()
        assert loaded.to_dict() == report.to_dict()
    # A function is left out, and with it the marks.
    report = sample("caption", tokenizer=list)
    assert Page(report.to_html()).find("span", "phrase") != []
    loaded = pickle.loads(pickle.dumps(report))  # noqa: S301 - our own bytes
    assert loaded.options == report.options
    assert Page(loaded.to_html()).find("span", "phrase") == []


def test_a_changed_image_file_has_no_hash_and_no_pictures(tmp_path):
    path = tmp_path / "images.tsv"
    ImageTsv.write(path, {"a": b"\x89PNG", "b": b"GIF8"})
    data = path.read_bytes()
    read = [mf.evaluation.describe(path)["bytes"]]
    file = mf.datasets.input_file.InputFile(path)
    assert (file.sha256, file.size) == (hashlib.sha256(data).hexdigest(), read[0])
    assert list(file.open_images()) == ["a", "b"]
    file = mf.datasets.input_file.InputFile(path)
    ImageTsv.write(path, {"a": b"\x89PNG", "b": b"GIF9"})
    assert file.sha256 is None
    assert file.open_images() is None
    path.unlink()
    assert file.sha256 is None
    assert mf.datasets.input_file.InputFile("no such file", b"").sha256 == hashlib.sha256(b"").hexdigest()


# Scores


@pytest.mark.parametrize("task", FILES)
def test_numbers_are_those_of_the_scores_with_one_factor(task):
    report = sample(task)
    page = Page(report.to_html())
    values = page.find("td", "number")
    for score in report.scores.values():
        assert f"{100 * score.value:.2f}" in values
        assert score.signature in page.find("code")
        low, high = score.interval()
        assert f"[{100 * low:.2f}, {100 * high:.2f}]" in values
    main = report.scores[report.task.main]
    assert page.find("div", "main") == [f"{100 * main.value:.2f}"]
    names = {"caption": "CIDEr-D\u00a0↑", "retrieval": "MeanRecall\u00a0↑", "classification": "Accuracy\u00a0↑"}
    assert page.find("div", "name") == [names[task]]
    assert page.find("td", "range")[0] == {"caption": "0–1000"}.get(task, "0–100")


def test_parts_of_bleu_are_listed():
    report = sample("caption")
    parts = report.scores["bleu"].parts
    text = Page(report.to_html()).text
    for order in (1, 2, 3):
        assert f"BLEU-{order} {100 * parts[f'bleu_{order}']:.2f}" in text
    assert f"brevity penalty {parts['brevity_penalty']:.4f}" in text


def test_histograms_count_each_item_once_and_show_the_mean_of_the_items():
    report = sample("caption")
    page = Page(report.to_html())
    drawings = page.find("svg")
    assert len(drawings) == 3
    titles = ["".join(node["text"]) for node in page.select("title") if "rect" in node["parents"]]
    for score, text in zip(report.scores.values(), drawings, strict=True):
        bars = []
        # The titles of the drawings follow each other.
        while titles and sum(int(count) for *_, count in bars) < len(score.per_item):
            bars.append(re.fullmatch(r"([\d.]+)–([\d.]+): (\d+)", titles.pop(0)).groups())
        assert sum(int(count) for *_, count in bars) == 64
        values, last = 100 * score.per_item, max(float(high) for _, high, _ in bars)
        for low, high, count in bars:
            is_in = (values >= float(low)) & ((values < float(high)) | (float(high) == last))
            assert is_in.sum() == int(count)
        assert f"mean of items {100 * score.per_item.mean():.2f}" in text
        assert text.endswith("items")
    assert f"The score of the set, {100 * report.scores['bleu'].value:.2f}, is not the mean" in page.text


def test_metrics_whose_items_say_nothing_have_no_histogram():
    assert Page(sample("classification").to_html()).find("figure") == []
    assert Page(sample("retrieval").to_html()).find("figure") == []
    metrics = ("recall", "mrr")
    assert len(Page(sample("retrieval", metrics=metrics).to_html()).find("figure")) == 1


def test_warnings_come_first():
    page = Page(replace(sample("caption"), warnings=("the weights are not the published ones",)).to_html())
    sections = page.find("section")
    assert "the weights are not the published ones" in sections[0]


# Problems and checks


def test_problems_are_grouped_by_kind_with_their_lines_and_what_to_do(tmp_path):
    rows = [{"image_id": f"q{number}", "text": number} for number in range(300)] + [{"image_id": "x", "text": ""}]
    report = mf.check("caption", write(tmp_path / "pred.jsonl", rows))
    page = Page(report.to_html())
    # All of them are counted, although only the first hundred are in the report.
    assert page.find("h3") == [f"{problem_title('wrong_type', 'en')} (300)", f"{problem_title('empty_text', 'en')} (1)"]
    assert '{"image_id": "q3", "text": 3}' in page.find("code", "excerpt")
    assert '{"image_id": "x", "text": ""}' in page.find("code", "excerpt")
    # The messages of the first kind say themselves that numbers need quotes.
    assert page.find("p", "hint") == [f"What to do {problem_hint('empty_text', 'en')}"]
    assert "and 290 more" in page.text
    for group in report.problem_groups:
        assert group.message() in page.text
        assert group.first.message() in page.find("span", "message")
    text = Page(replace(report, lang="zh").to_html()).text
    assert problem_hint("empty_text", "zh") in text
    assert "无效" in text


def test_each_problem_has_a_title_in_both_languages_and_a_hint_in_none_or_both():
    for code in MESSAGES:
        assert problem_title(code, "zh") != problem_title(code, "en") != ""
        assert bool(problem_hint(code, "en")) == bool(problem_hint(code, "zh"))
    general = {code for code in MESSAGES if problem_title(code, "en") == problem_title("gzip", "en")}
    assert general == set(FILE_KINDS)


def test_a_check_says_what_was_checked_and_what_was_not():
    gold, submission = (SAMPLES / "retrieval" / name for name in FILES["retrieval"])
    text = Page(mf.check("retrieval", submission).to_html()).text
    assert "64 rows" in text
    assert "Ids from 0 to 63." in text
    assert "10 to 10 items per row" in text
    assert "no gold file was given" in text
    assert "no pool was given" in text
    text = Page(mf.check("retrieval", submission, gold=gold, pool=range(10_000, 10_064)).to_html()).text
    assert "all 64 of them" in text
    assert "All items are in the pool" in text
    assert "was given" not in text
    assert "检查内容" in Page(mf.check("caption", SAMPLES / "caption" / FILES["caption"][1], lang="zh").to_html()).text


# Words


def test_words_are_complete_and_used():
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    folder = PACKAGE / "evaluation"
    code = "\n".join(read(path) for path in PYTHON if folder in path.parents and path.name != "words.py")
    assert [key for key in WORDS["en"] if not re.search(rf"[\"']{key}[\"']", code)] == []
    same = {key for key, text in WORDS["zh"].items() if text == WORDS["en"][key]}
    assert same == {"hash", "f1"}
    for key, text in WORDS["en"].items():
        assert len(re.findall(r"\{[^}]*\}", text)) == len(re.findall(r"\{[^}]*\}", WORDS["zh"][key])), key
