"""Dictionaries of scores and of gains: equal to a plain definition, pytrec_eval, ranx and scikit-learn."""

import math

import numpy as np
import pytest
import pytrec_eval
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import muge_fast as mf
import oracle

QRELS = {
    "q0": {"d19": 0, "d8": 0, "d23": 0, "d11": 1, "d25": 2, "d22": 0, "d27": 2},
    "q1": {"d0": 0, "d6": 2, "d24": 1, "d28": 0, "d5": 1, "d25": 2, "d9": 0},
    "q2": {"d8": 2, "d0": 0, "d23": 0, "d11": 3, "d12": 0, "d28": 0, "d17": 0},
    "q3": {"d17": 0, "d2": 0, "d9": 0, "d21": 3, "d10": 3, "d27": 2, "d5": 0},
}
RUN = {
    "q0": {"d16": 0.182, "d8": 0.867, "d0": 0.389, "d11": 0.762, "d19": 0.072, "d22": 0.618, "d23": 0.972},
    "q1": {"d24": 0.596, "d5": 0.708, "d6": 0.066, "d25": 0.355, "d21": 0.306, "d9": 0.696, "d26": 0.473},
    "q2": {"d13": 0.86, "d28": 0.037, "d26": 0.946, "d12": 0.341, "d17": 0.611, "d11": 0.918, "d23": 0.924},
    "q3": {"d21": 0.979, "d4": 0.638, "d27": 0.802, "d10": 0.334, "d24": 0.981, "d15": 0.564, "d17": 0.896},
}
METRICS = ("recall", "relevant_recall", "precision", "ndcg", "ndcg_exp", "mrr", "map")


def plain_ndcg(ranked, gains, k, exponential):
    """Return nDCG@K by its definition."""

    def value(gain):
        return 2**gain - 1 if exponential else gain

    found = sum(value(max(gains.get(item, 0), 0)) / math.log2(rank + 1) for rank, item in enumerate(ranked[:k], 1))
    best = sorted((value(gain) for gain in gains.values() if gain > 0), reverse=True)[:k]
    return found / sum(gain / math.log2(rank + 1) for rank, gain in enumerate(best, 1))


items = st.integers(0, 12)
gains = st.dictionaries(items, st.sampled_from([-1, 0, 0.5, 1, 2, 3]), min_size=1).filter(lambda d: max(d.values()) > 0)
rankings = st.lists(items, unique=True)


@pytest.mark.filterwarnings("ignore:a cutoff is")
@given(st.lists(st.tuples(rankings, gains), min_size=1, max_size=10), st.sampled_from([1, 3, 5, 100]))
def test_gains_equal_the_plain_definition(queries, k):
    predictions, references = zip(*queries, strict=True)
    scores = mf.score_retrieval(predictions, references, ks=(2, k) if k != 2 else (2,), metrics=METRICS)
    for n, (ranked, judged) in enumerate(queries):
        relevant = [item for item, gain in judged.items() if gain > 0]
        expected = oracle.retrieval(ranked, relevant, k)
        expected["ndcg"] = plain_ndcg(ranked, judged, k, exponential=False)
        expected["ndcg_exp"] = plain_ndcg(ranked, judged, k, exponential=True)
        for name, value in expected.items():
            key = name if name in ("mrr", "map") else f"{name}@{k}"
            assert scores[key].per_item[n] == pytest.approx(value, rel=0, abs=1e-12), key


def test_scores_and_gains_equal_pytrec_eval():
    rng = np.random.default_rng(4)
    documents = [f"d{n}" for n in range(60)]
    # Few different scores, so that many are equal; exact in single precision, which trec_eval uses.
    run = {f"q{n}": {d: float(rng.integers(0, 8)) / 8 for d in rng.permutation(documents)[:30]} for n in range(200)}
    qrels = {f"q{n}": {d: int(rng.integers(0, 4)) for d in rng.permutation(documents)[:20]} for n in range(200)}
    names = {
        "success_1": "recall@1", "success_10": "recall@10", "recall_5": "relevant_recall@5", "P_5": "precision@5",
        "ndcg_cut_1": "ndcg@1", "ndcg_cut_5": "ndcg@5", "ndcg_cut_10": "ndcg@10", "recip_rank": "mrr", "map": "map",
    }  # fmt: skip
    measures = {"success.1,10", "recall.5", "P.5", "ndcg_cut.1,5,10", "recip_rank", "map"}
    by_query = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)
    scores = mf.score_retrieval(run, qrels, metrics=list(names.values()))
    for measure, name in names.items():
        expected = [by_query[query][measure] for query in qrels]
        np.testing.assert_allclose(scores[name].per_item, expected, rtol=0, atol=1e-12, err_msg=name)


def test_gains_equal_ranx_and_scikit_learn():
    scores = mf.score_retrieval(RUN, QRELS, metrics=("ndcg@3", "ndcg@5", "ndcg_exp@3", "ndcg_exp@5", "hit_rate@1"))
    # ranx 0.3.21: ranx.evaluate(Qrels(QRELS), Run(RUN), ["ndcg@3", "ndcg@5", "ndcg_burges@3", "ndcg_burges@5",
    # "hit_rate@1"])
    recorded = {
        "ndcg@3": 0.30120382791823486,
        "ndcg@5": 0.3736423226281664,
        "ndcg_exp@3": 0.27659257777265084,
        "ndcg_exp@5": 0.34627975033634945,
        "recall@1": 0.25,
    }
    assert scores.to_dict() == pytest.approx(recorded, rel=0, abs=1e-12)
    # scikit-learn 1.9.1: sklearn.metrics.ndcg_score(gains, scores, k=5), a row for each query
    by_query = [0.13291299131469791, 0.5423222553368243, 0.3519590445170674, 0.46737499934407595]
    assert scores["ndcg@5"].per_item.tolist() == pytest.approx(by_query, rel=0, abs=1e-12)


def test_equal_scores_are_in_the_order_of_trec_eval():
    run = {"q": {"9": 0.5, "10": 0.5, "b": 0.5, "é": 0.5, "a": 1.0}}
    order = ["a", "é", "b", "9", "10"]
    for rank, item in enumerate(order, 1):
        assert mf.score_retrieval(run, {"q": [item]}, metrics=("mrr",))["mrr"].value == 1 / rank
        trec = pytrec_eval.RelevanceEvaluator({"q": {item: 1}}, {"recip_rank"}).evaluate(run)
        assert trec["q"]["recip_rank"] == 1 / rank
    # Integer ids have the order of the same ids as text.
    numbers = mf.score_retrieval({"q": {9: 0.5, 10: 0.5}}, {"q": [9]}, metrics=("mrr",))
    assert numbers["mrr"].value == 1


@given(st.permutations(list(RUN)), st.randoms())
def test_the_order_of_dictionaries_never_changes_the_score(order, random):
    def shuffled(scores):
        pairs = list(scores.items())
        random.shuffle(pairs)
        return dict(pairs)

    expected = mf.score_retrieval(RUN, QRELS, ks=(1, 5), metrics=METRICS)
    scores = mf.score_retrieval(
        {query: shuffled(RUN[query]) for query in order},
        {query: shuffled(QRELS[query]) for query in QRELS},
        ks=(1, 5),
        metrics=METRICS,
    )
    assert scores.to_dict() == expected.to_dict()


def test_gains_of_one_are_lists():
    relevant = {query: [item for item, gain in judged.items() if gain] for query, judged in QRELS.items()}
    ones = {query: dict.fromkeys(listed, True) for query, listed in relevant.items()}
    expected = mf.score_retrieval(RUN, relevant, ks=(1, 5), metrics=METRICS)
    for references in (ones, {query: dict.fromkeys(listed, 1.0) for query, listed in relevant.items()}):
        scores = mf.score_retrieval(RUN, references, ks=(1, 5), metrics=METRICS)
        for name, score in expected.items():
            assert scores[name].per_item.tobytes() == score.per_item.tobytes()
    assert expected["ndcg@5"].value == expected["ndcg_exp@5"].value


def test_scores_and_gains_of_numpy_and_torch():
    torch = pytest.importorskip("torch")
    run = {query: {item: np.float32(value) for item, value in scores.items()} for query, scores in RUN.items()}
    tensors = {query: {item: torch.tensor(value) for item, value in scores.items()} for query, scores in RUN.items()}
    judged = {query: {item: np.int8(gain) for item, gain in gains.items()} for query, gains in QRELS.items()}
    expected = mf.score_retrieval(RUN, QRELS, ks=5, metrics=METRICS).to_dict()
    for predictions in (run, tensors):
        assert mf.score_retrieval(predictions, judged, ks=5, metrics=METRICS).to_dict() == expected


def test_a_sparse_matrix_has_gains():
    dense = np.array([[0, 3, 1, 0], [2, 0, 0, -1]])
    rankings = [[2, 1, 0], [3, 0, 1]]
    scores = mf.score_retrieval(rankings, scipy.sparse.csr_matrix(dense), metrics=("ndcg@3", "recall@1"))
    expected = [
        plain_ndcg(ranked, dict(enumerate(row)), 3, exponential=False)
        for ranked, row in zip(rankings, dense, strict=True)
    ]
    assert scores["ndcg@3"].per_item.tolist() == pytest.approx(expected, rel=0, abs=1e-12)
    assert scores["recall@1"].per_item.tolist() == [1, 0]


def test_shards_of_graded_queries_merge_to_the_whole():
    whole = mf.score_retrieval(RUN, QRELS, ks=(1, 5), metrics=METRICS)
    shards = [
        mf.score_retrieval({q: RUN[q] for q in part}, {q: QRELS[q] for q in part}, ks=(1, 5), metrics=METRICS)
        for part in (["q0"], ["q1", "q2", "q3"])
    ]
    assert mf.Scores.merge(shards).to_dict() == whole.to_dict()


def test_transposed_gains():
    transposed = mf.transpose_references({"q": {"a": 2, "b": 0}, "r": {"a": 1}})
    assert transposed == {"a": {"q": 2, "r": 1}, "b": {"q": 0}}
    assert mf.transpose_references({1: 7, 2: 7}) == {7: [1, 2]}
    with pytest.raises(TypeError, match="references must be a mapping from query id, got list"):
        mf.transpose_references([[1]])


@pytest.mark.parametrize(
    ("predictions", "references", "error", "message"),
    [
        ({"q": {"a": float("nan")}}, {"q": ["a"]}, ValueError, r"^predictions\['q'\]: the score of 'a' is NaN$"),
        (
            {"q": {"b": 1.0, "a": "0.5"}},
            {"q": ["a"]},
            TypeError,
            r"^predictions\['q'\]: the score of 'a' is '0.5', needs",
        ),
        ({"q": {"b": 1.0, "a": None}}, {"q": ["a"]}, TypeError, "the score of 'a' is None, needs a number$"),
        ({"q": {"a": True}}, {"q": ["a"]}, TypeError, "the score of 'a' is True, needs a number$"),
        ({"q": {"a": [1, 2]}}, {"q": ["a"]}, TypeError, "the score of 'a' is a list of 2, needs a number$"),
        (
            {"q": {"a": 1.0}, "r": ["a"]},
            {"q": ["a"], "r": ["a"]},
            TypeError,
            r"^predictions\['r'\] must be a dict of scores",
        ),
        (
            {"q": ["a"]},
            {"q": {"a": 0}},
            ValueError,
            r"^references\['q'\] has no relevant item, .*gain above 0; drop the q",
        ),
        (
            {"q": ["a"]},
            {"q": {"a": float("nan")}},
            ValueError,
            r"^references\['q'\]: the gain of 'a' is nan, needs a finite",
        ),
        ({"q": ["a"]}, {"q": {"a": float("inf")}}, ValueError, "the gain of 'a' is inf, needs a finite number"),
        ({"q": ["a"]}, {"q": {"a": "2"}}, TypeError, "the gain of 'a' is '2', needs a number$"),
        ({"q": ["a"]}, {"q": {"b": 1, "a": None}}, TypeError, "the gain of 'a' is None, needs a number$"),
        (
            {"q": ["a"], "r": ["a"]},
            {"q": {"a": 1}, "r": ["a"]},
            TypeError,
            r"^references\['r'\] must be a dict of gains",
        ),
        ({"q": {1: 0.5}}, {"q": {"1": 1}}, TypeError, "predictions have int, references str; convert one of them"),
    ],
)
def test_errors(predictions, references, error, message):
    with pytest.raises(error, match=message):
        mf.score_retrieval(predictions, references)


def test_a_gain_too_large_for_its_power_of_two_is_refused():
    with pytest.raises(ValueError, match="a gain is 2000, ndcg_exp needs at most 1000"):
        mf.score_retrieval([["a"]], [{"a": 2000}], metrics=("ndcg_exp@1",))
    assert mf.score_retrieval([["a"]], [{"a": 2000}], metrics=("ndcg@1",))["ndcg@1"].value == 1


def test_large_integers_are_ranked_exactly():
    # As floats all three are equal, and the ids would decide.
    run = {"d1": 10**18 + 2, "d2": 10**18 + 1, "d3": 10**18}
    assert mf.score_retrieval([run], [{"d1": 1}], metrics=["mrr"])["mrr"] == 1
    assert (
        mf.score_retrieval([dict(zip(run, np.array([*run.values()]), strict=True))], [["d2"]], metrics=["mrr"])["mrr"]
        == 0.5
    )
