"""A worker: its slots judge evaluations, and its main thread renews leases, finds lost workers and closes months."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.standings.month_records import close_due_months
from muge_fast.leaderboard.store.audit import Actor
from muge_fast.leaderboard.store.queue import RULES, QueueRules, end_leases
from muge_fast.leaderboard.worker.faults import describe_fault
from muge_fast.leaderboard.worker.sandbox import SandboxLimits
from muge_fast.leaderboard.worker.scoring_client import is_image_task
from muge_fast.leaderboard.worker.slots import Slot, SlotOptions
from muge_fast.leaderboard.worker.worker_names import is_lost

LOG = logging.getLogger("muge_fast.leaderboard.worker")
ACTOR = Actor("worker")
POLL = 0.03
# Leases are renewed four times before they are over.
RENEWALS = 4
LOST_EVERY, MONTHS_EVERY = 1.0, 30.0
LONGEST_WAIT = 0.2


def run_worker(
    board: Board,
    *,
    slots: int = 1,
    stop: threading.Event | None = None,
    poll: float = POLL,
    rules: QueueRules = RULES,
    limits: SandboxLimits | None = None,
    seconds: float | None = None,
) -> None:
    """Judge evaluations until stopped. What is being scored then goes back to the queue without a fault.

    Tasks of images have a separate slot, so that a file that takes minutes does not hold up the others.

    Args:
        board: The board.
        slots: Number of files of lines that are scored at the same time.
        stop: Event that ends the worker.
        poll: Seconds between two looks at the queue.
        rules: Times and limits of the queue.
        limits: Limits of memory and processor time of a file; None for the defaults.
        seconds: Seconds that a file may take; None for the defaults.

    """
    stop = stop or threading.Event()
    options = SlotOptions(poll, rules, limits, seconds)
    images = [slug for slug, task in board.settings.tasks.items() if is_image_task(task.scorer)]
    lines = [slug for slug in board.settings.tasks if slug not in images]
    running = [Slot(board, str(number), lines, stop, options) for number in range(1, slots + 1) if lines]
    running += [Slot(board, "images", images, stop, options)] if images else []
    _free_lost(board, rules)
    for slot in running:
        slot.thread.start()
    try:
        _keep(board, running, stop, rules)
    finally:
        stop.set()
        for slot in running:
            slot.end()


def _keep(board: Board, running: list[Slot], stop: threading.Event, rules: QueueRules) -> None:
    """Do what is due at intervals until the worker is stopped."""
    renewal = rules.lease.total_seconds() / RENEWALS
    chores: list[tuple[float, Callable[[], object]]] = [
        *((renewal, slot.renew) for slot in running),
        (LOST_EVERY, lambda: _free_lost(board, rules)),
        (MONTHS_EVERY, lambda: close_due_months(board, actor=ACTOR)),
    ]
    due = [time.monotonic() + (0 if every == MONTHS_EVERY else every) for every, _ in chores]
    while not stop.is_set():
        for index, (every, chore) in enumerate(chores):
            if time.monotonic() >= due[index]:
                _try(chore)
                due[index] = time.monotonic() + every
        stop.wait(max(0.0, min(LONGEST_WAIT, min(due) - time.monotonic())))


def _free_lost(board: Board, rules: QueueRules) -> None:
    _try(lambda: end_leases(board.database, is_lost, rules=rules))


def _try(chore: Callable[[], object]) -> None:
    try:
        chore()
    except Exception as error:  # noqa: BLE001 - a database that restarts must not end the worker
        LOG.warning("the worker goes on after a fault: %s", describe_fault(error))
