"""Scores of captions that arrive in batches, or are scored by several processes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from muge_fast.caption.document_frequency import DocumentFrequency
from muge_fast.caption.options import DEFAULT_METRICS, CaptionMetric, ScoringOptions, Smoothing
from muge_fast.caption.scoring import Captions
from muge_fast.caption.texts import PredictionsLike, ReferencesLike
from muge_fast.scores import Scores
from muge_fast.text.tokenizers import TokenizerLike

CIDER = {"cider", "cider_d"}

NEEDS_FREQUENCY = (
    "CIDEr of batches needs one document_frequency for all of them: count it with DocumentFrequency.from_references, "
    "over shards with DocumentFrequency.merge, or leave CIDEr out of metrics"
)


class CaptionAccumulator:
    """Scores of captions, accumulated over batches and processes.

    The result equals :func:`muge_fast.score_captions` over all items, to the last bit. CIDEr needs document frequencies
    that are counted before, because it weighs n-grams by how many of all items have them.

    Args:
        metrics: Names of metrics, as for :func:`muge_fast.score_captions`.
        tokenizer: Name of a tokenizer, or a function from a text to its tokens.
        document_frequency: Document frequencies for CIDEr and CIDEr-D, counted with the same tokenizer.
        smoothing: Smoothing of BLEU.
        smoothing_value: Parameter of the smoothings ``"floor"`` and ``"add-k"``.
        effective_order: Whether BLEU skips the orders that a text is too short for.
        sigma: Standard deviation of CIDEr-D's length penalty.
        threads: Number of threads, at least 1; None for all cores. The result does not depend on it.

    Raises:
        TypeError: An option of the wrong type.
        ValueError: An unknown option, or CIDEr without ``document_frequency``.

    Example:
        >>> import muge_fast as mf
        >>> references = {"a": ["红色连衣裙"], "b": ["黑色男鞋"], "c": ["白色衬衫"]}
        >>> frequency = mf.DocumentFrequency.from_references(references)
        >>> accumulator = mf.CaptionAccumulator(document_frequency=frequency)
        >>> accumulator.update({"a": "红色裙子"}, {"a": references["a"]})
        >>> accumulator.update({"b": "黑鞋", "c": "白衬衫"}, {key: references[key] for key in "bc"})
        >>> accumulator.compute()["cider_d"].per_item.round(2).tolist()
        [2.14, 1.93, 3.47]

    """

    def __init__(
        self,
        *,
        metrics: Iterable[CaptionMetric] = DEFAULT_METRICS,
        tokenizer: TokenizerLike = "muge",
        document_frequency: DocumentFrequency | None = None,
        smoothing: Smoothing = "tiny",
        smoothing_value: float | None = None,
        effective_order: bool = False,
        sigma: float = 6.0,
        threads: int | None = None,
    ) -> None:
        options = ScoringOptions.check(
            metrics=metrics,
            smoothing=smoothing,
            smoothing_value=smoothing_value,
            effective_order=effective_order,
            sigma=sigma,
        )
        if document_frequency is None and CIDER & set(options.metrics):
            raise ValueError(NEEDS_FREQUENCY)
        self._of_references: dict[str, Any] = {
            "tokenizer": tokenizer,
            "document_frequency": document_frequency,
            "threads": threads,
        }
        self._of_scores: dict[str, Any] = {
            "metrics": options.metrics,
            "smoothing": smoothing,
            "smoothing_value": smoothing_value,
            "effective_order": effective_order,
            "sigma": sigma,
            "threads": threads,
        }
        self._shards: list[Scores] = []
        self._ids: set[Any] = set()
        # Made here, so that wrong options raise before there are captions; the signatures name all options.
        probe = Captions([[""]], **self._of_references).score([""], **self._of_scores)
        self._settings = " ".join(score.signature for score in probe.values())

    def __len__(self) -> int:
        return sum(len(shard.ids) for shard in self._shards)

    def __repr__(self) -> str:
        return f"<CaptionAccumulator of {len(self)} items, {', '.join(self._of_scores['metrics'])}>"

    def update(self, predictions: PredictionsLike, references: ReferencesLike) -> None:
        """Score a batch of captions, and add it.

        Args:
            predictions: One caption for each item, as for :func:`muge_fast.score_captions`.
            references: One or more captions for each item of the batch.

        Raises:
            TypeError: A text that is not a string; or a batch has ids and an earlier one has none, or the reverse.
            ValueError: Ids or lengths that differ, no items, an item without references, a text that is not valid
                Unicode, or an id that is in an earlier batch. The batch is then not added.

        Example:
            >>> import muge_fast as mf
            >>> accumulator = mf.CaptionAccumulator(metrics=["rouge_l"])
            >>> accumulator.update(["红裙"], [["红裙"]])
            >>> accumulator.compute()["rouge_l"].value
            1.0

        """
        captions = Captions(references, **self._of_references)
        # A mapping may leave out ids of its references here, which score_captions refuses.
        scores = captions.score(predictions, **self._of_scores)
        missing = len(captions) - len(set(scores.ids))
        if missing:
            raise ValueError(f"predictions lack {missing} of the {len(captions)} items of references")
        self._add(scores)

    def merge(self, other: CaptionAccumulator) -> None:
        """Add the items of another accumulator.

        Args:
            other: An accumulator with the same options and other items. It is not changed.

        Raises:
            TypeError: ``other`` is not a :class:`CaptionAccumulator`.
            ValueError: ``other`` is this object, has other options, or an id that this one has. Nothing is added then.

        Example:
            >>> import muge_fast as mf
            >>> first, second = (mf.CaptionAccumulator(metrics=["rouge_l"]) for _ in range(2))
            >>> second.update({"b": "黑鞋"}, {"b": ["黑鞋"]})
            >>> first.merge(second)
            >>> first
            <CaptionAccumulator of 1 items, rouge_l>

        """
        if not isinstance(other, CaptionAccumulator):
            raise TypeError(f"other must be a CaptionAccumulator, got {type(other).__name__}")
        if other is self:
            raise ValueError("other is this object itself: its items would count twice")
        if other._settings != self._settings:
            raise ValueError(f"other scores {other._settings}, this one {self._settings}")
        if other._shards:
            self._add(Scores.merge(other._shards))

    def compute(self) -> Scores:
        """Return the scores of all items so far.

        Returns:
            The scores, with items in the order of the batches.

        Raises:
            ValueError: There are no items.

        Example:
            >>> import muge_fast as mf
            >>> mf.CaptionAccumulator(metrics=["bleu"]).compute()
            Traceback (most recent call last):
            ...
            ValueError: no captions were added, needs at least one

        """
        if not self._shards:
            raise ValueError("no captions were added, needs at least one")
        if len(self._shards) > 1:
            # Batches of a training loop are small, and their rows are put together once.
            self._shards = [Scores.merge(self._shards)]
        return self._shards[0]

    def gather(self) -> CaptionAccumulator:
        """Return an accumulator of the captions of all processes of ``torch.distributed``, the same in every process.

        Returns:
            A new accumulator, with items in the order of ranks.

        Raises:
            TypeError: An id is neither an integer of 64 bits nor a string.
            ValueError: torch.distributed is not initialized, the processes have other options (raised in every
                process), or an id is in two processes.

        Example:
            >>> import muge_fast as mf
            >>> accumulator = mf.CaptionAccumulator(metrics=["bleu"])
            >>> accumulator.gather().compute()["bleu"].value  # doctest: +SKIP
            0.16

        """
        from muge_fast._internal.distributed import gather_bytes  # noqa: PLC0415 - it needs torch

        states = gather_bytes(self.compute().to_bytes() if self._shards else b"", self._settings)
        gathered = CaptionAccumulator.__new__(CaptionAccumulator)
        gathered.__dict__.update(self.__dict__, _shards=[], _ids=set())
        for state in filter(None, states):
            gathered._add(Scores.from_bytes(state))  # noqa: SLF001 - made here
        return gathered

    def _add(self, scores: Scores) -> None:
        has_ids = scores._ids is not None  # noqa: SLF001 - of this package
        if self._shards and has_ids != bool(self._ids):
            raise TypeError("some captions have ids and others have none; pass mappings in all batches, or in none")
        if has_ids:
            repeated = next((key for key in scores.ids if key in self._ids), None)
            if repeated is not None:
                raise ValueError(f"id {repeated!r} was added before")
            self._ids.update(scores.ids)
        self._shards.append(scores)
