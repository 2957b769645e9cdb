"""Names of metrics as people write them, for tables, pages and messages."""

from __future__ import annotations

TITLES = {
    "cider_d": "CIDEr-D",
    "cider": "CIDEr",
    "bleu": "BLEU-4",
    "rouge_l": "ROUGE-L",
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
