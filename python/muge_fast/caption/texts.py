"""Predictions and references as callers hold them: ids and texts, from mappings, sequences, tables and COCO's forms."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from muge_fast._internal.display import format_argument
from muge_fast._internal.labelled import labelled_kind, missing_hint, plain_items, to_list
from muge_fast.datasets.coco import coco_rows, group_rows, read_rows
from muge_fast.text.tokenizers import split_ids

PredictionsLike = Mapping[Any, str] | Mapping[Any, Sequence[str]] | Iterable[str] | Iterable[Mapping[str, Any]]
"""A caption for each item: by id, in order, or as a list of results of COCO."""

ReferencesLike = Mapping[Any, Iterable[str]] | Mapping[str, Any] | Iterable[Iterable[str]] | Iterable[Mapping[str, Any]]
"""One or more captions for each item: by id, in order, or as annotations of COCO."""

LISTS = {list, tuple}


def split_predictions(predictions: object) -> tuple[list[Hashable] | None, list[Any]]:
    """Return the ids and the captions of predictions.

    Args:
        predictions: A mapping from id to a caption or to a list of captions, a sequence of captions, captions in one of
            COCO's forms, or a table with the columns ``image_id`` and ``caption`` or ``text``.

    Returns:
        The ids, or None for a sequence, and the captions. An id with several captions occurs several times.

    Raises:
        TypeError: Not such an object, or a value that is neither a caption nor a list like the first value. (The core
            checks captions.)
        ValueError: An empty list of captions, or a row of COCO without id or caption.

    Example:
        >>> from muge_fast.caption.texts import split_predictions
        >>> split_predictions({"a": "红裙"}), split_predictions({"a": ["红裙", "裙子"], "b": ["黑鞋"]})
        ((['a'], ['红裙']), (['a', 'a', 'b'], ['红裙', '裙子', '黑鞋']))

    """
    if type(predictions) is list and predictions and type(predictions[0]) is str:
        return None, predictions
    table = _table_rows(predictions, "predictions")
    if table is not None:
        return _one_caption_each(table)
    coco = coco_rows(predictions)
    ids, texts = (None, []) if coco else split_ids(predictions, "predictions")
    if _are_rows(ids, texts):
        # Rows of COCO from a generator, a column or an array.
        coco = "", texts
    if coco is not None:
        rows = read_rows(coco[1], _name_of_rows("predictions", coco[0]))
        return _one_caption_each((image, captions) for image, captions in rows)
    if not texts or isinstance(texts[0], str):
        return ids, texts
    if hasattr(texts[0], "as_py"):
        texts = [_text_of(text) for text in texts]
    if not _is_list(texts[0]):
        return ids, texts
    if ids is None:
        raise TypeError(
            f"predictions[0]: expected str, found {type(texts[0]).__name__}; pass ' '.join(tokens) and "
            "tokenizer='whitespace' for lists of tokens, or one list and ids= for several captions of an item"
        )
    return _one_caption_each(
        (item, _texts_of(value, f"predictions[{item!r}]")) for item, value in zip(ids, texts, strict=True)
    )


def split_references(references: object) -> tuple[list[Hashable] | None, list[Any]]:
    """Return the ids and the texts of references.

    Args:
        references: A mapping from id to a list of texts, a sequence of lists of texts, annotations in one of COCO's
            forms, or a table like those of predictions.

    Returns:
        The ids, or None for a sequence, and a list or tuple of texts for each item.

    Raises:
        TypeError: Not such an object, or texts of an item that are not a list. (The core checks texts.)
        ValueError: A row of COCO without id or caption.

    Example:
        >>> import numpy as np
        >>> from muge_fast.caption.texts import split_references
        >>> split_references(np.array([["红裙", "裙子"], ["黑鞋", "鞋"]]))
        (None, [['红裙', '裙子'], ['黑鞋', '鞋']])

    """
    table = _table_rows(references, "references")
    if table is not None:
        texts = group_rows(table)
        return list(texts), list(texts.values())
    coco = coco_rows(references)
    ids, rows = (None, []) if coco else split_ids(references, "references")
    if _are_rows(ids, rows):
        coco = "", rows
    if coco is not None:
        groups = group_rows(read_rows(coco[1], _name_of_rows("references", coco[0])))
        return list(groups), list(groups.values())
    if set(map(type, rows)) <= LISTS and not _has_objects(rows):
        return ids, rows
    names = range(len(rows)) if ids is None else ids
    return ids, [_texts_of(row, f"references[{item!r}]") for item, row in zip(names, rows, strict=True)]


def _table_rows(value: object, name: str) -> list[tuple[Hashable, list[str]]] | None:
    """Return the id and the captions of each row of a table; None for any other object."""
    if labelled_kind(value) != "frame":
        return None
    from muge_fast._internal.tables import text_rows  # noqa: PLC0415 - few callers have tables

    return text_rows(value, name)


def _are_rows(ids: list[Hashable] | None, values: list[Any]) -> bool:
    """Return whether values without ids are rows of COCO, which have their ids."""
    return ids is None and bool(values) and isinstance(values[0], Mapping)


def _name_of_rows(argument: str, key: str) -> str:
    return f"{argument}[{key!r}]" if key else argument


def _has_objects(rows: list[Any]) -> bool:
    """Return whether lists hold rows of COCO, such as ``{1: [{"caption": "…"}]}``, or scalars of Arrow."""
    first = next((row[0] for row in rows if row), "")
    return not isinstance(first, str) and (isinstance(first, Mapping) or hasattr(first, "as_py"))


def _one_caption_each(groups: Iterable[tuple[Hashable, Sequence[str]]]) -> tuple[list[Hashable] | None, list[Any]]:
    """Return each caption with the id of its group."""
    ids: list[Hashable] = []
    captions: list[str] = []
    for item, texts in groups:
        if not texts:
            raise ValueError(f"predictions[{item!r}] is empty, needs a caption")
        ids.extend([item] * len(texts))
        captions.extend(texts)
    return ids, captions


def _is_list(value: object) -> bool:
    """Return whether a value holds several texts."""
    is_column = labelled_kind(value) in ("series", "column")
    return is_column or (isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, (str, bytes)))


def _texts_of(value: Any, name: str) -> list[Any]:  # noqa: ANN401 - of any package
    """Return several texts of one item as a list."""
    if isinstance(value, str):
        raise TypeError(f"{name}: expected a list of str, found str; write [{format_argument(value)}] for one text")
    if type(value) not in LISTS:
        value = _as_sequence(value, name)
    if not isinstance(value, Sequence) or isinstance(value, bytes):
        raise TypeError(f"{name}: expected a list of str, found {type(value).__name__}{missing_hint(value)}")
    return [text if isinstance(text, str) else _text_of(text) for text in value]


def _as_sequence(value: Any, name: str) -> Any:  # noqa: ANN401
    """Return a list for columns, arrays and scalars of other packages; anything else unchanged."""
    if hasattr(value, "as_py"):
        return value.as_py()
    if labelled_kind(value) == "series":
        # Its index numbers the texts of one item; it has no ids of items.
        return to_list(value)
    value = plain_items(value, name)
    return value.tolist() if isinstance(value, np.ndarray) else value


def _text_of(text: Any) -> Any:  # noqa: ANN401
    """Return the text of a row of COCO or of a scalar of Arrow; anything else unchanged."""
    if isinstance(text, Mapping) and "caption" in text:
        return text["caption"]
    return text.as_py() if hasattr(text, "as_py") else text
