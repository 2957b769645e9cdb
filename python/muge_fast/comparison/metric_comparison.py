"""The comparison of all systems by one metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import NormalDist, median
from typing import TYPE_CHECKING, Any

import numpy as np

from muge_fast._internal.checks import suggest
from muge_fast._internal.display import format_argument
from muge_fast.comparison.metric_rows import differ
from muge_fast.comparison.pairs import PairComparison, RankRange
from muge_fast.comparison.swaps import PairTest
from muge_fast.evaluation.report import Report
from muge_fast.scores import FloatArray
from muge_fast.significance.intervals import Interval, quantile
from muge_fast.significance.sign_flips import SUM_ROUNDING
from muge_fast.significance.step_down import significance_level

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["MetricComparison", "main_metric", "verdict"]

POWER = 0.8
"""Probability with which a detectable difference is found."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MetricComparison(Mapping[tuple[str, str], PairComparison]):
    """The comparison of all systems by one metric: a mapping from the names of two systems to their comparison.

    ``comparison["large", "base"]`` is large minus base. Iteration goes through the pairs that were compared; the other
    order of a pair can be looked up too.

    Attributes:
        name: Name of the metric.
        higher_is_better: Whether a larger score is better.
        signature: Signature of the scores.
        scores: The score of each system by its name.
        ranks: The ranks that each system may have, by its name.
        test: Name of the test of pairs.
        level: Confidence level of intervals and ranks.
        resampled: Scores of the systems on joint resamples, float64 of shape ``(resamples, systems)``.
        item_scores: Score of each item scored alone, float64 of shape ``(items, systems)``; None for metrics of a whole
            set.

    Example:
        >>> import muge_fast as mf
        >>> hits = {"base": [1, 0, 0, 1, 0, 0, 0, 1], "large": [1, 1, 1, 1, 1, 1, 1, 1]}
        >>> comparison = mf.compare(hits)["mean"]
        >>> list(comparison), comparison["large", "base"].difference, comparison["base", "large"].p
        ([('base', 'large')], 0.625, 0.0625)
        >>> str(comparison.ranks["base"]), comparison.ranks["base"].tied_with_first
        ('1–2', True)

    """

    name: str
    higher_is_better: bool
    signature: str
    scores: Mapping[str, float]
    ranks: Mapping[str, RankRange]
    test: str
    level: float
    resampled: FloatArray = field(repr=False)
    item_scores: FloatArray | None = field(repr=False)
    _tail: float = field(repr=False)
    _differing: Mapping[tuple[int, int], int] = field(repr=False)
    _tests: Mapping[tuple[int, int], PairTest] = field(repr=False)
    _adjusted: Mapping[tuple[int, int], float] = field(repr=False)
    _is_one_sided: bool = field(repr=False)

    @property
    def systems(self) -> list[str]:
        """Names of the systems, in the order given."""
        return list(self.scores)

    @property
    def order(self) -> list[str]:
        """Names of the systems, the best score first; equal scores in the order given."""
        return sorted(self.scores, key=self.scores.__getitem__, reverse=self.higher_is_better)

    @property
    def intervals(self) -> dict[str, Interval]:
        """Confidence interval of each score by the name of its system."""
        return {name: self._interval(self.resampled[:, index]) for index, name in enumerate(self.scores)}

    @property
    def standard_errors(self) -> dict[str, float]:
        """Standard error of each score by the name of its system: the standard deviation over the resamples."""
        errors = self.resampled.std(axis=0, ddof=1)
        return dict(zip(self.scores, errors.tolist(), strict=True))

    @property
    def detectable(self) -> float:
        """Smallest true difference that these items would show in four of five cases: the median over the pairs.

        It is 0 where all items differ by the same amount, which says nothing about smaller differences.
        """
        scores = self.resampled
        return median(self._detectable(scores[:, first] - scores[:, second]) for first, second in self._tests)

    @property
    def adjusted_p(self) -> dict[tuple[str, str], float]:
        """Adjusted p-value of each pair that was compared, in both orders, by the names of its systems."""
        names = self.systems
        return {(names[first], names[second]): p for (first, second), p in self._adjusted.items()}

    def __getitem__(self, pair: tuple[str, str]) -> PairComparison:
        first, second = self._indices(pair)
        is_reversed = (first, second) not in self._tests
        test = self._tests[(second, first) if is_reversed else (first, second)]
        names = self.systems
        difference = self.resampled[:, first] - self.resampled[:, second]
        sign = 1.0 if self.higher_is_better else -1.0
        wins, losses = self._wins(first, second, sign)
        return PairComparison(
            first=names[first],
            second=names[second],
            difference=self.scores[names[first]] - self.scores[names[second]],
            interval=self._interval(difference),
            p=test.reverse_p if is_reversed else test.p,
            adjusted_p=self._adjusted[first, second],
            wins=wins,
            losses=losses,
            differing_items=self._differing[(second, first) if is_reversed else (first, second)],
            resamples_won=float(np.mean(difference * sign > 0)),
            test=self.test,
            exact=test.exact,
            detectable=self._detectable(difference),
        )

    def __iter__(self) -> Iterator[tuple[str, str]]:
        names = self.systems
        return ((names[first], names[second]) for first, second in self._tests)

    def __len__(self) -> int:
        return len(self._tests)

    def __repr__(self) -> str:
        scores = ", ".join(f"{name}={value:.4f}" for name, value in self.scores.items())
        return f"MetricComparison({self.name}: {scores})"

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as a dictionary of plain Python objects, which JSON can represent.

        Returns:
            The attributes, with ``"systems"``, a dictionary for each, and ``"pairs"``, a list.

        Example:
            >>> import muge_fast as mf
            >>> found = mf.compare({"a": [1, 0, 1], "b": [1, 0, 0]})["mean"].to_dict()
            >>> found["systems"]["a"]["rank"], found["pairs"][0]["differing_items"]
            (1, 1)

        """
        intervals, errors = self.intervals, self.standard_errors
        return {
            "name": self.name,
            "higher_is_better": self.higher_is_better,
            "signature": self.signature,
            "test": self.test,
            "level": self.level,
            "detectable": self.detectable,
            "systems": {
                name: {
                    "score": value,
                    "interval": list(intervals[name]),
                    "standard_error": errors[name],
                    **self.ranks[name].to_dict(),
                }
                for name, value in self.scores.items()
            },
            "pairs": [pair.to_dict() for pair in self.values()],
        }

    def to_pandas(self) -> pd.DataFrame:
        """Return the systems as a pandas DataFrame; :meth:`Comparison.to_pandas` has the pairs.

        Returns:
            A frame with a row for each system in the order given, and the columns ``"system"``, ``"score"``, ``"low"``
            and ``"high"`` of its interval, ``"standard_error"``, ``"rank"``, ``"rank_low"``, ``"rank_high"`` and
            ``"tied_with_first"``.

        Raises:
            ImportError: pandas is not installed.

        Example:
            >>> import muge_fast as mf
            >>> metric = mf.compare({"a": [1, 0, 1], "b": [1, 0, 0]})["mean"]
            >>> metric.to_pandas()[["system", "rank"]].values.tolist()  # doctest: +SKIP
            [['a', 1], ['b', 2]]

        """
        from muge_fast._internal.output_tables import pandas_frame  # noqa: PLC0415 - few results become tables

        return pandas_frame(self._columns())

    def to_arrow(self) -> pa.Table:
        """Return the systems as a table of Arrow, with the rows and columns of :meth:`to_pandas`.

        Returns:
            The table.

        Raises:
            ImportError: pyarrow, the extra ``arrow``, is not installed.

        Example:
            >>> import muge_fast as mf
            >>> metric = mf.compare({"a": [1, 0, 1], "b": [1, 0, 0]})["mean"]
            >>> metric.to_arrow().column("rank").to_pylist()  # doctest: +SKIP
            [1, 2]

        """
        from muge_fast._internal.output_tables import arrow_table  # noqa: PLC0415 - few results become tables

        return arrow_table(self._columns())

    def _columns(self) -> dict[str, list[Any]]:
        """Return the columns of the table of systems."""
        intervals, ranks = self.intervals.values(), self.ranks.values()
        return {
            "system": self.systems,
            "score": list(self.scores.values()),
            "low": [interval.low for interval in intervals],
            "high": [interval.high for interval in intervals],
            "standard_error": list(self.standard_errors.values()),
            "rank": [found.rank for found in ranks],
            "rank_low": [found.low for found in ranks],
            "rank_high": [found.high for found in ranks],
            "tied_with_first": [found.tied_with_first for found in ranks],
        }

    def _indices(self, pair: object) -> tuple[int, int]:
        """Return the indices of the systems of a pair, or raise ``KeyError``."""
        if not isinstance(pair, tuple) or len(pair) != 2:  # noqa: PLR2004 - a pair
            raise KeyError(
                f"expected the names of two systems, such as {next(iter(self))}, got {format_argument(pair)}"
            )
        names = self.systems
        for name in pair:
            if name not in self.scores:
                hint = suggest(name, names) if isinstance(name, str) else ""
                raise KeyError(f"no system {format_argument(name)}, this comparison has {', '.join(names)}{hint}")
        first, second = (names.index(name) for name in pair)
        if (first, second) not in self._tests and (second, first) not in self._tests:
            raise KeyError(f"{pair[0]!r} and {pair[1]!r} were not compared; pairs are {list(self)[:3]}")
        return first, second

    def _interval(self, values: FloatArray) -> Interval:
        ordered = np.sort(values)
        return Interval(quantile(ordered, self._tail), quantile(ordered, 1 - self._tail), self.level, "bootstrap")

    def _detectable(self, difference: FloatArray) -> float:
        """Return the true difference that is significant with the probability :data:`POWER`, to first order."""
        tail = (1 - self.level) / (1 if self._is_one_sided else 2)
        factor = NormalDist().inv_cdf(1 - tail) + NormalDist().inv_cdf(POWER)
        error = float(difference.std(ddof=1))
        is_rounding = error <= SUM_ROUNDING * float(np.abs(self.resampled).max())
        return 0.0 if is_rounding else factor * error

    def _wins(self, first: int, second: int, sign: float) -> tuple[int | None, int | None]:
        if self.item_scores is None:
            return None, None
        one, other = self.item_scores[:, first], self.item_scores[:, second]
        difference = sign * np.where(differ(one, other), one - other, 0.0)
        return int(np.count_nonzero(difference > 0)), int(np.count_nonzero(difference < 0))


def main_metric(metrics: Mapping[str, MetricComparison], reports: Mapping[str, Report]) -> str:
    """Return the name of the metric that is shown first.

    Args:
        metrics: The comparisons by metric.
        reports: Reports of the systems, if there are any.

    Returns:
        The main metric of the task of the reports if it was compared, else the first one.

    """
    main = next((report.task.main for report in reports.values()), None)
    return main if main is not None and main in metrics else next(iter(metrics))


def verdict(metric: MetricComparison, name: str, baseline: str) -> str:
    """Return how a system differs from the baseline.

    Args:
        metric: The comparison by a metric.
        name: Name of the system.
        baseline: Name of the baseline.

    Returns:
        ``"better"``, ``"worse"``, or ``"tied"`` without a significant difference.

    """
    if name == baseline or metric.adjusted_p[name, baseline] > significance_level(metric.level):
        return "tied"
    is_higher = metric.scores[name] > metric.scores[baseline]
    return "better" if is_higher == metric.higher_is_better else "worse"
