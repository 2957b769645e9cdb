"""METEOR against recorded rows of the original program, a plain definition, and without its data."""

import json
import random
import sys
from pathlib import Path

import numpy as np
import pytest

import meteor_oracle as oracle
import muge_fast as mf
from meteor_texts import pairs
from muge_fast import _core
from muge_fast._internal.coco_files import coco_file, jar_entries
from muge_fast.caption import meteor_data
from muge_fast.caption.meteor import meteor_corpus, meteor_items, meteor_rows
from muge_fast.scores import additive_statistics

GOLDEN = json.loads((Path(__file__).parent / "golden" / "meteor.json").read_text(encoding="utf-8"))
GROUPS = [name for name in GOLDEN if name not in ("tool", "command")]


@pytest.fixture
def without_data(monkeypatch):
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if "site-packages" not in entry])
    monkeypatch.setattr(meteor_data._State, "data", None)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("group", GROUPS)
def test_rows_and_scores_have_the_bits_of_the_original(group, threads):
    predictions, references, rows, scores = map(list, zip(*GOLDEN[group]["items"], strict=True))
    ours = meteor_rows(predictions, references, threads=threads)
    assert ours.tolist() == rows
    assert meteor_items(ours).tolist() == scores
    assert meteor_corpus(ours) == GOLDEN[group]["corpus"]
    score = mf.score_captions(predictions, references, metrics=["meteor"])["meteor"]
    assert (score.value, score.per_item.tolist()) == (GOLDEN[group]["corpus"], scores)


def test_words_are_those_of_the_plain_definition():
    jar = coco_file(meteor_data.JAR, purpose="METEOR")
    lines = [line.split() for line in jar_entries(jar, [meteor_data.ENTRIES[1]])[0].decode().splitlines()]
    prefixes = {line[0]: line[1:2] == ["#NUMERIC_ONLY#"] for line in lines if line and not line[0].startswith("#")}
    core = meteor_data.load_data().core
    for kind in ("mixed", "english", "pieces"):
        for text in pairs(kind, 500, seed=3)[0]:
            assert core.words(text) == oracle.normalize(text, prefixes), text


@pytest.mark.parametrize("distinct", [1, 2, 3, 6])
def test_alignments_of_equal_words_are_those_of_the_plain_definition(distinct):
    rng = random.Random(distinct)
    texts = ["".join(rng.choices("的红色裙，。"[:distinct], k=rng.randrange(26))) for _ in range(40)]
    for prediction, reference in zip(texts, reversed(texts), strict=True):
        row = oracle.exact_row(list(prediction), list(reference), {","})
        ours = meteor_rows([prediction], [[reference]])
        assert ours.tolist() == [row]
        assert meteor_items(ours)[0] == oracle.score(row)


@pytest.mark.usefixtures("without_data")
def test_texts_without_letters_need_no_data():
    items = [item for item in GOLDEN["chinese"]["items"] if not any(c.isascii() and c.isalnum() for c in str(item[:2]))]
    predictions, references, rows, _ = map(list, zip(*items, strict=True))
    assert meteor_rows(predictions, references).tolist() == rows
    score = mf.score_captions(predictions, references, metrics=["meteor"])["meteor"]
    assert "data:none" in score.signature


@pytest.mark.usefixtures("without_data")
def test_missing_data_is_an_error_that_names_the_text_and_the_extra():
    with pytest.raises(ImportError, match=r"references\['a'\]\[1\]: pip install 'muge-fast\[coco\]'"):
        mf.score_captions({"a": "红"}, {"a": ["红", "T恤"]}, metrics=["meteor"])
    with pytest.raises(ImportError, match=r"predictions\['a'\]: pip"):
        mf.score_captions({"a": "2"}, {"a": ["红"]}, metrics=["meteor"])


def test_a_text_of_too_many_words_is_an_error_that_names_it():
    with pytest.raises(ValueError, match=r"predictions\['a'\] has 10001 words, METEOR takes at most 10000"):
        mf.score_captions({"a": "的" * 10_001}, {"a": ["的"]}, metrics=["meteor"])
    with pytest.raises(ValueError, match=r"predictions\['a'\] repeats the words of its reference"):
        mf.score_captions({"a": "的" * 2000}, {"a": ["的" * 1999 + "红"]}, metrics=["meteor"])


def test_damaged_heads_of_tables_are_errors(tmp_path):
    path = tmp_path / "meteor.tables"
    for content, problem in ((b"", "no tables"), (meteor_data.MAGIC + b"\xff" * 100, "cut off")):
        path.write_bytes(content)
        with pytest.raises(OSError, match=problem):
            meteor_data._open(path)
    with pytest.raises(OSError, match="damaged"):
        _core.Meteor(b"\0" * 100, None)


def test_batches_of_prepared_references_have_the_rows_of_all():
    predictions, references = pairs("mixed", 60, seed=4)
    whole = mf.score_captions(predictions, references, metrics=["meteor", "bleu"])
    captions = mf.Captions(references)
    parts = [captions.score(predictions[i : i + 20], ids=range(i, i + 20), metrics=["meteor"]) for i in (0, 20, 40)]
    merged = mf.Scores.merge(parts)["meteor"]
    assert merged.value == whole["meteor"].value
    assert merged.per_item.tolist() == whole["meteor"].per_item.tolist()


def test_sums_of_additive_rows_give_the_score_and_its_derivative():
    score = mf.score_captions(*pairs("english", 80, seed=5), metrics=["meteor"])["meteor"]
    additive = additive_statistics(score)
    sums = additive.rows.sum(axis=0)
    assert additive.of_sums(sums[None], np.array([80]))[0] == score.value
    gradient = additive.gradient(sums, 80)
    for column in np.flatnonzero(sums):
        step = np.zeros(len(sums))
        step[column] = 1e-3
        high, low = additive.of_sums(np.array([sums + step, sums - step]), np.array([80, 80]))
        assert gradient[column] == pytest.approx((high - low) / 2e-3, rel=1e-4, abs=1e-9)
