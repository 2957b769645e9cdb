"""Intervals of means from rounded sums: the bits of exact sums, every rank and count, few exact sums, the fallback."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import muge_fast as mf
from muge_fast import _core
from muge_fast.scores import mean_score
from muge_fast.significance import ordered
from muge_fast.significance.ordered import ExactScores, RoundedMeans, rounded_means
from muge_fast.significance.stream import pcg64


def values_of(kind: str, items: int) -> np.ndarray:
    random = np.random.default_rng(items)
    values = {
        "beta": lambda: random.beta(2, 3, items),
        "normal": lambda: random.normal(-5, 20, items),
        "log-normal": lambda: random.lognormal(0, 1, items),
        "half zeros": lambda: random.random(items) * (random.random(items) < 0.5),
        "whole": lambda: random.integers(-3, 4, items).astype(float),
        "large": lambda: random.integers(0, 60_000, items).astype(float),
        "thirds": lambda: random.integers(0, 4, items) / 3,
        "an outlier": lambda: np.append(random.random(items - 1), 1e6),
        "ranks": lambda: 1 / random.integers(1, 11, items),
    }
    return values[kind]()


SUITABLE = ("beta", "normal", "log-normal", "half zeros", "whole", "large")
OTHERS = ("thirds", "an outlier", "ranks")


def both_ways(monkeypatch, values, **options):
    """Return the interval from rounded sums, where these suit, and from exact ones."""
    found = []
    for least in (0, math.inf):
        monkeypatch.setattr(ordered, "LEAST_DRAWS", least)
        found.append(mf.bootstrap_interval(values, **options))
    return found


@pytest.mark.parametrize("kind", SUITABLE + OTHERS)
@pytest.mark.parametrize("method", ["bootstrap", "bca"])
@pytest.mark.parametrize("items", [64, 333, 10_007])
def test_intervals_have_the_bits_of_exact_sums(monkeypatch, items, method, kind):
    values = values_of(kind, items)
    for seed, level, threads in [(0, 0.95, 1), (1, 0.8, 2), (2**70, 0.99, None)]:
        options = {"method": method, "resamples": 500, "seed": seed, "level": level, "threads": threads}
        rounded, exact = both_ways(monkeypatch, values, **options)
        assert rounded == exact, options
    assert len(set(both_ways(monkeypatch, values, method=method, resamples=300, expand=True))) == 1


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=64, max_size=300, unique=True),
    st.sampled_from(["bootstrap", "bca"]),
    st.integers(0, 2**40),
)
def test_intervals_of_any_values_have_the_bits_of_exact_sums(values, method, seed):
    with pytest.MonkeyPatch.context() as patch:
        rounded, exact = both_ways(patch, values, method=method, resamples=200, seed=seed)
    assert rounded == exact


@pytest.mark.parametrize("method", ["percentile", "BCa"])
def test_intervals_of_many_draws_are_those_of_scipy(method):
    values = values_of("beta", 5000)
    random = np.random.default_rng(12345)
    expected = scipy.stats.bootstrap((values,), np.mean, n_resamples=999, method=method, rng=random)
    ours = mf.bootstrap_interval(values, resamples=999, method={"percentile": "bootstrap"}.get(method, "bca"))
    assert tuple(ours) == pytest.approx(tuple(expected.confidence_interval), abs=1e-12)
    score = mean_score("accuracy", "accuracy|version:0", values)
    assert tuple(score.interval(resamples=999, method=ours.method)) == tuple(ours)


@pytest.mark.parametrize("kind", SUITABLE)
@pytest.mark.parametrize("threads", [1, 2])
def test_every_rank_and_count_is_that_of_exact_means(kind, threads):
    values = values_of(kind, 3000)
    exact = np.sort(pcg64(5).resample_sums(values.reshape(-1, 1), 700, 1)[:, 0] / 3000)
    for ranks in (range(700), range(699, -1, -1), [0, 699, 350, 17, 17]):
        means = rounded_means(values, 5, 700, threads)
        assert [means[rank] for rank in ranks] == [exact[rank] for rank in ranks]
    for low, high in [(exact[3], exact[3]), (exact[300], exact[320]), (values.mean(), values.mean()), (-1e9, 1e9)]:
        means = rounded_means(values, 5, 700, threads)
        assert len(means) == 700
        assert means.counts(low, high) == ExactScores(exact).counts(low, high)
        between = np.nextafter(low, math.inf)
        assert means.counts(between, high + between - low) == ExactScores(exact).counts(between, high + between - low)


class Recording:
    """Rounded sums that record which resamples are made exact."""

    def __init__(self, sums: _core.RoundedSums) -> None:
        self.sums, self.error, self.asked = sums.sums, sums.error, []
        self._exact = sums.exact

    def exact(self, resamples: np.ndarray) -> np.ndarray:
        self.asked += resamples.tolist()
        return self._exact(resamples)


def test_few_sums_are_made_exact_and_none_twice():
    drawn = Recording(pcg64(1).rounded_sums(values_of("beta", 10_000), 9999, None))
    means = RoundedMeans(drawn, 10_000)
    for rank in (0, 9998, 249, 250, 9748, 9749, 0):
        means[rank]
    means.counts(0.4, 0.4)
    assert 0 < len(drawn.asked) == len(set(drawn.asked)) < 150


def test_sums_of_whole_numbers_are_exact():
    assert pcg64(1).rounded_sums(values_of("whole", 500), 10, None).error == 0


@pytest.mark.parametrize("kind", OTHERS)
def test_values_whose_rounded_sums_are_too_close_are_summed_exactly(kind):
    assert rounded_means(values_of(kind, 10_000), 1, 1000, None) is None


def test_little_work_is_done_exactly():
    assert rounded_means(values_of("beta", 100), 1, 100, None) is None


def test_a_resample_that_does_not_exist_is_an_error():
    drawn = pcg64(1).rounded_sums(values_of("beta", 500), 10, None)
    for wrong in (-1, 10):
        with pytest.raises(IndexError, match="no such resample"):
            drawn.exact(np.array([0, wrong]))
