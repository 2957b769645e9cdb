"""The file of a verdict with the influence of each item on the main score: its writer for workers, and its reader.

A score and the influence of its items, :attr:`muge_fast.Score.influence`, suffice for intervals, and for tests of any
two submissions of one evaluator: exactly for means over items, to first order for other metrics. The file has the same
form for every metric and a few kilobytes. It is never shown, since scores of items reveal references.

The file is a zip archive with ``header.json``, and ``influence_0`` with the bytes of float64 in little endian, one for
each item; FID has ``influence_1`` as well. It may come from a process that read a hostile submission, so the reader
trusts nothing. It is not ``.npz``, whose reader allocates as much memory as a header asks for.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from muge_fast.scores import FloatArray, Scores

FORMAT = 1
HEADER = "header.json"
TYPE = np.dtype("<f8")
MOST_SAMPLES = 2
MAX_BYTES = 1 << 23
"""Largest size of a file when it is unpacked: about a million items, which are resampled in seconds."""

# Squares of sums of larger numbers overflow.
LARGEST = 1e150

# What the standard library raises for a file that is broken on purpose.
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError),
    *(KeyError, TypeError, ValueError, OverflowError, RecursionError),
)


@dataclass(frozen=True, eq=False)
class ItemRows:
    """The main score of a submission with the influence of its items.

    Attributes:
        metric: Name of the score.
        signature: Signature of the score.
        value: The score, as the metric defines it.
        order: Hash of the ids of the items in their order: scores of equal hashes are of the same items.
        samples: The influence of each item, an array for each sample of items.

    """

    metric: str
    signature: str
    value: float
    order: str
    samples: tuple[FloatArray, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of items of each sample."""
        return tuple(len(sample) for sample in self.samples)


def write_item_rows(scores: Scores, metric: str) -> bytes | None:
    """Return the file of a verdict. Equal scores give equal bytes.

    Args:
        scores: The scores of a valid submission.
        metric: Name of the score that ranks.

    Returns:
        The bytes; None for scores whose influence is not computed, such as FID without ``influence=True``, for fewer
        than two items or more than a million, and for values that are not finite.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.leaderboard.standings.item_rows import read_item_rows, write_item_rows
        >>> scores = mf.score_retrieval({1: [5], 2: [6]}, {1: [5], 2: [7]}, ks=[1])
        >>> found = read_item_rows(write_item_rows(scores, "mean_recall"))
        >>> found.value, found.samples[0].tolist()
        (0.5, [0.5, -0.5])

    """
    score = scores[metric]
    if not abs(score.value) < LARGEST:
        return None
    try:
        samples = score.influence
    except ValueError:
        return None
    if not all(_is_usable(rows) for rows in samples):
        return None
    header = {
        "format": FORMAT,
        "metric": metric,
        "signature": score.signature,
        "value": float(score.value).hex(),
        "order": _order(scores),
        "samples": len(samples),
    }
    members = {HEADER: json.dumps(header, sort_keys=True).encode()}
    members |= {_name(index): np.asarray(rows, dtype=TYPE).tobytes() for index, rows in enumerate(samples)}
    if sum(map(len, members.values())) > MAX_BYTES:
        return None
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            # Without the present time, so that equal scores give equal bytes.
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def read_item_rows(data: bytes) -> ItemRows:
    """Return what a file of a verdict holds.

    Args:
        data: The bytes of :func:`write_item_rows`.

    Returns:
        The score and the influence of its items.

    Raises:
        ValueError: The bytes are not such a file, or too large.

    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise ValueError(f"it has more than {MAX_BYTES} bytes")
            header = json.loads(archive.read(HEADER))
            if header["format"] != FORMAT:
                raise ValueError(f"its format is {header['format']}, not {FORMAT}")
            count = header["samples"]
            if count not in range(1, MOST_SAMPLES + 1):
                raise ValueError(f"it has {count} samples, not 1 to {MOST_SAMPLES}")
            samples = [np.frombuffer(archive.read(_name(index)), dtype=TYPE) for index in range(count)]
            return _checked(header, [rows.astype(np.float64) for rows in samples])
    except UNREADABLE as error:
        raise ValueError(f"not a file of scores of items: {error}") from error


def _checked(header: dict[str, Any], samples: list[FloatArray]) -> ItemRows:
    value = float.fromhex(header["value"])
    if not abs(value) < LARGEST or not all(_is_usable(rows) for rows in samples):
        raise ValueError("a number is not finite or too large, or there are fewer than two items")
    texts = [header[name] for name in ("metric", "signature", "order")]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("its header has values of other types")
    metric, signature, order = texts
    return ItemRows(metric, signature, value, order, tuple(samples))


def _is_usable(rows: FloatArray) -> bool:
    # NaN is not less than anything. One huge number would spoil the tests of all rows of a board.
    return len(rows) >= 2 and bool((np.abs(rows) * len(rows) < LARGEST).all())  # noqa: PLR2004 - a variance


def _name(index: int) -> str:
    return f"influence_{index}"


def _order(scores: Scores) -> str:
    """Return a hash of the ids in their order; ids are integers or text."""
    return hashlib.sha256(json.dumps(scores.ids, default=repr).encode()).hexdigest()
