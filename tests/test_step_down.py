"""Step-down tests and rank ranges: the plain definition, laws, and simulated systems."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muge_fast.significance.step_down import all_pairs, pairs_with_baseline, rank_ranges, step_down
from muge_fast.significance.stream import pcg64


def signed_sums(items: np.ndarray, draws: int = 2000, seed: int = 12345) -> np.ndarray:
    """Return the sums of items, of shape (items, systems), with random signs that all systems share."""
    return 2 * pcg64(seed).swap_sums(np.ascontiguousarray(items), draws) - items.sum(axis=0)


def step_down_of_sums(items: np.ndarray, **options):
    return step_down(signed_sums(items), items.sum(axis=0), all_pairs(items.shape[1]), **options)


def plain_step_down(scores, observed, pairs, level):
    """Take the definition literally: maxima over the pairs that are left, again for each pair and each step."""
    first, second = pairs.T
    differences, observed = scores[:, first] - scores[:, second], observed[first] - observed[second]
    errors = np.sqrt(((differences**2).sum(axis=0) + observed**2) / (1 + len(scores)))
    statistics, drawn = observed / errors, differences / errors
    p = np.zeros(len(pairs))
    for rank, pair in enumerate(order := np.argsort(-statistics)):
        maxima = drawn[:, order[rank:]].max(axis=1)
        counted = (1 + np.count_nonzero(maxima >= statistics[pair] - 1e-12)) / (1 + len(scores))
        p[pair] = max(counted, p[order[rank - 1]] if rank else 0)
    critical, left = [], np.ones(len(pairs), dtype=bool)
    while left.any():
        critical.append(np.quantile(drawn[:, left].max(axis=1), level))
        rejected = left & (statistics > critical[-1])
        if not rejected.any():
            break
        left &= ~rejected
    return p, errors, critical


# The definition


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("draws", [65, 500, 2000])
def test_results_are_those_of_the_definition(level, draws):
    random = np.random.default_rng(draws)
    items = random.normal(size=(80, 6)) + random.normal(size=(80, 1)) + np.linspace(0, 0.8, 6)
    scores, observed = signed_sums(items, draws), items.sum(axis=0)
    for pairs in (all_pairs(6), pairs_with_baseline(6, 2), pairs_with_baseline(6, 0, "greater")):
        test = step_down(scores, observed, pairs, level=level)
        p, errors, critical = plain_step_down(scores, observed, pairs, level)
        assert test.p.tolist() == p.tolist()
        assert test.errors == pytest.approx(errors, rel=1e-12)
        assert test.critical_values == pytest.approx(critical, rel=1e-12)
        assert (test.significant == (p <= 1 - level + 1e-12)).all()
        assert step_down(scores, observed, pairs, level=level, threads=1).p.tolist() == p.tolist()


def test_whole_numbers_count_ties():
    hits = np.random.default_rng(2).integers(0, 2, size=(30, 4)).astype(float)
    scores, observed, pairs = signed_sums(hits), hits.sum(axis=0), all_pairs(4)
    test = step_down(scores, observed, pairs)
    assert test.p.tolist() == plain_step_down(scores, observed, pairs, 0.95)[0].tolist()


def test_one_pair_has_the_p_value_of_sign_flips():
    items = np.random.default_rng(3).normal([0.2, 0], size=(100, 2))
    signs = np.where(np.random.default_rng(12345).integers(2, size=(2000, 100), dtype=bool), 1, -1)
    difference = items[:, 0] - items[:, 1]
    test = step_down(signed_sums(items), items.sum(axis=0), np.array([[0, 1]]))
    assert test.p[0] == (1 + np.count_nonzero(signs @ difference >= difference.sum())) / 2001


def test_a_hundred_systems_have_as_small_a_floor_as_two():
    random = np.random.default_rng(6)
    items = random.normal(size=(400, 100))
    items[:, 7] += 2
    test = step_down_of_sums(items)
    assert (test.p[test.pairs[:, 0] == 7] == 1 / 2001).all()
    ranks = rank_ranges(items.mean(axis=0), test.pairs, test.significant)
    assert (ranks.low[7], ranks.high[7], ranks.tied_with_first.sum()) == (1, 1, 1)


# Identical and constant systems


def test_identical_systems_never_differ_significantly():
    items = np.random.default_rng(8).normal(size=(50, 3))
    items[:, 2] = items[:, 0]
    test = step_down_of_sums(items)
    same = ((test.pairs == [0, 2]) | (test.pairs == [2, 0])).all(axis=1)
    assert (test.p[same] == 1).all()
    assert (test.errors[same] == 0).all()
    ranks = rank_ranges(items.mean(axis=0), test.pairs, test.significant)
    assert ranks.rank[0] == ranks.rank[2]
    rounded = items.copy()
    rounded[:, 2] = items[:, 0] * 3 / 3 + 1e-16
    assert (step_down_of_sums(rounded).p[same] == 1).all()


def test_only_identical_systems_share_all_ranks():
    items = np.repeat(np.random.default_rng(8).normal(size=(50, 1)), 4, axis=1)
    test = step_down_of_sums(items)
    ranks = rank_ranges(items.mean(axis=0), test.pairs, test.significant)
    assert (test.p.tolist(), test.critical_values) == ([1.0] * 12, ())
    assert (ranks.rank.tolist(), ranks.low.tolist(), ranks.high.tolist()) == ([1] * 4, [1] * 4, [4] * 4)


@pytest.mark.parametrize(("items", "p"), [(3, 2 * 2**-3), (8, 2 * 2**-8), (50, 1 / 2001)])
def test_equal_differences_of_all_items_have_the_p_value_of_their_signs(items, p):
    hits = np.stack([np.ones(items), np.zeros(items)], axis=1)
    better, worse = step_down_of_sums(hits).p.tolist()
    # Four standard errors of 2000 draws.
    assert better == pytest.approx(p, abs=4 * np.sqrt(p / 2000) if items < 50 else 0)
    assert worse == 1.0


# Arguments


def test_wrong_arguments_are_errors():
    scores = np.zeros((10, 2))
    broken = scores.copy()
    broken[3, 1] = np.nan
    with pytest.raises(ValueError, match="row 3 is not finite"):
        step_down(broken, np.zeros(2), all_pairs(2))
    with pytest.raises(ValueError, match="observed: a score is not finite"):
        step_down(scores, np.array([0, np.inf]), all_pairs(2))
    with pytest.raises(ValueError, match="level"):
        step_down(scores, np.zeros(2), all_pairs(2), level=1.0)
    with pytest.raises(ValueError, match="pairs is 2"):
        step_down(scores, np.zeros(2), all_pairs(3))
    with pytest.raises(ValueError, match="scores is 1, needs 2"):
        step_down(scores[:1], np.zeros(2), all_pairs(2))


# Laws


@given(st.integers(0, 1000), st.permutations(range(5)))
def test_names_of_systems_do_not_matter(seed, order):
    items = np.random.default_rng(seed).integers(0, 3, size=(30, 5)).astype(float)
    scores, observed = signed_sums(items, 200), items.sum(axis=0)
    test = step_down(scores, observed, all_pairs(5))
    other = step_down(scores[:, order], observed[list(order)], all_pairs(5))
    expected = {(i, j): p for (i, j), p in zip(test.pairs.tolist(), test.p, strict=True)}
    assert [expected[order[i], order[j]] for i, j in other.pairs.tolist()] == other.p.tolist()
    assert (
        rank_ranges(observed[list(order)], other.pairs, other.significant).low
        == rank_ranges(observed, test.pairs, test.significant).low[list(order)]
    ).all()


@given(st.integers(0, 1000), st.sampled_from([1e-9, 1 / 3, 100.0, 2.0**40]), st.sampled_from([0.0, 5.0]))
def test_scale_and_shift_do_not_matter(seed, scale, shift):
    items = np.random.default_rng(seed).normal(size=(30, 4))
    scores, observed = signed_sums(items, 200), items.sum(axis=0)
    test = step_down(scores, observed, all_pairs(4))
    other = step_down((scores + shift) * scale, (observed + shift) * scale, all_pairs(4))
    assert other.p.tolist() == test.p.tolist()


# Coverage: systems whose true ranks are known


def normal(random, items, systems):
    """Draw normal scores that correlate by 0.5."""
    return random.normal(size=(items, systems)) + random.normal(size=(items, 1))


def skewed(random, items, systems):
    """Draw scores with a long tail."""
    return random.lognormal(size=(items, systems)) + random.lognormal(size=(items, 1))


def rare_hits(random, items, systems):
    """Draw hits of about 5 % of the items, most of them of a few easy items."""
    return (random.random((items, systems)) < random.beta(0.3, 5.7, size=(items, 1))).astype(float)


def ties(random, items, systems):
    """Draw scores from 0 to 3 that are equal for four of five items."""
    others = random.integers(0, 4, size=(items, systems))
    return np.where(random.random((items, systems)) < 0.2, others, random.integers(0, 4, size=(items, 1))) + 0.0


def ranges_that_hold(draw, items: int, systems: int, gaps: float = 0.0, runs: int = 1000) -> float:
    """Return how often all rank ranges contain the true ranks at once.

    Gaps between true means are in standard errors of a mean. Equal systems may have any rank of those that they share.
    """
    random = np.random.default_rng(12345)
    truth = -gaps * np.arange(systems) / np.sqrt(items)
    worst = [1 + int((truth > value).sum()) for value in truth], [int((truth >= value).sum()) for value in truth]
    held = 0
    for run in range(runs):
        values = draw(random, items, systems) + np.sqrt(2) * truth
        test = step_down(signed_sums(values, 499, run), values.sum(axis=0), all_pairs(systems), threads=1)
        ranks = rank_ranges(values.mean(axis=0), test.pairs, test.significant)
        # A tie allows the ranks from worst[0] to worst[1], and a range must contain all of them.
        held += bool((ranks.low <= worst[0]).all() and (ranks.high >= worst[1]).all())
    return held / runs


# A rate of 95 % over 1000 runs has a standard error of 0.7 %.
@pytest.mark.parametrize("systems", [2, 5, 20])
@pytest.mark.parametrize("items", [20, 60, 200])
@pytest.mark.parametrize("draw", [normal, skewed, rare_hits, ties])
def test_rank_ranges_contain_all_true_ranks_of_equal_systems(draw, items, systems):
    assert ranges_that_hold(draw, items, systems) >= 0.937


@pytest.mark.parametrize("items", [30, 200])
@pytest.mark.parametrize("gaps", [0.2, 2.0])
def test_rank_ranges_contain_all_true_ranks_of_systems_with_gaps(gaps, items):
    assert ranges_that_hold(normal, items, 10, gaps, runs=500) >= 0.94


def test_ranges_are_as_narrow_as_two_systems_allow():
    """Two normal systems: the rejections are those of Student's t test, which is exact and the best there is."""
    random, rejected = np.random.default_rng(1), []
    for run in range(1000):
        values = random.normal([0.8, 0], size=(20, 2))
        difference = values[:, 0] - values[:, 1]
        p = step_down(signed_sums(values, 499, run), values.sum(axis=0), all_pairs(2), threads=1).p.min()
        t = difference.mean() / difference.std(ddof=1) * np.sqrt(20)
        # The quantile of 19 degrees of freedom (SciPy 1.17.1).
        rejected.append((p <= 0.05, abs(t) > 2.093024054408263))
    found, best = np.mean(rejected, axis=0)
    assert abs(found - best) < 0.02
