"""Captions in the forms of COCO: lists of results, and annotations."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from muge_fast._internal.display import format_argument

K = TypeVar("K", bound=Hashable)

TEXT_FIELDS = ("caption", "text")
"""Names of the field of a row that has its text: that of COCO, and that of MUGE."""

Row = tuple["int | str", list[str]]
"""The id of an image, and its captions in one row."""


def coco_rows(value: object) -> tuple[str, Sequence[Any]] | None:
    """Return the rows of an object that has captions in one of COCO's forms.

    Args:
        value: Any object.

    Returns:
        Where the rows are, ``"annotations"`` or an empty string for the object itself, and the rows; None for any
        other object. The forms are a list of results ``[{"image_id": 1, "caption": "…"}]``, a dictionary of annotations
        ``{"annotations": [{"image_id": 1, "caption": "…"}]}``, and a ``COCO`` object of pycocotools.

    Example:
        >>> from muge_fast.datasets.coco import coco_rows
        >>> coco_rows({"images": [], "annotations": [{"image_id": 1, "caption": "红裙"}]})
        ('annotations', [{'image_id': 1, 'caption': '红裙'}])
        >>> coco_rows(["红裙"])

    """
    if isinstance(value, (list, tuple)):
        return ("", value) if value and isinstance(value[0], Mapping) else None
    if isinstance(value, Mapping):
        rows = value.get("annotations") if "annotations" in value else None
        if isinstance(rows, (list, tuple)) and (not rows or isinstance(rows[0], Mapping)):
            return "annotations", rows
        return None
    dataset = getattr(value, "dataset", None) if hasattr(value, "imgToAnns") else None
    return coco_rows(dataset) if isinstance(dataset, Mapping) else None


def read_rows(rows: Iterable[Any], name: str) -> list[Row]:
    """Return the image id and the captions of each row.

    Args:
        rows: Rows ``{"image_id": 1, "caption": "…"}``. The caption may be a list of strings, and its field ``"text"``.
        name: Name of the rows, for errors.

    Returns:
        Pairs in the order of the rows. An id may occur several times.

    Raises:
        TypeError: A row that is not an object, an id that is neither an integer nor a string, or a caption that is
            neither a string nor a list of strings. The message names the row by its index, and the field.
        ValueError: A row without id or caption.

    Example:
        >>> from muge_fast.datasets.coco import read_rows
        >>> read_rows([{"image_id": 1, "caption": "红裙"}], "predictions")
        [(1, ['红裙'])]
        >>> read_rows([{"image_id": 1, "captoin": "红裙"}], "predictions")
        Traceback (most recent call last):
        ...
        ValueError: predictions[0] has no 'caption', its fields are 'image_id', 'captoin'

    """
    return [_read_row(row, f"{name}[{index}]") for index, row in enumerate(rows)]


def group_rows(rows: Iterable[tuple[K, list[str]]]) -> dict[K, list[str]]:
    """Return the captions of each image, in the order of the rows.

    Args:
        rows: Pairs of :func:`read_rows`.

    Returns:
        A list of captions by image id.

    Example:
        >>> from muge_fast.datasets.coco import group_rows
        >>> group_rows([(2, ["红裙"]), (1, ["黑鞋"]), (2, ["长裙"])])
        {2: ['红裙', '长裙'], 1: ['黑鞋']}

    """
    groups: dict[K, list[str]] = {}
    for image, captions in rows:
        groups.setdefault(image, []).extend(captions)
    return groups


def _read_row(row: object, name: str) -> Row:
    if not isinstance(row, Mapping):
        raise TypeError(f"{name}: expected an object such as {{'image_id': 1, 'caption': '…'}}, found {_type(row)}")
    for field, present in (("image_id", "image_id" in row), ("caption", any(key in row for key in TEXT_FIELDS))):
        if not present:
            fields = ", ".join(map(format_argument, list(row)[:5])) or "none"
            raise ValueError(f"{name} has no {field!r}, its fields are {fields}")
    image = row["image_id"]
    if getattr(image, "shape", None) == () and hasattr(image, "item"):
        # An integer of NumPy or torch.
        image = image.item()
    if isinstance(image, bool) or not isinstance(image, (int, str)):
        raise TypeError(f"{name}['image_id']: expected an integer or a string, found {_type(image)}")
    field = next(key for key in TEXT_FIELDS if key in row)
    captions = row[field]
    texts = [captions] if isinstance(captions, str) else captions
    if not isinstance(texts, (list, tuple)) or not texts or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{name}[{field!r}]: expected a string or a list of strings, found {_type(captions)}")
    return image, list(texts)


def _type(value: object) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}" if all(isinstance(item, str) for item in value) else "a list of other types"
    return "null" if value is None else type(value).__name__
