"""States of an evaluation, the moves between them, and how often a failed try is repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from muge_fast.leaderboard.rules.refusals import RefusalError

State = Literal["queued", "running", "scored", "invalid", "faulted", "cancelled"]
Action = Literal["claim", "reclaim", "score", "reject", "retry", "fault", "requeue", "cancel"]

STATES: tuple[State, ...] = ("queued", "running", "scored", "invalid", "faulted", "cancelled")

TERMINAL: frozenset[State] = frozenset({"scored", "invalid", "faulted", "cancelled"})
"""States that wait for no worker. Of these, only ``faulted`` can be left, by an organizer."""

ACTIONS: dict[Action, tuple[State, State]] = {
    "claim": ("queued", "running"),  # a worker takes it
    "reclaim": ("running", "running"),  # another worker takes it, after the lease of the first ran out
    "score": ("running", "scored"),
    "reject": ("running", "invalid"),  # the file has errors: the participant's fault
    "retry": ("running", "queued"),  # the try failed by a fault of the site
    "fault": ("running", "faulted"),  # the last try failed
    "requeue": ("faulted", "queued"),  # by an organizer, after the cause is mended
    "cancel": ("queued", "cancelled"),  # by the owner
}
"""The state before and after each action; no other moves exist."""

TRIES = 3
DELAYS = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=3))

STATES_ZH = {
    "queued": "排队中",
    "running": "评测中",
    "scored": "已评分",
    "invalid": "无效",
    "faulted": "系统故障",
    "cancelled": "已取消",
}


def apply_action(state: State, action: Action) -> State:
    """Return the state after an action.

    Args:
        state: State of the evaluation.
        action: A key of ``ACTIONS``.

    Returns:
        The new state.

    Raises:
        RefusalError: The action is not possible in this state (``illegal_move``).

    Example:
        >>> from muge_fast.leaderboard.rules.states import apply_action
        >>> apply_action("queued", "claim")
        'running'
        >>> try:
        ...     apply_action("running", "cancel")
        ... except ValueError as error:
        ...     print(error)
        cannot cancel an evaluation that is running, only one that is queued

    """
    before, after = ACTIONS[action]
    if state != before:
        raise RefusalError(
            "illegal_move",
            f"cannot {action} an evaluation that is {state}, only one that is {before}",
            f"评测当前为“{STATES_ZH[state]}”，只有“{STATES_ZH[before]}”的评测可以执行此操作（{action}）",
        )
    return after


@dataclass(frozen=True)
class FailedTry:
    """The move after a failed try.

    Attributes:
        action: ``"retry"``, or ``"fault"`` after the last try.
        delay: How long to wait before the next claim; zero after the last try.

    """

    action: Action
    delay: timedelta


def after_failed_try(attempt: int, *, tries: int = TRIES, delays: Sequence[timedelta] = DELAYS) -> FailedTry:
    """Return the move after a try that failed by a fault of the site: a crash, a timeout, a lost worker.

    Args:
        attempt: Number of the try that failed, from 1.
        tries: Number of tries.
        delays: Delay after the first failed try, the second, and so on; the last one stands for all that follow.

    Returns:
        A retry with a growing delay, or a fault after the last try.

    Raises:
        ValueError: ``attempt`` is below 1.

    Example:
        >>> from muge_fast.leaderboard.rules.states import after_failed_try
        >>> after_failed_try(1).delay.seconds, after_failed_try(2).delay.seconds, after_failed_try(3).action
        (5, 30, 'fault')

    """
    if attempt < 1:
        raise ValueError(f"attempt must be at least 1, got {attempt}")
    if attempt >= tries:
        return FailedTry("fault", timedelta(0))
    return FailedTry("retry", delays[min(attempt, len(delays)) - 1])
