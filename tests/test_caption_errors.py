"""Edge cases of caption scoring, and the messages of errors."""

import math
import re
import warnings

import numpy as np
import pytest

import muge_fast as mf

PREDICTIONS = ["红裙", "黑"]
REFERENCES = [["红色裙", "红裙"], ["黑鞋"]]
ALL = ("cider_d", "cider", "bleu", "rouge_l")
MAPPED = {1: ["红"], "b": ["黑"], ("c", 2): ["白"]}


def score(predictions=PREDICTIONS, references=REFERENCES, **options) -> mf.Scores:
    return mf.score_captions(predictions, references, **options)


# Edges


def test_an_empty_caption_scores_zero():
    scores = score(["", "黑鞋"], metrics=ALL)
    assert [scores[metric].per_item[0] for metric in ALL] == [0.0] * 4
    assert all(scores[metric].per_item[1] > 0 for metric in ALL)


def test_empty_references_match_nothing():
    scores = score(["红裙", ""], [["", "  "], [""]], metrics=ALL)
    assert [scores[metric].value for metric in ALL if metric != "bleu"] == [0.0] * 3
    # pycocoevalcap's tiny constants remain.
    assert scores["bleu"].value == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("text", "bleu"), [("红", 10**-4.5), ("红裙", 1e-3), ("红长裙", 10**-1.5), ("红色长裙", 1.0)])
def test_bleu_of_short_perfect_captions_is_that_of_the_documents(text, bleu):
    assert score([text], [[text]], metrics=("bleu",))["bleu"].value == pytest.approx(bleu, rel=1e-8)
    options = {"smoothing": "exp", "effective_order": True}
    assert score([text], [[text]], metrics=("bleu",), **options)["bleu"].value == pytest.approx(1.0)


@pytest.mark.parametrize("smoothing", ["tiny", "none", "floor", "add-k", "exp"])
def test_bleu_of_empty_texts_is_zero(smoothing):
    bleu = score(["", ""], [[""], [""]], metrics=("bleu",), smoothing=smoothing)["bleu"]
    assert (bleu.value, bleu.per_item.tolist()) == (0.0, [0.0, 0.0])


@pytest.mark.parametrize("metric", ["cider", "cider_d"])
def test_cider_of_one_item_is_zero_and_warns(metric):
    with pytest.warns(UserWarning, match="every n-gram occurs in all items.*document_frequency") as caught:
        assert mf.Captions([["红裙"]]).score(["红裙"], metrics=(metric,))[metric].value == 0.0
    assert caught[0].filename == __file__


def test_the_warning_points_at_the_caller_of_score_captions():
    with pytest.warns(UserWarning, match="single item") as caught:
        score(["红裙"], [["红裙"]])
    assert caught[0].filename == __file__


def test_bleu_and_rouge_of_one_item_need_no_warning():
    scores = score(["红色连衣裙"], [["红色连衣裙"]], metrics=("bleu", "rouge_l"))
    assert (scores["bleu"].value, scores["rouge_l"].value) == (pytest.approx(1.0, abs=1e-8), 1.0)


def test_one_item_has_a_score_with_a_document_frequency():
    table = mf.DocumentFrequency.from_references([["红色连衣裙"], ["黑色皮鞋"], ["白衬衫"]])
    scores = score(["红色连衣裙"], [["红色连衣裙"]], metrics=("cider", "cider_d"), document_frequency=table)
    assert scores["cider_d"].value == pytest.approx(10.0)
    assert scores["cider"].value == pytest.approx(10.0)


@pytest.mark.parametrize("metrics", [("bleu", "cider_d", "cider"), ("rouge_l",)])
def test_a_caption_of_100_000_tokens(metrics):
    long = "红裙黑鞋白" * 20_000
    scores = score([long, "黑"], [[long], ["黑鞋"]], metrics=metrics)
    perfect = {"bleu": 1.0, "rouge_l": 1.0, "cider": 10.0, "cider_d": 10.0}
    assert [scores[metric].per_item[0] for metric in metrics] == pytest.approx([perfect[metric] for metric in metrics])


def test_rouge_l_of_a_long_caption_with_a_known_common_subsequence():
    # Every second character is in the reference, in order.
    prediction, reference = "红x" * 5_000, "红" * 5_000
    rouge = score([prediction], [[reference]], tokenizer="char", metrics=("rouge_l",))["rouge_l"]
    precision, recall, beta = 0.5, 1.0, 1.44
    assert rouge.value == pytest.approx((1 + beta) * precision * recall / (recall + beta * precision))


def test_an_item_with_10_000_references():
    texts = [f"红裙{index}" for index in range(10_000)]
    scores = score(["红裙7", "黑"], [texts, ["黑鞋"]], metrics=ALL)
    assert scores["rouge_l"].per_item[0] == 1.0
    # Each n-gram occurs in one of two documents, so all have the same weight. One reference matches in three orders;
    # the others share two of three tokens and one of two bigrams.
    assert scores["cider_d"].per_item[0] == pytest.approx(10 * (3 + 9_999 * (2 / 3 + 1 / 2)) / 4 / 10_000)
    alone = score(["红裙7", "黑"], [["红裙7"], ["黑鞋"]], metrics=("bleu",))
    assert scores["bleu"].per_item[0] == alone["bleu"].per_item[0]


def test_many_items_of_one_token():
    count = 5_000
    scores = score(["红"] * count, [["红"]] * count, metrics=ALL)
    assert scores["rouge_l"].value == 1.0
    assert scores["cider_d"].value == 0.0
    assert len(scores["bleu"].per_item) == count


# Ids and results


def test_mappings_are_matched_by_id_in_the_order_of_the_references():
    scores = score({("c", 2): "白", 1: "x", "b": "黑"}, MAPPED, metrics=("rouge_l",))
    assert scores.ids == [1, "b", ("c", 2)]
    assert scores["rouge_l"].per_item.tolist() == [0.0, 1.0, 1.0]


def test_ids_keep_their_order_and_may_repeat():
    captions = mf.Captions(MAPPED)
    scores = captions.score(["白", "红", "x", "红"], ids=[("c", 2), 1, "b", 1], metrics=("rouge_l",))
    assert scores.ids == [("c", 2), 1, "b", 1]
    assert scores["rouge_l"].per_item.tolist() == [1.0, 1.0, 0.0, 1.0]
    assert captions.ids == [1, "b", ("c", 2)]


def test_items_without_ids_have_their_index():
    assert score(metrics=("bleu",)).ids == [0, 1]
    assert mf.Captions(REFERENCES).score(["黑"], ids=[1], metrics=("bleu",)).ids == [1]
    assert mf.Captions(REFERENCES).ids == [0, 1]


def test_tuples_and_generators_are_accepted():
    expected = score()["cider_d"].value
    assert score(tuple(PREDICTIONS), tuple(map(tuple, REFERENCES)))["cider_d"].value == expected
    assert score((text for text in PREDICTIONS), (texts for texts in REFERENCES))["cider_d"].value == expected


def test_scores_are_in_the_order_of_metrics():
    assert list(score(metrics=("rouge_l", "bleu"))) == ["rouge_l", "bleu"]
    assert list(score()) == ["cider_d", "bleu", "rouge_l"]
    assert list(score(metrics={"bleu": 1})) == ["bleu"]


def test_types_and_representations_of_scores():
    scores = score(metrics=("rouge_l",))
    assert float(scores["rouge_l"]) == scores["rouge_l"].value
    assert repr(scores) == "Scores(2 items, rouge_l=0.8144)"
    assert "rows" not in repr(scores["rouge_l"])
    assert repr(mf.Captions(REFERENCES)) == "Captions(2 items, tokenizer muge)"
    assert len(mf.Captions(REFERENCES)) == 2
    for array in (scores["rouge_l"].per_item, scores["rouge_l"].statistics.rows):
        assert array.dtype == np.float64


def test_a_missing_metric_of_a_result_is_named():
    with pytest.raises(KeyError, match="no metric 'meteor', these scores have bleu"):
        score(metrics=("bleu",))["meteor"]


def test_signatures_contain_the_options():
    table = mf.DocumentFrequency.from_references(REFERENCES)
    version = f"version:{mf.__version__}"
    options = {"smoothing": "floor", "smoothing_value": 0.25, "effective_order": True, "sigma": 4.5, "metrics": ALL}
    signatures = {name: made.signature for name, made in score(document_frequency=table, **options).items()}
    counted = f"document_frequency:{table.fingerprint}|tokenizer:muge"
    assert signatures == {
        "bleu": f"bleu|order:4|smoothing:floor(0.25)|effective_order:yes|tokenizer:muge|{version}",
        "rouge_l": f"rouge_l|beta:1.2|tokenizer:muge|{version}",
        "cider_d": f"cider_d|n:4|sigma:4.5|{counted}|{version}",
        "cider": f"cider|n:4|{counted}|{version}",
    }
    assert "document_frequency:references|tokenizer:char" in score(tokenizer="char")["cider_d"].signature


def test_close_options_have_different_signatures():
    one, two = (score(sigma=sigma)["cider_d"].signature for sigma in (6.0, 6.0000001))
    assert one != two


def test_no_other_warning_is_issued():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        score(metrics=ALL)


# Broken input: messages name the item

TEXTS = [
    (TypeError, "predictions: expected a mapping or a sequence, found str", {"predictions": "红裙"}),
    (TypeError, "predictions: expected a mapping or a sequence, found NoneType", {"predictions": None}),
    (TypeError, "predictions: expected a mapping or a sequence, found int", {"predictions": 5}),
    (TypeError, "predictions[0]: expected str, found int", {"predictions": b"ab"}),
    (TypeError, "predictions[1]: expected str, found NoneType", {"predictions": ["红", None]}),
    (TypeError, "predictions[1]: expected str, found bytes", {"predictions": ["红", b"a"]}),
    (TypeError, "predictions[0]: expected str, found list", {"predictions": [["红"], ["黑"]]}),
    (TypeError, "predictions[0]: expected str, found float", {"predictions": [float("nan"), "黑"]}),
    (TypeError, "references: expected a mapping or a sequence, found str", {"references": "红裙"}),
    (TypeError, "references: expected a mapping or a sequence, found NoneType", {"references": None}),
    (TypeError, "references[0]: expected a list of str, found str", {"references": ["红裙", "黑鞋"]}),
    (TypeError, "references[1]: expected a list of str, found NoneType", {"references": [["红"], None]}),
    (TypeError, "references[0]: expected a list of str, found bytes", {"references": [b"a", ["b"]]}),
    (TypeError, "references[1][0]: expected str, found NoneType", {"references": [["红"], [None]]}),
    (TypeError, "references[1][1]: expected str, found bytes", {"references": [["红"], ["黑", b"a"]]}),
    (ValueError, "references[1] is empty, needs at least one reference", {"references": [["红"], []]}),
    (ValueError, "references is empty, needs at least one item", {"predictions": [], "references": []}),
    (ValueError, "references is empty, needs at least one item", {"predictions": {}, "references": {}}),
    (ValueError, "predictions has 1 items but references has 2", {"predictions": ["红"]}),
    (ValueError, "predictions has 3 items but references has 2", {"predictions": ["红", "黑", "白"]}),
    (ValueError, "predictions[1]: lone surrogate at character 2", {"predictions": ["红", "红裙\ud83d"]}),
    (ValueError, "predictions[0]: lone surrogate at character 0", {"predictions": ["\udfff红", "黑"]}),
    (ValueError, "references[0][1]: lone surrogate at character 1", {"references": [["红", "裙\ud800"], ["黑"]]}),
]


@pytest.mark.parametrize(("error", "message", "arguments"), TEXTS)
def test_errors_of_texts_name_the_index(error, message, arguments):
    with pytest.raises(error, match=re.escape(message)):
        score(**arguments)


MAPPINGS = [
    (ValueError, "predictions lack 1 id of references: 'b'", {"a": "x"}, {"a": ["x"], "b": ["y"]}),
    (
        ValueError,
        "predictions lack 2 ids of references: 'b', ('c', 1)",
        {"a": "x"},
        {"a": ["x"], "b": ["y"], ("c", 1): ["z"]},
    ),
    (ValueError, "predictions lack 5 ids of references: 0, 1, 2 and 2 more", {}, {item: ["x"] for item in range(5)}),
    (ValueError, "predictions have 1 id not in references: 'c'", {"a": "x", "c": "z"}, {"a": ["x"]}),
    (ValueError, "predictions have 1 id not in references: '1'", {1: "x", "1": "y"}, {1: ["x"]}),
    (ValueError, "references['b'] is empty, needs at least one reference", {"a": "x", "b": "y"}, {"a": ["x"], "b": []}),
    (ValueError, "predictions['b']: lone surrogate at character 1", {"b": "y\ud800", "a": ""}, {"a": [""], "b": ["y"]}),
    (ValueError, "references[('c', 2)][0]: lone surrogate", {("c", 2): "y"}, {("c", 2): ["\ud800"]}),
    (TypeError, "predictions['b']: expected str, found list", {"a": "x", "b": ["y"]}, {"a": ["x"], "b": ["y"]}),
    (TypeError, "references['b']: expected a list of str, found str", {"a": "x", "b": "y"}, {"a": ["x"], "b": "y"}),
    (TypeError, "predictions are a mapping but references a sequence", {0: "x"}, [["x"]]),
]


@pytest.mark.parametrize(("error", "message", "predictions", "references"), MAPPINGS)
def test_errors_of_mappings_name_the_id(error, message, predictions, references):
    with pytest.raises(error, match=re.escape(message)):
        score(predictions, references)


BATCHES = [
    (ValueError, "ids[0] is 'z', not an id of the references", MAPPED, ["x"], ["z"]),
    (ValueError, "ids[1] is 2, not an id of the references", REFERENCES, ["x", "y"], [0, 2]),
    (ValueError, "ids[0] is -1, not an id of the references", REFERENCES, ["x"], [-1]),
    (ValueError, "predictions have 2 captions, but ids 1", REFERENCES, ["x", "y"], [1]),
    (ValueError, "predictions['b']: lone surrogate at character 1", MAPPED, ["x", "y\ud800"], [1, "b"]),
    (TypeError, "ids must be a list of ids, got the string 'b'; write ['b']", MAPPED, ["x"], "b"),
    (TypeError, "predictions: expected a sequence together with ids, found a mapping", REFERENCES, {0: "x"}, [0]),
]


@pytest.mark.parametrize(("error", "message", "references", "predictions", "ids"), BATCHES)
def test_errors_of_ids_name_the_index(error, message, references, predictions, ids):
    with pytest.raises(error, match=re.escape(message)):
        mf.Captions(references).score(predictions, ids=ids)


def test_empty_ids_are_refused():
    with pytest.raises(ValueError, match="empty"):
        mf.Captions(REFERENCES).score([], ids=[])


OPTIONS = [
    (ValueError, "unknown metrics 'spice', choose from cider_d, bleu, rouge_l, cider, meteor", {"metrics": ("spice",)}),
    (ValueError, "metrics is empty", {"metrics": ()}),
    (ValueError, "metrics has 'bleu' more than once", {"metrics": ("bleu", "cider", "bleu")}),
    (TypeError, "metrics must be names, got 5", {"metrics": ("bleu", 5)}),
    (TypeError, "metrics must be a sequence of names, got", {"metrics": None}),
    (TypeError, "metrics must be a sequence of names such as ('bleu',), not the string 'bleu'", {"metrics": "bleu"}),
    (ValueError, "unknown tokenizer 'nltk', choose one of muge, char, whitespace", {"tokenizer": "nltk"}),
    (ValueError, "space, jieba, 13a, zh, ptb; did you mean 'muge'?", {"tokenizer": "Muge"}),
    (TypeError, "tokenizer: expected a name or a function, found NoneType", {"tokenizer": None}),
    (ValueError, "unknown smoothing 'exponential', choose one of tiny, none", {"smoothing": "exponential"}),
    (ValueError, 'not used by smoothing "exp", only by', {"smoothing": "exp", "smoothing_value": 1}),
    (ValueError, "smoothing_value must be positive, got 0", {"smoothing": "floor", "smoothing_value": 0}),
    (ValueError, "smoothing_value must be positive, got -1", {"smoothing": "add-k", "smoothing_value": -1}),
    (
        ValueError,
        "smoothing_value must be a finite number, got nan",
        {"smoothing": "floor", "smoothing_value": float("nan")},
    ),
    (
        ValueError,
        "smoothing_value must be a finite number, got inf",
        {"smoothing": "floor", "smoothing_value": float("inf")},
    ),
    (ValueError, "sigma must be positive, got 0", {"sigma": 0}),
    (ValueError, "sigma must be positive, got -6.0", {"sigma": -6.0}),
    (ValueError, "sigma must be a finite number, got nan", {"sigma": float("nan")}),
    (ValueError, "sigma must be a finite number, got inf", {"sigma": float("inf")}),
    (ValueError, "sigma must be a finite number, got 1000", {"sigma": 10**400}),
    (TypeError, "sigma must be a number, got '6'", {"sigma": "6"}),
    (TypeError, "smoothing_value must be a number, got '1'", {"smoothing": "floor", "smoothing_value": "1"}),
    (TypeError, "sigma must be a number, got", {"sigma": True}),
    (TypeError, "effective_order must be True or False, got 'no'", {"effective_order": "no"}),
    (TypeError, "smoothing must be one of tiny, none, floor, add-k, exp, got", {"smoothing": None}),
    (ValueError, "threads is 0, needs at least 1 or None for all cores", {"threads": 0}),
    (TypeError, "float", {"threads": 2.0}),
    (ValueError, "user_dict: not used by tokenizer", {"user_dict": __file__}),
    (ValueError, "user_dict: not used by a function", {"user_dict": __file__, "tokenizer": str.split}),
    (FileNotFoundError, "missing.txt", {"user_dict": "missing.txt", "tokenizer": "jieba"}),
]


@pytest.mark.parametrize(("error", "message", "options"), OPTIONS)
def test_errors_name_the_option(error, message, options):
    with pytest.raises(error, match=re.escape(message)):
        score(**options)


@pytest.mark.parametrize(
    ("name", "metric"),
    [("BLEU", "bleu"), ("bleu_4", "bleu"), ("BLEU-4", "bleu"), ("CIDEr-D", "cider_d"), ("ROUGE-L", "rouge_l")],
)
def test_other_names_of_metrics_are_accepted(name, metric):
    assert score(metrics=(name,)) == score(metrics=[metric])
    with pytest.raises(ValueError, match=f"metrics has '{metric}' more than once"):
        score(metrics=(metric, name))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ciderr", "did you mean 'cider'?"),
        ("CIDEr", "write 'cider_d' for CIDEr-D, which pycocoevalcap calls CIDEr, or 'cider' for"),
        ("rouge", "write 'rouge_l'"),
        ("bleu_2", "BLEU-2 is scores['bleu'].parts['bleu_2']"),
        ("ndcg@10", "it is a metric of score_retrieval"),
        ("FID", "it is a metric of image.score_images"),
        ("SPICE", "are not computed"),
    ],
)
def test_other_metrics_are_explained(name, hint):
    with pytest.raises(ValueError, match=re.escape(hint)):
        score(metrics=(name,))


def test_the_main_metric_of_a_task_may_have_another_name():
    mf.tasks.get("caption").check_options({"metrics": ("CIDEr-D",)})
    with pytest.raises(ValueError, match="metrics lack 'cider_d'"):
        mf.tasks.get("caption").check_options({"metrics": ("BLEU",)})


@pytest.mark.parametrize("number", [np.float16, np.float32, np.float64, np.int64, np.uint8])
def test_options_may_be_numpy_scalars(number):
    options = {"metrics": ALL, "smoothing": "floor"}
    plain = score(**options, sigma=3, smoothing_value=2, threads=1)
    scores = score(**options, sigma=number(3), smoothing_value=number(2), threads=np.int64(1))
    for name in ALL:
        assert scores[name].signature == plain[name].signature
        assert scores[name].per_item.tolist() == plain[name].per_item.tolist()


def test_a_signature_has_the_exact_value_of_a_single_precision_option():
    options = {"metrics": ("bleu",), "smoothing": "floor"}
    single = score(**options, smoothing_value=np.float32(0.1))["bleu"]
    assert "smoothing:floor(0.10000000149011612)" in single.signature
    assert single.value == score(**options, smoothing_value=0.10000000149011612)["bleu"].value


def test_negative_threads_are_refused():
    with pytest.raises(ValueError, match="threads is -1"):
        score(threads=-1)


def test_a_tiny_sigma_gives_no_nan():
    assert np.isfinite(score(sigma=1e-200, metrics=("cider_d",))["cider_d"].per_item).all()


def test_metrics_may_be_a_generator():
    assert list(score(metrics=(name for name in ("bleu", "rouge_l")))) == ["bleu", "rouge_l"]


def test_a_document_frequency_of_the_wrong_type_is_named():
    with pytest.raises(TypeError, match="document_frequency"):
        score(document_frequency={("红",): 1})


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (ValueError, "sigma", {"sigma": 0}),
        (ValueError, "metrics", {"metrics": ("spice",)}),
        (ValueError, "smoothing", {"smoothing": "x"}),
        (TypeError, "effective_order", {"effective_order": 1}),
    ],
)
def test_options_are_checked_before_texts_and_files(error, message, options):
    with pytest.raises(error, match=message):
        mf.Captions(REFERENCES).score(["\ud800", "b"], **options)
    with pytest.raises(error, match=message):
        score(["\ud800", "b"], [["\ud800"], ["b"]], tokenizer="jieba", user_dict="missing.txt", **options)


def test_the_tokenizer_is_checked_before_the_user_dictionary_is_read():
    with pytest.raises(ValueError, match="user_dict: not used by tokenizer 'muge', only by 'jieba'"):
        score(user_dict="missing.txt")
    with pytest.raises(TypeError, match="document_frequency: expected a DocumentFrequency, found dict"):
        score(user_dict="missing.txt", tokenizer="jieba", document_frequency={})


# Merging


def test_merging_refuses_shards_that_do_not_match():
    both, bleu = score(), score(metrics=("bleu",))
    smoothed = score(metrics=("bleu",), smoothing="exp")
    with pytest.raises(ValueError, match="shards is empty"):
        mf.Scores.merge([])
    with pytest.raises(ValueError, match=r"shards\[1\] has the metrics \['bleu'\], shards\[0\] has \['cider_d'"):
        mf.Scores.merge([both, bleu])
    with pytest.raises(ValueError, match=r"shards\[1\] was scored as .*smoothing:exp.*, shards\[0\] as .*:tiny"):
        mf.Scores.merge([bleu, smoothed])
    with pytest.raises(
        ValueError,
        match="cider_d of shards cannot be merged: each shard counted document frequencies in its own references",
    ):
        mf.Scores.merge([both, score()])
    with pytest.raises(ValueError, match=r"shards\[2\] is the same object as an earlier shard"):
        mf.Scores.merge([bleu, score(metrics=("bleu",)), bleu])
    named, again = (score({"a": "x"}, {"a": ["x"]}, metrics=("bleu",)) for _ in range(2))
    with pytest.raises(ValueError, match="id 'a' is in more than one shard"):
        mf.Scores.merge([named, again])


def test_merged_ids():
    assert mf.Scores.merge([score(metrics=("bleu",)) for _ in range(2)]).ids == [0, 1, 2, 3]
    one, two = (score({name: "x"}, {name: ["x"]}, metrics=("bleu",)) for name in "ab")
    assert mf.Scores.merge([one, two]).ids == ["a", "b"]
    # A single shard that counted its own references is the whole set.
    assert mf.Scores.merge([score()])["cider_d"].value == score()["cider_d"].value


@pytest.mark.parametrize(
    ("error", "message", "predictions", "references"),
    [
        (
            TypeError,
            "predictions: expected a mapping or a sequence, found dict_items; pass dict(predictions)",
            {"a": "x"}.items(),
            MAPPED,
        ),
        (
            TypeError,
            "predictions: expected a mapping or a sequence, found an array without axes",
            np.array("x"),
            MAPPED,
        ),
        (ValueError, "predictions is empty, needs at least one item", [], MAPPED),
        (ValueError, "NaN equals no other id: drop these rows of references", {math.nan: "x"}, {float("nan"): ["x"]}),
    ],
)
def test_objects_that_hold_no_captions_are_named(error, message, predictions, references):
    with pytest.raises(error, match=re.escape(message)):
        score(predictions, references)
