"""What callers hold captions in: Series, columns, arrays, lists of one caption, samples, COCO's forms."""

import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import data
import muge_fast as mf
import oracle

REFERENCES = {"a": ["红色连衣裙", "裙子"], "b": ["黑色皮鞋"], "c": ["白色衬衫", "衬衫", "白衬衣"]}
PREDICTIONS = {"a": "红色裙", "b": "黑皮鞋", "c": "衬衫"}
TEXTS, LISTS = list(PREDICTIONS.values()), list(REFERENCES.values())


def rouge_l(predictions: dict) -> list[float]:
    """ROUGE-L of each prediction by the oracle."""
    return [oracle.rouge_l(oracle.muge(text), list(map(oracle.muge, REFERENCES[item]))) for item, text in predictions]


def per_item(scores: mf.Scores) -> dict:
    return dict(zip(scores.ids, scores["rouge_l"].per_item.tolist(), strict=True))


EXPECTED = dict(zip(PREDICTIONS, rouge_l(PREDICTIONS.items()), strict=True))


class OddLength(str):
    """A string with a wrong length."""

    __slots__ = ()

    def __len__(self) -> int:
        return 1


# Objects with an index


def test_a_series_is_a_mapping_from_its_index():
    shuffled = pd.Series(PREDICTIONS).loc[["c", "a", "b"]]
    assert per_item(mf.score_captions(shuffled, REFERENCES)) == EXPECTED
    assert per_item(mf.score_captions(PREDICTIONS, pd.Series(REFERENCES).loc[["b", "c", "a"]])) == EXPECTED
    assert per_item(mf.Captions(REFERENCES).score(shuffled)) == EXPECTED
    assert per_item(mf.Captions(REFERENCES).score(shuffled.iloc[:2])) == {item: EXPECTED[item] for item in "ca"}


def test_columns_of_a_frame_are_matched_by_its_index():
    frame = pd.DataFrame({"pred": TEXTS, "refs": LISTS}, index=[7, 8, 9])
    scores = mf.score_captions(frame["pred"].iloc[::-1], frame["refs"])
    assert per_item(scores) == dict(zip([7, 8, 9], EXPECTED.values(), strict=True))


@pytest.mark.parametrize(
    ("predictions", "references"),
    [
        (pd.DataFrame({"id": list("abc"), "text": TEXTS}), LISTS),
        (TEXTS, pd.DataFrame({"id": list("abc"), "text": LISTS})),
    ],
)
def test_a_frame_is_an_error_that_shows_the_fix(predictions, references):
    with pytest.raises(TypeError, match=r'is a pandas DataFrame; .* or pass a column with its ids: df\.set_index\("'):
        mf.score_captions(predictions, references)
    with pytest.raises(TypeError, match="DataFrame"):
        mf.tokenize(pd.DataFrame({"text": TEXTS}))


def test_a_masked_array_is_refused():
    with pytest.raises(TypeError, match="predictions is a masked array with 1 masked entry"):
        mf.score_captions(np.ma.array(TEXTS, mask=[0, 1, 0]), LISTS)


def test_a_series_with_a_repeated_id_is_refused():
    with pytest.raises(ValueError, match="the index of predictions has 'a' more than once"):
        mf.score_captions(pd.Series(TEXTS, index=["a", "a", "b"]), REFERENCES)


# Columns and arrays

COLUMNS = {
    "Arrow arrays": (pa.array(TEXTS), pa.array(LISTS)),
    "Arrow chunked arrays": (pa.chunked_array([TEXTS[:1], TEXTS[1:]]), pa.chunked_array([LISTS[:2], LISTS[2:]])),
    "Arrow scalars": (list(pa.array(TEXTS)), list(pa.array(LISTS))),
    "NumPy strings": (np.array(TEXTS), [np.array(texts) for texts in LISTS]),
    "NumPy objects": (np.array(TEXTS, dtype=object), np.array([*LISTS, None], dtype=object)[:3]),
    "Series": (pd.Series(TEXTS), pd.Series(LISTS)),
    "Series of arrays": (pd.Series(TEXTS), pd.Series([np.array(texts) for texts in LISTS])),
    "subclasses of str": ([OddLength(text) for text in TEXTS], [[OddLength(text) for text in row] for row in LISTS]),
}


@pytest.mark.parametrize(("predictions", "references"), COLUMNS.values(), ids=COLUMNS)
def test_columns_and_arrays_are_sequences(predictions, references):
    scores = mf.score_captions(predictions, references)
    assert scores["rouge_l"].per_item.tolist() == list(EXPECTED.values())
    assert scores == mf.score_captions(TEXTS, LISTS)
    assert mf.DocumentFrequency.from_references(references).documents == len(LISTS)


def test_numpy_strings_of_any_length():
    if not hasattr(np.dtypes, "StringDType"):
        pytest.skip("NumPy before 2.0")
    assert mf.score_captions(np.array(TEXTS, dtype=np.dtypes.StringDType()), LISTS) == mf.score_captions(TEXTS, LISTS)


def test_polars_series_are_sequences():
    polars = pytest.importorskip("polars")
    assert mf.score_captions(polars.Series(TEXTS), polars.Series(LISTS)) == mf.score_captions(TEXTS, LISTS)
    frame = polars.DataFrame({"image_id": list("abc"), "text": TEXTS})
    assert per_item(mf.score_captions(frame, REFERENCES)) == EXPECTED
    with pytest.raises(TypeError, match=re.escape('pass a dict: dict(zip(df["image_id"].to_list()')):
        mf.score_captions(frame.rename({"image_id": "image"}), REFERENCES)


def test_references_in_a_matrix_of_strings():
    matrix = np.array([["红色连衣裙", "裙子"], ["黑色皮鞋", "男鞋"]])
    expected = mf.score_captions(TEXTS[:2], matrix.tolist())
    assert mf.score_captions(TEXTS[:2], matrix) == expected
    assert mf.score_captions(TEXTS[:2], matrix.astype(object)) == expected


def test_a_mapping_of_texts_is_not_tokenized_by_its_keys():
    with pytest.raises(TypeError, match=re.escape("texts: expected a sequence of str, found dict; pass list(texts")):
        mf.tokenize(PREDICTIONS)


def test_one_text_instead_of_a_list_of_references_is_named():
    with pytest.raises(TypeError, match=re.escape("references['a']: expected a list of str, found str; write ['红']")):
        mf.score_captions({"a": "红"}, {"a": "红"})


# Lists of captions


@pytest.mark.parametrize("wrap", [list, tuple, np.array, lambda texts: [{"caption": text} for text in texts]])
def test_a_list_of_one_caption_is_the_caption(wrap):
    predictions = {item: wrap([text]) for item, text in PREDICTIONS.items()}
    assert mf.score_captions(predictions, REFERENCES) == mf.score_captions(PREDICTIONS, REFERENCES)
    assert mf.Captions(REFERENCES).score(predictions) == mf.score_captions(PREDICTIONS, REFERENCES)


def test_several_captions_for_an_id_score_as_each_of_them():
    samples = {"c": ["衬衫", "白色衬衫", "黑鞋"], "a": ["红色裙", "裙子", "红裙"]}
    captions = mf.Captions(REFERENCES)
    scores = captions.score(samples)
    assert scores.ids == ["c", "c", "c", "a", "a", "a"]
    pairs = [(item, text) for item, texts in samples.items() for text in texts]
    assert scores["rouge_l"].per_item.tolist() == rouge_l(pairs)
    one_by_one = [captions.score({item: text})["cider_d"].value for item, text in pairs]
    assert scores["cider_d"].per_item.tolist() == one_by_one


def test_several_captions_for_an_id_are_refused_where_the_whole_set_is_scored():
    message = "predictions have 2 captions for id 'a', need one; Captions(references).score(predictions) scores several"
    with pytest.raises(ValueError, match=re.escape(message)):
        mf.score_captions({**{item: [text] for item, text in PREDICTIONS.items()}, "a": ["红", "裙"]}, REFERENCES)


def test_a_list_of_tokens_warns():
    captions = mf.Captions(REFERENCES)
    with pytest.warns(UserWarning, match=r"lists of captions of one token each.*' '\.join\(tokens\)") as caught:
        captions.score({"a": ["红", "色", "裙"]})
    assert caught[0].filename == __file__
    with pytest.raises(TypeError, match=re.escape("predictions[0]: expected str, found list; pass ' '.join(tokens)")):
        mf.score_captions([["红", "色", "裙"]], [["红色裙"]])


def test_a_mixture_of_captions_and_lists_is_named():
    with pytest.raises(TypeError, match=re.escape("predictions['b']: expected a list of str, found str; write ['y']")):
        mf.score_captions({"a": ["x"], "b": "y", "c": ["z"]}, REFERENCES)
    with pytest.raises(ValueError, match=re.escape("predictions['b'] is empty, needs a caption")):
        mf.score_captions({"a": ["x"], "b": [], "c": ["z"]}, REFERENCES)


# Some of the ids


def test_a_mapping_of_some_ids_scores_those_in_its_order():
    captions = mf.Captions(REFERENCES)
    scores = captions.score({"c": "衬衫", "a": "红色裙"})
    whole = captions.score(PREDICTIONS)
    assert scores.ids == ["c", "a"]
    for name in whole:
        assert scores[name].per_item.tolist() == whole[name].per_item[[2, 0]].tolist()
    assert captions.score({"c": "衬衫", "b": "黑皮鞋", "a": "红色裙"}).ids == ["a", "b", "c"]


def test_the_whole_set_needs_all_ids():
    with pytest.raises(ValueError, match="predictions lack 2 ids of references: 'a', 'b'"):
        mf.score_captions({"c": "衬衫"}, REFERENCES)


@pytest.mark.parametrize(
    ("references", "predictions", "message"),
    [
        (REFERENCES, {"a": "x", "z": "y"}, "predictions have 1 id not in references: 'z'"),
        (REFERENCES, dict.fromkeys("vwxyz", "x"), "predictions have 5 ids not in references: 'v', 'w', 'x' and 2 more"),
        ({1: ["x"], 2: ["y"]}, {"1": "x"}, "not in references: '1'; the id is there as an int: 1"),
        (REFERENCES, {}, "predictions is empty"),
    ],
)
def test_unknown_ids_are_named(references, predictions, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        mf.Captions(references).score(predictions)


def test_ids_of_the_other_type_are_named():
    numbered = mf.Captions({1: ["红裙"], 2: ["黑鞋"]})
    with pytest.raises(ValueError, match=re.escape("ids[0] is '1', not an id of the references; the id is there as")):
        numbered.score(["红"], ids=["1"])
    with pytest.raises(
        ValueError, match=r"predictions lack 2 ids.*ids of predictions are str, those of references int"
    ):
        mf.score_captions({"1": "红", "2": "黑"}, {1: ["红裙"], 2: ["黑鞋"]})


@pytest.mark.parametrize("make", [np.array, pd.Series, pa.array, tuple, iter, lambda ids: [np.int64(i) for i in ids]])
def test_ids_may_be_arrays_and_columns(make):
    numbered = mf.Captions({3: ["红裙"], 4: ["黑鞋"]})
    scores = numbered.score(["黑鞋", "红"], ids=make([4, 3]), metrics=["rouge_l"])
    assert scores.ids == [4, 3]
    assert scores["rouge_l"].per_item[0] == 1.0
    assert mf.Captions([["红裙"], ["黑鞋"]]).score(["黑鞋"], ids=make([1])).ids == [1]


def test_ids_may_be_tensors():
    torch = pytest.importorskip("torch")
    captions = mf.Captions([["红裙"], ["黑鞋"]])
    for ids in (torch.tensor([1, 0]), [torch.tensor(1), torch.tensor(0)]):
        assert captions.score(["黑鞋", "红裙"], ids=ids).ids == [1, 0]


# COCO


def coco(texts: dict[str, list[str]]) -> list[dict]:
    return [{"image_id": item, "id": 5, "caption": text} for item, group in texts.items() for text in group]


def test_results_and_annotations_of_coco():
    results = coco({item: [text] for item, text in PREDICTIONS.items()})
    annotations = {"info": {}, "images": [{"id": "a"}], "annotations": coco(REFERENCES)}
    expected = mf.score_captions(PREDICTIONS, REFERENCES)
    assert mf.score_captions(results, annotations) == expected
    assert mf.score_captions(tuple(results), coco(REFERENCES)) == expected
    assert mf.score_captions(
        PREDICTIONS, {item: [{"caption": text} for text in REFERENCES[item]] for item in "abc"}
    ) == (expected)
    batch = mf.Captions(annotations).score([results[2], results[0], results[2]])
    assert batch.ids == ["c", "a", "c"]
    assert batch["rouge_l"].per_item.tolist() == [EXPECTED[item] for item in "cac"]


def test_coco_objects_of_pycocotools(tmp_path):
    coco_class = pytest.importorskip("pycocotools.coco").COCO
    texts = data.caption_set(20, seed=5)
    annotations = {
        "images": [{"id": item} for item in range(20)],
        "annotations": [
            {"id": 100 * item + index, "image_id": item, "caption": text}
            for item, group in enumerate(texts.references)
            for index, text in enumerate(group)
        ],
    }
    results = [{"image_id": item, "caption": text} for item, text in enumerate(texts.predictions)]
    (tmp_path / "gold.json").write_text(json.dumps(annotations), encoding="utf-8")
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    loaded = coco_class(tmp_path / "gold.json")
    loaded_results = loaded.loadRes(str(tmp_path / "results.json"))
    groups = {item: [row["caption"] for row in loaded.imgToAnns[item]] for item in range(20)}
    expected = mf.score_captions(dict(enumerate(texts.predictions)), groups)
    assert mf.score_captions(loaded_results, loaded) == expected
    (tmp_path / "some.json").write_text(json.dumps(results[5:7]), encoding="utf-8")
    some = mf.Captions(groups).score(loaded.loadRes(str(tmp_path / "some.json")))
    assert (some.ids, some["rouge_l"].per_item.tolist()) == ([5, 6], expected["rouge_l"].per_item[5:7].tolist())
    # The files are read to what pycocotools loads.
    assert mf.read_captions(tmp_path / "gold.json") == groups
    assert mf.read_captions(tmp_path / "results.json") == dict(enumerate(texts.predictions))


@pytest.mark.parametrize(
    ("error", "rows", "message"),
    [
        (ValueError, [{"image_id": "a", "captoin": "x"}], "predictions[0] has no 'caption', its fields are 'image_id'"),
        (ValueError, [{"caption": "x"}], "predictions[0] has no 'image_id'"),
        (TypeError, [{"image_id": "a", "caption": "x"}, 3], "predictions[1]: expected an object such as"),
        (TypeError, [{"image_id": 1.0, "caption": "x"}], "predictions[0]['image_id']: expected an integer or a string"),
        (TypeError, [{"image_id": True, "caption": "x"}], "predictions[0]['image_id']: expected an integer or a"),
        (TypeError, [{"image_id": "a", "caption": None}], "predictions[0]['caption']: expected a string"),
        (TypeError, [{"image_id": "a", "caption": [1]}], "predictions[0]['caption']: expected a string"),
    ],
)
def test_broken_rows_of_coco_are_named_by_index(error, rows, message):
    with pytest.raises(error, match=re.escape(message)):
        mf.score_captions(rows, REFERENCES)


@pytest.mark.parametrize("keys", ["torch", "arrow"])
def test_ids_that_are_scalars_of_other_packages_are_matched_in_any_order(keys):
    torch = pytest.importorskip("torch")
    references = dict(enumerate(LISTS))
    scalars = torch.tensor([2, 0, 1]) if keys == "torch" else pa.array([2, 0, 1])
    predictions = {key: TEXTS[int(str(key)) if keys == "arrow" else int(key)] for key in scalars}
    expected = dict(enumerate(EXPECTED.values()))
    assert per_item(mf.score_captions(predictions, references, metrics=["rouge_l"])) == pytest.approx(expected)
    some = dict(list(predictions.items())[:2])
    scores = mf.Captions(references).score(some, metrics=["rouge_l"])
    assert scores.ids == [2, 0]
    assert per_item(scores) == pytest.approx({key: expected[key] for key in (2, 0)})


def test_rows_of_coco_are_read_from_every_iterable():
    rows = [{"image_id": item, "caption": text} for item, text in PREDICTIONS.items()]
    for form in (iter(rows), dict(enumerate(rows)).values(), np.array(rows, dtype=object), pd.Series(rows)):
        assert per_item(mf.score_captions(form, REFERENCES, metrics=["rouge_l"])) == pytest.approx(EXPECTED)
    annotations = [{"image_id": item, "caption": text} for item, texts in REFERENCES.items() for text in texts]
    for form in (iter(annotations), dict(enumerate(annotations)).values()):
        assert per_item(mf.score_captions(PREDICTIONS, form, metrics=["rouge_l"])) == pytest.approx(EXPECTED)
