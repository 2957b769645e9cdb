"""Ids of a submission that differ from those of the gold file only in the way they are written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property

# Suffixes of image files that may have been kept in an id.
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
# Longer ids are not compared.
MAX_LENGTH = 1024


class SimilarIds:
    """The ids of a gold file, to explain an id that is not among them.

    Args:
        ids: The ids.

    Example:
        >>> from muge_fast.evaluation.similar_ids import SimilarIds
        >>> similar = SimilarIds(["0007", "a"])
        >>> similar.hint("7"), similar.hint("a.jpg"), similar.hint("b")
        ({'hint': 'gold_zeros'}, {'hint': 'gold_suffix'}, {})

    """

    def __init__(self, ids: Collection[object]) -> None:
        self._ids = ids

    @cached_property
    def _by_form(self) -> dict[str, object]:
        """Ids by their form without differences of writing; made when the first id is unknown."""
        return {_form(str(key)): key for key in self._ids if len(str(key)) <= MAX_LENGTH}

    def hint(self, key: object) -> Mapping[str, object]:
        """Return the details of a problem that say how an unknown id differs from a similar one.

        Args:
            key: The id, which is not in the gold file.

        Returns:
            ``{"hint": …}`` with a key of ``muge_fast.datasets.problems.HINTS``; empty if no id is similar.

        """
        text = str(key)
        if len(text) > MAX_LENGTH:
            return {}
        similar = self._by_form.get(_form(text))
        if similar is None:
            return {}
        if isinstance(similar, str) != isinstance(key, str):
            return {"hint": "gold_string" if isinstance(similar, str) else "gold_integer"}
        if text.strip() == str(similar).strip():
            return {"hint": "gold_spaces"}
        same_stem = _stem(text.strip()) == _stem(str(similar).strip())
        return {"hint": "gold_suffix" if same_stem else "gold_zeros"}


def _form(text: str) -> str:
    stem = _stem(text.strip())
    return (stem.lstrip("0") or "0") if stem.isdecimal() else stem


def _stem(text: str) -> str:
    suffix = next((suffix for suffix in SUFFIXES if text.lower().endswith(suffix)), "")
    return text[: len(text) - len(suffix)]
