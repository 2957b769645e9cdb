"""Caption metrics: CIDEr-D, CIDEr, BLEU and ROUGE-L."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import partial
from numbers import Real
from typing import Any, NoReturn

import numpy as np

from muge_fast import _core
from muge_fast.caption.document_frequency import DocumentFrequency
from muge_fast.scores import FloatArray, ItemStatistics, Score, Scores, mean_score, signature
from muge_fast.text.tokenizers import Tokenizer, TokenizerLike, split_ids

METRICS = ("cider_d", "bleu", "rouge_l", "cider")
DEFAULT_METRICS = ("cider_d", "bleu", "rouge_l")
ORDERS = range(1, 5)
BLEU_COLUMNS = (
    "prediction_length",
    "reference_length",
    *(f"matches_{order}" for order in ORDERS),
    *(f"ngrams_{order}" for order in ORDERS),
)


def score_captions(
    predictions: Mapping[Any, str] | Sequence[str],
    references: Mapping[Any, Sequence[str]] | Sequence[Sequence[str]],
    *,
    tokenizer: TokenizerLike = "muge",
    user_dict: str | os.PathLike[str] | None = None,
    metrics: Sequence[str] = DEFAULT_METRICS,
    smoothing: str = "tiny",
    smoothing_value: float | None = None,
    effective_order: bool = False,
    sigma: float = 6.0,
    document_frequency: DocumentFrequency | None = None,
    threads: int | None = None,
) -> Scores:
    """Score one caption for each item against the item's references.

    Args:
        predictions: A caption for each item: a mapping from id, or a sequence.
        references: One or more captions for each item: a mapping with the same ids, or a sequence of the same length.
            Items may have different numbers of references.
        tokenizer: As for :func:`muge_fast.tokenize`; the default is the rule of the MUGE caption task.
        user_dict: Path of a user dictionary, for the tokenizer ``"jieba"``.
        metrics: Any of

            - ``"cider_d"``: CIDEr-D (Vedantam et al., 2015) as in pycocoevalcap, whose class ``Cider`` it is. 0 to 10.
            - ``"cider"``: CIDEr without clipping and length penalty, as in ruotianluo/cider. 0 to 10.
            - ``"bleu"``: BLEU-4 (Papineni et al., 2002); BLEU-1 to 3 are among its ``parts``. 0 to 1.
            - ``"rouge_l"``: ROUGE-L (Lin, 2004) as in pycocoevalcap: beta 1.2, precision and recall each maximised
              over the references. 0 to 1.
        smoothing: BLEU where an order of n-grams has no match: ``"tiny"`` as pycocoevalcap, or sacrebleu's
            ``"none"``, ``"floor"``, ``"add-k"``, ``"exp"``.
        smoothing_value: For ``"floor"`` (default 0.1) and ``"add-k"`` (default 1).
        effective_order: BLEU of short texts leaves out the orders that they cannot have, as sacrebleu's option.
        sigma: Width of CIDEr-D's length penalty, in tokens.
        document_frequency: Counts for CIDEr and CIDEr-D; they are counted in ``references`` if it is None.
        threads: Number of threads; None for all cores. The result does not depend on it, not in the last bit.

    Returns:
        Scores by metric name, each with ``value``, ``per_item`` and ``signature``.

    Raises:
        ValueError: Ids that differ, unequal lengths, no items, an item without references, a text that is not valid
            Unicode, an unknown name of a metric, tokenizer or smoothing. The message names the row.
        TypeError: A text that is not a string.

    An empty caption is valid and scores 0.

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
    captions = _CaptionsOnce(
        references, tokenizer=tokenizer, user_dict=user_dict, document_frequency=document_frequency, threads=threads
    )
    return captions.score(
        predictions,
        metrics=metrics,
        smoothing=smoothing,
        smoothing_value=smoothing_value,
        effective_order=effective_order,
        sigma=sigma,
        threads=threads,
    )


class Captions:
    """References tokenised and counted once, for scoring many sets of predictions against them.

    It does not change, so a copy is the object itself. It cannot be pickled, because the references are not kept as
    they were: another process makes one of its own.

    Args:
        references: As for :func:`score_captions`.
        tokenizer: As for :func:`muge_fast.tokenize`.
        user_dict: Path of a user dictionary, for the tokenizer ``"jieba"``.
        document_frequency: Counts for CIDEr and CIDEr-D; they are counted in ``references`` if it is None.
        threads: Number of threads; None for all cores.

    Raises:
        ValueError: No items, an item without references, a text that is not valid Unicode, or document frequencies
            of another tokenizer.
        TypeError: A text that is not a string.

    Example:
        >>> import muge_fast as mf
        >>> captions = mf.Captions({"a": ["红色连衣裙"], "b": ["黑色男鞋"]})
        >>> for predictions in [{"a": "红色裙子", "b": "黑色男鞋"}, {"a": "红色连衣裙", "b": "黑色男鞋"}]:
        ...     print(round(captions.score(predictions)["rouge_l"].value, 3))
        0.827
        1.0

    """

    _once = False
    """Whether nothing has to be kept for a second scoring."""

    def __init__(
        self,
        references: Mapping[Any, Sequence[str]] | Sequence[Sequence[str]],
        *,
        tokenizer: TokenizerLike = "muge",
        user_dict: str | os.PathLike[str] | None = None,
        document_frequency: DocumentFrequency | None = None,
        threads: int | None = None,
    ) -> None:
        ids, rows = split_ids(references, "references")
        self._ids = ids
        self._places = None if ids is None else {item: place for place, item in enumerate(ids)}
        self._tokenizer = Tokenizer.of(tokenizer, user_dict)
        self._frequency = document_frequency
        if not isinstance(document_frequency, (DocumentFrequency, type(None))):
            found = type(document_frequency).__name__
            raise TypeError(f"document_frequency: expected a DocumentFrequency, found {found}")
        made_by = document_frequency.tokenizer if document_frequency is not None else None
        if made_by not in (None, self._tokenizer.signature):
            raise ValueError(
                f"document_frequency was counted with tokenizer {made_by}, not {self._tokenizer.signature}"
            )
        texts = self._tokenizer.nested_texts(rows, "references", ids)
        core = None if document_frequency is None else document_frequency.core
        self._core = _core.References(texts, self._tokenizer.core, ids, core, threads)

    def __len__(self) -> int:
        return len(self._core)

    def __copy__(self) -> Captions:
        return self

    def __deepcopy__(self, _: object) -> Captions:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("Captions cannot be pickled: hand over the references, and make Captions of them again")

    def __repr__(self) -> str:
        return f"Captions({len(self)} items, tokenizer {self._tokenizer.signature})"

    @property
    def ids(self) -> list[Hashable]:
        """The id of each item; its index where references came without ids."""
        return list(range(len(self))) if self._ids is None else self._ids

    def score(
        self,
        predictions: Mapping[Any, str] | Sequence[str],
        *,
        ids: Sequence[Hashable] | None = None,
        metrics: Sequence[str] = DEFAULT_METRICS,
        smoothing: str = "tiny",
        smoothing_value: float | None = None,
        effective_order: bool = False,
        sigma: float = 6.0,
        threads: int | None = None,
    ) -> Scores:
        """Score predictions; the references are not read again.

        Args:
            predictions: One caption for each item, as for :func:`score_captions`.
            ids: Score only these items, one prediction each, in this order; an id may come several times. For
                batches of a training loop. ``predictions`` is then a sequence.
            metrics: As for :func:`score_captions`, and so are all other options.
            smoothing: See there.
            smoothing_value: See there.
            effective_order: See there.
            sigma: See there.
            threads: See there.

        Raises:
            ValueError: As :func:`score_captions`.
            TypeError: A prediction that is not a string.

        """
        metrics = _check(metrics, smoothing, smoothing_value, sigma)
        # As they are counted with and signed: one of NumPy's in single precision equals a shorter number than it is.
        sigma, smoothing_value = float(sigma), None if smoothing_value is None else float(smoothing_value)
        scored, rows, items = self._align(predictions, ids)
        arrays = self._core.rows(
            self._tokenizer.texts(rows, "predictions", scored),
            self._tokenizer.core,
            list(metrics),
            scored,
            items,
            sigma=sigma,
            orders=len(ORDERS),
            once=self._once,
            threads=threads,
        )
        cider = self._cider_options(metrics)
        made: dict[str, Score] = {}
        for name in metrics:
            if name == "bleu":
                made[name] = _bleu(self._tokenizer.signature, smoothing, smoothing_value, effective_order, arrays[name])
            elif name == "rouge_l":
                signed = signature(name, beta=1.2, tokenizer=self._tokenizer.signature)
                made[name] = mean_score(name, signed, arrays[name])
            else:
                width = {"sigma": _digits(sigma)} if name == "cider_d" else {}
                signed = signature(name, n=4, **width, document_frequency=cider[0], tokenizer=self._tokenizer.signature)
                made[name] = mean_score(name, signed, arrays[name], merge_error=cider[1])
        return Scores(made, len(rows), scored)

    def _align(
        self, predictions: Mapping[Any, str] | Sequence[str], ids: Sequence[Hashable] | None
    ) -> tuple[list[Hashable] | None, list[str], list[int] | None]:
        """Ids, predictions in the order of the references or of ``ids``, and the items that they belong to."""
        found, rows = split_ids(predictions, "predictions")
        if ids is not None:
            if found is not None:
                raise TypeError("predictions: expected a sequence where ids are given, found a mapping")
            ids = list(ids)
            return ids, rows, self._items(ids)
        if (found is None) != (self._places is None):
            kinds = ("mapping", "sequence") if self._places is None else ("sequence", "mapping")
            raise TypeError(f"predictions are a {kinds[0]} but references a {kinds[1]}; give both as the same kind")
        if found is None or self._places is None:
            return None, rows, None
        _compare(found, self._places)
        by_id: Mapping[Any, str] = predictions  # type: ignore[assignment]
        return self._ids, [by_id[item] for item in self.ids], None

    def _items(self, ids: list[Any]) -> list[int]:
        """The item that each id belongs to."""
        # A training loop asks for few items many times: indices are checked together.
        if self._places is None and set(map(type, ids)) == {int} and min(ids) >= 0 and max(ids) < len(self):
            return ids
        return [self._place(item, row) for row, item in enumerate(ids)]

    def _place(self, item: Hashable, row: int) -> int:
        if self._places is not None and item in self._places:
            return self._places[item]
        is_index = isinstance(item, (int, np.integer)) and not isinstance(item, bool)
        if self._places is None and is_index and 0 <= item < len(self):  # type: ignore[operator]
            return int(item)  # type: ignore[call-overload, no-any-return]
        raise ValueError(f"ids[{row}] is {item!r}, which is no id of the references")

    def _cider_options(self, metrics: Sequence[str]) -> tuple[str, str]:
        """Return the document frequencies as CIDEr's signature names them, and why its items cannot be merged."""
        if self._frequency is not None:
            return self._frequency.fingerprint, ""
        if len(self) == 1 and {"cider", "cider_d"} & set(metrics):
            warnings.warn(
                "CIDEr of a single item is 0: every n-gram occurs in all items, so none has weight. "
                "Give document_frequency counted over a larger set.",
                UserWarning,
                stacklevel=_levels_inside(),
            )
        reason = "each shard counted its own references; give all shards one document_frequency"
        return "references", reason


class _CaptionsOnce(Captions):
    """References that are scored a single time, which is quicker."""

    _once = True


def _levels_inside() -> int:
    """How many frames lie in this file, so that a warning points at the caller."""
    frame, levels = sys._getframe(1), 1  # noqa: SLF001 - what the warnings module itself reads
    while frame is not None and frame.f_code.co_filename == __file__:
        frame, levels = frame.f_back, levels + 1  # type: ignore[assignment]
    return levels


def _compare(found: list[Hashable], wanted: Mapping[Hashable, int]) -> None:
    given = set(found)
    missing = [item for item in wanted if item not in given]
    if missing:
        raise ValueError(f"predictions lack {_some(missing)}")
    unknown = [item for item in found if item not in wanted]
    if unknown:
        raise ValueError(f"predictions have {_some(unknown)} that references do not have")


def _some(ids: list[Hashable]) -> str:
    shown = ", ".join(map(repr, ids[:3]))
    return f"id {shown}" if len(ids) == 1 else f"{len(ids)} ids ({shown}{', ...' if len(ids) > 3 else ''})"  # noqa: PLR2004


def _check(metrics: Iterable[str], smoothing: str, smoothing_value: float | None, sigma: float) -> tuple[str, ...]:
    """The names of the metrics, if all options are right."""
    if isinstance(metrics, str):
        raise TypeError(f"metrics: expected a sequence of names, found str; write ({metrics!r},)")
    names = tuple(metrics)
    for name in names:
        if name not in METRICS:
            raise ValueError(f"unknown metric {name!r}, choose from {', '.join(METRICS)}")
    for option, value in (("sigma", sigma), ("smoothing_value", 1 if smoothing_value is None else smoothing_value)):
        # NumPy's numbers are among them.
        if not isinstance(value, Real):
            raise TypeError(f"{option}: expected a number, found {type(value).__name__}")
    if not 0 < sigma < np.inf or (isinstance(sigma, int) and sigma > sys.float_info.max):
        raise ValueError(f"sigma is {sigma}, needs a positive number")
    # Refuses unknown names before any work is done.
    _core.bleu_score(np.zeros((0, 10)), smoothing, smoothing_value, effective_order=False)
    return names


def _bleu(tokenizer: str, smoothing: str, value: float | None, effective_order: bool, rows: FloatArray) -> Score:
    by_order, brevity_penalty = _core.bleu_score(rows, smoothing, value, effective_order)
    parts = {f"bleu_{order}": score for order, score in enumerate(by_order, 1)}
    parts["brevity_penalty"] = brevity_penalty
    parts["prediction_length"], parts["reference_length"] = rows[:, :2].sum(axis=0).tolist()
    named = smoothing if value is None else f"{smoothing}({_digits(value)})"
    effective = "yes" if effective_order else "no"
    return Score(
        name="bleu",
        value=by_order[-1],
        per_item=_core.bleu_items(rows, smoothing, value, effective_order)[:, -1].copy(),
        signature=signature("bleu", order=4, smoothing=named, effective_order=effective, tokenizer=tokenizer),
        parts=parts,
        statistics=ItemStatistics(BLEU_COLUMNS, rows),
        _rescore=partial(_bleu, tokenizer, smoothing, value, effective_order),
    )


def _digits(value: float) -> str:
    """As few digits as tell the number from all others."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(float(value))
