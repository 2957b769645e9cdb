"""A slot of a worker: a thread that claims evaluations, and the processes that score them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.store.queue import RULES, Job, QueueRules, claim, is_due, release, renew, report_fault
from muge_fast.leaderboard.store.schema import evaluator
from muge_fast.leaderboard.worker.faults import describe_fault
from muge_fast.leaderboard.worker.sandbox import SandboxLimits
from muge_fast.leaderboard.worker.scoring_client import ScoringFaultError, ScoringProcess
from muge_fast.leaderboard.worker.verdict_store import store_verdict
from muge_fast.leaderboard.worker.worker_names import worker_name

LOG = logging.getLogger("muge_fast.leaderboard.worker")
MOST_PROCESSES = 8
PAUSE_AFTER_ERROR = 1.0
JOIN = 0.1


@dataclass(frozen=True)
class SlotOptions:
    """How a slot works.

    Attributes:
        poll: Seconds between two looks at the queue.
        rules: Times and limits of the queue.
        limits: Limits of memory and processor time of a file; None for the defaults.
        seconds: Seconds that a file may take; None for the defaults.

    """

    poll: float
    rules: QueueRules = RULES
    limits: SandboxLimits | None = None
    seconds: float | None = None


@dataclass
class Held:
    """What a slot is doing.

    Attributes:
        job: The evaluation that it holds; None if there is none.
        process: The process that scores it.

    """

    job: Job | None = None
    process: ScoringProcess | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Slot:
    """A thread that judges one evaluation at a time.

    Args:
        board: The board.
        name: Name of the slot.
        tasks: The tasks that it judges.
        stop: Event that ends it.
        options: How it works.

    """

    def __init__(
        self, board: Board, name: str, tasks: Sequence[str], stop: threading.Event, options: SlotOptions
    ) -> None:
        self._board, self._tasks, self._stop, self._options = board, tuple(tasks), stop, options
        self._worker = worker_name(name)
        self._processes: dict[str, ScoringProcess] = {}
        self._held = Held()
        # The kernel ends a scoring process with the thread that started it, so all of it happens in one.
        self.thread = threading.Thread(target=self._run, name=f"slot {name}")

    def renew(self) -> None:
        """Extend the lease of what the slot holds; end the scoring if another worker has it."""
        with self._held.lock:
            job = self._held.job
        if job is None or renew(self._board.database, job, rules=self._options.rules) is not None:
            return
        with self._held.lock:
            if self._held.job is not None and self._held.job.attempt == job.attempt and self._held.process is not None:
                self._held.process.kill()

    def end(self) -> None:
        """End the scoring and wait for the thread, after the event that ends the slot was set."""
        while self.thread.is_alive():
            with self._held.lock:
                if self._held.process is not None:
                    self._held.process.kill()
            self.thread.join(JOIN)

    def _run(self) -> None:
        try:
            self._prepare_active()
            while not self._stop.is_set():
                self._stop.wait(self._work())
        finally:
            for process in self._processes.values():
                process.end()

    def _work(self) -> float:
        """Judge evaluations until nothing is due, and return how long to wait."""
        database = self._board.database
        try:
            while not self._stop.is_set() and is_due(database, tasks=self._tasks):
                job = claim(database, self._worker, rules=self._options.rules, tasks=self._tasks)
                if job is None:
                    break
                self._judge(job)
        except Exception as error:  # noqa: BLE001 - a database that restarts must not end the worker
            LOG.warning("the worker goes on after a fault: %s", describe_fault(error))
            return PAUSE_AFTER_ERROR
        return self._options.poll

    def _prepare_active(self) -> None:
        """Start the processes of the evaluators that boards show, so that the first file does not wait for them."""
        query = select(evaluator.c.id).where(evaluator.c.state == "active", evaluator.c.task.in_(self._tasks))
        try:
            with self._board.database.read() as connection:
                ids = connection.execute(query).scalars().all()
            for evaluator_id in ids[:MOST_PROCESSES]:
                self._process(evaluator_id)
        except Exception as error:  # noqa: BLE001 - it is tried again when a file needs it
            LOG.warning("an evaluator cannot be prepared: %s", describe_fault(error))

    def _judge(self, job: Job) -> None:
        with self._held.lock:
            self._held.job = job
        try:
            self._score(job)
        finally:
            with self._held.lock:
                self._held.job = self._held.process = None

    def _score(self, job: Job) -> None:
        try:
            process = self._process(job.evaluator)
            with self._held.lock:
                self._held.process = process
            with self._board.blobs.local(job.sha256) as path:
                judged = process.score(path, job.sha256)
        except Exception as error:  # noqa: BLE001 - a fault of any kind must not end the queue
            self._give_up(job, error)
            return
        if not store_verdict(self._board, job, judged):
            LOG.info("the verdict on %s came late: another worker has it", job.submission)

    def _give_up(self, job: Job, error: Exception) -> None:
        if self._stop.is_set():
            release(self._board.database, job)
            return
        message = str(error) if isinstance(error, ScoringFaultError) else describe_fault(error)
        state = report_fault(self._board.database, job, message, rules=self._options.rules)
        LOG.warning("a fault with %s, now %s: %s", job.submission, state, message)

    def _process(self, evaluator_id: str) -> ScoringProcess:
        """Return the process of an evaluator, the one that was used last at the end; start it if it does not run."""
        process = self._processes.pop(evaluator_id, None)
        if process is not None and not process.is_alive:
            process.end()
            process = None
        if process is None:
            if len(self._processes) >= MOST_PROCESSES:
                self._processes.pop(next(iter(self._processes))).end()
            process = ScoringProcess(
                self._board, evaluator_id, limits=self._options.limits, seconds=self._options.seconds
            )
        self._processes[evaluator_id] = process
        return process
