"""Names of retrieval metrics, with cutoffs such as ``ndcg@10``, and the names that other tools use for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from muge_fast._internal.checks import check_names, find_repeated, fold_name, suggest, whole_number
from muge_fast._internal.display import format_argument
from muge_fast._internal.labelled import labelled_kind, plain_ids

METRICS_AT_K = ("recall", "relevant_recall", "precision", "ndcg", "ndcg_exp")
METRICS = (*METRICS_AT_K, "mrr", "map")

ALIASES = {
    "r": "recall",
    "hitrate": "recall",
    "success": "recall",
    "p": "precision",
    "ndcgcut": "ndcg",
    "ndcgburges": "ndcg_exp",
    "reciprank": "mrr",
    "reciprocalrank": "mrr",
    "averageprecision": "map",
    "meanaverageprecision": "map",
    **{fold_name(name): name for name in METRICS},
}
"""Metrics by other names with the same meaning, as :func:`fold_name` returns them."""

MAX_K = 2**63 - 1
"""Largest cutoff, because the core counts in 64 bits."""

AT_K = re.compile(r"(?P<metric>.+?)\s*@\s*(?P<k>[0-9]{1,19})")

TREC_EVAL = re.compile(r"(?P<metric>success|P|ndcg_cut)[._](?P<k>[0-9]{1,19})")
"""Names of trec_eval with a cutoff. Its ``recall_10`` is missing, because it could be taken for ``recall@10``."""


class Column(NamedTuple):
    """A metric to compute.

    Attributes:
        metric: One of ``METRICS``.
        k: The cutoff; 1 for metrics without one.

    """

    metric: str
    k: int

    @property
    def key(self) -> str:
        """Name of the score, such as ``"recall@1"`` or ``"map"``."""
        return f"{self.metric}@{self.k}" if self.metric in METRICS_AT_K else self.metric


def check_ks(ks: int | Iterable[int]) -> list[int]:
    """Return the cutoffs as a list.

    Args:
        ks: Different integers from 1 to 2**63 - 1, or one such integer.

    Returns:
        The cutoffs, in their order, as ``int``.

    Raises:
        TypeError: A cutoff is not an integer.
        ValueError: There are no cutoffs, or one is repeated or out of range.

    Example:
        >>> from muge_fast.retrieval.metric_names import check_ks
        >>> check_ks((1, 5)), check_ks(10)
        ([1, 5], [10])

    """
    if labelled_kind(ks) is not None:
        ks = plain_ids(ks, "ks")  # type: ignore[assignment]
    elif isinstance(ks, (str, bytes)):
        raise TypeError(f"ks must be integers such as (1, 5, 10), got {format_argument(ks)}")
    if not isinstance(ks, Iterable) or getattr(ks, "shape", None) == ():
        return [_check_k("ks", ks)]
    cutoffs = [_check_k(f"ks[{index}]", k) for index, k in enumerate(ks)]
    if not cutoffs:
        raise ValueError("ks is empty, needs at least one")
    repeated = find_repeated(cutoffs)
    if repeated is not None:
        raise ValueError(f"ks has {cutoffs[repeated]} more than once")
    return cutoffs


def check_metrics(metrics: Iterable[str], ks: Sequence[int]) -> list[tuple[str, list[Column]]]:
    """Return the requested metrics and the columns of each.

    Args:
        metrics: Names of metrics. A name with a cutoff, such as ``"ndcg@10"``, is that metric at that cutoff only.
        ks: Cutoffs of the metrics that are named without one.

    Returns:
        For each request, the name of the metric, or an empty string if it has a cutoff, and its columns.

    Raises:
        TypeError: ``metrics`` is a string or not iterable, or a name is not a string.
        ValueError: There are no metrics, or a name is unknown or repeated.

    Example:
        >>> from muge_fast.retrieval.metric_names import check_metrics
        >>> for name, columns in check_metrics(["R@1", "nDCG", "hit_rate"], [5, 10]):
        ...     print(repr(name), [column.key for column in columns])
        '' ['recall@1']
        'ndcg' ['ndcg@5', 'ndcg@10']
        'recall' ['recall@5', 'recall@10']

    """
    if isinstance(metrics, (str, bytes)) or not isinstance(metrics, Iterable):
        check_names("metrics", metrics, METRICS)
    requests = [_resolve(name) for name in metrics]
    # This raises for an empty list, for repetitions and for names that are not strings.
    keys = [request.key if isinstance(request, Column) else request for request in requests]
    check_names("metrics", keys, [*METRICS, *(request.key for request in requests if isinstance(request, Column))])
    return [
        ("", [request]) if isinstance(request, Column) else (request, _columns(request, ks)) for request in requests
    ]


def _columns(metric: str, ks: Sequence[int]) -> list[Column]:
    return [Column(metric, k) for k in ks] if metric in METRICS_AT_K else [Column(metric, 1)]


def _resolve(name: str) -> Column | str:
    """Return the metric that a name means, with its cutoff if it has one."""
    if not isinstance(name, str) or name in METRICS:
        return name
    match = AT_K.fullmatch(name) or TREC_EVAL.fullmatch(name)
    metric = ALIASES.get(fold_name(match["metric"] if match else name))
    if metric is None:
        raise ValueError(f"unknown metrics {format_argument(name)}, choose from {', '.join(METRICS)}{_hint(name)}")
    if match is None:
        return metric
    k = _check_k(f"the cutoff of {format_argument(name)}", int(match["k"]))
    if metric not in METRICS_AT_K:
        raise ValueError(
            f"unknown metrics {format_argument(name)}: {metric} has no cutoff; "
            f"for {metric} of the first {k} items, cut the lists of predictions to {k} items"
        )
    return Column(metric, k)


def _hint(name: str) -> str:
    """Return what an unknown name may mean."""
    folded = fold_name(name)
    if folded == "meanrecall":
        return "; 'recall' has mean_recall too"
    trec_recall = re.fullmatch(r"recall([0-9]{1,19})", folded)
    if trec_recall:
        k = trec_recall[1]
        return f"; did you mean 'recall@{k}' (any relevant item) or 'relevant_recall@{k}' (trec_eval's recall)?"
    match = AT_K.fullmatch(name)
    choices = METRICS if match is None else [f"{metric}@{match['k']}" for metric in METRICS_AT_K]
    return suggest(name, choices)


def _check_k(name: str, k: object) -> int:
    cutoff = whole_number(name, k)
    if cutoff > MAX_K:
        raise ValueError(f"{name} must be at most {MAX_K}, got {cutoff}")
    return cutoff
