"""Tables of pandas, polars, Arrow and Hugging Face datasets as inputs, and results as tables."""

import subprocess
import sys
from itertools import chain

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import muge_fast as mf
from muge_fast.image.text_features import texts_in_order

PREDICTIONS = {"c": "白衬衫", "a": "红色裙子", "b": "黑皮鞋"}
REFERENCES = {"a": ["红色长裙", "红裙"], "b": ["黑色皮鞋"], "c": ["白色衬衫", "白衬衫", "衬衫"]}
RANKED = {8: [1, 2, 3], 5: [4, 5, 6], 9: [9, 7, 8]}
RELEVANT = {5: [6], 8: [1], 9: [7, 5]}


def dataset(columns):
    return pytest.importorskip("datasets").Dataset.from_dict(columns)


def streamed(columns):
    return dataset(columns).to_iterable_dataset()


def formatted(columns):
    return dataset(columns).with_format("numpy")


TABLES = [pd.DataFrame, pl.DataFrame, pa.table, pa.record_batch, dataset, streamed, formatted]
NAMES = ["pandas", "polars", "pa.Table", "pa.RecordBatch", "datasets", "streamed", "formatted"]
each_table = pytest.mark.parametrize("table", TABLES, ids=NAMES)


def two(ids, values, by_id):
    return {ids: list(by_id), values: list(by_id.values())}


def long_form(by_id):
    return {"image_id": [key for key, texts in by_id.items() for _ in texts], "caption": list(chain(*by_id.values()))}


@each_table
def test_tables_of_captions_have_the_scores_of_mappings(table, tmp_path):
    expected = mf.score_captions(PREDICTIONS, REFERENCES)
    predictions = table(two("image_id", "text", PREDICTIONS))
    lists, rows = table(two("image_id", "text", REFERENCES)), table(long_form(REFERENCES))
    assert mf.score_captions(predictions, lists) == expected
    assert mf.score_captions(predictions, rows) == expected
    assert mf.score_captions(PREDICTIONS, rows) == expected
    assert mf.Captions(rows).score(predictions) == expected
    frequency = mf.DocumentFrequency.from_references
    assert frequency(rows).fingerprint == frequency(REFERENCES).fingerprint
    mf.write_captions(tmp_path / "pred.jsonl", predictions)
    assert mf.read_captions(tmp_path / "pred.jsonl") == PREDICTIONS
    mf.write_captions(tmp_path / "gold.jsonl", rows)
    assert mf.read_captions(tmp_path / "gold.jsonl") == REFERENCES


@each_table
def test_tables_of_rankings_have_the_scores_of_mappings(table, tmp_path):
    expected = mf.score_retrieval(RANKED, RELEVANT, ks=(1, 2, 3))
    for names in (("query_id", "item_ids"), ("text_id", "image_ids"), ("image_id", "text_ids")):
        ranked = table(two(*names, RANKED))
        assert mf.score_retrieval(ranked, table(two(*names, RELEVANT)), ks=(1, 2, 3)) == expected
    mf.write_queries(tmp_path / "pred.jsonl", ranked)
    assert mf.read_queries(tmp_path / "pred.jsonl") == RANKED
    assert mf.transpose_references(table(two("query_id", "item_ids", RELEVANT))) == mf.transpose_references(RELEVANT)


def pairs(by_query):
    return [(query, item) for query, items in by_query.items() for item in items]


@each_table
def test_tables_with_a_row_for_each_item_have_the_scores_of_mappings(table):
    queries, items = zip(*pairs(RANKED), strict=True)
    rank = [1, 2, 3] * 3
    shuffled = [4, 0, 8, 2, 6, 1, 7, 5, 3]
    columns = {"query_id": queries, "item_id": items, "rank": rank, "score": [-float(place) for place in rank]}
    columns = {name: [values[row] for row in shuffled] for name, values in columns.items()}
    relevant = dict(zip(("query_id", "item_id"), map(list, zip(*pairs(RELEVANT), strict=True)), strict=True))
    expected = mf.score_retrieval(RANKED, RELEVANT, ks=(1, 2, 3))
    by_score = {name: columns[name] for name in ("query_id", "item_id", "score")}
    for predictions in (table(columns), table(by_score)):
        assert mf.score_retrieval(predictions, table(relevant), ks=(1, 2, 3)) == expected
    gains = [3, 1, 2, 0]
    graded: dict = {}
    for (query, item), gain in zip(pairs(RELEVANT), gains, strict=True):
        graded.setdefault(query, {})[item] = gain
    found = mf.score_retrieval(RANKED, table({**relevant, "gain": gains}), metrics=["ndcg"])
    assert found == mf.score_retrieval(RANKED, graded, metrics=["ndcg"])


@given(st.permutations(range(6)), st.permutations(list("abc")))
def test_the_order_of_rows_of_a_table_never_changes_scores(rows, order):
    columns = long_form(REFERENCES)
    shuffled = pd.DataFrame(columns).iloc[rows]
    predictions = pl.DataFrame(two("image_id", "caption", {key: PREDICTIONS[key] for key in order}))
    found = mf.score_captions(predictions, shuffled)
    expected = mf.score_captions(PREDICTIONS, REFERENCES)
    for metric, score in expected.items():
        by_id = dict(zip(expected.ids, score.per_item.tolist(), strict=True))
        # The order of the references of an item may change the last bits of CIDEr.
        assert dict(zip(found.ids, found[metric].per_item.tolist(), strict=True)) == pytest.approx(by_id, abs=1e-12)


def test_the_index_of_a_data_frame_has_the_ids_if_no_column_has():
    predictions = pd.DataFrame({"text": PREDICTIONS, "length": 3})
    references = pd.DataFrame({"caption": pd.Series(REFERENCES)}).iloc[::-1]
    assert mf.score_captions(predictions, references)["bleu"] == mf.score_captions(PREDICTIONS, REFERENCES)["bleu"]
    # A column of ids counts, whatever the index is.
    both = pd.DataFrame(two("image_id", "text", PREDICTIONS), index=[2, 0, 1])
    assert mf.score_captions(both, REFERENCES) == mf.score_captions(PREDICTIONS, REFERENCES)


def test_images_are_not_decoded():
    datasets = pytest.importorskip("datasets")
    table = dataset({**two("image_id", "text", PREDICTIONS), "image": ["no such file.png"] * 3})
    table = table.cast_column("image", datasets.Image())
    assert mf.score_captions(table, REFERENCES) == mf.score_captions(PREDICTIONS, REFERENCES)


def test_functions_that_make_rows_of_a_dataset_are_called():
    def lengthen(batch):
        return {**batch, "text": [f"{text}长裙" for text in batch["text"]]}

    table = dataset(two("image_id", "text", PREDICTIONS)).with_transform(lengthen)
    expected = mf.score_captions({key: f"{text}长裙" for key, text in PREDICTIONS.items()}, REFERENCES)
    assert mf.score_captions(table, REFERENCES) == expected
    lists = [REFERENCES[key] for key in PREDICTIONS]
    assert mf.score_captions(table["text"], lists)["bleu"].value == expected["bleu"].value
    vectors = dataset({"v": [[1.0, 0.0], [0.0, 2.0]]}).with_transform(lambda batch: {"v": np.float32(batch["v"]) * 3})
    assert mf.top_k(vectors["v"], np.eye(2, dtype="float32"), 1).scores.tolist() == [[3.0], [6.0]]


@each_table
def test_tables_of_texts_and_answers_have_the_results_of_mappings(table):
    for column in ("img_id", "image_id"):
        assert texts_in_order(table(two(column, "text", PREDICTIONS)), ["a", "b", "c"]) == [
            PREDICTIONS[key] for key in "abc"
        ]
    answers = {1: ["red"] * 10, 2: ["two"] * 5 + ["2"] * 5}
    found = mf.vqa.score_answers(
        table({"question_id": [2, 1], "answer": ["2", "Red."]}), table(two("question_id", "answers", answers))
    )
    assert found == mf.vqa.score_answers({1: "Red.", 2: "2"}, answers)


def test_series_of_answers_are_mappings_from_their_index():
    answers = {1: ["red"] * 10, 2: ["two"] * 10}
    found = mf.vqa.score_answers(pd.Series({2: "two", 1: "blue"}), pd.Series(answers))
    assert found == mf.vqa.score_answers({1: "blue", 2: "two"}, answers)
    assert mf.vqa.score_choices(pd.Series({2: [0, 1], 1: [2, 2]}), pd.Series({1: [2, 2], 2: [0, 3]}))["q_a"] == 1
    with pytest.raises(TypeError, match=r"^predictions must be a mapping from question ids, got Series"):
        mf.vqa.score_answers(pl.Series(["red"]), answers)
    assert mf.vqa.normalize_answers(pl.Series(["The dogs"])) == mf.vqa.normalize_answers(["The dogs"])
    with pytest.raises(TypeError, match="expected a sequence of str, found str"):
        mf.vqa.normalize_answers("The dogs")


def frame(**columns):
    return pd.DataFrame(columns)


ONE = {"a": ["红"]}


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        (frame(id=["a"], text=["红"]), TypeError, "^predictions is a pandas DataFrame; its columns are 'id', 'text'"),
        (frame(id=["a"], text=["红"]), TypeError, "needs 'image_id' and 'text' or 'image_id' and 'caption': rename"),
        (frame(id=["a"], text=["红"]), TypeError, r"with its ids: df\.set_index\(\"image_id\"\)\[\"text\"\]$"),
        (pl.DataFrame({"x": [1]}), TypeError, "^predictions is a polars DataFrame; its columns are 'x', needs"),
        (frame(image_id=["a"], text=["红"], caption=["红"]), TypeError,
         "^predictions has the columns 'image_id', 'text', 'caption'; drop all but two of them$"),
        (frame(image_id=["a", None], text=["红", "黑"]), ValueError,
         r"^predictions\['image_id'\]\[1\] is missing \(nan\)"),
        (frame(image_id=["a", "b"], text=["红", None]), TypeError,
         r"^predictions\['text'\]\[1\]: expected a string or a list of strings, found a float \(a missing value\)$"),
        (pl.DataFrame({"image_id": ["a", "b"], "text": [["红"], [None]]}), TypeError,
         r"^predictions\['text'\]\[1\]: .*found a list with NoneType \(a missing value\)$"),
        (pl.DataFrame({"image_id": ["a"], "text": [[]]}), TypeError, "found an empty list$"),
        (frame(image_id=["a", "a"], text=["红", "黑"]), ValueError, "^predictions have 2 captions for id 'a', need on"),
        (frame(image_id=[7, None], text=["红", "黑"]), ValueError,
         r"^predictions\['image_id'\]\[1\] is missing \(nan\), every row needs an id$"),
        (pd.DataFrame([["a", "红", "黑"]], columns=["image_id", "text", "text"]), TypeError,
         "^predictions has the column 'text' twice; drop or rename one of them$"),
        (pl.DataFrame({"image_id": ["a"], "text": ["红"]}).lazy(), TypeError, r"LazyFrame; pass predictions\.collect"),
        (frame(text=["红"]), TypeError, "its columns are 'text', needs 'image_id'"),
    ],
)  # fmt: skip
def test_tables_of_captions_that_are_not_clear_are_refused(table, error, message):
    with pytest.raises(error, match=message):
        mf.score_captions(table, ONE)


def test_several_data_sets_in_one_are_refused_with_their_names():
    datasets = pytest.importorskip("datasets")
    splits = datasets.DatasetDict({"valid": dataset(two("image_id", "text", PREDICTIONS))})
    with pytest.raises(
        TypeError, match=r"^references is a DatasetDict of several data sets; pass one of them: 'valid'$"
    ):
        mf.score_captions(PREDICTIONS, splits)


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({"query_id": [1], "item_id": [2]}, TypeError, "needs a column 'rank' or 'score' for their order$"),
        ({"query_id": [1, 1], "item_id": [2, 3], "rank": [1, 1]}, ValueError,
         "^predictions: query 1 has the rank 1 twice, the second in row 1$"),
        ({"query_id": [1, 1], "item_id": [2, 2], "score": [0.5, 0.1]}, ValueError, "query 1 has the item_id 2 twice"),
        ({"query_id": [1, 1], "item_id": [2, 3], "rank": [1, None]}, ValueError,
         r"^predictions\['rank'\]\[1\] is nan \(a missing value\), needs a number$"),
        ({"query_id": [1, 1], "item_id": [2, 3], "rank": ["1", "2"]}, ValueError, r"\['rank'\]\[0\] is '1', needs a"),
        ({"query_id": [1, 1], "item_ids": [[2], [3]]}, ValueError,
         "^predictions has the id 1 in rows 0 and 1, needs one row for each id$"),
        ({"query_id": [1], "item_ids": [None]}, TypeError, r"^predictions\[1\] must be a list of item ids"),
        ({"query_id": [1, 1], "item_id": [2, 3], "score": [0.5, None]}, ValueError, "the score of 3 is NaN"),
    ],
)  # fmt: skip
def test_tables_of_rankings_that_are_not_clear_are_refused(columns, error, message):
    with pytest.raises(error, match=message):
        mf.score_retrieval(pd.DataFrame(columns), {1: [2]}, ks=(1,))


# Results


def test_scores_are_tables_with_ids():
    scores = mf.score_captions(PREDICTIONS, REFERENCES)
    table = scores.to_arrow()
    assert table.column_names == ["id", "cider_d", "bleu", "rouge_l"]
    assert table.column("id").to_pylist() == scores.ids
    assert table.to_pandas().set_index("id").equals(scores.to_pandas())
    for name, score in scores.items():
        assert score.to_arrow().to_numpy().tolist() == score.per_item.tolist() == score.to_pandas().tolist()
        assert np.shares_memory(table.column(name).chunk(0).to_numpy(), score.per_item)
    assert pl.from_arrow(table)["bleu"].to_list() == scores["bleu"].per_item.tolist()
    assert mf.score_captions(["红"], [["红"]], metrics=["bleu"]).to_arrow().column("id").to_pylist() == [0]


def test_ids_that_arrow_cannot_hold_are_named():
    for ids, message in ((("a", 1), r"\('a', 1\) is tuple"), (2**70, "cannot hold in one type")):
        scores = mf.score_captions({ids: "红"}, {ids: ["红"]}, metrics=["bleu"])
        with pytest.raises(TypeError, match=message):
            scores.to_arrow()
    mixed = mf.score_captions({"a": "红", 1: "黑"}, {"a": ["红"], 1: ["黑"]}, metrics=["bleu"])
    with pytest.raises(TypeError, match="cannot hold in one type"):
        mixed.to_arrow()


def test_rankings_are_tables_that_are_scored_as_they_are():
    similarity = np.random.default_rng(0).random((4, 9)).astype("float32")
    ranking = mf.top_k_of(similarity, 3, query_ids=list("abcd"), item_ids=range(10, 19))
    frame = ranking.to_pandas()
    assert frame.columns.tolist() == ["query_id", "rank", "item_id", "score"] == ranking.to_arrow().column_names
    assert ranking.to_arrow().to_pandas().astype(frame.dtypes).equals(frame)
    relevant = {key: [10 + row] for row, key in enumerate("abcd")}
    expected = mf.score_retrieval(ranking, relevant, ks=(1, 3))
    for table in (frame, frame.sample(frac=1, random_state=1), ranking.to_arrow(), pl.from_pandas(frame)):
        found = mf.score_retrieval(table, relevant, ks=(1, 3))
        assert found.to_dict() == expected.to_dict()
    plain = mf.top_k_of(similarity, 2)
    assert plain.to_pandas()["query_id"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert plain.to_arrow().column("item_id").to_pylist() == plain.indices.ravel().tolist()
    search = mf.TopK(2)
    search.update(similarity, similarity, 0)
    assert len(search.compute().to_pandas()) == 8


def test_reports_are_tables_of_items(tmp_path):
    mf.write_captions(tmp_path / "gold.jsonl", REFERENCES)
    mf.write_captions(tmp_path / "pred.jsonl", PREDICTIONS)
    report = mf.evaluate("caption", tmp_path / "gold.jsonl", tmp_path / "pred.jsonl")
    rows = list(report.items())
    assert report.to_arrow().to_pylist() == rows
    assert report.to_pandas().reset_index().to_dict("records") == rows
    mf.write_captions(tmp_path / "short.jsonl", {"a": "红"})
    invalid = mf.evaluate("caption", tmp_path / "gold.jsonl", tmp_path / "short.jsonl")
    assert not invalid.ok
    assert (len(invalid.to_pandas()), invalid.to_arrow().num_rows, invalid.to_pandas().index.name) == (0, 0, "id")


def test_comparisons_are_tables_of_pairs_and_of_systems():
    comparison = mf.compare({"x": [1, 0, 1, 1], "y": [1, 0, 0, 0], "z": [0, 0, 0, 1]})
    pairs_frame = comparison.to_pandas()
    assert pairs_frame.columns.tolist()[:8] == [
        "metric", "first", "second", "difference", "low", "high", "p", "adjusted_p",
    ]  # fmt: skip
    assert comparison.to_arrow().to_pylist() == pairs_frame.to_dict("records")
    metric = comparison["mean"]
    systems = metric.to_pandas()
    assert systems["system"].tolist() == ["x", "y", "z"]
    for row in metric.to_arrow().to_pylist():
        name = row["system"]
        ranks, (low, high) = metric.ranks[name], metric.intervals[name]
        assert row == {
            "system": name, "score": metric.scores[name], "low": low, "high": high,
            "standard_error": metric.standard_errors[name], "rank": ranks.rank, "rank_low": ranks.low,
            "rank_high": ranks.high, "tied_with_first": ranks.tied_with_first,
        }  # fmt: skip
    assert metric.to_arrow().to_pylist() == systems.to_dict("records")


def test_packages_of_tables_are_imported_only_by_results():
    code = (
        "import sys, numpy as np, muge_fast as mf\n"
        "mf.score_captions(['红'], [['红']], metrics=['bleu']); mf.top_k_of(np.eye(2), 1).to_dict\n"
        "names = {'pandas', 'polars', 'pyarrow', 'datasets'} | {'muge_fast._internal.' + name for name in "
        "('tables', 'vectors', 'output_tables')}\n"
        "assert not names & set(sys.modules), names & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603
