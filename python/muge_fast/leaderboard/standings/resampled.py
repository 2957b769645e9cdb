"""Scores on resamples of the items, kept for each stored file: all rows of a board meet the same resamples."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from muge_fast.comparison.exchanges import Exchanges, exchange_items
from muge_fast.comparison.metric_rows import MetricRows, resampled_scores, units_of
from muge_fast.comparison.swaps import Swaps
from muge_fast.leaderboard.blobs.interface import Blobs
from muge_fast.leaderboard.standings.item_rows import MAX_BYTES, ItemRows, read_item_rows
from muge_fast.scores import FloatArray, without_engine
from muge_fast.significance import SEED

logger = logging.getLogger(__name__)

RESAMPLES = 2_000
"""Number of resamples: bounds of a 95 % interval vary by about 3 % of its width with the seed."""

MOST_KEPT = 1_000
"""Files whose resampled scores are kept, 16 KB each and 8 bytes for each item."""

ITEM_BYTES = 8
BATCH_BYTES = 1 << 24
"""Bytes of rows that are resampled at once."""


class Comparable(NamedTuple):
    """What scores must have in common to be compared item by item.

    Attributes:
        metric: Name of the score.
        signature: Its signature without the version of the package.
        order: Hash of the ids of the items in their order.
        sizes: Number of items of each sample.

    """

    metric: str
    signature: str
    order: str
    sizes: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ResampledScore:
    """A score and its values on the resamples.

    Attributes:
        key: What comparable scores have in common.
        value: The score, as the metric defines it.
        values: The score on each resample, float64.
        samples: The influence of each item, an array for each sample of items.

    """

    key: Comparable
    value: float
    values: FloatArray
    samples: tuple[FloatArray, ...]


class ResampledScores:
    """Resampled scores of stored files of item rows. One thread may use an object at a time.

    Args:
        blobs: The files.

    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._kept: OrderedDict[str, ResampledScore | None] = OrderedDict()

    def of(self, hashes: Iterable[str]) -> dict[str, ResampledScore]:
        """Return the resampled scores of files.

        Args:
            hashes: Hashes of the files.

        Returns:
            The scores by hash; files that are missing or broken are left out, with a warning in the log.

        """
        wanted = list(dict.fromkeys(hashes))
        found = {digest: self._kept[digest] for digest in wanted if digest in self._kept}
        for digest in found:
            self._kept.move_to_end(digest)
        batch: dict[str, ItemRows] = {}
        for digest in wanted:
            if digest in found:
                continue
            try:
                rows = load_item_rows(self._blobs, digest)
            except OSError:
                # It may be there the next time.
                logger.warning("the scores of items in the file %s cannot be read", digest, exc_info=True)
                continue
            if rows is None:
                found[digest] = None
                continue
            batch[digest] = rows
            if sum(sum(one.sizes) for one in batch.values()) * ITEM_BYTES >= BATCH_BYTES:
                found |= _resample(batch)
                batch = {}
        found |= _resample(batch)
        self._kept |= found
        while len(self._kept) > max(MOST_KEPT, len(wanted)):
            self._kept.popitem(last=False)
        return {digest: score for digest, score in found.items() if score is not None}


def load_item_rows(blobs: Blobs, digest: str) -> ItemRows | None:
    """Return the item rows of a file.

    Args:
        blobs: The files.
        digest: Hash of the file.

    Returns:
        The rows; None if the file is broken, with a warning in the log.

    Raises:
        OSError: The file is missing, or cannot be read now.

    """
    try:
        with blobs.local(digest) as path:
            if path.stat().st_size > MAX_BYTES:
                raise ValueError(f"it has more than {MAX_BYTES} bytes")
            return read_item_rows(path.read_bytes())
    except ValueError as error:
        logger.warning("the scores of items in the file %s are broken: %s", digest, error)
        return None


def comparable(rows: ItemRows) -> Comparable:
    """Return what scores must have in common with others to be compared with them.

    Args:
        rows: Item rows of a submission.

    Returns:
        The properties.

    """
    # Verdicts of one evaluator may be of several versions, if a package was upgraded without a new evaluation.
    parts = [part for part in without_engine(rows.signature).split("|") if not part.startswith("version:")]
    return Comparable(rows.metric, "|".join(parts), rows.order, rows.sizes)


def _resample(batch: Mapping[str, ItemRows]) -> dict[str, ResampledScore]:
    """Return the scores of files on the same resamples, all files of one kind at once."""
    groups: dict[Comparable, list[str]] = {}
    for digest, rows in batch.items():
        groups.setdefault(comparable(rows), []).append(digest)
    found = {}
    for key, digests in groups.items():
        values = [batch[digest].value for digest in digests]
        joint = _joint_rows(key, values, [batch[digest].samples for digest in digests])
        # One thread: this runs next to the threads that serve pages.
        table = resampled_scores(joint, RESAMPLES, SEED, 1)
        for column, (digest, value) in enumerate(zip(digests, values, strict=True)):
            drawn = np.ascontiguousarray(table[:, column])
            found[digest] = ResampledScore(key, float(value), drawn, batch[digest].samples)
    return found


def exchanged_scores(scores: Sequence[ResampledScore]) -> Exchanges:
    """Exchange the items of comparable scores at random, for tests of all pairs.

    Args:
        scores: The scores, all with one key.

    Returns:
        The scores before and after the exchanges.

    """
    rows = _joint_rows(scores[0].key, [score.value for score in scores], [score.samples for score in scores])
    return exchange_items(rows, Swaps("two-sided", RESAMPLES, SEED, threads=1))


def _joint_rows(key: Comparable, values: Sequence[float], samples: Sequence[tuple[FloatArray, ...]]) -> MetricRows:
    """Return the rows of comparable scores side by side."""
    joint = tuple(np.stack(columns, axis=1) for columns in zip(*samples, strict=True))
    counts = units_of(key.sizes[0], None).counts
    return MetricRows(key.metric, np.array(values), "influence", joint, joint[0], counts, None)
