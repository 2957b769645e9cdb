"""Sums of rows determine scores, and the derivatives by these sums give their first-order errors."""

import copy
import pickle
from importlib.resources import files

import numpy as np
import pytest

import data
import muge_fast as mf
from muge_fast import image
from muge_fast.scores import additive_statistics, set_score
from muge_fast.tasks.classification import score_classification

LABELS = ("裙", "鞋", "衫", "包")
SMOOTHINGS = [(name, value) for name in ("tiny", "none", "exp") for value in (None,)] + [
    (name, value) for name in ("floor", "add-k") for value in (None, 0.5)
]
BLEU_OPTIONS = [(*smoothing, effective) for smoothing in SMOOTHINGS for effective in (False, True)]


def captions(**options) -> mf.Scores:
    items = data.caption_set(60, seed=81, references=3)
    return mf.score_captions(items.predictions, items.references, **options)


def every_score() -> list[mf.Score]:
    random = np.random.default_rng(5)
    ranked, relevant = ([random.permutation(30)[:size].tolist() for _ in range(50)] for size in (10, 3))
    retrieval = ("recall", "relevant_recall", "precision", "ndcg", "ndcg_exp", "mrr", "map")
    true, predicted = ({str(key): LABELS[random.integers(4)] for key in range(50)} for _ in range(2))
    images, texts = random.normal(size=(2, 40, 8))
    scores = [
        captions(metrics=("cider_d", "cider", "bleu", "rouge_l")),
        mf.score_retrieval(ranked, relevant, metrics=retrieval),
        score_classification(predicted, true),
        image.text_recall(images, texts, ks=(1, 5)),
    ]
    precision = image.precision_recall(images, texts)
    alone = [image.clip_score(images, texts), image.r_precision(images, texts, negatives=9)]
    named = [precision[name] for name in ("precision", "recall", "coverage")]
    return [*(score for group in scores for score in group.values()), *alone, *named]


@pytest.mark.parametrize("score", every_score(), ids=lambda score: score.name)
def test_the_sum_of_all_rows_has_the_score(score):
    for made in (score, copy.deepcopy(score), pickle.loads(pickle.dumps(score))):  # noqa: S301
        additive = additive_statistics(made)
        assert additive.rows.dtype == np.float64
        assert additive.rows.shape == (len(score.per_item), len(additive.columns))
        value = additive.of_sums(additive.rows.sum(axis=0)[None], np.array([len(additive.rows)]))[0]
        exact = (additive.rows == additive.rows.round()).all()
        assert value == score.value if exact else abs(value - score.value) < 1e-15 * max(1, score.value)


@pytest.mark.parametrize("score", every_score(), ids=lambda score: score.name)
def test_the_sum_of_sampled_rows_has_the_score_of_the_sample(score):
    additive = additive_statistics(score)
    drawn = np.random.default_rng(6).integers(0, len(additive.rows), (8, len(additive.rows)))
    scores = additive.of_sums(additive.rows[drawn].sum(axis=1), np.full(8, drawn.shape[1]))
    expected = [score.with_statistics(score.statistics.rows[chosen]).value for chosen in drawn]
    np.testing.assert_allclose(scores, expected, rtol=1e-14)


def slopes(additive, step=1e-6):
    """Return the change of a score with the weight of each item, by differences."""
    count = len(additive.rows)
    moves = step * count * (additive.rows - additive.rows.mean(axis=0))
    total, counts = additive.rows.sum(axis=0), np.full(count, count)
    return (additive.of_sums(total + moves, counts) - additive.of_sums(total - moves, counts)) / (2 * step)


@pytest.mark.parametrize("score", every_score(), ids=lambda score: score.name)
def test_influence_is_the_change_with_the_weight_of_an_item(score):
    additive = additive_statistics(score)
    np.testing.assert_allclose(additive.influence(), slopes(additive), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("options", BLEU_OPTIONS, ids=str)
@pytest.mark.parametrize("rare", [0, 3, 4], ids=lambda order: f"no matches from order {order}" if order else "all")
@pytest.mark.parametrize("short", [False, True])
def test_influence_of_bleu_follows_its_options(options, rare, short):
    """Also where an order has no match, or predictions are shorter than references."""
    smoothing, value, effective = options
    score = captions(metrics=["bleu"], smoothing=smoothing, smoothing_value=value, effective_order=effective)["bleu"]
    rows = score.statistics.rows.copy()
    if rare:
        rows[:, 2 + rare - 1 : 6] = 0
    rows[:, 1] = rows[:, 0] + (3 if short else -1)
    additive = additive_statistics(score.with_statistics(rows))
    np.testing.assert_allclose(additive.influence(), slopes(additive), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("smoothing", ["tiny", "none", "exp", "floor", "add-k"])
@pytest.mark.parametrize("effective", [False, True])
def test_bleu_of_texts_of_two_tokens_has_influence(smoothing, effective):
    texts = ["红 裙", "黑 鞋", "白 衫"]
    references = [["红 裙"], ["黑 包 包"], ["蓝 衫"]]
    options = {"tokenizer": "whitespace", "smoothing": smoothing, "effective_order": effective}
    additive = additive_statistics(mf.score_captions(texts, references, metrics=["bleu"], **options)["bleu"])
    np.testing.assert_allclose(additive.influence(), slopes(additive), rtol=1e-5, atol=1e-9)


def test_macro_f1_of_two_systems_has_columns_by_label():
    true = {"a": "裙", "b": "鞋", "c": "鞋"}
    first, second = (
        additive_statistics(score_classification(dict(zip(true, labels, strict=True)), true)["macro_f1"])
        for labels in (("裙", "鞋", "裙"), ("包", "鞋", "鞋"))
    )
    assert first.columns == ("correct:裙", "count:裙", "correct:鞋", "count:鞋")
    assert second.columns == ("correct:包", "count:包", *first.columns)
    assert first.rows.tolist() == [[1, 2, 0, 0], [0, 0, 1, 2], [0, 1, 0, 1]]
    # Columns of labels without items change nothing.
    wider = np.zeros((1, 6))
    wider[0, 2:] = first.rows.sum(axis=0)
    assert second.of_sums(wider, np.array([3])) == first.of_sums(wider[:, 2:], np.array([3]))


def test_macro_f1_of_too_many_labels_is_refused():
    labels = {str(item): f"label {item}" for item in range(9_000)}
    score = score_classification(labels, labels)["macro_f1"]
    with pytest.raises(ValueError, match=r"9000 items and 9000 labels needs 1\.2 GiB to be resampled"):
        additive_statistics(score)


def test_a_score_of_a_whole_set_has_no_rows():
    assert additive_statistics(set_score("density", "density|k:3", 0.5)) is None


def test_merged_shards_have_the_rows_of_all_items():
    items = data.caption_set(20, seed=81, references=3)
    whole = mf.Captions(items.references)
    shards = [whole.score(items.predictions[i : i + 10], ids=range(i, i + 10)) for i in (0, 10)]
    merged, at_once = mf.Scores.merge(shards), whole.score(items.predictions)
    for name in at_once:
        first, second = (additive_statistics(scores[name]) for scores in (merged, at_once))
        assert first.rows.tolist() == second.rows.tolist()
        assert first.influence().tolist() == second.influence().tolist()


def test_influence_of_bleu_has_the_standard_error_of_the_bootstrap():
    """Of 64 captions: 0.582 for the sample ``base``, and 0.864 with every 16th caption of ``large``.

    The derivative written as a plain formula has these numbers; 1000 bootstrap samples had 0.595 and 0.863.
    """
    folder = files("muge_fast") / "samples" / "caption"
    references = mf.read_captions(folder / "IC_sample.jsonl")
    base, large = (mf.read_captions(folder / f"IC_sample.pred.{name}.jsonl") for name in ("base", "large"))
    mixed = {key: (base if index % 16 else large)[key] for index, key in enumerate(base)}
    for predictions, value, error in ((base, 8.621084892571734, 0.582324), (mixed, 10.019966456596988, 0.864065)):
        options = {"tokenizer": "zh", "smoothing": "exp", "metrics": ["bleu"]}
        score = mf.score_captions(predictions, references, **options)["bleu"]
        assert 100 * score.value == pytest.approx(value, rel=1e-14)
        (influence,) = score.influence
        assert abs(influence.mean()) < 1e-15
        assert 100 * influence.std() / 8 == pytest.approx(error, rel=1e-5)
        additive = additive_statistics(score)
        drawn = np.random.default_rng(12345).integers(0, 64, (4000, 64))
        bootstrapped = additive.of_sums(additive.rows[drawn].sum(axis=1), np.full(len(drawn), 64))
        assert 100 * bootstrapped.std() == pytest.approx(error, rel=0.04)


def test_influence_of_a_mean_is_the_difference_from_it():
    score = captions(metrics=["rouge_l"])["rouge_l"]
    (influence,) = score.influence
    np.testing.assert_allclose(influence, score.per_item - score.value, atol=1e-15)


def test_influence_that_was_not_computed_says_how_to_get_it():
    for name in ("fid", "kid", "is"):
        with pytest.raises(ValueError, match=rf"^{name} was computed .*: pass influence=True to .* or score_images"):
            _ = set_score(name, f"{name}|version:0", 0.5).influence
    with pytest.raises(ValueError, match="does not compute the influence of images on density"):
        _ = set_score("density", "density|k:3", 0.5).influence


def test_influence_of_a_set_is_copied_and_pickled():
    score = set_score("fid", "fid|version:0", 0.5, influence=(np.array([1.0, -1.0]), np.zeros(3)))
    for made in (copy.copy(score), copy.deepcopy(score), pickle.loads(pickle.dumps(score))):  # noqa: S301
        assert [values.tolist() for values in made.influence] == [[1, -1], [0, 0, 0]]
    assert mf.Scores.merge([mf.Scores({"fid": score})])["fid"].influence is score.influence
