"""Scores: copies, pickles, text forms, and scores computed from statistics."""

import copy
import json
import math
import numbers
import pickle
import statistics
from html.parser import HTMLParser
from random import Random

import numpy as np
import pandas as pd
import pytest

import data
import muge_fast as mf
from muge_fast.datasets.input_file import InputFile
from muge_fast.evaluation import prepare
from muge_fast.scores import mean_score, set_score, signature
from muge_fast.tasks.classification import score_classification

CAPTION_METRICS = ("cider_d", "cider", "bleu", "rouge_l")
RETRIEVAL_METRICS = ("recall", "relevant_recall", "precision", "ndcg", "mrr", "map")
LABELS = ("裙", "鞋", "衫", "包")
DUPLICATES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {n}": lambda made, n=n: pickle.loads(pickle.dumps(made, n)) for n in (2, pickle.HIGHEST_PROTOCOL)},  # noqa: S301
}
duplicated = pytest.mark.parametrize("duplicate", DUPLICATES.values(), ids=DUPLICATES)


def captions(items: list[int], **options) -> mf.Scores:
    chosen = data.caption_set(60, seed=81, references=3).select(items)
    table = mf.DocumentFrequency.from_references(data.caption_set(60, seed=81, references=3).references)
    options = {"metrics": CAPTION_METRICS, "document_frequency": table, **options}
    predictions = {f"image {item}": text for item, text in zip(items, chosen.predictions, strict=True)}
    references = {f"image {item}": texts for item, texts in zip(items, chosen.references, strict=True)}
    return mf.score_captions(predictions, references, **options)


def retrieval(items: list[int]) -> mf.Scores:
    random = Random(82)
    ranked = [random.sample(range(20), 10) for _ in range(60)]
    relevant = [random.sample(range(20), random.randint(1, 4)) for _ in range(60)]
    return mf.score_retrieval(
        {item: ranked[item] for item in items}, {item: relevant[item] for item in items}, metrics=RETRIEVAL_METRICS
    )


def classification(items: list[int]) -> mf.Scores:
    random = Random(83)
    true, predicted = (random.choices(LABELS, (8, 4, 2, 1), k=60) for _ in range(2))
    return score_classification(
        {str(item): predicted[item] for item in items}, {str(item): true[item] for item in items}
    )


SETS = {"captions": captions, "retrieval": retrieval, "classification": classification}


def every_score() -> dict[str, mf.Scores]:
    return {**{name: make(list(range(60))) for name, make in SETS.items()}, "set": whole_set()}


def whole_set() -> mf.Scores:
    fid = set_score("fid", signature("fid", real=10), 12.5, parts={"std": 0.25}, higher_is_better=False)
    return mf.Scores({"fid": fid, "is": set_score("is", "is|splits:10", 9.0)})


def bits(score: mf.Score) -> tuple:
    """All fields of a score, to the last bit."""
    arrays = (score.per_item, score.statistics.rows)
    return (
        score.name,
        np.float64(score.value).tobytes(),
        *((array.dtype, array.shape, array.tobytes()) for array in arrays),
        score.signature,
        {name: np.float64(part).tobytes() for name, part in score.parts.items()},
        score.statistics.columns,
        score.higher_is_better,
    )


def all_bits(scores: mf.Scores) -> tuple:
    return scores.ids, [bits(score) for score in scores.values()]


# Copies and pickles


@duplicated
@pytest.mark.parametrize("kind", every_score())
def test_scores_can_be_copied_and_pickled(kind, duplicate):
    scores = every_score()[kind]
    made = duplicate(scores)
    assert all_bits(made) == all_bits(scores)
    assert repr(made) == repr(scores)
    for name, score in scores.items():
        assert bits(duplicate(score)) == bits(score)
        assert float(made[name]) == score.value


@duplicated
@pytest.mark.parametrize("kind", SETS)
def test_copies_compute_scores_from_statistics(kind, duplicate):
    scores = SETS[kind](list(range(60)))
    for score in scores.values():
        rows = score.statistics.rows[[3, 3, 9]]
        assert bits(duplicate(score).with_statistics(rows)) == bits(score.with_statistics(rows))


@duplicated
@pytest.mark.parametrize("kind", ["captions", "retrieval"])
def test_pickled_shards_merge_to_the_bits_of_the_whole(kind, duplicate):
    whole = SETS[kind](list(range(60)))
    shards = [duplicate(SETS[kind](list(range(start, min(60, start + 25))))) for start in range(0, 60, 25)]
    merged = duplicate(mf.Scores.merge(shards))
    assert all_bits(merged) == all_bits(whole)
    # A merged score can be merged again.
    halves = [duplicate(mf.Scores.merge(shards[:2])), shards[2]]
    assert all_bits(mf.Scores.merge(halves)) == all_bits(whole)


def test_scores_of_whole_sets_are_not_merged():
    with pytest.raises(ValueError, match="fid of shards cannot be merged: a score of a whole set"):
        mf.Scores.merge([whole_set(), whole_set()])
    alone = whole_set()
    assert all_bits(mf.Scores.merge([alone])) == all_bits(alone)
    with pytest.raises(ValueError, match="macro_f1 of shards cannot be merged: labels have different codes"):
        mf.Scores.merge([mf.Scores({"macro_f1": classification([0, item])["macro_f1"]}) for item in (1, 1)])


# Scores from statistics


SUBSETS = [list(range(60)), [7], [0, 1, 2], list(range(1, 60, 2)), Random(85).sample(range(60), 40)]


@pytest.mark.parametrize("items", SUBSETS, ids=len)
@pytest.mark.parametrize("kind", SETS)
@pytest.mark.filterwarnings("error")
def test_statistics_of_a_subset_give_the_score_of_the_subset(kind, items):
    whole, subset = SETS[kind](list(range(60))), SETS[kind](items)
    for name, score in whole.items():
        rescored = score.with_statistics(score.statistics.rows[items])
        assert np.float64(rescored.value).tobytes() == np.float64(subset[name].value).tobytes(), name
        assert rescored.per_item.tolist() == subset[name].per_item.tolist()
        assert rescored.parts == subset[name].parts
        assert rescored.statistics.columns == score.statistics.columns
        assert rescored.signature == score.signature
        assert rescored.higher_is_better == score.higher_is_better


def test_statistics_of_the_metrics_of_captions():
    scores = mf.score_captions(["红色裙", "黑"], [["红色长裙", "红裙"], ["黑鞋"]], metrics=CAPTION_METRICS)
    bleu = scores["bleu"].statistics
    assert bleu.columns == (
        "prediction_length",
        "reference_length",
        *(f"matches_{order}" for order in range(1, 5)),
        *(f"ngrams_{order}" for order in range(1, 5)),
    )
    # Of the references of 4 and 2 tokens, both are equally close to 3 tokens: the shorter one counts.
    assert bleu.rows.tolist() == [[3, 2, 3, 1, 0, 0, 3, 2, 1, 0], [1, 2, 1, 0, 0, 0, 1, 0, 0, 0]]
    for name in ("cider_d", "cider", "rouge_l"):
        assert scores[name].statistics.columns == (name,)
        assert scores[name].statistics.rows[:, 0].tolist() == scores[name].per_item.tolist()


def test_statistics_may_be_lists_and_other_dtypes():
    score = captions([0, 1, 2])["bleu"]
    rows = score.statistics.rows
    for other in (rows.tolist(), rows.astype(np.int64), rows.astype(np.float32), np.asfortranarray(rows)):
        assert bits(score.with_statistics(other)) == bits(score)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((3, 9)), r"rows has shape \(3, 9\), needs \(items, 10\) with at least one item"),
        (np.zeros((0, 10)), r"rows has shape \(0, 10\), needs \(items, 10\) with at least one item"),
        (np.zeros(10), r"rows has shape \(10,\), needs"),
        (np.zeros((1, 1, 10)), "rows has shape"),
        ([], r"rows has shape \(0,\)"),
        ([[0.0] * 10, [np.nan] * 10], r"rows\[1\] has a value that is not finite"),
        ([[np.inf] * 10], r"rows\[0\] has a value that is not finite"),
    ],
)
def test_statistics_of_the_wrong_shape_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        captions([0, 1])["bleu"].with_statistics(rows)


def test_metrics_of_whole_sets_have_no_statistics():
    fid = whole_set()["fid"]
    assert (fid.per_item.shape, fid.statistics.rows.shape, fid.statistics.columns) == ((0,), (0, 0), ())
    with pytest.raises(ValueError, match="fid: a score of a whole set does not follow from scores of its items"):
        fid.with_statistics(np.zeros((1, 1)))


# Plain objects and pandas


@pytest.mark.parametrize("kind", every_score())
def test_dictionaries_can_be_written_as_json(kind):
    scores = every_score()[kind]
    assert json.loads(json.dumps(scores.to_dict())) == {name: score.value for name, score in scores.items()}
    for score in scores.values():
        made = score.to_dict()
        assert json.loads(json.dumps(made, allow_nan=False)) == made
        assert made["parts"] == dict(score.parts)
        assert (made["name"], made["value"], made["signature"]) == (score.name, score.value, score.signature)
        assert (made["items"], made["higher_is_better"]) == (len(score.per_item), score.higher_is_better)
        assert {type(value) for value in [made["value"], *made["parts"].values()]} == {float}


def test_frames_have_a_row_for_each_item():
    scores = captions([4, 9, 2])
    frame = scores.to_pandas()
    assert frame.index.name == "id"
    assert frame.index.tolist() == ["image 4", "image 9", "image 2"]
    assert list(frame.columns) == list(CAPTION_METRICS)
    for name, score in scores.items():
        assert frame[name].to_numpy().tobytes() == score.per_item.tobytes()
        series = score.to_pandas()
        assert (series.name, series.tolist()) == (name, score.per_item.tolist())


def test_frames_keep_ids_that_are_tuples_or_missing():
    scores = mf.score_captions({("a", 1): "红", ("b", 2): "黑"}, {("a", 1): ["红"], ("b", 2): ["白"]})
    assert scores.to_pandas().index.tolist() == [("a", 1), ("b", 2)]
    assert not isinstance(scores.to_pandas().index, pd.MultiIndex)
    assert mf.score_captions(["红", "黑"], [["红"], ["白"]]).to_pandas().index.tolist() == [0, 1]


def test_frames_of_whole_sets_have_no_columns():
    frame = whole_set().to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == 0
    assert list(frame.columns) == []


# Text


class Checker(HTMLParser):
    """Collects the text of each cell, and fails for tags that do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag, attrs):
        assert not attrs
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        assert self.open[-1] in ("td", "th")
        self.cells[-1] += text


def cells(html: str) -> list[str]:
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return checker.cells


@pytest.mark.parametrize("kind", every_score())
def test_html_is_a_table_of_the_metrics(kind):
    scores = every_score()[kind]
    texts = cells(scores._repr_html_())
    assert texts[:5] == ["metric", "value", "items", "parts", "signature"]
    assert texts[5::5] == list(scores)
    assert texts[6::5] == [f"{score:.4f}" for score in scores.values()]
    assert texts[9::5] == [score.signature for score in scores.values()]
    for score in scores.values():
        assert cells(score._repr_html_())[9] == score.signature


def test_html_is_escaped():
    def attack(text: str) -> list[str]:  # the name of a tokenizer is in the signature
        return text.split()

    attack.__qualname__ = "<script>alert('&')</script>"
    score = mf.score_captions(["a"], [["a"]], tokenizer=attack, metrics=["bleu"])["bleu"]
    assert "<script>" not in score._repr_html_()
    assert attack.__qualname__ in cells(score._repr_html_())[9]
    named = set_score("<b>", "&lt;", 1.0, parts={"<i>": 2.0})
    assert cells(named._repr_html_())[5:] == ["<b>", "1.0000", "", "<i> 2", "&lt;"]


def test_representations():
    scores = mf.score_captions(["红色连衣裙", "黑鞋"], [["红色连衣裙"], ["黑色皮鞋"]], metrics=["rouge_l"])
    assert repr(scores) == "Scores(2 items, rouge_l=0.8144)"
    signed = f"rouge_l|beta:1.2|tokenizer:muge|version:{mf.__version__}"
    assert repr(scores["rouge_l"]) == f"Score(rouge_l=0.8144, items=2, signature='{signed}')"
    assert repr(whole_set()["is"]) == "Score(is=9.0000, signature='is|splits:10')"
    assert repr(whole_set()) == "Scores(fid=12.5000, is=9.0000)"


def test_format_specifications_apply_to_the_value():
    score = mean_score("accuracy", "accuracy", np.array([1.0, 0.0, 0.0]))
    assert (f"{score:.2f}", f"{score:8.3f}", f"{score:.1%}") == ("0.33", "   0.333", "33.3%")
    assert f"{score}" == repr(score) == str(score)


@pytest.mark.parametrize("kind", every_score())
def test_a_score_is_a_number(kind):
    for score in every_score()[kind].values():
        value = score.value
        assert type(value) is float or isinstance(value, np.float64)
        assert isinstance(score, float)
        assert (score == value, score >= value, score > value, -score, score + 1) == (
            True,
            True,
            False,
            -value,
            value + 1,
        )
        assert (round(score, 3), abs(score), int(score)) == (round(value, 3), abs(value), int(value))
        assert np.mean([score, score]) == value
        assert np.asarray([score]).dtype == np.float64
        assert json.loads(json.dumps({"x": score})) == {"x": value}
        assert max([score, value - 1]) is score


def test_a_score_is_a_number_for_torch_and_lightning():
    torch = pytest.importorskip("torch")
    apply_to_collection = pytest.importorskip("lightning_utilities.core.apply_func").apply_to_collection
    scores = captions([0, 1, 2])
    assert torch.tensor(scores["bleu"], dtype=torch.float64).item() == scores["bleu"].value
    # What the method log of a LightningModule does with a value and with a dictionary.
    for made in (
        apply_to_collection(scores["bleu"], (torch.Tensor, numbers.Number), torch.tensor),
        apply_to_collection(dict(scores), (torch.Tensor, numbers.Number), torch.tensor)["bleu"],
    ):
        assert made.item() == pytest.approx(scores["bleu"].value)


@pytest.mark.parametrize("kind", every_score())
def test_equal_runs_are_equal(kind):
    scores, again = every_score()[kind], every_score()[kind]
    assert scores == again
    assert scores == scores.to_dict()
    assert scores != mf.Scores({}, 0)
    with pytest.raises(TypeError, match="unhashable"):
        hash(scores)


def test_runs_with_other_items_ids_or_options_differ():
    scores = captions([0, 1, 2])
    assert scores != captions([0, 1, 3])
    assert scores != captions([2, 1, 0])
    assert scores != captions([0, 1, 2], smoothing="exp")
    assert mf.score_captions(["红"], [["红裙"]], metrics=["bleu"]) != mf.score_captions(
        {"a": "红"}, {"a": ["红裙"]}, metrics=["bleu"]
    )


def test_similar_names_and_parts_are_suggested():
    scores = captions([0, 1])
    for name, hint in {
        "CIDEr-D": "; did you mean 'cider_d'?",
        "BLEU": "; did you mean 'bleu'?",
        "rougel": "; did you mean 'rouge_l'?",
        "bleu_4": "; it is scores['bleu'].parts['bleu_4']",
        "Brevity penalty": "; it is scores['bleu'].parts['brevity_penalty']",
    }.items():
        with pytest.raises(KeyError) as caught:
            scores[name]
        assert caught.value.args[0].endswith(hint)
    with pytest.raises(KeyError, match=r"no metric 5, these scores have"):
        scores[5]
    assert scores._ipython_key_completions_() == list(scores)


def test_signatures_omit_missing_options():
    version = f"version:{mf.__version__}"
    assert signature("x", "part|a:1", n=4, sigma=None) == f"x|n:4|part|a:1|{version}"


def test_scores_are_read_only_mappings():
    scores = captions([0, 1])
    assert (len(scores), list(scores), "bleu" in scores) == (4, list(CAPTION_METRICS), True)
    with pytest.raises(KeyError, match="no metric 'meteor', these scores have cider_d, cider, bleu, rouge_l"):
        scores["meteor"]
    with pytest.raises(TypeError):
        scores["bleu"] = scores["cider"]
    with pytest.raises(AttributeError):
        scores["bleu"].value = 1.0


def test_statistics_of_the_standard_library_take_scores():
    low, high = (mf.score_captions(["红裙"], [[text]], metrics=["rouge_l"])["rouge_l"] for text in ("红", "红裙"))
    assert low < high == 1
    assert statistics.mean([low, high]) == pytest.approx((low.value + 1) / 2, abs=1e-15)
    assert statistics.stdev([low, high]) == pytest.approx((1 - low.value) / math.sqrt(2), abs=1e-15)
    assert type(statistics.mean([low, high])) is float


def test_shards_may_have_their_metrics_in_any_order():
    references = {"a": ["红裙"], "b": ["黑鞋"]}
    prepared = mf.Captions(references)
    shards = [
        prepared.score({"a": "红"}, metrics=["bleu", "rouge_l"]),
        prepared.score({"b": "鞋"}, metrics=["rouge_l", "bleu"]),
    ]
    whole = mf.score_captions({"a": "红", "b": "鞋"}, references, metrics=["bleu", "rouge_l"])
    assert mf.Scores.merge(shards) == whole
    assert list(mf.Scores.merge(shards)) == ["bleu", "rouge_l"]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: s,
        lambda s: {"a": s},
        lambda s: [s["bleu"]],
        lambda s: [s.to_dict()],
        lambda _: None,
        lambda s: s["bleu"],
    ],
)
def test_only_lists_of_scores_merge(wrap):
    with pytest.raises(TypeError, match=r"^shards(\[0\])? must be "):
        mf.Scores.merge(wrap(mf.score_captions(["红"], [["红"]], metrics=["bleu"])))


def test_a_repeated_id_is_named_before_document_frequencies():
    prepared = mf.Captions({"a": ["红裙"], "b": ["黑鞋"]})
    with pytest.raises(ValueError, match="id 'a' is in more than one shard"):
        mf.Scores.merge([prepared.score({"a": "红", "b": "鞋"}), prepared.score({"a": "裙"})])


def test_reprs_have_the_singular_of_one():
    one, many = ({f"{index}": "红鞋" for index in range(count)} for count in (1, 2))
    references = {key: ["红鞋"] for key in many}
    assert repr(mf.score_captions(one, {"0": ["红鞋"]}, metrics=["rouge_l"])) == "Scores(1 item, rouge_l=1.0000)"
    assert repr(mf.score_captions(many, references, metrics=["rouge_l"])) == "Scores(2 items, rouge_l=1.0000)"
    assert repr(mf.Captions({"0": ["红鞋"]})).startswith("Captions(1 item, tokenizer ")
    assert repr(mf.Captions(references)).startswith("Captions(2 items, tokenizer ")
    counted = mf.DocumentFrequency.from_references({"0": ["红"]})
    assert repr(counted).startswith("DocumentFrequency(1 document, 1 n-gram, ")
    search = mf.TopK(1)
    search.update(np.ones((1, 2), "float32"), np.eye(2, dtype="float32")[:1], 0)
    assert repr(search) == "<TopK of 1 item for 1 query>"
    assert repr(mf.image.Statistics.from_features([[1.0]])) == "<Statistics of 1 image, 1 feature>"
    assert repr(mf.image.Statistics.from_features(np.zeros((1000, 2)))) == "<Statistics of 1,000 images, 2 features>"


def test_reprs_of_files_have_the_singular_of_one(tmp_path):
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
    (tmp_path / "images.tsv").write_text(f"a\t{pixel}\n")
    assert "<ImageTsv of 1 image in " in repr(mf.datasets.ImageTsv(tmp_path / "images.tsv"))
    gold = tmp_path / "gold.jsonl"
    gold.write_text('{"image_id": "a", "text": ["红"]}')
    assert repr(prepare("caption", gold)) == "PreparedEvaluation('caption', 1 item)"
    assert repr(InputFile(gold, b"x")) == "InputFile('gold.jsonl', 1 byte)"
    assert repr(InputFile(gold, b"")) == "InputFile('gold.jsonl', 0 bytes)"
