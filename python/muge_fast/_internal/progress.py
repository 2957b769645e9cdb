"""Progress bars, shown on a terminal or on request, and only for work that takes longer than a second."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm

# Work shorter than this shows no bar unless one was requested.
DELAY_SECONDS = 1.0


class Progress:
    """A context manager for a progress bar that is updated with the number of units done so far.

    Args:
        total: Number of units; None if it is not known.
        unit: Name of a unit, such as ``"image"``.
        show: Whether to show the bar; None to show it on a terminal.
        title: What the work is, in front of the bar.
        start: Number of units that were done before, which do not count for the speed.

    Example:
        >>> from muge_fast._internal.progress import Progress
        >>> with Progress(10, "query", show=False) as bar:
        ...     print(bar.callback)
        None

    """

    def __init__(self, total: int | None, unit: str, show: bool | None, title: str = "", *, start: int = 0) -> None:
        is_shown = sys.stderr is not None and sys.stderr.isatty() if show is None else show
        self._bar: tqdm[NoReturn] | None = None
        if is_shown:
            from tqdm import tqdm  # noqa: PLC0415 - slow to import, and most calls show nothing

            self._bar = tqdm(
                desc=title or None,
                total=total,
                initial=start,
                unit=unit,
                # Bytes are shown as MB.
                unit_scale=unit == "B",
                delay=0 if show else DELAY_SECONDS,
                leave=bool(show),
            )

    @property
    def callback(self) -> Callable[[int], object] | None:
        """Function to call with the number of units done; None if no bar is shown."""
        return None if self._bar is None else self._set_done

    def _set_done(self, done: int) -> None:
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def __enter__(self) -> Progress:  # noqa: PYI034 - typing.Self is new in Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the bar; fill it first if the work was completed."""
        if self._bar is not None:
            if kind is None and self._bar.total is not None:
                self._bar.update(self._bar.total - self._bar.n)
            self._bar.close()
