"""Sign-flip tests: exact p-values against Python's integers, brute force and SciPy; drawn ones; their error rate."""

import json
import math
from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, permutation_test

import muge_fast as mf
from data import samples
from muge_fast import _core
from muge_fast.significance.multiples import whole_multiples

ALTERNATIVES = ["two-sided", "greater", "less"]

# Twelve items in eighths, with the p-values of scipy.stats.permutation_test of SciPy 1.17.1.
EIGHTHS = np.array([[3, 5, 2, 7, 4, 6, 1, 8, 5, 3, 6, 4], [2, 5, 1, 6, 5, 4, 1, 6, 3, 3, 4, 3]]) / 8


def exact_p(differences, alternative: str = "two-sided", *, mid_p: bool = False) -> Fraction:
    """Count patterns of signs with Python's integers: the coefficients of polynomials, as digits of a large number."""
    sizes = Counter(abs(int(d)) for d in differences if d)
    items, total = sizes.total(), sum(size * count for size, count in sizes.items())
    width = items + 1
    coefficients = math.prod((1 + (1 << width * size)) ** count for size, count in sizes.items())
    observed = int(sum(differences))
    halves = 0
    for negative in range(total + 1):
        patterns = (coefficients >> width * negative) & ((1 << width) - 1)
        distance = extremeness(total - 2 * negative, alternative) - extremeness(observed, alternative)
        halves += patterns * (2 if distance > 0 else 0 if distance < 0 else 1 if mid_p else 2)
    return Fraction(halves, 2 ** (items + 1))


def extremeness(value: float, alternative: str) -> float:
    return {"two-sided": abs(value), "greater": value, "less": -value}[alternative]


def relative_error(p: float, expected: Fraction) -> float:
    return abs(float((Fraction(p) - expected) / expected))


# Exact tests by convolution


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("mid_p", [False, True])
def test_whole_differences_have_the_exact_p_value(alternative, mid_p):
    random = np.random.default_rng(12345)
    for largest in (1, 2, 3, 8):
        for positive in (0.5, 0.7, 0.95, 1.0):
            sizes = random.integers(0, largest + 1, size=150)
            differences = np.where(random.random(150) < positive, sizes, -sizes)
            p = _core.sign_flip_exact(differences, alternative, mid_p)
            assert relative_error(p, exact_p(differences, alternative, mid_p=mid_p)) < 1e-13


@pytest.mark.parametrize(("up", "down"), [(1000, 3), (1060, 40), (700, 100), (996, 0)])
def test_tails_are_exact_down_to_the_smallest_floats(up, down):
    differences = np.repeat([3, -2, 1], [up, down, 5])
    p = _core.sign_flip_exact(differences, "two-sided")
    assert p < 1e-90
    assert relative_error(p, exact_p(differences)) < 1e-13


def test_a_p_value_below_the_normal_floats_is_the_smallest_of_them():
    assert mf.sign_flip_test(np.ones(5000)).p == np.finfo(np.float64).tiny
    assert mf.sign_flip_test(np.ones(5000), alternative="less").p == 1


@given(
    st.lists(st.integers(-9, 9), min_size=2, max_size=16),
    st.sampled_from(ALTERNATIVES),
    st.sampled_from([1, 2, 3, 7, 8, 16, 100]),
)
def test_exact_p_values_are_those_of_all_patterns(differences, alternative, denominator):
    test = mf.sign_flip_test(np.array(differences) / denominator, alternative=alternative)
    nonzero = [d for d in differences if d]
    sums = [sum(map(int.__mul__, signs, nonzero)) for signs in product([-1, 1], repeat=len(nonzero))]
    least = extremeness(sum(differences), alternative)
    assert test.p == sum(extremeness(value, alternative) >= least for value in sums) / len(sums)
    assert test.exact
    assert test.differing_items == len(nonzero)


@pytest.mark.parametrize(("up", "down"), [(14, 5), (5, 14), (3, 3), (1, 0), (130, 90), (5000, 4900), (0, 12)])
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_hits_have_the_p_value_of_a_binomial_test(up, down, alternative):
    a, b = np.repeat([1, 0, 1, 0], [up, down, 7, 9]), np.repeat([0, 1, 1, 0], [up, down, 7, 9])
    expected = binomtest(up, up + down, alternative=alternative).pvalue
    assert mf.sign_flip_test(a, b, alternative=alternative).p == pytest.approx(expected, rel=1e-12)


def test_mid_p_counts_ties_half():
    hits = np.repeat([1, -1], [14, 5])
    assert mf.sign_flip_test(hits).p == 0.063568115234375
    assert mf.sign_flip_test(hits, mid_p=True).p == pytest.approx(0.04138946533203125, rel=1e-15)
    # All patterns: the same data with differences that are multiples of nothing simple.
    assert mf.sign_flip_test(hits * math.pi, mid_p=True).p == pytest.approx(0.04138946533203125, rel=1e-15)


def test_large_sizes_take_another_way_than_convolution():
    random = np.random.default_rng(1)
    many = random.integers(-(10**9), 10**9, size=1000)
    assert _core.sign_flip_exact(many, "two-sided") is None
    assert _core.sign_flip_exact(np.array([2**62, 2**62 - 1, -(2**62), -(2**63)]), "two-sided") is None
    assert mf.sign_flip_test(many).method == "draws"
    few = mf.sign_flip_test([5_000_000_011, -3_000_000_007, -2_500_000_007, 7_919], alternative="greater")
    assert (few.p, few.method) == (9 / 16, "patterns")


# Recorded values


def test_eighths_have_the_recorded_p_values():
    test = mf.sign_flip_test(*EIGHTHS)
    assert (test.difference, test.p, test.exact) == (11 / 96, 96 / 4096, True)
    assert mf.sign_flip_test(*EIGHTHS, alternative="greater").p == 0.01171875


def item_ids(name: str) -> dict[int, list[int]]:
    rows = samples(name, "retrieval")
    return {row["query_id"]: row["item_ids"] for row in rows}


@pytest.mark.parametrize(
    ("first", "second", "metric", "p"),
    [
        ("base", "large", "recall@1", 0.0783538818359375),
        ("base", "large", "recall@5", 0.0014896392822265625),
        ("base", "large", "mean_recall", 0.0026778876781463623),
        ("template", "large", "mean_recall", 0.00018204818479716778),
        ("template", "base", "recall@10", 0.2890625),
        ("template", "base", "mean_recall", 0.10455322265625),
    ],
)
def test_sample_rankings_have_the_recorded_p_values(first, second, metric, p):
    gold = item_ids("MR_sample_queries.jsonl")
    scores = [mf.score_retrieval(item_ids(f"MR_sample.pred.{name}.jsonl"), gold) for name in (first, second)]
    test = mf.sign_flip_test(*(score[metric].per_item for score in scores))
    assert test.p == pytest.approx(p, rel=1e-14)
    assert test.exact


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_all_patterns_have_the_p_value_of_scipy(alternative):
    random = np.random.default_rng(7)
    a, b = random.random((2, 12))
    b[:3] = a[:3]
    test = mf.sign_flip_test(a, b, alternative=alternative)
    # SciPy's own alternative "two-sided" doubles the smaller tail, which is equal.
    expected = permutation_test(
        (a, b), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=2**12, alternative=alternative
    )
    assert test.p == pytest.approx(expected.pvalue, rel=1e-12)
    assert (test.method, test.differing_items) == ("patterns", 9)


# Drawn tests


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_drawn_patterns_are_the_bits_of_numpy(alternative):
    random = np.random.default_rng(3)
    a, b = random.normal(0.2, 1, 100), random.normal(0, 1, 100)
    test = mf.sign_flip_test(a, b, alternative=alternative, resamples=999, seed=7)
    selected = np.random.default_rng(7).integers(2, size=(999, 100), dtype=bool)
    sums = np.where(selected, a - b, b - a).sum(axis=1)
    least = extremeness((a - b).sum(), alternative)
    assert test.p == (1 + sum(extremeness(value, alternative) >= least for value in sums)) / 1000
    assert (test.exact, test.resamples, test.seed) == (False, 999, 7)
    assert mf.sign_flip_test(a, b, alternative=alternative, resamples=999, seed=7, threads=1) == test


def test_drawn_and_exact_p_values_agree():
    a = np.random.default_rng(4).integers(-8, 10, 200)
    drawn, exact = mf.sign_flip_test(a * math.pi, resamples=200_000), mf.sign_flip_test(a)
    assert (drawn.exact, exact.exact) == (False, True)
    assert drawn.p == pytest.approx(exact.p, abs=5 * math.sqrt(exact.p / 200_000))
    half = mf.sign_flip_test(a * math.pi, resamples=200_000, mid_p=True)
    assert half.p < drawn.p


# Ties, clusters and identical systems


def test_identical_systems_have_p_one():
    for scores in ([0.1, 0.25, 0.7], [1, 0, 1], np.random.default_rng(0).random(100)):
        for options in ({}, {"mid_p": True}, {"alternative": "greater"}):
            test = mf.sign_flip_test(scores, list(scores), **options)
            assert (test.difference, test.p, test.exact, test.differing_items) == (0, 1, True, 0)


def test_systems_that_are_equal_but_for_rounding_have_p_one():
    a = np.full(30, 0.1) + 0.2
    assert (a != 0.3).all()
    assert mf.sign_flip_test(a, np.full(30, 0.3)).p == 1


def test_sums_that_cancel_but_for_rounding_are_ties():
    # 0.1 + 0.2 - 0.3 is 5.6e-17, and not 0.
    scores = np.array([0.1, 0.2, -0.3]) * math.pi
    assert mf.sign_flip_test(scores).p == 1
    assert mf.sign_flip_test(np.repeat(scores, 10), resamples=999).p > 0.9


def test_float32_scores_in_thirds_are_exact():
    thirds = np.random.default_rng(5).integers(0, 4, size=(2, 200))
    a, b = (thirds / 3).astype(np.float32)
    test = mf.sign_flip_test(a, b)
    assert test == mf.sign_flip_test(*(thirds / 3))
    assert relative_error(test.p, exact_p(thirds[0] - thirds[1])) < 1e-13


def test_items_of_a_cluster_change_sign_together():
    a = np.array([1, 1, 1, 0, 1, 1, 0, 1])
    keys = ["x", "x", "y", "y", "z", "z", "w", "w"]
    test = mf.sign_flip_test(a, np.zeros(8), clusters=keys)
    assert test.p == exact_p([2, 1, 2, 1])
    assert (test.difference, test.items, test.clusters, test.differing_items) == (0.75, 8, 4, 4)
    real = mf.sign_flip_test(a * math.pi, clusters=keys)
    assert (real.p, real.method) == (test.p, "patterns")
    cancelling = np.tile([0.1, 0.2, -0.3], 20) * math.pi
    assert mf.sign_flip_test(cancelling, clusters=np.arange(60) // 3).differing_items == 0
    with pytest.raises(ValueError, match="in one cluster"):
        mf.sign_flip_test(a, clusters=["x"] * 8)


# Arguments


def test_scores_may_be_sequences_arrays_or_tensors():
    torch = pytest.importorskip("torch")
    a, b = [1, 0, 1, 1], [0, 0, 0, 1]
    expected = mf.sign_flip_test(a, b)
    assert expected.p == 0.5
    for convert in (tuple, np.array, torch.tensor, np.float16, np.bool_):
        assert mf.sign_flip_test(convert(a), convert(b)) == expected


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([1, math.nan], [0, math.inf]), {}, r"a\[1\] is nan"),
        (([1, 2], [0, math.inf]), {}, r"b\[1\] is inf"),
        (([1, 2, 3], [1, 2]), {}, "a has 3 scores but b has 2"),
        (([1],), {}, "a has 1 score, needs at least two items"),
        (([1, 2],), {"alternative": "larger"}, "unknown alternative 'larger', choose one of two-sided, greater, less"),
        (([1, 2],), {"resamples": 0}, "resamples must be at least 1"),
        (([1, 2],), {"seed": -1}, "seed must be at least 0"),
        (([1, 2],), {"clusters": ["x"]}, "clusters has 1 key"),
    ],
)
def test_wrong_values_are_named(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        mf.sign_flip_test(*arguments, **options)


def test_wrong_types_are_named():
    with pytest.raises(TypeError, match=r"a\[0\] is 'x', needs a number"):
        mf.sign_flip_test(["x", "y"])
    with pytest.raises(TypeError, match="mid_p must be True or False"):
        mf.sign_flip_test([1, 2], mid_p="no")


def test_results_are_plain():
    result = mf.sign_flip_test(np.array([1.0, 0.0]), np.array([0.0, 0.0])).to_dict()
    assert json.loads(json.dumps(result)) == result
    assert result["p"] == 1


def test_multiples_are_recognized_up_to_rounding():
    for denominator in (1, 2, 3, 6, 7, 8, 9, 10, 11, 13, 16, 64, 100, 1000):
        numerators = np.arange(-denominator, denominator + 1)
        hits = (numerators + denominator) / denominator - 1
        found = whole_multiples(hits, np.full(len(hits), 8.9e-16))
        assert found is not None
        assert (found[0] * denominator == numerators * found[1]).all()
    assert whole_multiples(np.random.default_rng(0).random(5), np.full(5, 8.9e-16)) is None
    # Rounding that is wider than the multiples are apart would make anything one of them.
    assert whole_multiples(np.array([0.123]), np.array([1.0])) is None


# Laws


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=14), st.randoms(use_true_random=False))
def test_the_order_of_items_does_not_matter(differences, random):
    shuffled = random.sample(differences, len(differences))
    assert mf.sign_flip_test(shuffled).p == mf.sign_flip_test(differences).p


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=14), st.sampled_from([1e-6, 1 / 3, math.pi, 1e9]))
def test_the_scale_does_not_matter(differences, scale):
    assert mf.sign_flip_test(np.array(differences) * scale).p == pytest.approx(
        mf.sign_flip_test(differences).p, rel=1e-12
    )


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=60))
def test_exchanging_the_systems_exchanges_the_alternatives(differences):
    a, zeros = np.array(differences), np.zeros(len(differences))
    assert mf.sign_flip_test(a, zeros).p == mf.sign_flip_test(zeros, a).p
    greater = mf.sign_flip_test(a, zeros, alternative="greater")
    assert greater.p == mf.sign_flip_test(zeros, a, alternative="less").p


# Error rates: systems without a difference


def rejections(scores, **options) -> float:
    """Return the fraction of data sets without a difference that are significant at 5 %."""
    random = np.random.default_rng(12345)
    return float(np.mean([mf.sign_flip_test(scores(random), **options).p <= 0.05 for _ in range(2000)]))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_exact_tests_reject_five_percent_of_nulls(alternative):
    thirds = rejections(lambda random: random.integers(-3, 4, size=400), alternative=alternative)
    assert 0.04 <= thirds <= 0.06


def test_drawn_tests_reject_five_percent_of_nulls():
    skewed = rejections(lambda random: random.exponential(size=60) - random.exponential(size=60), resamples=999)
    assert 0.04 <= skewed <= 0.06


@pytest.mark.parametrize("level", [0.01, 0.05, 0.1])
@pytest.mark.parametrize("differing", [2, 4, 5, 6, 8])
def test_where_few_items_differ_at_most_the_level_is_rejected(differing, level):
    # Without a difference, all patterns of signs are equally likely.
    for sizes in (np.ones(differing), np.arange(1, differing + 1), np.random.default_rng(1).random(differing)):
        signs = np.array(list(product([-1, 1], repeat=differing)))
        p = np.array([mf.sign_flip_test(np.append(row, np.zeros(56))).p for row in signs * sizes])
        assert np.mean(p <= level) <= level
