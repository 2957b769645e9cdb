"""Files of captions and of retrieval queries: one JSON object a line."""

from __future__ import annotations

import json
import os
from itertools import islice
from typing import Any

from muge_fast._internal.checks import find_repeated
from muge_fast._internal.display import format_id, format_value
from muge_fast._internal.paths import each_line

# Ids that are numbers. Python's hashes of larger ones can be made to collide without end, which takes quadratic time.
INT64 = range(-(2**63), 2**63)

# Of the names of fields that are no fields, so many are told, in so many characters.
MOST_FIELDS, LONGEST = 10, 200


def read_captions(path: str | os.PathLike[str]) -> dict[str, str] | dict[str, list[str]]:
    """Read a file of the MUGE caption task.

    Each line is ``{"image_id": "…", "text": "…"}`` in a file of predictions, and
    ``{"image_id": "…", "text": ["…", …]}`` in a file of references.

    Args:
        path: The file, UTF-8. Blank lines are skipped.

    Returns:
        Texts, or lists of texts, by image id, in the order of the file.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line that is not such an object, an id that comes twice, or a file that mixes both forms. The
            message names the line. Also a pipe or device other than ``/dev/stdin`` and ``/dev/fd/…``.

    Example:
        >>> import muge_fast as mf
        >>> from importlib.resources import files
        >>> references = mf.read_captions(files("muge_fast") / "samples" / "caption" / "IC_sample.jsonl")
        >>> len(references)
        64

    """
    captions: dict[str, str | list[str]] = {}
    kinds: set[type] = set()

    def add(_: int, row: dict[str, Any]) -> None:
        image_id, text = _caption(row)
        if image_id in captions:
            raise ValueError(f"image_id {format_value(image_id)} comes a second time")
        kinds.add(type(text))
        if len(kinds) > 1:
            raise ValueError("text is a string in one line and a list in another")
        captions[image_id] = text

    each_line(path, lambda number, line: add(number, _object(line)))
    return captions  # type: ignore[return-value]


def read_queries(path: str | os.PathLike[str]) -> dict[int, list[int]]:
    """Read a file of the MUGE retrieval task, annotation or submission.

    Each line is ``{"query_id": 8426, "item_ids": [42967, …]}`` as in MUGE, or ``{"text_id": …, "image_ids": […]}``
    or ``{"image_id": …, "text_ids": […]}`` as in Chinese-CLIP. Other fields, such as ``query_text``, are passed over.

    Args:
        path: The file, UTF-8. Blank lines are skipped.

    Returns:
        Item ids by query id, in the order of the file.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line that is not such an object, an id that is no integer of at most 64 bits (``true`` and ``1.0``
            are none), an item that comes twice in a line or a query that comes twice in the file. The message names the
            line. Also a pipe or device other than ``/dev/stdin`` and ``/dev/fd/…``.

    Example:
        >>> import json, pathlib, tempfile
        >>> import muge_fast as mf
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "MR_valid_queries.jsonl"
        ...     _ = path.write_text(json.dumps({"query_id": 8426, "query_text": "连衣裙", "item_ids": [42967]}))
        ...     mf.read_queries(path)
        {8426: [42967]}

    """
    return read_numbered_queries(path)[0]


def read_numbered_queries(
    path: str | os.PathLike[str], length: int | None = None
) -> tuple[dict[int, list[int]], dict[int, int]]:
    """Read a file as :func:`read_queries` does, and tell where each query stands.

    Args:
        path: The file.
        length: How many items each line must have; None for any number.

    Returns:
        Item ids, and line numbers from 1, by query id.

    Raises:
        OSError: The file cannot be read.
        ValueError: As :func:`read_queries`, or a line with another number of items.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.datasets.jsonl import read_numbered_queries
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "pred.jsonl"
        ...     _ = path.write_text('{"query_id": 8426, "item_ids": [42967]}')
        ...     read_numbered_queries(path, 1)
        ({8426: [42967]}, {8426: 1})

    """
    queries: dict[int, list[int]] = {}
    lines: dict[int, int] = {}

    def add(number: int, row: dict[str, Any]) -> None:
        query, items = _query(row, length)
        if query in queries:
            raise ValueError(f"query {query} comes a second time")
        queries[query] = items
        lines[query] = number

    each_line(path, lambda number, line: add(number, _object(line)))
    return queries, lines


QUERY_FIELDS = (("query_id", "item_ids"), ("text_id", "image_ids"), ("image_id", "text_ids"))


def _query(row: dict[str, Any], length: int | None) -> tuple[int, list[int]]:
    forms = [form for form in QUERY_FIELDS if all(field in row for field in form)]
    if len(forms) != 1:
        known = " or ".join(f"{query!r} and {items!r}" for query, items in QUERY_FIELDS)
        found = format_id(", ".join(map(format_value, islice(row, MOST_FIELDS))) or "none", LONGEST)
        raise ValueError(f"expected the fields {known}, found {found}")
    name, list_name = forms[0]
    query, items = row[name], row[list_name]
    _refuse_other(name, query)
    if not isinstance(items, list):
        raise ValueError(f"{list_name}: expected a list, found {type(items).__name__}")
    if length is not None and len(items) != length:
        # Before what takes time for each item.
        raise ValueError(f"query {query} has {len(items)} items, needs exactly {length}")
    for place, item in enumerate(items):
        if type(item) is not int or item not in INT64:
            _refuse_other(f"{list_name}[{place}]", item)
    repeated = find_repeated(items)
    if repeated is not None:
        raise ValueError(f"{list_name} has {items[repeated]} twice")
    return query, items


def _refuse_other(name: str, value: object) -> None:
    """Refuse what is no integer of 64 bits."""
    if type(value) is not int:
        found = format_value(value) if isinstance(value, (str, list, dict)) else repr(value)
        raise ValueError(f"{name}: expected an integer, found {found}")
    if value not in INT64:
        raise ValueError(f"{name}: expected an integer of at most 64 bits, found {format_value(value)}")


def _object(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise ValueError("not JSON that can be read: nested too deeply") from None
    except ValueError as error:  # an integer of too many digits
        raise ValueError(f"not JSON that can be read: {error}") from None
    if not isinstance(row, dict):
        raise ValueError(f"expected an object, found {type(row).__name__}")
    return row


def _caption(row: dict[str, Any]) -> tuple[str, str | list[str]]:
    for field in ("image_id", "text"):
        if field not in row:
            raise ValueError(f"field {field!r} is missing")
    image_id, text = row["image_id"], row["text"]
    if not isinstance(image_id, str):
        raise ValueError(f"image_id: expected a string, found {type(image_id).__name__}")
    is_list = isinstance(text, list) and len(text) > 0 and all(isinstance(reference, str) for reference in text)
    if not (isinstance(text, str) or is_list):
        raise ValueError("text: expected a string or a list of strings that is not empty")
    return image_id, text
