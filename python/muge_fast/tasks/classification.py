"""Cross-modal classification: one label for each image."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.checks import align_ids, whole_number
from muge_fast._internal.field_names import LABEL
from muge_fast.datasets.fields import Text
from muge_fast.scores import AdditiveStatistics, FloatArray, ItemStatistics, Score, Scores, mean_score, signature
from muge_fast.tasks.task import Task, score_probe

MAX_F1_BYTES = 2**30


def score_classification(
    predictions: Mapping[str, str],
    references: Mapping[str, str],
    *,
    threads: int | None = None,
) -> Scores:
    """Compute accuracy and macro-F1 of predicted labels.

    Args:
        predictions: Predicted label of each item, by id.
        references: True label of each item, by the same ids.
        threads: At least 1, or None; it has no effect, as one thread is fast enough.

    Returns:
        ``"accuracy"``, the fraction of items whose predicted label is the true one, and ``"macro_f1"``, the mean of the
        F1 scores of all labels that are true or predicted for any item, as scikit-learn's
        ``f1_score(average="macro")``. Both are from 0 to 1. The ``per_item`` score of macro-F1 is the F1 of the item's
        true label.

    Raises:
        ValueError: The ids differ, there are no items, or ``threads`` is less than 1.

    Example:
        >>> from muge_fast.tasks.classification import score_classification
        >>> scores = score_classification({"a": "鞋", "b": "鞋"}, {"a": "鞋", "b": "裙"})
        >>> scores["accuracy"].value, round(scores["macro_f1"].value, 4)
        (0.5, 0.3333)

    """
    if threads is not None:
        whole_number("threads", threads)
    if not references:
        raise ValueError("references are empty, expected at least one item")
    ids = list(references)
    align_ids(list(predictions), ids, given_name="predictions", wanted_name="references")
    labels = sorted({*references.values(), *predictions.values()})
    codes = {label: code for code, label in enumerate(labels)}
    true, predicted = (np.array([codes[by_id[key]] for key in ids]) for by_id in (references, predictions))
    accuracy = mean_score("accuracy", signature("accuracy"), (true == predicted).astype(np.float64))
    pairs = np.stack([true, predicted], axis=1).astype(np.float64)
    return Scores({"accuracy": accuracy, "macro_f1": _macro_f1(labels, pairs)}, len(ids), list(ids))


def _macro_f1(labels: list[str], rows: FloatArray) -> Score:
    """Return macro F1 of the items with these true and predicted labels, float64 of shape ``(items, 2)``."""
    true, predicted = rows.astype(np.int64).T
    hits = np.bincount(true[true == predicted], minlength=len(labels))
    counts = np.bincount(true, minlength=len(labels)) + np.bincount(predicted, minlength=len(labels))
    # A subset of the items may lack some labels.
    present = counts > 0
    f1 = np.divide(2 * hits, counts, out=np.zeros(len(labels)), where=present)
    return Score(
        name="macro_f1",
        value=_core.mean(f1[present]),
        per_item=np.ascontiguousarray(f1[true]),
        signature=signature("macro_f1"),
        parts={},
        statistics=ItemStatistics(("label", "predicted_label"), rows),
        _rescore=partial(_macro_f1, labels),
        _merge_error="labels have different codes in each set; score all items together",
        _additive=partial(_additive_f1, labels),
    )


def _additive_f1(labels: list[str], statistics: ItemStatistics) -> AdditiveStatistics:
    """Return two columns for each label: correct items, and how often it is the true or the predicted label."""
    items = len(statistics)
    size = items * 2 * len(labels) * 8
    if size > MAX_F1_BYTES:
        raise ValueError(
            f"macro_f1 of {items} items and {len(labels)} labels needs {size / 2**30:.1f} GiB to be resampled, "
            f"more than {MAX_F1_BYTES / 2**30:g} GiB; use accuracy"
        )
    true, predicted = statistics.rows.astype(np.int64).T
    rows = np.zeros((items, len(labels), 2))
    index = np.arange(items)
    rows[index, true, 0] = true == predicted
    rows[index, true, 1] = 1
    rows[index, predicted, 1] += 1
    columns = tuple(f"{kind}:{label}" for label in labels for kind in ("correct", "count"))
    return AdditiveStatistics(columns, rows.reshape(items, -1), _f1_of_sums, _f1_gradient)


def _f1_of_sums(sums: FloatArray, counts: npt.NDArray[Any]) -> FloatArray:  # noqa: ARG001 - each label has its count
    correct, count = np.moveaxis(sums.reshape(len(sums), -1, 2), -1, 0)
    f1 = np.divide(2 * correct, count, out=np.zeros_like(correct), where=count > 0)
    # Of the labels of each sample alone, as scores of its items have them.
    return np.array([_core.mean(row[is_present]) for row, is_present in zip(f1, count > 0, strict=True)])


def _f1_gradient(sums: FloatArray, count: int) -> FloatArray:  # noqa: ARG001 - each label has its count
    correct, counts = sums.reshape(-1, 2).T
    present = counts > 0
    scale = np.divide(2, counts * present.sum(), out=np.zeros_like(counts), where=present)
    by_count = -scale * np.divide(correct, counts, out=np.zeros_like(counts), where=present)
    return np.stack([scale, by_count], axis=1).ravel()


TASK = Task(
    name="classification",
    title="Cross-modal classification",
    title_zh="跨模态分类",
    fields=(LABEL,),
    id=Text(),
    gold=Text(),
    submission=Text(),
    score=score_classification,
    main="accuracy",
    lower_is_better=(),
    official={"accuracy": "accuracy", "macro_f1": "macro_f1"},
    check_values=partial(score_probe, score_classification, {"a": "裙"}, {"a": "裙"}),
)
