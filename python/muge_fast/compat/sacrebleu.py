"""The paired tests of sacrebleu 2.6.0, from scores of :func:`muge_fast.score_captions`.

:func:`paired_test` returns the numbers of ``sacrebleu.significance.PairedTest``, to the last bit, hundreds of times as
fast and without its memory. Use it to reproduce a published number or to check a port. The numbers are not the default
of this package, because they are not p-values in these cases:

- **A system that is identical to the baseline is significant**: its p-value is 1 / (samples + 1), the smallest that
  there is. A p-value of two equal systems is 1.
- **Where few items differ, nearly everything is significant**, as approximate randomization counts the trials with a
  larger difference but not those with an equal one. If two systems differ in 2 items, the 4 ways to swap these are
  equally likely, and at least 2 of them give at least the observed difference: p is 0.5 or more. sacrebleu's is 0.0001.
- **The paired bootstrap is about a one-sided test**: it rejects a true null hypothesis in about 11 % of the cases at a
  nominal 5 %. Differences are centered after their absolute value is taken.
- ``ci`` is half the width of the interval, which is neither centered at ``score`` nor at ``mean``.

Scores have sacrebleu's numbers if their options are sacrebleu's: the tokenizers ``"13a"`` (its default) and ``"zh"``,
and the smoothings ``"exp"`` (its default), ``"floor"``, ``"add-k"`` and ``"none"``, with or without effective order.
Scores of other tokenizers and of the smoothing ``"tiny"`` are tested by the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.checks import align_ids, check_choice, whole_number
from muge_fast._internal.display import format_argument
from muge_fast.caption.options import BLEU_COLUMNS
from muge_fast.scores import Score, Scores
from muge_fast.significance import SEED
from muge_fast.significance.stream import pcg64, sums_in_blocks

__all__ = ["Result", "paired_test"]

Precision = Literal["float64", "float32"]

FloatArray = npt.NDArray[np.float64]

DEFAULT_SAMPLES = {"ar": 10_000, "bs": 1000}

EXACT_FLOAT32 = 2**24
"""Whole numbers below this one are exact in single precision."""

WIDTH = len(BLEU_COLUMNS)

LARGEST_COUNT = 2**53

MATCHES = slice(2, 6)

AFTER_FIRST = [3, 4, 5, 7, 8, 9]
"""Columns of matches and n-grams of the orders 2 to 4, to which the smoothing ``add-k`` adds."""


@dataclass(frozen=True)
class Result:
    """Result of one system, with the fields and the scale of ``sacrebleu.significance.Result``.

    Attributes:
        score: BLEU of all items, 0 to 100.
        p_value: The p-value of the difference to the baseline; None for the baseline.
        mean: Mean of the scores of the resamples; None without resamples.
        ci: Half the width of their 95 % interval; None without resamples.

    Example:
        >>> from muge_fast.compat.sacrebleu import Result
        >>> Result(27.5, p_value=0.01)
        Result(score=27.5, p_value=0.01, mean=None, ci=None)

    """

    score: float
    p_value: float | None = None
    mean: float | None = None
    ci: float | None = None


def paired_test(
    systems: Mapping[str, Score | Scores],
    test: Literal["ar", "bs"] = "ar",
    samples: int | None = None,
    seed: int = SEED,
    numpy: Literal[1, 2] = 2,
    *,
    n_ar_confidence: int = -1,
    threads: int | None = None,
) -> dict[str, Result]:
    """Test the BLEU of systems against that of the first one, the baseline, with the numbers of sacrebleu 2.6.0.

    The p-values have faults that the documentation of :mod:`muge_fast.compat.sacrebleu` describes; a system that is
    identical to the baseline is significant.

    Args:
        systems: Scores of BLEU by name, or :class:`muge_fast.Scores` that have one, of the same items in the same order
            and with equal options. Scores with ids are brought into the order of the baseline.
        test: ``"ar"`` for approximate randomization, ``"bs"`` for the paired bootstrap.
        samples: Number of trials or resamples; None for sacrebleu's default: 10,000 for ``"ar"``, 1000 for ``"bs"``.
        seed: The value of sacrebleu's variable ``SACREBLEU_SEED``, at least 1. With 0, sacrebleu draws the samples of
            all systems but the baseline from the entropy of the system, so no seed can reproduce its numbers.
        numpy: Major version of the NumPy that sacrebleu runs with. With version 2, it computes the precisions of
            resamples in single precision, which changes ``mean`` and ``ci`` from about the ninth digit on.
        n_ar_confidence: Number of resamples for ``mean`` and ``ci`` with ``"ar"``: -1 for none, 0 for 1000.
        threads: Number of threads, at least 1; None for all cores. The result does not depend on it.

    Returns:
        A result for each name, in the order given. The bits are those of sacrebleu with Python 3.11 and before; the
        ``sum`` of later versions rounds differently, so the last digit of scores may differ.

    Raises:
        TypeError: Not a mapping of scores, or an option of the wrong type.
        ValueError: Fewer than two systems or items, a score of another metric, different items or options, an unknown
            test, or a number out of range.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.compat.sacrebleu import paired_test
        >>> references = [["红色连衣裙夏季新款"], ["黑色真皮男鞋"], ["白色棉衬衫"]]
        >>> options = {"tokenizer": "zh", "smoothing": "exp", "metrics": ["bleu"]}
        >>> base = mf.score_captions(["红色连衣裙", "黑色男鞋", "白色衬衫"], references, **options)
        >>> better = mf.score_captions(["红色连衣裙夏季", "黑色真皮男鞋", "白色衬衫"], references, **options)
        >>> results = paired_test({"base": base, "better": better}, test="bs")
        >>> round(results["base"].score, 2), round(results["better"].score, 2), results["base"].p_value
        (37.56, 75.69, None)

    """
    check_choice("test", test, DEFAULT_SAMPLES)
    trials = DEFAULT_SAMPLES[test] if samples is None else whole_number("samples", samples)
    seed = _check_seed(seed)
    if whole_number("numpy", numpy) not in (1, 2):
        raise ValueError(f"numpy must be 1 or 2, got {numpy}")
    confidence = whole_number("n_ar_confidence", n_ar_confidence, least=-1) or DEFAULT_SAMPLES["bs"]
    threads = None if threads is None else whole_number("threads", threads)
    scores = _checked_scores(systems)
    formula = _Formula(next(iter(scores.values())).signature, numpy)
    tested = _Systems(_aligned_rows(systems, scores), formula, seed, threads)
    results = tested.bootstrap(trials) if test == "bs" else tested.randomization(trials, max(0, confidence))
    return dict(zip(scores, results, strict=True))


class _Systems:
    """Rows of all systems side by side, which meet the same random numbers."""

    def __init__(self, tables: Sequence[FloatArray], formula: _Formula, seed: int, threads: int | None) -> None:
        self._rows = np.hstack(tables)
        self._formula = formula
        self._seed, self._threads = seed, threads
        self._total = self._rows.sum(axis=0, keepdims=True)
        self._scores = [float(self._formula.of_set(total)[0]) for total in _split(self._total)]

    def bootstrap(self, resamples: int) -> list[Result]:
        """Return the results of the paired bootstrap."""
        resampled = self._resampled(pcg64(self._seed), self._rows, resamples)
        results = [Result(self._scores[0], None, *_estimate(resampled[0]))]
        for score, scores in zip(self._scores[1:], resampled[1:], strict=True):
            changes = np.abs(scores - resampled[0])
            centered = changes - _core.mean(changes)
            results.append(Result(score, self._p_value(centered, score), *_estimate(scores)))
        return results

    def randomization(self, trials: int, resamples: int) -> list[Result]:
        """Return the results of approximate randomization, with intervals if there are resamples."""
        generator = pcg64(self._seed)
        differences = self._swapped(generator, trials)
        p_values = [self._p_value(*pair) for pair in zip(differences, self._scores[1:], strict=True)]
        estimates: list[tuple[float | None, float | None]] = [(None, None)] * len(self._scores)
        if resamples:
            # The baseline has a new generator. That of the other systems goes on after the trials.
            first = self._resampled(pcg64(self._seed), self._rows[:, :WIDTH], resamples)
            rest = self._resampled(generator, self._rows[:, WIDTH:], resamples)
            estimates = [_estimate(scores) for scores in (*first, *rest)]
        return [
            Result(score, p_value, *estimate)
            for score, p_value, estimate in zip(self._scores, [None, *p_values], estimates, strict=True)
        ]

    def _p_value(self, changes: FloatArray, score: float) -> float:
        """Return the fraction of changes that are larger than the difference to the baseline, with 1 added to both."""
        larger = int(np.count_nonzero(changes > abs(self._scores[0] - score)))
        return (larger + 1) / (len(changes) + 1)

    def _resampled(self, generator: _core.Pcg64, rows: FloatArray, resamples: int) -> list[FloatArray]:
        """Return the scores of the resamples of each system."""
        rows = np.ascontiguousarray(rows)
        if len(rows) * float(rows.max(initial=0)) < EXACT_FLOAT32:
            sums = sums_in_blocks(generator.resample_sums, rows, resamples, self._threads)
        else:
            sums = _rounded_sums(generator, rows, resamples)
        scores = ([self._formula.of_resamples(table) for table in _split(block)] for block in sums)
        return _transposed(scores, rows.shape[1] // WIDTH, resamples)

    def _swapped(self, generator: _core.Pcg64, trials: int) -> list[FloatArray]:
        """Return the absolute difference of each system and the baseline after swaps of random items."""
        first_total, *totals = _split(self._total)
        # The baseline keeps the selected items: what these change in the other system's sums is all that is drawn.
        first, *rest = _split(self._rows)
        changes = np.hstack([first - table for table in rest])

        def differences(block: FloatArray) -> Iterator[FloatArray]:
            for change, total in zip(_split(block), totals, strict=True):
                one = total + change
                yield np.abs(self._formula.of_trials(one) - self._formula.of_trials(first_total + total - one))

        sums = sums_in_blocks(generator.swap_sums, changes, trials, self._threads)
        return _transposed((differences(block) for block in sums), len(totals), trials)


class _Formula:
    """BLEU in percent of sums of rows, as sacrebleu computes it from numbers of different types."""

    def __init__(self, signature: str, numpy: int) -> None:
        options = dict(part.partition(":")[::2] for part in signature.split("|")[1:4])
        self._smoothing, _, value = options["smoothing"].rstrip(")").partition("(")
        self._value = float(value) if value else None
        self._effective_order = options["effective_order"] == "yes"
        self._precision: Precision = "float32" if numpy > 1 else "float64"

    def of_set(self, sums: FloatArray) -> FloatArray:
        """Return the scores of whole sets, whose sums are Python's integers."""
        return self._bleu(sums, self._smoothing, "float64", self._value)

    def of_resamples(self, sums: FloatArray) -> FloatArray:
        """Return the scores of resamples, whose sums are float32."""
        if self._smoothing == "add-k" and self._precision == "float64":
            # NumPy 1 adds in double precision, but into an array of float32.
            return self._with_added(sums, (sums[:, AFTER_FIRST] + self._k).astype(np.float32))
        return self._bleu(sums, self._smoothing, self._precision, self._value)

    def of_trials(self, sums: FloatArray) -> FloatArray:
        """Return the scores of swapped items, whose sums are int64."""
        if self._smoothing == "add-k":
            # Added to an array of int64.
            return self._with_added(sums, np.floor(sums[:, AFTER_FIRST] + self._k))
        return self.of_set(sums)

    @property
    def _k(self) -> float:
        return 1.0 if self._value is None else self._value

    def _with_added(self, sums: FloatArray, added: npt.NDArray[np.floating[Any]]) -> FloatArray:
        """Return the scores of sums with other matches and n-grams of the orders 2 to 4."""
        smoothed = sums.copy()
        smoothed[:, AFTER_FIRST] = added
        has_match = sums[:, MATCHES].any(axis=1)
        return np.where(has_match, self._bleu(smoothed, "none", "float64", None), 0.0)

    def _bleu(self, sums: FloatArray, smoothing: str, precision: Precision, value: float | None) -> FloatArray:
        sums = np.ascontiguousarray(sums)
        return _core.bleu_of_sums(sums, smoothing, value, self._effective_order, precision, percent=True)


def _rounded_sums(generator: _core.Pcg64, rows: FloatArray, resamples: int) -> Iterator[FloatArray]:
    """Yield the sums of each resample in single precision, added in the order of the draws."""
    tables = [np.ascontiguousarray(table, dtype=np.float32) for table in _split(rows)]
    for _ in range(resamples):
        indices = generator.indices(len(rows), len(rows))
        yield np.hstack([table[indices].sum(axis=0) for table in tables])[None].astype(np.float64)


def _split(table: FloatArray) -> list[FloatArray]:
    """Return the columns of each system."""
    return [table[:, start : start + WIDTH] for start in range(0, table.shape[1], WIDTH)]


def _transposed(blocks: Iterable[Iterable[FloatArray]], systems: int, samples: int) -> list[FloatArray]:
    """Return the values of each system from blocks of the values of all systems."""
    if systems * samples > LARGEST_COUNT:
        raise MemoryError(f"{samples} samples of {systems} systems do not fit in memory")
    values = np.empty((systems, samples))
    start = 0
    for block in blocks:
        parts = np.stack(list(block))
        values[:, start : start + parts.shape[1]] = parts
        start += parts.shape[1]
    return list(values)


def _estimate(scores: FloatArray) -> tuple[float, float]:
    """Return the mean of scores, and half the width of the interval between the 2.5 % that are outside at each end."""
    ordered = np.sort(scores)
    outside = len(ordered) // 40
    width = ordered[len(ordered) - outside - 1] - ordered[outside]
    return _core.mean(ordered), float(0.5 * width)


def _check_seed(seed: int) -> int:
    if whole_number("seed", seed, least=0) == 0:
        raise ValueError(
            "seed is 0, with which sacrebleu draws the samples of all systems but the baseline from the entropy of the "
            "system; no seed can reproduce its numbers, choose another one"
        )
    return int(seed)


def _checked_scores(systems: Mapping[str, Score | Scores]) -> dict[str, Score]:
    """Return the score of BLEU of each system; options and numbers of items are equal."""
    if isinstance(systems, Scores) or not isinstance(systems, Mapping):
        raise TypeError(f"systems must be a dict of scores by name, got {format_argument(systems)}")
    if len(systems) < 2:  # noqa: PLR2004
        raise ValueError(f"systems has {len(systems)} system{'s' * (not systems)}, needs a baseline and another one")
    scores = {name: _bleu_score(name, value) for name, value in systems.items()}
    (first_name, first), *others = scores.items()
    for name, score in others:
        if score.signature != first.signature:
            raise ValueError(
                f"{_where(name)} was scored as {score.signature}, {_where(first_name)} as {first.signature}"
            )
        if len(score.statistics) != len(first.statistics):
            counts = f"{len(score.statistics)} items, {_where(first_name)} {len(first.statistics)}"
            raise ValueError(f"{_where(name)} has {counts}; score the same items with all systems")
    return scores


def _bleu_score(name: str, value: object) -> Score:
    where = _where(name)
    if isinstance(value, Scores):
        if "bleu" not in value:
            raise ValueError(f"{where} has no BLEU, only {', '.join(value)}")
        value = value["bleu"]
    if not isinstance(value, Score):
        raise TypeError(f"{where} must be a score of BLEU, got {format_argument(value)}")
    if value.statistics.columns != BLEU_COLUMNS:
        raise ValueError(f"{where} is a score of {value.name}, needs one of BLEU")
    rows = value.statistics.rows
    if len(rows) < 2:  # noqa: PLR2004
        raise ValueError(f"{where} has {len(rows)} item{'s' * (len(rows) != 1)}, needs at least two")
    is_count = ((rows >= 0) & (rows == np.floor(rows)) & (rows < LARGEST_COUNT)).all(axis=1)
    if not is_count.all():
        raise ValueError(f"{where}: the statistics of item {int(is_count.argmin())} are not counts")
    return value


def _aligned_rows(systems: Mapping[str, Score | Scores], scores: Mapping[str, Score]) -> list[FloatArray]:
    """Return the rows of each system in the order of the first system that has ids; scores alone have none."""
    tables = []
    first_name: str | None = None
    for name, score in scores.items():
        given, rows = systems[name], score.statistics.rows
        if isinstance(given, Scores):
            first_name = name if first_name is None else first_name
            wanted = cast("Scores", systems[first_name]).ids
            if given.ids != wanted:
                names = {"given_name": _where(name), "wanted_name": _where(first_name)}
                rows = rows[align_ids(given.ids, wanted, **names)]
        tables.append(rows)
    return tables


def _where(name: str) -> str:
    return f"systems[{format_argument(name)}]"
