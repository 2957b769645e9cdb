"""Names of metrics as people write them, for tables, pages and messages."""

from __future__ import annotations

TITLES = {
    "cider_d": "CIDEr-D",
    "cider": "CIDEr",
    "bleu": "BLEU-4",
    "rouge_l": "ROUGE-L",
    "meteor": "METEOR",
    "recall": "Recall",
    "mean_recall": "MeanRecall",
    "relevant_recall": "Relevant recall",
    "precision": "Precision",
    "ndcg": "nDCG",
    "mrr": "MRR",
    "map": "MAP",
    "fid": "FID",
    "fid_infinity": "FID-infinity",
    "is": "Inception Score",
    "kid": "KID",
    "density": "Density",
    "coverage": "Coverage",
    "r_precision": "R-precision",
    "text_recall": "Text recall",
    "clip_score": "CLIPScore",
    "accuracy": "Accuracy",
    "macro_f1": "Macro-F1",
}

# Metrics without a lowest value, and the bounds of those that are not from 0 to 1; None for no highest value.
UNBOUNDED = ("fid_infinity", "kid", "density", "clip_score")
BOUNDS: dict[str, tuple[float, float | None]] = {
    "cider_d": (0, 10),
    "cider": (0, 10),
    "fid": (0, None),
    "is": (1, None),
}


def metric_title(name: str) -> str:
    """Return the name of a score as people write it.

    Args:
        name: Name of a score, such as ``"cider_d"`` or ``"recall@5"``, or of a part, such as ``"bleu_2"``.

    Returns:
        The title. The cutoff after ``@`` is kept, whatever it is. A name that is not known, such as one of a task of
        another package, is returned as it is.

    Example:
        >>> from muge_fast._internal.metric_names import metric_title
        >>> metric_title("bleu"), metric_title("bleu_2"), metric_title("recall@20"), metric_title("my_score")
        ('BLEU-4', 'BLEU-2', 'Recall@20', 'my_score')

    """
    base, at, cutoff = name.partition("@")
    stem, _, order = base.rpartition("_")
    if stem == "bleu" and order.isdecimal():
        return f"BLEU-{order}"
    return f"{TITLES[base]}{at}{cutoff}" if base in TITLES else name


def metric_bounds(name: str) -> tuple[float, float | None] | None:
    """Return the lowest and the highest value of a score, as the metric defines it.

    Args:
        name: Name of a score, such as ``"cider_d"`` or ``"recall@5"``.

    Returns:
        The bounds, with None for no highest value; None for a score without lowest value or one that is not known.

    Example:
        >>> from muge_fast._internal.metric_names import metric_bounds
        >>> metric_bounds("cider_d"), metric_bounds("recall@5"), metric_bounds("fid"), metric_bounds("my_score")
        ((0, 10), (0, 1), (0, None), None)

    """
    base = name.partition("@")[0]
    if base not in TITLES or base in UNBOUNDED:
        return None
    return BOUNDS.get(base, (0, 1))


def arrow(higher_is_better: bool) -> str:
    """Return the arrow that tables put after the name of a score: up if a larger value is better.

    Args:
        higher_is_better: Whether a larger value is better.

    Returns:
        One character.

    Example:
        >>> from muge_fast._internal.metric_names import arrow
        >>> arrow(True), arrow(False)
        ('↑', '↓')

    """
    return "↑" if higher_is_better else "↓"
