"""Retrieval metrics: equal to the plain definition and to pytrec_eval; errors for broken input."""

import enum
import math

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

import muge_fast as mf
import oracle

# Random lists are shorter than the cutoffs.
pytestmark = pytest.mark.filterwarnings("ignore:a cutoff is")

METRICS = ("recall", "relevant_recall", "precision", "ndcg", "mrr", "map")
# -1 at the end of both lists of a query is refused, see tests/test_retrieval_objects.py.
items = st.lists(st.integers(-5, 40).filter(lambda item: item != -1), unique=True, max_size=30)
queries = st.lists(st.tuples(items, items.filter(bool)), min_size=1, max_size=40)


def expect(ranked, relevant, name):
    metric, _, k = name.partition("@")
    return oracle.retrieval(ranked, relevant, int(k or 1))[metric]


@given(queries, st.sets(st.integers(1, 50), min_size=1, max_size=4), st.sampled_from([1, 2, 3]))
def test_equals_the_plain_definition(queries, ks, threads):
    ks = sorted(ks)
    predictions, references = zip(*queries, strict=True)
    scores = mf.score_retrieval(predictions, references, ks=ks, metrics=METRICS, threads=threads)
    for name, score in scores.items():
        if name == "mean_recall":
            expected = [np.mean([expect(*query, f"recall@{k}") for k in ks]) for query in queries]
        else:
            expected = [expect(*query, name) for query in queries]
        np.testing.assert_allclose(score.per_item, expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(score.value, np.mean(expected), rtol=0, atol=1e-12)


def random_queries(count, seed=0, pool=500):
    rng = np.random.default_rng(seed)
    predictions = {f"q{n}": [f"d{d}" for d in rng.permutation(pool)[: rng.integers(1, 60)]] for n in range(count)}
    references = {f"q{n}": [f"d{d}" for d in rng.permutation(pool)[: rng.integers(1, 90)]] for n in range(count)}
    return predictions, references


def test_equals_pytrec_eval():
    predictions, references = random_queries(700)
    # trec_eval ranks by score, so give descending scores.
    run = {query: {doc: float(-rank) for rank, doc in enumerate(docs)} for query, docs in predictions.items()}
    judged = {query: dict.fromkeys(docs, 1) for query, docs in references.items()}
    names = {
        "success_1": "recall@1", "success_5": "recall@5", "success_10": "recall@10",
        "recall_5": "relevant_recall@5", "recall_10": "relevant_recall@10",
        "P_5": "precision@5", "P_10": "precision@10",
        "ndcg_cut_5": "ndcg@5", "ndcg_cut_10": "ndcg@10",
        "recip_rank": "mrr", "map": "map",
    }  # fmt: skip
    measures = {"success.1,5,10", "recall.5,10", "P.5,10", "ndcg_cut.5,10", "recip_rank", "map"}
    by_query = pytrec_eval.RelevanceEvaluator(judged, measures).evaluate(run)
    scores = mf.score_retrieval(predictions, references, metrics=METRICS)
    for measure, name in names.items():
        expected = [by_query[query][measure] for query in references]
        np.testing.assert_allclose(scores[name].per_item, expected, rtol=0, atol=1e-12, err_msg=name)


@given(queries, st.randoms())
def test_the_order_of_queries_does_not_matter(queries, random):
    numbered = list(enumerate(queries))
    random.shuffle(numbered)
    scores = [
        mf.score_retrieval({n: query[0] for n, query in order}, {n: query[1] for n, query in enumerate(queries)})
        for order in (numbered, list(enumerate(queries)))
    ]
    assert scores[0]["mean_recall"].value == scores[1]["mean_recall"].value
    assert scores[0].ids == list(range(len(queries)))


def test_shards_merge_to_the_whole():
    predictions, references = random_queries(300)
    whole = mf.score_retrieval(predictions, references, metrics=METRICS)
    names = list(references)
    shards = [
        mf.score_retrieval(
            {name: predictions[name] for name in shard}, {name: references[name] for name in shard}, metrics=METRICS
        )
        for shard in (names[:7], names[7:200], names[200:])
    ]
    merged = mf.Scores.merge(shards)
    assert merged.ids == whole.ids
    for name, score in whole.items():
        assert merged[name].value == score.value
        assert merged[name].per_item.tobytes() == score.per_item.tobytes()


def test_forms_of_predictions():
    rng = np.random.default_rng(1)
    similarity = rng.normal(size=(50, 300)).astype("float32")
    ranking = mf.top_k_of(similarity, 10)
    references = [[int(row[rng.integers(0, 10)]), 299] for row in ranking.indices]
    references = [list(dict.fromkeys(row)) for row in references]
    expected = mf.score_retrieval(ranking.indices.tolist(), references)
    for predictions in (ranking, ranking.indices, ranking.indices.astype("int32"), list(ranking.indices)):
        assert mf.score_retrieval(predictions, references)["mean_recall"].value == expected["mean_recall"].value


@pytest.mark.parametrize("ranked", [[], [7, 8]])
def test_scores_without_hits_are_positive_zero(ranked):
    for name, score in mf.score_retrieval([ranked], [[1, 2]], metrics=METRICS).items():
        assert [math.copysign(1, value) for value in (score.value, *score.per_item)] == [1, 1], name
        assert score.value == 0


def test_rankings_of_tensors():
    torch = pytest.importorskip("torch")
    from muge_fast.retrieval import top_k_torch  # noqa: PLC0415 - it imports torch

    ranking = top_k_torch.top_k(torch.eye(3), torch.eye(3), 2)
    assert isinstance(ranking.indices, torch.Tensor)
    for predictions in (ranking, ranking.indices, list(ranking.indices), dict(enumerate(ranking.indices))):
        references = {0: [0], 1: [2], 2: [1]} if isinstance(predictions, dict) else [[0], [2], [1]]
        scores = mf.score_retrieval(predictions, references, ks=(1, 2))
        assert scores["recall@1"].per_item.tolist() == [1, 0, 0]
        assert scores["recall@2"].per_item.tolist() == [1, 0, 0]
    with pytest.raises(ValueError, match=r"predictions must be an integer or string matrix .* dtype float64"):
        mf.score_retrieval(ranking.scores, [[0], [2], [1]])


class Shop(enum.IntEnum):
    SHIRT = 1
    SKIRT = 2


class Name(str, enum.Enum):
    SHIRT = "a"
    SKIRT = "b"


@pytest.mark.parametrize(
    ("predictions", "references"),
    [
        ([["b", np.str_("a")]], [["a"]]),
        ([[np.str_("b"), np.str_("a")]], [["a"]]),
        ([["b", "a"]], [[Name.SHIRT]]),
        ([[Name.SKIRT, Name.SHIRT]], [["a"]]),
        ([np.array(["b", "a"])], [np.array(["a"])]),
        (np.array([["b", "a"]]), [["a"]]),
        ([[2, Shop.SHIRT]], [[1]]),
        ([[2, 1]], [[Shop.SHIRT]]),
        ([[2**70, 1]], [[Shop.SHIRT]]),
        ([[Shop.SKIRT, Shop.SHIRT]], [{np.uint8(1)}]),
        ([[2, np.uint64(2**64 - 1)]], [[2**64 - 1]]),
    ],
)
def test_integers_and_strings_of_other_types_are_ids(predictions, references):
    scores = mf.score_retrieval(predictions, references, ks=(1, 2))
    assert (scores["recall@1"].value, scores["recall@2"].value) == (0, 1)


def test_item_ids_beyond_64_bits():
    huge = 2**70
    scores = mf.score_retrieval([[huge, huge + 1]], [[huge + 1]], ks=(1, 2))
    assert (scores["recall@1"].value, scores["recall@2"].value) == (0, 1)


@pytest.mark.parametrize("argument", [0, 1])
def test_the_repeated_item_of_a_long_list_is_found_in_linear_time(argument):
    arguments = [[[1]], [[1]]]
    # Comparing each item with all items before it would take hours.
    arguments[argument] = [[*range(1_000_000), 999_999]]
    with pytest.raises(ValueError, match=r"\[0\] has the item 999999 twice$"):
        mf.score_retrieval(*arguments)


def test_transpose_twice_gives_the_same_pairs():
    references = {1: [5, 6], 2: [6], 3: [5, 7]}
    transposed = mf.transpose_references(references)
    assert transposed == {5: [1, 3], 6: [1, 2], 7: [3]}
    assert mf.transpose_references(transposed) == references
    with pytest.raises(ValueError, match=r"references\['a'\] has an item twice"):
        mf.transpose_references({"a": [1, 1]})


@pytest.mark.parametrize(
    ("predictions", "references", "options", "error", "message"),
    [
        ([], [], {}, ValueError, "references is empty, needs at least one item"),
        ([[1]], [[1], [2]], {}, ValueError, "predictions have 1 queries, references have 2"),
        ({"a": [1]}, {"a": [1], "b": [2]}, {}, ValueError, "predictions lack 1 id of references: 'b'"),
        (
            {"a": [1], "b": [1], "c": [1]},
            {"a": [1]},
            {},
            ValueError,
            "predictions have 2 ids not in references: 'b', 'c'",
        ),
        (
            {"a": [1]},
            [[1]],
            {},
            TypeError,
            "predictions are a mapping but references a sequence; pass both as the same",
        ),
        (
            [[1]],
            {"a": [1]},
            {},
            TypeError,
            "predictions are a sequence but references a mapping; pass both as the same",
        ),
        ([[1, 2, 1]], [[1]], {}, ValueError, r"predictions\[0\] has the item 1 twice"),
        ({"a": [1]}, {"a": [2, 2]}, {}, ValueError, r"references\['a'\] has the item 2 twice"),
        ({"a": [1]}, {"a": []}, {}, ValueError, r"references\['a'\] is empty, needs at least one item"),
        ([["1"]], [[1]], {}, TypeError, "items are strings in one of predictions and references and integers in"),
        ([[True]], [[1]], {}, TypeError, r"predictions\[0\]: item 0 is True \(bool\), all items must be"),
        ([[1, 2.0]], [[1]], {}, TypeError, r"predictions\[0\]: item 1 is 2.0 \(float\), all items must be"),
        ([["a"], ["b", 3]], [["a"], ["b"]], {}, TypeError, r"predictions\[1\]: item 1 is 3 \(int\), all items"),
        ([[[1]]], [[1]], {}, TypeError, r"predictions\[0\]: item 0 is \[1\] \(list\), all items must be"),
        ([[2, 1], [2, np.str_("x")]], [[1], [1]], {}, TypeError, r"predictions\[1\]: item 1 is .*x.* \(str_\), all"),
        ([[2, None]], [[1]], {}, TypeError, r"predictions\[0\]: item 1 is None \(NoneType\), all items must be"),
        ([[], [Shop.SHIRT, True]], [[1], [1]], {}, TypeError, r"predictions\[1\]: item 1 is True \(bool\), all"),
        ([[1]], [{"a", 1.5}], {}, TypeError, r"references\[0\]: item [01] is 1.5 \(float\), all items must be"),
        ([[np.timedelta64(1)]], [[1]], {}, TypeError, r"predictions\[0\]: item 0 is .* \(timedelta64\), all items"),
        ([["a", np.str_("a")]], [["a"]], {}, ValueError, r"predictions\[0\] has the item 'a' twice"),
        ([[1], {2, 1}], [[1], [1]], {}, TypeError, r"predictions\[1\] is a set \(set\), needs a list, best first"),
        ({"a": frozenset("b")}, {"a": ["b"]}, {}, TypeError, r"predictions\['a'\] is a set \(frozenset\), needs"),
        ([{1: 0}.keys()], [[1]], {}, TypeError, r"predictions\[0\] is a set \(dict_keys\), needs a list"),
        ([np.array(3)], [[3]], {}, TypeError, r"predictions\[0\] must be a list of item ids, got ndarray"),
        ("abc", [["a"]], {}, TypeError, "predictions: expected a mapping or a sequence, found str"),
        (["abc"], [["a"]], {}, TypeError, r"predictions\[0\] must be a list of item ids, got str"),
        ([3], [[3]], {}, TypeError, r"predictions\[0\] must be a list of item ids, got int"),
        (
            np.zeros((1, 2)),
            [[1]],
            {},
            ValueError,
            "predictions must be an integer or string matrix .*, got shape .* and dtype float64",
        ),
        ([[1]], [[1]], {"ks": ()}, ValueError, "ks is empty, needs at least one"),
        ([[1]], [[1]], {"ks": (0, 1)}, ValueError, r"ks\[0\] must be at least 1, got 0"),
        ([[1]], [[1]], {"ks": (2**70,)}, ValueError, r"ks\[0\] must be at most \d+, got"),
        ([[1]], [[1]], {"ks": (5, 1, 5)}, ValueError, "ks has 5 more than once"),
        ([[1]], [[1]], {"ks": (1, 5.0)}, TypeError, r"ks\[1\] must be an integer, got 5.0"),
        ([[1]], [[1]], {"metrics": ()}, ValueError, "metrics is empty"),
        ([[1]], [[1]], {"metrics": ("map", "map")}, ValueError, "metrics has 'map' more than once"),
        ([[1]], [[1]], {"metrics": ("hits",)}, ValueError, "unknown metrics 'hits', choose from recall"),
        ([[1]], [[1]], {"metrics": "map"}, TypeError, "metrics must be a sequence of names .*'map'"),
        ([[1]], [[1]], {"threads": 0}, ValueError, "threads is 0, needs at least 1"),
    ],
)
def test_errors(predictions, references, options, error, message):
    with pytest.raises(error, match=f"^{message}"):
        mf.score_retrieval(predictions, references, **options)
