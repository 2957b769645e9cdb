"""``evaluation.prepare``: the reports of ``evaluate``, without reading the gold file again."""

import base64
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import muge_fast as mf
from image_data import encoded, pictures
from muge_fast.evaluation import prepare
from muge_fast.scores import Scores

HOSTILE = Path(__file__).parent / "hostile"
SAMPLES = Path(str(files("muge_fast"))) / "samples"
GOLD = {"caption": "IC_sample.jsonl", "retrieval": "MR_sample_queries.jsonl", "classification": "CC_sample.jsonl"}


def without_time(report):
    return {name: value for name, value in report.to_dict().items() if name != "seconds"}


def assert_same(prepared, expected):
    """Compare everything that a report says, with the bits of its scores."""
    assert without_time(prepared) == without_time(expected)
    assert prepared.errors == expected.errors
    assert prepared.warnings == expected.warnings
    if expected.scores is not None or not expected.ok:
        assert prepared.official() == expected.official()
    assert prepared.to_html() == expected.to_html()
    for name, score in (expected.scores or {}).items():
        assert prepared.scores[name].per_item.tobytes() == score.per_item.tobytes()
        assert prepared.scores[name].statistics.rows.tobytes() == score.statistics.rows.tobytes()
    assert (prepared.scores or Scores({})).ids == (expected.scores or Scores({})).ids


@pytest.mark.parametrize("task", GOLD)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_samples_have_the_reports_of_evaluate(task, lang):
    folder = SAMPLES / task
    prepared = prepare(task, folder / GOLD[task])
    submissions = sorted(folder.glob("*.pred.*"))
    assert submissions
    for submission in submissions:
        expected = mf.evaluate(task, folder / GOLD[task], submission, lang=lang)
        assert_same(prepared.evaluate(submission, lang=lang), expected)
    # A second time: nothing of an earlier submission is left.
    assert_same(prepared.evaluate(submission, lang=lang), expected)


@pytest.mark.parametrize("task", ["caption", "retrieval", "classification"])
def test_hostile_files_have_the_reports_of_evaluate(task):
    gold = HOSTILE / f"{task}.gold.jsonl"
    prepared = prepare(task, gold)
    for submission in sorted((HOSTILE / task).iterdir()):
        assert_same(prepared.evaluate(submission), mf.evaluate(task, gold, submission))


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("caption", {"tokenizer": "char", "metrics": ["cider_d", "cider"], "sigma": 5.0}),
        ("caption", {"smoothing": "exp", "effective_order": True, "threads": 1}),
        ("retrieval", {"ks": (1, 2), "metrics": ["recall", "mrr"]}),
        ("retrieval", {"pool": [1, 2, 3]}),
    ],
)
def test_options_and_pools_have_the_reports_of_evaluate(task, options):
    folder = SAMPLES / task
    prepared = prepare(task, folder / GOLD[task], **options)
    submission = next(folder.glob("*.pred.large.*"))
    assert_same(prepared.evaluate(submission), mf.evaluate(task, folder / GOLD[task], submission, **options))


@pytest.mark.parametrize("task", GOLD)
def test_checks_are_those_of_check(task):
    gold = HOSTILE / f"{task}.gold.jsonl"
    prepared = prepare(task, gold)
    for submission in sorted((HOSTILE / task).iterdir()):
        for lang in ("en", "zh"):
            assert_same(prepared.check(submission, lang=lang), mf.check(task, submission, gold=gold, lang=lang))
    sample = prepare(task, SAMPLES / task / GOLD[task])
    for submission in sorted((SAMPLES / task).glob("*.pred.*")):
        report = sample.check(submission)
        assert report.ok
        assert report.scores is None
        assert_same(report, mf.check(task, submission, gold=SAMPLES / task / GOLD[task]))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_problems_of_the_gold_file_are_those_of_evaluate(lang, tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{")
    submission, gold = SAMPLES / "caption" / "IC_sample.pred.base.jsonl", SAMPLES / "caption" / GOLD["caption"]
    for wrong, other in ((broken, submission), (submission, gold)):
        with pytest.raises(mf.GoldError) as expected:
            mf.evaluate("caption", wrong, other, lang=lang)
        with pytest.raises(mf.GoldError) as found:
            prepare("caption", wrong, lang=lang, submission=other)
        assert str(found.value) == str(expected.value)
    with pytest.raises(ValueError, match="lang"):
        prepare("caption", gold, lang="fr")
    with pytest.raises(FileNotFoundError, match="submission"):
        prepare("caption", gold, submission=tmp_path / "none")


def test_the_gold_file_is_read_once(tmp_path):
    gold = tmp_path / "gold.jsonl"
    gold.write_bytes((HOSTILE / "retrieval.gold.jsonl").read_bytes())
    expected = {path: mf.evaluate("retrieval", gold, path) for path in sorted((HOSTILE / "retrieval").iterdir())}
    prepared = prepare("retrieval", gold)
    gold.unlink()
    for path, report in expected.items():
        assert without_time(prepared.evaluate(path)) == without_time(report)


def test_hash_and_signature_are_those_of_the_report():
    gold = SAMPLES / "caption" / GOLD["caption"]
    report = mf.evaluate("caption", gold, SAMPLES / "caption" / "IC_sample.pred.base.jsonl")
    prepared = prepare("caption", gold)
    assert prepared.gold_sha256 == report.files["gold"].sha256
    assert prepared.signature == report.scores["cider_d"].signature


def test_real_images_go_through_the_network_once(tmp_path):
    real, first, second = (tmp_path / f"{name}.tsv" for name in ("real", "first", "second"))
    for seed, path in enumerate((real, first, second)):
        # The submissions have another order than the gold file.
        made = list(enumerate(pictures(seed=seed)))
        rows = (f"{key}\t{base64.b64encode(encoded(image)).decode()}\n" for key, image in made[:: -1 if seed else 1])
        path.write_text("".join(rows))
    seen = []

    def features(images):
        seen.append(len(images))
        return np.array([[image.mean(), image.std()] for image in images], dtype=np.float32)

    options = {"extractor": features, "metrics": ["fid", "kid"], "subsets": None, "influence": True}
    prepared = prepare("t2i", real, **options)
    assert seen == []
    reports = [prepared.evaluate(path) for path in (first, second, first)]
    assert sum(seen) == 6 * 4
    for path, report in zip((first, second, first), reports, strict=True):
        expected = mf.evaluate("t2i", real, path, **options)
        for name, score in expected.scores.items():
            assert report.scores[name].value == score.value
            assert [rows.tobytes() for rows in report.scores[name].influence] == [
                rows.tobytes() for rows in score.influence
            ]


def test_a_task_without_preparation_is_scored_as_before():
    path = SAMPLES / "classification" / "CC_sample.jsonl"
    assert mf.tasks.get("classification").prepare is None
    assert prepare("classification", path).evaluate(path).official()["score"] == 100


def test_mistakes_are_raised_when_they_are_made(tmp_path):
    gold = SAMPLES / "caption" / GOLD["caption"]
    with pytest.raises(TypeError, match="did you mean 'tokenizer'"):
        prepare("caption", gold, tokenizr="char")
    with pytest.raises(ValueError, match="unknown task"):
        prepare("captions", gold)
    with pytest.raises(FileNotFoundError, match="gold file"):
        prepare("caption", tmp_path / "none")
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{")
    with pytest.raises(mf.GoldError):
        prepare("caption", broken)
    prepared = prepare("caption", gold)
    with pytest.raises(FileNotFoundError, match="submission"):
        prepared.evaluate(tmp_path / "none")
    with pytest.raises(ValueError, match="lang"):
        prepared.evaluate(gold, lang="de")


def test_a_report_can_be_read_in_the_other_language():
    gold = HOSTILE / "retrieval.gold.jsonl"
    for submission in (*sorted((HOSTILE / "retrieval").glob("[r-z]*")), SAMPLES / "caption" / GOLD["caption"]):
        english, chinese = (mf.evaluate("retrieval", gold, submission, lang=lang) for lang in ("en", "zh"))
        assert without_time(english.in_language("zh")) == without_time(chinese)
        assert english.in_language("zh").to_html() == chinese.to_html()
        assert without_time(chinese.in_language("en")) == without_time(english)
