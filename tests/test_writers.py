"""Writing captions and rankings: what is read back is equal, and what no file can hold is refused by its id."""

import json
from random import Random

import numpy as np
import pytest

import muge_fast as mf


def rows_of(path):
    """Read JSON Lines as any reader may: by bytes, by text lines, and by str.splitlines()."""
    text = path.read_bytes().decode("utf-8")
    rows = [json.loads(line) for line in text.split("\n")[:-1]]
    assert text.endswith("\n")
    assert [json.loads(line) for line in text.splitlines()] == rows
    with path.open(encoding="utf-8") as file:
        assert [json.loads(line) for line in file] == rows
    return rows


ODD = "".join(map(chr, range(33))) + '\x7f\x85\xa0\u2028\u2029\ufeff\uffff"\\/裙😀\U0010ffff'


def odd_text(random):
    return "".join(random.choice(ODD) for _ in range(random.randint(1, 12)))


@pytest.mark.parametrize("kind", ["predictions", "references"])
def test_captions_of_any_characters_are_read_back_equal(tmp_path, kind):
    random, path = Random(4), tmp_path / "captions.jsonl"
    captions = {f"{n}{odd_text(random)}": odd_text(random) for n in range(5000)}
    if kind == "references":
        captions = {key: [text] * random.randint(1, 3) for key, text in captions.items()}
    mf.write_captions(path, captions)
    assert mf.read_captions(path, kind=kind) == captions
    assert list(mf.read_captions(path)) == list(captions)
    assert rows_of(path) == [{"image_id": key, "text": text} for key, text in captions.items()]


def test_integer_ids_of_captions_stay_integers(tmp_path):
    path = tmp_path / "captions.jsonl"
    mf.write_captions(path, {7: "红裙", np.int64(-3): "黑鞋"})
    assert path.read_text("utf-8") == '{"image_id": 7, "text": "红裙"}\n{"image_id": -3, "text": "黑鞋"}\n'


@pytest.mark.parametrize(
    ("options", "names", "text_name"),
    [
        ({}, ("query_id", "item_ids"), "query_text"),
        ({"fields": "chinese-clip"}, ("text_id", "image_ids"), "text"),
        ({"fields": "chinese-clip", "direction": "image-to-text"}, ("image_id", "text_ids"), "text"),
    ],
)
def test_rankings_are_read_back_equal(tmp_path, options, names, text_name):
    random, path = Random(5), tmp_path / "queries.jsonl"
    edges = [-(2**63), 2**63 - 1, 0, -1]
    ranking = {n - 50: [*random.sample(range(-10, 10**6), random.randint(1, 30)), n + 10**7] for n in range(5000)}
    ranking[2**62] = [-1, *edges[:3]]
    texts = {query: odd_text(random) for query in [*ranking, "of no query"]}
    mf.write_queries(path, ranking, **options)
    assert mf.read_queries(path) == ranking
    assert rows_of(path) == [{names[0]: query, names[1]: items} for query, items in ranking.items()]
    mf.write_queries(path, ranking, texts=texts, **options)
    assert mf.read_queries(path) == ranking
    assert rows_of(path) == [
        {names[0]: query, text_name: texts[query], names[1]: items} for query, items in ranking.items()
    ]


def test_string_ids_of_rankings_are_written_as_strings(tmp_path):
    random, path = Random(6), tmp_path / "queries.jsonl"
    ranking = {f"{n}{odd_text(random)}": [f"{k}{odd_text(random)}" for k in range(3)] for n in range(500)}
    mf.write_queries(path, ranking)
    assert rows_of(path) == [{"query_id": query, "item_ids": items} for query, items in ranking.items()]


def test_forms_of_rankings_are_written_alike(tmp_path):
    path = tmp_path / "queries.jsonl"
    expected = {8426: [30, 10], 8427: [20, 30]}
    rows = np.array([[30, 10], [20, 30]])
    found = mf.Ranking(np.zeros((2, 2)), np.array([[0, 2], [1, 0]]))
    forms = [
        expected,
        {query: tuple(items) for query, items in expected.items()},
        dict(zip(np.array([8426, 8427], "uint16"), rows, strict=True)),
        dict(zip((8426, 8427), rows.astype("uint64"), strict=True)),
        dict(zip((8426, 8427), rows.astype("int8"), strict=True)),
        {query: list(map(np.int32, items)) for query, items in expected.items()},
        found.with_ids(query_ids=[8426, 8427], item_ids=[30, 20, 10]),
    ]
    for form in forms:
        mf.write_queries(path, form)
        assert mf.read_queries(path) == expected
    with pytest.raises(ValueError, match=r"no ids of queries; ranking\.with_ids\(query_ids=…\) adds them"):
        mf.write_queries(path, found)
    with pytest.raises(ValueError, match=r"no ids of items; ranking\.with_ids\(item_ids=…\) adds them"):
        mf.write_queries(path, found.with_ids(query_ids=[1, 2]))
    assert mf.read_queries(path) == expected


def test_series_and_tensors_are_written_alike(tmp_path):
    pandas, torch = pytest.importorskip("pandas"), pytest.importorskip("torch")
    path = tmp_path / "file.jsonl"
    mf.write_queries(path, pandas.Series([[3, 1], [2]], index=[8, 7]))
    assert mf.read_queries(path) == {8: [3, 1], 7: [2]}
    mf.write_queries(path, {8: torch.tensor([3, 1]), 7: [torch.tensor(2)]})
    assert mf.read_queries(path) == {8: [3, 1], 7: [2]}
    mf.write_captions(path, pandas.Series(["红裙", "黑鞋"], index=["b", "a"]))
    assert mf.read_captions(path) == {"b": "红裙", "a": "黑鞋"}
    mf.write_captions(path, pandas.DataFrame({"image_id": ["b", "a"], "text": ["红裙", "黑鞋"]}))
    assert mf.read_captions(path) == {"b": "红裙", "a": "黑鞋"}
    with pytest.raises(TypeError, match=r"captions is a pandas DataFrame; .* or pass a column with its ids"):
        mf.write_captions(path, pandas.DataFrame({"id": ["a"], "text": ["红裙"]}))


CAPTION_ERRORS = [
    ({}, ValueError, "captions is empty, needs at least one id"),
    (["红裙"], TypeError, "captions must be a mapping from image_id to captions, got a list of 1"),
    ("红裙", TypeError, "captions must be a mapping from image_id to captions, got str"),
    ({"a": "x", 1: "y"}, TypeError, r"ids of captions: \[1\] is 1, an integer, and \[0\] is a string"),
    ({1.5: "x"}, TypeError, "ids are integers or strings"),
    ({"a": "x", "b": ["y"]}, ValueError, r"captions\['b'\] is a list, the caption of the first id is a string"),
    ({"a": ["x"], "b": "y"}, ValueError, r"captions\['b'\] is a string, the captions of the first id are a list"),
    ({"a": ["x"], "b": []}, ValueError, r"captions\['b'\] is empty, needs at least one caption"),
    ({"a": ["x", None]}, TypeError, r"captions\['a'\] must be a string or a list of strings, got NoneType at \[1\]"),
    ({"a": "x", "b": None}, TypeError, r"captions\['b'\] must be a string or a list of strings, got None"),
    ({"a": {"x"}}, TypeError, r"captions\['a'\] must be a string or a list of strings, got set"),
    ({"a": "x", "b": "y\ud83d"}, ValueError, r"captions\['b'\]: text has a lone surrogate"),
    ({"a": ["x"], "b": ["y", "\udc00"]}, ValueError, r"captions\['b'\]: text has a lone surrogate"),
    ({"a": "x", "b\ud83d": "y"}, ValueError, r"captions\['b\\ud83d'\]: image_id has a lone surrogate"),
]

QUERY_ERRORS = [
    ({}, {}, ValueError, "rankings is empty, needs at least one id"),
    ([[1, 2]], {}, TypeError, "rankings must be a mapping from query_id to item ids, got a list of 1"),
    (np.eye(2, dtype=int), {}, TypeError, "rankings must be a mapping from query_id to item ids, got ndarray"),
    ({1: []}, {}, ValueError, r"rankings\[1\] has no items, needs at least one"),
    ({1: [5, 6, 5]}, {}, ValueError, r"rankings\[1\] has the item 5 twice"),
    ({1: [5, 6, -1]}, {}, ValueError, r"rankings\[1\] ends in -1, with which faiss pads short lists; leave it out"),
    ({1: [5, -1, -1]}, {}, ValueError, r"rankings\[1\] ends in -1, with which faiss pads"),
    ({1: {5: 0.3, 6: 0.2}}, {}, TypeError, r"rankings\[1\] is a dict, needs a list of item ids, best first"),
    ({1: {5, 6}}, {}, TypeError, r"rankings\[1\] is a set, needs a list"),
    ({1: "56"}, {}, TypeError, r"rankings\[1\] is a str, needs a list"),
    ({1: 5}, {}, TypeError, r"rankings\[1\] must be a list of ids, got int"),
    ({1: [5, True]}, {}, TypeError, r"rankings\[1\]\[1\] is True, a boolean"),
    ({1: [5, "6"]}, {}, TypeError, r"rankings\[1\]: \[1\] is '6', a string, and \[0\] is an integer"),
    ({1: [5, 6.0]}, {}, TypeError, r"rankings\[1\]\[1\] is 6.0, a float"),
    ({1: [5], 2: ["6"]}, {}, TypeError, r"rankings\[2\] has ids that are strings, other queries integers"),
    ({1: [5], "2": [6]}, {}, TypeError, r"ids of rankings: \[1\] is '2', a string, and \[0\] is an integer"),
    ({1: [5]}, {"texts": {}}, ValueError, "texts is empty"),
    ({2**63: [1]}, {}, ValueError, rf"ids of rankings: \[0\] is {2**63}, which does not fit in int64"),
    ({1: [5], 2: [6]}, {"texts": {1: "x"}}, ValueError, "texts lack the query 2"),
    ({1: [5]}, {"texts": {1: 7}}, TypeError, r"texts\[1\] must be a string, got int"),
    ({1: [5]}, {"texts": {1: "x\ud83d"}}, ValueError, r"rankings\[1\]: query_text has a lone surrogate"),
    ({"q": ["\ud83d"]}, {}, ValueError, r"rankings\['q'\]: item_ids has a lone surrogate"),
    ({1: [5]}, {"fields": "clip"}, ValueError, "unknown fields 'clip', choose one of muge, chinese-clip"),
    ({1: [5]}, {"direction": "up"}, ValueError, "unknown direction 'up'"),
    ({1: [5]}, {"direction": "image-to-text"}, ValueError, "fields 'muge' has no names for image-to-text"),
]


@pytest.mark.parametrize(("captions", "error", "message"), CAPTION_ERRORS)
def test_captions_that_no_file_can_hold_are_refused_by_id(tmp_path, captions, error, message):
    path = tmp_path / "file.jsonl"
    path.write_text("what was there")
    with pytest.raises(error, match=message):
        mf.write_captions(path, captions)
    assert path.read_text() == "what was there"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(("rankings", "options", "error", "message"), QUERY_ERRORS)
def test_rankings_that_no_file_can_hold_are_refused_by_query(tmp_path, rankings, options, error, message):
    path = tmp_path / "file.jsonl"
    path.write_text("what was there")
    with pytest.raises(error, match=message):
        mf.write_queries(path, rankings, **options)
    assert path.read_text() == "what was there"
    assert len(list(tmp_path.iterdir())) == 1


def test_items_of_more_than_64_bits_are_refused(tmp_path):
    with pytest.raises(ValueError, match="does not fit in int64"):
        mf.write_queries(tmp_path / "file.jsonl", {1: [2**63]})


def test_an_item_may_have_the_id_minus_one_in_a_ranking(tmp_path):
    ranking = mf.top_k_of(np.array([[0.5, 0.1]]), 2, query_ids=[1], item_ids=[7, -1])
    mf.write_queries(tmp_path / "file.jsonl", ranking)
    assert mf.read_queries(tmp_path / "file.jsonl") == {1: [7, -1]}
