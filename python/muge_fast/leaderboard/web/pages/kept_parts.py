"""Parts of pages that are kept until what they show changes: the table of a board takes longer than the rest of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from markupsafe import Markup

MOST = 128


class KeptParts:
    """The latest parts by what they depend on. Threads may use one object at the same time.

    Args:
        most: Number of parts that are kept.

    Example:
        >>> from markupsafe import Markup
        >>> from muge_fast.leaderboard.web.pages.kept_parts import KeptParts
        >>> parts = KeptParts()
        >>> parts.get("key", lambda: Markup("first")), parts.get("key", lambda: Markup("second"))
        (Markup('first'), Markup('first'))

    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._parts: OrderedDict[Hashable, Markup] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Markup]) -> Markup:
        """Return a part.

        Args:
            key: Everything that it depends on.
            make: Function that returns it, which is called if it is not kept.

        Returns:
            The part.

        """
        with self._lock:
            found = self._parts.get(key)
            if found is not None:
                self._parts.move_to_end(key)
                return found
        made = make()
        with self._lock:
            self._parts[key] = made
            while len(self._parts) > self._most:
                self._parts.popitem(last=False)
        return made
