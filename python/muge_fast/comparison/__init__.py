"""Comparisons of systems: which differences the items support, and which ranks are possible."""

from muge_fast.comparison._compare import compare
from muge_fast.comparison.comparison import Comparison
from muge_fast.comparison.metric_comparison import MetricComparison
from muge_fast.comparison.pairs import PairComparison, RankRange

__all__ = ["Comparison", "MetricComparison", "PairComparison", "RankRange", "compare"]
