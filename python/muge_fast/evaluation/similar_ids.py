"""Ids of a submission that differ from those of the gold file only in the way they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import cached_property

# Suffixes of image files that may have been kept in an id.
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
# Folders of a path, also of one of Windows.
FOLDER = re.compile(r"^.*[/\\](?=.)", re.DOTALL)
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
        return {"hint": next((hint for hint, form in HINT_FORMS if form(text) == form(str(similar))), "gold_number")}


def _form(text: str) -> str:
    """Return an id without anything that may be written in another way."""
    stem = _name_of(_plain(text)).casefold()
    digits = stem.removeprefix("+")
    if digits.isascii() and digits.isdecimal():
        return digits.lstrip("0") or "0"
    if not digits.isdecimal():
        return stem
    # int() reads one digit of any script.
    return "".join(str(int(digit)) for digit in digits).lstrip("0") or "0"


def _plain(text: str) -> str:
    """Return a text without invisible characters, and with one form of characters that look alike."""
    if text.isascii():
        return text.strip()
    import unicodedata  # noqa: PLC0415 - few ids have other letters

    letters = (letter for letter in text if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFKC", "".join(letters)).strip()


def _name_of(path: str) -> str:
    """Return the name of a file without folders and the suffix of an image file."""
    return _stem(FOLDER.sub("", path))


def _stem(text: str) -> str:
    suffix = next((suffix for suffix in SUFFIXES if text.lower().endswith(suffix)), "")
    return text[: len(text) - len(suffix)]


# Keys of hints, with what two ids have in common that differ only in this; the first that holds counts.
HINT_FORMS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("gold_unicode", _plain),
    ("gold_case", lambda text: _plain(text).casefold()),
    ("gold_suffix", lambda text: _stem(_plain(text))),
    ("gold_folder", lambda text: _name_of(_plain(text))),
    ("gold_zeros", lambda text: _stem(_plain(text)).lstrip("0")),
)
