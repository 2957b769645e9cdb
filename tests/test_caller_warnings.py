"""Warnings of the package point at the line that called it."""

import inspect
import warnings

import pytest

import muge_fast as mf
from muge_fast._internal.caller_warnings import warn_caller


def line_of_caller() -> int:
    return inspect.currentframe().f_back.f_lineno


@pytest.mark.parametrize(
    "score",
    [
        lambda: (mf.score_captions(["红"], [["红"]]), line_of_caller()),
        lambda: (mf.Captions([["红"]]).score(["红"]), line_of_caller()),
    ],
)
def test_warnings_of_scores_point_at_the_caller(score):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, line = score()
    assert [(warning.filename, warning.lineno) for warning in caught] == [(__file__, line)]


def test_frames_of_the_package_are_skipped_however_deep():
    # Compiled under the name of a file of the package, so its frames count as the package's.
    code = compile(
        "def inner(warn): warn('few', RuntimeWarning)\ndef outer(warn): inner(warn)",
        warn_caller.__code__.co_filename,
        "exec",
    )
    scope = {}
    exec(code, scope)  # noqa: S102 - written above
    with pytest.warns(RuntimeWarning, match="few") as caught:
        _, line = scope["outer"](warn_caller), line_of_caller()
    assert (caught[0].filename, caught[0].lineno) == (__file__, line)


def test_a_warning_without_a_caller_outside_is_still_issued():
    with pytest.warns(UserWarning, match="few"):
        warn_caller("few")
