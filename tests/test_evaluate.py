"""Reports, tasks and checks of submissions that are as they should be."""

import csv
import importlib.metadata
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import muge_fast as mf
from muge_fast.tasks import Form, Ids, Task, Text
from muge_fast.tasks.classification import score_classification

SAMPLES = Path(mf.__file__).parent / "samples" / "caption"
GOLD, LARGE = SAMPLES / "IC_sample.jsonl", SAMPLES / "IC_sample.pred.large.jsonl"


@pytest.fixture
def report():
    return mf.evaluate("caption", GOLD, LARGE)


def test_scores_are_those_of_the_function(report):
    scores = mf.score_captions(mf.read_captions(LARGE), mf.read_captions(GOLD))
    assert list(report.scores) == list(scores)
    for name, score in scores.items():
        assert report.scores[name].value == score.value
        assert report.scores[name].per_item.tobytes() == score.per_item.tobytes()
    official = report.official()
    assert official == {
        "success": True,
        "score": 100 * scores["cider_d"].value,
        "scoreJson": {
            "score": 100 * scores["cider_d"].value,
            "cider_d": 100 * scores["cider_d"].value,
            "bleu4": 100 * scores["bleu"].value,
            "rouge_l": 100 * scores["rouge_l"].value,
        },
    }


def test_options_reach_the_task():
    report = mf.evaluate("caption", GOLD, LARGE, tokenizer="char", threads=1)
    assert "tokenizer:char" in report.scores["bleu"].signature
    with pytest.raises(TypeError, match="ks"):
        mf.evaluate("caption", GOLD, LARGE, ks=(1,))
    with pytest.raises(
        ValueError, match='unknown task "captions", choose one of caption, classification, retrieval, t2i'
    ):
        mf.evaluate("captions", GOLD, LARGE)
    with pytest.raises(ValueError, match='unknown lang "de"'):
        mf.evaluate("caption", GOLD, LARGE, lang="de")


def test_a_retrieval_submission(tmp_path):
    gold, submission = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
    gold.write_text('{"query_id": 1, "query_text": "裙", "item_ids": [5]}\n{"query_id": 2, "item_ids": [6, 7]}')
    rows = [{"text_id": 2, "image_ids": list(range(7, 17))}, {"text_id": 1, "image_ids": list(range(1, 11))}]
    submission.write_text("\n".join(map(json.dumps, rows)))
    report = mf.evaluate("retrieval", gold, submission)
    expected = {"score": 250 / 3, "mean_recall": 250 / 3, "r1": 50.0, "r5": 100.0, "r10": 100.0}
    assert report.official()["scoreJson"] == pytest.approx(expected)
    assert report.scores.ids == [1, 2]
    page = report.to_html(images={"7": b"\x89PNG7", "6": b"GIF86", "1": b"no image"})
    assert "裙" in page
    assert page.count("data:image/png") == 2 * page.count("data:image/gif") > 0
    assert '<span class="hit">7</span>' in page


def test_reports_are_written_in_every_format(report, tmp_path):
    data = json.loads(report.to_json(path=tmp_path / "r.json"))
    assert data == json.loads((tmp_path / "r.json").read_text())
    assert data["scores"]["cider_d"]["value"] == report.scores["cider_d"].value
    assert "| cider_d | 91.64 |" in report.to_markdown(path=tmp_path / "r.md")
    page = report.to_html(path=tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == page
    assert page.count("<svg") == 3
    assert "http" not in page.replace("http-equiv", "")
    report.to_csv(tmp_path / "r.csv")
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["id"] for row in rows] == report.scores.ids
    assert [float(row["bleu"]) for row in rows] == report.scores["bleu"].per_item.tolist()
    parquet = pytest.importorskip("pyarrow.parquet")
    report.to_parquet(tmp_path / "r.parquet")
    table = parquet.read_table(tmp_path / "r.parquet")
    assert table.column("cider_d").to_pylist() == report.scores["cider_d"].per_item.tolist()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "r.html", "r.json", "r.md", "r.parquet"]


def test_a_table_of_markdown_has_as_many_cells_in_each_row(report):
    rows = [line for line in report.to_markdown().splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(report.scores)
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [4] * len(rows)
    for score, row in zip(report.scores.values(), rows[2:], strict=True):
        assert row.split("`")[1].replace("\\|", "|") == score.signature


def test_a_page_shows_images_and_no_markup_of_others(tmp_path):
    gold, submission = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
    other = '\n{"image_id": "b", "text": ["裙"]}'
    gold.write_text('{"image_id": "<b>", "text": ["<img src=x onerror=alert(1)>"]}' + other)
    other = '\n{"image_id": "b", "text": "裙"}'
    submission.write_text('{"image_id": "<b>", "text": "</style><script>alert(1)</script>"}' + other)
    page = mf.evaluate("caption", gold, submission, lang="zh").to_html(images={"<b>": b"\xff\xd8\xff\xe0rest"})
    assert "data:image/jpeg;base64,/9j/4HJlc3Q=" in page
    assert "<script" not in page
    assert "<img src=x" not in page
    assert '<html lang="zh">' in page


def test_what_may_be_a_mistake_is_a_warning(tmp_path):
    gold, submission = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
    gold.write_text('{"query_id": 1, "item_ids": [5]}\n{"query_id": 2, "item_ids": [6]}')
    rows = [{"text_id": key, "image_ids": list(range(10))} for key in (1, 2)]
    submission.write_text("\n".join(map(json.dumps, rows)))
    report = mf.evaluate("retrieval", gold, submission)
    names = "the fields are text_id, image_ids, those of the gold file are query_id, item_ids"
    assert report.warnings == ("all 2 rows say the same", names)
    assert json.loads(report.to_json())["warnings"] == list(report.warnings)
    assert "all 2 rows say the same" in report.to_markdown()
    assert "all 2 rows say the same" in report.to_html()
    assert mf.evaluate("retrieval", gold, submission, lang="zh").warnings[0] == "全部 2 行内容相同"
    assert mf.evaluate("caption", GOLD, LARGE).warnings == ()


def test_a_check_has_no_scores():
    report = mf.check("caption", LARGE)
    assert (report.ok, report.scores, report.rows) == (True, None, 64)
    assert "valid" in report.to_markdown()
    with pytest.raises(ValueError, match="was checked, not scored"):
        report.official()
    assert mf.check("caption", LARGE, gold=GOLD).ok


def test_labels(tmp_path):
    rng = np.random.default_rng(2)
    labels = ["裙", "鞋", "包", "帽"]
    true, predicted = (rng.choice(labels[:count], 200).tolist() for count in (3, 4))
    scores = score_classification(dict(enumerate(predicted)), dict(enumerate(true)))
    f1 = []
    for label in labels:
        hits = sum(a == b == label for a, b in zip(true, predicted, strict=True))
        precision = hits / predicted.count(label)
        recall = hits / true.count(label) if label in true else 0
        f1.append(2 * precision * recall / (precision + recall) if hits else 0)
    assert scores["macro_f1"].value == pytest.approx(sum(f1) / 4, abs=1e-15)
    assert scores["accuracy"].value == sum(map(str.__eq__, true, predicted)) / 200
    for name, values in (("gold", true), ("pred", predicted)):
        rows = [json.dumps({"image_id": str(n), "label": value}) for n, value in enumerate(values)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows))
    report = mf.evaluate("classification", tmp_path / "gold.jsonl", tmp_path / "pred.jsonl")
    assert report.official()["scoreJson"]["macro_f1"] == 100 * scores["macro_f1"].value
    with pytest.raises(ValueError, match="need the same ids"):
        score_classification({"a": "x"}, {"b": "x"})


def declared():
    def score(predictions, references):
        return mf.score_retrieval(predictions, references, ks=(2,))

    return Task(
        name="pairs",
        title="Pairs",
        title_zh="配对",
        forms=(Form("id", "pair"),),
        id=Text(),
        gold=Ids(),
        submission=Ids(count=2),
        score=score,
        main="recall@2",
        official={"recall": "recall@2"},
    )


class Entry:
    name = "pairs"

    def load(self):
        return declared()


def test_a_task_of_another_package(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [Entry()] * (group == "muge_fast.tasks"))
    assert mf.tasks.names() == ["caption", "classification", "retrieval", "t2i", "pairs"]
    gold, submission = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
    gold.write_text('{"id": "a", "pair": [5]}')
    submission.write_text('{"id": "a", "pair": [4, 5]}')
    assert mf.evaluate("pairs", gold, submission).official()["scoreJson"] == {"score": 100.0, "recall": 100.0}
    assert mf.evaluate(declared(), gold, gold).errors == ["line 1: id a has 1 pair, needs exactly 2"]
    monkeypatch.setattr(Entry, "load", lambda _: 5)
    with pytest.raises(TypeError, match='task "pairs" is a int'):
        mf.tasks.get("pairs")


def test_a_verdict_needs_the_main_score():
    with pytest.raises(ValueError, match="metrics lack cider_d, the main score of caption"):
        mf.evaluate("caption", GOLD, LARGE, metrics=("bleu",))
    assert mf.evaluate("caption", GOLD, LARGE, metrics=("cider_d",)).official()["success"]


def test_the_error_of_a_broken_gold_file_comes_back_from_other_processes(tmp_path):
    gold = tmp_path / "gold.jsonl"
    gold.write_text('{"image_id": 5}\n{')
    with pytest.raises(mf.GoldError) as caught:
        mf.evaluate("caption", gold, LARGE)
    made = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert type(made) is mf.GoldError
    assert (str(made), made.errors, made.path) == (str(caught.value), caught.value.errors, str(gold))
    assert len(made.errors) == 3
