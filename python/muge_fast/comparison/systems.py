"""The systems of a comparison: their scores by name, with the items in one order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import align_ids, check_names
from muge_fast._internal.display import format_argument, format_id
from muge_fast._internal.labelled import labelled_kind, plain_items
from muge_fast.comparison.arrays import has_ids, scores_of_arrays
from muge_fast.datasets.input_file import InputFile
from muge_fast.evaluation.report import Report
from muge_fast.scores import FloatArray, Score, Scores, without_engine
from muge_fast.tasks.task import Task

__all__ = ["Systems", "SystemsLike", "align_systems", "clusters_in_order", "shared_metrics"]

IndexArray = npt.NDArray[np.int64]

SystemsLike = Mapping[str, "Scores | Score | Report | npt.ArrayLike | Mapping[str, npt.ArrayLike]"]
"""Scores of each system by its name, in any form that :func:`muge_fast.compare` takes."""


class Systems(NamedTuple):
    """Scores of several systems on the same items.

    Attributes:
        scores: Scores of each system by its name, in the order given.
        ids: Ids of the items, in the order of the first system; None if items have no ids.
        orders: For each system, the index of each item in its own order; None if that is the order of ``ids``.
        reports: The reports by the names of their systems, if all systems are reports; else nothing.

    """

    scores: Mapping[str, Scores]
    ids: list[Hashable] | None
    orders: tuple[IndexArray | None, ...]
    reports: Mapping[str, Report]

    @property
    def names(self) -> list[str]:
        """Names of the systems."""
        return list(self.scores)

    @property
    def task(self) -> Task | None:
        """The task, if all systems are reports."""
        return next(iter(self.reports.values())).task if self.reports else None

    def scales(self, metrics: Sequence[str]) -> dict[str, float]:
        """Return the factor of each metric in the official result of the task; nothing if there is no task."""
        return {} if self.task is None else {metric: self.task.official_value(metric, 1.0) for metric in metrics}

    def of_metric(self, metric: str) -> list[Score]:
        """Return the score of each system by one metric.

        Args:
            metric: Name of the metric.

        Returns:
            A score for each system.

        Raises:
            ValueError: The options differ between systems, which the signatures show.

        """
        scores = [scores[metric] for scores in self.scores.values()]
        first = format_argument(self.names[0])
        for name, score in zip(self.names, scores, strict=True):
            if without_engine(score.signature) != without_engine(scores[0].signature):
                raise ValueError(
                    f"{metric} of {format_argument(name)} was computed as {score.signature}, of {first} as "
                    f"{scores[0].signature}; {_fix(score.signature, scores[0].signature)}"
                )
        return scores


def _fix(signature: str, other: str) -> str:
    """Return what to do about scores of different signatures."""
    differing = set(signature.split("|")) ^ set(other.split("|"))
    if all(option.startswith(("real:", "generated:")) for option in differing):
        return "their bias depends on the numbers of images, so compare equal numbers"
    return "score all systems with the same options and version"


def align_systems(scores: SystemsLike) -> Systems:
    """Return the scores of several systems with the order of their items.

    Args:
        scores: Scores by the name of the system; see :func:`muge_fast.compare`.

    Returns:
        The systems.

    Raises:
        TypeError: Not a mapping from names to scores, or only some systems have ids.
        ValueError: Fewer than two systems, an invalid submission, reports of different tasks or gold files, or systems
            with different items. The message names the first system and the first ids.

    """
    if not isinstance(scores, Mapping) or isinstance(scores, Scores):
        fix = "; pass {name: df[name] for name in df.columns}" if labelled_kind(scores) == "frame" else ""
        raise TypeError(
            f"scores must be a mapping from the name of each system to its scores, got {type(scores).__name__}{fix}"
        )
    if len(scores) < 2:  # noqa: PLR2004 - a comparison
        raise ValueError(f"compare needs at least two systems, got {len(scores)}")
    reports = {name: value for name, value in scores.items() if isinstance(value, Report)}
    _check_reports(reports)
    listed = {_checked_name(name): _as_scores(name, value) for name, value in scores.items()}
    first_name, first = next(iter(listed.items()))
    ids = first._ids  # noqa: SLF001 - None differs from ids that are indices
    orders = tuple(_order(name, system, first_name, first) for name, system in listed.items())
    return Systems(listed, ids, orders, reports if len(reports) == len(scores) else {})


def shared_metrics(systems: Systems, metrics: Sequence[str] | None) -> list[str]:
    """Return the names of the metrics to compare.

    Args:
        systems: The systems.
        metrics: Names that were asked for; None for all metrics that every system has.

    Returns:
        The names, in the order asked for or that of the first system.

    Raises:
        TypeError: ``metrics`` is not a list of strings.
        ValueError: A name is unknown or repeated, or a system lacks it.

    """
    shared = [
        name for name in next(iter(systems.scores.values())) if all(name in own for own in systems.scores.values())
    ]
    if not shared:
        found = "; ".join(f"{format_id(name)}: {', '.join(own)}" for name, own in systems.scores.items())
        raise ValueError(f"the systems have no metric in common ({found})")
    return shared if metrics is None else list(check_names("metrics", metrics, shared))


def _checked_name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"names of systems must be strings, got {format_argument(name)}")
    if not name.strip():
        raise ValueError("the name of a system is empty")
    return name


def _as_scores(name: str, value: object) -> Scores:
    """Return the scores of a system, whatever form they were given in."""
    if isinstance(value, Scores):
        return value
    if isinstance(value, Score):
        return Scores({value.name: value}, len(value.per_item))
    if isinstance(value, Report):
        return _scores_of_report(name, value)
    return scores_of_arrays(f"scores[{format_argument(name)}]", value)


def _scores_of_report(name: str, report: Report) -> Scores:
    if report.scores is None:
        state = "was checked, not scored; use evaluate()" if report.ok else f"is invalid: {report.errors[0]}"
        raise ValueError(f"the submission of {format_argument(name)} {state}")
    return report.scores


def _check_reports(reports: Mapping[str, Report]) -> None:
    """Raise if submissions were scored as different tasks, or with different gold files."""
    for name, report in reports.items():
        first_name, first = next(iter(reports.items()))
        shown, first_shown = format_argument(name), format_argument(first_name)
        if report.task.name != first.task.name:
            raise ValueError(
                f"{shown} is a report of task {report.task.name!r}, {first_shown} of task {first.task.name!r}; "
                "compare reports of one task"
            )
        gold, first_gold = report.files.get("gold"), first.files.get("gold")
        if gold is not None and first_gold is not None and _differ(gold, first_gold):
            raise ValueError(
                f"{shown} was scored with the gold file {_described(gold)}, {first_shown} with "
                f"{_described(first_gold)}; score all systems with the same gold file"
            )


def _differ(file: InputFile, other: InputFile) -> bool:
    """Return whether two files had different contents when they were read, as far as that is known."""
    if file.size != other.size:
        return True
    hashes = file.sha256, other.sha256
    return None not in hashes and hashes[0] != hashes[1]


def _described(file: InputFile) -> str:
    digest = "" if file.sha256 is None else f", SHA-256 {file.sha256[:8]}…"
    return f"{file.name} ({file.size:,} bytes{digest})"


def _order(name: str, system: Scores, first_name: str, first: Scores) -> IndexArray | None:
    """Return the index of each item of the first system in another one; None if both have the same order."""
    given, wanted = system._ids, first._ids  # noqa: SLF001
    shown, first_shown = format_argument(name), format_argument(first_name)
    given_name, wanted_name = f"items of {shown}", f"items of {first_shown}"
    if (given is None) is not (wanted is None):
        with_ids, without = (first_shown, shown) if given is None else (shown, first_shown)
        raise TypeError(
            f"the items of {with_ids} have ids, those of {without} have none: give ids to all systems or to none; "
            "a Score alone and an array have none, Scores and a pandas Series with an index may have them"
        )
    if given is None or wanted is None:
        count, first_count = system._items, first._items  # noqa: SLF001
        if count != first_count:
            raise ValueError(f"{shown} has {count} items, {first_shown} has {first_count}")
        return None
    if given is wanted or given == wanted:
        return None
    if len(set(wanted)) < len(wanted):
        _check_samples(given, wanted, given_name, wanted_name)
        given, wanted = _numbered(given), _numbered(wanted)
    return np.array(align_ids(given, wanted, given_name=given_name, wanted_name=wanted_name), dtype=np.int64)


def clusters_in_order(clusters: object, ids: Sequence[Hashable] | None) -> object:
    """Return the keys of clusters in the order of the items, if they were given by id.

    Args:
        clusters: A key for each item in order, or a mapping or a pandas Series from id to key.
        ids: Ids of the items; None if they have none.

    Returns:
        A list of the keys by id, or the argument itself if it has no ids.

    Raises:
        TypeError: A mapping, but items have no ids.
        ValueError: Other ids than those of the items.

    """
    if not isinstance(clusters, Mapping) and (ids is None or not has_ids(clusters)):
        return clusters
    if ids is None:
        raise TypeError("clusters are a mapping, but the items have no ids; pass a list of keys in their order")
    by_id: Mapping[Hashable, object] = plain_items(clusters, "clusters")
    align_ids(list(by_id), list(dict.fromkeys(ids)), given_name="clusters", wanted_name="items")
    return [by_id[key] for key in ids]


def _check_samples(given: Sequence[Hashable], wanted: Sequence[Hashable], given_name: str, wanted_name: str) -> None:
    """Raise if an id that both have does not have equal numbers of samples."""
    counts, wanted_counts = Counter(given), Counter(wanted)
    for key, count in wanted_counts.items():
        if key in counts and counts[key] != count:
            raise ValueError(
                f"{given_name} have id {format_argument(key)} {_times(counts[key])}, {wanted_name} {_times(count)}; "
                "score equally many samples of each id with all systems"
            )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _numbered(ids: Sequence[Hashable]) -> list[Hashable]:
    """Return ids with the number of earlier occurrences: of several samples of an item, the first matches the first."""
    seen: Counter[Hashable] = Counter()
    numbered: list[Hashable] = []
    for key in ids:
        numbered.append((key, seen[key]))
        seen[key] += 1
    return numbered


def reordered(rows: FloatArray, order: IndexArray | None) -> FloatArray:
    """Return rows in the common order of the items.

    Args:
        rows: One row or value for each item, in the order of a system.
        order: Index of each item in that order; None if it is the common one.

    Returns:
        The rows, unchanged if the order is.

    """
    return rows if order is None else rows[order]
