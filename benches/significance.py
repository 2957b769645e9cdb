"""Intervals and paired tests, compared with sacrebleu, SciPy and ranx."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.stats
from ranx.statistical_tests import fisher_randomization_test
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.significance import _paired_ar_test, _paired_bs_test

import muge_fast as mf
from benches.data import caption_set
from benches.timing import Row, check, clock, show, times
from muge_fast.compat.sacrebleu import paired_test
from muge_fast.scores import Score

ROUNDS = 5
SEED = 12345
MANY_SYSTEMS = 100

# Runs in another process, so that only the test itself is in the difference.
MEMORY = """
import resource, sys
import numpy as np
import muge_fast as mf
from benches.significance import bleu_systems
from muge_fast.compat.sacrebleu import paired_test
systems = bleu_systems({items}, 2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
paired_test(systems, "ar", samples={trials})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def significance(items: int = 10_000, resamples: int = 1_000, trials: int = 10_000) -> Iterator[Row]:
    """Measure paired tests and intervals of this many items."""
    yield from _sacrebleu(items, resamples, trials)
    yield from _sign_flips(items, trials)
    yield from _ranx(items, resamples)
    yield from _bootstrap(items, trials - 1)
    yield from _many_systems(items, resamples)


def bleu_systems(items: int, count: int) -> dict[str, Score]:
    """Return BLEU, with sacrebleu's smoothing, of systems that differ in every third caption or more."""
    captions = caption_set(items, references=1, words=12)
    random = np.random.default_rng(0)
    prepared = mf.Captions(captions.references, tokenizer="zh")
    return {f"system {number}": _bleu(prepared, captions.predictions, random) for number in range(count)}


def _bleu(references: mf.Captions, predictions: list[str], random: np.random.Generator) -> Score:
    """Return BLEU of captions of which about 40 % are cut off somewhere."""
    cuts = np.where(random.random(len(predictions)) < 0.6, 1.0, random.random(len(predictions)))
    texts = [text[: max(4, int(len(text) * cut))] for text, cut in zip(predictions, cuts, strict=True)]
    return references.score(texts, metrics=["bleu"], smoothing="exp")["bleu"]


def _sacrebleu(items: int, resamples: int, trials: int) -> Iterator[Row]:
    """Measure both tests of sacrebleu."""
    yield _paired("bs", bleu_systems(items, 3), resamples, _paired_bs_test)
    for threads in (1, None):
        yield _paired("ar", bleu_systems(items, 2), trials, _paired_ar_test, threads)
    code = MEMORY.format(items=items, trials=trials)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603 - ours
    yield "The last, memory in addition to the statistics", "", f"{int(done.stdout) / 1024:.0f} MB", ""


def _paired(
    test: str, systems: dict[str, Score], draws: int, rival: Callable[..., Any], threads: int | None = 1
) -> Row:
    """Measure a test of sacrebleu on prepared statistics, with the same results to the last bit."""
    baseline, *others = (_prepared(score) for score in systems.values())
    known = {"BLEU": (baseline.rows, baseline.result)}
    items = len(baseline.rows)
    expected: list[float] = []

    def run_rival() -> None:
        for other in others:
            _, results = rival(known, "", range(items), None, {"BLEU": other}, draws, -1, SEED)
            expected.append(results["BLEU"].p_value)

    def run() -> list[float]:
        found = paired_test(systems, test, samples=draws, seed=SEED, threads=threads)
        return [result.p_value for result in list(found.values())[1:]]

    slow = clock(run_rival)
    check(test, max(abs(one - other) for one, other in zip(expected, run(), strict=True)), 0)
    work = f"{test} of sacrebleu, {items:,} items, {len(systems)} systems, {draws:,} draws, from statistics"
    work += _named(threads)
    return _against(work, "sacrebleu", slow, run)


def _named(threads: int | None) -> str:
    return ", all threads" if threads is None else ", one thread"


def _against(work: str, name: str, slow: float, run: Callable[[], object]) -> Row:
    """Time our call and return the row of a rival that takes seconds and is timed once."""
    seconds = [clock(run) for _ in range(ROUNDS)]
    return work, f"{name} {show(slow)}", show(statistics.median(seconds)), times([slow / own for own in seconds])


class _Prepared(BLEU):
    """sacrebleu's metric with the statistics of one system, which its tests would otherwise compute."""

    rows: list[list[int]]
    result: object

    def _extract_corpus_statistics(self, hypotheses: object, references: object) -> list[list[int]]:  # noqa: ARG002
        return self.rows


def _prepared(score: Score) -> _Prepared:
    metric = _Prepared(tokenize="none", smooth_method="exp")
    metric.rows = [[int(number) for number in row] for row in score.statistics.rows]
    metric.result = metric._aggregate_and_compute(metric.rows)  # noqa: SLF001 - as sacrebleu's own tests do
    return metric


def _values(items: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores of two systems that differ slightly, real numbers from 0 to 1."""
    random = np.random.default_rng(1)
    first = random.beta(2, 3, items)
    return first, np.clip(first + random.normal(0.001, 0.1, items), 0, 1)


def _sign_flips(items: int, trials: int) -> Iterator[Row]:
    """Measure the sign-flip test; SciPy draws other signs, so p-values agree within their error."""
    first, second = _values(items)
    expected: list[float] = []

    def run_scipy() -> None:
        test = scipy.stats.permutation_test(
            (first, second),
            lambda x, y, axis: (x - y).mean(axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=trials - 1,
            batch=1_000,
            rng=np.random.default_rng(SEED),
        )
        expected.append(test.pvalue)

    def run() -> float:
        return mf.sign_flip_test(first, second, resamples=trials - 1, threads=1).p

    slow = clock(run_scipy)
    check("sign flips", abs(expected[0] - run()), _error(expected[0], trials))
    yield _against(
        f"Sign flips, {items:,} items, {trials - 1:,} draws, one thread", "scipy.stats.permutation_test", slow, run
    )


def _error(p: float, draws: int) -> float:
    """Return five standard errors of the difference of two p-values from random draws."""
    return 5 * math.sqrt(2 * max(p * (1 - p), 1 / draws) / draws)


def _ranx(items: int, trials: int) -> Iterator[Row]:
    """Measure Fisher's randomization test as ranx makes it, which takes all threads."""
    first, second = _values(items)
    expected: list[float] = []

    def run_ranx() -> None:
        expected.append(fisher_randomization_test(first, second, trials)[0])

    def run() -> float:
        return mf.sign_flip_test(first, second, resamples=trials).p

    # Compiled in the first call.
    run_ranx()
    slow = min(clock(run_ranx) for _ in range(ROUNDS))
    check("Fisher's test", abs(statistics.mean(expected) - run()), _error(run(), trials))
    yield _against(f"Sign flips, {items:,} items, {trials:,} draws, all threads", "ranx", slow, run)


def _bootstrap(items: int, resamples: int) -> Iterator[Row]:
    """Measure intervals of a mean."""
    values, _ = _values(items)
    yield _interval(values, resamples, "bootstrap", "percentile")
    for threads in (1, None):
        yield _interval(values, resamples, "bca", "BCa", threads)


def _interval(values: np.ndarray, resamples: int, method: str, rival: str, threads: int | None = 1) -> Row:
    """Measure an interval with SciPy's resamples and bounds."""
    found: list[tuple[float, float]] = []

    def run_scipy() -> None:
        random = np.random.default_rng(SEED)
        result = scipy.stats.bootstrap((values,), np.mean, n_resamples=resamples, method=rival, batch=100, rng=random)
        found.append(tuple(result.confidence_interval))

    def run() -> tuple[float, float]:
        low, high = mf.bootstrap_interval(values, method=method, resamples=resamples, threads=threads)
        return low, high

    slow = clock(run_scipy)
    check(method, max(abs(one - other) for one, other in zip(found[0], run(), strict=True)), 1e-12)
    work = f"Interval of a mean ({rival}), {len(values):,} items, {resamples:,} resamples{_named(threads)}"
    return _against(work, "scipy.stats.bootstrap", slow, run)


def _many_systems(items: int, resamples: int) -> Iterator[Row]:
    """Measure all pairs of many systems; the scores of resamples are those of each system alone."""
    systems = bleu_systems(items, MANY_SYSTEMS)
    options = {"test": "bootstrap", "resamples": resamples, "threads": 1}
    found = mf.compare(systems, **options)["bleu"]
    last = list(systems)[-1]
    alone = systems[last].interval(resamples=resamples)
    check("intervals", max(abs(one - other) for one, other in zip(alone, found.intervals[last], strict=True)), 0)
    seconds = [clock(lambda: mf.compare(systems, **options)) for _ in range(ROUNDS)]
    pairs = MANY_SYSTEMS * (MANY_SYSTEMS - 1) // 2
    work = (
        f"All {pairs:,} pairs of {MANY_SYSTEMS} systems by BLEU, {items:,} items, {resamples:,} resamples, one thread"
    )
    yield work, "", show(statistics.median(seconds)), ""
