"""Metrics of captions for tasks of lmms-eval. Only :func:`register` imports lmms-eval."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from muge_fast._internal.checks import check_choice, check_names
from muge_fast._internal.display import format_argument
from muge_fast._internal.optional import import_optional
from muge_fast.caption import DocumentFrequency, score_captions
from muge_fast.caption.options import DEFAULT_METRICS
from muge_fast.text.tokenizers import TokenizerLike

__all__ = [
    "METRICS",
    "aggregation",
    "bleu",
    "caption_results",
    "cider",
    "cider_d",
    "meteor",
    "register",
    "rouge_l",
]

BLEU_ORDERS = ("bleu_1", "bleu_2", "bleu_3", "bleu_4")

METRICS = ("cider_d", "cider", "bleu", *BLEU_ORDERS, "rouge_l", "meteor")
"""Names of metrics: those of :func:`muge_fast.score_captions`, and BLEU of each order."""

PREFIX = "muge_"

LISTED_FIELDS = 6
"""Fields of a document that an error names."""

Document = Mapping[str, Any]
Items = Sequence[Any]
Aggregation = Callable[[Items], float]

_registered: dict[str, Aggregation] = {}
"""What this module has put into the registries of lmms-eval, by name."""


def aggregation(
    metric: str,
    *,
    tokenizer: TokenizerLike = "muge",
    document_frequency: DocumentFrequency | None = None,
    threads: int | None = None,
) -> Aggregation:
    """Return a function that scores the captions of all documents of a task, for ``aggregation`` in ``metric_list``.

    It takes what :func:`caption_results` returns, and what the caption tasks of lmms-eval themselves return, such as
    ``flickr30k`` and ``coco_cap``: dictionaries with ``"pred"``, ``"answer"`` and ``"image_id"``.

    Args:
        metric: One of :data:`METRICS`.
        tokenizer: Tokenizer of the metrics, as for :func:`muge_fast.score_captions`; ``"ptb"`` for the numbers that
            these tasks have of pycocoevalcap.
        document_frequency: Document frequencies for CIDEr and CIDEr-D; None to count them in the references.
        threads: Number of threads; None for all cores.

    Returns:
        A function of a list of items, which returns a float.

    Raises:
        TypeError: The name of the metric is not a string.
        ValueError: The metric is unknown.

    Example:
        >>> from muge_fast.integrations.lmms_eval import aggregation
        >>> rouge_l = aggregation("rouge_l")
        >>> rouge_l([{"image_id": 1, "pred": "红裙", "answer": ["红裙", "长裙"]}])
        1.0

    """
    name = check_choice("metric", metric, METRICS)
    return partial(_score, name, tokenizer, document_frequency, threads)


def caption_results(
    *,
    references: str | Callable[[Document], Any] = "caption",
    image_id: str | None = None,
    metrics: Iterable[str] = DEFAULT_METRICS,
    prefix: str = PREFIX,
) -> Callable[[Document, Sequence[str]], dict[str, dict[str, Any]]]:
    """Return a function for ``process_results`` of a task, which pairs a caption with the references of its document.

    Args:
        references: Name of the field of a document that has its references, a string or a list of strings; or a
            function from a document to them.
        image_id: Name of the field that has the id of the image, for errors and logs; None for tasks without ids.
        metrics: Metrics of ``metric_list`` without the prefix.
        prefix: What names of metrics begin with, as for :func:`register`.

    Returns:
        A function of a document and the answers of the model, which returns an item by the name of each metric.

    Raises:
        TypeError: Names of metrics are not strings.
        ValueError: A metric is unknown or repeated.

    Example:
        >>> from muge_fast.integrations.lmms_eval import caption_results
        >>> process_results = caption_results(references="captions", metrics=["cider_d"])
        >>> process_results({"captions": ["红裙", "长裙"]}, ["红色裙子"])
        {'muge_cider_d': {'pred': '红色裙子', 'answer': ['红裙', '长裙']}}

    """
    names = [prefix + name for name in check_names("metrics", metrics, METRICS)]

    def process_results(doc: Document, results: Sequence[str]) -> dict[str, dict[str, Any]]:
        texts: Any = references(doc) if callable(references) else _field(doc, references)
        item: dict[str, Any] = {} if image_id is None else {"image_id": _field(doc, image_id)}
        answer = [texts] if isinstance(texts, str) else list(texts)
        item |= {"pred": results[0] if results else "", "answer": answer}
        return dict.fromkeys(names, item)

    return process_results


def register(
    *,
    metrics: Iterable[str] = DEFAULT_METRICS,
    prefix: str = PREFIX,
    tokenizer: TokenizerLike = "muge",
    document_frequency: DocumentFrequency | None = None,
    threads: int | None = None,
) -> list[str]:
    """Register metrics and aggregations of captions in lmms-eval, so that a task names them in ``metric_list``.

    Call it in the ``utils.py`` of a task, which lmms-eval loads for each ``!function``; further calls with the same
    names replace the options of earlier ones.

    Args:
        metrics: Metrics to register, of :data:`METRICS`.
        prefix: What their names in lmms-eval begin with.
        tokenizer: Tokenizer of the metrics, as for :func:`muge_fast.score_captions`.
        document_frequency: Document frequencies for CIDEr and CIDEr-D; None to count them in the references.
        threads: Number of threads; None for all cores.

    Returns:
        The names, such as ``"muge_cider_d"``, of both the metrics and their aggregations.

    Raises:
        ImportError: lmms-eval is not installed.
        TypeError: Names of metrics are not strings.
        ValueError: A metric is unknown or repeated, or lmms-eval has another metric of that name.

    Example:
        >>> from muge_fast.integrations.lmms_eval import register
        >>> register(metrics=["cider_d", "bleu"])  # doctest: +SKIP
        ['muge_cider_d', 'muge_bleu']

    """
    chosen = check_names("metrics", metrics, METRICS)
    registry = import_optional("lmms_eval.api.registry", purpose="its tasks", install="lmms-eval")
    for metric in chosen:
        name = prefix + metric
        known = registry.AGGREGATION_REGISTRY.get(name), registry.METRIC_REGISTRY.get(name)
        if known != (None, None) and name not in _registered:
            raise ValueError(f"lmms-eval has another metric named {format_argument(name)}; pass another prefix")
        is_new = name not in _registered or known == (None, None)
        _registered[name] = aggregation(
            metric, tokenizer=tokenizer, document_frequency=document_frequency, threads=threads
        )
        if is_new:
            registry.register_aggregation(name)(partial(_registered_score, name))
            registry.register_metric(metric=name, higher_is_better=True, aggregation=name)(_pair)
    return [prefix + metric for metric in chosen]


def cider_d(items: Items) -> float:
    """Compute CIDEr-D of the captions of a task, as ``!function muge_fast.integrations.lmms_eval.cider_d``.

    Args:
        items: What ``process_results`` returned for each document.

    Returns:
        The score, 0 to 10, with the tokenizer ``"muge"``.

    Raises:
        TypeError: An item is not a dictionary with a caption and references.
        ValueError: There are no items, a document has no references, or an id of an image occurs twice.

    Example:
        >>> from muge_fast.integrations.lmms_eval import cider_d
        >>> items = [{"pred": "红裙", "answer": ["红裙"]}, {"pred": "黑鞋", "answer": ["皮鞋"]}]
        >>> round(cider_d(items), 2)
        3.12

    """
    return _score("cider_d", "muge", None, None, items)


def cider(items: Items) -> float:
    """Compute CIDEr of the captions of a task, like :func:`cider_d`.

    Args:
        items: What ``process_results`` returned for each document.

    Returns:
        The score, 0 to 10.

    Raises:
        TypeError: An item is not a dictionary with a caption and references.
        ValueError: There are no items, a document has no references, or an id of an image occurs twice.

    Example:
        >>> from muge_fast.integrations.lmms_eval import cider
        >>> round(cider([{"pred": "红裙", "answer": ["红裙"]}, {"pred": "黑鞋", "answer": ["皮鞋"]}]), 2)
        3.12

    """
    return _score("cider", "muge", None, None, items)


def bleu(items: Items) -> float:
    """Compute BLEU-4 of the captions of a task, like :func:`cider_d`.

    Args:
        items: What ``process_results`` returned for each document.

    Returns:
        The score, 0 to 1.

    Raises:
        TypeError: An item is not a dictionary with a caption and references.
        ValueError: There are no items, a document has no references, or an id of an image occurs twice.

    Example:
        >>> from muge_fast.integrations.lmms_eval import bleu
        >>> round(bleu([{"pred": "红色连衣裙", "answer": ["红色连衣裙"]}]), 2)
        1.0

    """
    return _score("bleu", "muge", None, None, items)


def rouge_l(items: Items) -> float:
    """Compute ROUGE-L of the captions of a task, like :func:`cider_d`.

    Args:
        items: What ``process_results`` returned for each document.

    Returns:
        The score, 0 to 1.

    Raises:
        TypeError: An item is not a dictionary with a caption and references.
        ValueError: There are no items, a document has no references, or an id of an image occurs twice.

    Example:
        >>> from muge_fast.integrations.lmms_eval import rouge_l
        >>> rouge_l([{"pred": "红裙", "answer": ["红裙"]}])
        1.0

    """
    return _score("rouge_l", "muge", None, None, items)


def meteor(items: Items) -> float:
    """Compute METEOR of the captions of a task, like :func:`cider_d`; it has its own words.

    Args:
        items: What ``process_results`` returned for each document.

    Returns:
        The score, 0 to 1.

    Raises:
        ImportError: A text has Latin letters or digits, and pycocoevalcap is not installed.
        TypeError: An item is not a dictionary with a caption and references.
        ValueError: There are no items, a document has no references, or an id of an image occurs twice.

    Example:
        >>> from muge_fast.integrations.lmms_eval import meteor
        >>> meteor([{"pred": "红裙", "answer": ["红裙"]}])
        1.0

    """
    return _score("meteor", "muge", None, None, items)


def _score(
    metric: str,
    tokenizer: TokenizerLike,
    document_frequency: DocumentFrequency | None,
    threads: int | None,
    items: Items,
) -> float:
    """Score items of a task. The order is that of ``partial`` objects, which are called with the items alone."""
    pairs = [_caption(item, index) for index, item in enumerate(items)]
    rows: dict[Any, int] = {}
    for row, item in enumerate(items):
        key = item.get("image_id") if isinstance(item, Mapping) else None
        if key is not None and rows.setdefault(key, row) != row:
            raise ValueError(f"items {rows[key]} and {row} have the image id {format_argument(key)}, needs one caption")
    is_bleu = metric in BLEU_ORDERS
    scores = score_captions(
        [prediction for prediction, _ in pairs],
        [references for _, references in pairs],
        metrics=["bleu" if is_bleu else metric],  # type: ignore[list-item] # checked in aggregation
        tokenizer=tokenizer,
        document_frequency=document_frequency,
        threads=threads,
    )
    return float(scores["bleu"].parts[metric] if is_bleu else scores[metric].value)


def _registered_score(name: str, items: Items) -> float:
    """Score items with the options of the last registration of a name."""
    return _registered[name](items)


def _pair(references: Sequence[str], predictions: Sequence[str], **_: object) -> tuple[str, list[str]]:
    """Return the caption and the reference of a task without ``process_results``, for the aggregation."""
    return predictions[0], list(references)


def _caption(item: object, index: int) -> tuple[str, list[str]]:
    """Return the caption and the references of an item."""
    if isinstance(item, tuple) and len(item) == 2:  # noqa: PLR2004
        return item[0], list(item[1])
    if not isinstance(item, Mapping) or not {"pred", "answer"} <= item.keys():
        raise TypeError(
            f"item {index} is {format_argument(item)}, needs 'pred' and 'answer'; tasks with several references need "
            "process_results: !function utils.process_results, made by caption_results()"
        )
    answer = item["answer"]
    return item["pred"], [answer] if isinstance(answer, str) else list(answer)


def _field(doc: Document, field: str) -> object:
    if field not in doc:
        fields = ", ".join(map(format_argument, list(doc)[:LISTED_FIELDS]))
        raise ValueError(f"the document has no field {format_argument(field)}, its fields are {fields}")
    return doc[field]
