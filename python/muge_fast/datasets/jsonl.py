"""Files of captions and of retrieval queries: JSON Lines, one object per line."""

from __future__ import annotations

import json
import os
from typing import Any, Literal, overload

from muge_fast._internal.checks import check_choice
from muge_fast._internal.field_names import CAPTION, QUERY_TEXTS, RETRIEVAL
from muge_fast._internal.paths import PathLike, read_whole
from muge_fast.datasets.fields import Integer, IntegerList, RowFormat, Text, TextList
from muge_fast.datasets.limits import Limits
from muge_fast.datasets.row_reader import LINE, RowReader

# Files of the caller are read whatever their size, up to the first problem.
FIRST_PROBLEM = Limits(line_bytes=1 << 62, max_reported=1, stop_after=1, max_per_value=1)

CAPTION_FORMATS = {
    kind: RowFormat(names=(CAPTION,), id=Text(any_string=True), value=value, strict=False)
    for kind, value in (("predictions", Text(any_string=True)), ("references", TextList(any_string=True)))
}


@overload
def read_captions(path: PathLike, *, kind: Literal["predictions"]) -> dict[str, str]: ...
@overload
def read_captions(path: PathLike, *, kind: Literal["references"]) -> dict[str, list[str]]: ...
@overload
def read_captions(path: PathLike, *, kind: None = None) -> dict[str, Any]: ...
def read_captions(path: PathLike, *, kind: Literal["predictions", "references"] | None = None) -> dict[str, Any]:
    """Read a file of the MUGE caption task.

    Each line is ``{"image_id": "…", "text": "…"}`` in a file of predictions, and
    ``{"image_id": "…", "text": ["…", …]}`` in a file of references. Blank lines and other fields are ignored.

    Args:
        path: The file, UTF-8. Also an open stream, ``/dev/stdin`` or ``/dev/fd/…``.
        kind: ``"predictions"`` or ``"references"``, to require one of the two; None to decide by the first line.
            If it is specified, type checkers know the type of the values.

    Returns:
        For predictions a string by image id, for references a list of at least one string, in the order of the file.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line is not such an object, an id occurs more than once, or strings and lists are mixed. The
            message names the file, the line and the problem. Or the file is compressed or not plain UTF-8, ``path`` is
            another pipe or device, or ``kind`` is unknown.

    Example:
        >>> import muge_fast as mf
        >>> from importlib.resources import files
        >>> references = mf.read_captions(files("muge_fast") / "samples" / "caption" / "IC_sample.jsonl")
        >>> len(references)
        64

    """
    data = read_whole(path)
    if kind is None:
        kind = _caption_kind(data)
    check_choice("kind", kind, CAPTION_FORMATS)
    return _parse(path, data, CAPTION_FORMATS[kind]).rows.values


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
    return _read_queries(path, None).rows.values


def read_numbered_queries(path: PathLike, count: int | None = None) -> tuple[dict[int, list[int]], dict[int, int]]:
    """Read a retrieval file as :func:`read_queries` does, with the line number of each query.

    Args:
        path: The file, UTF-8.
        count: Exact number of items that each line must have; None for any number.

    Returns:
        Item ids by query id, and line numbers, from 1, by query id.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file has a problem that :func:`read_queries` raises for, or a line has a wrong number of items.
            The message names the file, the line and the problem.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.datasets.jsonl import read_numbered_queries
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "pred.jsonl"
        ...     _ = path.write_text('{"query_id": 8426, "item_ids": [42967]}')
        ...     read_numbered_queries(path, 1)
        ({8426: [42967]}, {8426: 1})

    """
    reader = _read_queries(path, count)
    return reader.rows.values, {query: reader.line_of(query) for query in reader.rows.values}


def _read_queries(path: PathLike, count: int | None) -> RowReader:
    items = IntegerList(count=count, allow_empty=True)
    row_format = RowFormat(names=RETRIEVAL, id=Integer(), value=items, text_fields=QUERY_TEXTS, strict=False)
    return _parse(path, read_whole(path), row_format)


def _parse(path: PathLike, data: bytes, row_format: RowFormat) -> RowReader:
    """Read rows, or raise their first problem; a file without rows is valid."""
    reader = RowReader(row_format, FIRST_PROBLEM)
    for problem in reader.parse(data).problems:
        if problem.code != "empty":
            message = problem.message()
            separator = ", " if message.startswith("line ") else ": "
            raise ValueError(f"{os.fspath(path)}{separator}{message}")
    return reader


def _caption_kind(data: bytes) -> Literal["predictions", "references"]:
    """Return the kind of a file by its first line; ``"predictions"`` if that line is broken."""
    first = LINE.search(data)
    try:
        row = json.loads(first[0] if first else b"{}")
    except (ValueError, RecursionError):
        return "predictions"
    return "references" if isinstance(row, dict) and isinstance(row.get(CAPTION.value), list) else "predictions"
