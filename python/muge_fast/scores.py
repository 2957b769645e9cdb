"""Scores: the result types of all metrics."""

from __future__ import annotations

import html
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.checks import find_repeated, fold_name, suggest
from muge_fast._internal.display import quantity
from muge_fast._internal.optional import import_pandas
from muge_fast.significance import RESAMPLES, SEED, mean_of_sums

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from muge_fast.significance.intervals import Interval, IntervalMethod, IntervalOptions

__all__ = ["ItemStatistics", "Score", "Scores", "mean_score", "set_score", "signature"]

FloatArray = npt.NDArray[np.float64]

SET_MERGE_ERROR = "a score of a whole set does not follow from scores of its items; merge the metric objects instead"
"""Why FID and other metrics of whole sets cannot be merged or resampled, for errors."""


@dataclass(frozen=True, eq=False)
class ItemStatistics:
    """Sufficient statistics of a metric: a few numbers per item, which determine the score of any set of items.

    The concatenated rows of several sets, or the rows of a bootstrap sample, are the statistics of those items, so
    merging, resampling and paired tests need nothing else. :meth:`Score.with_statistics` computes a score from rows.

    Attributes:
        columns: Names of the columns:

            - metrics whose value is the mean over items, such as CIDEr-D, ROUGE-L, recall, nDCG or accuracy: one
              column named like the metric, the score of the item.
            - BLEU: ``prediction_length``, ``reference_length``, ``matches_1`` to ``matches_4``, ``ngrams_1`` to
              ``ngrams_4``.
            - mean recall: ``recall@K`` for each K.
            - macro F1: ``label`` and ``predicted_label``, as indices of the sorted labels of the set.
            - metrics of a whole set, such as FID: no columns.
        rows: float64 of shape ``(items, columns)``, in the order of ``Scores.ids``; shape ``(0, 0)`` for metrics of a
            whole set.

    Example:
        >>> import muge_fast as mf
        >>> score = mf.score_captions(["红色连衣裙", "黑鞋"], [["红色连衣裙"], ["黑色皮鞋"]])["bleu"]
        >>> score.statistics.columns[:3], score.statistics.rows[:, :3].tolist()
        (('prediction_length', 'reference_length', 'matches_1'), [[5.0, 5.0, 5.0], [2.0, 4.0, 2.0]])

    """

    columns: tuple[str, ...]
    rows: FloatArray

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class AdditiveStatistics:
    """Rows of a score whose sums determine it, and the score as a function of sums.

    ``of_sums`` of the sum of all rows is the value of the score. For metrics of whole numbers, such as BLEU, recall and
    accuracy, the bits are equal; the mean of real numbers may differ in its last bits, since :func:`numpy.mean` adds in
    another order.

    Attributes:
        columns: Names of the columns. Two scores of one metric may have different columns only for macro F1, whose
            columns name labels: put them together by name, and fill those that are missing with zeros.
        rows: float64 of shape ``(items, columns)``.
        of_sums: Takes sums of rows, of shape ``(samples, columns)``, and the number of items in each of these sums, and
            returns the score of each sample.
        gradient: Takes the sum of all rows and the number of items, and returns the derivative of the score by each
            column of the sum. It is zero where the score does not change, and at kinks.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.scores import additive_statistics
        >>> score = mf.score_captions(["红色连衣裙", "黑鞋"], [["红色连衣裙"], ["黑色皮鞋"]])["bleu"]
        >>> additive = additive_statistics(score)
        >>> additive.rows.shape, additive.influence().round(2).tolist()
        ((2, 10), [0.36, -0.36])

    """

    columns: tuple[str, ...]
    rows: FloatArray
    of_sums: Callable[[FloatArray, npt.NDArray[Any]], FloatArray]
    gradient: Callable[[FloatArray, int], FloatArray]

    @property
    def is_mean(self) -> bool:
        """Whether the score is a mean over items of the mean of the columns."""
        return self.of_sums is mean_of_sums

    def influence(self) -> FloatArray:
        """Return the change of the score with the weight of each item, times the number of items.

        Returns:
            float64 of shape ``(items,)``. The mean is zero, and the variance divided by the number of items is that of
            the score to first order.

        """
        gradient = self.gradient(self.rows.sum(axis=0), len(self.rows))
        changes: FloatArray = (self.rows - self.rows.mean(axis=0)) @ (gradient * len(self.rows))
        return changes


WITH_INFLUENCE = {
    "fid": "fid, fid_from_features",
    "kid": "kid, kid_from_features, KID.compute",
    "is": "inception_score, inception_score_from_logits",
}
"""Metrics of a whole set whose influence is computed on request, with their functions of ``muge_fast.image``."""

NO_ITEMS: FloatArray = np.empty(0)
NO_PARTS: Mapping[str, float] = MappingProxyType({})
NO_STATISTICS = ItemStatistics((), np.empty((0, 0)))


class Score(float):
    """The score of one metric over a set of items: a ``float`` with the scores of its items and its options.

    Scoring functions return it; there is no need to create one. Wherever a number is expected it is ``value``: in
    comparisons, arithmetic, format specifications such as ``f"{score:.2f}"``, JSON, NumPy, torch and loggers. It can be
    pickled and copied, and its attributes are read-only.

    Attributes:
        name: Name of the metric, such as ``"cider_d"``.
        value: The score of the whole set as a plain float, in the range that the metric's function documents.
        per_item: The score of each item, float64 of shape ``(items,)``, in the order of ``Scores.ids``. Empty for
            metrics that are not defined for a single item, such as FID.
        signature: Everything needed to reproduce the number: options, tokenizer, version, separated by ``|``.
        parts: Further numbers by name, such as ``"brevity_penalty"`` of BLEU or ``"std"`` of a mean over splits.
        statistics: Sufficient statistics of each item, see :class:`ItemStatistics`.
        higher_is_better: Whether a larger value is better.

    Example:
        >>> import muge_fast as mf
        >>> score = mf.score_captions(["红色连衣裙", "黑鞋"], [["红色连衣裙"], ["黑色皮鞋"]])["rouge_l"]
        >>> score.name, round(score, 4), score.per_item.round(4).tolist(), score > 0.8
        ('rouge_l', 0.8144, [1.0, 0.6289], True)
        >>> score
        Score(rouge_l=0.8144, items=2, signature='rouge_l|beta:1.2|tokenizer:muge|version:0.2.0')

    """

    name: str
    value: float
    per_item: FloatArray
    signature: str
    parts: Mapping[str, float]
    statistics: ItemStatistics
    higher_is_better: bool
    _rescore: Callable[[FloatArray], Score] | None
    _merge_error: str
    # Set for few metrics: creating a score takes longer with each attribute.
    _additive: Callable[[ItemStatistics], AdditiveStatistics] | None = None
    _influence: tuple[FloatArray, ...] | None = None

    def __new__(  # noqa: PLR0917, PYI034 - the order of the attributes; Self needs Python 3.11
        cls,
        name: str,
        value: float | None = None,
        per_item: FloatArray = NO_ITEMS,
        signature: str = "",
        parts: Mapping[str, float] = NO_PARTS,
        statistics: ItemStatistics = NO_STATISTICS,
        higher_is_better: bool = True,
        *,
        _rescore: Callable[[FloatArray], Score] | None = None,
        _merge_error: str = "",
        _additive: Callable[[ItemStatistics], AdditiveStatistics] | None = None,
        _influence: tuple[FloatArray, ...] | None = None,
    ) -> Score:
        """Create a score from its attributes, or a plain float from a number alone, as ``statistics.mean`` does."""
        if value is None:
            return cast("Score", float(name))
        score = super().__new__(cls, value)
        # Not a frozen dataclass: loggers refuse those, and creating one takes longer.
        score.__dict__.update(
            name=name,
            value=value,
            per_item=per_item,
            signature=signature,
            parts=parts,
            statistics=statistics,
            higher_is_better=higher_is_better,
            _rescore=_rescore,
            _merge_error=_merge_error,
        )
        if _additive is not None:
            score.__dict__["_additive"] = _additive
        if _influence is not None:
            score.__dict__["_influence"] = _influence
        return score

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"scores are read-only, cannot set {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"scores are read-only, cannot delete {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_score, (type(self), dict(self.__dict__))

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else repr(self)

    __str__ = object.__str__

    def __repr__(self) -> str:
        items = f", items={len(self.per_item)}" if len(self.per_item) else ""
        return f"Score({self.name}={self.value:.4f}{items}, signature={self.signature!r})"

    def _repr_html_(self) -> str:
        return _html_table([self])

    @property
    def influence(self) -> tuple[FloatArray, ...]:
        """Influence of each item: the change of the score with the item's weight, times the number of items.

        One float64 array for each sample that the score is computed from. FID and KID have two, of the generated and of
        the real images; FID against :class:`muge_fast.image.Statistics` has the first alone, for real images that are
        fixed. All other metrics have one.

        The mean of an array is zero. The variance of the score, if other items had been drawn, is the sum over arrays
        of their variance divided by their length: exactly for means, and to first order for other metrics.

        - Means over items, such as CIDEr-D, recall or CLIPScore: ``per_item`` minus its mean. Document frequencies of
          CIDEr are fixed, and so is the other set of images for precision, recall and coverage of images.
        - BLEU and macro F1: from their derivatives by the sums of ``statistics``. Where an order of n-grams has few
          matches, or a label few items, a bootstrap is better.
        - FID, KID and the Inception Score: computed by the functions of :mod:`muge_fast.image` with ``influence=True``,
          whose documentation says how near the standard errors are.

        Raises:
            ValueError: The score was computed without ``influence=True``, or the metric does not have it, such as
                density and FID of infinitely many images.

        Example:
            >>> import muge_fast as mf
            >>> score = mf.score_captions(["红色连衣裙", "黑鞋"], [["红色连衣裙"], ["黑色皮鞋"]])["rouge_l"]
            >>> [values.round(4).tolist() for values in score.influence]
            [[0.1856, -0.1856]]

        """
        if self._influence is not None:
            return self._influence
        additive = additive_statistics(self)
        if additive is not None:
            return (additive.influence(),)
        if self.name in WITH_INFLUENCE:
            functions = f"{WITH_INFLUENCE[self.name]} or score_images of muge_fast.image"
            raise ValueError(
                f"{self.name} was computed without the influence of images: pass influence=True to {functions}"
            )
        raise ValueError(f"muge_fast does not compute the influence of images on {self.name}")

    def interval(
        self,
        level: float = 0.95,
        method: IntervalMethod = "bootstrap",
        resamples: int = RESAMPLES,
        seed: int = SEED,
        *,
        clusters: Sequence[object] | npt.NDArray[Any] | None = None,
        threads: int | None = None,
        expand: bool = False,
    ) -> Interval:
        """Compute a confidence interval of the score: how far it may be from that of all items of this kind.

        The items are resampled, not the references, weights or seeds of the training; CIDEr's document frequencies
        stay as they are. To compare two systems, use the interval of their difference, not two intervals.

        The resamples of ``"bootstrap"`` and ``"bca"`` are those of ``numpy.random.default_rng(seed)``, as
        :func:`muge_fast.bootstrap_interval` describes them. BLEU and macro F1 are computed from the sums of the
        statistics of the resampled items.

        Args:
            level: Nominal probability that such intervals contain the true score, between 0 and 1.
            method: How the bounds are computed:

                - ``"bootstrap"``: quantiles of the scores of resampled items (percentile method).
                - ``"bca"``: the same quantiles after a correction of bias and skewness, for fewer than about 200 items.
                - ``"normal"``: score ± z · standard error, without resamples, from the influence of each item. The only
                  method for FID, KID and the Inception Score, which must be computed with ``influence=True``.
                - ``"wilson"``: Wilson's interval of a proportion, without resamples, for metrics that are 0 or 1 for
                  each item, such as recall of one relevant item or accuracy.
            resamples: Number of resamples, at least ``2 / (1 - level)``.
            seed: Seed of the resamples, an integer of at least 0.
            clusters: A key for each item, in the order of ``Scores.ids``: items with equal keys, such as the captions
                of one image or the queries of one user, are resampled together. None if each item stands alone.
            threads: Number of threads, at least 1; None for all cores. The result does not depend on it.
            expand: Whether to widen the interval for few items, which matters below about 100, as
                :func:`muge_fast.bootstrap_interval` describes it. Not for ``"wilson"``.

        Returns:
            The interval, which unpacks as ``low, high``. Items with equal statistics give an interval of zero width.

        Raises:
            TypeError: An option of the wrong type.
            ValueError: Fewer than two items, an option out of range, an unknown method or one that is not defined for
                the metric, or keys of clusters that do not fit the items.

        Example:
            >>> import muge_fast as mf
            >>> references = [["红色连衣裙"], ["黑色皮鞋"], ["白色衬衫"], ["蓝色牛仔裤"]]
            >>> score = mf.score_captions(["红色裙子", "黑色皮鞋", "白衬衫", "牛仔裤"], references)["rouge_l"]
            >>> low, high = score.interval()
            >>> round(low, 2), round(score, 2), round(high, 2)
            (0.69, 0.8, 0.93)

        """
        from muge_fast.significance.intervals import IntervalOptions  # noqa: PLC0415 - few scores need an interval

        options = IntervalOptions.check(
            level=level, method=method, resamples=resamples, seed=seed, threads=threads, expand=expand
        )
        return _score_interval(self, options, clusters)

    def to_dict(self) -> dict[str, Any]:
        """Return the score as a dictionary of plain Python objects, which JSON can represent.

        Returns:
            ``"name"``, ``"value"``, ``"parts"``, ``"items"`` (the number of items), ``"signature"`` and
            ``"higher_is_better"``. Scores of items are not included.

        Example:
            >>> import muge_fast as mf
            >>> mf.score_captions(["红鞋"], [["红鞋"]], metrics=["rouge_l"])["rouge_l"].to_dict()["value"]
            1.0

        """
        return {
            "name": self.name,
            "value": float(self.value),
            "parts": {name: float(value) for name, value in self.parts.items()},
            "items": len(self.per_item),
            "signature": self.signature,
            "higher_is_better": self.higher_is_better,
        }

    def to_pandas(self) -> pd.Series[Any]:
        """Return the score of each item as a pandas Series.

        Returns:
            A float64 series named like the metric, with the default index; :meth:`Scores.to_pandas` has the ids.

        Raises:
            ImportError: pandas is not installed.

        Example:
            >>> import muge_fast as mf
            >>> score = mf.score_captions(["红鞋"], [["红鞋"]], metrics=["rouge_l"])["rouge_l"]
            >>> score.to_pandas().tolist()  # doctest: +SKIP
            [1.0]

        """
        return import_pandas().Series(self.per_item, name=self.name)

    def to_arrow(self) -> pa.Array:
        """Return the score of each item as an array of Arrow.

        Returns:
            A float64 array that shares the memory of ``per_item``; :meth:`Scores.to_arrow` has the ids.

        Raises:
            ImportError: pyarrow, the extra ``arrow``, is not installed.

        Example:
            >>> import muge_fast as mf
            >>> score = mf.score_captions(["红鞋"], [["红鞋"]], metrics=["rouge_l"])["rouge_l"]
            >>> score.to_arrow().to_pylist()  # doctest: +SKIP
            [1.0]

        """
        from muge_fast._internal.output_tables import import_arrow  # noqa: PLC0415 - few scores become tables

        return import_arrow().array(self.per_item)

    def with_influence(self, influence: Sequence[npt.ArrayLike]) -> Score:
        """Return the same score with other influence rows, such as the same ones in the order of ids.

        Args:
            influence: Rows of each sample, see :attr:`influence`.

        Returns:
            The score.

        Example:
            >>> from muge_fast.scores import set_score
            >>> score = set_score("is", "is|version:0", 9.1, influence=([1.0, -1.0],))
            >>> score.with_influence(([-1.0, 1.0],)).influence[0].tolist()
            [-1.0, 1.0]

        """
        rows = tuple(np.ascontiguousarray(sample, dtype=np.float64) for sample in influence)
        return type(self)(**{**self.__dict__, "_influence": rows})

    def with_statistics(self, rows: npt.ArrayLike) -> Score:
        """Compute the score of a set of items from their statistics, under the same options.

        Args:
            rows: Rows of ``statistics.rows``, of shape ``(items, columns)`` and at least one: a subset, a bootstrap
                sample, or the rows of several shards. Converted to float64.

        Returns:
            A score with the signature of this one, equal to scoring those items directly.

        Raises:
            ValueError: A wrong number of columns, no rows, a value that is not finite, or a metric of a whole set.

        Example:
            >>> import muge_fast as mf
            >>> score = mf.score_captions(["红色连衣裙", "黑鞋"], [["红色连衣裙"], ["黑色皮鞋"]])["bleu"]
            >>> round(score.with_statistics(score.statistics.rows[:1]).value, 4)
            1.0

        """
        table = np.ascontiguousarray(rows, dtype=np.float64)
        if self._rescore is None:
            raise ValueError(f"{self.name}: {SET_MERGE_ERROR}")
        if table.ndim != 2 or table.shape[1] != len(self.statistics.columns) or not len(table):  # noqa: PLR2004
            needed = f"(items, {len(self.statistics.columns)}) with at least one item"
            raise ValueError(f"rows has shape {table.shape}, needs {needed}")
        finite = np.isfinite(table).all(axis=1)
        if not finite.all():
            raise ValueError(f"rows[{int(finite.argmin())}] has a value that is not finite")
        return self._rescore(table)


class Scores(Mapping[str, Score]):
    """Scores by metric name, in the order in which the metrics were requested.

    A read-only mapping that can be pickled and copied. Scoring functions return it; there is no need to create one.

    Args:
        scores: The scores by name.
        items: Number of items; 0 for metrics of a whole set.
        ids: The id of each item; None if items have no ids.

    Example:
        >>> import muge_fast as mf
        >>> scores = mf.score_captions({"a": "红鞋"}, {"a": ["红鞋"]}, metrics=["bleu", "rouge_l"])
        >>> list(scores), scores.ids, scores["rouge_l"].value
        (['bleu', 'rouge_l'], ['a'], 1.0)

    """

    def __init__(self, scores: Mapping[str, Score], items: int = 0, ids: list[Hashable] | None = None) -> None:
        self._scores = dict(scores)
        self._ids = ids
        self._items = items

    @property
    def ids(self) -> list[Hashable]:
        """The id of each item, in the order of ``per_item``; its index if items came without ids."""
        return list(range(self._items)) if self._ids is None else self._ids

    def __getitem__(self, name: str) -> Score:
        try:
            return self._scores[name]
        except KeyError:
            hint = self._hint(name) if isinstance(name, str) else ""
            raise KeyError(f"no metric {name!r}, these scores have {', '.join(self._scores)}{hint}") from None

    def _hint(self, name: str) -> str:
        """Return where a part of a score is, or the most similar name."""
        for metric, score in self._scores.items():
            folded = {fold_name(part): part for part in score.parts}
            if fold_name(name) in folded:
                return f"; it is scores[{metric!r}].parts[{folded[fold_name(name)]!r}]"
        return suggest(name, self._scores)

    def __iter__(self) -> Iterator[str]:
        return iter(self._scores)

    def __len__(self) -> int:
        return len(self._scores)

    def __eq__(self, other: object) -> bool:
        """Return whether values, scores of items, signatures and ids are equal; or values, for any other mapping."""
        if not isinstance(other, Scores):
            return super().__eq__(other)
        same_names = list(self) == list(other)
        return same_names and self.ids == other.ids and all(_equal(self[name], other[name]) for name in self)

    # Equal mappings may compare equal to a dict, which has no hash.
    __hash__ = None  # type: ignore[assignment]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={score.value:.4f}" for name, score in self._scores.items())
        items = f"{quantity(self._items, 'item')}, " if self._items else ""
        return f"Scores({items}{values})"

    def _repr_html_(self) -> str:
        return _html_table(self._scores.values())

    def to_dict(self) -> dict[str, float]:
        """Return the value of each metric by name, for loggers.

        Returns:
            Python floats by metric name; :meth:`Score.to_dict` has the parts and signature.

        Example:
            >>> import muge_fast as mf
            >>> mf.score_captions(["红鞋"], [["红鞋"]], metrics=["rouge_l"]).to_dict()
            {'rouge_l': 1.0}

        """
        return {name: float(score.value) for name, score in self._scores.items()}

    def to_pandas(self) -> pd.DataFrame:
        """Return the scores of all items as a pandas DataFrame.

        Returns:
            A float64 frame with a row for each item, indexed by ``"id"``, and a column for each metric. Metrics of a
            whole set, such as FID, have no column.

        Raises:
            ImportError: pandas is not installed.

        Example:
            >>> import muge_fast as mf
            >>> scores = mf.score_captions({"a": "红鞋"}, {"a": ["红鞋"]}, metrics=["rouge_l"])
            >>> scores.to_pandas().loc["a", "rouge_l"]  # doctest: +SKIP
            1.0

        """
        from muge_fast._internal.output_tables import pandas_frame  # noqa: PLC0415 - few scores become tables

        return pandas_frame(self._columns(), self.ids)

    def to_arrow(self) -> pa.Table:
        """Return the scores of all items as a table of Arrow.

        Returns:
            A table with a row for each item, its id in the column ``"id"``, and a float64 column for each metric.
            Metrics of a whole set, such as FID, have no column.

        Raises:
            ImportError: pyarrow, the extra ``arrow``, is not installed.
            TypeError: Ids are not all integers of 64 bits or all strings.

        Example:
            >>> import muge_fast as mf
            >>> scores = mf.score_captions({"a": "红鞋"}, {"a": ["红鞋"]}, metrics=["rouge_l"])
            >>> scores.to_arrow().to_pylist()  # doctest: +SKIP
            [{'id': 'a', 'rouge_l': 1.0}]

        """
        from muge_fast._internal.output_tables import arrow_ids, arrow_table  # noqa: PLC0415 - few become tables

        return arrow_table({"id": arrow_ids(self.ids), **self._columns()})

    def _columns(self) -> dict[str, FloatArray]:
        """Return the scores of items by the names of the metrics that have them."""
        return {name: score.per_item for name, score in self._scores.items() if 0 < len(score.per_item) == self._items}

    def to_bytes(self) -> bytes:
        """Return the scores with all statistics as bytes, which :meth:`from_bytes` reads on any machine.

        Returns:
            An ``.npz`` archive. Equal scores give equal bytes.

        Raises:
            TypeError: An id is neither an integer of 64 bits nor a string, or a score is of another package and no mean
                over items.

        Example:
            >>> import muge_fast as mf
            >>> scores = mf.score_captions({"a": "红鞋"}, {"a": ["红鞋"]}, metrics=["bleu"])
            >>> mf.Scores.from_bytes(scores.to_bytes()) == scores
            True

        """
        from muge_fast._internal.score_states import pack_scores  # noqa: PLC0415 - few scores are saved

        return pack_scores(self._scores, self._items, self._ids)

    @classmethod
    def from_bytes(cls, data: bytes) -> Scores:
        """Return the scores of :meth:`to_bytes`.

        Bytes of any origin are safe: nothing is unpickled, time and memory are bounded by their number, and values are
        computed from the statistics.

        Args:
            data: The bytes.

        Returns:
            The scores.

        Raises:
            TypeError: ``data`` is not bytes.
            ValueError: The bytes are damaged, are not scores, or were written by another version of this package.

        Example:
            >>> import muge_fast as mf
            >>> mf.Scores.from_bytes(b"PK")
            Traceback (most recent call last):
            ...
            ValueError: not a state of Scores: File is not a zip file

        """
        from muge_fast._internal.score_states import unpack_scores  # noqa: PLC0415 - few scores are saved
        from muge_fast._internal.states import unpack  # noqa: PLC0415 - few scores are saved

        return unpack(data, "Scores", lambda arrays: cls(*unpack_scores(arrays, set_score, _core.DictCost())))

    @classmethod
    def merge(cls, shards: Iterable[Scores]) -> Scores:
        """Merge the scores of several shards. The result equals scoring all items at once, to the last bit.

        Args:
            shards: Scores of the same metrics, in any order, with the same options. The items of the result are in the
                order of the shards, the metrics in that of the first one.

        Returns:
            The scores of all items.

        Raises:
            TypeError: Not a list of :class:`Scores`.
            ValueError: No shards, different metrics or signatures, an id that is in two shards (one shard may have
                several samples for an id), the same object twice, CIDEr scores whose document frequencies were counted
                in the references of each shard (batches of one :class:`muge_fast.Captions` share those of all its
                references), or a metric of a whole set. (A single shard is returned unchanged.)

        Example:
            >>> import muge_fast as mf
            >>> references = [["红色连衣裙"], ["黑色皮鞋"], ["白色衬衫"]]
            >>> captions = mf.Captions(references)
            >>> first = captions.score(["红色裙子"], ids=[0])
            >>> second = captions.score(["黑色皮鞋", "白衬衫"], ids=[1, 2])
            >>> whole = captions.score(["红色裙子", "黑色皮鞋", "白衬衫"])
            >>> mf.Scores.merge([first, second])["cider_d"].value == whole["cider_d"].value
            True

        """
        shards = _listed_shards(shards)
        if not shards:
            raise ValueError("shards is empty, needs at least one")
        first = shards[0]
        repeated = find_repeated([id(shard) for shard in shards])
        if repeated is not None:
            raise ValueError(f"shards[{repeated}] is the same object as an earlier shard: its items would count twice")
        for index, shard in enumerate(shards):
            if set(shard) != set(first):
                raise ValueError(f"shards[{index}] has the metrics {list(shard)}, shards[0] has {list(first)}")
        # Before the scores: a repeated id is the cause of some of their errors.
        ids = _merge_ids(shards)
        merged = {name: _merge([shard[name] for shard in shards]) for name in first}
        return cls(merged, sum(shard._items for shard in shards), ids)  # noqa: SLF001


def signature(name: str, *details: str, **options: object) -> str:
    """Return the signature of a metric: its name, options, details and the version, separated by ``|``.

    Args:
        name: Name of the metric.
        details: Signatures of components of the metric, such as a feature extractor.
        options: Options by name; None leaves an option out.

    Returns:
        The signature. Scores with equal signatures are comparable.

    Example:
        >>> from muge_fast.scores import signature
        >>> signature("cider_d", n=4, sigma="6", tokenizer="muge")
        'cider_d|n:4|sigma:6|tokenizer:muge|version:0.2.0'

    """
    named = [f"{option}:{value}" for option, value in options.items() if value is not None]
    return "|".join([name, *named, *details, f"version:{_core.__version__}"])


def without_engine(signature: str) -> str:
    """Return a signature without the library that ran a network, because scores that differ in it are comparable.

    Args:
        signature: Signature of a score or of an extractor.

    Returns:
        All parts except ``engine:``.

    Example:
        >>> from muge_fast.scores import without_engine
        >>> without_engine("inception-2015-12-05|precision:fp32|engine:openvino-2026.4.1")
        'inception-2015-12-05|precision:fp32'

    """
    return "|".join(part for part in signature.split("|") if not part.startswith("engine:"))


def mean_score(
    name: str,
    signature: str,
    values: FloatArray,
    *,
    parts: Mapping[str, float] | None = None,
    merge_error: str = "",
    higher_is_better: bool = True,
) -> Score:
    """Return the score of a metric whose value is the mean over items.

    The mean has the bits of :func:`numpy.mean` (pairwise summation) on every CPU.

    Args:
        name: Name of the metric.
        signature: Signature of the metric with its options.
        values: The score of each item, float64 of shape ``(items,)`` or ``(items, 1)``.
        parts: Further numbers, by name; scores that are computed from statistics do not have them.
        merge_error: Why scores of several shards must not be merged; empty if they may.
        higher_is_better: Whether a larger value is better.

    Returns:
        The score; its statistics have one column, named like the metric.

    Example:
        >>> import numpy as np
        >>> from muge_fast.scores import mean_score
        >>> mean_score("accuracy", "accuracy|version:0", np.array([1.0, 0.0])).value
        0.5

    """
    per_item = np.ascontiguousarray(values, dtype=np.float64).reshape(-1)
    return Score(
        name=name,
        value=_core.mean(per_item),
        per_item=per_item,
        signature=signature,
        parts=dict(parts or {}),
        statistics=ItemStatistics((name,), per_item.reshape(-1, 1)),
        higher_is_better=higher_is_better,
        _rescore=partial(mean_score, name, signature, merge_error=merge_error, higher_is_better=higher_is_better),
        _merge_error=merge_error,
    )


def set_score(
    name: str,
    signature: str,
    value: float,
    *,
    parts: Mapping[str, float] | None = None,
    higher_is_better: bool = True,
    influence: tuple[FloatArray, ...] | None = None,
) -> Score:
    """Return the score of a metric that is only defined for a whole set of items, such as FID.

    Args:
        name: Name of the metric.
        signature: Signature of the metric with its options.
        value: The score of the set.
        parts: Further numbers, by name.
        higher_is_better: Whether a larger value is better.
        influence: The influence of the items of each sample; None if it was not computed.

    Returns:
        The score; ``per_item`` and the statistics are empty.

    Example:
        >>> from muge_fast.scores import set_score
        >>> set_score("is", "is|splits:10|version:0", 9.1, parts={"std": 0.2})
        Score(is=9.1000, signature='is|splits:10|version:0')

    """
    return Score(
        name=name,
        value=float(value),
        per_item=np.empty(0),
        signature=signature,
        parts=dict(parts or {}),
        statistics=ItemStatistics((), np.empty((0, 0))),
        higher_is_better=higher_is_better,
        _merge_error=SET_MERGE_ERROR,
        _influence=influence,
    )


def additive_statistics(score: Score) -> AdditiveStatistics | None:
    """Return the rows of a score whose sums determine it.

    They are made on request: scores of small batches are created often and seldom resampled.

    Args:
        score: The score of any metric.

    Returns:
        The statistics; None for metrics of a whole set, such as FID. Means over items have one column. Mean recall has
        a column for each cutoff, BLEU the ten columns of :class:`ItemStatistics`, and macro F1 two for each label.

    Raises:
        ValueError: The rows of macro F1 would be larger than 1 GiB.

    Example:
        >>> import numpy as np
        >>> from muge_fast.scores import additive_statistics, mean_score
        >>> additive = additive_statistics(mean_score("accuracy", "accuracy|version:0", np.array([1.0, 0.0])))
        >>> additive.rows.tolist(), additive.of_sums(np.array([[1.0], [2.0]]), np.array([2, 2])).tolist()
        ([[1.0], [0.0]], [0.5, 1.0])

    """
    if not is_additive(score):
        return None
    make = score._additive or mean_of_columns  # noqa: SLF001
    return make(score.statistics)


def is_additive(score: Score) -> bool:
    """Return whether a score follows from sums of rows, without making the rows.

    Args:
        score: The score of any metric.

    Returns:
        False for metrics of a whole set, such as FID.

    Example:
        >>> import numpy as np
        >>> from muge_fast.scores import is_additive, mean_score
        >>> is_additive(mean_score("accuracy", "accuracy|version:0", np.array([1.0, 0.0])))
        True

    """
    return score._additive is not None or score.statistics.columns == (score.name,)  # noqa: SLF001


def mean_of_columns(statistics: ItemStatistics) -> AdditiveStatistics:
    """Return the additive statistics of a score that is the mean of the means of its columns.

    Args:
        statistics: Statistics of the score, with one or more columns.

    Returns:
        The same rows with this rule.

    Example:
        >>> import numpy as np
        >>> from muge_fast.scores import ItemStatistics, mean_of_columns
        >>> additive = mean_of_columns(ItemStatistics(("recall@1", "recall@5"), np.array([[0.0, 1.0], [1.0, 1.0]])))
        >>> additive.influence().tolist()
        [-0.25, 0.25]

    """
    return AdditiveStatistics(statistics.columns, statistics.rows, mean_of_sums, _mean_gradient)


def _mean_gradient(sums: FloatArray, count: int) -> FloatArray:
    return np.full(len(sums), 1 / (count * len(sums)))


def _score_interval(score: Score, options: IntervalOptions, clusters: object) -> Interval:
    from muge_fast.significance import intervals  # noqa: PLC0415 - few scores need an interval

    if options.method == "wilson":
        if score.statistics.columns != (score.name,):
            raise ValueError(f"method 'wilson' needs a mean of items that are 0 or 1; use 'bootstrap' for {score.name}")
        return intervals.wilson_interval(score.per_item, options, f"{score.name}.per_item", clusters=clusters)
    if options.method == "normal":
        return intervals.normal_interval(score.value, score.influence, options, score.name, clusters=clusters)
    additive = additive_statistics(score)
    if additive is None:
        raise ValueError(
            f"{score.name} is a score of a whole set, which does not follow from sums over items; use method 'normal'"
        )
    rows = f"{score.name}.statistics.rows"
    return intervals.resampled_interval(score.value, additive.rows, additive.of_sums, options, rows, clusters=clusters)


def _restore_score(cls: type[Score], attributes: dict[str, Any]) -> Score:
    return cls(**attributes)


def _equal(first: Score, second: Score) -> bool:
    return (
        first == second
        and first.signature == second.signature
        and first.parts == second.parts
        and np.array_equal(first.per_item, second.per_item, equal_nan=True)
        and np.array_equal(first.statistics.rows, second.statistics.rows)
    )


def _listed_shards(shards: object) -> list[Scores]:
    """Return shards as a list, or raise for anything but several :class:`Scores`."""
    if isinstance(shards, (Mapping, Score)) or not isinstance(shards, Iterable):
        fix = "; pass a list of them" if isinstance(shards, Scores) else ""
        raise TypeError(f"shards must be a list of Scores, got {type(shards).__name__}{fix}")
    listed = list(shards)
    for index, shard in enumerate(listed):
        if not isinstance(shard, Scores):
            raise TypeError(f"shards[{index}] must be Scores of all metrics, got {type(shard).__name__}")
    return listed


def _merge(scores: list[Score]) -> Score:
    first = scores[0]
    for index, score in enumerate(scores):
        if score.signature != first.signature:
            raise ValueError(
                f"shards[{index}] was scored as {score.signature}, shards[0] as {first.signature}"
                f"{_frequency_hint(score.signature, first.signature)}"
            )
        if score._merge_error and len(scores) > 1:  # noqa: SLF001
            raise ValueError(f"{score.name} of shards cannot be merged: {score._merge_error}")  # noqa: SLF001
    if len(scores) == 1:
        return first
    return first.with_statistics(np.concatenate([score.statistics.rows for score in scores]))


def _frequency_hint(signature: str, other: str) -> str:
    """Return what to do about scores that differ in document frequencies alone, or an empty string."""
    differing = set(signature.split("|")) ^ set(other.split("|"))
    if not all(option.startswith("document_frequency:") for option in differing):
        return ""
    return "; score batches with one Captions, or pass one document_frequency to all shards"


def _merge_ids(shards: list[Scores]) -> list[Hashable] | None:
    if all(shard._ids is None for shard in shards):  # noqa: SLF001
        return None
    ids = [item for shard in shards for item in shard.ids]
    # Several samples for an id are in one shard.
    distinct = [item for shard in shards for item in dict.fromkeys(shard.ids)]
    repeated = find_repeated(distinct)
    if repeated is not None:
        raise ValueError(f"id {distinct[repeated]!r} is in more than one shard")
    return ids


def _html_table(scores: Iterable[Score]) -> str:
    """Return an HTML table with a row for each metric, for notebooks."""
    rows = []
    for score in scores:
        parts = ", ".join(f"{name} {value:.4g}" for name, value in score.parts.items())
        cells = (score.name, f"{score.value:.4f}", str(len(score.per_item) or ""), parts, score.signature)
        rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("metric", "value", "items", "parts", "signature"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
