"""Cross-modal classification: one label for each image."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from muge_fast import _core
from muge_fast._internal.checks import align_ids, whole_number
from muge_fast._internal.field_names import LABEL
from muge_fast.datasets.fields import Text
from muge_fast.scores import FloatArray, ItemStatistics, Score, Scores, mean_score, signature
from muge_fast.tasks.task import Task, score_probe


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
    return Scores({"accuracy": accuracy, "macro_f1": _macro_f1(len(labels), pairs)}, len(ids), list(ids))


def _macro_f1(labels: int, rows: FloatArray) -> Score:
    """Return macro F1 of the items with these true and predicted labels, float64 of shape ``(items, 2)``."""
    true, predicted = rows.astype(np.int64).T
    hits = np.bincount(true[true == predicted], minlength=labels)
    counts = np.bincount(true, minlength=labels) + np.bincount(predicted, minlength=labels)
    # A subset of the items may lack some labels.
    present = counts > 0
    f1 = np.divide(2 * hits, counts, out=np.zeros(labels), where=present)
    return Score(
        name="macro_f1",
        value=_core.mean(f1[present]),
        per_item=np.ascontiguousarray(f1[true]),
        signature=signature("macro_f1", labels=labels),
        parts={},
        statistics=ItemStatistics(("label", "predicted_label"), rows),
        _rescore=partial(_macro_f1, labels),
        _merge_error="labels have different codes in each set; score all items together",
    )


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
    official={"accuracy": "accuracy", "macro_f1": "macro_f1"},
    check_values=partial(score_probe, score_classification, {"a": "裙"}, {"a": "裙"}),
)
