"""Modules of Hugging Face evaluate: the values of this package, however they are filled, and without the network."""

import pytest

import muge_fast as mf
from data import caption_set
from muge_fast.integrations.evaluate import path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def evaluate(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("HF_HUB_OFFLINE", "1")
    patch.setenv("HF_EVALUATE_OFFLINE", "1")
    patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hugging_face")))
    yield pytest.importorskip("evaluate")
    patch.undo()


@pytest.fixture
def captions():
    made = caption_set(24, seed=9)
    return list(made.predictions), list(made.references)


def values(scores):
    return {name: score.value for name, score in scores.items()}


def test_captions_have_the_values_of_score_captions(evaluate, captions):
    options = {"metrics": ["cider_d", "cider", "bleu", "rouge_l"], "tokenizer": "char"}
    predictions, references = captions
    expected = values(mf.score_captions(predictions, references, **options))
    metric = evaluate.load(path("captions"))
    assert metric.compute(predictions=predictions, references=references, **options) == expected
    for start in range(0, 24, 7):
        metric.add_batch(predictions=predictions[start : start + 7], references=references[start : start + 7])
    assert metric.compute(**options) == expected
    for prediction, texts in zip(predictions, references, strict=True):
        metric.add(prediction=prediction, reference=texts)
    assert metric.compute(**options) == expected


def test_one_reference_may_be_a_text(evaluate, captions):
    predictions, references = captions
    first = [texts[0] for texts in references]
    expected = values(mf.score_captions(predictions, [[text] for text in first]))
    assert evaluate.load(path("captions")).compute(predictions=predictions, references=first) == expected


@pytest.mark.parametrize("kind", [int, str])
def test_rankings_have_the_values_of_score_retrieval(evaluate, kind):
    predictions = [[kind(item) for item in row] for row in ([3, 1, 2], [5, 4, 6], [9, 8, 7])]
    references = [[kind(1)], [kind(5), kind(6)], [kind(0)]]
    metric = evaluate.load(path("retrieval"))
    result = metric.compute(predictions=predictions, references=references, ks=[1, 2], metrics=["recall", "mrr"])
    # Hits at ranks 2 and 1, and none.
    assert result == {"recall@1": 1 / 3, "recall@2": 2 / 3, "mean_recall": 0.5, "mrr": 0.5}


def test_errors_are_those_of_the_package(evaluate):
    with pytest.raises(ValueError, match="unknown metric"):
        evaluate.load(path("captions")).compute(predictions=["红"], references=["红"], metrics=["cidr"])
    with pytest.raises(ValueError, match="unknown name 'caption', use 'captions' or 'retrieval'"):
        path("caption")
