"""Items on pages of reports: marks, ranks, matrices and pictures equal what plain code finds in the files."""

import io
import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import muge_fast as mf
from muge_fast.datasets import ImageTsv
from muge_fast.evaluation.report_page import items, pictures
from muge_fast.evaluation.report_page.labels import label_scores
from pages import Page

SAMPLES = Path(mf.__file__).parent / "samples"
CAPTIONS = tuple(SAMPLES / "caption" / name for name in ("IC_sample.jsonl", "IC_sample.pred.base.jsonl"))
QUERIES = tuple(SAMPLES / "retrieval" / name for name in ("MR_sample_queries.jsonl", "MR_sample.pred.base.jsonl"))
LABELS = tuple(SAMPLES / "classification" / name for name in ("CC_sample.jsonl", "CC_sample.pred.base.jsonl"))


# A black pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f6"
    "1738550000000049454e44ae426082"
)


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path, rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def all_data(monkeypatch):
    """Write nearly all items as data, as on the page of a large set."""
    monkeypatch.setattr(items, "STATIC_ITEMS", 2)
    monkeypatch.setattr(items, "EXTREMES", 1)


# The list


def test_items_are_listed_from_the_worst_to_the_best():
    report = mf.evaluate("caption", *CAPTIONS)
    page = Page(report.to_html())
    score = report.scores["cider_d"].per_item
    order = sorted(range(64), key=lambda index: score[index])
    assert page.find("a", "id") == [report.scores.ids[index] for index in order]
    assert [row[0] for row in page.data["items"]] == order
    for row in page.data["items"]:
        assert row[1] == report.scores.ids[row[0]]
        assert row[2] == [round(100 * score.per_item[row[0]], 2) for score in report.scores.values()]
    shown = [dict(re.findall(r"(\S+) ([\d.]+)(?= |$)", text)) for text in page.find("span", "values")]
    assert len(shown) == 64


def test_a_large_set_has_all_items_as_data_and_the_extremes_as_elements(tmp_path):
    count = items.STATIC_ITEMS + 1
    gold = write(tmp_path / "gold.jsonl", ({"image_id": f"{key}", "label": "裙"} for key in range(count)))
    rows = ({"image_id": f"{key}", "label": "裙" if key % 3 else "鞋"} for key in range(count))
    page = Page(mf.evaluate("classification", gold, write(tmp_path / "pred.jsonl", rows)).to_html())
    assert len(page.select("article")) == 2 * items.EXTREMES
    data = page.data["items"]
    assert sorted(int(row[1]) for row in data) == list(range(count))
    static = {node["attributes"]["id"] for node in page.select("article")}
    for row in data:
        assert (len(row) == 5) == (f"item-{row[0]}" in static)
    assert f"50 worst and the 50 best of {count:,} items" in page.text


def test_elements_and_data_hold_the_same(monkeypatch):
    html = mf.evaluate("caption", *CAPTIONS).to_html()
    texts = Page(html).find("article")
    monkeypatch.setattr(items, "STATIC_ITEMS", 2)
    monkeypatch.setattr(items, "EXTREMES", 1)
    data = Page(mf.evaluate("caption", *CAPTIONS).to_html()).data
    for text, row in list(zip(texts, data["items"], strict=True))[1:-1]:
        values = [f"{name} {value:.2f}" for name, value in zip(data["metrics"], row[2], strict=True)]
        fields = [data["labels"][label] + "".join("".join(value[1:]) for value in found) for label, _, found in row[6]]
        assert text == row[1] + "".join(values) + row[5] + "".join(fields)


# Captions


@pytest.mark.usefixtures("all_data")
def test_facts_of_a_caption_are_those_of_the_item_alone():
    gold, submission = CAPTIONS
    references = {row["image_id"]: row["text"] for row in rows_of(gold)}
    predictions = {row["image_id"]: row["text"] for row in rows_of(submission)}
    data = Page(mf.evaluate("caption", gold, submission).to_html()).data
    for row in data["items"][1:-1]:
        key = row[1]
        alone = mf.score_captions([predictions[key]], [references[key]], metrics=["bleu"])["bleu"].parts
        orders = "/".join(f"{100 * alone[f'bleu_{order}']:.2f}" for order in range(1, 5))
        lengths = f"length {alone['prediction_length']:.0f}, closest reference {alone['reference_length']:.0f}"
        assert row[5] == f"BLEU-1/2/3/4 {orders} · brevity penalty {alone['brevity_penalty']:.2f} · {lengths}"
        assert row[3] == alone["prediction_length"]


def shared_letters(text, others, split):
    """Return the level of each letter of a text without white space: 2 for a shared pair of tokens, 1 for a token."""
    tokens, compared = split(text), [split(other) for other in others]
    pairs = {pair for other in compared for pair in pairwise(other)}
    levels = ""
    for index, token in enumerate(tokens):
        around = [tuple(tokens[start : start + 2]) for start in (index - 1, index) if start >= 0]
        is_pair = any(pair in pairs for pair in around)
        is_single = any(token in other for other in compared) and token.isalnum()
        levels += ("2" if is_pair else "1" if is_single else "0") * len(token)
    return levels


@pytest.mark.usefixtures("all_data")
@pytest.mark.parametrize("tokenizer", ["muge", "jieba"])
def test_marks_are_shared_ngrams(tokenizer):
    def split(text):
        return mf.tokenize([text], tokenizer)[0]

    gold, submission = CAPTIONS
    references = {row["image_id"]: row["text"] for row in rows_of(gold)}
    predictions = {row["image_id"]: row["text"] for row in rows_of(submission)}
    data = Page(mf.evaluate("caption", gold, submission, tokenizer=tokenizer).to_html()).data
    seen = set()
    for row in data["items"][1:-1]:
        key = row[1]
        (_, _, (prediction,)), (_, _, found) = row[6]
        sides = [(predictions[key], references[key], prediction)]
        sides += [(text, [predictions[key]], value) for text, value in zip(references[key], found, strict=True)]
        for text, others, (levels, *parts) in sides:
            assert "".join(parts) == text
            letters = "".join(level * len(part) for level, part in zip(levels, parts, strict=True))
            assert letters == shared_letters(text, others, split)
            seen |= set(letters)
    assert seen == {"0", "1", "2"}


def test_marks_are_in_the_text_as_it_is_written(tmp_path):
    gold = [{"image_id": "a", "text": ["Red  Dress for you", "x"]}, {"image_id": "b", "text": ["y"]}]
    rows = [{"image_id": "a", "text": "a red dress"}, {"image_id": "b", "text": "y"}]
    paths = write(tmp_path / "gold.jsonl", gold), write(tmp_path / "pred.jsonl", rows)

    def lower(text):
        return text.lower().split()

    page = Page(mf.evaluate("caption", *paths, tokenizer="whitespace").to_html())
    assert page.find("span", "phrase") == []
    # Tokens that are not in the text mark nothing; those that are, do.
    page = Page(mf.evaluate("caption", *paths, tokenizer=lower).to_html())
    assert page.find("span", "phrase") == ["red dress"]
    rows[0]["text"] = "a Red  Dress"
    write(tmp_path / "pred.jsonl", rows)
    page = Page(mf.evaluate("caption", *paths, tokenizer="whitespace").to_html())
    assert page.find("span", "phrase") == ["Red  Dress", "Red  Dress"]


def test_captions_are_filtered_by_what_they_have_in_common(tmp_path):
    gold = [{"image_id": key, "text": ["红色长裙", "红裙"]} for key in "abcd"]
    texts = {"a": "红色长裙", "b": "黑鞋", "c": "黑鞋", "d": "红色的长长的裙子很好看"}
    rows = [{"image_id": key, "text": text} for key, text in texts.items()]
    paths = write(tmp_path / "gold.jsonl", gold), write(tmp_path / "pred.jsonl", rows)
    page = Page(mf.evaluate("caption", *paths).to_html())
    options = page.find("option")
    for name, count in {
        "same caption as another item": 2,
        "equal to a reference": 1,
        "no shared n-gram of two": 2,
    }.items():
        assert f"{name} ({count})" in options


# Retrieval


def test_first_hits_are_counted_by_rank(tmp_path):
    gold = [{"query_id": key, "item_ids": [100 + key, 200 + key]} for key in range(40)]
    random = np.random.default_rng(0)
    rows = []
    for key in range(40):
        listed = random.choice(np.arange(1000, 2000), 10, replace=False).tolist()
        for item in (100 + key, 200 + key):
            if random.random() < 0.6:
                listed[random.integers(10)] = item
        rows.append({"query_id": key, "item_ids": listed})
    paths = write(tmp_path / "gold.jsonl", gold), write(tmp_path / "pred.jsonl", rows)
    page = Page(mf.evaluate("retrieval", *paths).to_html())
    relevant = {row["query_id"]: row["item_ids"] for row in gold}
    first, missed = Counter(), 0
    for row in rows:
        ranks = [rank for rank, item in enumerate(row["item_ids"], 1) if item in relevant[row["query_id"]]]
        group = "no hit" if not ranks else "1" if ranks[0] == 1 else "2–5" if ranks[0] <= 5 else "6–10"
        first[group] += 1
        missed += 2 - len(ranks)
    cells = page.find("td")
    for group in ("1", "2–5", "6–10", "no hit"):
        start = cells.index(group, cells.index("1"))
        assert cells[start + 1 : start + 3] == [str(first[group]), f"{100 * first[group] / 40:.1f}"]
    assert len(page.select("li", "hit")) == 80 - missed
    incomplete = [row for row in rows if not set(relevant[row["query_id"]]) <= set(row["item_ids"])]
    assert len(page.select("div", "ids")) == len(incomplete)
    assert page.find("span", "rank")[:10] == [str(rank) for rank in range(1, 11)]


def test_all_ten_pictures_are_shown_and_hits_are_framed(tmp_path):
    gold = [{"query_id": 5, "query_text": "裙", "item_ids": [12, 99]}]
    rows = [{"query_id": 5, "item_ids": list(range(10, 20))}]
    paths = write(tmp_path / "gold.jsonl", gold), write(tmp_path / "pred.jsonl", rows)
    images = dict.fromkeys(map(str, [*range(10, 20), 99, 5]), PNG)
    page = Page(mf.evaluate("retrieval", *paths).to_html(images=images))
    assert [node["attributes"]["alt"] for node in page.select("img")] == [*map(str, range(10, 20)), "99"]
    assert page.find("li", "hit") == ["312hit"]
    assert "first hit: rank 3 · 1 of 2 relevant items found" in page.text
    assert page.find("ul", "texts") == ["裙"]


def test_pictures_of_image_queries_are_those_of_the_queries(tmp_path):
    rows = [{"image_id": 10, "text_ids": list(range(10, 20))}]
    path = write(tmp_path / "pred.jsonl", rows)
    page = Page(mf.evaluate("retrieval", path, path).to_html(images={"10": PNG, "11": PNG}))
    assert len(page.select("img")) == 1
    assert page.select("img")[0]["parents"][-1] == "figure"


# Classification


def test_the_confusion_matrix_and_scores_of_labels_equal_plain_counts():
    gold, submission = LABELS
    true = {row["image_id"]: row["label"] for row in rows_of(gold)}
    predicted = {row["image_id"]: row["label"] for row in rows_of(submission)}
    report = mf.evaluate("classification", gold, submission)
    page = Page(report.to_html())
    pairs = Counter((true[key], predicted[key]) for key in true)
    table = label_scores(pairs)
    for label, (precision, recall, f1, support, predictions) in table.items():
        hits = sum(true[key] == predicted[key] == label for key in true)
        assert support == sum(value == label for value in true.values())
        assert predictions == sum(value == label for value in predicted.values())
        assert precision == pytest.approx(hits / predictions if predictions else 0)
        assert recall == pytest.approx(hits / support if support else 0)
        numbers = [f"{100 * ratio:.2f}" for ratio in (precision, recall, f1)]
        assert "".join([label, *numbers, str(support), str(predictions)]) in page.find("tr")
    mean = sum(f1 for _, _, f1, _, _ in table.values()) / len(table)
    assert mean == pytest.approx(report.scores["macro_f1"].value)
    labels = page.find("th", scope="row")
    assert labels == page.find("th", scope="col")
    assert sum(map(int, page.find("td", "right") + page.find("td", "wrong"))) == 64
    for label in labels:
        assert label + "".join(str(pairs[label, other] or "") for other in labels) in page.find("tr")
    assert [bool(row[4] & 1) for row in page.data["items"]] == sorted(
        (true[key] != predicted[key] for key in true), reverse=True
    )


def test_rare_labels_share_a_row_of_the_matrix(tmp_path):
    gold = write(tmp_path / "gold.jsonl", ({"image_id": f"{key}", "label": f"类{key % 50}"} for key in range(500)))
    rows = ({"image_id": f"{key}", "label": f"类{key % 49}"} for key in range(500))
    page = Page(mf.evaluate("classification", gold, write(tmp_path / "pred.jsonl", rows)).to_html())
    labels = page.find("th", scope="row")
    assert len(labels) == 20
    assert labels[-1] == "31 other labels"
    assert sum(map(int, page.find("td", "right") + page.find("td", "wrong"))) == 500


# Text-to-image


def brightness(images):
    """Return two features of each image: the means of its halves."""
    return np.array([[half.mean() for half in np.array_split(image.astype(float), 2)] for image in images])


@pytest.fixture
def image_files(tmp_path):
    image = pytest.importorskip("PIL.Image")
    random = np.random.default_rng(1)
    for name in ("real", "generated"):
        images = {}
        for key in range(12):
            file = io.BytesIO()
            image.fromarray(random.integers(0, 256, (32, 32, 3)).astype("uint8")).save(file, "PNG")
            images[f"{key:03}"] = file.getvalue()
        ImageTsv.write(tmp_path / f"{name}.tsv", images)
    texts = "\n".join(f"{key:03}\t文本{key}<b>" for key in range(12))
    (tmp_path / "texts.tsv").write_text(texts, encoding="utf-8")
    return tmp_path


class Model:
    """A model for which every second image fits its text."""

    signature = "model"

    def images(self, images, **_):
        return np.eye(len(list(images)))

    def texts(self, texts, **_):
        return np.diag(np.where(np.arange(len(texts)) % 2, -1.0, 1.0))


@pytest.mark.filterwarnings("ignore:FID of")
def test_generated_images_stand_next_to_real_ones_with_their_texts(image_files):
    options = {"metrics": ("fid",), "extractor": brightness, "progress": False}
    report = mf.evaluate(
        "t2i",
        image_files / "real.tsv",
        image_files / "generated.tsv",
        texts=image_files / "texts.tsv",
        clip=Model(),
        negatives=11,
        **options,
    )
    page = Page(report.to_html())
    assert len(page.select("img")) == 24
    assert page.find("figcaption") == ["real", "generated"] * 12
    assert page.find("div", "name") == ["FID\u00a0↓"]
    hits = report.scores["r_precision"].per_item
    assert 0 < hits.mean() < 1
    assert [row[2] for row in page.data["items"]] == [[100 * hit] for hit in sorted(hits)]
    assert sorted(page.find("ul", "texts")) == sorted(f"文本{key}<b>" for key in range(12))
    assert report.options["texts"] == "texts.tsv"
    assert report.options["clip"] == "Model"
    assert report.options["extractor"] == "brightness"
    assert len(report.files["submission"].sha256) == 64
    page = Page(mf.evaluate("t2i", image_files / "real.tsv", image_files / "generated.tsv", **options).to_html())
    assert len(page.select("img")) == 24
    assert page.find("ul", "texts") == []


# Pictures


def test_large_pictures_become_thumbnails_and_the_page_has_a_limit():
    image = pytest.importorskip("PIL.Image")
    random = np.random.default_rng(2)
    file = io.BytesIO()
    image.fromarray(random.integers(0, 256, (700, 900, 3)).astype("uint8")).save(file, "PNG")
    shown = pictures.Pictures({"a": file.getvalue(), "b": b"\x89PNG" + bytes(1 << 19), "c": b"GIF8"})
    markup = shown.image("a", "a picture")
    assert 'src="data:image/jpeg;base64,' in markup
    assert len(markup) < 100_000
    # Too large and broken.
    assert shown.image("b") == ""
    assert shown.image("c") == ""
    assert shown.image("no such image") == ""
    few = pictures.Pictures({"a": PNG}, limit=2 * len(PNG) + 22)
    assert few.image("a") != ""
    assert not few.is_full
    assert few.image("a") == ""
    assert few.is_full


@pytest.mark.parametrize("key", [int, str])
def test_pictures_are_found_by_integers_and_by_their_text(key):
    shown = pictures.Pictures({key(7): PNG})
    assert "data:image/png;base64," in shown.image(7)
