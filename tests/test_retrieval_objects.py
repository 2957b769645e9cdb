"""Rankings in objects of pandas, NumPy, torch, scipy and others: the score of plain lists, or an error with the fix."""

import re
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import muge_fast as mf

PREDICTIONS = {"a": [1, 2, 3], "b": [4, 5, 6], "c": [9, 7, 8], "d": [2, 3, 1]}
REFERENCES = {"a": [1], "b": [6], "c": [5, 7], "d": [8]}
# By hand: a is found at rank 1, b at rank 3, c at rank 2, d is not found.
EXPECTED = {"recall@1": 0.25, "recall@2": 0.5, "recall@3": 0.75, "mean_recall": 0.5}
KS = (1, 2, 3)


def score(predictions, references):
    return mf.score_retrieval(predictions, references, ks=KS).to_dict()


def series(values):
    return pd.Series(values)


@given(st.permutations(list("abcd")), st.permutations(list("abcd")))
def test_the_order_of_an_index_never_changes_the_score(left, right):
    predictions, references = series(PREDICTIONS).loc[list(left)], series(REFERENCES).loc[list(right)]
    for pair in ((predictions, references), (predictions, REFERENCES), (PREDICTIONS, references)):
        assert score(*pair) == EXPECTED
    assert mf.score_retrieval(predictions, references, ks=KS).ids == list(right)


@given(st.permutations(range(4)))
def test_a_shuffled_default_index_is_aligned_or_refused(order):
    shuffled = pd.Series(list(PREDICTIONS.values())).iloc[list(order)]
    references = pd.Series(list(REFERENCES.values()))
    if list(order) == [0, 1, 2, 3]:
        assert score(shuffled, references) == EXPECTED
        return
    with pytest.raises(TypeError, match=r"predictions are a mapping but references a sequence; .*predictions\.tolist"):
        score(shuffled, references)
    assert score(shuffled, dict(enumerate(REFERENCES.values()))) == EXPECTED


def test_every_form_of_the_same_rankings_has_the_same_score():
    torch = pytest.importorskip("torch")
    lists, relevant = list(PREDICTIONS.values()), list(REFERENCES.values())
    matrix = np.array(lists)
    ragged = np.empty(4, dtype=object)
    ragged[:] = lists
    forms = [
        lists, tuple(map(tuple, lists)), matrix, matrix.astype("uint8"), matrix.astype(object), ragged, list(matrix),
        torch.tensor(matrix), torch.tensor(matrix, dtype=torch.int32), list(torch.tensor(matrix)),
        [list(row) for row in torch.tensor(matrix)], [list(row) for row in matrix], pd.Series(lists),
        pd.Series(list(matrix)), [pd.Series(row) for row in lists], [pd.Index(row) for row in lists],
        pa.array(lists), pa.chunked_array([lists]), [pa.array(row) for row in lists],
        mf.Ranking(scores=np.zeros((4, 3)), indices=matrix), mf.Ranking(scores=None, indices=torch.tensor(matrix)),
        PREDICTIONS.values(), (row for row in lists),
    ]  # fmt: skip
    for form in forms:
        assert score(form, relevant) == EXPECTED, form


def test_polars_columns_are_lists():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"id": list(PREDICTIONS), "items": list(PREDICTIONS.values())})
    assert score(frame["items"], list(REFERENCES.values())) == EXPECTED
    with pytest.raises(TypeError, match=r"a polars DataFrame; .* pass a dict: dict\(zip\(df\[.query_id"):
        score(frame, REFERENCES)


def test_query_ids_of_numpy_and_torch_are_integers():
    torch = pytest.importorskip("torch")
    references = dict(enumerate(REFERENCES.values()))
    for ids in (np.arange(4), torch.arange(4), pd.Index(range(4)), np.arange(4, dtype="uint16")):
        predictions = dict(zip(ids, PREDICTIONS.values(), strict=True))
        scores = mf.score_retrieval(predictions, references, ks=KS)
        assert scores.to_dict() == EXPECTED
        swapped = mf.score_retrieval(references, {key: value[:1] for key, value in predictions.items()}, ks=(1,))
        assert set(map(type, swapped.ids)) == {int}


def test_one_relevant_item_for_each_query():
    torch = pytest.importorskip("torch")
    rankings = np.array([[0, 1], [2, 1], [0, 2]])
    # The relevant item of query n is n: at rank 1, at rank 2, at rank 2.
    forms = [
        np.arange(3), [0, 1, 2], torch.arange(3), list(torch.arange(3)), list(np.arange(3)),
        pd.Series([0, 1, 2]), range(3), np.arange(3)[:, None],
        pa.array([0, 1, 2]), np.eye(3, dtype=bool), torch.eye(3, dtype=torch.bool), scipy.sparse.eye(3),
    ]  # fmt: skip
    for references in forms:
        assert mf.score_retrieval(rankings, references, ks=(1, 2)).to_dict() == {
            "recall@1": 1 / 3, "recall@2": 1.0, "mean_recall": (1 / 3 + 1) / 2,
        }, references  # fmt: skip
    indexed = pd.Series(["y", "x"], index=["q2", "q1"])
    assert mf.score_retrieval({"q1": ["x", "y"], "q2": ["x", "y"]}, indexed, ks=1)["recall@1"].per_item.tolist() == [
        0,
        1,
    ]


def test_matrices_of_relevance_are_those_of_their_columns():
    rng = np.random.default_rng(3)
    relevance = rng.random((30, 40)) < 0.1
    relevance[:, 0] = True
    rankings = np.argsort(rng.random((30, 40)), axis=1)[:, :10]
    metrics = ("recall", "relevant_recall", "precision", "ndcg", "mrr", "map")
    expected = mf.score_retrieval(rankings, [np.flatnonzero(row).tolist() for row in relevance], metrics=metrics)
    for references in (relevance, scipy.sparse.csr_matrix(relevance), scipy.sparse.coo_array(relevance.astype(float))):
        assert mf.score_retrieval(rankings, references, metrics=metrics).to_dict() == expected.to_dict()


def test_runs_and_qrels_of_ranx_are_dictionaries():
    # The package is not installed for the tests; its classes have this method.
    run = type("Run", (), {"__module__": "ranx.data_structures.run", "to_dict": lambda _: {"q": {"a": 0.1, "b": 0.2}}})
    qrels = type("Qrels", (), {"__module__": "ranx.data_structures.qrels", "to_dict": lambda _: {"q": {"a": 1}}})
    assert mf.score_retrieval(run(), qrels(), metrics=("mrr",))["mrr"].value == 0.5


@pytest.mark.parametrize("text", ["[1, 2]", "d1 d2", "d1,d2", "d1;d2", "d1|d2", "{'d1'}"])
def test_lists_written_as_text_are_refused(text):
    with pytest.raises(TypeError, match=r"^references\['q'\] is the string .*several items; pass a list: split it"):
        mf.score_retrieval({"q": ["d1"]}, {"q": text})
    with pytest.raises(TypeError, match=r"^predictions\['q'\] must be a list of item ids, got str; split it"):
        mf.score_retrieval({"q": text}, {"q": ["d1"]})


def test_a_sparse_matrix_is_not_changed():
    matrix = scipy.sparse.csr_matrix(([1, 1, 2], ([0, 0, 1], [0, 0, 1])), shape=(2, 2))
    before = matrix.data.copy()
    mf.score_retrieval([[0], [1]], matrix, ks=1)
    assert matrix.data.tolist() == before.tolist()


FRAME = pd.DataFrame({"query_id": list(PREDICTIONS), "item_ids": list(PREDICTIONS.values())})
RENAMED = FRAME.rename(columns={"item_ids": "items"})
LISTS = list(PREDICTIONS.values())
RELEVANT = list(REFERENCES.values())
MATRIX = np.array(LISTS)
MASKED = np.ma.array(MATRIX, mask=MATRIX > 8)
SIMILARITY = np.zeros((4, 9), "float32")


@pytest.mark.parametrize(
    ("predictions", "references", "message"),
    [
        (RENAMED, REFERENCES, r'^predictions is a pandas DataFrame; .*: df\.set_index\("query_id"\)\["item_ids"\]$'),
        (PREDICTIONS, RENAMED, "^references is a pandas DataFrame"),
        (pa.Table.from_pandas(RENAMED), REFERENCES, "^predictions is a pyarrow Table"),
        (FRAME.groupby("query_id")["item_ids"], REFERENCES, r'\.groupby\("query_id"\)\["item_ids"\]\.agg\(list\)$'),
        (MATRIX, REFERENCES, r"a sequence but references a mapping; .* predictions = dict\(zip\(query_ids, predic"),
        (
            mf.Ranking(np.zeros((4, 3)), MATRIX),
            REFERENCES,
            r"references a mapping; .*such as predictions = .*ranking\.",
        ),
        (LISTS, REFERENCES, "^predictions are a sequence but references a mapping; pass both as the same kind"),
        (PREDICTIONS, RELEVANT, r"^predictions are a mapping but references a sequence; .*zip\(query_ids, references"),
        (PREDICTIONS, np.eye(4, dtype=bool), "^predictions are a mapping but references a sequence"),
        (pd.Series(LISTS), REFERENCES, "references a mapping; .*: set the query ids as the index of predictions$"),
        (LISTS, series(REFERENCES), "^predictions are a sequence but references a mapping"),
        (MASKED, RELEVANT, r"^predictions is a masked array with 1 masked entry; fill or drop"),
        (
            np.ma.array(MATRIX),
            RELEVANT,
            r"^predictions is a masked array with 0 masked entries; pass predictions\.data",
        ),
        (LISTS, np.ma.array([1, 2, 3, 4], mask=[0, 0, 0, 1]), "^references is a masked array with 1 masked entry"),
        (list(MASKED), RELEVANT, r"^predictions\[0\] is a masked array with 0 masked entries"),
        ({"a": np.ma.array([1, 2], mask=[0, 1])}, {"a": [1]}, r"^predictions\['a'\] is a masked array with 1 masked"),
        (
            {"a": pd.Series([4, 5], index=[7, 9])},
            {"a": [4]},
            r"^predictions\['a'\] is a Series with an index; .*tolist",
        ),
        (
            {"a": [1]},
            {"a": pd.Series([4, 5], index=[7, 9])},
            r"^references\['a'\] is a Series with an index; .*to_dict",
        ),
        ({"a": FRAME}, {"a": [1]}, r"^predictions\['a'\] must be a list of item ids, got DataFrame"),
        (
            [[("x", 0.5), ("y", 0.4)]],
            [["x"]],
            r"item 0 is \('x', 0.5\) \(tuple\).*; pass pairs of an item and its score as a",
        ),
        ([[0, 1]], [[True, False]], r"^references\[0\]: item 0 is True \(bool\).*np\.array\(references\)$"),
        (LISTS, SIMILARITY[:, :3], "^references must be items or booleans, not floats; pass matrix > 0 for relevance"),
        (scipy.sparse.csr_matrix(SIMILARITY), RELEVANT, "^predictions is a sparse matrix; pass the ranked items"),
        (
            (SIMILARITY, MATRIX),
            RELEVANT,
            r"^predictions is a pair of matrices, .*; pass the indices: predictions\[1\]$",
        ),
        (
            [{"query_id": "a", "item_ids": [1]}],
            [[1]],
            r"^predictions\[0\]: the score of 'query_id' is 'a', needs a number",
        ),
        ([[1]], [{"item_ids": [1, 2]}], r"^references\[0\]: the gain of 'item_ids' is a list of 2, needs a number"),
        (
            [[1], [2]],
            pd.array([1, None], dtype="Int64"),
            r"^references\[1\] is <NA> \(NAType\), but other queries have",
        ),
        (
            [[1], [2]],
            pd.Series([1, None]),
            r"^references\[1\] is a missing value \(nan\); drop the query",
        ),
        ([[1], [2]], np.array([1.0, 2.0]), "^references must be items, not floats; drop missing values and convert"),
        (
            PREDICTIONS,
            {**REFERENCES, "b": None},
            r"^references\['b'\] must be .*got NoneType \(a missing value\); drop",
        ),
        (
            pd.Series({**PREDICTIONS, "b": np.nan}),
            REFERENCES,
            r"^predictions\['b'\] must be .*float \(a missing value\)",
        ),
        ({1.0: [1]}, {1: [1]}, r"^the ids of predictions\[0\] is 1.0, a float"),
        ({True: [1]}, {1: [1]}, r"^the ids of predictions\[0\] is True, a boolean"),
        (pd.Series([[1]], index=[1.0]), {1: [1]}, "^the ids in the index of predictions are float64"),
        ([["1"]], [[1]], "^items are strings .*: predictions have str, references int; convert one of them$"),
        ([np.array([1.0])], [[1]], r"^predictions\[0\]: item 0 is .*1\.0.* \(float64\), all items must be integers"),
        ([np.array([True])], [[1]], r"^predictions\[0\]: item 0 is .*True.* \(bool\), all items must be integers"),
    ],
)
def test_wrong_kinds_are_refused_with_the_fix(predictions, references, message):
    with pytest.raises(TypeError, match=message):
        mf.score_retrieval(predictions, references)


@pytest.mark.parametrize(
    ("predictions", "references", "message"),
    [
        (
            SIMILARITY,
            RELEVANT,
            r"^predictions must be an integer or .*; to rank scores, pass mf\.top_k_of\(scores, k\)$",
        ),
        (np.array([1, 2, 3, 4]), RELEVANT, r"^predictions must be .* matrix \(queries, items\), got shape \(4,\)"),
        (pd.Series(LISTS, index=list("aabc")), REFERENCES, "^the index of predictions has 'a' more than once; .*agg"),
        (
            pd.Series(LISTS, index=["a", None, "c", "d"]),
            REFERENCES,
            "^the index of predictions lacks an id at position 1",
        ),
        (LISTS, np.array([True, False, True, True]), r"^references must be an array .*got shape \(4,\) and dtype bool"),
        (LISTS, np.eye(4, dtype=int), r"^references is a matrix of 0 and 1, .*references\.astype\(bool\)"),
        (LISTS, np.eye(4, dtype=bool), r"^predictions\[1\] has the item 4, but references is a matrix of 4 columns"),
        (LISTS, scipy.sparse.eye(4), r"^predictions\[1\] has the item 4, but references is a matrix of 4 columns"),
        (LISTS, np.zeros((4, 9), bool), r"^references\[0\] is empty, needs at least one item; drop the query"),
        (
            {1: [1], 2: [1]},
            {"1": [1], "2": [1]},
            "ids of predictions are int, those of references str: the id is there as",
        ),
    ],
)
def test_wrong_values_are_refused_with_the_fix(predictions, references, message):
    with pytest.raises(ValueError, match=message):
        mf.score_retrieval(predictions, references)


@pytest.mark.parametrize(
    ("predictions", "references", "message"),
    [
        (np.array([[3, 1, 2], [4, 5, -1]]), [[3], [4]], r"^predictions\[1\] has -1 at rank 3; faiss and padded arrays"),
        (
            np.array([[3, 1, 2], [4, -1, -1]]),
            [[3], [4]],
            r"^predictions\[1\] has -1 at rank 2; faiss and padded arrays",
        ),
        (list(np.array([[3, 1], [4, -1]])), [[3], [4]], r"^predictions\[1\] has -1 at rank 2; faiss"),
        ({"a": np.array([4, -1])}, {"a": [4]}, r"^predictions\['a'\] has -1 at rank 2; faiss"),
        ([[4, -1, -1]], [[4]], r"^predictions\[0\] has the item -1 twice; faiss and padded arrays"),
        ([[4, -1, 5, -1]], [[4]], r"^predictions\[0\] has the item -1 twice; faiss and padded arrays"),
        ([[4, 3]], np.array([[3, -1]]), r"^references\[0\] has -1 at rank 2; faiss and padded arrays"),
        ([[4, 3], [1, 2]], np.array([3, -1]), r"^references\[1\] has -1 at rank 1; faiss and padded arrays"),
        (
            [[1, 2], [4, -1]],
            [[1], [3, -1]],
            r"^predictions\[1\] and references\[1\] end with -1; faiss and padded arrays",
        ),
    ],
)
def test_padding_is_named(predictions, references, message):
    with pytest.raises(ValueError, match=message):
        mf.score_retrieval(predictions, references)


def test_padding_of_tensors_and_rankings_is_named():
    torch = pytest.importorskip("torch")
    indices = torch.tensor([[3, 1], [4, -1]])
    for predictions in (indices, list(indices), mf.Ranking(torch.zeros(2, 2), indices)):
        with pytest.raises(ValueError, match=r"^predictions\[1\] has -1 at rank 2; faiss"):
            mf.score_retrieval(predictions, [[3], [4]])


def test_one_padded_item_of_a_list_is_an_item_that_is_not_relevant():
    metrics = ("recall", "precision", "ndcg", "mrr", "map")
    padded = mf.score_retrieval([[4, 3, -1], [5, 6, 7]], [[3], [7]], ks=KS, metrics=metrics)
    assert padded.to_dict() == mf.score_retrieval([[4, 3], [5, 6, 7]], [[3], [7]], ks=KS, metrics=metrics).to_dict()


def test_a_cutoff_beyond_all_lists_warns():
    predictions, references = {"a": list(range(10)), "b": list(range(9))}, {"a": [3], "b": [50]}
    message = "^a cutoff is 20, but no list of predictions has more than 10: .*; pass longer lists, or cutoffs up to"
    with pytest.warns(UserWarning, match=message) as caught:
        scores = mf.score_retrieval(predictions, references, ks=(10, 20))
    assert caught[0].filename == __file__
    assert scores["recall@20"].value == 0.5
    assert list(scores) == ["recall@10", "recall@20", "mean_recall"]
    with pytest.warns(UserWarning, match="a cutoff is 20"):
        mf.score_retrieval([[1, 2]], [[1, 3]], metrics=("ndcg@20",))


@pytest.mark.parametrize(
    ("predictions", "references", "metrics"),
    [
        ([[1, 2]], [[2]], ("recall", "ndcg", "precision")),
        ([[1, 2], [3, 1]], [[2, 5], [1, 3]], ("recall",)),
        ([[1, 2], list(range(20))], [[3], [50]], ("recall",)),
        ([[]], [[3]], ("recall",)),
        ([[1, 2]], [[3]], ("mrr", "map")),
    ],
)
def test_no_warning_where_longer_lists_could_not_change_a_score(predictions, references, metrics):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mf.score_retrieval(predictions, references, ks=(1, 20), metrics=metrics)


def test_indices_in_place_of_ids_warn():
    ids = np.arange(8) + 42967
    ranking = mf.top_k(np.eye(12, 8, dtype="float32"), np.eye(8, dtype="float32"), 3)
    references = [[int(ids[n % 8])] for n in range(12)]
    message = (
        r"^no query has a hit: ranked items are 0 to 7, relevant items 42967 to 42974\. .*: ids\[ranking\.indices\]$"
    )
    for predictions in (ranking, ranking.indices):
        with pytest.warns(UserWarning, match=message):
            assert mf.score_retrieval(predictions, references, ks=KS)["recall@3"].value == 0
    assert mf.score_retrieval(ids[ranking.indices], references, ks=KS)["recall@1"].value > 0.5
    # Strings without a hit have no order, so nothing is said about them.
    words = ranking.indices.astype(str)
    assert mf.score_retrieval(words, [["x"]] * 12, ks=KS)["recall@3"].value == 0


def test_one_cutoff():
    for ks in (2, np.int64(2), np.array([2]), [2], pd.Series([2])):
        assert list(mf.score_retrieval(LISTS, RELEVANT, ks=ks)) == ["recall@2", "mean_recall"]
    torch = pytest.importorskip("torch")
    assert list(mf.score_retrieval(LISTS, RELEVANT, ks=torch.tensor([1, 2])))[:2] == ["recall@1", "recall@2"]
    for ks, error in (("10", TypeError), (True, TypeError), (0, ValueError), (2.0, TypeError), (None, TypeError)):
        with pytest.raises(error, match=r"^ks must be"):
            mf.score_retrieval(LISTS, RELEVANT, ks=ks)


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["R@1"], ["recall@1"]),
        (["Recall@1", "recall@3"], ["recall@1", "recall@3"]),
        (["hit_rate@2", "success@3", "success_1"], ["recall@2", "recall@3", "recall@1"]),
        (["hit_rate"], ["recall@1", "recall@2", "recall@3", "mean_recall"]),
        (["ndcg@3", "nDCG@2", "ndcg_cut_1", "NDCG"], ["ndcg@3", "ndcg@2", "ndcg@1"]),
        (["P@2", "precision@1", "P_3"], ["precision@2", "precision@1", "precision@3"]),
        (["recall", "recall@1"], ["recall@1", "recall@2", "recall@3", "mean_recall"]),
        (["MRR", "recip_rank"][:1], ["mrr"]),
        (["reciprocal_rank", "MAP"], ["mrr", "map"]),
        (["relevant_recall@2", "ndcg_burges@2"], ["relevant_recall@2", "ndcg_exp@2"]),
    ],
)
def test_names_of_other_tools_and_names_with_a_cutoff(names, keys):
    scores = mf.score_retrieval(LISTS, RELEVANT, ks=KS, metrics=names)
    assert list(scores) == keys
    metrics = ("recall", "relevant_recall", "precision", "ndcg", "ndcg_exp", "mrr", "map")
    every = mf.score_retrieval(LISTS, RELEVANT, ks=KS, metrics=metrics)
    for key in keys:
        assert scores[key].value == every[key].value
        assert scores[key].signature == every[key].signature


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mrr@10", "mrr has no cutoff; for mrr of the first 10 items, cut the lists of predictions to 10 items"),
        ("ndgc@10", "; did you mean 'ndcg@10'?"),
        ("recal", "; did you mean 'recall'?"),
        ("mean_recall", "; 'recall' has mean_recall too"),
        ("recall_10", "did you mean 'recall@10' (any relevant item) or 'relevant_recall@10' (trec_eval's recall)?"),
        ("recall@0", "must be at least 1, got 0"),
        ("bpref", "choose from recall, relevant_recall, precision, ndcg, ndcg_exp, mrr, map"),
    ],
)
def test_unknown_names_say_what_was_meant(name, message):
    with pytest.raises(ValueError, match=re.escape(message) + "$"):
        mf.score_retrieval(LISTS, RELEVANT, metrics=[name])


def test_the_same_metric_by_two_names_is_repeated():
    with pytest.raises(ValueError, match="metrics has 'recall@1' more than once"):
        mf.score_retrieval(LISTS, RELEVANT, metrics=["R@1", "recall@1"])


SQUARE = np.eye(3, dtype="float32")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: mf.top_k_of(pa.table({"a": [1.0]}), 1),
            r"^similarity is a pyarrow Table, .*pass similarity\.to_pandas\(\)\.to_numpy\(\)",
        ),
        (lambda: mf.top_k_of(SQUARE.tolist(), 1), r'got list; pass np\.asarray\(similarity, dtype="float32"\)$'),
        (
            lambda: mf.top_k_of(np.ma.array(SQUARE, mask=SQUARE > 0), 1),
            "^similarity is a masked array with 3 masked entries",
        ),
        (lambda: mf.top_k_of(SQUARE > 0, 1), "got dtype bool; convert it to float32$"),
        (
            lambda: mf.top_k(SQUARE.astype("float64"), SQUARE, 1),
            "^queries must be .*, got dtype float64; convert it to float32$",
        ),
        (
            lambda: mf.top_k(SQUARE, SQUARE.astype("int64"), 1),
            "^items must be .*, got dtype int64; convert it to float32$",
        ),
        (
            lambda: mf.TopK(1).update(pd.DataFrame(SQUARE), SQUARE, 0),
            r"^queries is a pandas DataFrame, .*pass queries\.to_numpy\(\)",
        ),
        (
            lambda: mf.top_k(SQUARE, pa.table({"a": [1.0]}), 1),
            r"^items is a pyarrow Table, .*items\.to_pandas\(\)\.to_numpy",
        ),
        (lambda: mf.top_k(SQUARE, SQUARE.tolist(), 1), r"^items must be .*got list; pass np\.asarray\(items"),
        (
            lambda: mf.TopK(1).update(np.ma.array(SQUARE), SQUARE, 0),
            r"^queries is a masked array .*pass queries\.data$",
        ),
        (
            lambda: mf.top_k(SQUARE, SQUARE, 1, exclude=pd.Series([[0], [1], [2]]).iloc[::-1]),
            "^exclude must be a list for each",
        ),
        (
            lambda: mf.top_k(SQUARE, SQUARE, 1, exclude={0: [1]}),
            "^exclude must be a list for each query in their order",
        ),
        (lambda: mf.top_k(SQUARE, SQUARE, 1, exclude=np.ma.array([[0], [1], [2]])), "^exclude is a masked array"),
    ],
)
def test_searches_refuse_tables_lists_and_masks_with_the_fix(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_excluded_padding_is_named():
    with pytest.raises(ValueError, match=r"^exclude\[1\] has the index -1, needs 0 to 2; drop the padding$"):
        mf.top_k(SQUARE, SQUARE, 1, exclude=[[0], [1, -1], []])


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_nan_among_the_best_warns_with_its_rows(dtype):
    similarity = np.array([[3, 1, 2], [np.nan, 1, np.nan], [np.nan, 5, 4], [np.nan] * 3], dtype)
    with pytest.warns(
        UserWarning, match="^similarity: 2 of 4 rows have NaN among the 2 best, the first is row 1;"
    ) as caught:
        ranking = mf.top_k_of(similarity, 2)
    assert caught[0].filename == __file__
    assert ranking.indices.tolist() == [[0, 2], [1, 0], [1, 2], [0, 1]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mf.top_k_of(similarity[:3], 1).indices.tolist() == [[0], [1], [1]]
        masked = np.where(np.isnan(similarity), -np.inf, similarity)
        mf.top_k_of(masked, 2)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_a_rank_that_cuts_through_infinite_ties_warns_with_its_rows(dtype):
    inf = np.inf
    similarity = np.array([[3, 1, 2, 0], [inf, 1, inf, 0], [inf, 1, inf, inf], [inf] * 4, [0, inf, 1, -inf]], dtype)
    message = "^similarity: 2 of 5 rows have more than 2 infinite scores, the first is row 2; .* by index alone"
    with pytest.warns(UserWarning, match=message) as caught:
        ranking = mf.top_k_of(similarity, 2)
    assert (len(caught), caught[0].filename) == (1, __file__)
    assert ranking.indices.tolist() == [[0, 2], [0, 2], [0, 2], [0, 1], [1, 2]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mf.top_k_of(similarity[:2], 2)
        mf.top_k_of(similarity[2:3], 3)
        # Items that are masked out on purpose.
        mf.top_k_of(np.full((2, 5), -inf, dtype), 2)


def test_a_list_of_scores_and_indices_is_named_like_a_pair():
    scores, indices = np.array([[0.9, 0.8]] * 2, "float32"), np.array([[3, 1]] * 2)
    for pair in ((scores, indices), [scores, indices]):
        with pytest.raises(TypeError, match=r"pass the indices: predictions\[1\]"):
            mf.score_retrieval(pair, [[3], [1]])


def test_tensors_that_numpy_cannot_hold_are_refused_in_words():
    torch = pytest.importorskip("torch")
    for tensor in (torch.eye(2).to_sparse(), torch.ones(2, 2, dtype=torch.bfloat16)):
        with pytest.raises(TypeError, match=r"^a Tensor of dtype \w+ is sparse, nested or of a type that NumPy lacks"):
            mf.score_retrieval([[0], [1]], tensor)


def test_lists_of_arrow_are_lists():
    arrow = pytest.importorskip("pyarrow")
    rows = list(arrow.array([[3, 1], [2, 4]]))
    assert mf.score_retrieval(rows, [[1], [2]], metrics=["mrr"])["mrr"] == 0.75
    assert (
        mf.score_retrieval(dict(zip(arrow.array([8, 9]), rows, strict=True)), {9: 2, 8: 1}, metrics=["mrr"])["mrr"]
        == 0.75
    )


@pytest.mark.parametrize("form", ["array", "torch", "arrow", "set", "scalars"])
def test_transposed_items_of_every_form_are_equal_between_queries(form):
    torch, arrow = pytest.importorskip("torch"), pytest.importorskip("pyarrow")
    make = {
        "array": np.array,
        "torch": torch.tensor,
        "arrow": arrow.array,
        "set": set,
        "scalars": lambda items: list(torch.tensor(items)),
    }[form]
    transposed = mf.transpose_references({1: make([2, 3]), 4: make([2])})
    assert transposed == {2: [1, 4], 3: [1]}
    assert set(map(type, transposed)) == {int}
    assert mf.transpose_references({torch.tensor(1): torch.tensor(2), 4: 2}) == {2: [1, 4]}


@pytest.mark.parametrize("items", [None, [2.0], [True], "a b", [None], b"a"])
def test_transposed_items_are_integers_or_strings(items):
    with pytest.raises((TypeError, ValueError), match=r"references\[1\]"):
        mf.transpose_references({1: items})
