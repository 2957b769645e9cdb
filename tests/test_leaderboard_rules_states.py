"""States of evaluations: only the moves of the diagram exist, and failed tries end."""

import pickle
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.rules.states import ACTIONS, STATES, TERMINAL, after_failed_try, apply_action

# Written again here, from the diagram in docs/leaderboard-design.md.
MOVES = {
    ("queued", "claim"): "running",
    ("queued", "cancel"): "cancelled",
    ("running", "reclaim"): "running",
    ("running", "score"): "scored",
    ("running", "reject"): "invalid",
    ("running", "retry"): "queued",
    ("running", "fault"): "faulted",
    ("faulted", "requeue"): "queued",
}


@pytest.mark.parametrize(("state", "action"), list(product(STATES, ACTIONS)))
def test_exactly_the_moves_of_the_diagram_exist(state, action):
    if (state, action) in MOVES:
        assert apply_action(state, action) == MOVES[state, action]
    else:
        with pytest.raises(RefusalError, match=f"cannot {action} an evaluation that is {state}, only one that is"):
            apply_action(state, action)


def test_every_state_can_be_reached_and_only_faults_can_be_left_again():
    assert {after for _, after in ACTIONS.values()} == set(STATES)
    left = {before for before, _ in ACTIONS.values()}
    assert left & TERMINAL == {"faulted"}
    assert set(STATES) - left == TERMINAL - {"faulted"}


@given(st.lists(st.sampled_from(list(ACTIONS)), max_size=30))
def test_a_verdict_is_never_changed(actions):
    state, verdict = "queued", None
    for action in actions:
        try:
            state = apply_action(state, action)
        except RefusalError:
            continue
        assert verdict is None
        verdict = state if state in ("scored", "invalid", "cancelled") else None


@given(st.integers(1, 10))
def test_tries_end_with_a_fault(tries):
    failed = [after_failed_try(attempt, tries=tries) for attempt in range(1, tries + 3)]
    assert [made.action for made in failed] == ["retry"] * (tries - 1) + ["fault"] * 3
    delays = [made.delay for made in failed[: tries - 1]]
    assert delays == sorted(delays)
    assert all(delay > timedelta(0) for delay in delays)


def test_the_delays_are_those_of_the_design():
    assert [after_failed_try(attempt, tries=5).delay.total_seconds() for attempt in (1, 2, 3, 4)] == [5, 30, 180, 180]
    assert after_failed_try(3).action == "fault"
    with pytest.raises(ValueError, match="attempt must be at least 1, got 0"):
        after_failed_try(0)


def test_refusals_have_both_languages_and_can_be_pickled():
    with pytest.raises(RefusalError) as caught:
        apply_action("scored", "cancel")
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - made here
    assert (copy.code, str(copy), copy.message("zh")) == (
        "illegal_move",
        "cannot cancel an evaluation that is scored, only one that is queued",
        "评测当前为“已评分”，只有“排队中”的评测可以执行此操作（cancel）",
    )
