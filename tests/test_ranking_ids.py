"""Ids of rankings: attached by every search, matched by metrics, kept by copies."""

import copy
import pickle
from enum import Enum

import numpy as np
import pytest

import muge_fast as mf

RNG = np.random.default_rng(11)
QUERIES, ITEMS = (RNG.standard_normal((rows, 6), dtype="float32") for rows in (4, 30))
BEST = np.argsort(-(QUERIES.astype(float) @ ITEMS.astype(float).T), axis=1)[:, :3]
QUERY_IDS, ITEM_IDS = [8429, 8426, 8428, 8427], [int(number) for number in RNG.permutation(1000)[:30]]
EXPECTED = {query: [ITEM_IDS[index] for index in row] for query, row in zip(QUERY_IDS, BEST, strict=True)}


def stream(**ids):
    first, second = mf.TopK(3), mf.TopK(3)
    first.update(QUERIES, ITEMS[20:], 20)
    second.update(QUERIES, ITEMS[:20], 0)
    first.merge(second)
    return pickled(first).compute(**ids)


SEARCHES = {
    "embeddings": lambda **ids: mf.top_k(QUERIES, ITEMS, 3, **ids),
    "matrix": lambda **ids: mf.top_k_of(QUERIES.astype(float) @ ITEMS.astype(float).T, 3, **ids),
    "batches": stream,
    "afterwards": lambda **ids: mf.top_k(QUERIES, ITEMS, 3).with_ids(**ids),
    "constructor": lambda **ids: mf.Ranking(np.zeros((4, 3)), BEST, **ids),
}


@pytest.mark.parametrize("search", SEARCHES)
def test_every_search_attaches_ids(search):
    ranking = SEARCHES[search](query_ids=QUERY_IDS, item_ids=ITEM_IDS)
    assert ranking.to_dict() == EXPECTED
    assert list(ranking.to_dict()) == QUERY_IDS
    assert ranking.ids.tolist() == list(EXPECTED.values())
    assert (ranking.ids.dtype, ranking.query_ids.tolist(), ranking.item_ids.tolist()) == (
        np.int64,
        QUERY_IDS,
        ITEM_IDS,
    )
    assert all(type(item) is int for row in ranking.to_dict().values() for item in row)
    _, indices = ranking
    assert indices is ranking.indices
    assert (indices == BEST).all()
    assert len(ranking) == 2


class Code(str, Enum):
    A = "a"


def forms_of_ids():
    yield ITEM_IDS, ITEM_IDS
    yield tuple(ITEM_IDS), ITEM_IDS
    yield iter(ITEM_IDS), ITEM_IDS
    yield range(30), list(range(30))
    yield dict.fromkeys(ITEM_IDS).keys(), ITEM_IDS
    for dtype in ("int16", "uint16", "uint64", ">i8"):
        yield np.array(ITEM_IDS, dtype), ITEM_IDS
    yield list(map(np.int32, ITEM_IDS)), ITEM_IDS
    texts = [f"图{number:04}" for number in ITEM_IDS]
    yield texts, texts
    yield np.array(texts), texts
    yield np.array(texts, dtype=object), texts
    yield [Code.A, *texts[1:]], ["a", *texts[1:]]


def test_forms_of_ids_are_equal():
    for given, expected in forms_of_ids():
        ranking = mf.top_k(QUERIES, ITEMS, 3, item_ids=given)
        assert ranking.item_ids.tolist() == expected
        assert ranking.ids.tolist() == [[expected[index] for index in row] for row in BEST]
        assert {type(item) for row in ranking.ids.tolist() for item in row} == {type(expected[1])}


def test_columns_and_tensors_are_ids():
    pandas, torch = pytest.importorskip("pandas"), pytest.importorskip("torch")
    # The index of a column has nothing to do with the order of the items.
    column = pandas.Series(ITEM_IDS, index=range(100, 130))
    for given in (column, pandas.Index(ITEM_IDS), torch.tensor(ITEM_IDS), list(torch.tensor(ITEM_IDS))):
        assert mf.top_k(QUERIES, ITEMS, 3, item_ids=given).item_ids.tolist() == ITEM_IDS


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ({"query_ids": [1, 2, 3]}, ValueError, "query_ids has 3 ids, but there are 4 queries"),
        ({"query_ids": [1, 2, 1, 3]}, ValueError, r"query_ids: id 1 occurs twice, at \[0\] and \[2\]"),
        (
            {"item_ids": [*ITEM_IDS[:29], ITEM_IDS[3]]},
            ValueError,
            r"item_ids: id \d+ occurs twice, at \[3\] and \[29\]",
        ),
        ({"item_ids": ["a", "b", *map(str, range(27)), "a"]}, ValueError, "item_ids: id 'a' occurs twice"),
        (
            {"item_ids": [1, "1", *range(2, 30)]},
            TypeError,
            r"item_ids: \[1\] is '1', a string, and \[0\] is an integer",
        ),
        ({"item_ids": [1.0, *range(2, 31)]}, TypeError, r"item_ids\[0\] is 1.0, a float"),
        ({"item_ids": [True, *range(2, 31)]}, TypeError, r"item_ids\[0\] is True, a boolean"),
        ({"item_ids": [None, *range(2, 31)]}, ValueError, r"item_ids\[0\] is missing"),
        ({"item_ids": [2**63, *range(2, 31)]}, ValueError, rf"item_ids: \[0\] is {2**63}, which does not fit in int64"),
        ({"item_ids": [b"a", *range(2, 31)]}, TypeError, r"item_ids: \[0\] is bytes"),
        ({"item_ids": np.eye(30, dtype=int)}, TypeError, "item_ids must have one dimension"),
        ({"item_ids": np.arange(30.0)}, TypeError, "item_ids are float64"),
        ({"item_ids": "abc"}, TypeError, "item_ids must be a list of ids, got str"),
        ({"item_ids": set(range(30))}, TypeError, "item_ids must be a list of ids, got set"),
        ({"item_ids": ITEM_IDS[:2]}, ValueError, "item_ids has 2 ids, but"),
    ],
)
def test_ids_that_do_not_fit_are_refused(search, ids, error, message):
    with pytest.raises(error, match=message):
        SEARCHES[search](**ids)


@pytest.mark.parametrize("search", ["embeddings", "matrix", "batches"])
def test_too_many_item_ids_are_refused(search):
    with pytest.raises(ValueError, match="item_ids has 31 ids, but there are 30 items"):
        SEARCHES[search](item_ids=range(31))


def test_ids_are_checked_before_the_search():
    broken = np.full((30, 6), np.nan, "float32")
    with pytest.raises(ValueError, match="item_ids has 1 ids"):
        mf.top_k(QUERIES, broken, 3, item_ids=[1])


def pickled(value):
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own


@pytest.mark.parametrize("change", [copy.copy, copy.deepcopy, pickled, mf.Ranking._replace])
def test_copies_keep_ids(change):
    ranking = mf.top_k(QUERIES, ITEMS, 3, query_ids=QUERY_IDS, item_ids=ITEM_IDS)
    copied = change(ranking)
    assert type(copied) is mf.Ranking
    assert copied.to_dict() == EXPECTED
    assert change(mf.top_k(QUERIES, ITEMS, 3)).item_ids is None


def test_with_ids_replaces_what_is_passed():
    ranking = mf.top_k(QUERIES, ITEMS, 3, item_ids=ITEM_IDS)
    assert ranking.query_ids is None
    assert ranking.with_ids(query_ids=QUERY_IDS).to_dict() == EXPECTED
    names = list(map(str, ITEM_IDS))
    other = ranking.with_ids(query_ids=list("abcd"), item_ids=names)
    assert other.to_dict() == dict(zip("abcd", [list(map(str, row)) for row in EXPECTED.values()], strict=True))
    assert ranking.ids.tolist() == list(EXPECTED.values())


def test_missing_ids_and_padding_are_named():
    ranking = mf.top_k(QUERIES, ITEMS, 3)
    with pytest.raises(ValueError, match=r"the ranking has no ids of items; ranking\.with_ids\(item_ids=…\) adds them"):
        _ = ranking.ids
    with pytest.raises(ValueError, match=r"the ranking has no ids of queries"):
        ranking.with_ids(item_ids=ITEM_IDS).to_dict()
    padded = mf.Ranking(np.zeros((2, 2)), np.array([[0, 1], [1, -1]]))
    with pytest.raises(ValueError, match=r"indices\[1, 1\] is -1, not the index of an item; faiss pads with -1"):
        padded.with_ids(item_ids=[5, 6])
    with pytest.raises(ValueError, match=r"indices\[1, 1\] is -1, not the index of an item"):
        mf.score_retrieval(padded.with_ids(query_ids=["a", "b"]), {"a": [0], "b": [1]})
    with pytest.raises(ValueError, match=r"item_ids has 2 ids, but indices\[0, 1\] is 2"):
        mf.Ranking(np.zeros((1, 2)), np.array([[0, 2]]), item_ids=[5, 6])
    with pytest.raises(ValueError, match=r"indices have shape \(2,\), need \(queries, k\)"):
        mf.Ranking(np.zeros(2), np.array([0, 1]), item_ids=[5, 6])


# Metrics


def recall(ranking, references, k):
    """Compute Recall@K by its definition."""
    return sum(bool(set(items[:k]) & set(references[query])) for query, items in ranking.items()) / len(ranking)


@pytest.mark.parametrize("item_ids", [ITEM_IDS, [f"i{number}" for number in ITEM_IDS]])
@pytest.mark.parametrize("query_ids", [QUERY_IDS, list("dbca")])
def test_rankings_with_ids_are_scored_against_references_by_id(query_ids, item_ids):
    ranking = mf.top_k(QUERIES, ITEMS, 3, query_ids=query_ids, item_ids=item_ids)
    # The second best of one query, the best of another, none of the rest; in another order than the queries.
    relevant = [[item_ids[BEST[0, 1]]], [item_ids[BEST[1, 0]]], [item_ids[BEST[2, -1] - 1]], [item_ids[BEST[3, 2]]]]
    references = dict(list(zip(query_ids, relevant, strict=True))[::-1])
    scores = mf.score_retrieval(ranking, references, ks=(1, 2, 3))
    for k in (1, 2, 3):
        assert scores[f"recall@{k}"].value == recall(ranking.to_dict(), references, k)
    assert scores.ids == list(references)
    assert scores["recall@1"].per_item.tolist() == [
        float(ranking.to_dict()[query][0] in references[query]) for query in references
    ]


def test_rankings_without_ids_are_scored_by_position():
    ranking = mf.top_k(QUERIES, ITEMS, 3)
    references = [[int(row[1])] for row in BEST]
    by_position = mf.score_retrieval(ranking, references, ks=(1, 2))
    assert (by_position["recall@1"].value, by_position["recall@2"].value) == (0, 1)
    with_items = ranking.with_ids(item_ids=ITEM_IDS)
    by_id = mf.score_retrieval(with_items, [[ITEM_IDS[row[1]]] for row in BEST], ks=(1, 2))
    assert (by_id["recall@1"].value, by_id["recall@2"].value) == (0, 1)
    # Queries with ids, items by index.
    with_queries = ranking.with_ids(query_ids=list("abcd"))
    by_query = mf.score_retrieval(with_queries, dict(zip("dcba", references[::-1], strict=True)), ks=(1, 2))
    assert (by_query["recall@1"].value, by_query["recall@2"].value) == (0, 1)
    with pytest.raises(TypeError, match="predictions are a mapping but references a sequence"):
        mf.score_retrieval(with_queries, references)
    with pytest.raises(TypeError, match=r"references a mapping; .*ranking\.with_ids"):
        mf.score_retrieval(with_items, dict(enumerate(references)))
    with pytest.raises(ValueError, match="predictions lack 1 id of references: 'e'"):
        mf.score_retrieval(with_queries, dict(zip("abce", references, strict=True)))


def test_ids_of_tensors_stay_on_the_host():
    torch = pytest.importorskip("torch")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    queries, items = torch.tensor(QUERIES, device=device), torch.tensor(ITEMS, device=device)
    ranking = mf.top_k(queries, items, 3, query_ids=torch.tensor(QUERY_IDS), item_ids=torch.tensor(ITEM_IDS))
    assert ranking.to_dict() == EXPECTED
    assert isinstance(ranking.ids, np.ndarray)
    from muge_fast.retrieval import top_k_torch  # noqa: PLC0415 - it imports torch

    ranking = top_k_torch.top_k(queries, items, 3)
    assert isinstance(ranking.indices, torch.Tensor)
    labelled = ranking.with_ids(query_ids=QUERY_IDS, item_ids=ITEM_IDS)
    assert labelled.indices is ranking.indices
    assert labelled.to_dict() == EXPECTED
    references = {query: [items[2]] for query, items in EXPECTED.items()}
    assert mf.score_retrieval(labelled, references, ks=(3,))["recall@3"].value == 1
