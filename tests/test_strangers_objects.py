"""Objects as strangers pass them: aligned, or refused with one clear sentence.

Expected values are computed by hand, by the plain definitions in ``oracle.py``, or by NumPy.
"""

import json
import pickle
import random

import numpy as np
import pytest

import muge_fast as mf
from oracle import BleuCounts, bleu, bleu_counts, muge, rouge_l

REFERENCES = {
    "a": ["红色连衣裙", "一条红裙子"],
    "b": ["黑色男鞋"],
    "c": ["白色长袖衬衫", "男士白衬衫"],
    "d": ["蓝色牛仔裤"],
}
PREDICTIONS = {"a": "红色裙子", "b": "黑色男鞋", "c": "白色衬衫", "d": "牛仔长裤"}
TOKENS = {key: [muge(text) for text in texts] for key, texts in REFERENCES.items()}

# Ranks of the first relevant item: 1, 2, none, 4.
RANKED = {"q1": [11, 12, 13, 14], "q2": [21, 22, 23, 24], "q3": [31, 32, 33, 34], "q4": [41, 42, 43, 44]}
RELEVANT = {"q1": [11], "q2": [22, 99], "q3": [99], "q4": [44]}


def expected_rouge_l():
    return {key: rouge_l(muge(text), TOKENS[key]) for key, text in PREDICTIONS.items()}


def expected_bleu(keys):
    counts = [bleu_counts(muge(PREDICTIONS[key]), TOKENS[key]) for key in keys]
    total = BleuCounts(
        sum(count.prediction_length for count in counts),
        sum(count.reference_length for count in counts),
        [sum(values) for values in zip(*(count.matched for count in counts), strict=True)],
        [sum(values) for values in zip(*(count.total for count in counts), strict=True)],
    )
    return bleu(total)[-1]


def shuffled(mapping, seed=0):
    keys = list(mapping)
    random.Random(seed).shuffle(keys)
    assert keys != list(mapping)
    return {key: mapping[key] for key in keys}


# Captions


def test_a_shuffled_series_is_aligned_by_its_index():
    pandas = pytest.importorskip("pandas")
    series = pandas.Series(shuffled(PREDICTIONS))
    scores = mf.score_captions(series, REFERENCES, metrics=["rouge_l", "bleu"])
    by_id = dict(zip(scores.ids, scores["rouge_l"].per_item, strict=True))
    assert by_id == pytest.approx(expected_rouge_l(), abs=1e-12)
    assert scores["bleu"].value == pytest.approx(expected_bleu(REFERENCES), abs=1e-12)


def test_a_data_frame_of_captions_is_matched_by_its_column_of_ids():
    pandas = pytest.importorskip("pandas")
    by_id = shuffled(PREDICTIONS)
    frame = pandas.DataFrame({"image_id": list(by_id), "text": list(by_id.values())})
    scores = mf.score_captions(frame, REFERENCES, metrics=["rouge_l"])
    found = dict(zip(scores.ids, scores["rouge_l"].per_item, strict=True))
    assert found == pytest.approx(expected_rouge_l(), abs=1e-12)
    with pytest.raises(TypeError, match="predictions are a mapping but references a sequence"):
        mf.score_captions(frame, list(REFERENCES.values()))
    with pytest.raises(TypeError, match=r"DataFrame.*set_index"):
        mf.score_captions(frame.rename(columns={"text": "generated"}), REFERENCES)


def test_lists_of_one_caption_are_captions():
    scores = mf.score_captions({key: [text] for key, text in PREDICTIONS.items()}, REFERENCES, metrics=["rouge_l"])
    assert scores["rouge_l"].value == pytest.approx(np.mean(list(expected_rouge_l().values())), abs=1e-12)


def test_ids_of_another_type_are_named():
    with pytest.raises(ValueError, match=r"int.*str|str.*int"):
        mf.score_captions({1: "红"}, {"1": ["红"]})
    with pytest.raises(ValueError, match=r"int.*str|str.*int"):
        mf.score_retrieval({1: [2]}, {"1": [2]}, ks=(1,))


def test_batches_of_one_captions_merge_to_the_whole():
    captions = mf.Captions(REFERENCES)
    whole = captions.score(PREDICTIONS)
    batches = [captions.score([PREDICTIONS[key] for key in keys], ids=keys) for keys in (["a", "b"], ["c"], ["d"])]
    merged = mf.Scores.merge(batches)
    for name in whole:
        assert merged[name].value == whole[name].value
        assert merged[name].per_item.tolist() == whole[name].per_item.tolist()
    other = mf.Captions({**REFERENCES, "d": ["红色牛仔裤"]}).score([PREDICTIONS["d"]], ids=["d"])
    with pytest.raises(ValueError, match="references"):
        mf.Scores.merge([batches[0], batches[1], other])


def test_a_mapping_of_a_subset_is_a_batch():
    captions = mf.Captions(REFERENCES)
    scores = captions.score({"d": PREDICTIONS["d"], "a": PREDICTIONS["a"]}, metrics=["rouge_l"])
    expected = expected_rouge_l()
    assert dict(zip(scores.ids, scores["rouge_l"].per_item, strict=True)) == pytest.approx(
        {key: expected[key] for key in ("a", "d")}, abs=1e-12
    )
    with pytest.raises(ValueError, match="nope"):
        captions.score({"nope": "红"})
    # A set that is scored once must be complete.
    with pytest.raises(ValueError, match="lack"):
        mf.score_captions({"a": "红"}, REFERENCES)


def test_captions_can_be_pickled():
    captions = mf.Captions(REFERENCES)
    again = pickle.loads(pickle.dumps(captions))  # noqa: S301 - our own
    for name, score in captions.score(PREDICTIONS).items():
        assert again.score(PREDICTIONS)[name].per_item.tolist() == score.per_item.tolist()


def test_aliases_and_near_matches_of_metrics():
    with pytest.raises(ValueError, match="did you mean 'cider_d'"):
        mf.score_captions(PREDICTIONS, REFERENCES, metrics=["ciderd2"])
    with pytest.raises(KeyError, match="rouge_l"):
        mf.score_captions(PREDICTIONS, REFERENCES, metrics=["rouge_l"])["rouge"]


def test_coco_results_and_annotations_are_read(tmp_path):
    results = tmp_path / "results.json"
    results.write_text(json.dumps([{"image_id": i, "caption": text} for i, text in enumerate(PREDICTIONS.values())]))
    annotations = tmp_path / "annotations.json"
    rows = [(i, text) for i, texts in enumerate(REFERENCES.values()) for text in texts]
    annotations.write_text(
        json.dumps(
            {
                "images": [{"id": i} for i in range(len(REFERENCES))],
                "annotations": [{"id": n, "image_id": i, "caption": text} for n, (i, text) in enumerate(rows)],
            }
        )
    )
    scores = mf.score_captions(mf.read_captions(results), mf.read_captions(annotations), metrics=["rouge_l"])
    assert scores["rouge_l"].value == pytest.approx(np.mean(list(expected_rouge_l().values())), abs=1e-12)


def test_arrow_and_numpy_texts_are_sequences():
    pyarrow = pytest.importorskip("pyarrow")
    texts, references = list(PREDICTIONS.values()), list(REFERENCES.values())
    expected = np.mean(list(expected_rouge_l().values()))
    for predictions in (pyarrow.array(texts), pyarrow.chunked_array([texts[:1], texts[1:]]), np.array(texts)):
        scores = mf.score_captions(predictions, pyarrow.array(references), metrics=["rouge_l"])
        assert scores["rouge_l"].value == pytest.approx(expected, abs=1e-12)


# Retrieval


def recalls(scores):
    return {name: scores[name].value for name in ("recall@1", "recall@2", "recall@4")}


EXPECTED_RECALLS = {"recall@1": 1 / 4, "recall@2": 2 / 4, "recall@4": 3 / 4}


def test_a_shuffled_series_of_rankings_is_aligned():
    pandas = pytest.importorskip("pandas")
    scores = mf.score_retrieval(pandas.Series(shuffled(RANKED)), RELEVANT, ks=(1, 2, 4))
    assert recalls(scores) == EXPECTED_RECALLS


@pytest.mark.parametrize("predictions", [list(RANKED.values()), np.array(list(RANKED.values()))])
def test_a_sequence_against_a_mapping_is_refused(predictions):
    with pytest.raises(TypeError, match="mapping"):
        mf.score_retrieval(predictions, RELEVANT, ks=(1, 2, 4))
    with pytest.raises(TypeError, match="mapping"):
        mf.score_retrieval(RANKED, list(RELEVANT.values()), ks=(1, 2, 4))


def test_integer_tensors_are_ids_and_items():
    torch = pytest.importorskip("torch")
    ranked = {np.int64(i): torch.tensor(items) for i, items in enumerate(RANKED.values())}
    relevant = {i: np.array(items, dtype=np.int32) for i, items in enumerate(RELEVANT.values())}
    assert recalls(mf.score_retrieval(ranked, relevant, ks=(1, 2, 4))) == EXPECTED_RECALLS


def test_masked_arrays_are_refused():
    matrix = np.ma.masked_array(np.eye(3, dtype=np.float32), mask=np.eye(3, dtype=bool))
    plain = np.eye(3, dtype=np.float32)
    calls = [
        lambda: mf.top_k_of(matrix, 1),
        lambda: mf.top_k(matrix, plain, 1),
        lambda: mf.top_k(plain, matrix, 1),
        lambda: mf.image.Statistics.from_features(matrix),
        lambda: mf.image.r_precision(matrix, plain),
        lambda: mf.image.precision_recall(matrix, plain),
        lambda: mf.image.kid_from_features(plain, matrix),
        lambda: mf.score_retrieval(np.ma.masked_array([[1, 2]], mask=[[0, 1]]), [[1]], ks=(1,)),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="mask"):
            call()


def test_padding_of_other_searches_is_named():
    with pytest.raises(ValueError, match="-1"):
        mf.score_retrieval(np.array([[3, 2, -1], [1, 0, 2]]), [[3], [1]], ks=(1, 3))


def test_run_dictionaries_are_ranked_by_score():
    run = {query: {item: -rank for rank, item in enumerate(items)} for query, items in RANKED.items()}
    run = {query: shuffled(items, 3) for query, items in run.items()}
    assert recalls(mf.score_retrieval(run, RELEVANT, ks=(1, 2, 4))) == EXPECTED_RECALLS


def test_rows_of_nan_are_reported():
    queries = np.eye(3, dtype=np.float32)
    queries[1] = np.nan
    with pytest.raises(ValueError, match="row 1 has NaN"):
        mf.top_k(queries, np.eye(3, dtype=np.float32), 2)
    with pytest.warns(UserWarning, match="NaN"):
        mf.top_k_of(queries, 2)


def test_ids_go_through_the_search():
    items = np.eye(4, dtype=np.float32)
    ranking = mf.top_k(items[[2, 0]], items, 1, query_ids=["x", "y"], item_ids=["p", "q", "r", "s"])
    assert {query: list(found) for query, found in ranking.to_dict().items()} == {"x": ["r"], "y": ["p"]}
    assert mf.score_retrieval(ranking, {"y": ["p"], "x": ["s"]}, ks=(1,))["recall@1"].value == 0.5


# Features


def test_features_by_string_ids(tmp_path):
    path = tmp_path / "features.jsonl"
    path.write_text('{"text_id": "红", "feature": [1, 2]}\n{"text_id": "007", "feature": [3, 4]}\n', encoding="utf-8")
    ids, features = mf.read_features(path)
    assert list(ids) == ["红", "007"]
    assert features.tolist() == [[1, 2], [3, 4]]


# Images


@pytest.mark.parametrize(
    "batch",
    [
        np.random.default_rng(0).random((2, 3, 32, 32), dtype=np.float32),
        np.random.default_rng(0).random((2, 3, 32, 32)).astype(np.float16),
        np.zeros((2, 3, 32, 32), dtype=bool),
        np.zeros((2, 32, 32), dtype=np.uint8),
        np.zeros((2, 4, 32, 32), dtype=np.uint8),
        np.zeros((3, 32, 32), dtype=np.uint8),
    ],
)
def test_batches_of_other_shapes_and_types_are_refused(batch):
    def extractor(images):
        return np.array([[np.asarray(image).mean(), 1.0] for image in images])

    for make in (mf.image.FID, mf.image.KID):
        with pytest.raises((TypeError, ValueError), match=r"uint8|shape"):
            make(extractor).update(batch, real=True)
