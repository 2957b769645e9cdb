"""Comparisons of 2000 items against SciPy and statsmodels, and against all patterns of swaps by plain code."""

import itertools
from functools import cache
from random import Random

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import muge_fast as mf
from data import caption_set
from muge_fast.scores import Scores

ITEMS = 2000


@cache
def captions() -> dict[str, Scores]:
    """Return scores of three systems; two of them have other captions than the first for some items."""
    items, random = caption_set(ITEMS, 3, references=3), Random(4)
    texts = {"base": items.predictions}
    for name, rate, choose in (
        ("longer", 0.2, lambda text, gold: text + gold[0][:3]),
        ("cut", 0.3, lambda text, _: text[: 2 * len(text) // 3]),
    ):
        pairs = zip(items.predictions, items.references, strict=True)
        texts[name] = [choose(text, gold) if random.random() < rate else text for text, gold in pairs]
    prepared = mf.Captions(items.references, tokenizer="zh")
    return {name: prepared.score(predictions) for name, predictions in texts.items()}


@cache
def retrieval() -> dict[str, Scores]:
    """Return recall of three systems, whose relevant item has rank 1 to 14; easy queries are easy for all."""
    random = np.random.default_rng(5)
    ease = random.random((ITEMS, 1))
    ranks = np.ceil(14 * (ease + random.random((ITEMS, 3))) / 2).astype(int)
    relevant = {f"q{i}": [0] for i in range(ITEMS)}
    return {
        name: mf.score_retrieval(
            {f"q{i}": [*range(1, rank), 0, *range(rank, 11)][:10] for i, rank in enumerate(column.tolist())}, relevant
        )
        for name, column in zip(("base", "large", "small"), ranks.T, strict=True)
    }


PAIRS = [*itertools.combinations(("base", "longer", "cut"), 2)]


@pytest.mark.parametrize(("first", "second"), PAIRS)
@pytest.mark.parametrize("metric", ["cider_d", "rouge_l"])
def test_intervals_of_differences_are_those_of_scipy(metric, first, second):
    scores = captions()
    differences = scores[first][metric].per_item - scores[second][metric].per_item
    expected = scipy.stats.bootstrap(
        (differences,), np.mean, n_resamples=1000, method="percentile", rng=np.random.default_rng(12345), batch=50
    ).confidence_interval
    pair = mf.compare(scores, [metric], resamples=1000)[metric][first, second]
    assert tuple(pair.interval) == pytest.approx(tuple(expected), abs=1e-12)
    assert pair.differing_items == np.count_nonzero(differences)


@pytest.mark.parametrize("metric", ["cider_d", "rouge_l"])
def test_paired_t_tests_are_those_of_scipy(metric):
    scores = captions()
    c = mf.compare(scores, [metric], test="t", resamples=100)[metric]
    for first, second in PAIRS:
        expected = scipy.stats.ttest_rel(scores[first][metric].per_item, scores[second][metric].per_item)
        assert c[first, second].p == pytest.approx(expected.pvalue, rel=1e-9)


def test_drawn_sign_flips_agree_with_the_permutation_test_of_scipy():
    scores = captions()
    random = np.random.default_rng(6)
    base = scores["base"]["rouge_l"].per_item
    # A difference that is near the level.
    other = base + np.where(random.random(ITEMS) < 0.3, random.normal(0.005, 0.05, ITEMS), 0.0)
    pair = mf.compare({"base": base, "other": other})["mean"]["base", "other"]
    expected = scipy.stats.permutation_test(
        (base, other),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        n_resamples=9999,
        vectorized=True,
        batch=100,
        rng=np.random.default_rng(1),
    ).pvalue
    assert 0.001 < expected < 0.5
    assert not pair.exact
    # Both are estimates.
    assert pair.p == pytest.approx(expected, abs=6 * np.sqrt(expected / 10_000))


@pytest.mark.parametrize("metric", ["recall@1", "recall@5", "recall@10"])
def test_tests_of_hits_are_those_of_scipy(metric):
    scores = retrieval()
    c = mf.compare(scores, [metric], resamples=100)[metric]
    for first, second in c:
        one, other = scores[first][metric].per_item, scores[second][metric].per_item
        wins, losses = int((one > other).sum()), int((one < other).sum())
        pair = c[first, second]
        assert (pair.wins, pair.losses, pair.exact) == (wins, losses, True)
        assert pair.p == pytest.approx(scipy.stats.binomtest(wins, wins + losses).pvalue, rel=1e-12)


def test_hits_and_corrections_are_those_of_statsmodels():
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    scores = retrieval()
    names = {"holm": "holm", "bonferroni": "bonferroni", "bh": "fdr_bh", "by": "fdr_by"}
    for correction, name in names.items():
        c = mf.compare(scores, ["recall@1"], correction=correction, resamples=100)["recall@1"]
        expected = []
        for first, second in c:
            one, other = (scores[system]["recall@1"].per_item > 0 for system in (first, second))
            table = [[np.sum(one & other), np.sum(one & ~other)], [np.sum(~one & other), np.sum(~one & ~other)]]
            expected.append(tables.mcnemar(table, exact=True).pvalue)
        assert [pair.p for pair in c.values()] == pytest.approx(expected, rel=1e-11)
        adjusted = multitest.multipletests(expected, method=name)[1]
        assert [pair.adjusted_p for pair in c.values()] == pytest.approx(adjusted.tolist(), rel=1e-11)
    hits = scores["base"]["recall@1"]
    expected = proportion.proportion_confint(int(hits.per_item.sum()), ITEMS, method="wilson")
    assert tuple(hits.interval(method="wilson")) == pytest.approx(expected, rel=1e-12)


# All patterns


def all_differences(first, second) -> np.ndarray:
    """Return the differences of BLEU after all exchanges of items, with BLEU written out."""
    chosen = np.array(list(itertools.product([False, True], repeat=len(first))))[:, :, None]
    sums = [np.where(chosen, one, other).sum(axis=1) for one, other in ((first, second), (second, first))]
    return plain_bleu(sums[0]) - plain_bleu(sums[1])


def plain_bleu(sums) -> np.ndarray:
    """Return BLEU without smoothing of sums of statistics."""
    length, reference, matches, ngrams = sums[:, 0], sums[:, 1], sums[:, 2:6], sums[:, 6:10]
    with np.errstate(divide="ignore", invalid="ignore"):
        precisions = np.log(matches / ngrams).mean(axis=1)
        penalty = np.where(length < reference, 1 - reference / length, 0.0)
        return np.nan_to_num(np.exp(precisions + penalty))


UNSMOOTHED = mf.score_captions(["红鞋"], [["红鞋"]], metrics=["bleu"], smoothing="none")["bleu"]


@pytest.mark.parametrize("differing", [1, 2, 7, 13, 16])
def test_swaps_of_captions_are_all_patterns(differing):
    rows = [scores["bleu"].statistics.rows for scores in (captions()["base"], captions()["cut"])]
    differ = np.flatnonzero((rows[0] != rows[1]).any(axis=1))[:differing]
    same = np.flatnonzero((rows[0] == rows[1]).all(axis=1))[:20]
    first, second = (np.concatenate([table[differ], rows[0][same]]) for table in rows)
    kept = np.concatenate([np.zeros((differing - 1, 10)), rows[0][same].sum(axis=0)[None]])
    differences = all_differences(first[:differing] + kept, second[:differing] + kept)
    observed = plain_bleu(first.sum(axis=0)[None])[0] - plain_bleu(second.sum(axis=0)[None])[0]
    systems = {
        name: Scores({"bleu": UNSMOOTHED.with_statistics(table)}, len(table))
        for name, table in (("a", first), ("b", second))
    }
    for alternative, extreme in (("two-sided", np.abs), ("greater", np.positive), ("less", np.negative)):
        pair = mf.compare(systems, alternative=alternative, resamples=100)["bleu"]["a", "b"]
        assert pair.difference == pytest.approx(observed, rel=1e-12)
        assert pair.p == np.mean(extreme(differences) >= extreme(observed) - 1e-12)
        assert (pair.exact, pair.differing_items) == (True, differing)


@pytest.mark.parametrize("differing", [1, 5, 16])
@pytest.mark.parametrize("kind", ["real", "thirds"])
def test_sign_flips_of_items_are_all_patterns(kind, differing):
    random = np.random.default_rng(differing)
    first, second = random.normal(size=(2, 40)) if kind == "real" else random.integers(0, 4, size=(2, 40)) / 3
    second[differing:] = first[differing:]
    signs = np.array(list(itertools.product([1, -1], repeat=differing)))
    differences = signs @ (first - second)[:differing]
    pair = mf.compare({"a": first, "b": second}, resamples=100)["mean"]["a", "b"]
    assert pair.p == np.mean(np.abs(differences) >= abs((first - second).sum()) - 1e-12)
    assert pair.exact


# Laws


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=2, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_items_changes_no_exact_p_value(rows, random):
    table = np.array(rows) / 3
    order = random.sample(range(len(rows)), len(rows))
    one, other = (
        mf.compare(dict(zip("abc", values.T, strict=True)), correction="holm", resamples=100)["mean"]
        for values in (table, table[order])
    )
    for names, pair in one.items():
        found = other[names]
        assert (found.p, found.adjusted_p) == (pair.p, pair.adjusted_p)
        assert (found.wins, found.losses, found.differing_items) == (pair.wins, pair.losses, pair.differing_items)
        assert found.difference == pytest.approx(pair.difference, abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(40)))
def test_items_with_ids_may_be_in_any_order(order):
    rows = [scores["bleu"].statistics.rows[:40] for scores in captions().values()]
    ids = [f"i{k}" for k in range(40)]
    first = {str(k): Scores({"bleu": UNSMOOTHED.with_statistics(table)}, 40, ids) for k, table in enumerate(rows)}
    moved = Scores({"bleu": UNSMOOTHED.with_statistics(rows[1][order])}, 40, [ids[k] for k in order])
    expected = mf.compare(first, resamples=100, level=0.9)
    assert mf.compare({**first, "1": moved}, resamples=100, level=0.9).to_json() == expected.to_json()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=40, max_size=40).filter(lambda keys: len(set(keys)) > 1), st.data())
def test_names_of_clusters_change_nothing(keys, data):
    names = data.draw(st.permutations(["ann", "bo", "cy", "di", "ed", 7]))
    rows = {name: scores["rouge_l"].per_item[:40] for name, scores in captions().items()}
    one, other = (
        mf.compare(rows, clusters=clusters, resamples=100, level=0.9).to_json()
        for clusters in (keys, [names[key] for key in keys])
    )
    assert one == other
