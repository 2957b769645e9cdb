"""Progress bars: on a terminal or when asked, and only for work that takes a while."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

# Nobody needs a bar for work that is over before it is read.
DELAY = 1.0


class Progress:
    """A progress bar that takes the number of rows done so far.

    Args:
        total: Number of rows, None if nobody knows.
        unit: What a row is.
        show: Whether to show it; None for on a terminal.

    Example:
        >>> from muge_fast._internal.progress import Progress
        >>> with Progress(10, "query", show=False) as bar:
        ...     print(bar.callback)
        None

    """

    def __init__(self, total: int | None, unit: str, show: bool | None) -> None:
        shown = sys.stderr is not None and sys.stderr.isatty() if show is None else show
        self._bar: Any = None
        if shown:
            from tqdm import tqdm  # noqa: PLC0415 - most calls show nothing

            self._bar = tqdm(total=total, unit=unit, delay=0 if show else DELAY, leave=bool(show))

    @property
    def callback(self) -> Callable[[int], object] | None:
        """What to call with the number of rows done; None if nothing is shown."""
        return None if self._bar is None else self._advance

    def _advance(self, done: int) -> None:
        self._bar.update(done - self._bar.n)

    def __enter__(self) -> Progress:  # noqa: PYI034 - typing has Self from Python 3.11 only
        """Start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Finish the bar, unless the work failed."""
        if self._bar is not None:
            if kind is None and self._bar.total is not None:
                self._bar.update(self._bar.total - self._bar.n)
            self._bar.close()
