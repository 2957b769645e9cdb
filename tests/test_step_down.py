"""Step-down tests and rank ranges: the recorded case, the plain definition, laws, and simulated systems."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import muge_fast as mf
from data import samples
from muge_fast.significance.step_down import all_pairs, pairs_with_baseline, rank_ranges, step_down
from muge_fast.significance.stream import pcg64

RECORDED = json.loads((Path(__file__).parent / "golden" / "sacrebleu_paired_numpy_2.json").read_text())


def mean_scores(items: np.ndarray, resamples: int = 2000, seed: int = 12345) -> np.ndarray:
    """Return the mean of resampled items, of shape (items, systems)."""
    return pcg64(seed).resample_sums(np.ascontiguousarray(items), resamples) / len(items)


def step_down_of_means(items: np.ndarray, **options):
    pairs = all_pairs(items.shape[1])
    return step_down(mean_scores(items), items.mean(axis=0), pairs, items=len(items), **options)


def plain_step_down(scores, observed, pairs, level):
    """Take the definition literally: maxima over the pairs that are left, again for each pair and each step."""
    first, second = pairs.T
    differences, observed = scores[:, first] - scores[:, second], observed[first] - observed[second]
    errors = differences.std(axis=0, ddof=1)
    statistics, resampled = observed / errors, (differences - observed) / errors
    p = np.zeros(len(pairs))
    for rank, pair in enumerate(order := np.argsort(-statistics)):
        maxima = resampled[:, order[rank:]].max(axis=1)
        counted = (1 + np.count_nonzero(maxima >= statistics[pair] - 1e-12)) / (1 + len(scores))
        p[pair] = max(counted, p[order[rank - 1]] if rank else 0)
    critical, left = [], np.ones(len(pairs), dtype=bool)
    while left.any():
        critical.append(np.quantile(resampled[:, left].max(axis=1), level))
        rejected = left & (statistics > critical[-1])
        if not rejected.any():
            break
        left &= ~rejected
    return p, errors, critical


# The recorded case


@cache
def bleu_scores() -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return names, BLEU of 10,000 resamples of the sample captions, and BLEU of all of them."""
    references = [row["text"] for row in samples("IC_sample.jsonl")]
    texts = {n[0]: [row["text"] for row in samples(f"IC_sample.pred.{n}.jsonl")] for n in ("base", "large", "template")}
    patterns = {name: letters for name, letters in RECORDED["systems"]["all"].items() if name != "same"}
    scores = [
        mf.score_captions(
            [texts[letter][item] for item, letter in enumerate(letters)], references, tokenizer="zh", metrics=["bleu"]
        )["bleu"]
        for letters in patterns.values()
    ]
    draws = np.random.default_rng(12345).integers(0, 64, (10_000, 64))
    counts = np.stack([np.bincount(draw, minlength=64) for draw in draws])
    sums = [counts @ score.statistics.rows for score in scores]
    resampled = np.stack([np.array([bleu(row) for row in rows]) for rows in sums], axis=1)
    return list(patterns), resampled, np.array([bleu(score.statistics.rows.sum(axis=0)) for score in scores])


def bleu(row: np.ndarray) -> float:
    """Return BLEU in percent with exponential smoothing, from sums of lengths, matches and n-grams."""
    length, reference, matches, ngrams = row[0], row[1], row[2:6], row[6:10]
    halved, logs = 1.0, 0.0
    for matched, total in zip(matches, ngrams, strict=True):
        halved = halved if matched else halved * 2
        logs += np.log(100 * matched / total if matched else 100 / (halved * total))
    return float(np.exp(logs / 4) * (np.exp(1 - reference / length) if length < reference else 1))


def test_the_recorded_rank_ranges_are_reproduced():
    names, scores, observed = bleu_scores()
    test = step_down(scores, observed, all_pairs(5), items=64)
    assert test.critical_values == pytest.approx([2.5566443431587174, 2.4478882036766345], rel=1e-12)
    p = {f"{names[i]} > {names[j]}": value for (i, j), value in zip(test.pairs, test.p, strict=True)}
    assert {pair for pair, value in p.items() if value <= 0.05} == {
        "every16th > template8",
        "every16th > mixed",
        "base > template8",
    }
    assert p["every16th > template8"] == 338 / 10_001
    assert p["every16th > mixed"] == 383 / 10_001
    assert p["base > template8"] == 415 / 10_001
    ranks = rank_ranges(observed, test.pairs, test.significant)
    ranges = dict(zip(names, zip(ranks.low.tolist(), ranks.high.tolist(), strict=True), strict=True))
    assert ranges == {"every16th": (1, 3), "every32nd": (1, 5), "mixed": (2, 5), "base": (1, 4), "template8": (3, 5)}
    assert dict(zip(names, ranks.rank.tolist(), strict=True)) == {
        "every16th": 1,
        "every32nd": 2,
        "mixed": 3,
        "base": 4,
        "template8": 5,
    }
    assert [name for name, tied in zip(names, ranks.tied_with_first, strict=True) if tied] == [
        "base",
        "every32nd",
        "every16th",
    ]


# The definition


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("resamples", [65, 500, 2000])
def test_results_are_those_of_the_definition(level, resamples):
    random = np.random.default_rng(resamples)
    items = random.normal(size=(80, 6)) + random.normal(size=(80, 1)) + np.linspace(0, 0.8, 6)
    scores, observed = mean_scores(items, resamples), items.mean(axis=0)
    for pairs in (all_pairs(6), pairs_with_baseline(6, 2), pairs_with_baseline(6, 0, "greater")):
        test = step_down(scores, observed, pairs, items=80, level=level)
        p, errors, critical = plain_step_down(scores, observed, pairs, level)
        assert test.p.tolist() == p.tolist()
        assert test.errors == pytest.approx(errors, rel=1e-12)
        assert test.critical_values == pytest.approx(critical, rel=1e-12)
        assert (test.significant == (p <= 1 - level + 1e-12)).all()
        assert step_down(scores, observed, pairs, items=80, level=level, threads=1).p.tolist() == p.tolist()


def test_whole_numbers_count_ties():
    hits = np.random.default_rng(2).integers(0, 2, size=(30, 4)).astype(float)
    scores, observed, pairs = mean_scores(hits), hits.mean(axis=0), all_pairs(4)
    test = step_down(scores, observed, pairs, items=30)
    assert test.p.tolist() == plain_step_down(scores, observed, pairs, 0.95)[0].tolist()


def test_one_pair_has_the_shifted_p_value():
    names, scores, observed = bleu_scores()
    base, other = names.index("base"), names.index("every16th")
    test = step_down(scores, observed, np.array([[other, base]]), items=64)
    differences = scores[:, other] - scores[:, base]
    expected = np.count_nonzero(differences - (difference := observed[other] - observed[base]) >= difference)
    assert test.p[0] == (1 + expected) / 10_001


def test_a_hundred_systems_have_as_small_a_floor_as_two():
    random = np.random.default_rng(6)
    items = random.normal(size=(400, 100))
    items[:, 7] += 2
    test = step_down_of_means(items)
    assert (test.p[test.pairs[:, 0] == 7] == 1 / 2001).all()
    ranks = rank_ranges(items.mean(axis=0), test.pairs, test.significant)
    assert (ranks.low[7], ranks.high[7], ranks.tied_with_first.sum()) == (1, 1, 1)


# Identical and constant systems


def test_identical_systems_never_differ_significantly():
    items = np.random.default_rng(8).normal(size=(50, 3))
    items[:, 2] = items[:, 0]
    test = step_down_of_means(items)
    same = ((test.pairs == [0, 2]) | (test.pairs == [2, 0])).all(axis=1)
    assert (test.p[same] == 1).all()
    assert (test.errors[same] == 0).all()
    ranks = rank_ranges(items.mean(axis=0), test.pairs, test.significant)
    assert ranks.rank[0] == ranks.rank[2]
    rounded = items.copy()
    rounded[:, 2] = items[:, 0] * 3 / 3 + 1e-16
    assert (step_down_of_means(rounded).p[same] == 1).all()


def test_only_identical_systems_share_all_ranks():
    items = np.repeat(np.random.default_rng(8).normal(size=(50, 1)), 4, axis=1)
    test = step_down_of_means(items)
    ranks = rank_ranges(items.mean(axis=0), test.pairs, test.significant)
    assert (test.p.tolist(), test.critical_values) == ([1.0] * 12, ())
    assert (ranks.rank.tolist(), ranks.low.tolist(), ranks.high.tolist()) == ([1] * 4, [1] * 4, [4] * 4)


@pytest.mark.parametrize(("items", "p"), [(3, 2 * 2**-3), (8, 2 * 2**-8), (50, 1 / 2001)])
def test_equal_differences_of_all_items_have_the_p_value_of_their_signs(items, p):
    hits = np.stack([np.ones(items), np.zeros(items)], axis=1)
    assert step_down_of_means(hits).p.tolist() == [p, 1.0]


# Arguments


def test_wrong_arguments_are_errors():
    scores = np.zeros((10, 2))
    broken = scores.copy()
    broken[3, 1] = np.nan
    with pytest.raises(ValueError, match="row 3 is not finite"):
        step_down(broken, np.zeros(2), all_pairs(2), items=5)
    with pytest.raises(ValueError, match="observed: a score is not finite"):
        step_down(scores, np.array([0, np.inf]), all_pairs(2), items=5)
    with pytest.raises(ValueError, match="level"):
        step_down(scores, np.zeros(2), all_pairs(2), items=5, level=1.0)
    with pytest.raises(ValueError, match="pairs is 2"):
        step_down(scores, np.zeros(2), all_pairs(3), items=5)
    with pytest.raises(ValueError, match="scores is 1, needs 2"):
        step_down(scores[:1], np.zeros(2), all_pairs(2), items=5)


# Laws


@given(st.integers(0, 1000), st.permutations(range(5)))
def test_names_of_systems_do_not_matter(seed, order):
    items = np.random.default_rng(seed).integers(0, 3, size=(30, 5)).astype(float)
    scores, observed = mean_scores(items, 200), items.mean(axis=0)
    test = step_down(scores, observed, all_pairs(5), items=30)
    other = step_down(scores[:, order], observed[list(order)], all_pairs(5), items=30)
    expected = {(i, j): p for (i, j), p in zip(test.pairs.tolist(), test.p, strict=True)}
    assert [expected[order[i], order[j]] for i, j in other.pairs.tolist()] == other.p.tolist()
    assert (
        rank_ranges(observed[list(order)], other.pairs, other.significant).low
        == rank_ranges(observed, test.pairs, test.significant).low[list(order)]
    ).all()


@given(st.integers(0, 1000), st.sampled_from([1e-9, 1 / 3, 100.0, 2.0**40]), st.sampled_from([0.0, 5.0]))
def test_scale_and_shift_do_not_matter(seed, scale, shift):
    items = np.random.default_rng(seed).normal(size=(30, 4))
    scores, observed = mean_scores(items, 200), items.mean(axis=0)
    test = step_down(scores, observed, all_pairs(4), items=30)
    other = step_down((scores + shift) * scale, (observed + shift) * scale, all_pairs(4), items=30)
    assert other.p.tolist() == test.p.tolist()


# Coverage: systems whose true ranks are known


def ranges_that_hold(gaps: float, runs: int = 400, systems: int = 10, items: int = 200) -> float:
    """Return how often all rank ranges contain the true ranks at once.

    The scores of two systems correlate by 0.5. Gaps between true means are in standard errors of a mean. Equal systems
    may have any rank of those that they share.
    """
    random = np.random.default_rng(12345)
    truth = -gaps * np.arange(systems) / np.sqrt(items)
    worst = [1 + int((truth > value).sum()) for value in truth], [int((truth >= value).sum()) for value in truth]
    held = 0
    for run in range(runs):
        values = random.normal(size=(items, systems)) + random.normal(size=(items, 1)) + np.sqrt(2) * truth
        observed = values.mean(axis=0)
        test = step_down(mean_scores(values, 1000, run), observed, all_pairs(systems), items=items)
        ranks = rank_ranges(observed, test.pairs, test.significant)
        # A tie allows the ranks from worst[0] to worst[1], and a range must contain all of them.
        held += bool((ranks.low <= worst[0]).all() and (ranks.high >= worst[1]).all())
    return held / runs


@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_rank_ranges_contain_all_true_ranks(gaps):
    assert ranges_that_hold(gaps) >= 0.94
