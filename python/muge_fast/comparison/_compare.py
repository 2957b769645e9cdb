"""Comparing systems: which differences do the items support, and which ranks are possible."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from muge_fast._internal.checks import check_choice
from muge_fast._internal.display import format_argument
from muge_fast.comparison.adjusted import CORRECTIONS, STEP_DOWN, Family, PValues, rank_ranges
from muge_fast.comparison.comparison import Comparison
from muge_fast.comparison.metric_comparison import MetricComparison
from muge_fast.comparison.metric_rows import MetricRows, metric_rows, resampled_scores, units_of
from muge_fast.comparison.pair_tests import TESTS, TestName, choose_test, run_pair_tests
from muge_fast.comparison.swaps import Swaps
from muge_fast.comparison.systems import Systems, SystemsLike, align_systems, clusters_in_order, shared_metrics
from muge_fast.scores import is_additive, signature
from muge_fast.significance import RESAMPLES, SEED
from muge_fast.significance.intervals import IntervalOptions
from muge_fast.significance.sign_flips import ALTERNATIVES, Alternative

__all__ = ["compare"]


def compare(
    scores: SystemsLike,
    metrics: Sequence[str] | None = None,
    *,
    baseline: str | None = None,
    test: TestName = "auto",
    alternative: Alternative = "two-sided",
    correction: str = STEP_DOWN,
    clusters: Sequence[Hashable] | Mapping[Hashable, Hashable] | None = None,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int = SEED,
    threads: int | None = None,
    expand: bool = False,
) -> Comparison:
    """Compare systems that were scored on the same items.

    For every metric, the items are resampled for all systems at once, which gives intervals of the scores and of their
    differences. Each pair of systems is tested, p-values are adjusted for the number of pairs, and significant
    differences give the ranks that each system may have.

    Args:
        scores: The scores of each system by its name, at least two: :class:`muge_fast.Scores`, a single
            :class:`muge_fast.Score`, a :class:`muge_fast.Report` of a valid submission, an array of one number per
            item, or arrays by name of a metric. Systems with ids must have the same ids, in any order; items without
            ids must be in the same order. References must be the same; this is checked for reports only. Plain arrays
            are metrics whose score is the mean, and higher is better. The index of a pandas Series holds ids, unless it
            is the default one.
        metrics: Names of the metrics to compare; None for all that every system has. Metrics of a whole set of images,
            such as FID, can be compared if they were computed with ``influence=True``; with None, the others are left
            out.
        baseline: Name of the system that all others are compared with; None to compare all pairs.
        test: Test of a pair:

            - ``"auto"``: the first of these that the metric allows.
            - ``"sign_flip"``, for means over items: the difference of each item keeps or changes its sign. Exact for
              recall, accuracy and other metrics of whole numbers, and where at most 20 items differ.
            - ``"swap"``, for functions of sums such as BLEU: the two systems keep or swap each item, also called
              approximate randomization. Exact where at most 16 items differ.
            - ``"normal"``: z-test with the first-order standard error, the only one for FID, KID and the Inception
              Score.
            - ``"bootstrap"``: resamples shifted to a difference of zero. ``"t"``: paired t-test, for means.

            Tests by random draws count differences that are at least as extreme as the observed one, which is counted
            as one of them.
        alternative: ``"two-sided"``; ``"greater"`` if the first system of a pair is expected to have a larger value;
            or ``"less"``.
        correction: How p-values are adjusted for several pairs: ``"step_down"`` (Romano and Wolf, 2005) exchanges items
            between all systems at once, which uses the correlations of the systems; ``"holm"``, ``"bonferroni"``,
            ``"bh"``, ``"by"``; or ``"none"``.
        clusters: A key for each item, such as the image of a caption or the user of a query: in the order of the first
            system, or by id as a mapping or a pandas Series with an index. Items with the same key are kept together.
            None if items are independent.
        resamples: Number of resamples, and of random draws of a test, at least ``2 / (1 - level)``.
        level: Confidence level of intervals and rank ranges, between 0 and 1.
        seed: Seed of the resamples, which are those of ``numpy.random.default_rng(seed).integers(0, n, (resamples,
            n))``.
        threads: Number of threads; None for all cores. Results do not depend on it.
        expand: Whether to widen intervals for few items, which matters below about 100, as
            :func:`muge_fast.bootstrap_interval` describes it. p-values and rank ranges do not need it.

    Returns:
        The comparison by metric: ``c["bleu"]["large", "base"]`` is large minus base, ``c["bleu"].ranks["large"]`` the
        ranks that a system may have.

    Raises:
        TypeError: An argument has the wrong type, or only some systems have ids.
        ValueError: Fewer than two systems or items, different items, reports of different tasks or gold files, scores
            that were computed with different options, values that are not finite or too large, or an unknown name. The
            message names the first system, id and option.

    Example:
        >>> import muge_fast as mf
        >>> references = {"a": ["红色连衣裙"], "b": ["黑色皮鞋"], "c": ["白色衬衫"]}
        >>> base = mf.score_captions({"a": "连衣裙", "b": "黑鞋", "c": "白衬衫"}, references, metrics=["bleu"])
        >>> large = mf.score_captions({"a": "红色连衣裙", "b": "黑皮鞋", "c": "白色衬衫"}, references, metrics=["bleu"])
        >>> c = mf.compare({"base": base, "large": large})
        >>> pair = c["bleu"]["large", "base"]
        >>> pair.wins, pair.losses, pair.p, pair.exact
        (3, 0, 0.25, True)

    """
    systems = align_systems(scores)
    check_choice("test", test, TESTS)
    check_choice("alternative", alternative, ALTERNATIVES)
    check_choice("correction", correction, CORRECTIONS)
    if baseline is not None:
        check_choice("baseline", baseline, systems.names)
    options = IntervalOptions.check(
        level=level, method="bootstrap", resamples=resamples, seed=seed, threads=threads, expand=expand
    )
    swaps = Swaps(alternative, options.resamples, options.seed, options.threads)
    names, left_out = _comparable(systems, metrics)
    keys = clusters_in_order(clusters, systems.ids)
    counts = {name: _item_count(systems, name) for name in names}
    units_by_count = {count: units_of(count, keys) for count in dict.fromkeys(counts.values())}
    units = units_by_count[counts[names[0]]]
    pairs = _pairs(systems.names, baseline)
    described = signature(
        "compare",
        test=test,
        alternative=alternative,
        correction=correction,
        resamples=options.resamples,
        seed=options.seed,
        level=f"{options.level:g}",
        systems=len(systems.names),
        baseline=baseline,
        clusters=None if clusters is None else len(units.counts),
        expand="yes" if options.expand else None,
        rng="pcg64",
    )
    plan = _Plan(pairs, test, correction, options, swaps)
    compared = {
        name: _compare_metric(systems, metric_rows(systems, name, units_by_count[counts[name]]), plan) for name in names
    }
    return Comparison(
        metrics=compared,
        systems=tuple(systems.names),
        item_count=int(units.counts.sum()),
        ids=None if systems.ids is None else list(systems.ids),
        baseline=baseline,
        level=options.level,
        signature=described,
        left_out=left_out,
        scales=systems.scales(names),
        _reports=systems.reports,
    )


class _Plan(NamedTuple):
    """Which pairs of systems are tested, and how."""

    pairs: list[tuple[int, int]]
    test: str
    correction: str
    options: IntervalOptions
    swaps: Swaps


def _comparable(systems: Systems, metrics: Sequence[str] | None) -> tuple[list[str], dict[str, str]]:
    """Return the metrics to compare, and why others are left out.

    Raises ``ValueError`` if a metric that was asked for cannot be compared, or none of all.
    """
    names = shared_metrics(systems, metrics)
    left_out = {name: reason for name in names if (reason := _reason_against(systems, name))}
    comparable = [name for name in names if name not in left_out]
    if left_out and (metrics is not None or not comparable):
        name, reason = next(iter(left_out.items()))
        raise ValueError(f"{name} cannot be compared: {reason}")
    return comparable, left_out


def _reason_against(systems: Systems, metric: str) -> str:
    """Return why a metric of the first system without rows cannot be compared, or an empty string."""
    for name, scores in systems.scores.items():
        if is_additive(scores[metric]):
            return ""
        try:
            _ = scores[metric].influence
        except ValueError as error:
            return str(error).replace(f"{metric} was", f"{metric} of {format_argument(name)} was", 1)
    return ""


def _item_count(systems: Systems, metric: str) -> int:
    """Return the number of items of a metric, which is that of the generated images for metrics of a whole set."""
    score = next(iter(systems.scores.values()))[metric]
    items = len(score.statistics) if is_additive(score) else len(score.influence[0])
    if items < 2:  # noqa: PLR2004 - a variance
        raise ValueError(f"compare needs at least two items, got {items}")
    return items


def _pairs(names: Sequence[str], baseline: str | None) -> list[tuple[int, int]]:
    """Return the pairs of systems to compare, by their indices."""
    if baseline is None:
        return list(combinations(range(len(names)), 2))
    index = names.index(baseline)
    return [(system, index) for system in range(len(names)) if system != index]


def _compare_metric(systems: Systems, rows: MetricRows, plan: _Plan) -> MetricComparison:
    """Return the comparison of all systems by one metric."""
    score, swaps = systems.of_metric(rows.name)[0], plan.swaps
    test = choose_test(plan.test, rows)
    resampled = resampled_scores(rows, swaps.count, swaps.seed, swaps.threads)
    tests = run_pair_tests(rows, plan.pairs, test, swaps, resampled)
    p_values = {pair: result.p for pair, result in tests.items()}
    p_values |= {(second, first): result.reverse_p for (first, second), result in tests.items()}
    family = Family(plan.pairs, plan.correction, rows, swaps, plan.options.level)
    goodness = rows.values if score.higher_is_better else -rows.values
    adjusted = family.adjust(p_values, swaps.alternative)
    two_sided = adjusted if swaps.alternative == "two-sided" else family.adjust(_two_sided(p_values), "two-sided")
    ranks = rank_ranges(goodness, two_sided, plan.options.level)
    return MetricComparison(
        name=rows.name,
        higher_is_better=score.higher_is_better,
        signature=score.signature,
        scores=dict(zip(systems.names, rows.values.tolist(), strict=True)),
        ranks=dict(zip(systems.names, ranks, strict=True)),
        test=test,
        level=plan.options.level,
        resampled=resampled,
        item_scores=rows.item_scores(),
        _tail=plan.options.tail(len(rows.counts)),
        _differing={pair: rows.differing_items(pair) for pair in plan.pairs},
        _tests=tests,
        _adjusted=adjusted,
        _is_one_sided=swaps.alternative != "two-sided",
    )


def _two_sided(p_values: PValues) -> dict[tuple[int, int], float]:
    """Return the two-sided p-values of one-sided ones, which rank ranges need."""
    return {pair: min(1.0, 2 * min(p, p_values[pair[::-1]])) for pair, p in p_values.items()}
