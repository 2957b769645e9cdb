"""What callers hold scores in: columns with ids, tensors, scores of images, clusters by id; and what is refused."""

import math
import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest
import scipy.stats

import muge_fast as mf
from muge_fast.compat.sacrebleu import paired_test
from muge_fast.scores import Scores, mean_score, set_score
from muge_fast.significance.student_t import student_t_tail

A, B = [1, 0, 1, 1, 0, 1, 1, 1], [0, 0, 1, 0, 0, 1, 0, 1]


def pair_of(systems, **options):
    """Return the comparison of the first two systems by the first metric."""
    return next(iter(next(iter(mf.compare(systems, **options).values())).values()))


EXPECTED = pair_of({"a": A, "b": B})


@pytest.fixture
def pandas():
    return pytest.importorskip("pandas")


def test_the_index_of_a_series_pairs_the_items(pandas):
    ids = list("abcdefgh")
    first, second = pandas.Series(A, index=ids), pandas.Series(B, index=ids)
    c = mf.compare({"a": first, "b": second[::-1]})
    assert c["mean"]["a", "b"] == EXPECTED
    assert c.ids == ids
    assert pair_of({"a": {"hits": first}, "b": {"hits": second[::-1]}}) == EXPECTED
    # Without an index, values are in one order.
    assert pair_of({"a": pandas.Series(A), "b": pandas.Series(B, dtype="Int64")}) == EXPECTED


def test_series_of_other_items_are_refused(pandas):
    ids = list("abcdefgh")
    first, second = pandas.Series(A, index=ids), pandas.Series(B, index=ids)
    with pytest.raises(ValueError, match="items of 'b' lack 1 id of items of 'a': 'h'"):
        mf.compare({"a": first, "b": second.rename({"h": "x"})})
    with pytest.raises(TypeError, match="the items of 'a' have ids, those of 'b' have none"):
        mf.compare({"a": first, "b": B})
    with pytest.raises(ValueError, match=r"scores\['a'\]\['y'\] has other ids than scores\['a'\]\['x'\]"):
        mf.compare({"a": {"x": first, "y": second[::-1]}, "b": {"x": first, "y": second}})


def test_series_of_two_systems_with_different_indexes_are_not_paired_by_position(pandas):
    first, second = (pandas.Series(values, index=list("abcdefgh")) for values in (A, B))
    assert mf.sign_flip_test(first, second) == mf.sign_flip_test(A, B)
    for other in (second[::-1], second.rename({"h": "x"})):
        with pytest.raises(ValueError, match="different indexes"):
            mf.sign_flip_test(first, other)


@pytest.mark.usefixtures("pandas")
def test_scores_of_items_by_id_compare_as_the_scores():
    relevant = {f"q{i}": [i % 3] for i in range(30)}
    scores = [mf.score_retrieval({key: [i, 2] for key in relevant}, relevant, ks=(1,)) for i in (0, 1)]
    columns = [scores[0].to_pandas()["recall@1"], scores[1].to_pandas()["recall@1"][::-1]]
    assert pair_of(dict(zip("ab", columns, strict=True))) == pair_of(dict(zip("ab", scores, strict=True)))


def test_tensors_are_arrays_of_numbers():
    torch = pytest.importorskip("torch")
    for dtype in (torch.int64, torch.float32, torch.bfloat16, torch.bool):
        assert pair_of({"a": torch.tensor(A).to(dtype), "b": torch.tensor(B).to(dtype)}) == EXPECTED
    assert pair_of({"a": torch.tensor(A, dtype=torch.float64, requires_grad=True), "b": torch.tensor(B)}) == EXPECTED


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (np.ma.array(A, mask=B), TypeError, r"scores\['a'\] is a masked array with 3 masked entries"),
        ((x for x in A), TypeError, r"scores\['a'\] is a generator, .*convert it to a list$"),
        ({1, 0}, TypeError, r"scores\['a'\] is a set, .*in one order for all systems"),
        ([1, None] * 4, TypeError, r"scores\['a'\]\[1\] is None, needs a number"),
        ([[1], [0]], TypeError, r"scores\['a'\] must be numbers in one dimension"),
        ([[1], [0, 1]], TypeError, r"scores\['a'\] must be numbers in one dimension"),
        (np.arange(8) * 1j, TypeError, r"scores\['a'\]\[0\] is .*j.*, needs a number"),
        (np.arange(8).astype("timedelta64[D]"), TypeError, r"scores\['a'\]\[0\] is .*timedelta.*, needs a number"),
        ({}, ValueError, r"scores\['a'\] is an empty mapping"),
        ({"q1": 0.5, "q2": 0.25}, TypeError, r"scores\['a'\]\['q1'\] is 0.5, needs a number for each item"),
        ({1: A}, TypeError, r"names of metrics must be strings, got 1 in scores\['a'\]"),
        ({"mean": A, "x": A[:3]}, ValueError, r"the arrays of scores\['a'\] must have the same number of items"),
        (None, TypeError, r"scores\['a'\] must be Scores"),
        (0.5, TypeError, r"scores\['a'\] is 0.5, needs a number for each item"),
        ([1e308] * 8, ValueError, "mean of 'a' is too large"),
        ([math.inf, *B[1:]], ValueError, "mean of 'a' is inf for item 0"),
        ([10**400, *B[1:]], ValueError, r"scores\['a'\] has an integer that is too large"),
    ],
)
def test_values_that_are_not_numbers_are_named(values, error, message):
    with pytest.raises(error, match=message):
        mf.compare({"a": values, "b": B})


def test_tables_are_answered_with_the_way_to_pass_them(pandas):
    with pytest.raises(TypeError, match=r"pass \{name: df\[name\] for name in df.columns\}"):
        mf.compare(pandas.DataFrame({"a": A, "b": B}))
    with pytest.raises(TypeError, match="is a pandas DataFrame; pass a column"):
        mf.compare({"a": pandas.DataFrame({"x": A}), "b": B})


def test_integers_of_more_than_64_bits_are_rounded():
    large = [2**70, *B[1:]]
    assert pair_of({"a": large, "b": B}).difference == (2.0**70 - B[0]) / 8


def test_single_scores_may_be_named():
    first, second = (mean_score("hits", "hits|v:0", np.array(values, dtype=float)) for values in (A, B))
    for systems in ({"a": first, "b": second}, {"a": {"hits": first}, "b": {"hits": second}}):
        assert pair_of(pickle.loads(pickle.dumps(systems))) == EXPECTED  # noqa: S301 - our own bytes


# Rounding and extremes


@pytest.mark.parametrize("test", ["auto", "swap", "t", "normal", "bootstrap"])
def test_systems_that_are_equal_but_for_rounding_do_not_differ(test):
    systems = {"a": [0.1 + 0.2] * 30, "b": [0.3] * 30, "c": np.linspace(0, 1, 30)}
    pair = mf.compare(systems, test=test)["mean"]["a", "b"]
    assert (pair.p, pair.adjusted_p, pair.wins, pair.losses, pair.differing_items) == (1.0, 1.0, 0, 0, 0)


@pytest.mark.parametrize("test", ["t", "normal"])
@pytest.mark.parametrize("first", [np.linspace(0, 1, 30), np.arange(30.0)])
def test_the_same_difference_of_all_items_has_the_p_value_of_its_signs(test, first):
    systems = {"a": first + 1, "b": first}
    assert pair_of(systems, test=test).p == 2 * 0.5**30
    assert pair_of(systems, test=test, alternative="greater").p == 0.5**30
    assert pair_of(systems, test=test, alternative="less").p == 1.0


def test_small_differences_of_large_numbers_are_differences():
    first, second = np.random.default_rng(1).normal(size=(2, 30)) + 1e10
    expected = scipy.stats.ttest_rel(first, second).pvalue
    assert pair_of({"a": first, "b": second}, test="t").p == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("freedom", [1, 2, 11, 29, 1000])
def test_far_tails_of_the_t_distribution_are_those_of_scipy(freedom):
    for t in (1e-9, 0.5, 3.0, 40.0, 1e5, 1e9, 1e20):
        assert student_t_tail(t, freedom) == pytest.approx(scipy.stats.t.sf(t, freedom), rel=1e-9, abs=1e-290)
    assert student_t_tail(1e200, freedom) == 0.0


def test_scores_that_overflow_are_refused():
    random = np.random.default_rng(1).random(50)
    for a, b in (([1e308] * 30, [-1e308] * 30), (random * 1e308, None)):
        with pytest.raises(ValueError, match="the scores are too large"):
            mf.sign_flip_test(a, b)


# Ids, samples and clusters


def retrieved(ranked, ids):
    """Return recall of rankings whose first element is given for each id."""
    return mf.score_retrieval({key: [ranked[key], 9] for key in ids}, {key: [0] for key in ids}, ks=(1,))


def test_clusters_may_be_given_by_id(pandas):
    ids = [f"q{i}" for i in range(24)]
    random = np.random.default_rng(2)
    first, second = (dict(zip(ids, random.integers(0, 2, 24).tolist(), strict=True)) for _ in range(2))
    systems = {"a": retrieved(first, ids), "b": retrieved(second, ids[::-1])}
    keys = [i // 3 for i in range(24)]
    expected = pair_of(systems, clusters=keys)
    by_id = dict(reversed([*zip(ids, keys, strict=True)]))
    assert pair_of(systems, clusters=by_id) == expected
    assert pair_of(systems, clusters=pandas.Series(by_id)) == expected
    with pytest.raises(ValueError, match="clusters lack 1 id of items: 'q0'"):
        mf.compare(systems, clusters={key: by_id[key] for key in ids[1:]})
    with pytest.raises(TypeError, match="clusters are a mapping, but the items have no ids"):
        mf.compare({"a": A, "b": B}, clusters={0: 1})


def test_numbers_of_samples_of_an_id_are_compared():
    captions = mf.Captions({"x": ["红鞋"], "y": ["黑鞋"]})
    twice = captions.score(["红鞋", "黑鞋", "鞋", "红"], ids=["x", "y", "x", "y"])
    once = captions.score(["红鞋", "黑鞋"], ids=["x", "y"])
    with pytest.raises(ValueError, match="items of 'b' have id 'x' once, items of 'a' 2 times"):
        mf.compare({"a": twice, "b": once})
    grouped = captions.score(["红鞋", "鞋", "黑鞋", "红"], ids=["x", "x", "y", "y"])
    assert pair_of({"a": twice, "b": grouped}).differing_items == 0


# Images


def of_features(features, real, **options):
    return mf.image.fid_from_features(real, features, **options)


def test_the_system_without_influence_is_named():
    random = np.random.default_rng(3)
    real, first, second = random.normal(size=(3, 60, 4))
    systems = {"a": of_features(first, real, influence=True), "b": of_features(second, real)}
    with pytest.raises(ValueError, match=r"fid of 'b' was computed without .*influence=True"):
        mf.compare(systems)


def test_unequal_numbers_of_images_say_why_they_are_refused():
    random = np.random.default_rng(4)
    real, first, second = random.normal(size=(3, 60, 4))
    systems = {"a": of_features(first, real, influence=True), "b": of_features(second[:50], real, influence=True)}
    with pytest.raises(ValueError, match=r"'b' was computed as .*bias depends on the numbers of images"):
        mf.compare(systems)


def test_metrics_of_real_images_are_compared_by_these():
    random = np.random.default_rng(5)
    real, first, second = random.normal(size=(80, 4)), *random.normal(size=(2, 60, 4))
    ids = [f"i{k}" for k in range(60)]
    scores = [mf.image.precision_recall(real, features) for features in (first, second[::-1])]
    systems = {"a": Scores(scores[0], 60, ids), "b": Scores(scores[1], 60, ids[::-1])}
    c = mf.compare(systems, ["precision", "recall"], test="t")
    one, other = scores[0]["recall"].per_item, scores[1]["recall"].per_item
    assert len(one) == 80
    assert c["recall"]["a", "b"].p == pytest.approx(scipy.stats.ttest_rel(one, other).pvalue, rel=1e-9)
    # Those of generated images are matched by id.
    one, other = scores[0]["precision"].per_item, scores[1]["precision"].per_item[::-1]
    assert c["precision"]["a", "b"].p == pytest.approx(scipy.stats.ttest_rel(one, other).pvalue, rel=1e-9)
    with pytest.raises(ValueError, match="clusters has 60 keys, needs one for each of the 80 items"):
        mf.compare(systems, ["precision", "recall"], clusters=[i // 2 for i in range(60)])


def test_metrics_of_other_numbers_of_real_images_are_refused():
    random = np.random.default_rng(6)
    real, generated = random.normal(size=(80, 4)), random.normal(size=(60, 4))
    systems = {
        name: {
            "recall": mean_score(
                "recall", "recall|v:0", mf.image.precision_recall(real[:n], generated)["recall"].per_item
            )
        }
        for name, n in (("a", 80), ("b", 70))
    }
    with pytest.raises(ValueError, match="'b' has 70 items, 'a' has 80"):
        mf.compare(systems)


def test_influence_that_is_not_finite_is_refused():
    rows = np.array([1.0, -1.0, 0.0])
    systems = {
        "a": set_score("fid", "fid", 1.0, influence=(rows,)),
        "b": set_score("fid", "fid", math.nan, influence=(rows,)),
    }
    with pytest.raises(ValueError, match="fid of 'b' or its influence is not a finite number"):
        mf.compare(systems)


# Numbers of options


def test_odd_options():
    for options in ({"seed": 10**80}, {"threads": 10**6}, {"level": 0.5}, {"level": 0.9999, "resamples": 20_000}):
        assert pair_of({"a": A, "b": B}, **options).p == EXPECTED.p
    with pytest.raises(ValueError, match=r"resamples must be at least 20000 for level 0\.9999"):
        mf.compare({"a": A, "b": B}, level=0.9999)
    with pytest.raises(ValueError, match="threads must be at least 1, got -1"):
        mf.sign_flip_test(A, B, threads=-1)
    with pytest.raises(ValueError, match=r"resamples must be at most 2\*\*56"):
        mf.bootstrap_interval(A, resamples=10**400)


def test_more_resamples_than_memory_holds_are_a_memory_error_at_once():
    with pytest.raises(MemoryError):
        mf.compare({"a": A, "b": B}, resamples=10**14)
    references = [["红鞋"], ["黑鞋"], ["白鞋"]]
    scores = {
        name: mf.score_captions(texts, references, metrics=["bleu"], tokenizer="zh", smoothing="exp")
        for name, texts in (("a", ["红", "黑", "白"]), ("b", ["红鞋", "黑", "白"]))
    }
    for test in ("ar", "bs"):
        with pytest.raises(MemoryError):
            paired_test(scores, test=test, samples=10**14)


def interrupted(function) -> float:
    """Return how long a call runs after an interrupt that comes half a second after its start."""
    sent = []

    def send():
        time.sleep(0.5)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=send).start()
    with pytest.raises(KeyboardInterrupt):
        function()
    return time.perf_counter() - sent[0]


@pytest.mark.parametrize("systems", [2, 150])
def test_long_comparisons_are_interrupted_within_a_second(systems):
    values = np.random.default_rng(7).normal(size=(systems, 1_000_000 // systems**2 + 300))
    assert interrupted(lambda: mf.compare({f"s{k}": row for k, row in enumerate(values)}, resamples=30_000)) < 1


def test_long_names_are_cut_in_messages():
    with pytest.raises(ValueError, match=r"'b' has 3 items, 'aaaa.*…") as error:
        mf.compare({"a" * 10_000: [1, 0], "b": [0, 1, 1]})
    assert len(str(error.value)) < 200
