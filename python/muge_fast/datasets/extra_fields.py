"""Counting the fields of rows that no task reads, in bounded memory."""

from __future__ import annotations

from muge_fast._internal.display import format_id

# Names that are counted; rows with further names are counted together under OTHER.
MAX_NAMES = 20
OTHER = "…"
# Longest name that is shown. Rust hands over one letter more, so that longer names end in an ellipsis.
NAME_LENGTH = 40


def count_extra(counts: dict[str, int], name: str, rows: int = 1) -> None:
    r"""Add rows to the count of a field.

    Args:
        counts: Number of rows by name. Names are short and printable, and there are at most 21.
        name: Name of the field in the file, which is untrusted.
        rows: Number of rows that have it.

    Example:
        >>> from muge_fast.datasets.extra_fields import count_extra
        >>> counts = {"score": 7}
        >>> count_extra(counts, "score")
        >>> count_extra(counts, "a\n")
        >>> counts
        {'score': 8, 'a\\n': 1}

    """
    shown = format_id(name, NAME_LENGTH)
    if shown not in counts and len(counts) >= MAX_NAMES:
        shown = OTHER
    counts[shown] = counts.get(shown, 0) + rows
