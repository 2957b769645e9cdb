"""METEOR 1.5 of captions, as pycocoevalcap computes it with Java."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import Any

import numpy as np

from muge_fast import _core
from muge_fast.caption.meteor_data import MeteorData, with_data
from muge_fast.scores import AdditiveStatistics, FloatArray, ItemStatistics, Score, signature

MODULES = ("exact", "stem", "synonym", "paraphrase")

METEOR_COLUMNS = (
    "prediction_length",
    "reference_length",
    "prediction_function_words",
    "reference_function_words",
    *(
        f"{module}_{text}_{kind}_words"
        for module in MODULES
        for kind in ("content", "function")
        for text in ("prediction", "reference")
    ),
    "chunks",
    "prediction_matches",
    "reference_matches",
)
"""Columns of METEOR's statistics, in the order of the original."""


class MeteorReferences:
    """References that are prepared for METEOR.

    Args:
        references: A list of texts for each item.
        ids: Ids of the items, for errors; None for their indices.
        threads: Number of threads, at least 1; None for all cores.

    Attributes:
        data: The data of METEOR that they were prepared with.

    Raises:
        ValueError: An item without references, or a text that is not valid Unicode or has more than 10,000 words.
        TypeError: A text that is not a string.
        ImportError: A text has a Latin letter or digit, and pycocoevalcap is not installed.
        OSError: A file of pycocoevalcap is damaged.

    Example:
        >>> from muge_fast.caption.meteor import MeteorReferences
        >>> rows = MeteorReferences([["红色长裙"]]).score(["黑色男鞋"])
        >>> rows[0, :6].tolist()
        [4.0, 4.0, 0.0, 0.0, 1.0, 1.0]

    """

    def __init__(self, references: list[Any], ids: list[Any] | None = None, threads: int | None = None) -> None:
        self._arguments = references, ids, threads
        with_data(self._prepare)

    def _prepare(self, data: MeteorData) -> None:
        references, ids, threads = self._arguments
        self._core = _core.MeteorReferences(references, data.core, ids, threads)
        self.data = data

    def score(
        self,
        predictions: list[str],
        ids: list[Any] | None = None,
        items: list[int] | None = None,
        threads: int | None = None,
    ) -> FloatArray:
        """Return the statistics of one prediction for each item, or for each of those with the indices ``items``.

        Args:
            predictions: The predictions.
            ids: Ids of their items, for errors; None for indices.
            items: Indices of their items; None for all items in order.
            threads: Number of threads, at least 1; None for all cores.

        Returns:
            float64 of shape ``(predictions, 23)``, the columns of :data:`METEOR_COLUMNS`.

        Raises:
            ValueError: A number of predictions that differs from that of the items, or a text that is not valid Unicode
                or too long.
            TypeError: A text that is not a string.
            ImportError: A text has a Latin letter or digit, and pycocoevalcap is not installed.
            OSError: A file of pycocoevalcap is damaged.

        Example:
            >>> from muge_fast.caption.meteor import MeteorReferences, meteor_items
            >>> references = MeteorReferences([["红色长裙"], ["黑色男鞋"]])
            >>> meteor_items(references.score(["黑色男鞋"], items=[1])).tolist()
            [1.0]

        """

        def scored(data: MeteorData) -> FloatArray:
            # Damaged tables were made again, here or for other references.
            if data is not self.data:
                self._prepare(data)
            return self._core.score(predictions, ids, items, threads)

        return with_data(scored)


def meteor_rows(
    predictions: list[str],
    references: list[list[str]],
    ids: list[Hashable] | None = None,
    threads: int | None = None,
) -> FloatArray:
    """Return METEOR's statistics of one prediction for each item, the numbers that the original program prints.

    Args:
        predictions: A prediction for each item.
        references: A list of at least one text for each item.
        ids: Ids of the items, for errors; None for their indices.
        threads: Number of threads, at least 1; None for all cores. The result does not depend on it.

    Returns:
        float64 of shape ``(items, 23)``, the columns of :data:`METEOR_COLUMNS`.

    Raises:
        ValueError: Different numbers of items, an item without references, or a text that is not valid Unicode or too
            long.
        TypeError: A text that is not a string.
        ImportError: A text has a Latin letter or digit, and pycocoevalcap is not installed.
        OSError: A file of pycocoevalcap is damaged.

    Example:
        >>> from muge_fast.caption.meteor import meteor_rows
        >>> meteor_rows(["的的的的的"], [["的 的"]])[0, [0, 1, 4, 5, 20]].tolist()
        [5.0, 2.0, 2.0, 2.0, 1.0]

    """
    if not predictions and not references:
        return np.zeros((0, len(METEOR_COLUMNS)))
    return MeteorReferences(references, ids, threads).score(predictions, ids, threads=threads)


def meteor_items(rows: FloatArray) -> FloatArray:
    """Return METEOR of each item.

    Args:
        rows: Statistics of the items.

    Returns:
        float64 of shape ``(items,)``, each 0 to 1.

    Example:
        >>> from muge_fast.caption.meteor import meteor_items, meteor_rows
        >>> meteor_items(meteor_rows(["红色长裙", "红色长裙"], [["红色长裙"], ["黑色男鞋"]])).tolist()
        [1.0, 0.1]

    """
    return _core.meteor_items(np.ascontiguousarray(rows))


def meteor_corpus(rows: FloatArray) -> float:
    """Return METEOR of all items together, which is a function of the sum of their statistics.

    Args:
        rows: Statistics of the items.

    Returns:
        The score, 0 to 1; 0 without items.

    Example:
        >>> from muge_fast.caption.meteor import meteor_corpus, meteor_rows
        >>> round(meteor_corpus(meteor_rows(["红色长裙", "红色长裙"], [["红色长裙"], ["黑色男鞋"]])), 4)
        0.3532

    """
    return _core.meteor_corpus(np.ascontiguousarray(rows))


def meteor_score(fingerprint: str, rows: FloatArray) -> Score:
    """Return the METEOR of items with these statistics.

    Args:
        fingerprint: Hash of the data, for the signature.
        rows: Statistics of the items, float64 of shape ``(items, 23)``.

    Returns:
        The score of all items together.

    Example:
        >>> from muge_fast.caption.meteor import meteor_rows, meteor_score
        >>> score = meteor_score("none", meteor_rows(["红裙"], [["红裙"]]))
        >>> score.value, score.signature.rpartition("|")[0]
        (1.0, 'meteor|language:en|normalization:yes|modules:exact,stem,synonym,paraphrase|data:none')

    """
    per_item = meteor_items(rows)
    return Score(
        name="meteor",
        value=meteor_corpus(rows),
        per_item=per_item,
        signature=signature("meteor", language="en", normalization="yes", modules=",".join(MODULES), data=fingerprint),
        parts={"mean_of_items": _core.mean(per_item)} if len(per_item) else {},
        statistics=ItemStatistics(METEOR_COLUMNS, rows),
        _rescore=partial(meteor_score, fingerprint),
        _additive=_additive,
    )


def _additive(statistics: ItemStatistics) -> AdditiveStatistics:
    """Return the additive statistics of METEOR."""
    from muge_fast.caption.meteor_sums import additive_meteor  # noqa: PLC0415 - few scores are resampled

    return additive_meteor(statistics)
