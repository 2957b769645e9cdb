"""The drop-ins against the originals: the same bits, types, printed lines and exceptions."""

import hashlib
import json
import math
import pickle
import random
from collections import Counter
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pycocoevalcap.eval as original_eval
import pytest
from pycocoevalcap.bleu.bleu import Bleu as OriginalBleu
from pycocoevalcap.cider.cider import Cider as OriginalCider
from pycocoevalcap.rouge.rouge import Rouge as OriginalRouge

import muge_fast as mf
from muge_fast.compat.pycocoevalcap import Bleu, Cider, CiderD, COCOEvalCap, Meteor, PTBTokenizer, Rouge
from ptb_texts import coco_captions

WORDS = [*"红黑白色长短裙衫鞋包", "T恤", "iPhone", "a", "A", "é", "e\u0301", "👗", "\u200b", "的" * 30]
SPACES = ["  ", "   ", "\t", "\n", "\r\n", "\u3000", "\xa0", "\x1c", "\x85", "\u2003", " \u3000 "]


def caption(rng, longest, words=WORDS, odd=0.1):
    """Text of up to `longest` words; a fraction `odd` of the gaps, also at the ends, is not a single space."""
    gap = lambda usual: rng.choice(SPACES) if rng.random() < odd else usual  # noqa: E731
    tokens = rng.choices(words, k=rng.randint(0, longest))
    return gap("") + "".join(token + gap(" ") for token in tokens[:-1]) + "".join(tokens[-1:]) + gap("")


def variant(rng, text):
    """The text with a few characters dropped or doubled."""
    return "".join(character * rng.choice([1, 1, 1, 1, 1, 0, 2]) for character in text)


def corpus(seed, items, references=(1, 5), longest=12, **options):
    rng = random.Random(seed)
    gts = {
        f"image {item}": [caption(rng, longest, **options) for _ in range(rng.randint(*references))]
        for item in range(items)
    }
    res = {
        item: [variant(rng, rng.choice(texts)) if rng.random() < 0.7 else caption(rng, longest, **options)]
        for item, texts in gts.items()
    }
    return gts, dict(rng.sample(list(res.items()), items))


CORPORA = {
    "one item": corpus(1, 1, longest=20),
    "one item, ten references": corpus(2, 1, (10, 10), longest=20),
    "two items": corpus(3, 2, longest=20),
    "seven items": corpus(4, 7),
    "eight items": corpus(5, 8),
    "129 items": corpus(6, 129, longest=8),
    "300 items": corpus(7, 300, (1, 3), longest=9),
    "one to ten references": corpus(8, 40, (1, 10)),
    "single spaces": corpus(9, 40, odd=0.0),
    "white space everywhere": corpus(10, 40, odd=0.8),
    "two words": corpus(11, 30, longest=30, words=["a", "b"]),
    "one word": corpus(12, 20, longest=15, words=["裙"]),
    "up to 300 words": corpus(13, 6, (1, 3), longest=300),
    "up to 3 words": corpus(14, 60, longest=3),
    "mostly empty": corpus(15, 60, longest=1),
    "identical": ({item: ["红 色 长 裙", "红 裙"] for item in range(5)}, {item: ["红 色 长 裙"] for item in range(5)}),
    "perfect": (
        {item: [f"红 色 {item} 长 裙"] for item in range(9)},
        {item: [f"红 色 {item} 长 裙"] for item in range(9)},
    ),
    "empty captions": ({1: ["红 色"], 2: ["裙"]}, {1: [""], 2: ["  "]}),
    "empty references": ({1: ["", " "], 2: ["裙"]}, {1: ["红 色 长 裙 子"], 2: [""]}),
    "all references empty": ({1: [""], 2: [" \u3000"]}, {1: ["红 色"], 2: [""]}),
    "all empty": ({1: [""], 2: [""]}, {1: [""], 2: [""]}),
    "nothing": ({}, {}),
    "ids of several types": ({1: ["a b"], "1": ["b c"], (1, 2): ["a"]}, {(1, 2): ["a"], "1": ["c b"], 1: ["b a"]}),
}

BROKEN = {
    "id without caption": ({1: ["a"], 2: ["b"]}, {1: ["a"]}),
    "id without references": ({1: ["a"]}, {1: ["a"], 2: ["b"]}),
    "other ids": ({1: ["a"], 2: ["b"], 3: ["c"]}, {"1": ["a"], "2": ["b"], "3": ["c"]}),
    "no caption": ({1: ["a"]}, {1: []}),
    "two captions": ({1: ["a"]}, {1: ["a", "b"]}),
    "caption not in a list": ({1: ["a b"]}, {1: "a b"}),
    "caption of one letter not in a list": ({1: ["a"]}, {1: "a"}),
    "caption in a tuple": ({1: ["a"]}, {1: ("a",)}),
    "no reference": ({1: []}, {1: ["a"]}),
    "reference not in a list": ({1: "a b"}, {1: ["a b"]}),
    "references in a tuple": ({1: ("a", "b")}, {1: ["a"]}),
    "lists for dicts": ([["a"]], [["a"]]),
}


def assert_same(ours, theirs):
    """Check that types, lengths and bits are equal, recursively."""
    assert type(ours) is type(theirs)
    if isinstance(ours, (list, tuple)):
        assert len(ours) == len(theirs)
        for our, their in zip(ours, theirs, strict=True):
            assert_same(our, their)
    elif isinstance(ours, dict):
        assert list(ours) == list(theirs)
        assert_same(list(ours.values()), list(theirs.values()))
    elif isinstance(ours, np.ndarray):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        assert ours.tobytes() == theirs.tobytes()
    elif isinstance(ours, float):
        assert float(ours).hex() == float(theirs).hex()
    else:
        assert ours == theirs


def outcome(scorer, *arguments):
    """Return the result of a scorer, or the type of its exception."""
    try:
        return scorer.compute_score(*arguments)
    except Exception as error:  # noqa: BLE001
        return type(error)


@pytest.mark.parametrize("name", CORPORA)
def test_same_scores(name):
    gts, res = CORPORA[name]
    for ours, theirs in [(Bleu(), OriginalBleu()), (Cider(), OriginalCider()), (Rouge(), OriginalRouge())]:
        assert_same(outcome(ours, gts, res), outcome(theirs, gts, res))
        assert ours.method() == theirs.method()


def test_typical_scores_are_in_range():
    gts, res = CORPORA["129 items"]
    bleu, cider, rouge = (outcome(scorer, gts, res) for scorer in (Bleu(), Cider(), Rouge()))
    assert 0.1 < bleu[0][3] < 1
    assert 0.5 < cider[0] < 10
    assert 0.1 < rouge[0] < 1


RAW = {"a": ["红色连衣裙夏季新款"], "b": ["黑色真皮男鞋"]}


@pytest.mark.parametrize("scorer", [Bleu(), Cider(), Rouge(), CiderD()], ids=lambda scorer: scorer.method())
def test_chinese_text_that_is_not_cut_warns(scorer):
    gts = {item: [text[::-1], text] for item, text in zip(RAW, ("夏季新款红色长裙", "男士黑皮鞋"), strict=True)}
    res = [{"image_id": item, "caption": texts} for item, texts in RAW.items()]
    with pytest.warns(UserWarning, match=r"pycocoevalcap splits at spaces.*muge_fast\.tokenize\(texts\)") as caught:
        scorer.compute_score(gts, res if isinstance(scorer, CiderD) else RAW)
    assert caught[0].filename == __file__
    cut = {item: [" ".join(tokens) for tokens in mf.tokenize(texts)] for item, texts in RAW.items()}
    assert Rouge().compute_score(cut, cut)[0] == 1.0


@pytest.mark.parametrize("name", ["one item", "seven items", "white space everywhere", "mostly empty", "nothing"])
@pytest.mark.parametrize("n", [-1, 0, 1, 2, 3, 4])
@pytest.mark.parametrize("verbose", [0, 1, 2, True, False])
def test_bleu_prints_the_same(name, n, verbose, capsys):
    gts, res = CORPORA[name]
    ours, ours_printed = outcome(Bleu(n), gts, res, verbose), capsys.readouterr()
    theirs, theirs_printed = outcome(OriginalBleu(n), gts, res, verbose), capsys.readouterr()
    assert_same(ours, theirs)
    assert ours_printed == theirs_printed


def test_bleu_prints_totals_by_default(capsys):
    Bleu().compute_score({1: ["a b"]}, {1: ["a b"]})
    assert "'testlen': 2" in capsys.readouterr().out


@pytest.mark.parametrize("n", [5, 9])
@pytest.mark.parametrize("name", ["one item", "all empty"])
def test_bleu_of_more_than_four_orders_is_an_index_error(name, n, capsys):
    assert outcome(Bleu(n), *CORPORA[name]) is outcome(OriginalBleu(n), *CORPORA[name]) is IndexError
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["seven items", "up to 3 words", "mostly empty", "empty captions", "all empty", "nothing"]
)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7])
def test_cider_of_other_orders(name, n):
    gts, res = CORPORA[name]
    assert_same(outcome(Cider(n=n), gts, res), outcome(OriginalCider(n=n), gts, res))


@pytest.mark.parametrize("n", [0, -1])
def test_cider_of_no_orders(n):
    assert (
        outcome(Cider(n=n), *CORPORA["identical"]) is outcome(OriginalCider(n=n), *CORPORA["identical"]) is IndexError
    )


@pytest.mark.parametrize("n", [8, 20])
def test_cider_of_very_many_orders(n):
    gts, res = CORPORA["129 items"]
    (ours, our_scores), (theirs, their_scores) = (
        Cider(n=n).compute_score(gts, res),
        OriginalCider(n=n).compute_score(gts, res),
    )
    np.testing.assert_allclose([ours, *our_scores], [theirs, *their_scores], rtol=1e-15, atol=0)


@pytest.mark.parametrize("sigma", [0, 0.0, 0.3, 1, 2.5, 6, 100.0, 1e-8, math.inf])
def test_cider_of_other_widths(sigma):
    gts, res = CORPORA["seven items"]
    assert_same(outcome(Cider(sigma=sigma), gts, res), outcome(OriginalCider(sigma=sigma), gts, res))


def test_cider_takes_the_arguments_of_the_original():
    gts, res = CORPORA["129 items"]
    assert_same(
        Cider(None, None, 4, 2.0).compute_score(gts, res), OriginalCider(None, None, 4, 2.0).compute_score(gts, res)
    )


@pytest.mark.parametrize("name", BROKEN)
def test_same_exceptions(name):
    for ours, theirs in [(Bleu(), OriginalBleu()), (Cider(), OriginalCider()), (Rouge(), OriginalRouge())]:
        assert outcome(ours, *BROKEN[name]) is outcome(theirs, *BROKEN[name])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("id without caption", "gts and res have different ids: res lacks 2"),
        ("id without references", "gts and res have different ids: gts lacks 2"),
        ("other ids", "gts and res have different ids: res lacks 1 and 2 more"),
        ("two captions", "caption of 1: expected a list of one str, found a list of 2"),
        ("caption in a tuple", "caption of 1: expected a list of one str, found tuple"),
        ("no reference", "references of 1: expected a list of str, found a list of 0"),
    ],
)
def test_assertions_name_the_id(name, message):
    for scorer in (Bleu(), Cider(), Rouge()):
        with pytest.raises(AssertionError) as error:
            scorer.compute_score(*BROKEN[name])
        assert str(error.value) == message


@pytest.mark.parametrize("scorer", [Bleu(), Cider(), Rouge()], ids=lambda scorer: scorer.method())
def test_texts_of_the_wrong_type_are_named(scorer):
    with pytest.raises(TypeError, match=r"predictions\['b'\]: expected str, found NoneType"):
        scorer.compute_score({"a": ["x"], "b": ["x"]}, {"a": ["x"], "b": [None]})
    with pytest.raises(TypeError, match=r"references\['a'\]\[1\]: expected str, found float"):
        scorer.compute_score({"a": ["x", math.nan]}, {"a": ["x"]})
    with pytest.raises(ValueError, match=r"references\['a'\]\[0\]: lone surrogate at character 1"):
        scorer.compute_score({"a": ["x\ud800"]}, {"a": ["x"]})


def test_arguments_are_not_changed():
    gts, res = corpus(20, 10)
    before = pickle.dumps((gts, res))
    for scorer in (Bleu(), Cider(), Rouge()):
        scorer.compute_score(gts, res)
    assert pickle.dumps((gts, res)) == before


@pytest.mark.parametrize("name", ["white space everywhere", "mostly empty", "up to 300 words"])
def test_rouge_of_single_captions(name):
    gts, res = CORPORA[name]
    for item in gts:
        assert_same(Rouge().calc_score(res[item], gts[item]), OriginalRouge().calc_score(res[item], gts[item]))
    assert_same(Rouge().calc_score(("a b",), ("b", "a c")), OriginalRouge().calc_score(("a b",), ("b", "a c")))


@pytest.mark.parametrize(("candidate", "refs"), [(["a", "b"], ["a"]), (["a"], []), ("ab", ["ab"])])
def test_rouge_refuses_what_the_original_refuses(candidate, refs):
    for rouge in (Rouge(), OriginalRouge()):
        with pytest.raises(AssertionError):
            rouge.calc_score(candidate, refs)


def test_beta_of_rouge_is_read_only():
    assert Rouge().beta == OriginalRouge().beta
    with pytest.raises(AttributeError):
        Rouge().beta = 1.0


# CiderD of ruotianluo/cider is not in any package; its definition is restated here.


def ngrams(text, order):
    words = text.split()
    return [tuple(words[start : start + order]) for start in range(len(words) - order + 1)]


def count_documents(references_of_entries):
    """Return the number of entries in which each n-gram occurs."""
    counts = Counter()
    for references in references_of_entries:
        counts.update({ngram for text in references for order in range(1, 5) for ngram in ngrams(text, order)})
    return counts


def plain_cider_d(gts, res, documents, frequency, n=4):
    def vector(text, order):
        counts = Counter(ngrams(text, order))
        return {ngram: count * math.log(documents / max(1, frequency.get(ngram, 0))) for ngram, count in counts.items()}

    def similarity(caption, reference, order):
        a, b = vector(caption, order), vector(reference, order)
        product = sum(min(a[ngram], b[ngram]) * b[ngram] for ngram in a.keys() & b.keys())
        norms = math.hypot(*a.values()) * math.hypot(*b.values())
        return product / norms if norms else product

    def score(caption, reference):
        difference = max(0, len(caption.split()) - 1) - max(0, len(reference.split()) - 1)
        penalty = math.exp(-(difference**2) / (2 * 6.0**2))
        return penalty * sum(similarity(caption, reference, order) for order in range(1, 5)) / n

    rows = [(row["caption"][0], gts[row["image_id"]]) for row in res]
    return [10 * sum(score(caption, text) for text in references) / len(references) for caption, references in rows]


def entries(seed, items, captions):
    """Return captions as a list, with repeated image ids and ids without a caption."""
    gts, _ = corpus(seed, items)
    rng = random.Random(seed)
    ids = rng.choices(list(gts), k=captions)
    return gts, [{"image_id": item, "caption": [variant(rng, rng.choice(gts[item]))]} for item in ids]


def assert_close(result, expected):
    score, scores = result
    assert (type(score), type(scores), scores.dtype) == (np.float64, np.ndarray, np.float64)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)
    assert score == np.mean(scores)


@pytest.mark.parametrize(("items", "captions"), [(1, 1), (3, 2), (5, 40), (60, 60), (200, 50)])
def test_cider_d_of_the_corpus_counts_repeated_images_each_time(items, captions):
    gts, res = entries(items, items, captions)
    result = CiderD().compute_score(gts, res)
    references = {index: gts[row["image_id"]] for index, row in enumerate(res)}
    captions = {index: row["caption"] for index, row in enumerate(res)}
    assert_same(result, OriginalCider().compute_score(references, captions))
    assert_close(result, plain_cider_d(gts, res, len(res), count_documents(references.values())))


@pytest.mark.parametrize("items", [1, 2, 50])
@pytest.mark.parametrize("n", [4, 6])
def test_cider_d_with_counted_frequencies(items, n):
    train, _ = corpus(31, 100)
    gts, res = entries(items + 40, items, 2 * items)
    frequency = mf.DocumentFrequency.from_references(train, tokenizer="whitespace")
    expected = plain_cider_d(gts, res, 100, count_documents(train.values()), n)
    assert_close(CiderD(n, df=frequency).compute_score(gts, res), expected)
    assert max(expected) > 0.1


def test_cider_d_with_impossible_frequencies():
    # An n-gram in more documents than there are, or than contain its first tokens: weights below zero.
    gts, res = entries(51, 20, 60)
    rng = random.Random(51)
    counts = {ngram: rng.choice([0, 1, 5, 90, 300]) for ngram in count_documents(gts.values()) if rng.random() < 0.6}
    frequency = mf.DocumentFrequency.from_counts(100.5, counts)
    assert_close(CiderD(df=frequency).compute_score(gts, res), plain_cider_d(gts, res, 100.5, counts))


def test_cider_d_of_one_caption_is_meaningful_with_frequencies():
    gts = {1: ["红 色 长 裙", "红 裙"], 2: ["黑 鞋"]}
    res = [{"image_id": 1, "caption": ["红 色 长 裙"]}]
    frequency = mf.DocumentFrequency.from_counts(1000, {("红",): 80, ("色",): 300, ("红", "色"): 70})
    assert CiderD().compute_score(gts, res)[0] == 0
    assert CiderD(df=frequency).compute_score(gts, res)[0] > 5


def test_cider_d_ignores_sigma_and_has_its_name():
    gts, res = entries(61, 10, 10)
    assert_same(CiderD(sigma=1.0).compute_score(gts, res), CiderD().compute_score(gts, res))
    assert_same(CiderD(4, 6.0, "corpus").compute_score(gts, res), CiderD().compute_score(gts, res))
    assert CiderD().method() == "CIDEr-D"


@pytest.mark.parametrize("n", [2, 3])
def test_cider_d_of_few_orders_takes_only_short_texts(n):
    gts = {1: ["a b", "a"], 2: ["b"]}
    frequency = mf.DocumentFrequency.from_counts(10, {("a",): 2})
    short = [{"image_id": 1, "caption": ["a b"]}, {"image_id": 2, "caption": ["b"]}]
    expected = plain_cider_d(gts, short, 10, {("a",): 2}, n)
    assert_close(CiderD(n, df=frequency).compute_score(gts, short), expected)
    with pytest.raises(IndexError, match=f"n is {n}, but a text has 4 tokens; use n=4"):
        CiderD(n, df=frequency).compute_score(gts, [{"image_id": 1, "caption": ["a b a b"]}])


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """A folder with `data/coco-train-words.p`, `table.p` and `table.npz`, with different numbers of documents."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for documents, path in [(100, "data/coco-train-words.p"), (200, "table.p"), (300, "table.npz")]:
        mf.DocumentFrequency.from_counts(documents, {("红",): 7, ("红", "色"): 3}).save(tmp_path / path)
    return tmp_path


@pytest.mark.parametrize(
    ("df", "documents"),
    [
        ("coco-train-words", 100),
        ("data/coco-train-words.p", 100),
        ("table.p", 200),
        (Path("table.p"), 200),
        ("{stored}/table.p", 200),
        ("table.npz", 300),
        (Path("table.npz"), 300),
    ],
)
def test_cider_d_reads_frequencies_from_files(stored, df, documents):
    gts, res = {1: ["红 色 长 裙"]}, [{"image_id": 1, "caption": ["红 色 裙"]}]
    expected = plain_cider_d(gts, res, documents, {("红",): 7, ("红", "色"): 3})
    df = df.format(stored=stored) if isinstance(df, str) else df
    assert_close(CiderD(df=df).compute_score(gts, res), expected)


def test_cider_d_prefers_the_name_to_the_path(stored):
    (stored / "coco-train-words").write_bytes(b"something else")
    assert CiderD(df="coco-train-words").compute_score({1: ["红 b"]}, [{"image_id": 1, "caption": ["b"]}])[0] > 0


def test_cider_d_reads_pickles_of_other_code(stored):
    table = {"ref_len": 50, "document_frequency": {("12",): 4.0, ("12", "7", "0"): 2}}
    (stored / "data" / "coco-train-idxs.p").write_bytes(pickle.dumps(table, protocol=2))
    gts, res = {0: ["12 7 0"]}, [{"image_id": 0, "caption": ["12 7 0"]}]
    expected = plain_cider_d(gts, res, 50, table["document_frequency"])
    assert_close(CiderD(df="coco-train-idxs").compute_score(gts, res), expected)


def test_cider_d_without_its_file(stored):
    with pytest.raises(FileNotFoundError, match=r"data.*coco-val\.p"):
        CiderD(df="coco-val")
    (stored / "table.p").write_bytes(pickle.dumps(SimpleNamespace()))
    with pytest.raises(ValueError, match=r"table\.p: not a table of document frequencies: refused to load"):
        CiderD(df="table.p")


def test_cider_d_exceptions():
    gts = {1: ["a b"], 2: [], 3: [""]}
    frequency = mf.DocumentFrequency.from_counts(10, {("a",): 2})
    for scorer in (CiderD(), CiderD(df=frequency)):
        for row, error in [
            ({"image_id": 9, "caption": ["a"]}, KeyError),
            ({"image_id": 1}, KeyError),
            ({"image_id": 1, "caption": "a"}, AssertionError),
            ({"image_id": 1, "caption": ["a", "b"]}, AssertionError),
            ({"image_id": 2, "caption": ["a"]}, AssertionError),
        ]:
            with pytest.raises(error):
                scorer.compute_score(gts, [row])
    for res in ([], [{"image_id": 3, "caption": ["a"]}]):
        assert outcome(CiderD(), gts, res) is ValueError
    assert_close(CiderD(df=frequency).compute_score(gts, [{"image_id": 3, "caption": ["a"]}]), [0.0])


# COCOEvalCap: the original with its Java parts replaced.


def coco(captions):
    annotations = {item: [{"caption": text, "image_id": item} for text in texts] for item, texts in captions.items()}
    return SimpleNamespace(imgToAnns=annotations, getImgIds=lambda: list(annotations))


def original_evaluation(monkeypatch, tokenizer):
    """The class of the original, with a tokenizer and METEOR of this package, and without SPICE."""

    class Tokens:
        def tokenize(self, captions):
            rows = {item: [row["caption"] for row in rows] for item, rows in captions.items() if rows}
            return {item: [" ".join(t) for t in mf.tokenize(texts, tokenizer)] for item, texts in rows.items()}

    class Nothing:
        def method(self):
            return "unused"

        def compute_score(self, gts, _res):
            return 0.0, [0.0] * len(gts)

    monkeypatch.setattr(original_eval, "PTBTokenizer", Tokens)
    monkeypatch.setattr(original_eval, "Meteor", Meteor)
    monkeypatch.setattr(original_eval, "Spice", Nothing)
    return original_eval.COCOEvalCap


def without_spice(value):
    if isinstance(value, list):
        return [without_spice(row) for row in value]
    kept = {key: row for key, row in value.items() if key != "SPICE"}
    return {key: without_spice(row) if isinstance(row, dict) else row for key, row in kept.items()}


def compare(ours, theirs, capsys):
    ours.evaluate()
    our_lines = capsys.readouterr().out.splitlines()
    theirs.evaluate()
    their_lines = capsys.readouterr().out.splitlines()
    assert our_lines == [line for line in their_lines if not any(word in line for word in ("unused", "SPICE"))]
    assert_same(ours.eval, without_spice(theirs.eval))
    assert_same(ours.imgToEval, without_spice(theirs.imgToEval))
    assert_same(ours.evalImgs, without_spice(theirs.evalImgs))


@pytest.mark.parametrize("tokenizer", ["muge", "char", "whitespace", "zh", str.split, lambda text: list(text.strip())])
@pytest.mark.parametrize("name", ["two items", "one to ten references", "single spaces"])
def test_same_evaluation(name, tokenizer, monkeypatch, capsys):
    # Without white space: the original splits tokens that contain it.
    gts, res = (
        {item: ["".join(text.split()) for text in texts] for item, texts in captions.items()}
        for captions in CORPORA[name]
    )
    theirs = original_evaluation(monkeypatch, tokenizer)(coco(gts), coco(res))
    compare(COCOEvalCap(coco(gts), coco(res), tokenizer), theirs, capsys)


def test_evaluation_of_some_images(monkeypatch, capsys):
    gts, res = CORPORA["one to ten references"]
    gts = {**gts, "without anything": []}
    res = {**res, "without anything": [], "image 3": []}
    theirs = original_evaluation(monkeypatch, "muge")(coco(gts), coco(res))
    ours = COCOEvalCap(coco(gts), coco(res), "muge")
    assert ours.params == theirs.params
    chosen = ["image 7", "image 2", "image 7", "without anything", "image 20"]
    theirs.params["image_id"] = ours.params["image_id"] = chosen
    compare(ours, theirs, capsys)
    assert list(ours.imgToEval) == ["image 7", "image 2", "image 20"]
    with pytest.raises(AssertionError, match="res lacks 'image 3'"):
        COCOEvalCap(coco(gts), coco(res), "muge").evaluate()


def test_tokens_with_white_space_are_not_split():
    def cut(text):
        return text.split("|")

    texts = {1: "连 衣 裙|new york|red", 2: "a|b c|d|e"}
    references = coco({item: [text] for item, text in texts.items()})
    captions = coco({1: ["连 衣 裙|new\u3000york|red"], 2: ["a|b c|d|e"]})
    evaluation = COCOEvalCap(references, captions, cut)
    evaluation.evaluate()
    expected = mf.score_captions(
        {1: "连 衣 裙|new\u3000york|red", 2: texts[2]}, {i: [t] for i, t in texts.items()}, tokenizer=cut
    )
    assert evaluation.eval["Bleu_4"] == expected["bleu"].value
    assert evaluation.eval["ROUGE_L"] == expected["rouge_l"].value
    assert evaluation.eval["CIDEr"] == expected["cider_d"].value
    assert evaluation.eval["Bleu_1"] == pytest.approx(6 / 7)


@pytest.mark.parametrize("tokenizer", ["muge", "jieba"])
def test_evaluation_equals_the_scores_of_the_library(tokenizer):
    gts, res = corpus(71, 30, longest=15)
    evaluation = COCOEvalCap(coco(gts), coco(res), tokenizer)
    evaluation.evaluate()
    expected = mf.score_captions({item: res[item][0] for item in gts}, gts, tokenizer=tokenizer)
    assert evaluation.eval["Bleu_4"] == expected["bleu"].value
    assert evaluation.eval["CIDEr"] == expected["cider_d"].value
    # An empty text is one empty token in the original's ROUGE, and no token in score_captions.
    for item, score in zip(gts, expected["rouge_l"].per_item, strict=True):
        if all(mf.tokenize([*gts[item], *res[item]], tokenizer)):
            assert evaluation.imgToEval[item]["ROUGE_L"] == score


# Recorded values of the original with Java: the first 500 images of COCO val2014, the first caption against the rest.
COCO_VALUES = {
    "Bleu_1": 0.6418111753370632,
    "Bleu_2": 0.4463729858455345,
    "Bleu_3": 0.29737352790150057,
    "Bleu_4": 0.19282821001497644,
    "METEOR": 0.24648963938321025,
    "ROUGE_L": 0.47338816792773725,
    "CIDEr": 0.9355289475992911,
}


def test_captions_of_coco_from_raw_text_to_scores():
    images = dict(islice(coco_captions().items(), 500))
    res = {item: texts[:1] for item, texts in images.items()}
    gts = {item: texts[1:] for item, texts in images.items()}
    assert sum(map(len, gts.values())) == 2001
    rows = [{item: [{"caption": text} for text in texts] for item, texts in side.items()} for side in (res, gts)]
    tokenized = [PTBTokenizer().tokenize(side) for side in rows]
    tokens = json.dumps([[side[item] for side in tokenized] for item in images])
    assert hashlib.sha256(tokens.encode()).hexdigest().startswith("d93c06c6b28cbe85")
    evaluation = COCOEvalCap(coco(gts), coco(res))
    evaluation.evaluate()
    assert evaluation.eval == COCO_VALUES
