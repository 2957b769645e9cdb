"""Image retrieval by text: MUGE Multimodal Retrieval, with the field names of MUGE or of Chinese-CLIP."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain

import numpy as np

from muge_fast._internal.field_names import QUERY_TEXTS, RETRIEVAL
from muge_fast.datasets.fields import Integer, IntegerList
from muge_fast.retrieval.scoring import score_retrieval
from muge_fast.scores import Scores
from muge_fast.tasks.task import Task, score_probe, unofficial_options

NO_ITEM = -1
"""Stands for a missing item in arrays, so that score_retrieval refuses lists that end with it."""


def score_submission(
    predictions: Mapping[int, list[int]],
    references: Mapping[int, list[int]],
    *,
    ks: int | Sequence[int] = (1, 5, 10),
    metrics: Sequence[str] = ("recall",),
    threads: int | None = None,
) -> Scores:
    """Score the rows of a submission with :func:`muge_fast.score_retrieval`; -1 is an item like any other.

    Args:
        predictions: Ten items of each query, best first.
        references: Relevant items of each query.
        ks: Cutoffs of the metrics.
        metrics: Names of metrics.
        threads: Number of threads; None for all cores.

    Returns:
        The scores.

    Raises:
        TypeError: An option of the wrong type.
        ValueError: An option is invalid.

    Example:
        >>> from muge_fast.tasks.retrieval import score_submission
        >>> score_submission({1: [5, -1]}, {1: [7, -1]}, ks=(1, 2))["recall@2"].value
        1.0

    """
    if any(NO_ITEM in items for items in references.values()):
        predictions, references = _rename_no_item(predictions, references)
    return score_retrieval(predictions, references, ks=ks, metrics=metrics, threads=threads)


def _rename_no_item(*lists_by_query: Mapping[int, list[int]]) -> list[dict[int, list[int]]]:
    """Return the lists with another integer, which no list has, in place of -1."""
    items = np.fromiter(chain.from_iterable(chain(*(lists.values() for lists in lists_by_query))), np.int64)
    unused = int(np.setdiff1d(np.arange(len(items) + 1), items)[0])
    return [
        {query: [unused if item == NO_ITEM else item for item in items] for query, items in lists.items()}
        for lists in lists_by_query
    ]


TASK = Task(
    name="retrieval",
    title="Image retrieval by text (Multimodal Retrieval)",
    title_zh="图文检索（Multimodal Retrieval）",
    fields=RETRIEVAL,
    id=Integer(),
    gold=IntegerList(),
    submission=IntegerList(count=10),
    text_fields=QUERY_TEXTS,
    score=score_submission,
    main="mean_recall",
    lower_is_better=(),
    main_metric="recall",
    official={"mean_recall": "mean_recall", "r1": "recall@1", "r5": "recall@5", "r10": "recall@10"},
    has_pool=True,
    strict_lines=True,
    unofficial=partial(unofficial_options, {"mean_recall": "ks:1,5,10"}),
    check_values=partial(score_probe, score_retrieval, {1: [2]}, {1: [2]}),
)
