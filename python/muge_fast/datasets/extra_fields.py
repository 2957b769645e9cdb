"""Counting the fields of rows that no task reads, in bounded memory.

Rust counts those of files without errors in the same way (``rust/src/io/strict_rows.rs``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from muge_fast._internal.display import format_id

# Names that are counted; rows with further names are counted together under OTHER.
MAX_NAMES = 20
OTHER = "…"
# Longest name that is shown. One letter more is kept, so that longer names end in an ellipsis.
NAME_LENGTH = 40


def count_extra(counts: dict[str, int], names: Iterable[str]) -> None:
    """Add the fields of a row to the counts.

    Args:
        counts: Number of rows by the first letters of a name; at most 21 names.
        names: Names of the fields in the file, which is untrusted.

    Example:
        >>> from muge_fast.datasets.extra_fields import count_extra
        >>> counts = {"score": 7}
        >>> count_extra(counts, ["score", "rank"])
        >>> counts
        {'score': 8, 'rank': 1}

    """
    for name in names:
        key = name[: NAME_LENGTH + 1]
        if key not in counts and len(counts) >= MAX_NAMES:
            key = OTHER
        counts[key] = counts.get(key, 0) + 1


def shown_names(counts: Mapping[str, int]) -> dict[str, int]:
    r"""Return counts with names that are short and printable.

    Args:
        counts: Number of rows by the first letters of a name, from :func:`count_extra`.

    Returns:
        Number of rows by the name for a message.

    Example:
        >>> from muge_fast.datasets.extra_fields import shown_names
        >>> shown_names({"score": 8, "a\n": 1})
        {'score': 8, 'a\\n': 1}

    """
    shown: dict[str, int] = {}
    for key, rows in counts.items():
        name = format_id(key, NAME_LENGTH)
        shown[name] = shown.get(name, 0) + rows
    return shown
