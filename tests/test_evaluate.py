"""Reports, tasks and options of evaluations of valid submissions."""

import base64
import csv
import importlib.metadata
import json
import pickle
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import muge_fast as mf
from muge_fast.cli.main import main
from muge_fast.tasks import FieldNames, IntegerList, Task, Text
from muge_fast.tasks.classification import score_classification
from pages import Page

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
    with pytest.raises(ValueError, match="'captions', choose one of caption, classification, retrieval, t2i"):
        mf.evaluate("captions", GOLD, LARGE)
    with pytest.raises(ValueError, match="lang 'de'"):
        mf.evaluate("caption", GOLD, LARGE, lang="de")
    with pytest.raises(TypeError, match="lang"):
        mf.check("caption", LARGE, lang=5)


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("caption", {"tokenizr": "char"}, "task 'caption' has no option 'tokenizr'; did you mean 'tokenizer'"),
        ("caption", {"ks": (1,)}, "no option 'ks'; its options are tokenizer, .*threads"),
        ("retrieval", {"thread": 1}, "no option 'thread'; did you mean 'threads'"),
        ("classification", {"metrics": ("accuracy",)}, "no option 'metrics'; its options are threads"),
    ],
)
def test_unknown_options_are_named_before_files_are_read(tmp_path, task, options, message):
    with pytest.raises(TypeError, match=message):
        mf.evaluate(task, tmp_path / "no gold", tmp_path / "no submission", **options)


def test_unknown_options_are_named_for_an_invalid_submission(tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{")
    with pytest.raises(TypeError, match="'tokenizr'"):
        mf.evaluate("caption", GOLD, broken, tokenizr="char")


@pytest.mark.parametrize(
    ("task", "metrics", "main"),
    [("caption", ["bleu"], "cider_d"), ("retrieval", {"mrr"}, "recall"), ("t2i", ("is",), "fid")],
)
def test_metrics_without_the_main_one_are_refused_before_files_are_read(tmp_path, task, metrics, main):
    with pytest.raises(ValueError, match=f"metrics lack '{main}'"):
        mf.evaluate(task, tmp_path / "no gold", tmp_path / "no submission", metrics=metrics)


def test_options_of_images_are_checked_before_files_are_read(tmp_path):
    pytest.importorskip("torch")
    with pytest.raises(TypeError, match="'weigths'; did you mean 'weights'"):
        mf.evaluate("t2i", tmp_path / "no gold", tmp_path / "no submission", weigths="inception.pth")


def test_a_missing_package_does_not_keep_an_invalid_submission_from_its_report(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "muge_fast.image._score_images", raising=False)
    (tmp_path / "gold.tsv").write_bytes(b"a\tAAAA\n")
    (tmp_path / "pred.tsv").write_bytes(b"a\n")
    report = mf.evaluate("t2i", tmp_path / "gold.tsv", tmp_path / "pred.tsv", weights="inception.pth")
    assert [problem.code for problem in report.problems] == ["no_tab"]


def test_a_retrieval_submission(tmp_path):
    gold, submission = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
    gold.write_text('{"query_id": 1, "query_text": "裙", "item_ids": [5]}\n{"query_id": 2, "item_ids": [6, 7]}')
    rows = [{"query_id": 2, "item_ids": list(range(7, 17))}, {"query_id": 1, "item_ids": list(range(1, 11))}]
    submission.write_text("\n".join(map(json.dumps, rows)))
    report = mf.evaluate("retrieval", gold, submission)
    expected = {"score": 250 / 3, "mean_recall": 250 / 3, "r1": 50.0, "r5": 100.0, "r10": 100.0}
    assert report.official()["scoreJson"] == pytest.approx(expected)
    assert report.scores.ids == [1, 2]
    pytest.importorskip("PIL")
    from image_data import encoded, pictures  # noqa: PLC0415 - needs Pillow

    small = pictures(2, size=(8, 8))
    page = report.to_html(images={"7": encoded(small[0]), "6": encoded(small[1], "GIF"), "1": b"no image"})
    assert "裙" in page
    # Both queries list item 7; item 6 is listed for one, and missed for the other.
    assert page.count("data:image/png") == page.count("data:image/gif") == 2
    assert Page(page).find("li", "hit") == ["55hit", "17hit"]


def test_reports_are_written_in_every_format(report, tmp_path):
    data = json.loads(report.to_json(path=tmp_path / "r.json"))
    assert data == json.loads((tmp_path / "r.json").read_text())
    assert data["scores"]["cider_d"]["value"] == report.scores["cider_d"].value
    assert "| score | value times 100 | 95 % interval | signature |\n" in report.to_markdown()
    assert "| 指标 | 数值 ×100 | 95 % 区间 | 签名 |\n" in replace(report, lang="zh").to_markdown()
    low, high = report.scores["cider_d"].interval()
    text = report.to_markdown(path=tmp_path / "r.md")
    assert f"| CIDEr-D ↑ | 91.64 | [{100 * low:.2f}, {100 * high:.2f}] |" in text
    assert [line.split(" | ")[0] for line in text.splitlines()[4:7]] == ["| CIDEr-D ↑", "| BLEU-4 ↑", "| ROUGE-L ↑"]
    page = report.to_html(path=tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == page
    assert page.count("<svg") == 3
    assert "http" not in page.replace("http-equiv", "")
    table = report.to_csv(path=tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_bytes().decode() == table
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["id"] for row in rows] == report.scores.ids
    assert [float(row["bleu"]) for row in rows] == report.scores["bleu"].per_item.tolist()
    parquet = pytest.importorskip("pyarrow.parquet")
    report.to_parquet(path=tmp_path / "r.parquet")
    table = parquet.read_table(tmp_path / "r.parquet")
    assert table.column("cider_d").to_pylist() == report.scores["cider_d"].per_item.tolist()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "r.html", "r.json", "r.md", "r.parquet"]


def test_a_table_of_markdown_has_as_many_cells_in_each_row(report):
    rows = [line for line in report.to_markdown().splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(report.scores)
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [5] * len(rows)
    for score, row in zip(report.scores.values(), rows[2:], strict=True):
        assert row.split("`")[1].replace("\\|", "|") == score.signature


def test_pages_are_well_formed(report, tmp_path):
    assert "CIDEr-D" in Page(report.to_html()).text
    path = tmp_path / "pred.jsonl"
    path.write_text('{"image_id": "<b>&amp;", "text": ""}\n{"<p>": 1}')
    text = Page(mf.check("caption", path).to_html()).text
    assert "image_id <b>&amp;: text is empty" in text
    assert "<p>" in text


def test_a_page_lists_warnings(tmp_path):
    path = tmp_path / "pred.jsonl"
    ids = [json.loads(line)["image_id"] for line in GOLD.read_text(encoding="utf-8").splitlines()]
    path.write_text("\n".join(json.dumps({"image_id": key, "text": "<i>裙"}) for key in ids))
    text = Page(mf.evaluate("caption", GOLD, path).to_html()).text
    assert "all 64 rows have the same prediction" in text
    assert "<i>裙" in text


def test_a_page_shows_images_and_escapes_the_text_of_files(tmp_path):
    gold, submission = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
    other = '\n{"image_id": "b", "text": ["裙"]}'
    gold.write_text('{"image_id": "<b>", "text": ["<img src=x onerror=alert(1)>"]}' + other)
    other = '\n{"image_id": "b", "text": "裙"}'
    submission.write_text('{"image_id": "<b>", "text": "</style><script>alert(1)</script>"}' + other)
    pytest.importorskip("PIL")
    from image_data import encoded, pictures  # noqa: PLC0415 - needs Pillow

    image = encoded(pictures(1, size=(8, 8))[0], "JPEG")
    page = mf.evaluate("caption", gold, submission, lang="zh").to_html(images={"<b>": image})
    assert f"data:image/jpeg;base64,{base64.b64encode(image).decode()}" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert '<html lang="zh-CN">' in page


def test_likely_mistakes_are_warnings(tmp_path):
    gold, submission = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
    gold.write_text('{"query_id": 1, "item_ids": [5]}\n{"query_id": 2, "item_ids": [6]}')
    rows = [{"query_id": key, "item_ids": list(range(10)), "score": key} for key in (1, 2)]
    rows[1]["a\nb"] = None
    submission.write_text("\n".join(map(json.dumps, rows)))
    report = mf.evaluate("retrieval", gold, submission)
    extra = r"fields that are not used: score (2), a\nb (1); 2 of the rows have any"
    assert report.warnings == ("all 2 rows have the same prediction", extra)
    assert mf.check("retrieval", submission).warnings == report.warnings
    assert json.loads(report.to_json())["warnings"] == list(report.warnings)
    assert report.warnings[0] in report.to_markdown()
    assert report.warnings[0] in report.to_html()
    assert mf.evaluate("retrieval", gold, submission, lang="zh").warnings[0] == "全部 2 行的预测都相同"
    assert mf.evaluate("caption", GOLD, LARGE).warnings == ()


RETRIEVAL = SAMPLES.parent / "retrieval"


@pytest.mark.parametrize(
    ("task", "options", "reasons"),
    [
        ("caption", {}, []),
        ("caption", {"tokenizer": "muge", "smoothing": "tiny", "sigma": 6, "threads": 1}, []),
        ("caption", {"metrics": ("rouge_l", "bleu", "cider", "cider_d")}, []),
        ("caption", {"tokenizer": "char"}, ["tokenizer is char, officially muge"]),
        ("caption", {"smoothing": "floor"}, ["smoothing is floor, officially tiny"]),
        ("caption", {"effective_order": True}, ["effective_order is yes, officially no"]),
        ("caption", {"sigma": 3.5}, ["sigma is 3.5, officially 6"]),
        ("caption", {"metrics": ("cider_d",)}, ["bleu is missing", "rouge_l is missing"]),
        ("retrieval", {}, []),
        ("retrieval", {"ks": [1, 5, 10], "metrics": ("mrr", "recall")}, []),
        ("retrieval", {"ks": (1, 3)}, ["ks is 1,3, officially 1,5,10"]),
        ("retrieval", {"ks": (10, 5, 1)}, ["ks is 10,5,1, officially 1,5,10"]),
        ("retrieval", {"ks": (1, 5, 10, 20)}, ["ks is 1,5,10,20, officially 1,5,10"]),
    ],
)
def test_results_under_other_options_say_so(tmp_path, task, options, reasons):
    gold, submission = (GOLD, LARGE) if task == "caption" else retrieval_files(tmp_path)
    report = mf.evaluate(task, gold, submission, **options)
    official = report.official()
    assert official["success"] is True
    assert official.get("unofficial", []) == list(report.unofficial) == reasons
    warnings = [f"not an official result: {reason}" for reason in reasons]
    assert list(report.warnings) == json.loads(report.to_json())["warnings"] == warnings
    assert all(warning in report.to_html() for warning in warnings)
    assert report.to_markdown().count("not an official result: ") == len(reasons)


def retrieval_files(folder):
    gold, submission = folder / "gold.jsonl", folder / "pred.jsonl"
    gold.write_text("".join(json.dumps({"query_id": n, "item_ids": [n]}) + "\n" for n in range(5)))
    rows = [{"query_id": n, "item_ids": list(range(n, n + 10))} for n in range(5)]
    submission.write_text("\n".join(map(json.dumps, rows)))
    return gold, submission


def test_other_options_are_named_on_stderr_and_in_the_file(tmp_path):
    output = tmp_path / "o.json"
    command = ("score", "caption", "--gold", GOLD, "--submission", LARGE, "--tokenizer", "char", "--official", output)
    done = CliRunner().invoke(main, list(map(str, command)))
    assert done.exit_code == 0
    assert "Warning: not an official result: tokenizer is char, officially muge\n" in done.stderr
    assert json.loads(output.read_text())["unofficial"] == ["tokenizer is char, officially muge"]


def test_other_options_are_named_in_chinese():
    report = mf.evaluate("caption", GOLD, LARGE, tokenizer="char", metrics=("cider_d",), lang="zh")
    assert report.unofficial == ("tokenizer 为 char，官方为 muge", "缺少 bleu", "缺少 rouge_l")
    assert report.warnings[0] == "非官方结果：tokenizer 为 char，官方为 muge"


PUBLISHED = "inception-2015-12-05|resize:tf1|precision:fp32"


def image_scores(network=PUBLISHED, counts="real:10000|generated:10000", order="splits:10|shuffle:2020", **more):
    signatures = {"fid": f"fid|{counts}|{network}", "is": f"is|{order}|{network}", **more}
    return mf.Scores({name: mf.scores.set_score(name, text, 1.0) for name, text in signatures.items()})


@pytest.mark.parametrize(
    ("scores", "reasons"),
    [
        (image_scores(), []),
        (image_scores(r_precision="r_precision|negatives:99|seed:2020|some-model"), []),
        (
            image_scores(network="inception-2015-12-05|weights:6a0e1f3b52d4|resize:tf1|precision:fp32"),
            ["the weights (6a0e1f3b52d4) are not the published ones"],
        ),
        (
            image_scores(network="torchvision-inception-v3|resize:ofa|precision:fp32", order="splits:1|shuffle:none"),
            [
                "the network is not inception-2015-12-05",
                "splits is 1, officially 10",
                "shuffle is none, officially 2020",
            ],
        ),
        (image_scores(counts="real:10000|generated:24"), ["FID of 24 images; it is too high for fewer than 10,000"]),
        (image_scores(order="splits:2|shuffle:2020"), ["splits is 2, officially 10"]),
        (image_scores(network=PUBLISHED.replace("fp32", "bf16")), ["precision is bf16, officially fp32"]),
        (image_scores(network=PUBLISHED.replace("tf1", "clean")), ["protocol is clean, officially tf1"]),
        (
            image_scores(network="extractor:mine.features"),
            ["the network is not inception-2015-12-05"],
        ),
        (
            image_scores(r_precision="r_precision|negatives:5|seed:2020|some-model"),
            ["negatives is 5, officially 99"],
        ),
    ],
)
def test_scores_of_images_under_other_options_say_so(scores, reasons):
    task = mf.tasks.get("t2i")
    assert list(task.unofficial(scores, "en")) == reasons
    assert len(list(task.unofficial(scores, "zh"))) == len(reasons)


def test_a_task_of_another_package_declares_its_official_options(tmp_path):
    def declare(scores, lang):
        assert lang in {"en", "zh"}
        yield f"{len(scores)} scores of a trial"

    gold, submission = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
    gold.write_text('{"id": "a", "pair": [5]}')
    submission.write_text('{"id": "a", "pair": [4, 5]}')
    report = mf.evaluate(replace(declared(), unofficial=declare), gold, submission)
    assert report.official()["unofficial"] == ["2 scores of a trial"]


def test_a_check_has_no_scores():
    report = mf.check("caption", LARGE)
    assert (report.ok, report.scores, report.rows) == (True, None, 64)
    assert "64 rows, valid" in report.to_markdown()
    assert "64 行，有效" in mf.check("caption", LARGE, lang="zh").to_markdown()
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
    with pytest.raises(ValueError, match="predictions lack 1 id of references: 'b'"):
        score_classification({"a": "x"}, {"b": "x"})
    with pytest.raises(ValueError, match="references are empty"):
        score_classification({}, {})


def declared():
    def score(predictions, references):
        return mf.score_retrieval(predictions, references, ks=(2,))

    return Task(
        name="pairs",
        title="Pairs",
        title_zh="配对",
        fields=(FieldNames("id", "pair"),),
        id=Text(),
        gold=IntegerList(),
        submission=IntegerList(count=2),
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
    assert mf.tasks.names() == ["caption", "classification", "retrieval", "t2i", "vcr", "vqa", "pairs"]
    gold, submission = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
    gold.write_text('{"id": "a", "pair": [5]}')
    submission.write_text('{"id": "a", "pair": [4, 5]}')
    assert mf.evaluate("pairs", gold, submission).official()["scoreJson"] == {"score": 100.0, "recall": 100.0}
    assert mf.evaluate(declared(), gold, gold).errors == ["line 1: id a has 1 pair, needs exactly 2"]
    monkeypatch.setattr(Entry, "load", lambda _: 5)
    with pytest.raises(TypeError, match=r"'pairs' must be a muge_fast\.tasks\.Task, got int"):
        mf.tasks.get("pairs")


class Color:
    """A kind of value of another package."""

    def problems(self, value):
        if value not in ("red", "green"):
            yield "wrong_type", {"actual": repr(value), "expected": "a color"}


def test_a_task_can_have_a_kind_of_another_package(tmp_path):
    task = replace(
        declared(), fields=(FieldNames("id", "color"),), gold=Color(), submission=Color(), score=score_classification
    )
    task = replace(task, main="accuracy", official={})
    path = tmp_path / "colors.jsonl"
    path.write_text('{"id": "a", "color": "red"}\n{"id": "b", "color": "green"}')
    assert mf.evaluate(task, path, path).official()["score"] == 100
    path.write_text('{"id": "a", "color": "red"}\n{"id": "b", "color": "blue"}')
    assert mf.check(task, path).errors == ["line 2: id b: color is 'blue', expected a color"]


def test_scores_need_the_main_one():
    assert mf.evaluate("caption", GOLD, LARGE, metrics=("cider_d",)).official()["success"]
    gold = SAMPLES.parent / "retrieval" / "MR_sample_queries.jsonl"
    task = replace(mf.tasks.get("retrieval"), main="recall@7")
    with pytest.raises(ValueError, match="scores lack 'recall@7'"):
        mf.evaluate(task, gold, gold.with_name("MR_sample.pred.base.jsonl"))


def test_the_error_of_a_broken_gold_file_can_be_pickled(tmp_path):
    gold = tmp_path / "gold.jsonl"
    gold.write_text('{"image_id": 5}\n{')
    with pytest.raises(mf.GoldError) as caught:
        mf.evaluate("caption", gold, LARGE)
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert type(copy) is mf.GoldError
    assert (str(copy), copy.errors, copy.path) == (str(caught.value), caught.value.errors, str(gold))
    assert len(copy.errors) == 3


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("caption", {"tokenizer": "nope"}, "nope"),
        ("caption", {"sigma": -1.0}, "sigma"),
        ("retrieval", {"ks": (0,)}, "ks"),
        ("retrieval", {"metrics": ("recall", "recal@1")}, "recal@1"),
        ("classification", {"threads": 0}, "threads"),
        ("t2i", {"metrics": ("fid", "nope")}, "nope"),
        ("t2i", {"batch_size": 0}, "batch_size"),
    ],
)
def test_values_of_options_are_checked_before_files(tmp_path, task, options, message):
    missing = tmp_path / "missing"
    with pytest.raises(ValueError, match=message):
        mf.evaluate(task, missing, missing, **options)


def test_items_of_minus_one_are_items_in_files(tmp_path):
    gold, submission = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
    rows = {1: [7, -1], 2: [3]}
    gold.write_text("".join(json.dumps({"query_id": key, "item_ids": row}) + "\n" for key, row in rows.items()))
    lists = {1: [*range(10, 19), -1], 2: [*range(1, 10), -1]}
    submission.write_text("".join(json.dumps({"query_id": key, "item_ids": row}) + "\n" for key, row in lists.items()))
    scores = mf.evaluate("retrieval", gold, submission).scores
    # The first query finds -1 at rank 10, the second 3 at rank 3.
    assert [scores[f"recall@{k}"].value for k in (1, 5, 10)] == [0.0, 0.5, 1.0]
