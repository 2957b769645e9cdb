"""Adjusted p-values: the recorded case, SciPy, and the definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

import muge_fast as mf

METHODS = ["holm", "bh", "by", "bonferroni"]

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)

# statsmodels.stats.multitest.multipletests(p, method=…)[1] of statsmodels 0.15.0, methods holm, fdr_bh, fdr_by and
# bonferroni.
CASE = [0.001, 0.008, 0.012, 0.03, 0.041, 0.2, 0.5]
RECORDED = {
    "holm": [0.007, 0.048, 0.06, 0.12, 0.123, 0.4, 0.5],
    "bh": [0.007, 0.028, 0.028, 0.0525, 0.0574, 7 / 30, 0.5],
    "by": [0.01815, 0.0726, 0.0726, 0.136125, 0.14883, 0.605, 1.0],
    "bonferroni": [0.007, 0.056, 0.084, 0.21, 0.287, 1.0, 1.0],
}


@pytest.mark.parametrize("method", METHODS)
def test_the_recorded_case_is_reproduced(method):
    assert mf.adjust(CASE, method) == pytest.approx(RECORDED[method], rel=1e-12)


@given(P_VALUES, st.sampled_from(["bh", "by"]))
def test_false_discovery_rates_are_those_of_scipy(p, method):
    assert mf.adjust(p, method) == pytest.approx(false_discovery_control(p, method=method), rel=1e-12)


@given(P_VALUES)
def test_holm_is_the_largest_of_the_products_so_far(p):
    expected = [0.0] * len(p)
    largest = 0.0
    for tests, index in zip(range(len(p), 0, -1), sorted(range(len(p)), key=p.__getitem__), strict=True):
        largest = max(largest, min(1.0, tests * p[index]))
        expected[index] = largest
    assert mf.adjust(p, "holm").tolist() == expected


@given(P_VALUES, st.sampled_from(METHODS), st.randoms(use_true_random=False))
def test_the_order_of_tests_does_not_matter(p, method, random):
    order = random.sample(range(len(p)), len(p))
    assert mf.adjust([p[index] for index in order], method).tolist() == mf.adjust(p, method)[order].tolist()


@given(P_VALUES)
def test_each_method_is_at_most_the_more_cautious_one(p):
    bh, by, holm, bonferroni = (mf.adjust(p, method) for method in ("bh", "by", "holm", "bonferroni"))
    tiny = 1 + 1e-12
    assert (np.array(p) <= bh * tiny).all()
    assert (bh <= by * tiny).all()
    assert (bh <= holm * tiny).all()
    assert (holm <= bonferroni * tiny).all()


def test_no_tests_have_no_p_values():
    assert mf.adjust([], "holm").shape == (0,)


@pytest.mark.parametrize("wrong", [math.nan, -0.1, 1.5, math.inf])
def test_numbers_outside_of_0_to_1_are_named(wrong):
    with pytest.raises(ValueError, match=rf"p\[1\] is {wrong:g}, needs a probability"):
        mf.adjust([0.5, wrong], "holm")


def test_an_unknown_method_is_answered_with_a_suggestion():
    with pytest.raises(ValueError, match=r"unknown method 'bonferoni', choose one of .*did you mean 'bonferroni'"):
        mf.adjust([0.5], "bonferoni")
