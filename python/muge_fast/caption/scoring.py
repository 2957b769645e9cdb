"""Caption metrics: CIDEr-D, CIDEr, BLEU, ROUGE-L and METEOR."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence, Sized
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from muge_fast import _core
from muge_fast._internal.caller_warnings import warn_caller
from muge_fast._internal.checks import align_ids, find_repeated, other_form_hint
from muge_fast._internal.display import format_argument, quantity
from muge_fast._internal.labelled import plain_ids, refuse_other_index
from muge_fast._internal.paths import PathLike
from muge_fast.caption.document_frequency import DocumentFrequency
from muge_fast.caption.options import BLEU_COLUMNS, DEFAULT_METRICS, ORDERS, CaptionMetric, ScoringOptions, Smoothing
from muge_fast.caption.texts import PredictionsLike, ReferencesLike, split_predictions, split_references
from muge_fast.scores import AdditiveStatistics, FloatArray, ItemStatistics, Score, Scores, mean_score, signature
from muge_fast.text.tokenizers import Tokenizer, TokenizerLike

if TYPE_CHECKING:
    from muge_fast.caption.meteor import MeteorReferences

# Captions that are tokenized to find out whether a list holds tokens.
CAPTIONS_TO_CHECK = 16

MERGE_ERROR = (
    "each shard counted document frequencies in its own references; "
    "pass one document_frequency to all shards, or score batches with one Captions"
)


def score_captions(
    predictions: PredictionsLike,
    references: ReferencesLike,
    *,
    tokenizer: TokenizerLike = "muge",
    user_dict: PathLike | None = None,
    metrics: Iterable[CaptionMetric] = DEFAULT_METRICS,
    smoothing: Smoothing = "tiny",
    smoothing_value: float | None = None,
    effective_order: bool = False,
    sigma: float = 6.0,
    document_frequency: DocumentFrequency | None = None,
    threads: int | None = None,
) -> Scores:
    """Score one caption per item against the item's references.

    An empty caption is valid and scores 0. Options are checked before any text is tokenized, but ``threads`` only after
    a tokenizer that is a function has run.

    Args:
        predictions: One caption for each item: a mapping from id, a sequence, or a list of results of COCO, such as
            ``[{"image_id": 1, "caption": "…"}]``. A pandas Series is a mapping from its index unless that is the
            default one; columns of polars, Arrow and Hugging Face datasets are sequences; a table of these packages has
            the columns ``image_id``, and ``caption`` or ``text``. In a mapping, a list of one caption is the caption.
        references: One or more captions for each item: a mapping with the ids of ``predictions`` in any order, a
            sequence of the same length, annotations of COCO, ``{"annotations": [{"image_id": 1, "caption": "…"}]}``, or
            a table like those of predictions, with lists of captions or several rows for an id. Items may have
            different numbers of references.
        tokenizer: ``"muge"`` (each Chinese character and each run of ASCII letters and digits is a token: the rule of
            the MUGE caption task), ``"char"``, ``"whitespace"``, ``"space"``, ``"jieba"``, ``"13a"``, ``"zh"``, or a
            function from a text to its tokens. :func:`muge_fast.tokenize` defines each name.
        user_dict: Path of a user dictionary in jieba's format, for the tokenizer ``"jieba"`` only.
        metrics: Names of metrics, at least one, without repetitions; the result has their order. Other names of the
            same metric, such as ``"CIDEr-D"``, ``"BLEU"`` or ``"bleu_4"``, are accepted. Except for BLEU, the
            statistics of an item (:class:`muge_fast.scores.ItemStatistics`) are its score, in one column named like the
            metric.

            - ``"cider_d"``: CIDEr-D (Vedantam et al., 2015), 0 to 10, as in pycocoevalcap, whose class ``Cider``
              computes CIDEr-D. The value is the mean over items.
            - ``"cider"``: CIDEr without clipping and length penalty, 0 to 10, as in github.com/ruotianluo/cider. The
              value is the mean over items.
            - ``"bleu"``: corpus BLEU-4 (Papineni et al., 2002), 0 to 1; ``per_item`` is BLEU-4 of each item alone.
              ``parts`` has ``bleu_1`` to ``bleu_4``, ``brevity_penalty``, and the total ``prediction_length`` and
              ``reference_length`` in tokens. Statistics have ten columns: ``prediction_length``,
              ``reference_length`` (the closest one of the item's references, the shorter one on ties),
              ``matches_1`` to ``matches_4`` (clipped n-gram matches) and ``ngrams_1`` to ``ngrams_4`` (n-grams of the
              prediction).
            - ``"rouge_l"``: ROUGE-L (Lin, 2004), 0 to 1, as in pycocoevalcap: F-score with beta 1.2, precision and
              recall each maximized over the references. The value is the mean over items.
            - ``"meteor"``: METEOR 1.5 of all items together, 0 to 1, as in pycocoevalcap (``-l en -norm``), which is
              also how Chinese is scored: each Chinese character is a word. The captions are normalized by METEOR's own
              rules, whatever ``tokenizer`` is. ``per_item`` is METEOR of each item alone; ``parts`` has
              ``mean_of_items``, as the value is not their mean. Statistics have the 23 columns of the original. Texts
              with Latin letters or digits need the data of pycocoevalcap (``pip install 'muge-fast[coco]'``, which is
              why METEOR is not among the default metrics). A text has at most 10,000 words.
        smoothing: Smoothing of BLEU, for orders without a matching n-gram: ``"tiny"`` as in pycocoevalcap, or
            ``"none"``, ``"floor"``, ``"add-k"``, ``"exp"`` as in sacrebleu (Chen and Cherry, 2014).
        smoothing_value: Positive parameter of the smoothings ``"floor"`` (None for 0.1) and ``"add-k"`` (None for 1).
        effective_order: Whether BLEU skips the orders that a text is too short for, as with sacrebleu's option of that
            name. It has no effect with the smoothing ``"tiny"``.
        sigma: Standard deviation of CIDEr-D's Gaussian length penalty, in tokens, positive.
        document_frequency: Document frequencies for CIDEr and CIDEr-D, counted with the same tokenizer; None to
            count them in ``references``.
        threads: Number of threads, at least 1; None for all cores. The result has the same bits for any number.

    Returns:
        Scores by metric name, each with ``value``, ``per_item`` (float64, in the order of ``references``), ``parts``,
        ``statistics`` and ``signature``.

    Raises:
        ValueError: Ids or lengths that differ, no items, an item without references, a text that is not valid Unicode
            (a lone surrogate), an unknown or repeated metric, an unknown tokenizer or smoothing, a number out of its
            range, or document frequencies of another tokenizer. The message names the item or the option.
        TypeError: A text that is not a string, an option of the wrong type, or a mapping together with a sequence.
        OSError: The user dictionary cannot be read, or the data of METEOR is damaged.
        ImportError: METEOR of a text with Latin letters or digits, and pycocoevalcap is not installed.

    Warns:
        UserWarning: CIDEr of a single item without ``document_frequency``, which is always 0.

    Example:
        >>> import muge_fast as mf
        >>> references = {"a": ["红色连衣裙夏季新款", "夏季红色长裙"], "b": ["黑色真皮男鞋", "男士黑皮鞋"]}
        >>> predictions = {"a": "夏季新款红色连衣裙", "b": "黑色皮鞋男"}
        >>> scores = mf.score_captions(predictions, references)
        >>> round(scores["bleu"].value, 4), round(scores["rouge_l"].value, 4)
        (0.6124, 0.7036)
        >>> scores["bleu"].signature
        'bleu|order:4|smoothing:tiny|effective_order:no|tokenizer:muge|version:0.2.0'

    """
    options = ScoringOptions.check(
        metrics=metrics,
        smoothing=smoothing,
        smoothing_value=smoothing_value,
        effective_order=effective_order,
        sigma=sigma,
    )
    captions = Captions.__new__(Captions)
    # These references are used at once and cannot change in between, so they are not copied.
    captions._prepare(  # noqa: SLF001 - defined here
        references, tokenizer, user_dict, document_frequency, threads
    )
    return captions._score(predictions, None, options, threads, whole=True)  # noqa: SLF001 - defined here


class Captions:
    """References that are tokenized and counted once, to score many sets of predictions against them.

    Instances are immutable, so a copy is the object itself; they may be shared between threads. A pickle holds the
    tokens of the references, which are counted again when it is loaded. A tokenizer that is a function is pickled by
    its name.

    Args:
        references: One or more captions for each item: a mapping from id, a sequence, or annotations of COCO, as for
            :func:`score_captions`. Items may have different numbers of references.
        tokenizer: ``"muge"`` (each Chinese character and each run of ASCII letters and digits is a token: the rule of
            the MUGE caption task), ``"char"``, ``"whitespace"``, ``"space"``, ``"jieba"``, ``"13a"``, ``"zh"``, or a
            function from a text to its tokens. :func:`muge_fast.tokenize` defines each name.
        user_dict: Path of a user dictionary in jieba's format, for the tokenizer ``"jieba"`` only.
        document_frequency: Document frequencies for CIDEr and CIDEr-D, counted with the same tokenizer; None to
            count them in ``references``.
        threads: Number of threads, at least 1; None for all cores. No result depends on it.

    Raises:
        ValueError: No items, an item without references, a text that is not valid Unicode (a lone surrogate), an
            unknown tokenizer, or document frequencies of another tokenizer.
        TypeError: A text that is not a string, or an option of the wrong type.
        OSError: The user dictionary cannot be read.

    Example:
        >>> import muge_fast as mf
        >>> captions = mf.Captions({"a": ["红色连衣裙"], "b": ["黑色男鞋"]})
        >>> for predictions in [{"a": "红色裙子", "b": "黑色男鞋"}, {"a": "红色连衣裙", "b": "黑色男鞋"}]:
        ...     print(round(captions.score(predictions)["rouge_l"].value, 3))
        0.827
        1.0

    """

    _texts: list[Any]
    _meteor: MeteorReferences | None

    def __init__(
        self,
        references: ReferencesLike,
        *,
        tokenizer: TokenizerLike = "muge",
        user_dict: PathLike | None = None,
        document_frequency: DocumentFrequency | None = None,
        threads: int | None = None,
    ) -> None:
        self._prepare(references, tokenizer, user_dict, document_frequency, threads)
        self._texts = list(map(tuple, self._texts))

    def _prepare(
        self,
        references: ReferencesLike,
        tokenizer: TokenizerLike,
        user_dict: PathLike | None,
        document_frequency: DocumentFrequency | None,
        threads: int | None,
    ) -> None:
        """Tokenize the references. Their texts are kept for METEOR, which has its own words."""
        if not isinstance(document_frequency, (DocumentFrequency, type(None))):
            type_name = type(document_frequency).__name__
            raise TypeError(f"document_frequency: expected a DocumentFrequency, found {type_name}")
        ids, texts_by_item = split_references(references)
        self._ids = ids
        self._texts = texts_by_item
        self._meteor = None
        self._tokenizer = Tokenizer.resolve(tokenizer, user_dict)
        self._frequency = document_frequency
        self._counted_in_references: str | None = None
        counted_with = document_frequency.tokenizer if document_frequency is not None else None
        if counted_with not in (None, self._tokenizer.signature):
            raise ValueError(
                f"document_frequency was counted with tokenizer {counted_with}, not {self._tokenizer.signature}"
            )
        texts = self._tokenizer.prepare_nested(texts_by_item, "references", ids)
        frequency = None if document_frequency is None else document_frequency.core
        self._core = _core.References(texts, self._tokenizer.core, ids, frequency, threads)

    def __len__(self) -> int:
        return len(self._core)

    def __copy__(self) -> Captions:
        return self

    def __deepcopy__(self, _: object) -> Captions:
        return self

    def __getstate__(self) -> tuple[Any, ...]:
        tokens = self._core.to_ids()
        return self._ids, self._tokenizer, self._frequency, self._counted_in_references, tokens, self._texts

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Prepare the references of a pickle again, from their tokens."""
        self._ids, self._tokenizer, self._frequency, self._counted_in_references, tokens, self._texts = state
        self._meteor = None
        frequency = None if self._frequency is None else self._frequency.core
        self._core = _core.References(_nested_tokens(*tokens), None, self._ids, frequency)

    @cached_property
    def _index_by_id(self) -> dict[Hashable, int] | None:
        """The index of each id: not needed, and so not made, where predictions have the order of the references."""
        return None if self._ids is None else {item: index for index, item in enumerate(self._ids)}

    def __repr__(self) -> str:
        return f"Captions({quantity(len(self), 'item')}, tokenizer {self._tokenizer.signature})"

    @property
    def ids(self) -> list[Hashable]:
        """The id of each item, in the order of the references; its index if they came without ids. Do not modify it."""
        return list(range(len(self))) if self._ids is None else self._ids

    def score(
        self,
        predictions: PredictionsLike,
        *,
        ids: Iterable[Hashable] | None = None,
        metrics: Iterable[CaptionMetric] = DEFAULT_METRICS,
        smoothing: Smoothing = "tiny",
        smoothing_value: float | None = None,
        effective_order: bool = False,
        sigma: float = 6.0,
        threads: int | None = None,
    ) -> Scores:
        """Score predictions against the prepared references.

        Args:
            predictions: A mapping from ids of the references, all or some of them, to a caption or to a list of
                captions; a sequence with one caption for each item; with ``ids``, a sequence with one caption for each
                of them; or a list of results of COCO. Other objects as for :func:`score_captions`. Ids that a mapping
                lacks are left out of the result; :func:`score_captions` refuses to leave any out.
            ids: Score only these items, in this order: ids of the references, or indices if they came without ids.
                An id may occur several times. For batches of a training loop.
            metrics: Names of metrics, at least one, without repetitions: ``"cider_d"`` (0 to 10), ``"cider"``
                (0 to 10), ``"bleu"``, ``"rouge_l"``, ``"meteor"`` (0 to 1), as :func:`score_captions` defines them.
            smoothing: Smoothing of BLEU, for orders without a matching n-gram: ``"tiny"`` as in pycocoevalcap, or
                ``"none"``, ``"floor"``, ``"add-k"``, ``"exp"`` as in sacrebleu.
            smoothing_value: Positive parameter of the smoothings ``"floor"`` (None for 0.1) and ``"add-k"`` (None for
                1).
            effective_order: Whether BLEU skips the orders that a text is too short for, as with sacrebleu's option of
                that name. It has no effect with the smoothing ``"tiny"``.
            sigma: Standard deviation of CIDEr-D's Gaussian length penalty, in tokens, positive.
            threads: Number of threads, at least 1; None for all cores. The result does not depend on it.

        Returns:
            Scores by metric name. ``scores.ids`` has the order of the items: that of ``ids``; that of the references if
            the mapping has all of their ids once; otherwise that of the mapping, where an id with several captions is
            repeated. CIDEr always weighs n-grams by the document frequencies of all references.

        Raises:
            ValueError: Ids or lengths that differ, an id that the references do not have, no items, a text that is
                not valid Unicode, an unknown or repeated metric, an unknown smoothing, or a number out of its range.
            TypeError: A prediction that is not a string, an option of the wrong type, or a mapping where the
                references or ``ids`` need a sequence.

        Warns:
            UserWarning: CIDEr of a single item without ``document_frequency``, which is always 0; lists that seem to
                hold the tokens of a caption.

        Example:
            >>> import muge_fast as mf
            >>> captions = mf.Captions({"a": ["红色连衣裙"], "b": ["黑色男鞋"]})
            >>> samples = captions.score({"b": ["黑鞋", "男鞋"]}, metrics=["rouge_l"])
            >>> samples.ids, samples["rouge_l"].per_item.round(3).tolist()
            (['b', 'b'], [0.629, 0.629])
            >>> batch = captions.score(["黑鞋", "黑色男鞋"], ids=["b", "b"], metrics=["rouge_l"])
            >>> batch.ids, batch["rouge_l"].per_item.round(3).tolist()
            (['b', 'b'], [0.629, 1.0])

        """
        options = ScoringOptions.check(
            metrics=metrics,
            smoothing=smoothing,
            smoothing_value=smoothing_value,
            effective_order=effective_order,
            sigma=sigma,
        )
        return self._score(predictions, ids, options, threads, whole=False)

    def _score(
        self,
        predictions: PredictionsLike,
        ids: Iterable[Hashable] | None,
        options: ScoringOptions,
        threads: int | None,
        *,
        whole: bool,
    ) -> Scores:
        """Score predictions: one for each reference if ``whole``, which skips building tables for reuse."""
        item_ids, texts, chosen = self._align(predictions, ids, whole=whole)
        of_tokens = [name for name in options.metrics if name != "meteor"]
        arrays = self._core.score(
            self._tokenizer.prepare(texts, "predictions", item_ids),
            self._tokenizer.core,
            of_tokens,
            ids=item_ids,
            items=chosen,
            sigma=options.sigma,
            orders=len(ORDERS),
            threads=threads,
            keep_tables=not whole,
        )
        if len(of_tokens) < len(options.metrics):
            arrays["meteor"] = self._meteor_rows(texts, item_ids, chosen, threads)
        self._warn_about_single_item(options.metrics)
        is_batch = chosen is not None
        scores = {name: self._make_score(name, arrays[name], options, is_batch=is_batch) for name in options.metrics}
        return Scores(scores, len(texts), item_ids)

    def _meteor_rows(
        self, texts: list[str], ids: list[Hashable] | None, chosen: list[int] | None, threads: int | None
    ) -> FloatArray:
        """Return METEOR's statistics of predictions, after preparing the references in the first call."""
        from muge_fast.caption.meteor import MeteorReferences  # noqa: PLC0415 - few scores are METEOR

        if self._meteor is None:
            self._meteor = MeteorReferences(self._texts, self._ids, threads)
        return self._meteor.score(texts, ids, chosen, threads)

    def _align(
        self, predictions: PredictionsLike, ids: Iterable[Hashable] | None, *, whole: bool
    ) -> tuple[list[Hashable] | None, list[str], list[int] | None]:
        """Return the ids and predictions of the result and the indices of its items, None when all are in order."""
        prediction_ids, texts = split_predictions(predictions)
        if ids is not None:
            if prediction_ids is not None:
                raise TypeError(
                    "predictions: expected a sequence together with ids, found a mapping; "
                    "a mapping has its own ids, so leave ids out"
                )
            refuse_other_index(predictions, ids, ("predictions", "ids"))
            return self._choose(ids, texts)
        if prediction_ids is None and self._ids is None:
            return None, texts, None
        if prediction_ids is None and not texts:
            raise ValueError("predictions is empty, needs at least one item")
        if prediction_ids is None or self._ids is None:
            kinds = ("a sequence", "a mapping") if prediction_ids is None else ("a mapping", "a sequence")
            raise TypeError(f"predictions are {kinds[0]} but references {kinds[1]}; pass both as the same kind")
        if prediction_ids == self._ids:
            return self._ids, texts, None
        index_by_id = cast("dict[Hashable, int]", self._index_by_id)
        is_complete = len(prediction_ids) == len(index_by_id) and set(prediction_ids) == index_by_id.keys()
        if not whole and not is_complete:
            if isinstance(predictions, Sized) and len(prediction_ids) > len(predictions):
                self._warn_about_tokens(texts)
            return prediction_ids, texts, self._indices_of_predictions(prediction_ids)
        _refuse_samples(prediction_ids)
        order = align_ids(prediction_ids, self._ids, given_name="predictions", wanted_name="references")
        return self._ids, [texts[index] for index in order], None

    def _indices_of_predictions(self, ids: list[Hashable]) -> list[int]:
        """Return the index of the item of each id of a mapping."""
        indices = self._find(ids)
        if indices is not None:
            return indices
        unknown = [item for item in dict.fromkeys(ids) if self._find([item]) is None]
        count = f"{len(unknown)} id{'s' if unknown[1:] else ''}"
        listed = ", ".join(map(format_argument, unknown[:3])) + (f" and {len(unknown) - 3} more" if unknown[3:] else "")
        hint = other_form_hint(unknown[0], self.ids)
        raise ValueError(f"predictions have {count} not in references: {listed}{hint}")

    def _choose(
        self, ids: Iterable[Hashable], texts: list[str]
    ) -> tuple[list[Hashable] | None, list[str], list[int] | None]:
        """Return the given ids, their predictions, and the indices of their items."""
        if isinstance(ids, str) and self._find([ids]):
            raise TypeError(f"ids must be a list of ids, got the string {format_argument(ids)}; write [{ids!r}]")
        if isinstance(ids, str):
            # Its characters may be ids.
            ids = list(ids)
        item_ids = ids if type(ids) is list else plain_ids(ids, "ids")
        indices = self._find(item_ids)
        if indices is None:
            # Integers of NumPy and torch become those of Python.
            item_ids = plain_ids(item_ids, "ids")
            indices = self._find(item_ids)
        if indices is not None:
            if len(indices) != len(texts):
                raise ValueError(
                    f"predictions have {len(texts)} captions, but ids {len(indices)}; pass one for each id"
                )
            return item_ids, texts, indices
        position = next(index for index, item in enumerate(item_ids) if self._find([item]) is None)
        hint = other_form_hint(item_ids[position], self.ids)
        raise ValueError(f"ids[{position}] is {item_ids[position]!r}, not an id of the references{hint}")

    def _find(self, ids: list[Any]) -> list[int] | None:
        """Return the index of the item of each id; None if one of them is unknown."""
        # Training loops score small batches many times: ids are looked up all at once.
        if self._index_by_id is None:
            is_valid = not ids or (set(map(type, ids)) == {int} and min(ids) >= 0 and max(ids) < len(self))
            return ids if is_valid else None
        try:
            return list(map(self._index_by_id.__getitem__, ids))
        except (KeyError, TypeError):
            # A TypeError for what cannot be an id.
            return None

    def _warn_about_tokens(self, captions: list[str]) -> None:
        """Warn if lists of captions seem to be lists of tokens: no caption has more than one token."""
        first = captions[:CAPTIONS_TO_CHECK]
        tokens = _core.tokenize(self._tokenizer.prepare(first, "predictions"), self._tokenizer.core)
        if all(len(tokens_of_caption) <= 1 for tokens_of_caption in tokens):
            warn_caller(
                "predictions have lists of captions of one token each. If they are the tokens of one caption, pass "
                "' '.join(tokens) and tokenizer='whitespace'."
            )

    def _warn_about_single_item(self, metrics: Sequence[str]) -> None:
        if self._frequency is None and len(self) == 1 and {"cider", "cider_d"} & set(metrics):
            warn_caller(
                "CIDEr of a single item is 0: every n-gram occurs in all items, so its weight is 0. "
                "Pass document_frequency counted over a larger set."
            )

    def _make_score(self, name: str, array: FloatArray, options: ScoringOptions, *, is_batch: bool) -> Score:
        tokenizer = self._tokenizer.signature
        if name == "bleu":
            return _bleu(tokenizer, options.smoothing, options.smoothing_value, options.effective_order, array)
        if name == "rouge_l":
            return mean_score(name, _rouge_l_signature(tokenizer), array)
        if name == "meteor":
            from muge_fast.caption.meteor import meteor_score  # noqa: PLC0415

            return meteor_score(cast("MeteorReferences", self._meteor).data.fingerprint, array)
        merge_error = ""
        if self._frequency is not None:
            counted = self._frequency.fingerprint
        elif is_batch:
            # Batches of equal references have equal signatures, so they can be merged.
            self._counted_in_references = counted = self._counted_in_references or self._describe_references()
        else:
            counted, merge_error = "references", MERGE_ERROR
        return mean_score(
            name, _cider_signature(name, options.sigma, counted, tokenizer), array, merge_error=merge_error
        )

    def _describe_references(self) -> str:
        return f"references({len(self)} items, {self._core.fingerprint():016x})"


def _refuse_samples(ids: list[Hashable]) -> None:
    repeated = find_repeated(ids)
    if repeated is not None:
        item = ids[repeated]
        raise ValueError(
            f"predictions have {ids.count(item)} captions for id {item!r}, need one; Captions(references)"
            ".score(predictions) scores several, and ' '.join(tokens) with tokenizer='whitespace' one list of tokens"
        )


def _nested_tokens(
    spellings: list[str], tokens: NDArray[np.uint32], text_lengths: NDArray[np.uint32], item_counts: NDArray[np.uint32]
) -> list[list[list[str]]]:
    """Return the tokens of each text of each item."""
    words = np.array(spellings, dtype=object)[tokens].tolist()
    return _cut(_cut(words, text_lengths), item_counts)


def _cut(values: list[Any], lengths: NDArray[np.uint32]) -> list[Any]:
    """Cut a list into lists of these lengths."""
    ends = np.cumsum(lengths, dtype=np.int64)
    return [values[start:end] for start, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True)]


# Cached for training loops, which score small batches many times.
@lru_cache
def _rouge_l_signature(tokenizer: str) -> str:
    return signature("rouge_l", beta=1.2, tokenizer=tokenizer)


@lru_cache
def _cider_signature(name: str, sigma: float, counted: str, tokenizer: str) -> str:
    sigma_text = _shortest_repr(sigma) if name == "cider_d" else None
    return signature(name, n=len(ORDERS), sigma=sigma_text, document_frequency=counted, tokenizer=tokenizer)


def _bleu(tokenizer: str, smoothing: str, value: float | None, effective_order: bool, rows: FloatArray) -> Score:
    """Return the BLEU of the items with these statistics, float64 of shape ``(items, 10)``."""
    by_order, brevity_penalty = _core.bleu_score(rows, smoothing, value, effective_order=effective_order)
    parts = {f"bleu_{order}": score for order, score in zip(ORDERS, by_order, strict=True)}
    parts["brevity_penalty"] = brevity_penalty
    parts["prediction_length"], parts["reference_length"] = rows[:, :2].sum(axis=0).tolist()
    smoothing_name = smoothing if value is None else f"{smoothing}({_shortest_repr(value)})"
    effective = "yes" if effective_order else "no"
    return Score(
        name="bleu",
        value=by_order[-1],
        per_item=_core.bleu_items(rows, smoothing, value, effective_order=effective_order)[:, -1].copy(),
        signature=signature(
            "bleu", order=len(ORDERS), smoothing=smoothing_name, effective_order=effective, tokenizer=tokenizer
        ),
        parts=parts,
        statistics=ItemStatistics(BLEU_COLUMNS, rows),
        _rescore=partial(_bleu, tokenizer, smoothing, value, effective_order),
        _additive=partial(_additive_bleu, smoothing, value, effective_order),
    )


def _shortest_repr(number: float) -> str:
    """Return the fewest digits that distinguish the number from all others."""
    return f"{number:g}" if float(f"{number:g}") == number else repr(float(number))


def _additive_bleu(
    smoothing: str, value: float | None, effective_order: bool, statistics: ItemStatistics
) -> AdditiveStatistics:
    """Return the additive statistics of BLEU."""
    from muge_fast.caption.bleu_sums import additive_bleu  # noqa: PLC0415 - few scores are resampled

    return additive_bleu(smoothing, value, effective_order, statistics)
