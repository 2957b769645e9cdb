"""A thread that completes standings while pages show what is there."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Hashable
from time import monotonic as now
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

REST = 2.0
"""Time between two pieces of work, as a multiple of the time of the last one: pages come first."""

LONGEST_REST = 5.0
"""The longest time between two pieces of work, in seconds."""

Key = TypeVar("Key", bound=Hashable)


class Background(Generic[Key]):
    """A thread that works through keys, each once at a time, in the order in which they were added.

    It starts with the first key. A forked process starts another one.

    Args:
        work: Function of a key. An error of it is logged, and the thread goes on.

    """

    def __init__(self, work: Callable[[Key], object]) -> None:
        self._work = work
        self._reset()

    def _reset(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._waiting: dict[Key, None] = {}
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def add(self, key: Key) -> None:
        """Work on a key soon, unless it waits already.

        Args:
            key: The key.

        """
        if self._process != os.getpid():
            self._reset()
        with self._changed:
            if self._is_closed or key in self._waiting:
                return
            self._waiting[key] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="standings", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Stop the thread after the work that it is in, and wait for its end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
            thread = self._thread
        if thread is not None and self._process == os.getpid():
            thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if self._is_closed:
                    return
                key = next(iter(self._waiting))
            start = now()
            try:
                self._work(key)
            except Exception:
                logger.exception("a standing could not be completed: %s", key)
            with self._changed:
                # Not before: a key that is worked on need not be added again for each page meanwhile.
                del self._waiting[key]
                rest = min(LONGEST_REST, REST * (now() - start))
                self._changed.wait_for(lambda: self._is_closed, timeout=rest)
