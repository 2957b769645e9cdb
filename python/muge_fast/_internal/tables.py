"""Tables of pandas, polars, Arrow and Hugging Face datasets as items by id, by the names of their columns."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import islice
from numbers import Real
from typing import Any, NamedTuple, cast

import numpy as np

from muge_fast._internal.checks import find_repeated
from muge_fast._internal.display import format_argument, format_id
from muge_fast._internal.field_names import CAPTION, QUERY, RETRIEVAL
from muge_fast._internal.labelled import (
    decoded_list,
    has_default_index,
    is_pandas_frame,
    labelled_kind,
    missing_hint,
    plain_ids,
    plain_items,
    refuse_unordered,
    to_list,
)

CAPTION_VALUES = (CAPTION.value, "caption")
"""Names of the column of captions: that of MUGE, and that of COCO."""

CAPTION_COLUMNS = tuple((CAPTION.id, value) for value in CAPTION_VALUES)
"""Names of the columns of ids and captions, that of the captions by MUGE or by COCO."""

TEXT_COLUMNS = (("img_id", "text"), *CAPTION_COLUMNS)
"""Names of the columns of ids of images and their texts."""

RANKING_COLUMNS = tuple((names.id, names.value) for names in RETRIEVAL)
"""Names of the columns of ids of queries and lists of ids of items."""

LISTED_COLUMNS = 6
"""Columns that an error names."""

ITEM, RANK, SCORE, GAIN = "item_id", "rank", "score", "gain"
"""Names of the columns of tables with a row for each item of a query."""


class Table(NamedTuple):
    """The columns of a table.

    Attributes:
        names: Names of the columns.
        read: Function from names of columns to their values, a list for each.
        ids: Function that returns the ids in the index of a pandas DataFrame; None for other tables and for the
            default index.

    Example:
        >>> from muge_fast._internal.tables import open_table
        >>> open_table(pandas.DataFrame({"text": ["红裙"]}), "texts").names  # doctest: +SKIP
        ['text']

    """

    names: list[Hashable]
    read: Callable[[Sequence[Any]], list[list[Any]]]
    ids: Callable[[], list[Hashable]] | None = None


def open_table(value: object, name: str) -> Table | None:
    """Return the columns of a table of pandas, polars, Arrow or Hugging Face datasets.

    Args:
        value: Any object.
        name: Name of the argument, for errors.

    Returns:
        The columns; None for any other object. Rows of an ``IterableDataset`` are read when columns are.

    Raises:
        TypeError: A table that is not in memory, several data sets in one, or two columns of one name.

    Example:
        >>> from muge_fast._internal.tables import open_table
        >>> print(open_table(["红裙"], "predictions"))
        None

    """
    table = _opened(value, name) if labelled_kind(value) == "frame" else None
    repeated = None if table is None else find_repeated(table.names)
    if table is not None and repeated is not None:
        raise TypeError(f"{name} has the column {_quoted(table.names[repeated])} twice; drop or rename one of them")
    return table


def _opened(value: object, name: str) -> Table | None:
    """Return the columns of a table; None for one of another package."""
    table = cast("Any", value)
    root = type(table).__module__.partition(".")[0]
    if root == "datasets":
        return _open_dataset(table, name)
    if is_pandas_frame(table):
        index = None if has_default_index(table) else lambda: list(plain_items(table.index.to_series(), name))
        return Table(table.columns.tolist(), lambda names: [to_list(table[column]) for column in names], index)
    if root == "polars" and hasattr(table, "collect"):
        raise TypeError(f"{name} is a polars LazyFrame; pass {name}.collect()")
    if root == "polars":
        return Table(list(table.columns), lambda names: [to_list(table[column]) for column in names])
    if root == "pyarrow":
        return Table(list(table.schema.names), lambda names: [to_list(table.column(column)) for column in names])
    return None


def text_rows(value: object, name: str) -> list[tuple[Hashable, list[str]]] | None:
    """Return the id and the captions of each row of a table.

    Args:
        value: Any object.
        name: Name of the argument, for errors.

    Returns:
        Pairs in the order of the rows, where an id may occur several times; None if ``value`` is not a table. Ids are
        the column ``image_id``, or the index of a DataFrame without such a column. Captions are the column ``caption``
        or ``text``, of strings or lists of strings.

    Raises:
        TypeError: The table has no such columns, or a value is neither a string nor a list of strings. The message
            names the row.
        ValueError: A row without id.

    Example:
        >>> from muge_fast._internal.tables import text_rows
        >>> text_rows(pandas.DataFrame({"image_id": [7], "text": ["红裙"]}), "texts")  # doctest: +SKIP
        [(7, ['红裙'])]

    """
    found = _two_columns(value, name, CAPTION_COLUMNS)
    if found is None:
        return None
    ids, values, column = found
    texts = [_texts(text, f"{name}[{column!r}][{row}]") for row, text in enumerate(values)]
    return list(zip(ids, texts, strict=True))


def caption_items(value: object, name: str) -> dict[Hashable, str] | dict[Hashable, list[str]] | None:
    """Return the captions of a table by id: strings, or lists if an id has several rows or the cells are lists.

    Args:
        value: Any object.
        name: Name of the argument, for errors.

    Returns:
        The captions; None if ``value`` is not a table.

    Raises:
        TypeError: The table has no columns of captions, or a value is neither a string nor a list of strings.
        ValueError: A row without id.

    Example:
        >>> from muge_fast._internal.tables import caption_items
        >>> caption_items(pandas.DataFrame({"image_id": [7], "text": ["红裙"]}), "captions")  # doctest: +SKIP
        {7: '红裙'}

    """
    found = _two_columns(value, name, CAPTION_COLUMNS)
    if found is None:
        return None
    ids, values, column = found
    if len(set(ids)) == len(ids) and all(isinstance(text, str) for text in values):
        return dict(zip(ids, values, strict=True))
    groups: dict[Hashable, list[str]] = {}
    for row, (item, text) in enumerate(zip(ids, values, strict=True)):
        groups.setdefault(item, []).extend(_texts(text, f"{name}[{column!r}][{row}]"))
    return groups


def column_items(value: object, name: str, columns: Sequence[tuple[str, str]]) -> dict[Hashable, Any] | None:
    """Return the values of a table that has one row for each id.

    Args:
        value: Any object.
        name: Name of the argument, for errors.
        columns: Names of the columns of ids and values, in all forms that are accepted.

    Returns:
        The values by id; None if ``value`` is not a table.

    Raises:
        TypeError: The table has none of the columns.
        ValueError: A row without id, or two rows with one id.

    Example:
        >>> from muge_fast._internal.tables import RANKING_COLUMNS, column_items
        >>> table = pandas.DataFrame({"query_id": [7], "item_ids": [[1, 2]]})  # doctest: +SKIP
        >>> column_items(table, "references", RANKING_COLUMNS)  # doctest: +SKIP
        {7: [1, 2]}

    """
    found = _two_columns(value, name, columns)
    if found is None:
        return None
    ids, values, _ = found
    by_id = dict(zip(ids, values, strict=True))
    if len(by_id) < len(ids):
        rows: dict[Hashable, int] = {}
        for row, item in enumerate(ids):
            if item in rows:
                raise ValueError(
                    f"{name} has the id {_quoted(item)} in rows {rows[item]} and {row}, needs one row for each id"
                )
            rows[item] = row
    return by_id


def ranking_items(value: object, name: str, *, ordered: bool) -> dict[Hashable, Any] | None:
    """Return the items of each query of a table: a row for each query, or for each of its items.

    Args:
        value: Any object.
        name: Name of the argument, for errors.
        ordered: Whether the order of items matters. A table with a row for each item then needs the column ``rank`` or
            ``score``; without order it may have ``gain``.

    Returns:
        Items by query, a list for each, or a dictionary of scores or gains by item; None if ``value`` is not a table.

    Raises:
        TypeError: The table has none of the columns.
        ValueError: A row without id, two rows with one query, two with one query and item, or two with one rank of a
            query.

    Example:
        >>> from muge_fast._internal.tables import ranking_items
        >>> table = pandas.DataFrame({"query_id": [7, 7], "item_id": [1, 2], "rank": [2, 1]})  # doctest: +SKIP
        >>> ranking_items(table, "predictions", ordered=True)  # doctest: +SKIP
        {7: [2, 1]}

    """
    table = open_table(value, name)
    if table is None or not {QUERY.id, ITEM} <= set(table.names) or QUERY.value in table.names:
        return column_items(value, name, RANKING_COLUMNS)
    weights = [column for column in ((RANK, SCORE) if ordered else (GAIN,)) if column in table.names][:1]
    if ordered and not weights:
        raise TypeError(f"{name} has a row for each item, and needs a column {RANK!r} or {SCORE!r} for their order")
    queries, items, *numbers = table.read([QUERY.id, ITEM, *weights])
    queries, items = (
        _checked_ids(ids, label) for ids, label in ((queries, f"{name}[{QUERY.id!r}]"), (items, f"{name}[{ITEM!r}]"))
    )
    if not numbers:
        grouped: dict[Hashable, list[Hashable]] = {}
        for query, item in zip(queries, items, strict=True):
            grouped.setdefault(query, []).append(item)
        return grouped
    keys, values = (numbers[0], items) if weights == [RANK] else (items, numbers[0])
    key_name = RANK if weights == [RANK] else ITEM
    groups: dict[Hashable, dict[Any, Any]] = {}
    for row, (query, key, entry) in enumerate(zip(queries, keys, values, strict=True)):
        if weights == [RANK] and (not isinstance(key, Real) or isinstance(key, bool) or key != key):  # noqa: PLR0124
            raise ValueError(f"{name}[{RANK!r}][{row}] is {format_argument(key)}{missing_hint(key)}, needs a number")
        group = groups.setdefault(query, {})
        if key in group:
            raise ValueError(
                f"{name}: query {_quoted(query)} has the {key_name} {_quoted(key)} twice, the second in row {row}"
            )
        group[key] = entry
    if weights != [RANK]:
        return cast("dict[Hashable, Any]", groups)
    return {query: [ranked[rank] for rank in sorted(ranked)] for query, ranked in groups.items()}


def _two_columns(
    value: object, name: str, columns: Sequence[tuple[str, str]]
) -> tuple[list[Hashable], list[Any], str] | None:
    """Return the ids and the values of a table, and the name of the column of values."""
    table = open_table(value, name)
    if table is None:
        refuse_unordered(value, name, columns=columns[0])
        return None
    pairs = [pair for pair in columns if set(pair) <= set(table.names)]
    if len(pairs) == 1:
        ids, values = table.read(pairs[0])
        id_name, value_name = (f"{name}[{column!r}]" for column in pairs[0])
        return _checked_ids(ids, id_name), decoded_list(values, value_name), pairs[0][1]
    if pairs:
        raise TypeError(f"{name} has the columns {_listed(dict.fromkeys(sum(pairs, ())))}; drop all but two of them")
    only_values = list(dict.fromkeys(column for _, column in columns if column in table.names))
    if table.ids is not None and len(only_values) == 1 and not {column for column, _ in columns} & set(table.names):
        return table.ids(), table.read(only_values)[0], only_values[0]
    found = f"its columns are {_listed(table.names)}" if table.names else "it has no columns"
    needed = " or ".join(f"{first!r} and {second!r}" for first, second in columns)
    try:
        refuse_unordered(value, name, columns=columns[0])
    except TypeError as error:
        what, _, fix = str(error).partition("; ")
        raise TypeError(f"{what}; {found}, needs {needed}: rename them, or {fix}") from None
    return None


def _checked_ids(ids: list[Any], name: str) -> list[Hashable]:
    """Return ids of a column as ``int`` and ``str``."""
    row = next((row for row, item in enumerate(ids) if missing_hint(item)), None)
    if row is not None:
        # Before types are checked: with a missing value, pandas makes floats of all integers.
        raise ValueError(f"{name}[{row}] is missing ({format_id(ids[row])}), every row needs an id")
    return plain_ids(decoded_list(ids, name), name)


def _texts(value: object, name: str) -> list[str]:
    """Return a cell of one or several captions as a list."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, np.ndarray) or labelled_kind(value) == "column":
        value = to_list(value)
    if not isinstance(value, (list, tuple)) or not value or not all(isinstance(text, str) for text in value):
        found = f"a {type(value).__name__}{missing_hint(value)}"
        if isinstance(value, (list, tuple)):
            wrong = next((text for text in value if not isinstance(text, str)), None)
            found = f"a list with {type(wrong).__name__}{missing_hint(wrong)}" if value else "an empty list"
        raise TypeError(f"{name}: expected a string or a list of strings, found {found}")
    return list(value)


def _open_dataset(value: object, name: str) -> Table:
    """Return the columns of a Dataset or an IterableDataset of Hugging Face."""
    dataset = cast("Any", value)
    if isinstance(dataset, Mapping):
        splits = ", ".join(format_id(repr(split)) for split in islice(dataset, LISTED_COLUMNS))
        raise TypeError(f"{name} is a {type(dataset).__name__} of several data sets; pass one of them: {splits}")
    names = dataset.column_names

    def read(columns: Sequence[Any]) -> list[list[Any]]:
        if _is_transformed(dataset):
            batch = dataset[:]
            return [to_list(batch[column]) for column in columns]
        # Other columns may be images, which are decoded when they are read.
        chosen = dataset.select_columns(list(columns)).with_format(None)
        if hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__"):
            batch = chosen[:]
            return [batch[column] for column in columns]
        rows: Iterable[Mapping[str, Any]] = list(chosen)
        return [[row[column] for row in rows] for column in columns]

    return Table(list(names if names is not None else next(iter(dataset), {})), read)


def _is_transformed(dataset: object) -> bool:
    """Return whether a function of the user changes rows when they are read, which may need all columns."""
    return bool(cast("Any", getattr(dataset, "format", {})).get("type") == "custom")


def _listed(names: Iterable[Hashable]) -> str:
    names = list(names)
    more = f" and {len(names) - LISTED_COLUMNS} more" if len(names) > LISTED_COLUMNS else ""
    return ", ".join(format_argument(column) for column in names[:LISTED_COLUMNS]) + more


def _quoted(value: Hashable) -> str:
    return format_argument(value) if isinstance(value, str) else format_id(value)
