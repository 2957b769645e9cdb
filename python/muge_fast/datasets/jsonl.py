"""Files of captions and of retrieval queries: JSON Lines, one object per line, and captions in JSON files of COCO."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, Literal, cast, overload

from muge_fast import _core
from muge_fast._internal.checks import check_choice
from muge_fast._internal.display import format_argument
from muge_fast._internal.field_names import CAPTION, QUERY_TEXTS, RETRIEVAL
from muge_fast._internal.json_text import parse_json
from muge_fast._internal.paths import PathLike, read_whole
from muge_fast.datasets.coco import coco_rows, group_rows, read_rows
from muge_fast.datasets.fields import INT64, Integer, IntegerList, Kind, RowFormat, Text, TextList
from muge_fast.datasets.limits import Limits
from muge_fast.datasets.problems import Problem
from muge_fast.datasets.row_reader import LINE, RowReader

# Files of the caller are read whatever their size, up to the first problem.
FIRST_PROBLEM = Limits(line_bytes=1 << 62, max_reported=1, stop_after=1, max_per_value=1)

CAPTION_VALUES: dict[str, Kind] = {"predictions": Text(any_string=True), "references": TextList(any_string=True)}

CaptionKind = Literal["predictions", "references"]


@overload
def read_captions(path: PathLike, *, kind: Literal["predictions"]) -> dict[Any, str]: ...
@overload
def read_captions(path: PathLike, *, kind: Literal["references"]) -> dict[Any, list[str]]: ...
@overload
def read_captions(path: PathLike, *, kind: None = None) -> dict[Any, Any]: ...
def read_captions(path: PathLike, *, kind: CaptionKind | None = None) -> dict[Any, Any]:
    """Read a file of captions: of MUGE, or in one of COCO's forms.

    In files of MUGE each line is ``{"image_id": "…", "text": "…"}`` for predictions, and
    ``{"image_id": "…", "text": ["…", …]}`` for references. Blank lines and other fields are ignored. Ids are strings in
    all lines, or integers.

    In files of COCO, predictions are a list of results ``[{"image_id": 1, "caption": "…"}, …]``, and references are
    ``{"annotations": [{"image_id": 1, "caption": "…"}, …]}``, in which an image may have several captions.

    Args:
        path: The file, UTF-8. Also an open stream, ``/dev/stdin`` or ``/dev/fd/…``.
        kind: ``"predictions"`` or ``"references"``, to require one of the two; None to decide by the first line, or by
            the form of COCO. If it is specified, type checkers know the type of the values.

    Returns:
        For predictions a string by image id, for references a list of at least one string, in the order of the file.
        Ids are strings or integers, as in the file.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line is not such an object, an id occurs more than once, or strings and lists, or strings and
            integers as ids, are mixed. The message names the file, the line (for COCO, the index of the row) and the
            problem. Or the file is compressed or not plain UTF-8, ``path`` is another pipe or device, or ``kind`` is
            unknown.

    Example:
        >>> import muge_fast as mf
        >>> from importlib.resources import files
        >>> references = mf.read_captions(files("muge_fast") / "samples" / "caption" / "IC_sample.jsonl")
        >>> len(references)
        64

    """
    if kind is not None:
        check_choice("kind", kind, CAPTION_VALUES)
    data = read_whole(path)
    first, is_all = _first_row(data)
    document = None if isinstance(first, dict) and CAPTION.id in first else _parse_document(data, first, is_all=is_all)
    if document is not None:
        return _read_coco(path, document, kind)
    row = first if isinstance(first, dict) else {}
    if kind is None:
        kind = "references" if isinstance(row.get(CAPTION.value), list) else "predictions"
    id_kind: Kind = Integer() if type(row.get(CAPTION.id)) is int else Text(any_string=True)
    row_format = RowFormat(names=(CAPTION,), id=id_kind, value=CAPTION_VALUES[kind], strict=False)
    return _parse(path, data, row_format).rows.values


def read_queries(path: PathLike) -> dict[int, list[int]]:
    """Read a file of the MUGE retrieval task: an annotation or a submission.

    Each line is ``{"query_id": 8426, "item_ids": [42967, …]}`` as in MUGE, or ``{"text_id": …, "image_ids": […]}``
    or ``{"image_id": …, "text_ids": […]}`` as in Chinese-CLIP, the same in all lines. Blank lines and other fields,
    such as ``query_text``, are ignored.

    Args:
        path: The file, UTF-8. Also an open stream, ``/dev/stdin`` or ``/dev/fd/…``.

    Returns:
        Item ids by query id, in the order of the file.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line is not such an object, an id is not an integer of at most 64 bits (``true`` and ``1.0`` are
            not), an item occurs more than once in a line or a query more than once in the file. The message names the
            file, the line and the problem. Or the file is compressed or not plain UTF-8, or ``path`` is another pipe or
            device.

    Example:
        >>> import json, pathlib, tempfile
        >>> import muge_fast as mf
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "MR_valid_queries.jsonl"
        ...     _ = path.write_text(json.dumps({"query_id": 8426, "query_text": "连衣裙", "item_ids": [42967]}))
        ...     mf.read_queries(path)
        {8426: [42967]}

    """
    items = IntegerList(allow_empty=True)
    row_format = RowFormat(names=RETRIEVAL, id=Integer(), value=items, text_fields=QUERY_TEXTS, strict=False)
    return _parse(path, read_whole(path), row_format).rows.values


def _parse(path: PathLike, data: bytes, row_format: RowFormat) -> RowReader:
    """Read rows, or raise their first problem; a file without rows is valid."""
    reader = RowReader(row_format, FIRST_PROBLEM)
    for problem in reader.parse(data).problems:
        if problem.code != "empty":
            message = problem.message()
            separator = ", " if message.startswith("line ") else ": "
            raise ValueError(f"{os.fspath(path)}{separator}{message}")
    return reader


def _first_row(data: bytes) -> tuple[object, bool]:
    """Return the value in the first line that is not blank, None if it is not JSON; and whether no other follows."""
    first = LINE.search(data)
    try:
        value = parse_json(first[0]) if first else None
    except (ValueError, RecursionError):
        return None, False
    return value, first is None or not LINE.search(data, first.end())


def _parse_document(data: bytes, first: object, *, is_all: bool) -> tuple[str, Sequence[object]] | None:
    """Return the rows of a JSON file in one of COCO's forms; None for another file, such as JSON Lines.

    A file of one line is not parsed again: its value takes dozens of times its size.
    """
    if first is not None:
        return coco_rows(first) if is_all else None
    try:
        return coco_rows(parse_json(data))
    except (ValueError, RecursionError):
        return None


def _read_coco(path: PathLike, document: tuple[str, Sequence[object]], kind: CaptionKind | None) -> dict[Any, Any]:
    """Return captions by image id, a string or a list for each."""
    name, rows = document
    try:
        parsed = read_rows(rows, name or "rows")
        _check_ids(image for image, _ in parsed)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None
    is_list = any(isinstance(cast("dict[str, object]", row).get("text"), list) for row in rows)
    if kind == "references" or (kind is None and (name or is_list)):
        return group_rows(parsed)
    first_rows: dict[int | str, int] = {}
    for index, (image, captions) in enumerate(parsed):
        if len(captions) > 1:
            raise ValueError(f"{os.fspath(path)}: rows[{index}] has {len(captions)} captions, a prediction has one")
        first = first_rows.setdefault(image, index)
        if first != index:
            raise ValueError(
                f"{os.fspath(path)}: image_id {format_argument(image)} is in rows[{first}] and rows[{index}]; "
                "for several captions of an image, pass kind='references'"
            )
    return {image: captions[0] for image, captions in parsed}


def _check_ids(ids: Iterable[int | str]) -> None:
    """Raise ``ValueError`` for integers of more than 64 bits, and for those that make a dictionary slow."""
    cost = _core.DictCost()
    for key in ids:
        if isinstance(key, int) and key not in INT64:
            raise ValueError(f"image_id {format_argument(key)} is outside the range of 64-bit integers")
        if isinstance(key, int) and not cost.add(key):
            break
    if not cost.is_fast():
        raise ValueError(Problem("colliding_ids").message())
