"""Comparisons of systems: pairs, intervals, rank ranges, and what is refused."""

import io
import itertools
import json
import math
import pathlib
import pickle

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings

import muge_fast as mf
from muge_fast.scores import Scores, mean_score

GOLDEN = json.loads((pathlib.Path(__file__).parent / "golden" / "comparisons.json").read_text(encoding="utf-8"))


def bleu_scores(rows) -> Scores:
    """Return BLEU, smoothed as sacrebleu does by default, of items with these ten statistics each."""
    template = mf.score_captions(["红鞋"], [["红鞋"]], metrics=["bleu"], smoothing="exp")["bleu"]
    return Scores({"bleu": template.with_statistics(rows)}, len(rows))


def recall_scores(hits, ks=(1, 5, 10)) -> Scores:
    """Return recall of queries that have their relevant item among the first 1, 5, 10 or not."""
    rows = np.array(hits)
    first = np.where(rows.any(axis=1), np.array(ks)[rows.argmax(axis=1)], max(ks) + 1)
    rankings = {
        i: [*range(10_000, 10_000 + rank - 1), 7, *range(20_000, 20_000 + 11 - rank)][:11]
        for i, rank in enumerate(first)
    }
    return mf.score_retrieval(rankings, {i: [7] for i in rankings}, ks=ks)


@pytest.fixture(scope="module")
def five_systems():
    return {name: bleu_scores(rows) for name, rows in GOLDEN["rows"]["all"].items() if name != "same"}


@pytest.fixture(scope="module")
def compared(five_systems):
    return mf.compare(five_systems)["bleu"]


def test_rank_ranges_of_bleu_are_the_recorded_ones(compared):
    expected = GOLDEN["rank_ranges"]["ranges"]
    assert {name: [ranks.low, ranks.high] for name, ranks in compared.ranks.items()} == expected
    assert compared.order[0] == "every16th"
    first = {name for name, ranks in compared.ranks.items() if ranks.tied_with_first}
    assert first == {name for name, (low, _) in expected.items() if low == 1}


def test_adjusted_p_values_of_bleu_are_the_recorded_ones(compared):
    for names, p in GOLDEN["rank_ranges"]["adjusted"].items():
        better, worse = names.split(" > ")
        pair = compared[better, worse]
        if pair.difference > 0:
            # Never below the exact p-value of the pair alone.
            assert pair.adjusted_p == max(p, pair.p)


@pytest.mark.parametrize(("items", "name"), [(i, name) for i, swaps in GOLDEN["exact_swaps"].items() for name in swaps])
def test_swap_test_is_exact_where_few_items_differ(items, name):
    rows, exact = GOLDEN["rows"][items], GOLDEN["exact_swaps"][items][name]
    first = next(iter(rows))
    pair = mf.compare({key: bleu_scores(rows[key]) for key in (first, name)})["bleu"][name, first]
    assert pair.p == exact["count"] / exact["of"]
    assert pair.exact
    assert pair.differing_items == exact["differing"]


def test_shifted_bootstrap_and_interval_are_those_of_numpy():
    # NumPy 2.4.6: default_rng(12345).integers(0, 12, (1000, 12)), scores by sacrebleu 2.6.0.
    scores = {key: bleu_scores(GOLDEN["rows"]["few"][key]) for key in ("A", "B")}
    pair = mf.compare(scores, test="bootstrap", resamples=1000)["bleu"]["B", "A"]
    assert pair.difference * 100 == pytest.approx(6.974201275637767, rel=1e-12)
    assert pair.p == 0.013986013986013986
    assert [100 * bound for bound in pair.interval] == pytest.approx(
        [2.3785502372156637, 12.666883045820272], rel=1e-12
    )
    assert pair.resamples_won == 0.998


@pytest.mark.parametrize("metric", ["recall@1", "recall@5", "recall@10"])
@pytest.mark.parametrize(("first", "second"), [*itertools.combinations(GOLDEN["hits"], 2)])
def test_sign_flip_test_of_recall_is_that_of_the_binomial(first, second, metric):
    hits = {name: np.array(GOLDEN["hits"][name]) for name in (first, second)}
    difference = (hits[second] - hits[first])[:, ("recall@1", "recall@5", "recall@10").index(metric)]
    wins, losses = int((difference > 0).sum()), int((difference < 0).sum())
    scores = {name: recall_scores(hits[name]) for name in (first, second)}
    pair = mf.compare(scores, [metric])[metric][second, first]
    assert pair.p == pytest.approx(scipy.stats.binomtest(wins, wins + losses).pvalue, rel=1e-12)
    assert (pair.exact, pair.wins, pair.losses) == (True, wins, losses)
    t_test = mf.compare(scores, [metric], test="t")[metric][second, first]
    assert t_test.p == pytest.approx(scipy.stats.ttest_1samp(difference, 0).pvalue, rel=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "p"),
    # Python 3.11: all patterns of signs of the thirds, by convolution of integers.
    [
        ("template", "base", 0.10455322265625),
        ("base", "large", 0.0026778876781463623),
        ("template", "large", 0.00018204818479716778),
    ],
)
def test_sign_flip_test_of_mean_recall_is_exact(first, second, p):
    scores = {name: recall_scores(GOLDEN["hits"][name]) for name in (first, second)}
    assert mf.compare(scores, ["mean_recall"])["mean_recall"][second, first].p == pytest.approx(p, rel=1e-12)


def test_sign_flip_test_of_few_real_numbers_tries_all_patterns():
    random = np.random.default_rng(3)
    first, second = random.normal(size=(2, 12))
    signs = np.array(list(itertools.product([1, -1], repeat=12)))
    sums = signs @ (first - second)
    expected = np.mean(np.abs(sums) >= abs((first - second).sum()) - 1e-12)
    pair = mf.compare({"a": first, "b": second})["mean"]["a", "b"]
    assert pair.p == expected
    assert pair.exact


def test_drawn_sign_flips_are_those_of_the_stream():
    random = np.random.default_rng(4)
    first, second = random.normal(size=(2, 200))
    selected = np.random.default_rng(12345).integers(2, size=(10_000, 200), dtype=bool)
    sums = np.where(selected, first - second, second - first).sum(axis=1)
    count = np.count_nonzero(np.abs(sums) >= abs((first - second).sum()))
    pair = mf.compare({"a": first, "b": second})["mean"]["a", "b"]
    assert pair.p == (count + 1) / 10_001
    assert not pair.exact
    assert pair.p == mf.sign_flip_test(first, second).p


@pytest.mark.parametrize("alternative", ["greater", "less", "two-sided"])
def test_p_values_of_hits_are_those_of_the_binomial_test(alternative):
    random = np.random.default_rng(5)
    first, second = random.integers(0, 2, size=(2, 300))
    wins, losses = int((first > second).sum()), int((first < second).sum())
    metric = mf.compare({"a": first, "b": second}, alternative=alternative)["mean"]
    for names, count in ((("a", "b"), wins), (("b", "a"), losses)):
        expected = scipy.stats.binomtest(count, wins + losses, alternative=alternative).pvalue
        assert metric[names].p == pytest.approx(expected, rel=1e-12)


def test_identical_systems_are_never_significantly_different():
    values = np.random.default_rng(6).normal(size=50)
    c = mf.compare({"a": values, "b": values.copy(), "c": values + 1})
    pair = c["mean"]["a", "b"]
    assert (pair.difference, pair.p, pair.adjusted_p, pair.differing_items) == (0.0, 1.0, 1.0, 0)
    assert list(pair.interval) == [0.0, 0.0]
    assert pair.resamples_won == 0.0
    ranks = c["mean"].ranks
    assert [(r.rank, r.low, r.high) for r in ranks.values()] == [(2, 2, 3), (2, 2, 3), (1, 1, 1)]


def test_equal_differences_of_all_items_say_nothing_about_smaller_ones():
    values = np.linspace(0.1, 0.9, 30)
    c = mf.compare({"a": values, "b": values + 0.3, "c": values + 0.1})
    assert c["mean"].detectable == 0
    assert "do not show how small a difference would be found" in c.table()
    assert "true difference" not in c.table()
    assert "无法得知能够检出多小的差异" in c.table(lang="zh")


def test_intervals_are_those_of_the_scores(five_systems, compared):
    for name, scores in five_systems.items():
        assert tuple(compared.intervals[name]) == tuple(scores["bleu"].interval())


def test_interval_of_a_difference_is_that_of_the_same_resamples():
    random = np.random.default_rng(7)
    first, second = random.integers(0, 9, size=(2, 40))
    indices = np.random.default_rng(12345).integers(0, 40, (10_000, 40))
    differences = (first - second)[indices].sum(axis=1) / 40
    pair = mf.compare({"a": first, "b": second})["mean"]["a", "b"]
    assert list(pair.interval) == pytest.approx(np.quantile(differences, [0.025, 0.975]), abs=1e-12)
    assert pair.detectable == pytest.approx((1.959963984540054 + 0.8416212335729143) * differences.std(ddof=1))


def test_clusters_are_kept_together():
    random = np.random.default_rng(8)
    first, second = random.integers(0, 2, size=(2, 60)).astype(float)
    keys = [f"image {i % 12}" for i in range(60)]
    by_image = [np.array([values[i::12].sum() for i in range(12)]) for values in (first, second)]
    pair = mf.compare({"a": first, "b": second}, clusters=keys)["mean"]["a", "b"]
    signs = np.array(list(itertools.product([1, -1], repeat=12)))
    difference = by_image[0] - by_image[1]
    assert pair.p == np.mean(np.abs(signs @ difference) >= abs(difference.sum()))
    indices = np.random.default_rng(12345).integers(0, 12, (10_000, 12))
    means = difference[indices].sum(axis=1) / 60
    assert list(pair.interval) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=1e-12)
    assert pair.differing_items == int((first != second).sum())


def test_items_are_matched_by_id():
    values = {f"q{i}": [i % 3] for i in range(30)}
    relevant = {f"q{i}": [0] for i in range(30)}
    first = mf.score_retrieval({key: [value[0], 9] for key, value in values.items()}, relevant, ks=(1,))
    shuffled = dict(sorted(values.items(), reverse=True))
    second = mf.score_retrieval(
        {key: [0 if key < "q2" else value[0], 9] for key, value in shuffled.items()},
        {key: [0] for key in shuffled},
        ks=(1,),
    )
    assert first.ids != second.ids
    aligned = mf.score_retrieval({key: [0 if key < "q2" else values[key][0], 9] for key in values}, relevant, ks=(1,))
    pair, expected = (mf.compare({"a": first, "b": other})["recall@1"]["b", "a"] for other in (second, aligned))
    assert pair == expected


@pytest.mark.parametrize("correction", ["holm", "bh", "by", "bonferroni", "none"])
def test_other_corrections_adjust_the_p_values_of_the_pairs(correction):
    values = np.random.default_rng(9).integers(0, 2, size=(4, 100))
    systems = dict(zip("abcd", values, strict=True))
    found = mf.compare(systems, correction=correction)["mean"]
    p = [pair.p for pair in found.values()]
    expected = p if correction == "none" else mf.adjust(p, correction).tolist()
    assert [pair.adjusted_p for pair in found.values()] == expected


def test_baseline_is_compared_with_all_others():
    values = np.random.default_rng(10).integers(0, 2, size=(4, 100))
    c = mf.compare(dict(zip("abcd", values, strict=True)), baseline="c")["mean"]
    assert list(c) == [("a", "c"), ("b", "c"), ("d", "c")]
    assert c["c", "a"].difference == -c["a", "c"].difference
    with pytest.raises(KeyError, match="were not compared"):
        c["a", "b"]


def test_lower_scores_rank_first_where_lower_is_better():
    scores = {
        name: Scores({"error": mean_score("error", "error|version:0", values, higher_is_better=False)}, 50)
        for name, values in (("low", np.linspace(0, 1, 50)), ("high", np.linspace(2, 3, 50)))
    }
    metric = mf.compare(scores)["error"]
    assert metric.order == ["low", "high"]
    assert (metric.ranks["low"].low, metric.ranks["low"].high, metric.ranks["high"].low) == (1, 1, 2)
    assert (metric["low", "high"].wins, metric["low", "high"].losses) == (50, 0)
    assert metric["low", "high"].resamples_won == 1.0


def test_results_do_not_depend_on_threads(five_systems):
    one, two = (mf.compare(five_systems, threads=threads).to_json() for threads in (1, 5))
    assert one == two


def test_comparisons_can_be_pickled(five_systems):
    c = mf.compare(five_systems, resamples=100)
    assert pickle.loads(pickle.dumps(c)).to_json() == c.to_json()  # noqa: S301 - our own bytes


def test_macro_f1_is_compared_by_swaps():
    random = np.random.default_rng(11)
    gold = {f"i{i}": "abc"[i % 3] for i in range(150)}
    first, second = (
        {key: label if random.random() < rate else "abcd"[random.integers(4)] for key, label in gold.items()}
        for rate in (0.6, 0.7)
    )
    scores = {name: mf.tasks.get("classification").score(found, gold) for name, found in (("a", first), ("b", second))}
    selected = np.random.default_rng(12345).integers(2, size=(500, 150), dtype=bool)
    found = mf.compare(scores, ["macro_f1"], resamples=500)["macro_f1"]["b", "a"]
    count = 0
    for row in selected:
        swapped = [
            {key: (one if keep else other)[key] for key, keep in zip(gold, row, strict=True)}
            for one, other in ((second, first), (first, second))
        ]
        f1 = [macro_f1(predictions, gold) for predictions in swapped]
        count += abs(f1[0] - f1[1]) >= abs(found.difference) - 1e-12
    assert found.p == (count + 1) / 501
    assert not found.exact
    right = [[one[key] == label for key, label in gold.items()] for one in (second, first)]
    assert found.wins == sum(one and not other for one, other in zip(*right, strict=True))


def macro_f1(predictions, gold) -> float:
    """Return the mean F1 of all labels that are true or predicted anywhere."""
    labels = {*gold.values(), *predictions.values()}
    total = 0.0
    for label in labels:
        hits = sum(predictions[key] == gold[key] == label for key in gold)
        both = sum(value == label for values in (predictions, gold) for value in values.values())
        total += 2 * hits / both
    return total / len(labels)


# What is refused


@pytest.mark.parametrize(
    ("scores", "error", "message"),
    [
        ({"a": [1, 0]}, ValueError, "at least two systems, got 1"),
        ([[1, 0], [0, 1]], TypeError, "mapping from the name of each system"),
        ({"a": [1, 0], "b": [1]}, ValueError, "'b' has 1 items, 'a' has 2"),
        ({"a": [1], "b": [1]}, ValueError, "at least two items"),
        ({"a": [1, 0], "b": [1, math.nan]}, ValueError, "'b' is .*nan.* for item 1"),
        ({"a": [1, 0], "b": "10"}, TypeError, r"scores\['b'\] must be Scores"),
        ({"a": [1, 0], 2: [1, 0]}, TypeError, "names of systems must be strings"),
        ({"a": [1, 0], " ": [1, 0]}, ValueError, "name of a system is empty"),
        ({"a": {"x": [1, 0]}, "b": {"y": [1, 0]}}, ValueError, "no metric in common"),
        ({"a": {"x": [1, 0], "y": [1]}, "b": [1, 0]}, ValueError, "same number of items"),
    ],
)
def test_systems_that_cannot_be_compared_are_named(scores, error, message):
    with pytest.raises(error, match=message):
        mf.compare(scores)


def test_missing_items_are_named():
    one = mf.score_retrieval({1: [1], 2: [1]}, {1: [1], 2: [1]}, ks=(1,))
    other = mf.score_retrieval({1: [1], 3: [1]}, {1: [1], 3: [1]}, ks=(1,))
    with pytest.raises(ValueError, match="items of 'b' lack 1 id of items of 'a': 2"):
        mf.compare({"a": one, "b": other})
    without_ids = mf.score_retrieval([[1], [1]], [[1], [1]], ks=(1,))
    with pytest.raises(TypeError, match="give ids to all systems or to none"):
        mf.compare({"a": one, "b": without_ids})


def test_different_options_are_named():
    texts, references = ["红色连衣裙", "黑鞋"], [["红色连衣裙"], ["黑色皮鞋"]]
    scores = [mf.score_captions(texts, references, metrics=["bleu"], tokenizer=name) for name in ("muge", "char")]
    with pytest.raises(ValueError, match=r"bleu of 'b' was computed as .*tokenizer:char.*, of 'a' as .*tokenizer:muge"):
        mf.compare({"a": scores[0], "b": scores[1]})


SAMPLES = pathlib.Path(mf.__file__).parent / "samples"


def caption_report(system, gold=SAMPLES / "caption" / "IC_sample.jsonl"):
    return mf.evaluate("caption", gold, SAMPLES / "caption" / f"IC_sample.pred.{system}.jsonl")


def test_reports_are_compared_in_the_unit_of_their_task():
    reports = {name: caption_report(name) for name in ("base", "large")}
    c = mf.compare(reports)
    assert list(c) == ["cider_d", "bleu", "rouge_l"]
    assert c.to_json() == mf.compare({name: report.scores for name, report in reports.items()}).to_json()
    assert dict(c.scales) == dict.fromkeys(c, 100.0)
    # Scores of one system without its report have no task.
    assert mf.compare({"base": reports["base"], "large": reports["large"].scores}).scale("bleu") == 1


def test_reports_with_different_gold_files_are_refused(tmp_path):
    text = (SAMPLES / "caption" / "IC_sample.jsonl").read_text("utf-8")
    same, other, longer = (tmp_path / f"{name}.jsonl" for name in ("same", "other", "longer"))
    same.write_text(text, encoding="utf-8")
    # One letter of a reference is different.
    other.write_text(text.replace("的", "之", 1), encoding="utf-8")
    longer.write_text(text + "\n", encoding="utf-8")
    first = caption_report("base")
    assert mf.compare({"a": first, "b": caption_report("large", same)})
    for gold in (other, longer):
        message = rf"'c' was scored with the gold file {gold.name} \(.*\), 'a' with IC_sample\.jsonl \(.*\); score all"
        with pytest.raises(ValueError, match=message):
            mf.compare({"a": first, "b": caption_report("large"), "c": caption_report("large", gold)})


def test_reports_of_different_tasks_are_refused():
    folder = SAMPLES / "classification"
    other = mf.evaluate("classification", folder / "CC_sample.jsonl", folder / "CC_sample.pred.base.jsonl")
    message = "'b' is a report of task 'classification', 'a' of task 'caption'; compare reports of one task"
    with pytest.raises(ValueError, match=message):
        mf.compare({"a": caption_report("base"), "b": other})


def test_reports_of_invalid_submissions_are_refused():
    gold = SAMPLES / "caption" / "IC_sample.jsonl"
    with pytest.raises(ValueError, match="the submission of 'b' is invalid: this looks like a caption gold file"):
        mf.compare({"a": caption_report("base"), "b": mf.evaluate("caption", gold, gold)})
    with pytest.raises(ValueError, match="the submission of 'b' was checked, not scored"):
        mf.compare(
            {"a": caption_report("base"), "b": mf.check("caption", SAMPLES / "caption" / "IC_sample.pred.base.jsonl")}
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test": "wilcoxon"}, "unknown test"),
        ({"correction": "holms"}, "did you mean 'holm'"),
        ({"baseline": "c"}, "unknown baseline"),
        ({"level": 95}, "level must be between 0 and 1"),
        ({"resamples": 10}, "resamples must be at least 40"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"metrics": ["cider"]}, "unknown metric"),
        ({"clusters": ["x"]}, "clusters has 1 keys"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        mf.compare({"a": [1, 0, 1], "b": [1, 1, 1]}, **options)


def test_tests_that_do_not_fit_a_metric_are_refused(five_systems):
    with pytest.raises(ValueError, match="the test sign_flip cannot be used for bleu, choose from auto, swap"):
        mf.compare(five_systems, test="sign_flip")


# Laws

values = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30)


@settings(max_examples=50, deadline=None)
@given(values, st.randoms())
def test_order_of_systems_and_names_change_nothing(rows, random):
    table = np.array(rows, dtype=float)
    names = ["a", "b", "c"]
    expected = mf.compare(dict(zip(names, table.T, strict=True)), resamples=200)["mean"]
    order = random.sample(range(3), 3)
    found = mf.compare({names[i] + "!": table[:, i] for i in order}, resamples=200)["mean"]
    for first, second in itertools.permutations(names, 2):
        one, other = expected[first, second], found[first + "!", second + "!"]
        assert one.p == other.p
        assert one.adjusted_p == other.adjusted_p
        assert list(one.interval) == list(other.interval)
        assert expected.ranks[first] == found.ranks[first + "!"]


@settings(max_examples=50, deadline=None)
@given(values, st.sampled_from([2.0, 0.5, 8.0]))
def test_scaling_changes_no_p_value(rows, factor):
    table = np.array(rows, dtype=float)
    one, other = (
        mf.compare(dict(zip("abc", scaled.T, strict=True)), resamples=200)["mean"] for scaled in (table, table * factor)
    )
    for pair in one:
        assert one[pair].p == other[pair].p
        assert one[pair].adjusted_p == other[pair].adjusted_p
        assert other[pair].difference == factor * one[pair].difference
        assert one.ranks == other.ranks


def test_merged_shards_compare_as_the_whole():
    random = np.random.default_rng(12)
    relevant = {i: [int(random.integers(5))] for i in range(60)}
    systems = {name: {i: random.permutation(5).tolist() for i in relevant} for name in "ab"}
    whole = {name: mf.score_retrieval(found, relevant, ks=(1, 2)) for name, found in systems.items()}
    shards = {
        name: Scores.merge(
            [
                mf.score_retrieval({i: found[i] for i in part}, {i: relevant[i] for i in part}, ks=(1, 2))
                for part in (range(20), range(20, 60))
            ]
        )
        for name, found in systems.items()
    }
    assert mf.compare(whole).to_json() == mf.compare(shards).to_json()


# Images


def image_scores(features, real) -> Scores:
    return Scores({"fid": mf.image.fid_from_features(real, features, influence=True)})


def test_fid_is_compared_by_the_influence_of_shared_images():
    random = np.random.default_rng(13)
    real = random.normal(size=(400, 4))
    first = random.normal(size=(400, 4))
    systems = {"a": first, "b": first + random.normal(scale=0.4, size=(400, 4))}
    scores = {name: image_scores(features, real) for name, features in systems.items()}
    pair = mf.compare(scores)["fid"]["b", "a"]
    rows = [scores["b"]["fid"].influence[k] - scores["a"]["fid"].influence[k] for k in (0, 1)]
    error = math.sqrt(sum(differences.var(ddof=1) / 400 for differences in rows))
    assert pair.p == pytest.approx(math.erfc(abs(pair.difference) / error / math.sqrt(2)), rel=1e-9)
    assert (pair.test, pair.exact, pair.wins, pair.losses) == ("normal", False, None, None)
    assert mf.compare(scores)["fid"].order == ["a", "b"]


def test_different_numbers_of_images_are_refused():
    random = np.random.default_rng(14)
    real = random.normal(size=(100, 4))
    scores = {name: image_scores(random.normal(size=(count, 4)), real) for name, count in (("a", 90), ("b", 80))}
    with pytest.raises(ValueError, match=r"fid of 'b' (is that of 80 images|was computed as .*generated:80)"):
        mf.compare(scores)


def test_fid_without_influence_is_left_out_or_refused():
    random = np.random.default_rng(15)
    real, generated = random.normal(size=(2, 50, 4))
    fid = mf.image.fid_from_features(real, generated)
    scores = {name: Scores({"fid": fid, "hits": mean_score("hits", "hits|v:0", np.arange(50.0))}, 50) for name in "ab"}
    c = mf.compare(scores)
    assert list(c) == ["hits"]
    assert "influence=True" in c.left_out["fid"]
    with pytest.raises(ValueError, match=r"fid cannot be compared: .*influence=True"):
        mf.compare(scores, ["fid"])
    with pytest.raises(KeyError, match="left out"):
        c["fid"]


@pytest.mark.filterwarnings("ignore:FID of 12 images")
def test_images_are_matched_by_id():
    pytest.importorskip("PIL.Image")
    random = np.random.default_rng(16)
    images = {f"i{i}": png(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)) for i in range(12)}
    real = {key: png(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)) for key in images}

    def extractor(batch):
        return np.array([image.reshape(-1, 3).mean(axis=0) / 255 for image in batch])

    scores = {
        name: mf.image.score_images(
            real=real, generated=generated, metrics=("fid",), extractor=extractor, influence=True
        )
        for name, generated in (("a", images), ("b", dict(reversed(images.items()))))
    }
    pair = mf.compare(scores)["fid"]["a", "b"]
    assert (pair.p, abs(pair.difference) < 1e-9) == (1.0, True)
    assert scores["a"].ids == scores["b"].ids == list(real)
    assert scores["a"]["fid"].influence[0] == pytest.approx(scores["b"]["fid"].influence[0], abs=1e-9)


def png(pixels) -> bytes:
    """Return an image file with these pixels."""
    from PIL import Image  # noqa: PLC0415 - an extra

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
