"""Writers of captions and of rankings, as the files that ``read_captions`` and ``read_queries`` read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from muge_fast._internal.atomic import replacing
from muge_fast._internal.checks import find_repeated
from muge_fast._internal.display import format_argument
from muge_fast._internal.field_names import CAPTION, QUERY, QUERY_TEXTS, FieldNames, retrieval_fields
from muge_fast._internal.ids import has_surrogate, id_array, quoted_id
from muge_fast._internal.labelled import labelled_kind, plain_ids, plain_items
from muge_fast._internal.paths import PathLike

ROWS_PER_WRITE = 4096
"""Number of rows that are encoded at once."""

# Line ends of Unicode, which str.splitlines() and some editors take for ends of lines. They occur only in strings.
LINE_ENDS = {letter: f"\\u{ord(letter):04x}" for letter in "\x85\u2028\u2029"}

PLAIN = ({int}, {str})
LIMIT = 2**63
KINDS = {int: "integers", str: "strings"}

# The function of json for one string: an encoder of whole rows takes twice as long.
quote = json.encoder.encode_basestring


class RankedItems(Protocol):
    """A ranking with ids, such as :class:`muge_fast.Ranking`."""

    query_ids: Any
    item_ids: Any

    def to_dict(self) -> dict[Any, list[Any]]:
        """Return the item ids of each query, best first."""


def write_captions(path: PathLike, captions: Mapping[Any, str] | Mapping[Any, Sequence[str]]) -> None:
    r"""Write a file of captions, of predictions or of references, atomically.

    Each line is ``{"image_id": "…", "text": "…"}``, or ``{"image_id": "…", "text": ["…", …]}`` for lists of captions.
    :func:`muge_fast.read_captions` reads the file. Image ids of the MUGE benchmark are strings.

    Args:
        path: The file. An existing file is replaced once the new one is complete.
        captions: A caption by image id, or a list of at least one caption by image id. Ids are all strings or all
            integers. A pandas Series has the ids in its index, a table in its column ``image_id``, with the captions in
            ``caption`` or ``text``.

    Raises:
        OSError: The file cannot be written.
        ValueError: There are no captions, some are strings and some are lists, a list is empty, or a caption or an id
            has a lone surrogate. The message names the id.
        TypeError: ``captions`` is not a mapping, a caption is neither a string nor a list of strings, or ids are
            neither all strings nor all integers.

    Example:
        >>> import pathlib, tempfile
        >>> import muge_fast as mf
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "pred.jsonl"
        ...     mf.write_captions(path, {"a1b2": "红色的长裙"})
        ...     path.read_text("utf-8")
        '{"image_id": "a1b2", "text": "红色的长裙"}\n'

    """
    if labelled_kind(captions) == "frame":
        from muge_fast._internal.tables import caption_items  # noqa: PLC0415 - few callers have tables

        table = caption_items(captions, "captions")
        captions = captions if table is None else table
    captions = _as_mapping(captions, "captions", CAPTION, "captions")
    ids = _plain_keys(captions, "captions")
    is_list = not isinstance(next(iter(captions.values())), str)
    rows = zip(ids, captions.values(), strict=True)
    _write_lines(path, "captions", (caption_line(image, text, is_list=is_list) for image, text in rows))


def write_queries(
    path: PathLike,
    rankings: Mapping[Any, Sequence[Any] | npt.NDArray[Any]] | RankedItems,
    *,
    fields: Literal["muge", "chinese-clip"] = "muge",
    direction: Literal["text-to-image", "image-to-text"] = "text-to-image",
    texts: Mapping[Any, str] | None = None,
) -> None:
    r"""Write a file of retrieval queries, of predictions or of references, atomically.

    Each line is ``{"query_id": 8426, "item_ids": [42967, …]}`` with the names of MUGE. :func:`muge_fast.read_queries`
    reads the file. Ids of the MUGE benchmark are integers, and a submission has exactly 10 items for each query.

    Args:
        path: The file. An existing file is replaced once the new one is complete.
        rankings: Item ids by query id, best first, or a :class:`muge_fast.Ranking` with ids. Ids of queries are all
            integers or all strings, and so are ids of items. A pandas Series has the ids in its index; of a table the
            columns are read that :func:`muge_fast.score_retrieval` reads.
        fields: ``"muge"`` for ``query_id`` and ``item_ids``; ``"chinese-clip"`` for ``text_id`` and ``image_ids``.
        direction: ``"text-to-image"``; or ``"image-to-text"`` for ``image_id`` and ``text_ids``, which only
            ``"chinese-clip"`` has.
        texts: Text of each query by its id, written as ``query_text``, or ``text`` for Chinese-CLIP. Texts of other
            queries are ignored. None to write no texts.

    Raises:
        OSError: The file cannot be written.
        ValueError: There are no queries, a query has no items, an item twice or a padding of -1 at its end, a text is
            missing, a string has a lone surrogate, the ranking has no ids, or ``fields`` or ``direction`` is unknown.
            The message names the query.
        TypeError: ``rankings`` is neither a mapping nor a ranking, the items of a query are not a list, or ids are
            neither all integers nor all strings.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> import muge_fast as mf
        >>> ranking = mf.top_k_of(np.array([[0.1, 0.9, 0.5]]), 2, query_ids=[8426], item_ids=[30, 10, 20])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "pred.jsonl"
        ...     mf.write_queries(path, ranking)
        ...     path.read_text("utf-8")
        '{"query_id": 8426, "item_ids": [10, 20]}\n'

    """
    names = retrieval_fields(fields, direction)
    if labelled_kind(rankings) == "frame":
        from muge_fast._internal.tables import ranking_items  # noqa: PLC0415 - few callers have tables

        table = ranking_items(rankings, "rankings", ordered=True)
        rankings = rankings if table is None else table
    if not isinstance(rankings, Mapping) and hasattr(rankings, "query_ids"):
        # Its indices were checked, so -1 is the id of an item.
        mapping: Mapping[Any, Any] = rankings.to_dict()
        is_padded = False
    else:
        mapping = _as_mapping(rankings, "rankings", QUERY, "item ids")
        is_padded = True
    if texts is not None:
        texts = _as_mapping(texts, "texts", FieldNames(names.id, _text_field(names)), "texts")
    _write_lines(path, "rankings", query_lines(names, mapping, texts, is_padded=is_padded))


def caption_line(image: int | str, text: Any, *, is_list: bool) -> str:  # noqa: ANN401 - checked here
    """Return the line of an image in a file of captions, without line end.

    Args:
        image: Id of the image.
        text: Its caption, or a list of captions.
        is_list: Whether the file has lists.

    Returns:
        A JSON object.

    Raises:
        ValueError: The caption is a list and should not be, or the other way round, or the list is empty.
        TypeError: It is neither a string nor a list of strings.

    Example:
        >>> from muge_fast.datasets.writers import caption_line
        >>> caption_line("a1b2", "红色长裙", is_list=False)
        '{"image_id": "a1b2", "text": "红色长裙"}'

    """
    if isinstance(text, str):
        if is_list:
            raise ValueError(f"captions[{quoted_id(image)}] is a string, the captions of the first id are a list")
        value = quote(text)
    else:
        if type(text) is not list or set(map(type, text)) != {str}:
            text = _plain_captions(text, f"captions[{quoted_id(image)}]")
        if not is_list:
            raise ValueError(f"captions[{quoted_id(image)}] is a list, the caption of the first id is a string")
        value = f"[{', '.join(map(quote, text))}]"
    identity = quote(image) if isinstance(image, str) else image
    return f'{{"{CAPTION.id}": {identity}, "{CAPTION.value}": {value}}}'


def query_lines(
    names: FieldNames, rankings: Mapping[Any, Any], texts: Mapping[Any, str] | None = None, *, is_padded: bool = False
) -> Iterator[str]:
    """Yield the lines of a file of retrieval queries, without line ends.

    Args:
        names: Names of the fields.
        rankings: Item ids by query id, best first.
        texts: Text of each query by its id, or None.
        is_padded: Whether to refuse -1 at the end of a list, which may be padding.

    Yields:
        A line for each query.

    Raises:
        ValueError: A query has no items, an item twice or a padding of -1, a text is missing, or an id does not fit in
            int64.
        TypeError: The items of a query are not a list, or ids are neither all integers nor all strings.

    Example:
        >>> from muge_fast._internal.field_names import QUERY
        >>> from muge_fast.datasets.writers import query_lines
        >>> list(query_lines(QUERY, {8426: [42967, 3]}))
        ['{"query_id": 8426, "item_ids": [42967, 3]}']

    """
    queries = _plain_keys(rankings, "rankings")
    is_number = bool(queries) and type(queries[0]) is int
    text_field = _text_field(names)
    id_type: type | None = None
    for key, query, ranked in zip(rankings, queries, rankings.values(), strict=True):
        items = ranked if type(ranked) is list else _as_list(ranked, query)
        if set(map(type, items)) not in PLAIN or (
            type(items[0]) is int and (min(items) < -LIMIT or max(items) >= LIMIT)
        ):
            # Other types, or an error.
            items = _plain_items(items, query)
        if id_type is not None and type(items[0]) is not id_type:
            raise TypeError(f"{_label(query)} has ids that are {KINDS[type(items[0])]}, other queries {KINDS[id_type]}")
        id_type = type(items[0])
        if len(set(items)) != len(items) or (is_padded and items[-1] == -1):
            _refuse_items(items, query)
        text = "" if texts is None else f'"{text_field}": {quote(_text(texts, key, query))}, '
        # A list of integers is written in Python as in JSON.
        ids = items if id_type is int else f"[{', '.join(map(quote, items))}]"
        yield f'{{"{names.id}": {query if is_number else quote(query)}, {text}"{names.value}": {ids}}}'


def encode_lines(name: str, lines: Iterable[str]) -> Iterator[bytes]:
    r"""Yield lines in UTF-8, many at once.

    Args:
        name: Name of the rows, for errors.
        lines: JSON objects without line ends. The first field of each is its id.

    Yields:
        Lines with line ends.

    Raises:
        ValueError: A string has a lone surrogate; the message names the row.

    Example:
        >>> from muge_fast.datasets.writers import encode_lines
        >>> list(encode_lines("captions", ['{"image_id": "a"}', '{"image_id": "b"}']))
        [b'{"image_id": "a"}\n{"image_id": "b"}\n']

    """
    lines = iter(lines)
    while part := list(islice(lines, ROWS_PER_WRITE)):
        text = "\n".join(part) + "\n"
        for letter, escape in LINE_ENDS.items():
            text = text.replace(letter, escape)
        try:
            yield text.encode()
        except UnicodeEncodeError:
            raise ValueError(_surrogate(name, next(line for line in part if has_surrogate(line)))) from None


def _write_lines(path: PathLike, name: str, lines: Iterable[str]) -> None:
    with replacing(path) as file:
        file.writelines(encode_lines(name, lines))


def _surrogate(name: str, line: str) -> str:
    """Return the error for a line with a lone surrogate."""
    row: dict[str, Any] = json.loads(line)
    field = next(field for field, value in row.items() if has_surrogate(json.dumps(value, ensure_ascii=False)))
    identity = next(iter(row.values()))
    return f"{name}[{quoted_id(identity)}]: {field} has a lone surrogate, which is not valid Unicode"


def _as_mapping(values: Any, name: str, names: FieldNames, what: str) -> Mapping[Any, Any]:  # noqa: ANN401 - any table
    values = plain_items(values, name, columns=(names.id, names.value))
    if not isinstance(values, Mapping):
        found = format_argument(values) if isinstance(values, list) else type(values).__name__
        raise TypeError(f"{name} must be a mapping from {names.id} to {what}, got {found}")
    if not values:
        raise ValueError(f"{name} is empty, needs at least one id")
    return values


def _plain_keys(values: Mapping[Any, Any], name: str) -> list[Any]:
    """Return the ids of a mapping, all ``int`` or all ``str``, and different after the conversion."""
    keys: list[Any] = id_array(list(values), f"ids of {name}").tolist()
    repeated = find_repeated(keys)
    if repeated is not None:
        raise ValueError(f"{name} has the id {quoted_id(keys[repeated])} twice")
    return keys


def _plain_captions(captions: object, label: str) -> list[str]:
    if not isinstance(captions, Sequence) and hasattr(captions, "tolist"):
        captions = captions.tolist()
    if not isinstance(captions, (list, tuple)) or not all(isinstance(caption, str) for caption in captions):
        raise TypeError(f"{label} must be a string or a list of strings, got {_found(captions)}")
    if not captions:
        raise ValueError(f"{label} is empty, needs at least one caption")
    return list(captions)


def _found(value: object) -> str:
    if not isinstance(value, (list, tuple)):
        return "None" if value is None else type(value).__name__
    index = next(index for index, item in enumerate(value) if not isinstance(item, str))
    return f"{type(value[index]).__name__} at [{index}]"


def _as_list(items: object, query: object) -> list[Any]:
    if type(items) is np.ndarray and items.ndim == 1 and items.dtype.kind == "i":
        # Faster than the checks of other types.
        listed: list[Any] = items.tolist()
        return listed
    if isinstance(items, (str, bytes, AbstractSet, Mapping)):
        kind = type(items).__name__
        raise TypeError(f"{_label(query)} is a {kind}, needs a list of item ids, best first")
    return list(plain_ids(items, _label(query)))


def _plain_items(items: list[Any], query: object) -> list[Any]:
    if not items:
        raise ValueError(f"{_label(query)} has no items, needs at least one")
    plain: list[Any] = id_array(items, _label(query)).tolist()
    return plain


def _refuse_items(items: list[Any], query: object) -> None:
    if items[-1] == -1:
        raise ValueError(f"{_label(query)} ends in -1, with which faiss pads short lists; leave it out")
    repeated = items[find_repeated(items) or 0]
    raise ValueError(f"{_label(query)} has the item {quoted_id(repeated)} twice")


def _text_field(names: FieldNames) -> str:
    return QUERY_TEXTS[0] if names == QUERY else QUERY_TEXTS[1]


def _text(texts: Mapping[Any, str], key: object, query: object) -> str:
    text = texts.get(key, texts.get(query))
    if text is None:
        raise ValueError(f"texts lack the query {quoted_id(query)}")
    if not isinstance(text, str):
        raise TypeError(f"texts[{quoted_id(query)}] must be a string, got {type(text).__name__}")
    return str(text)


def _label(query: object) -> str:
    return f"rankings[{quoted_id(query)}]"
