"""Cross-modal classification: a label for each image."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from muge_fast import _core
from muge_fast.scores import FloatArray, ItemStatistics, Score, Scores, mean_score, signature
from muge_fast.tasks.task import Form, Task, Text


def score_classification(
    predictions: Mapping[str, str],
    references: Mapping[str, str],
    *,
    threads: int | None = None,  # noqa: ARG001 - all tasks take it
) -> Scores:
    """Score one label for each item against the true one.

    Args:
        predictions: A label for each id.
        references: The true label of the same ids.
        threads: Taken as by the other tasks; one thread is quick enough.

    Returns:
        ``"accuracy"``, the share of items with the true label, and ``"macro_f1"``, the mean of F1 over all labels that
        are true or predicted for any item, as in scikit-learn's ``f1_score(average="macro")``. Both are 0 to 1.

    Raises:
        ValueError: Ids that differ, or no items.

    Example:
        >>> from muge_fast.tasks.classification import score_classification
        >>> scores = score_classification({"a": "鞋", "b": "鞋"}, {"a": "鞋", "b": "裙"})
        >>> scores["accuracy"].value, round(scores["macro_f1"].value, 4)
        (0.5, 0.3333)

    """
    if predictions.keys() != references.keys() or not references:
        raise ValueError("predictions and references need the same ids, at least one")
    ids = list(references)
    labels = sorted({*references.values(), *predictions.values()})
    places = {label: place for place, label in enumerate(labels)}
    true, predicted = (np.array([places[side[key]] for key in ids]) for side in (references, predictions))
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
        _merge_error="labels are numbered within each set; score all items together",
    )


TASK = Task(
    name="classification",
    title="Cross-modal classification",
    title_zh="跨模态分类",
    forms=(Form("image_id", "label"),),
    id=Text(),
    gold=Text(),
    submission=Text(),
    score=score_classification,
    main="accuracy",
    official={"accuracy": "accuracy", "macro_f1": "macro_f1"},
)
