"""The replacement for sacrebleu's paired tests: the numbers of sacrebleu, live and recorded, to the last bit."""

import json
import logging
import sys
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.significance import PairedTest

import muge_fast as mf
from data import CaptionSet, caption_set, samples
from muge_fast.compat.sacrebleu import Result, paired_test

GOLDEN = Path(__file__).parent / "golden"
NUMPY = int(np.__version__.partition(".")[0])

RECORDED = {version: json.loads((GOLDEN / f"sacrebleu_paired_numpy_{version}.json").read_text()) for version in (1, 2)}

# The `sum` of Python 3.12 and later compensates its rounding errors.
same_sum = pytest.mark.skipif(sys.version_info >= (3, 12), reason="sum() of floats rounds differently")


# Recorded values


@cache
def sample_texts() -> tuple[list[list[str]], dict[str, list[str]]]:
    names = ("base", "large", "template")
    texts = {name[0]: [row["text"] for row in samples(f"IC_sample.pred.{name}.jsonl")] for name in names}
    return [row["text"] for row in samples("IC_sample.jsonl")], texts


def sample_systems(patterns: dict[str, str], **options) -> dict[str, mf.Scores]:
    """Score captions of the sample files; a pattern has a letter for each item, the first one of the file's name."""
    references, texts = sample_texts()
    options = {"tokenizer": "zh", "smoothing": "exp", "metrics": ["bleu"], **options}
    return {
        name: mf.score_captions(
            [texts[letter][i] for i, letter in enumerate(pattern)], references[: len(pattern)], **options
        )
        for name, pattern in patterns.items()
    }


@pytest.mark.parametrize("index", range(len(RECORDED[1]["cases"])))
@pytest.mark.parametrize("version", [1, 2])
def test_recorded_values_of_sacrebleu_are_reproduced_to_the_last_bit(version, index):
    recorded = RECORDED[version]
    case = recorded["cases"][index]
    systems = sample_systems(recorded["systems"][case["set"]], **case["options"])
    results = paired_test(systems, **case["arguments"], numpy=version)
    assert {name: vars(result) for name, result in results.items()} == case["results"]
    assert list(results) == list(systems)


def test_the_worked_example_of_twelve_items():
    # The values that sacrebleu 2.6.0 prints for it with NumPy 2.4.6.
    results = paired_test(sample_systems(RECORDED[2]["systems"]["few"]), test="bs", samples=1000)
    assert results["A"] == Result(7.251611763760946, None, 7.151507194483924, 2.3770528074137176)
    assert results["B"] == Result(14.225813039398712, 0.01098901098901099, 14.206962630827013, 4.9245550969505745)
    assert results["same"].p_value == 1 / 1001


# sacrebleu itself


def peer(captions: CaptionSet, systems: dict[str, list[str]], smoothing: str, value: float | None, **options) -> BLEU:
    most = max(map(len, captions.references))
    streams = [[texts[n] if n < len(texts) else None for texts in captions.references] for n in range(most)]
    logging.getLogger("sacrebleu").setLevel(logging.ERROR)
    bleu = BLEU(tokenize="zh", force=True, smooth_method=smoothing, smooth_value=value, references=streams)
    _, table = PairedTest(list(systems.items()), {"BLEU": bleu}, None, **options)()
    return {name: vars(result) for name, result in zip(table["System"], table["BLEU"], strict=True)}


def variants(captions: CaptionSet, seed: int) -> dict[str, list[str]]:
    """Return three systems; the later ones take some captions from the references, from another item or cut them."""
    random = Random(seed)
    copied = [random.choice(gold) if random.random() < 0.03 else text for text, gold in captions_and_gold(captions)]
    mixed = [random.choice(captions.predictions) if random.random() < 0.1 else text for text in copied]
    cut = [text[: len(text) // 2] if random.random() < 0.2 else text for text in captions.predictions]
    return {"base": captions.predictions, "copied": copied, "mixed": mixed, "cut": cut}


def captions_and_gold(captions: CaptionSet):
    return zip(captions.predictions, captions.references, strict=True)


def scored(captions: CaptionSet, systems: dict[str, list[str]], **options) -> dict[str, mf.Score]:
    prepared = mf.Captions(captions.references, tokenizer="zh")
    return {name: prepared.score(texts, metrics=["bleu"], **options)["bleu"] for name, texts in systems.items()}


@same_sum
@pytest.mark.parametrize("test", ["bs", "ar"])
def test_two_thousand_items_have_the_bits_of_sacrebleu(test, monkeypatch):
    monkeypatch.setenv("SACREBLEU_SEED", "12345")
    captions = caption_set(2000, 11, references=3)
    systems = variants(captions, 1)
    samples = 200
    expected = peer(captions, systems, "exp", None, test_type=test, n_samples=samples)
    results = paired_test(scored(captions, systems, smoothing="exp"), test, samples, numpy=min(NUMPY, 2))
    assert {name: vars(result) for name, result in results.items()} == expected


@same_sum
@pytest.mark.parametrize("seed", [1, 2**32 - 1, 2**70 + 3])
@pytest.mark.parametrize(
    ("smoothing", "value"), [("exp", None), ("floor", 0.07), ("add-k", 0.7), ("add-k", 2.0), ("none", None)]
)
def test_small_sets_have_the_bits_of_sacrebleu(smoothing, value, seed, monkeypatch):
    monkeypatch.setenv("SACREBLEU_SEED", str(seed))
    captions = caption_set(5 + seed % 7, seed, references=2)
    systems = variants(captions, seed)
    scores = scored(captions, systems, smoothing=smoothing, smoothing_value=value)
    for options in ({"test": "bs"}, {"test": "ar"}, {"test": "ar", "n_ar_confidence": 60}):
        renamed = {"test_type": options["test"], "n_ar_confidence": options.get("n_ar_confidence", -1)}
        expected = peer(captions, systems, smoothing, value, n_samples=50, **renamed)
        results = paired_test(scores, samples=50, seed=seed, numpy=min(NUMPY, 2), **options)
        assert {name: vars(result) for name, result in results.items()} == expected


# Statistics that texts seldom have


class Rows(BLEU):
    """sacrebleu's BLEU of statistics in place of texts."""

    def __init__(self, **options):
        super().__init__(**options)
        self.num_refs = 1

    def _extract_corpus_statistics(self, hypotheses, references):  # noqa: ARG002 - the name is sacrebleu's
        return [list(map(int, row)) for row in hypotheses]


def of_rows(rows, **options) -> mf.Score:
    score = mf.score_captions(["红"], [["红"]], tokenizer="zh", metrics=["bleu"], **options)["bleu"]
    return score.with_statistics(rows)


def random_rows(random: np.random.Generator, items: int, largest: int) -> np.ndarray:
    lengths = random.integers(0, largest, items)
    ngrams = np.maximum(lengths[:, None] - np.arange(4), 0)
    matches = random.binomial(ngrams, [0.5, 0.2, 0.05, 0.01])
    return np.hstack([lengths[:, None], random.integers(1, largest, (items, 1)), matches, ngrams]).astype(float)


@same_sum
@pytest.mark.parametrize(
    ("items", "largest"),
    [(2, 6), (3, 3), (9, 12), (40, 30), pytest.param(300, 200_000, id="sums are rounded in single precision")],
)
@pytest.mark.parametrize(("smoothing", "value"), [("exp", None), ("floor", None), ("add-k", 0.3)])
def test_random_statistics_have_the_bits_of_sacrebleu(items, largest, smoothing, value, monkeypatch):
    monkeypatch.setenv("SACREBLEU_SEED", "12345")
    random = np.random.default_rng(items)
    systems = {name: random_rows(random, items, largest) for name in ("first", "second", "third")}
    systems["same"] = systems["first"]
    ours = {name: of_rows(rows, smoothing=smoothing, smoothing_value=value) for name, rows in systems.items()}
    for test, confidence in [("bs", -1), ("ar", 50)]:
        metric = Rows(smooth_method=smoothing, smooth_value=value)
        options = {"test_type": test, "n_samples": 80, "n_ar_confidence": confidence}
        _, table = PairedTest(list(systems.items()), {"BLEU": metric}, None, **options)()
        expected = {name: vars(result) for name, result in zip(table["System"], table["BLEU"], strict=True)}
        results = paired_test(ours, test, 80, numpy=min(NUMPY, 2), n_ar_confidence=confidence)
        assert {name: vars(result) for name, result in results.items()} == expected


# Input


def pair(**options) -> dict[str, mf.Scores]:
    references = {"a": ["红色连衣裙"], "b": ["黑色皮鞋"], "c": ["白色衬衫"]}
    options = {"tokenizer": "zh", "smoothing": "exp", "metrics": ["bleu", "rouge_l"], **options}
    first = {"a": "红色裙子", "b": "黑色皮鞋", "c": "白衬衫"}
    second = {"a": "红色连衣裙", "b": "黑皮鞋", "c": "白色衬衫"}
    return {
        "first": mf.score_captions(first, references, **options),
        "second": mf.score_captions(second, references, **options),
    }


def test_scores_with_ids_are_brought_into_the_order_of_the_baseline():
    systems = pair()
    backwards = mf.score_captions(
        {"c": "白色衬衫", "b": "黑皮鞋", "a": "红色连衣裙"},
        {"c": ["白色衬衫"], "b": ["黑色皮鞋"], "a": ["红色连衣裙"]},
        tokenizer="zh",
        smoothing="exp",
        metrics=["bleu"],
    )
    assert backwards.ids == ["c", "b", "a"]
    expected = paired_test(systems, "bs", 100)
    assert paired_test({**systems, "second": backwards}, "bs", 100) == expected
    assert paired_test({name: scores["bleu"] for name, scores in systems.items()}, "bs", 100) == expected


def test_results_depend_neither_on_threads_nor_on_blocks_nor_on_the_other_systems(monkeypatch):
    systems = sample_systems(RECORDED[2]["systems"]["all"])
    whole = {test: paired_test(systems, test, 300, n_ar_confidence=40) for test in ("bs", "ar")}
    two = {name: systems[name] for name in ("base", "mixed")}
    monkeypatch.setattr("muge_fast.significance.stream.BLOCK", 700)
    for test, results in whole.items():
        assert paired_test(systems, test, 300, n_ar_confidence=40, threads=2) == results
        assert paired_test(two, test, 300, n_ar_confidence=40) == {name: results[name] for name in two}


def test_the_smoothing_of_pycocoevalcap_is_tested_by_the_same_rules():
    systems = pair(smoothing="tiny")
    scores = [scores["bleu"] for scores in systems.values()]
    first, second = (score.statistics.rows for score in scores)
    indices = np.random.default_rng(12345).integers(0, 3, (200, 3))
    one, two = (
        np.array([100 * score.with_statistics(rows[index]).value for index in indices])
        for score, rows in zip(scores, (first, second), strict=True)
    )
    changes = np.abs(two - one)
    larger = (changes - changes.mean() > 100 * abs(scores[1] - scores[0])).sum()
    result = paired_test(systems, "bs", 200)["second"]
    assert result.p_value == (larger + 1) / 201
    assert result.score == pytest.approx(100 * scores[1])
    assert result.mean == pytest.approx(two.mean())
    assert result.ci == pytest.approx((np.sort(two)[194] - np.sort(two)[5]) / 2)


def test_a_seed_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"seed is 0, with which sacrebleu draws .* no seed can reproduce its numbers"):
        paired_test(pair(), seed=0)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"test": "paired"}, ValueError, "unknown test 'paired', choose one of ar, bs"),
        ({"samples": 0}, ValueError, "samples must be at least 1"),
        ({"samples": 10.5}, TypeError, "samples must be an integer"),
        ({"seed": None}, TypeError, "seed must be an integer"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"numpy": 3}, ValueError, "numpy must be 1 or 2, got 3"),
        ({"n_ar_confidence": -2}, ValueError, "n_ar_confidence must be at least -1"),
        ({"threads": 0}, ValueError, "threads must be at least 1"),
    ],
)
def test_invalid_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        paired_test(pair(), **options)


def test_invalid_systems_are_refused():
    systems = pair()
    first, bleu = systems["first"], systems["first"]["bleu"]
    for wrong, error, message in [
        (list(systems.values()), TypeError, "systems must be a dict of scores by name"),
        (first, TypeError, "systems must be a dict of scores by name"),
        ({}, ValueError, "systems has 0 systems, needs a baseline and another one"),
        ({"first": first}, ValueError, "systems has 1 system, needs a baseline"),
        ({"first": first, "x": 0.5}, TypeError, r"systems\['x'\] must be a score of BLEU, got 0.5"),
        ({"first": first, "x": first["rouge_l"]}, ValueError, r"systems\['x'\] is a score of rouge_l"),
        ({"first": first, "x": bleu.with_statistics(bleu.statistics.rows[:2])}, ValueError, "has 2 items, .* 3"),
        (
            {"first": first, "x": pair(smoothing="floor")["second"]},
            ValueError,
            r"systems\['x'\] was scored as bleu.*floor",
        ),
        ({"first": first, "x": bleu.with_statistics(bleu.statistics.rows + 0.5)}, ValueError, "item 0 are not counts"),
        ({"one": bleu.with_statistics(bleu.statistics.rows[:1]), "x": bleu}, ValueError, "'one'.* has 1 item, needs"),
    ]:
        with pytest.raises(error, match=message):
            paired_test(wrong)
    other = mf.score_captions(
        {"a": "红", "b": "黑", "d": "白"}, {k: ["红"] for k in "abd"}, tokenizer="zh", smoothing="exp"
    )
    with pytest.raises(ValueError, match=r"systems\['x'\] lack 1 id of systems\['first'\]: 'c'"):
        paired_test({"first": first, "x": other})
    rouge = mf.score_captions(["红", "黑"], [["红"], ["黑"]], metrics=["rouge_l"])
    with pytest.raises(ValueError, match=r"systems\['x'\] has no BLEU, only rouge_l"):
        paired_test({"first": first, "x": rouge})


def test_identical_systems_are_significant_as_in_sacrebleu_and_not_by_an_exact_test():
    systems = sample_systems({"base": "b" * 12, "same": "b" * 12})
    assert paired_test(systems, "ar")["same"].p_value == 1 / 10_001
