"""Threads that decode images ahead of the caller, for as long as the caller needs their results."""

from __future__ import annotations

import _thread
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar, cast

if TYPE_CHECKING:
    from queue import SimpleQueue

Item = TypeVar("Item")
Result = TypeVar("Result")

# Seconds after which the caller itself runs an item that no thread has begun. Threads begin within microseconds, but
# one that finds no memory when it starts never does, without an error.
PATIENCE = 1.0


def map_in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    threads: int,
    ahead: int,
    stop: Callable[[], object] = lambda: None,
) -> Generator[Result]:
    """Apply a function to items in threads, and yield the results in the order of the items.

    Where no thread can be started, the function runs in the calling thread. Ctrl-C waits neither for the items that
    have been started nor, as it would with ``concurrent.futures``, for their threads at the end of the process.

    Args:
        function: The function. An exception in it ends the iteration.
        items: The items; they are started in their order.
        threads: Number of threads.
        ahead: Largest number of items that are started or queued beyond those consumed.
        stop: Called at the end before items in progress are waited for, to wake up those that wait for the consumer.

    Yields:
        The result of each item.

    Example:
        >>> from muge_fast.datasets.decoding_threads import map_in_order
        >>> list(map_in_order(abs, [-3, 2, -1], threads=2, ahead=2))
        [3, 2, 1]

    """
    # Imports threading, which scoring captions does not need.
    from queue import SimpleQueue  # noqa: PLC0415

    queue: SimpleQueue[_Task[Item, Result] | None] = SimpleQueue()
    pending: deque[_Task[Item, Result]] = deque()
    remaining = iter(items)
    team = _Team(queue)
    try:
        while True:
            for item in islice(remaining, ahead - len(pending)):
                task = _Task(function, item)
                pending.append(task)
                queue.put(task)
                team.grow(threads)
            if not pending:
                return
            team.wait_for(pending[0])
            yield pending.popleft().take_result()
    finally:
        is_interrupted = _is_interrupted(sys.exc_info()[1])
        started = [task for task in pending if not task.claim()]
        stop()
        team.dismiss()
        if not is_interrupted:
            for task in started:
                task.done.acquire()


class _Task(Generic[Item, Result]):
    """One item: the first thread that claims it runs the function."""

    __slots__ = ("_error", "_free", "_function", "_item", "_result", "done")

    def __init__(self, function: Callable[[Item], Result], item: Item) -> None:
        self._function, self._item = function, item
        self._result: Result | None = None
        self._error: BaseException | None = None
        self._free, self.done = _thread.allocate_lock(), _thread.allocate_lock()
        self.done.acquire()

    def claim(self) -> bool:
        """Return whether no thread has begun or cancelled it; then no other will."""
        return self._free.acquire(blocking=False)

    def run(self) -> bool:
        """Call the function and return True, unless another thread has begun it."""
        if not self.claim():
            return False
        try:
            self._result = self._function(self._item)
        except BaseException as error:  # noqa: BLE001 - raised where the result is needed
            self._error = error
        finally:
            # Needs no memory, so that the consumer never waits in vain.
            self.done.release()
        return True

    def take_result(self) -> Result:
        """Return the result, or raise the exception of the function."""
        error, self._error = self._error, None
        if error is None:
            return cast("Result", self._result)
        try:
            raise error
        finally:
            # The traceback refers to this frame, and would keep the item in memory.
            del error


class _Team:
    """Threads that run the tasks of a queue."""

    def __init__(self, queue: SimpleQueue[_Task[Item, Result] | None]) -> None:
        self._queue = queue
        self._started, self._can_grow, self._is_complete = 0, True, True

    def grow(self, threads: int) -> None:
        """Start one more thread, up to a number of them, if the system has one to give."""
        if self._started == threads or not self._can_grow:
            return
        try:
            # threading.Thread waits until the thread has begun, forever if it finds no memory for that.
            _thread.start_new_thread(self._work, ())
        except (RuntimeError, MemoryError):
            self._can_grow = False
            self._is_complete = self._started > 0
        else:
            self._started += 1

    def wait_for(self, task: _Task[Item, Result]) -> None:
        """Wait until a task has been run; run it here if no thread does."""
        if not self._is_complete:
            task.run()
        while not task.done.acquire(timeout=PATIENCE):
            # It is the oldest task: if no thread has begun it by now, none is there.
            self._is_complete = not task.run() and self._is_complete

    def dismiss(self) -> None:
        """Let the threads end."""
        for _ in range(self._started):
            self._queue.put(None)

    def _work(self) -> None:
        while (task := self._queue.get()) is not None:
            task.run()


def _is_interrupted(error: BaseException | None) -> bool:
    """Return whether an exception, or the one that it was raised for, is Ctrl-C or another signal's."""
    while error is not None and isinstance(error, (Exception, GeneratorExit)):
        error = error.__context__
    return error is not None
