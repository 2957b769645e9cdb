"""Descriptions of TSV files of images and texts, which are read in parts."""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.display import truncate_id
from muge_fast._internal.paths import CUT_OFF_HINT
from muge_fast.datasets.image_tsv import PROBLEMS
from muge_fast.evaluation.binary_info import MAX_ERRORS, problems_of, repeated_ids

BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")
# Minimum length of base64 that counts as an image, and the number of characters that are checked.
MIN_IMAGE, MAX_SAMPLE = 33, 4096
# Digits of ids that are shown as integers.
MAX_DIGITS = 18
# Lines that are indexed at a time, and those after which reading stops. Each takes 8 bytes until the end.
PART, MAX_LINES = 1 << 17, 1 << 23


@dataclass
class _Summary:
    """Summary of the lines so far. Ids are kept as hashes, to count those that are repeated."""

    least: int = 0
    total: int = 0
    most: int = 0
    hashes: array[int] = field(default_factory=lambda: array("q"))
    # The smallest and the largest id, as texts and as numbers.
    texts: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    is_digits: bool = True
    is_padded: bool = False
    broken: int = 0
    errors: list[str] = field(default_factory=list)

    def add(self, ids: Sequence[str], lengths: npt.NDArray[np.int64]) -> None:
        """Add the lines of a part that have an id and a value."""
        if not ids:
            return
        least, most = int(lengths.min()), int(lengths.max())
        self.least = min(self.least, least) if self.hashes else least
        self.most = max(self.most, most)
        self.total += int(lengths.sum())
        self.hashes.extend(map(hash, ids))
        self.texts = _ends([*self.texts, *ids])
        digits = "".join(ids)
        self.is_digits = self.is_digits and digits.isascii() and digits.isdigit()
        if self.is_digits:
            self.is_padded = self.is_padded or any(key[0] == "0" and key != "0" for key in ids)
            self.numbers = _number_ends([*self.numbers, *ids])

    def add_broken(self, lines: Sequence[tuple[int, str]], unended: int | None) -> None:
        """Add the broken lines of a part; one that has no line end may be cut off."""
        self.broken += len(lines)
        for line, code in lines[: MAX_ERRORS - len(self.errors)]:
            self.errors.append(f"line {line} {PROBLEMS[code]}{CUT_OFF_HINT if line == unended else ''}")

    def to_dict(self, *, is_image: bool) -> dict[str, Any]:
        """Return the description."""
        rows = len(self.hashes)
        hashes = np.sort(np.frombuffer(self.hashes, dtype=np.int64))
        repeated = int((hashes[1:] == hashes[:-1]).sum())
        info: dict[str, Any] = {"kind": "images" if is_image else "texts", "rows": rows}
        if rows:
            lengths = {"min": self.least, "mean": self.total / rows, "max": self.most}
            info["ids"] = self._range()
            info["base64_bytes" if is_image else "bytes_of_text"] = lengths
        return {**info, **problems_of(self.errors + repeated_ids(repeated), self.broken + repeated)}

    def _range(self) -> list[Any]:
        """Return the smallest and the largest id: integers by value, and as strings if they have leading zeros."""
        ids = self.numbers if self.is_digits else self.texts
        is_integer = self.is_digits and not self.is_padded and len(ids[1]) <= MAX_DIGITS
        return [int(key) for key in ids] if is_integer else [truncate_id(key) for key in ids]


def describe_tsv(path: Path, head: bytes) -> dict[str, Any]:
    """Return the description of a TSV file of images or texts.

    Args:
        path: The file.
        head: Its first bytes.

    Returns:
        ``kind``, and of a TSV file ``rows``, ``ids``, lengths and ``problems``.

    Raises:
        OSError: The file cannot be read.

    """
    first = head.partition(b"\n")[0].rstrip(b"\r")
    key, tab, value = first.partition(b"\t")
    if not tab or not key.strip():
        return {"kind": "unknown"}
    # A short text may look like base64, but an image is never that short.
    is_image = len(value) >= MIN_IMAGE and BASE64.issuperset(value[:MAX_SAMPLE])
    summary, end, size = _Summary(), (0, 0), path.stat().st_size
    while end[0] < size:
        start = end
        ids, _, lengths, _, broken, end = _core.index_images(os.fspath(path), None, PART, PART, start)
        if end == start:
            # The file has been cut off meanwhile.
            break
        summary.add(ids, lengths)
        summary.add_broken(broken, end[1] if end[0] > size else None)
        if len(summary.hashes) + summary.broken >= MAX_LINES:
            summary.errors.insert(0, f"reading stopped after line {end[1]}; the file has more than are counted")
            break
    return summary.to_dict(is_image=is_image)


def _ends(texts: Sequence[str]) -> list[str]:
    """Return the smallest and the largest text."""
    return [min(texts), max(texts)]


def _number_ends(digits: Sequence[str]) -> list[str]:
    """Return the smallest and the largest number, without int(), which refuses numbers of thousands of digits."""
    if len(set(map(len, digits))) == 1:
        return _ends(digits)
    return [pick(digits, key=_number) for pick in (min, max)]


def _number(digits: str) -> tuple[int, str]:
    """Return a key that sorts numbers by their value."""
    stripped = digits.lstrip("0")
    return len(stripped), stripped
