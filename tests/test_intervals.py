"""Confidence intervals: those of SciPy, of plain definitions, of clusters and of every metric; invalid options."""

import json
import math
from functools import cache
from importlib.resources import files

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import muge_fast as mf
from data import caption_set
from muge_fast.scores import Score, mean_score, set_score
from muge_fast.significance.intervals import Interval

# Twelve items of two systems, in eighths.
FIRST = [3, 5, 2, 7, 4, 6, 1, 8, 5, 3, 6, 4]
SECOND = [2, 5, 1, 6, 5, 4, 1, 6, 3, 3, 4, 3]
DIFFERENCES = (np.array(FIRST) - SECOND) / 8


@cache
def retrieval_scores(name: str) -> mf.Scores:
    """Score a sample submission of retrieval."""
    folder = files("muge_fast") / "samples" / "retrieval"
    gold, predictions = (
        {
            row["query_id"]: row["item_ids"]
            for row in map(json.loads, (folder / file).read_text(encoding="utf-8").splitlines())
        }
        for file in ("MR_sample_queries.jsonl", f"MR_sample.pred.{name}.jsonl")
    )
    return mf.score_retrieval(predictions, gold)


def of_scipy(values, method: str, resamples: int, seed: int = 12345, level: float = 0.95) -> tuple[float, float]:
    result = scipy.stats.bootstrap(
        (np.asarray(values),),
        np.mean,
        n_resamples=resamples,
        method={"bootstrap": "percentile", "bca": "BCa"}[method],
        confidence_level=level,
        rng=np.random.default_rng(seed),
    )
    return tuple(map(float, result.confidence_interval))


# SciPy


@pytest.mark.parametrize("resamples", [999, 9999])
@pytest.mark.parametrize("method", ["bootstrap", "bca"])
def test_twelve_differences_have_the_bits_of_scipy(method, resamples):
    interval = mf.bootstrap_interval(DIFFERENCES, method=method, resamples=resamples)
    # scipy.stats.bootstrap of SciPy 1.17.1 with numpy.random.default_rng(12345).
    assert interval == Interval(0.041666666666666664, 0.17708333333333334, 0.95, method)
    assert tuple(interval) == of_scipy(DIFFERENCES, method, resamples)


@pytest.mark.parametrize(
    ("system", "method", "recorded"),
    [
        ("template", "bootstrap", (0.171875, 0.3802083333333333)),
        ("template", "bca", (0.17708333333333331, 0.38541666666666663)),
        ("base", "bootstrap", (0.234375, 0.4583333333333333)),
        ("base", "bca", (0.23958333333333331, 0.46354166666666663)),
        ("large", "bootstrap", (0.43229166666666663, 0.65625)),
        ("large", "bca", (0.43229166666666663, 0.65625)),
    ],
)
def test_mean_recall_of_the_sample_queries_equals_scipy(system, method, recorded):
    score = retrieval_scores(system)["mean_recall"]
    interval = score.interval(method=method, resamples=9999)
    # scipy.stats.bootstrap of SciPy 1.17.1, 9999 resamples, numpy.random.default_rng(12345).
    assert tuple(interval) == pytest.approx(recorded, abs=1e-12)
    assert tuple(interval) == pytest.approx(of_scipy(score.per_item, method, 9999), abs=1e-12)


@pytest.mark.parametrize(("resamples", "level", "seed"), [(999, 0.95, 0), (400, 0.9, 1), (1000, 0.8, 2**64 + 5)])
@pytest.mark.parametrize("method", ["bootstrap", "bca"])
@pytest.mark.parametrize("items", [2, 13, 300])
def test_whole_numbers_equal_scipy(items, method, resamples, level, seed):
    values = np.random.default_rng(items).integers(0, 4, items)
    interval = mf.bootstrap_interval(values, method=method, resamples=resamples, seed=seed, level=level)
    expected = of_scipy(values.astype(float), method, resamples, seed, level)
    assert tuple(interval) == pytest.approx(expected, rel=1e-14, abs=1e-13 * (method == "bca"))


@pytest.mark.parametrize("method", ["bootstrap", "bca"])
@pytest.mark.parametrize("items", [30, 2000])
def test_real_numbers_equal_scipy(items, method):
    values = np.random.default_rng(items).gamma(0.5, size=items)
    interval = mf.bootstrap_interval(values, method=method, resamples=500, seed=7)
    assert tuple(interval) == pytest.approx(of_scipy(values, method, 500, 7), abs=1e-12)


def test_resamples_that_equal_the_mean_but_for_rounding_are_ties():
    # 24 of 256 resamples of four items are orders of the items. Whole numbers and tenths then have equal ranks.
    whole = np.array([1.0, 2.0, 4.0, 8.0])
    low, high = mf.bootstrap_interval(whole, method="bca", resamples=1000)
    for scale in (0.1, 0.3, 1 / 7):
        scaled = mf.bootstrap_interval(whole * scale, method="bca", resamples=1000)
        assert tuple(scaled) == pytest.approx((low * scale, high * scale), rel=1e-12)


# Few items


def expanded_tail(units: int, level: float = 0.95) -> float:
    """Return the tail of Hesterberg's expanded percentile interval (2015)."""
    return scipy.stats.norm.cdf(-np.sqrt(units / (units - 1)) * scipy.stats.t.isf((1 - level) / 2, units - 1))


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("items", [2, 5, 20, 300])
def test_expanded_intervals_are_quantiles_further_out(items, level):
    values = np.random.default_rng(items).gamma(0.5, size=items)
    means = values[np.random.default_rng(12345).integers(0, items, (10_000, items))].mean(axis=1)
    tail = expanded_tail(items, level)
    interval = mf.bootstrap_interval(values, level=level, expand=True)
    assert tuple(interval) == pytest.approx(np.quantile(means, [tail, 1 - tail]), rel=1e-9)
    bca = mf.bootstrap_interval(values, level=level, method="bca", expand=True)
    # BCa of a higher level has the same tails.
    expected = mf.bootstrap_interval(values, level=min(1 - 2 * tail, 0.9997), method="bca")
    if items > 5:
        assert tuple(bca) == pytest.approx(tuple(expected), rel=1e-9)
    normal = mf.bootstrap_interval(values, level=level, method="normal", expand=True)
    error = values.std(ddof=1) / np.sqrt(items)
    assert tuple(normal) == pytest.approx(scipy.stats.t.interval(level, items - 1, values.mean(), error), rel=1e-9)


def test_expanded_intervals_count_clusters():
    values, keys = np.random.default_rng(4).normal(size=60), [f"user {item % 12}" for item in range(60)]
    sums = values.reshape(5, 12).sum(axis=0)
    means = sums[np.random.default_rng(12345).integers(0, 12, (10_000, 12))].sum(axis=1) / 60
    tail = expanded_tail(12)
    interval = mf.bootstrap_interval(values, clusters=keys, expand=True)
    assert tuple(interval) == pytest.approx(np.quantile(means, [tail, 1 - tail]), rel=1e-9)


def test_expanded_intervals_of_scores_and_comparisons_are_the_same():
    systems = {name: retrieval_scores(name) for name in ("base", "large")}
    c = mf.compare(systems, ["mean_recall"], expand=True)
    interval = systems["base"]["mean_recall"].interval(expand=True)
    assert tuple(c["mean_recall"].intervals["base"]) == tuple(interval)
    narrow = systems["base"]["mean_recall"].interval()
    assert interval.low <= narrow.low < narrow.high <= interval.high
    assert "|expand:yes|" in c.signature
    assert "expand" not in mf.compare(systems, ["mean_recall"]).signature


def test_expanded_intervals_of_few_normal_values_contain_the_mean_as_often_as_they_say():
    random = np.random.default_rng(1)
    held = {True: 0, False: 0}
    for run in range(2000):
        values = random.normal(size=20)
        for expand in held:
            low, high = mf.bootstrap_interval(values, resamples=999, seed=run, threads=1, expand=expand)
            held[expand] += low <= 0 <= high
    assert 0.94 <= held[True] / 2000 <= 0.96
    assert held[False] / 2000 < 0.935


# Plain definitions


@pytest.mark.parametrize(("hits", "items"), [(15, 64), (27, 64), (0, 9), (9, 9), (1, 2), (4999, 5000)])
@pytest.mark.parametrize("level", [0.95, 0.5, 0.999])
def test_wilson_equals_scipy(hits, items, level):
    interval = mf.bootstrap_interval([1] * hits + [0] * (items - hits), method="wilson", level=level)
    expected = scipy.stats.binomtest(hits, items).proportion_ci(level, method="wilson")
    assert tuple(interval) == pytest.approx((expected.low, expected.high), abs=1e-14)


@pytest.mark.parametrize(
    ("system", "recorded"),
    [
        # statsmodels: proportion_confint(15, 64, method="wilson") and of 27.
        ("template", (0.1474989559392414, 0.35133257582568644)),
        ("large", (0.30869782474345486, 0.5438996845991709)),
    ],
)
def test_wilson_of_recall_equals_statsmodels(system, recorded):
    interval = retrieval_scores(system)["recall@1"].interval(method="wilson")
    assert tuple(interval) == pytest.approx(recorded, abs=1e-15)


def test_wilson_of_all_or_no_hits_ends_exactly_at_one_or_zero():
    assert mf.bootstrap_interval(np.zeros(7, dtype=bool), method="wilson").low == 0.0
    assert mf.bootstrap_interval(np.ones(7, dtype=bool), method="wilson").high == 1.0


@pytest.mark.parametrize("level", [0.95, 0.6])
def test_normal_is_the_mean_and_quantiles_of_the_standard_error(level):
    error = scipy.stats.sem(DIFFERENCES)
    expected = scipy.stats.norm.interval(level, DIFFERENCES.mean(), error)
    interval = mf.bootstrap_interval(DIFFERENCES, method="normal", level=level)
    assert tuple(interval) == pytest.approx(expected, abs=1e-14)


def test_the_interval_follows_from_three_lines_of_numpy():
    indices = np.random.default_rng(3).integers(0, 12, (1000, 12))
    expected = np.quantile(DIFFERENCES[indices].mean(axis=1), [0.05, 0.95])
    assert tuple(mf.bootstrap_interval(DIFFERENCES, level=0.9, resamples=1000, seed=3)) == pytest.approx(expected)


# Clusters


KEYS = ["b", "a", "b", "c", "c", "c", "d", "e", "f", "e", "g", "g"]


@pytest.mark.parametrize("method", ["bootstrap", "bca", "normal"])
def test_clusters_are_resampled_as_whole(method):
    numbered = list(dict.fromkeys(KEYS))
    members = [[DIFFERENCES[i] for i, key in enumerate(KEYS) if key == name] for name in numbered]
    sums, sizes = np.array([sum(group) for group in members]), np.array([len(group) for group in members])
    interval = mf.bootstrap_interval(DIFFERENCES, method=method, resamples=999, clusters=KEYS)
    if method == "normal":
        changes = sums - DIFFERENCES.mean() * sizes
        error = math.sqrt(changes.var(ddof=1) * len(sums)) / 12
        expected = scipy.stats.norm.interval(0.95, DIFFERENCES.mean(), error)
    else:
        result = scipy.stats.bootstrap(
            (sums, sizes),
            lambda a, b, axis: a.sum(axis) / b.sum(axis),
            paired=True,
            n_resamples=999,
            method={"bootstrap": "percentile", "bca": "BCa"}[method],
            rng=np.random.default_rng(12345),
            vectorized=True,
        )
        expected = tuple(result.confidence_interval)
    assert tuple(interval) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("method", ["bootstrap", "bca"])
def test_a_cluster_for_each_item_changes_nothing(method):
    whole = mf.bootstrap_interval(DIFFERENCES, method=method, resamples=300)
    assert mf.bootstrap_interval(DIFFERENCES, method=method, resamples=300, clusters=np.arange(12)) == whole


def test_clusters_of_equal_items_are_as_few_items():
    repeated = np.repeat(DIFFERENCES, 5)
    keys = np.repeat(np.arange(12), 5).tolist()
    few = mf.bootstrap_interval(DIFFERENCES, resamples=300)
    assert tuple(mf.bootstrap_interval(repeated, resamples=300, clusters=keys)) == pytest.approx(tuple(few), abs=1e-15)
    low, high = mf.bootstrap_interval(repeated, resamples=300)
    assert high - low < 0.6 * (few.high - few.low)


@pytest.mark.parametrize(
    ("clusters", "error", "message"),
    [
        (["a"] * 12, ValueError, "all items are in one cluster"),
        (["a", "b"], ValueError, "clusters has 2 keys, needs one for each of the 12 items"),
        ("abcdefghijkl", TypeError, "clusters must be a list"),
        (np.arange(12.0), TypeError, "clusters are float64"),
        ([None] * 12, ValueError, r"clusters\[0\]|clusters"),
    ],
)
def test_invalid_clusters_are_refused(clusters, error, message):
    with pytest.raises(error, match=message):
        mf.bootstrap_interval(DIFFERENCES, clusters=clusters)


# Scores of every metric


def rescored(score: Score, resamples: int, seed: int) -> list[float]:
    """Return the scores of resampled items, each computed as that of a set of items."""
    rows = score.statistics.rows
    indices = np.random.default_rng(seed).integers(0, len(rows), (resamples, len(rows)))
    return [score.with_statistics(rows[index]).value for index in indices]


@cache
def caption_scores() -> mf.Scores:
    captions = caption_set(40, 3, references=3)
    return mf.score_captions(captions.predictions, captions.references, metrics=["cider_d", "bleu", "rouge_l", "cider"])


def smoothed_bleu() -> Score:
    captions = caption_set(25, 4, references=2)
    scores = mf.score_captions(captions.predictions, captions.references, metrics=["bleu"], smoothing="exp")
    return scores["bleu"]


def classified() -> mf.Scores:
    random = np.random.default_rng(5)
    labels = {f"q{i}": "红蓝绿"[random.integers(3)] for i in range(50)}
    predicted = {key: label if random.random() < 0.7 else "红" for key, label in labels.items()}
    return mf.tasks.get("classification").score(predicted, labels)


def every_score() -> dict[str, Score]:
    scores = {**caption_scores(), **retrieval_scores("base"), **classified()}
    return {**scores, "smoothed bleu": smoothed_bleu()}


@pytest.mark.parametrize(
    "name",
    ["cider_d", "bleu", "rouge_l", "cider", "recall@1", "mean_recall", "accuracy", "macro_f1", "smoothed bleu"],
)
def test_intervals_of_every_metric_are_quantiles_of_scores_of_resampled_items(name):
    score = every_score()[name]
    expected = np.quantile(rescored(score, 300, 9), [0.025, 0.975])
    interval = score.interval(resamples=300, seed=9)
    assert tuple(interval) == pytest.approx(expected, abs=1e-12)
    assert interval.low <= score.value <= interval.high


@pytest.mark.parametrize("name", ["cider_d", "bleu", "recall@5", "mean_recall", "macro_f1"])
def test_the_other_methods_are_near_the_bootstrap(name):
    score = every_score()[name]
    low, high = score.interval(resamples=2000)
    for method in ("bca", "normal"):
        interval = score.interval(method=method, resamples=2000)
        assert interval.method == method
        assert tuple(interval) == pytest.approx((low, high), abs=0.25 * (high - low))


def test_bca_of_bleu_leaves_out_each_item():
    score = smoothed_bleu()
    rows = score.statistics.rows
    resampled = np.sort(rescored(score, 400, 5))
    left_out = np.array([score.with_statistics(np.delete(rows, i, axis=0)).value for i in range(len(rows))])
    changes = left_out.mean() - left_out
    acceleration = (changes**3).sum() / (6 * (changes**2).sum() ** 1.5)
    below = ((resampled < score.value).sum() + (resampled <= score.value).sum()) / 800
    shifts = scipy.stats.norm.ppf(below) + scipy.stats.norm.ppf([0.05, 0.95])
    tails = scipy.stats.norm.cdf(scipy.stats.norm.ppf(below) + shifts / (1 - acceleration * shifts))
    interval = score.interval(0.9, "bca", 400, 5)
    assert tuple(interval) == pytest.approx(np.quantile(resampled, tails), abs=1e-12)


def test_intervals_of_clusters_of_captions():
    score = caption_scores()["bleu"]
    keys = np.arange(len(score.per_item)) // 4
    groups = [np.flatnonzero(keys == key) for key in range(10)]
    indices = np.random.default_rng(12345).integers(0, 10, (200, 10))
    resampled = [
        score.with_statistics(score.statistics.rows[np.concatenate([groups[g] for g in index])]).value
        for index in indices
    ]
    interval = score.interval(resamples=200, clusters=keys.tolist())
    assert tuple(interval) == pytest.approx(np.quantile(resampled, [0.025, 0.975]), abs=1e-12)


def test_scores_of_whole_sets_have_normal_intervals_from_the_influence_of_images():
    one, two = np.array([-1.0, 0.5, 0.5]), np.array([2.0, -2.0, 1.0, -1.0])
    score = set_score("fid", "fid|version:0", 7.0, influence=(one, two), higher_is_better=False)
    error = math.sqrt(one.var(ddof=1) / 3 + two.var(ddof=1) / 4)
    expected = scipy.stats.norm.interval(0.95, 7.0, error)
    assert tuple(score.interval(method="normal")) == pytest.approx(expected)
    with pytest.raises(ValueError, match=r"fid is a score of a whole set.* use method 'normal'"):
        score.interval()
    with pytest.raises(ValueError, match="fid has 2 samples, clusters are for metrics of one"):
        score.interval(method="normal", clusters=[1, 2, 3])
    with pytest.raises(ValueError, match="method 'wilson' needs a mean of items that are 0 or 1"):
        score.interval(method="wilson")


def test_the_inception_score_and_kid_have_normal_intervals():
    random = np.random.default_rng(1)
    real, generated = random.normal(size=(60, 4)), random.normal(0.4, size=(50, 4))
    logits = random.normal(size=(80, 5))
    for score in (
        mf.image.kid_from_features(real, generated, subsets=None, influence=True),
        mf.image.inception_score_from_logits(logits, splits=1, influence=True),
    ):
        low, high = score.interval(method="normal", level=0.9)
        variance = sum(rows.var(ddof=1) / len(rows) for rows in score.influence)
        assert (low + high) / 2 == pytest.approx(score.value)
        assert high - low == pytest.approx(2 * 1.6448536269514722 * math.sqrt(variance))


def test_scores_of_whole_sets_without_influence_say_what_to_pass():
    score = set_score("fid", "fid|version:0", 7.0, higher_is_better=False)
    with pytest.raises(ValueError, match="influence=True"):
        score.interval(method="normal")


# Laws


@given(
    st.lists(st.integers(0, 20), min_size=2, max_size=30),
    st.sampled_from(["bootstrap", "bca", "normal"]),
    st.sampled_from([1, 2, None]),
)
@settings(max_examples=40)
def test_shifting_and_scaling_whole_numbers_shifts_and_scales_the_interval(values, method, threads):
    options = {"method": method, "resamples": 100}
    low, high = mf.bootstrap_interval(values, **options)
    assert low <= np.mean(values) <= high or method == "bca"
    array = np.array(values)
    assert tuple(mf.bootstrap_interval(array * 4 + 3, **options, threads=threads)) == pytest.approx(
        (4 * low + 3, 4 * high + 3), abs=1e-9
    )
    assert tuple(mf.bootstrap_interval(array / 8, **options)) == pytest.approx((low / 8, high / 8), abs=1e-12)


def test_results_do_not_depend_on_threads():
    values = np.random.default_rng(0).normal(size=3000)
    for method in ("bootstrap", "bca"):
        one = mf.bootstrap_interval(values, method=method, resamples=500, threads=1)
        assert mf.bootstrap_interval(values, method=method, resamples=500, threads=2) == one


def test_many_columns_are_resampled_in_blocks(monkeypatch):
    score = classified()["macro_f1"]
    whole = {method: score.interval(method=method, resamples=500) for method in ("bootstrap", "bca")}
    monkeypatch.setattr("muge_fast.significance.stream.BLOCK", 50)
    assert {method: score.interval(method=method, resamples=500) for method in whole} == whole


# Degenerate and invalid input


@pytest.mark.parametrize("method", ["bootstrap", "bca", "normal"])
@pytest.mark.parametrize("value", [0.1, 0.0, 1.0, -1e-300, 1e300])
@pytest.mark.parametrize("clusters", [None, ["a", "b", "b", "c", "c", "c", "c"]])
def test_equal_values_have_an_interval_of_zero_width(method, value, clusters):
    interval = mf.bootstrap_interval([value] * 7, method=method, clusters=clusters)
    assert interval.low == interval.high == pytest.approx(value)


@pytest.mark.parametrize("method", ["bootstrap", "bca", "normal"])
def test_values_whose_sums_or_squares_overflow_are_refused(method):
    with pytest.raises(ValueError, match="too large"):
        mf.bootstrap_interval([1.7e308, 1.6e308, 1.5e308], method=method)


def test_bounds_of_bca_may_be_the_smallest_or_largest_resample():
    values = [0.0] * 200 + [1.0]
    most = (np.random.default_rng(12345).integers(0, 201, (20_000, 201)) == 200).sum(axis=1).max()
    interval = mf.bootstrap_interval(values, method="bca", level=0.9999, resamples=20_000)
    assert interval.high == most / 201
    assert interval.low >= 0


def test_more_resamples_than_memory_holds_are_a_memory_error():
    with pytest.raises(MemoryError):
        mf.bootstrap_interval([0, 1, 1, 0], resamples=2**55)


@pytest.mark.parametrize("method", ["normal", "wilson"])
def test_the_largest_level(method):
    level = math.nextafter(1, 0)
    low, high = mf.bootstrap_interval([0, 1, 1, 0], method=method, level=level, resamples=2**55)
    assert low < 0.02
    assert high > 0.98


def test_bca_without_a_correction_has_the_bounds_of_the_percentiles():
    # No resample of 40 exceeds the value, so its rank has no normal quantile.
    values = [0.0] * 2000 + [1.0]
    for seed in range(50):
        percentiles = mf.bootstrap_interval(values, resamples=40, seed=seed)
        corrected = mf.bootstrap_interval(values, resamples=40, seed=seed, method="bca")
        assert all(map(math.isfinite, corrected))
        assert 0 <= corrected.low <= corrected.high
        if percentiles.high == 0:
            assert tuple(corrected) == tuple(percentiles)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([], ValueError, "values has 0 items, an interval needs at least two"),
        ([1.0], ValueError, "values has 1 item, an interval needs at least two"),
        ([1.0, math.nan], ValueError, r"values\[1\] is not finite"),
        ([1.0, 2.0, -math.inf], ValueError, r"values\[2\] is not finite"),
        ([1.0, None], TypeError, r"values\[1\] is None, needs a number"),
        (["1", "2"], TypeError, r"values\[0\] is '1', needs a number"),
        ([1j, 2j], TypeError, r"values\[0\] is 1j, needs a number"),
        ([[1, 2], [3, 4]], TypeError, "values must be numbers in one dimension"),
        ([[1, 2], [3]], TypeError, "values must be numbers in one dimension"),
        (np.zeros((3, 1)), TypeError, r"an array of shape \(3, 1\)"),
        (0.5, TypeError, "values must be numbers in one dimension, got 0.5"),
        ({"a": 1, "b": 2}, TypeError, r"got a dict; pass list\(x.values\(\)\)"),
        ({0.1, 0.2}, TypeError, "values must be a sequence of numbers"),
        (np.ma.array([1, 2], mask=[0, 1]), TypeError, "values is a masked array with 1 masked entry"),
        (np.array(["2020"], dtype="datetime64"), TypeError, "needs a number"),
    ],
)
def test_invalid_values_are_refused(values, error, message):
    with pytest.raises(error, match=message):
        mf.bootstrap_interval(values)


def test_values_of_pandas_and_torch():
    pandas, torch = pytest.importorskip("pandas"), pytest.importorskip("torch")
    expected = mf.bootstrap_interval([0.0, 1.0, 4.0], resamples=100)
    for values in (
        pandas.Series([0, 1, 4], index=["x", "y", "z"]),
        torch.tensor([0.0, 1.0, 4.0], requires_grad=True),
        (0, 1, 4),
        np.array([0, 1, 4], dtype=np.float16),
    ):
        assert mf.bootstrap_interval(values, resamples=100) == expected


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"level": 95}, ValueError, "level must be between 0 and 1, got 95"),
        ({"level": 0}, ValueError, "level must be between 0 and 1"),
        ({"level": "0.95"}, TypeError, "level must be a number"),
        ({"method": "percentile"}, ValueError, "unknown method 'percentile', choose one of bootstrap, bca"),
        ({"resamples": 0}, ValueError, "resamples must be at least 1"),
        ({"resamples": 39}, ValueError, "resamples must be at least 40 for level 0.95, got 39"),
        ({"resamples": 199, "level": 0.99}, ValueError, "at least 200 for level 0.99"),
        ({"resamples": 1e3}, TypeError, "resamples must be an integer"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"seed": None}, TypeError, "seed must be an integer"),
        ({"threads": 0}, ValueError, "threads must be at least 1"),
        ({"method": "wilson"}, ValueError, r"needs values that are 0 or 1, values\[0\] is 0.125"),
        ({"method": "wilson", "clusters": KEYS}, ValueError, "'wilson' assumes independent items"),
        ({"method": "wilson", "expand": True}, ValueError, "expand is not for method 'wilson'"),
        ({"expand": 1}, TypeError, "expand must be True or False, got 1"),
    ],
)
def test_invalid_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        mf.bootstrap_interval(DIFFERENCES, **options)


def test_smallest_numbers_of_resamples():
    assert mf.bootstrap_interval(DIFFERENCES, resamples=40).method == "bootstrap"
    assert mf.bootstrap_interval(DIFFERENCES, resamples=20, level=0.9).level == 0.9


def test_wilson_is_refused_for_metrics_whose_items_are_not_zero_or_one():
    with pytest.raises(ValueError, match=r"method 'wilson' needs a mean of items that are 0 or 1.*mean_recall"):
        retrieval_scores("base")["mean_recall"].interval(method="wilson")
    with pytest.raises(ValueError, match=r"rouge_l.per_item\[0\] is 0\."):
        caption_scores()["rouge_l"].interval(method="wilson")


def test_scores_of_one_item_and_scores_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="has 1 item, an interval needs at least two"):
        mf.score_captions(["红鞋"], [["红鞋"]], metrics=["rouge_l"])["rouge_l"].interval()
    score = mean_score("recall", "recall|version:0", np.array([1.0, np.nan, 0.0]))
    with pytest.raises(ValueError, match=r"recall.statistics.rows\[1\] is not finite"):
        score.interval()


def test_intervals_unpack_and_compare():
    interval = mf.bootstrap_interval(DIFFERENCES)
    low, high = interval
    assert (low, high) == (interval.low, interval.high)
    assert type(low) is float
    assert interval == Interval(low, high, 0.95, "bootstrap")
    with pytest.raises(AttributeError):
        interval.low = 0.0
