"""Each function takes each kind of column: the result of plain lists, or an error that names the row."""

import datetime as dt
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import muge_fast as mf

TEXTS = ["红色裙子", "黑皮鞋", "白 shirt"]
LISTS = [["红色长裙", "红裙"], ["黑色皮鞋"], ["white shirt", "白衬衫", "衬衫"]]
IDS = ["a", "b", "c"]
STRING = np.dtypes.StringDType()


def ragged(rows):
    array = np.empty(len(rows), dtype=object)
    array[:] = rows
    return array


def hugging_face(format_name=None):
    """Return the columns of texts and of lists of a Dataset."""
    datasets = pytest.importorskip("datasets")
    dataset = datasets.Dataset.from_dict({"text": TEXTS, "refs": LISTS}).with_format(format_name)
    return dataset["text"], dataset["refs"]


COLUMNS = {
    "list": lambda: (TEXTS, LISTS),
    "generator": lambda: ((text for text in TEXTS), (list(row) for row in LISTS)),
    "numpy U": lambda: (np.array(TEXTS), [np.array(row) for row in LISTS]),
    "numpy S": lambda: (np.char.encode(TEXTS, "utf-8"), [np.char.encode(row, "utf-8") for row in LISTS]),
    "numpy object": lambda: (np.array(TEXTS, dtype=object), ragged(LISTS)),
    "numpy StringDType": lambda: (np.array(TEXTS, STRING), [np.array(row, STRING) for row in LISTS]),
    "pandas str": lambda: (pd.Series(TEXTS), pd.Series(LISTS)),
    "pandas object": lambda: (pd.Series(TEXTS, dtype=object), pd.Series([np.array(row) for row in LISTS])),
    "pandas Arrow": lambda: (
        pd.Series(TEXTS, dtype="string[pyarrow]"),
        pd.Series(LISTS, dtype=pd.ArrowDtype(pa.list_(pa.string()))),
    ),
    "pandas category": lambda: (pd.Series(TEXTS, dtype="category"), pd.Series(LISTS)),
    "polars": lambda: (pl.Series(TEXTS), pl.Series(LISTS)),
    "polars Categorical": lambda: (pl.Series(TEXTS, dtype=pl.Categorical), pl.Series(LISTS)),
    "polars Binary": lambda: (pl.Series([text.encode() for text in TEXTS]), pl.Series(LISTS)),
    "Arrow": lambda: (pa.array(TEXTS), pa.array(LISTS)),
    "Arrow large": lambda: (
        pa.array(TEXTS, pa.large_string()),
        pa.array(LISTS, pa.large_list(pa.large_string())),
    ),
    "Arrow view": lambda: (pa.array(TEXTS, pa.string_view()), pa.array(LISTS)),
    "Arrow dictionary": lambda: (pa.array(TEXTS).dictionary_encode(), pa.array(LISTS)),
    "Arrow binary": lambda: (pa.array([text.encode() for text in TEXTS]), pa.array(LISTS)),
    "Arrow slices": lambda: (pa.array(["x", *TEXTS, "y"])[1:4], pa.array([["x"], *LISTS, ["y"]])[1:4]),
    "Arrow chunks": lambda: (pa.chunked_array([TEXTS[:1], TEXTS[1:]]), pa.table({"r": LISTS})["r"]),
    "Arrow scalars": lambda: (list(pa.array(TEXTS)), list(pa.array(LISTS))),
    "datasets": hugging_face,
    "datasets numpy": lambda: hugging_face("numpy"),
    "datasets torch": lambda: hugging_face("torch"),
    "datasets Arrow": lambda: hugging_face("arrow"),
    "datasets pandas": lambda: hugging_face("pandas"),
    "datasets polars": lambda: hugging_face("polars"),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_captions_in_columns_have_the_scores_of_lists(kind):
    expected = mf.score_captions(TEXTS, LISTS)
    make = COLUMNS[kind]
    assert mf.score_captions(*make()) == expected
    assert mf.Captions(make()[1]).score(make()[0])["bleu"].value == expected["bleu"].value
    assert mf.tokenize(make()[0]) == mf.tokenize(TEXTS)
    assert mf.tokenize(make()[0], list) == mf.tokenize(TEXTS, list)
    assert mf.DocumentFrequency.from_references(make()[1]).fingerprint == (
        mf.DocumentFrequency.from_references(LISTS).fingerprint
    )
    accumulator = mf.CaptionAccumulator(metrics=["rouge_l"])
    accumulator.update(*make())
    assert accumulator.compute()["rouge_l"] == expected["rouge_l"]
    if kind not in ("numpy S", "polars Binary", "Arrow binary"):
        # Bytes are text in a column, not one by one.
        by_id = [dict(zip(IDS, column, strict=True)) for column in make()]
        assert mf.score_captions(*by_id).to_dict() == expected.to_dict()


MISSING = {
    "None": lambda: [None, "a", "b"],
    "NaN": lambda: ["a", float("nan"), "b"],
    "NA": lambda: ["a", pd.NA, "b"],
    "numpy object": lambda: np.array(["a", None, "b"], dtype=object),
    "numpy StringDType": lambda: np.array(["a", None, "b"], dtype=np.dtypes.StringDType(na_object=None)),
    "pandas": lambda: pd.Series(["a", None, "b"]),
    "pandas string": lambda: pd.Series(["a", None, "b"], dtype="string"),
    "pandas Arrow": lambda: pd.Series(["a", None, "b"], dtype="string[pyarrow]"),
    "polars": lambda: pl.Series(["a", None, "b"]),
    "Arrow": lambda: pa.array(["a", None, "b"]),
    "Arrow scalars": lambda: list(pa.array(["a", None, "b"])),
    "Arrow chunks": lambda: pa.chunked_array([["a"], [None, "b"]]),
}


@pytest.mark.parametrize("kind", MISSING)
def test_a_missing_text_is_an_error_that_names_its_row(kind):
    row = 0 if kind == "None" else 1
    where = re.escape(f"[{row}]") + r": expected str, found \w+ \(a missing value\)"
    with pytest.raises(TypeError, match=f"^predictions{where}; drop the item, or pass an empty string$"):
        mf.score_captions(MISSING[kind](), [["a"], ["b"], ["c"]])
    with pytest.raises(TypeError, match=f"^texts{where}"):
        mf.tokenize(MISSING[kind]())
    with pytest.raises(TypeError, match=f"^texts{where}"):
        mf.tokenize(MISSING[kind](), list)
    with pytest.raises(TypeError, match=r"^references\[0\]" + where):
        mf.score_captions(["a", "b"], [MISSING[kind](), ["a"]])


def test_a_missing_text_of_a_series_with_ids_is_named_by_its_id():
    with pytest.raises(TypeError, match=r"^predictions\['b'\]: expected str, found float \(a missing value\)"):
        mf.score_captions(pd.Series(["x", None], index=["a", "b"]), {"a": ["x"], "b": ["y"]})


@pytest.mark.parametrize("make", [pd.Series, pl.Series, pa.array, list])
def test_a_missing_list_is_an_error_that_names_its_row(make):
    with pytest.raises(TypeError, match=r"^references\[1\]: expected a list of str, found \w+ \(a missing value\)"):
        mf.score_captions(["a", "b", "c"], make([["a"], None, ["c"]]))
    for predictions, references, name in (
        (make([[1, 2], None]), [[1], [3]], "predictions"),
        ([[1, 2], [3, 4]], make([[1], None]), "references"),
    ):
        with pytest.raises(TypeError, match=rf"^{name}\[1\] must be a list .* \(a missing value\)"):
            mf.score_retrieval(predictions, references, ks=(1,))


@pytest.mark.parametrize(
    ("references", "message"),
    [
        (pd.Series([1, None]), r"^references\[1\] is a missing value \(nan\)"),
        (pd.Series([1, None], dtype="Int64"), r"^references\[1\] is <NA>"),
        (pa.array([1, None]), r"^references\[1\] is None"),
        (pl.Series([1, None]), r"^references\[1\] is None"),
        (np.array([[1.0, 2.0], [3.0, np.nan]]), r"\(row 1 has a missing value\)$"),
    ],
)
def test_a_missing_relevant_item_is_an_error_that_names_its_row(references, message):
    with pytest.raises(TypeError, match=message):
        mf.score_retrieval([[1, 2], [3, 4]], references, ks=(1,))


def test_a_missing_ranked_item_in_a_matrix_is_an_error_that_names_its_row():
    with pytest.raises(ValueError, match=r"dtype float64 \(row 1 has a missing value\)"):
        mf.score_retrieval(np.array([[1.0, 2.0], [3.0, np.nan]]), [[1], [3]], ks=(1,))


def test_bytes_that_are_not_utf8_are_an_error_that_names_their_row():
    texts = np.array(["红".encode(), "红色连衣裙".encode("gbk")])
    for column in (texts, pa.array(texts.tolist()), pl.Series(texts.tolist())):
        with pytest.raises(ValueError, match=r"^predictions\[1\] is bytes that are not UTF-8; decode"):
            mf.score_captions(column, [["红"], ["裙"]])
        with pytest.raises(ValueError, match=r"^query_ids\[1\] is bytes that are not UTF-8"):
            mf.top_k_of(np.eye(2), 1, query_ids=column)


RANKINGS, RELEVANT = [["i1", "i2"], ["i3", "i4"]], [["i2"], ["i3", "i9"]]


@pytest.mark.parametrize(
    "predictions",
    [
        np.array(RANKINGS), np.array(RANKINGS, dtype="S"), np.array(RANKINGS, STRING), pl.Series(RANKINGS),
        pl.Series(RANKINGS, dtype=pl.Array(pl.String, 2)), pa.array(RANKINGS),
        pa.array(RANKINGS, pa.list_(pa.string(), 2)), pd.Series(RANKINGS), [np.array(row, STRING) for row in RANKINGS],
    ],
    ids=lambda value: f"{type(value).__module__}.{getattr(value, 'dtype', '')}",
)  # fmt: skip
def test_rankings_of_strings_in_columns_have_the_scores_of_lists(predictions):
    expected = mf.score_retrieval(RANKINGS, RELEVANT, ks=(1, 2))
    assert expected.to_dict()["recall@1"] == 0.5
    assert mf.score_retrieval(predictions, RELEVANT, ks=(1, 2)) == expected


def test_rankings_in_columns_of_datasets_have_the_scores_of_lists():
    datasets = pytest.importorskip("datasets")
    dataset = datasets.Dataset.from_dict({"ranked": [[1, 2], [3, 4]], "relevant": [[2], [3, 9]]})
    expected = mf.score_retrieval([[1, 2], [3, 4]], [[2], [3, 9]], ks=(1, 2))
    for name in (None, "numpy", "torch", "arrow", "pandas"):
        formatted = dataset.with_format(name)
        assert mf.score_retrieval(formatted["ranked"], formatted["relevant"], ks=(1, 2)) == expected, name


def id_columns():
    torch = pytest.importorskip("torch")
    datasets = pytest.importorskip("datasets")
    numbers, words = [7, 3, 9], ["x", "yy", "z"]
    dataset = datasets.Dataset.from_dict({"n": numbers, "s": words})
    return [
        *((form, numbers) for form in (
            np.array(numbers), np.array(numbers, "u1"), np.array(numbers, "u8"), torch.tensor(numbers),
            torch.tensor(numbers, dtype=torch.int16), list(torch.tensor(numbers)), pd.Series(numbers),
            pd.Series(numbers, dtype="Int64"), pd.Series(numbers, dtype="int64[pyarrow]"), pd.Index(numbers),
            pl.Series(numbers), pl.Series(numbers, dtype=pl.UInt16), pa.array(numbers), pa.array(numbers, pa.uint8()),
            list(pa.array(numbers)), dataset["n"], dataset.with_format("torch")["n"], dataset.with_format("numpy")["n"],
        )),
        *((form, words) for form in (
            np.array(words), np.array(words, "S"), np.array(words, object), np.array(words, STRING), pd.Series(words),
            pd.Series(words, dtype="string[pyarrow]"), pd.Series(words, dtype="category"), pl.Series(words),
            pl.Series(words, dtype=pl.Categorical), pa.array(words), pa.array(words).dictionary_encode(),
            pa.array([word.encode() for word in words]), dataset["s"], dict.fromkeys(words).keys(),
        )),
    ]  # fmt: skip


def test_ids_in_columns_are_integers_and_strings_everywhere(tmp_path):
    matrix = np.eye(3, dtype="float32")
    for number, (ids, expected) in enumerate(id_columns()):
        mf.write_features(tmp_path / f"{number}.npz", ids, matrix)
        assert mf.read_features(tmp_path / f"{number}.npz")[0].tolist() == expected, type(ids)
        ranking = mf.top_k(matrix, matrix, 1, query_ids=ids, item_ids=ids)
        assert ranking.to_dict() == {item: [item] for item in expected}
        captions = mf.Captions(dict(zip(expected, LISTS, strict=True)))
        assert captions.score(TEXTS, ids=ids).ids == expected
        assert mf.bootstrap_interval([1.0, 0.0, 1.0], clusters=ids) == mf.bootstrap_interval([1.0, 0.0, 1.0])


def test_missing_ids_in_columns_name_their_row(tmp_path):
    for ids in (pd.Series(["a", None]), pd.Series([1, None], dtype="Int64"), pl.Series([1, None]), pa.array([1, None])):
        for call in (
            lambda ids=ids: mf.write_features(tmp_path / "x.npz", ids, np.eye(2)),
            lambda ids=ids: mf.top_k_of(np.eye(2), 1, query_ids=ids),
            lambda ids=ids: mf.bootstrap_interval([1.0, 0.0], clusters=ids),
        ):
            with pytest.raises(ValueError, match=r"\w+\[1\] is missing"):
                call()


@pytest.mark.parametrize("key", [b"a", dt.date(2026, 1, 1), 0.5])
def test_clusters_that_are_neither_integers_nor_strings_are_type_errors(key):
    with pytest.raises(TypeError, match=r"^clusters\[1\] is"):
        mf.bootstrap_interval([1.0, 0.0], clusters=["b", key])


# Vectors


def vector_columns(matrix):
    datasets = pytest.importorskip("datasets")
    rows = matrix.tolist()
    vector = datasets.Features({"v": datasets.Sequence(datasets.Value("float32"))})
    dataset = datasets.Dataset.from_dict({"v": rows}, features=vector)
    size = matrix.shape[1]
    return [
        pd.Series(list(matrix)), pd.Series(rows, dtype=pd.ArrowDtype(pa.list_(pa.float32()))).map(np.float32),
        pl.Series(matrix, dtype=pl.Array(pl.Float32, size)), pl.Series(rows, dtype=pl.List(pl.Float32)),
        pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), size), pa.array(rows, pa.list_(pa.float32())),
        pa.array(rows, pa.large_list(pa.float32())), pa.array([rows[0], *rows], pa.list_(pa.float32(), size))[1:],
        pa.chunked_array([pa.array(part, pa.list_(pa.float32())) for part in (rows[:2], rows[2:])]),
        dataset["v"], dataset.with_format("numpy")["v"], dataset.select(range(len(rows)))["v"],
        dataset.select(list(range(len(rows)))[::-1]).select(list(range(len(rows)))[::-1])["v"],
    ]  # fmt: skip


def test_columns_of_vectors_are_matrices(tmp_path):
    rng = np.random.default_rng(0)
    left, right = (rng.random((5, 4)).astype("float32") for _ in range(2))
    expected = mf.top_k(left, right, 3)
    of_matrix = mf.top_k_of(left @ right.T, 3)
    score = mf.image.clip_score(left, right)
    for queries, items in zip(vector_columns(left), vector_columns(right), strict=True):
        found = mf.top_k(queries, items, 3)
        assert found.indices.tolist() == expected.indices.tolist(), type(queries)
        assert found.scores.tolist() == expected.scores.tolist()
        search = mf.TopK(3)
        search.update(queries, items, 0)
        assert search.compute().indices.tolist() == expected.indices.tolist()
        assert mf.image.clip_score(queries, items) == score
        assert mf.image.fid_from_features(queries, items) == mf.image.fid_from_features(left, right)
        mf.write_features(tmp_path / "x.npz", range(5), queries)
        assert np.array_equal(mf.read_features(tmp_path / "x.npz")[1], left)
    for similarity in vector_columns((left @ right.T).astype("float32")):
        assert mf.top_k_of(similarity, 3).indices.tolist() == of_matrix.indices.tolist()


@pytest.mark.parametrize("make", [pl.Series, pa.array, pd.Series, lambda rows: pa.chunked_array([rows[:1], rows[1:]])])
def test_vectors_that_are_missing_or_of_another_length_are_named(make):
    matrix = np.eye(2, dtype="float32")
    with pytest.raises(ValueError, match=r"^queries\[1\] is missing \(\w+\), every row needs a vector"):
        mf.top_k(make([[0.5, 1.0], None]), matrix, 1)
    with pytest.raises(ValueError, match=r"^queries\[1\] has 1 numbers, queries\[0\] has 2$"):
        mf.top_k(make([[0.5, 1.0], [1.0]]), matrix, 1)


def test_labels_of_frames_are_the_ids_of_a_ranking():
    rng = np.random.default_rng(1)
    matrix = rng.random((3, 4)).astype("float32")
    frame = pd.DataFrame(matrix, index=["q", "r", "s"], columns=[40, 10, 30, 20])
    expected = mf.top_k_of(matrix, 2, query_ids=["q", "r", "s"], item_ids=[40, 10, 30, 20])
    assert mf.top_k_of(frame, 2).to_dict() == expected.to_dict()
    assert mf.top_k_of(frame, 2, item_ids=list("abcd")).item_ids.tolist() == list("abcd")
    assert mf.top_k_of(pd.DataFrame(matrix), 2).query_ids is None
    vectors = pd.DataFrame(matrix, index=[5, 6, 7])
    found = mf.top_k(vectors, pd.Series(list(matrix), index=["a", "b", "c"]), 1)
    assert found.to_dict() == mf.top_k(matrix, matrix, 1, query_ids=[5, 6, 7], item_ids=["a", "b", "c"]).to_dict()
    with pytest.raises(ValueError, match="queries and items have different columns"):
        mf.top_k(frame, frame[[10, 20, 30, 40]], 1)
    with pytest.raises(ValueError, match="the index of similarity has 'q' more than once"):
        mf.top_k_of(frame.set_axis(["q", "q", "s"]), 1)


# Indexes


@pytest.mark.parametrize("order", [[2, 0, 1], [1, 0, 2]])
def test_series_with_different_indexes_are_never_matched_by_position(order, tmp_path):
    values = pd.Series([1.0, 0.0, 1.0])
    shuffled = values.iloc[order]
    keys = pd.Series(["a", "b", "b"]).iloc[order]
    frame = pd.DataFrame(np.eye(3, dtype="float32"))
    captions = mf.Captions({"a": ["红"], "b": ["黑"]})
    for call in (
        lambda: mf.sign_flip_test(values, shuffled),
        lambda: mf.sign_flip_test(values, clusters=keys),
        lambda: mf.bootstrap_interval(values, clusters=keys),
        lambda: captions.score(pd.Series(["红", "黑", "黑"]), ids=keys),
        lambda: mf.write_features(tmp_path / "x.npz", pd.Series([7, 8, 9]).iloc[order], frame),
        lambda: mf.write_features(tmp_path / "x.npz", pd.Series([7, 8, 9]).iloc[order], pd.Series(list(np.eye(3)))),
        lambda: mf.top_k(frame, frame, 1, query_ids=pd.Series([7, 8, 9]).iloc[order]),
        lambda: mf.top_k_of(frame, 1, query_ids=pd.Series([7, 8, 9]).iloc[order]),
    ):
        with pytest.raises(ValueError, match="have different indexes; pass"):
            call()
    # Two equal indexes are matched, whatever they are.
    assert mf.bootstrap_interval(shuffled, clusters=keys) == mf.bootstrap_interval(
        shuffled.tolist(), clusters=keys.tolist()
    )
