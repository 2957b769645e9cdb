"""``Spice``, which is not offered."""

from __future__ import annotations


class Spice:
    """SPICE, which can be imported but not created: it needs a statistical parser of English that runs in Java.

    Raises:
        NotImplementedError: Always.

    Example:
        >>> from muge_fast.compat.pycocoevalcap import Spice
        >>> Spice()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        NotImplementedError: SPICE is not offered without Java: ...

    """

    def __init__(self) -> None:
        raise NotImplementedError(
            "SPICE is not offered without Java: it is defined by the output of a statistical parser of English. "
            "Remove it from the list of scorers, or run pycocoevalcap for it"
        )
