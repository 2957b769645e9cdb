"""Error rates of comparisons: tests of systems without a difference, rank ranges and intervals of known truths.

Everything is drawn with fixed seeds. A rate of 5 % over 2000 sets has a standard error of 0.5 %.
"""

import itertools
import json
import pathlib

import numpy as np
import pytest

import muge_fast as mf
from muge_fast.scores import Scores, set_score

GOLDEN = json.loads((pathlib.Path(__file__).parent / "golden" / "comparisons.json").read_text(encoding="utf-8"))

RUNS = 2000
# 199 draws and the observed one: multiples of 1/200, of which 10 are at most 0.05.
DRAWS = 199

BLEU = mf.score_captions(["红鞋"], [["红鞋"]], metrics=["bleu"], smoothing="exp")["bleu"]
SAMPLES = pathlib.Path(mf.__file__).parent / "samples" / "caption"
# The rows of 64 captions by two systems.
BLEU_ROWS = np.stack(
    [
        mf.evaluate("caption", SAMPLES / "IC_sample.jsonl", SAMPLES / f"IC_sample.pred.{name}.jsonl")
        .scores["bleu"]
        .statistics.rows
        for name in ("base", "large")
    ]
)
MEAN_RECALL = mf.score_retrieval({0: [1]}, {0: [1]}, ks=(1, 5, 10))["mean_recall"]
MACRO_F1 = mf.tasks.get("classification").score({"a": "x", "b": "y", "c": "z"}, {"a": "x", "b": "y", "c": "z"})[
    "macro_f1"
]


def scored(score, rows) -> Scores:
    """Return the scores of items with these statistics."""
    return Scores({score.name: score.with_statistics(rows)}, len(rows))


def first_pair(systems, run, **options):
    """Return the comparison of the first two systems."""
    metric = next(iter(mf.compare(systems, **{"resamples": DRAWS, "seed": run, "threads": 1, **options}).values()))
    return next(iter(metric.values()))


# Two systems that do not differ, by kind of metric and so by test


def real_numbers(random):
    """Draw skewed numbers, of which those of one item are correlated."""
    item = random.exponential(size=60)
    return {name: item + random.exponential(size=60) for name in "ab"}


def hits(random):
    """Draw hits: easy items are easy for both systems. With fewer items, the exact p-values have larger steps."""
    rate = random.random(4000)
    return {name: (random.random(4000) < rate).astype(int) for name in "ab"}


def mean_recall(random):
    """Draw ranks, which determine the recall at 1, 5 and 10."""
    ranks = random.integers(1, 16, size=(2, 200)) + random.integers(0, 4, size=200)
    return {name: scored(MEAN_RECALL, row[:, None] <= [1, 5, 10]) for name, row in zip("ab", ranks, strict=True)}


def bleu(random, items=100, systems=2):
    """Draw captions: each system has that of either of two systems for an item."""
    drawn = random.integers(64, size=items)
    return {f"s{k}": scored(BLEU, BLEU_ROWS[random.integers(2, size=items), drawn]) for k in range(systems)}


def macro_f1(random, items=60):
    """Draw labels, about half of them right."""
    truth = random.integers(3, size=items)
    labels = np.where(random.random((2, items)) < 0.4, truth, random.integers(3, size=(2, items)))
    return {name: scored(MACRO_F1, np.stack([truth, row], axis=1)) for name, row in zip("ab", labels, strict=True)}


def influence(random):
    """Draw the influence of 300 generated images by each system and of 200 real images that they share."""
    images, real = random.exponential(size=(2, 300)), random.normal(size=200)
    return {name: of_influence(row, real) for name, row in zip("ab", images, strict=True)}


def of_influence(generated, real):
    """Return a score that is the sum of the means of two samples."""
    centered = generated - generated.mean(), real - real.mean()
    return set_score("fid", "fid", generated.mean() + real.mean(), influence=centered)


@pytest.mark.parametrize(
    ("draw", "test", "exact"),
    [
        (real_numbers, "sign_flip", False),
        (hits, "sign_flip", True),
        (mean_recall, "sign_flip", True),
        (bleu, "swap", False),
        (macro_f1, "swap", False),
        (influence, "normal", False),
    ],
)
def test_default_tests_reject_five_percent_of_nulls(draw, test, exact):
    random = np.random.default_rng(2)
    pairs = [first_pair(draw(random), run) for run in range(RUNS)]
    assert {(pair.test, pair.exact) for pair in pairs} == {(test, exact)}
    assert 0.04 <= np.mean([pair.p <= 0.05 for pair in pairs]) <= 0.06


def in_clusters(random):
    """Draw numbers of 120 items in 40 clusters of 1 to 5, with two thirds of the variance between clusters."""
    codes = np.sort(random.integers(40, size=120))
    return codes, {name: (random.normal(size=40)[codes] * 1.4 + random.normal(size=120)) for name in "ab"}


def test_tests_of_clusters_reject_five_percent_of_nulls():
    random = np.random.default_rng(1)
    together, alone = [], []
    for run in range(RUNS):
        codes, systems = in_clusters(random)
        together.append(first_pair(systems, run, clusters=codes.tolist()).p)
        if run < 300:
            alone.append(first_pair(systems, run).p)
    assert 0.04 <= np.mean(np.array(together) <= 0.05) <= 0.06
    # What clusters are for.
    assert np.mean(np.array(alone) <= 0.05) > 0.15


# Few items differ: the exact tests never reject too often


def all_patterns(differing):
    """Return all ways to exchange the items that differ, bool of shape ``(2**differing, differing)``."""
    return np.array(list(itertools.product([False, True], repeat=differing)))


@pytest.mark.parametrize("differing", [2, 4, 5, 6, 8])
def test_where_few_numbers_differ_at_most_the_level_is_rejected(differing):
    random = np.random.default_rng(differing)
    for values in (random.normal(size=(2, 40)), random.integers(0, 2, size=(2, 40))):
        first, second = values
        second[differing:] = first[differing:]
        second[:differing] = first[:differing] + (1 if values.dtype.kind == "i" else 0.1 + random.random(differing))
        p = []
        for exchanged in all_patterns(differing):
            swapped = np.pad(exchanged, (0, 40 - differing))
            systems = {"a": np.where(swapped, second, first), "b": np.where(swapped, first, second)}
            p.append(first_pair(systems, 1, resamples=40))
        assert all(pair.exact and pair.differing_items == differing for pair in p)
        for level in (0.01, 0.05, 0.1):
            assert np.mean([pair.p <= level for pair in p]) <= level


@pytest.mark.parametrize("differing", [2, 4, 5, 6, 8])
def test_where_few_captions_differ_at_most_the_level_is_rejected(differing):
    p = []
    for exchanged in all_patterns(differing):
        swapped = np.pad(exchanged, (0, 40 - differing)).astype(int)
        others = np.pad(1 - exchanged, (0, 40 - differing)).astype(int)
        items = np.arange(40)
        systems = {"a": scored(BLEU, BLEU_ROWS[swapped, items]), "b": scored(BLEU, BLEU_ROWS[others, items])}
        p.append(first_pair(systems, 1, resamples=40))
    assert all(pair.exact for pair in p)
    for level in (0.01, 0.05, 0.1):
        assert np.mean([pair.p <= level for pair in p]) <= level


@pytest.mark.parametrize("differing", [3, 6, 10])
def test_where_few_items_differ_no_rank_is_excluded_too_often(differing):
    """Six checkpoints of a system, each with other answers to a few of 200 items."""

    def checkpoints(random):
        base = random.integers(0, 2, size=200)
        systems = {f"s{k}": base.copy() for k in range(6)}
        for values in systems.values():
            changed = random.choice(200, differing, replace=False)
            values[changed] = random.integers(0, 2, size=differing)
        return systems

    assert ranges_that_hold(checkpoints, np.zeros(6), runs=400) >= 0.95


# Rank ranges: systems whose true ranks are known


def ranges_that_hold(draw, truth, runs=1000, **options) -> float:
    """Return how often all rank ranges contain the true ranks at once.

    Args:
        draw: Returns systems, and clusters if ``options`` ask for them.
        truth: The true score of each system. Equal systems may have any rank of those that they share.
        runs: Number of sets of items.
        options: Options of the comparison.

    Returns:
        The fraction of the runs.

    """
    random = np.random.default_rng(5)
    best = np.array([1 + np.count_nonzero(np.array(truth) > value) for value in truth])
    worst = np.array([np.count_nonzero(np.array(truth) >= value) for value in truth])
    held = 0
    for run in range(runs):
        systems = draw(random)
        clusters, systems = systems if isinstance(systems, tuple) else (None, systems)
        c = mf.compare(systems, clusters=clusters, seed=run, threads=1, **{"resamples": 399, **options})
        low, high = np.array([(ranks.low, ranks.high) for ranks in next(iter(c.values())).ranks.values()]).T
        held += bool((low <= best).all() and (high >= worst).all())
    return held / runs


def gapped_numbers(gaps):
    """Return a function that draws scores of 500 items by five systems, which correlate by 0.5."""

    def draw(random):
        values = random.normal(size=(5, 500)) + random.normal(size=500) - gaps * np.arange(5)[:, None] / np.sqrt(250)
        return dict(zip("abcde", values, strict=True))

    return draw


@pytest.mark.parametrize("gaps", [0.0, 0.2, 1.0, 3.0])
def test_rank_ranges_of_numbers_contain_all_true_ranks(gaps):
    assert ranges_that_hold(gapped_numbers(gaps), -gaps * np.arange(5)) >= 0.94


def test_rank_ranges_of_hits_contain_all_true_ranks():
    def draw(random):
        rate = random.random(500)
        return dict(zip("abcde", (random.random((5, 500)) < rate).astype(int), strict=True))

    assert ranges_that_hold(draw, np.zeros(5)) >= 0.94


def test_rank_ranges_of_captions_contain_all_true_ranks():
    assert ranges_that_hold(lambda random: bleu(random, 400, 5), np.zeros(5), runs=400) >= 0.94


def few_numbers(random):
    """Draw skewed scores of 24 items by six systems: just too many for exact tests, which take longer."""
    return dict(zip("abcdef", random.lognormal(size=(6, 24)) + random.lognormal(size=24), strict=True))


# test_step_down.py has other numbers of items and systems.
@pytest.mark.parametrize("draw", [few_numbers, lambda random: bleu(random, 50, 6)], ids=["numbers", "bleu"])
def test_rank_ranges_of_few_items_contain_all_true_ranks(draw):
    assert ranges_that_hold(draw, np.zeros(6), runs=600) >= 0.94


def test_rank_ranges_of_clusters_contain_all_true_ranks():
    def draw(random):
        codes = np.sort(random.integers(500, size=1000))
        values = random.normal(size=(4, 500))[:, codes] + random.normal(size=(4, 1000))
        return codes.tolist(), dict(zip("abcd", values, strict=True))

    assert ranges_that_hold(draw, np.zeros(4)) >= 0.94


def test_rank_ranges_of_influence_contain_all_true_ranks():
    def draw(random):
        images, real = random.exponential(size=(5, 300)), random.normal(size=200)
        return {f"s{k}": of_influence(row, real) for k, row in enumerate(images)}

    assert ranges_that_hold(draw, np.zeros(5)) >= 0.94


@pytest.mark.parametrize("options", [{"baseline": "c"}, {"correction": "holm"}, {"alternative": "greater"}])
def test_rank_ranges_hold_with_other_options(options):
    assert ranges_that_hold(gapped_numbers(0.0), np.zeros(5), **options) >= 0.94


# Intervals: true scores and differences are known


def coverage(draw, truth, difference=0.0, **options) -> tuple[float, float]:
    """Return how often intervals of a score and of the difference of two systems contain the truth."""
    random = np.random.default_rng(3)
    found = []
    for run in range(RUNS // 2):
        systems = draw(random)
        clusters, systems = systems if isinstance(systems, tuple) else (None, systems)
        c = mf.compare(systems, clusters=clusters, seed=run, threads=1, resamples=399, **options)
        metric = next(iter(c.values()))
        low, high = next(iter(metric.intervals.values()))
        pair_low, pair_high = next(iter(metric.values())).interval
        found.append((low <= truth <= high, pair_low <= difference <= pair_high))
    score, pair = np.mean(found, axis=0).tolist()
    return score, pair


def shifted(random):
    """Draw numbers of 200 items whose means are 2 and 1.8."""
    item = random.exponential(size=200)
    return {"a": item + random.exponential(size=200), "b": item + 0.8 * random.exponential(size=200)}


def rated_hits(random):
    """Draw hits of 200 items with the rates 0.5 and 0.4."""
    ease = random.random(200)
    return {"a": (random.random(200) < ease).astype(int), "b": (random.random(200) < 0.8 * ease).astype(int)}


def clustered_numbers(random):
    """Draw numbers of 300 items in about 95 clusters; the means are 0 and -1."""
    codes = np.sort(random.integers(100, size=300))
    values = random.normal(size=(2, 100))[:, codes] + random.normal(size=(2, 300))
    return codes.tolist(), {"a": values[0], "b": values[1] - 1}


EXPECTED_BLEU = BLEU.with_statistics(BLEU_ROWS.reshape(-1, BLEU_ROWS.shape[2])).value


@pytest.mark.parametrize(
    ("draw", "truth", "difference"),
    [
        (shifted, 2.0, 0.2),
        (rated_hits, 0.5, 0.1),
        (clustered_numbers, 0.0, 1.0),
        (lambda random: bleu(random, 200), EXPECTED_BLEU, 0.0),
        (influence, 1.0, 0.0),
    ],
    ids=["numbers", "hits", "clusters", "bleu", "influence"],
)
def test_intervals_contain_the_truth(draw, truth, difference):
    score, pair = coverage(draw, truth, difference)
    assert 0.925 <= score <= 0.97
    assert 0.925 <= pair <= 0.97
