"""Caption metrics have the numbers of the reference implementations."""

import json
import math
import time
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pytest
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider_scorer import CiderScorer
from pycocoevalcap.rouge.rouge import Rouge
from sacrebleu.metrics.bleu import BLEU

import data
import muge_fast as mf
import oracle

GOLDEN = Path(__file__).parent / "golden"
TOKENIZE = {"muge": oracle.muge, "char": oracle.char, "whitespace": str.split, "space": lambda text: text.split(" ")}

# Texts on which definitions of white space, of empty texts and of short texts make a difference.
ODD_TEXTS = ["", "a", "a b", " a  b ", "a b c d", "a a a a a a", "红\u3000裙", "a\tb\nc", "b a", "c d a b c d a b"]


@cache
def large() -> data.CaptionSet:
    return data.caption_set(10_000, seed=1)


@cache
def long() -> data.CaptionSet:
    return data.caption_set(300, seed=2, references=5, length=(6, 9))


@cache
def odd() -> data.CaptionSet:
    random = Random(3)
    gold = [random.choices(ODD_TEXTS, k=random.randint(1, 4)) for _ in range(400)]
    return data.CaptionSet(random.choices(ODD_TEXTS, k=400), gold)


SETS = [pytest.param(large, id="10,000 items", marks=pytest.mark.slow), pytest.param(long, id="long captions")]
by_set = pytest.mark.parametrize("make", SETS)


def coco(captions: data.CaptionSet, tokenize=oracle.muge) -> tuple[dict, dict]:
    """Return references and predictions in pycocoevalcap's form: tokens joined by spaces."""
    references = {i: [" ".join(tokenize(text)) for text in texts] for i, texts in enumerate(captions.references)}
    return references, {i: [" ".join(tokenize(text))] for i, text in enumerate(captions.predictions)}


def score(captions: data.CaptionSet, metric: str, **options) -> mf.Score:
    return mf.score_captions(captions.predictions, captions.references, metrics=(metric,), **options)[metric]


@by_set
def test_bleu_has_the_bits_of_pycocoevalcap(make):
    by_order, items = Bleu(4).compute_score(*coco(make()), verbose=0)
    bleu = score(make(), "bleu")
    np.testing.assert_array_equal(bleu.per_item, items[3])
    assert [bleu.parts[f"bleu_{order}"] for order in oracle.ORDERS] == by_order
    assert bleu.value == by_order[3]


@by_set
def test_rouge_l_has_the_bits_of_pycocoevalcap(make):
    value, items = Rouge().compute_score(*coco(make()))
    rouge = score(make(), "rouge_l")
    np.testing.assert_array_equal(rouge.per_item, items)
    assert rouge.value == value


@by_set
def test_cider_d_has_the_bits_of_pycocoevalcap(make):
    references, predictions = coco(make())
    scorer = CiderScorer()
    for i, texts in references.items():
        scorer += (predictions[i][0], texts)
    value, items = scorer.compute_score()
    cider = score(make(), "cider_d")
    if numpy_logs_like_libm({len(references), *scorer.document_frequency.values()}):
        np.testing.assert_array_equal(cider.per_item, items)
        assert cider.value == value
    np.testing.assert_allclose(cider.per_item, items, rtol=0, atol=1e-12)
    assert cider.value == pytest.approx(value, abs=1e-12)
    # Prepared references use other code.
    prepared = mf.Captions(make().references).score(make().predictions, metrics=("cider_d",))
    np.testing.assert_array_equal(prepared["cider_d"].per_item, cider.per_item)


def numpy_logs_like_libm(counts: set[float]) -> bool:
    """Return whether NumPy's logarithms of these numbers have the bits of the C library's.

    NumPy's AVX-512 logarithm differs in the last bit at some whole numbers, such as 9170, so there the bits of the
    reference implementation depend on the processor.
    """
    return all(np.log(max(1.0, count)) == math.log(max(1.0, count)) for count in counts)


def test_unusual_texts_score_as_in_pycocoevalcap():
    references = dict(enumerate(odd().references))
    predictions = {i: [text] for i, text in enumerate(odd().predictions)}
    _, bleu = Bleu(4).compute_score(references, predictions, verbose=0)
    np.testing.assert_array_equal(score(odd(), "bleu", tokenizer="whitespace").per_item, bleu[3])
    # ROUGE-L splits at each single space, BLEU and CIDEr-D at white space.
    value, rouge = Rouge().compute_score(references, predictions)
    np.testing.assert_array_equal(score(odd(), "rouge_l", tokenizer="space").per_item, rouge)
    assert score(odd(), "rouge_l", tokenizer="space").value == value
    scorer = CiderScorer()
    for i, texts in references.items():
        scorer += (predictions[i][0], texts)
    _, cider = scorer.compute_score()
    np.testing.assert_allclose(score(odd(), "cider_d", tokenizer="whitespace").per_item, cider, rtol=0, atol=1e-12)


@pytest.mark.parametrize("sigma", [0.5, 6, 6.5, 40])
def test_cider_d_with_other_sigmas(sigma):
    captions = data.caption_set(50, seed=4)
    references, predictions = coco(captions)
    scorer = CiderScorer(sigma=sigma)
    for i, texts in references.items():
        scorer += (predictions[i][0], texts)
    _, items = scorer.compute_score()
    np.testing.assert_allclose(score(captions, "cider_d", sigma=sigma).per_item, items, rtol=0, atol=1e-12)


# sacrebleu


@cache
def marked() -> data.CaptionSet:
    """Captions with words, numbers, punctuation and entities; some predictions are empty or very short."""
    random = Random(5)
    captions = data.caption_set(60, seed=5, references=4, length=(1, 3))
    words = [
        "red",
        "dress,",
        "It's",
        "50%",
        "(new/old).",
        "3,000",
        "79-81",
        "&quot;A&quot;",
        "x-ray",
        "。",
        "<skipped>",
    ]
    mixed = [" ".join(random.choices(words, k=random.randint(1, 6))) + text for text in captions.predictions]
    mixed[:4] = ["", "红", "3.5", "red dress,"]
    gold = [[f"{' '.join(random.choices(words, k=3))} {text}" for text in texts] for texts in captions.references]
    return data.CaptionSet(mixed, gold)


SMOOTHINGS = [
    ("none", None),
    ("floor", None),
    ("floor", 0.01),
    ("add-k", None),
    ("add-k", 0.5),
    ("exp", None),
]
SACREBLEU_TOKENIZERS = {"13a": "13a", "zh": "zh", "char": "char", "whitespace": "none"}
smoothed = pytest.mark.parametrize(("smoothing", "value"), SMOOTHINGS)


def sacrebleu(tokenizer: str, smoothing: str, value: float | None, **options) -> BLEU:
    # `force` suppresses a warning about text that looks tokenized.
    return BLEU(
        tokenize=SACREBLEU_TOKENIZERS[tokenizer], smooth_method=smoothing, smooth_value=value, force=True, **options
    )


def streams(references: list[list[str]]) -> list[list[str | None]]:
    """Return the first references of all items, the second ones, and so on; None for a missing one."""
    most = max(map(len, references))
    return [[texts[index] if index < len(texts) else None for texts in references] for index in range(most)]


@smoothed
@pytest.mark.parametrize("effective_order", [False, True])
@pytest.mark.parametrize("tokenizer", SACREBLEU_TOKENIZERS)
def test_bleu_equals_sacrebleu(tokenizer, smoothing, value, effective_order):
    captions = marked()
    ours = score(
        captions,
        "bleu",
        tokenizer=tokenizer,
        smoothing=smoothing,
        smoothing_value=value,
        effective_order=effective_order,
    )
    peer = sacrebleu(tokenizer, smoothing, value, effective_order=effective_order)
    corpus = peer.corpus_score(captions.predictions, streams(captions.references))
    assert ours.value == pytest.approx(corpus.score / 100, abs=1e-12)
    assert ours.parts["brevity_penalty"] == pytest.approx(corpus.bp, abs=1e-12)
    assert (ours.parts["prediction_length"], ours.parts["reference_length"]) == (corpus.sys_len, corpus.ref_len)
    items = zip(captions.predictions, captions.references, strict=True)
    sentences = [peer.sentence_score(prediction, references).score / 100 for prediction, references in items]
    np.testing.assert_allclose(ours.per_item, sentences, rtol=0, atol=1e-12)


@smoothed
@pytest.mark.parametrize("effective_order", [False, True])
def test_lower_orders_equal_sacrebleu(smoothing, value, effective_order):
    captions = marked()
    ours = score(
        captions, "bleu", tokenizer="zh", smoothing=smoothing, smoothing_value=value, effective_order=effective_order
    )
    for order in oracle.ORDERS:
        peer = sacrebleu("zh", smoothing, value, effective_order=effective_order, max_ngram_order=order)
        corpus = peer.corpus_score(captions.predictions, streams(captions.references))
        assert ours.parts[f"bleu_{order}"] == pytest.approx(corpus.score / 100, abs=1e-12)


# The oracle


@pytest.mark.parametrize("metric", ["cider", "cider_d", "bleu", "rouge_l"])
@pytest.mark.parametrize("tokenizer", TOKENIZE)
def test_all_metrics_have_the_bits_of_the_oracle(metric, tokenizer):
    captions = data.caption_set(300, seed=6, references=5)
    expected = oracle.Oracle.from_texts(captions.predictions, captions.references, TOKENIZE[tokenizer])
    np.testing.assert_array_equal(score(captions, metric, tokenizer=tokenizer).per_item, expected.per_item(metric))


@smoothed
def test_smoothed_bleu_equals_the_oracle(smoothing, value):
    captions = data.letters(50, seed=7, alphabet="abc", length=8)
    ours = score(captions, "bleu", tokenizer="char", smoothing=smoothing, smoothing_value=value)
    expected = oracle.Oracle.from_texts(captions.predictions, captions.references, oracle.char)
    items = [oracle.bleu(counts, smoothing, value)[-1] for counts in expected.bleu_counts()]
    np.testing.assert_allclose(ours.per_item, items, rtol=0, atol=1e-12)
    assert ours.value == pytest.approx(expected.bleu(smoothing, value)[-1], abs=1e-12)


# Recorded values, which the Rust tests also read


# Other files have comparisons of systems.
RECORDED = [path for path in sorted(GOLDEN.glob("*.json")) if '\n "metric": ' in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_values_are_reproduced(path):
    golden = json.loads(path.read_text(encoding="utf-8"))
    if golden["metric"] == "tokens":
        for case in golden["cases"]:
            assert mf.tokenize(golden["texts"], case["tokenizer"]) == case["tokens"]
        return
    for case in golden["cases"]:
        captions = data.CaptionSet(golden["predictions"], golden["references"])
        result = score(captions, golden["metric"], **case["options"])
        np.testing.assert_allclose(result.per_item, case["per_item"], rtol=0, atol=1e-12)
        assert result.value == pytest.approx(case["value"], abs=1e-12)
        for name, part in case.get("parts", {}).items():
            assert result.parts[name] == pytest.approx(part, abs=1e-12)


def test_every_metric_has_recorded_values():
    recorded = {json.loads(path.read_text(encoding="utf-8"))["metric"] for path in RECORDED}
    assert recorded == {"bleu", "rouge_l", "cider_d", "cider", "tokens"}


def test_the_samples_rank_as_their_readme_says():
    references = mf.Captions({row["image_id"]: row["text"] for row in data.samples("IC_sample.jsonl")})
    values = []
    for system in ("template", "base", "large"):
        rows = data.samples(f"IC_sample.pred.{system}.jsonl")
        scores = references.score({row["image_id"]: row["text"] for row in rows})
        values.append([score.value for score in scores.values()])
    assert values == sorted(values)
    assert all(low < high for i in (0, 1) for low, high in zip(values[i], values[i + 1], strict=True))


# Shards


def test_an_id_may_be_repeated_in_one_shard_alone():
    references = mf.Captions({"a": ["红裙"], "b": ["黑鞋"]})
    once, twice = (references.score(["红"] * len(ids), ids=list(ids), metrics=("bleu",)) for ids in ("b", "aa"))
    assert mf.Scores.merge([twice]).ids == ["a", "a"]
    assert mf.Scores.merge([once, twice]).ids == ["b", "a", "a"]
    again = references.score(["红"], ids=["a"], metrics=("bleu",))
    for shards in ([once, twice, again], [again, once, twice]):
        with pytest.raises(ValueError, match=r"^id 'a' is in more than one shard$"):
            mf.Scores.merge(shards)


def test_a_repeated_id_is_found_in_linear_time():
    count = 200_000
    # Comparing each id with all earlier ones would take minutes.
    start = time.perf_counter()
    with pytest.raises(ValueError, match="id 199999 is in"):
        mf.Scores.merge([mf.Scores({}, count, list(range(count))), mf.Scores({}, 1, [count - 1])])
    assert time.perf_counter() - start < 10
