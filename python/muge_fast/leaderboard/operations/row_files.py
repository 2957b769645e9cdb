"""The rows of a table as a file of a backup: compressed JSON lines, the same for both databases.

The first line has the columns with their kinds, and each other line a row. A file therefore says by itself how to load
it, and a later version of the package can load it into the tables of its revision. Texts of JSON columns and numbers
are kept as they are, so that hashes and bits stay.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Integer,
    String,
    Table,
    Text,
    column,
    insert,
    select,
    table,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from muge_fast._internal.paths import open_file
from muge_fast.leaderboard.operations.durable_files import new_file
from muge_fast.leaderboard.store.column_types import Instant, JsonText

BATCH = 1000
COMPRESSION = 6

KINDS: dict[str, tuple[type[TypeEngine[Any]], ...]] = {
    "time": (Instant,),
    "json": (JsonText,),
    "boolean": (Boolean,),
    "number": (Double,),
    "integer": (Integer, BigInteger),
    "text": (String, Text),
}


class RowFileError(ValueError):
    """Raised for a file of rows that cannot be read."""


class TableHead(NamedTuple):
    """The first line of a file of rows.

    Attributes:
        table: Name of the table.
        columns: The kind of each column, by its name.

    """

    table: str
    columns: dict[str, str]


def write_rows(connection: Connection, source: Table, path: Path) -> int:
    """Write the rows of a table, in the order of the primary key.

    Args:
        connection: Connection of a snapshot.
        source: The table.
        path: The new file.

    Returns:
        The number of rows.

    """
    kinds = {made.name: _kind(made) for made in source.columns}
    columns = [type_coerce(made, Text) if kinds[made.name] == "json" else made for made in source.columns]
    query = select(*columns).order_by(*source.primary_key.columns)
    times = [index for index, kind in enumerate(kinds.values()) if kind == "time"]
    count = 0
    with new_file(path) as file, gzip.GzipFile("", "wb", COMPRESSION, file, mtime=0) as packed:
        packed.write(_line({"table": source.name, "columns": kinds}))
        for row in connection.execute(query.execution_options(yield_per=BATCH)):
            packed.write(_line(_with_times_as_text(list(row), times)))
            count += 1
    return count


def _kind(made: Column[Any]) -> str:
    # Types of this package decorate others, and Text is a String.
    return next(kind for kind, types in KINDS.items() if isinstance(made.type, types))


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _with_times_as_text(row: list[Any], times: list[int]) -> list[Any]:
    for index in times:
        if row[index] is not None:
            row[index] = row[index].isoformat()
    return row


def read_rows(path: Path) -> tuple[TableHead, Iterator[list[Any]]]:
    """Read a file of rows.

    Args:
        path: The file.

    Returns:
        Its first line, and an iterator over the rows, in which times are texts.

    Raises:
        OSError: The file cannot be read.
        RowFileError: The file is damaged.

    """
    lines = _read_lines(path)
    head = next(lines, None)
    if not isinstance(head, dict) or not isinstance(head.get("columns"), dict):
        raise RowFileError(f"{path.name} has no first line with its columns")
    return TableHead(str(head.get("table")), head["columns"]), lines


def _read_lines(path: Path) -> Iterator[Any]:
    try:
        with open_file(path) as packed, gzip.GzipFile(fileobj=packed) as file:
            yield from map(json.loads, file)
    except (EOFError, gzip.BadGzipFile, ValueError, zlib.error) as error:
        raise RowFileError(f"{path.name} is damaged: {error}") from error


def load_rows(connection: Connection, path: Path) -> int:
    """Insert the rows of a file into its table, which has the columns of the file.

    Args:
        connection: Connection of a transaction that writes.
        path: The file.

    Returns:
        The number of rows.

    Raises:
        OSError: The file cannot be read.
        RowFileError: The file is damaged.

    """
    head, rows = read_rows(path)
    if unknown := set(head.columns.values()) - set(KINDS):
        raise RowFileError(f"{path.name} has columns of the kind {unknown.pop()!r}: it is from a newer version")
    target = table(head.table, *(column(name, _type(kind)) for name, kind in head.columns.items()))
    converters = _converters(head)
    count = 0
    while batch := list(islice(rows, BATCH)):
        values = [dict(zip(head.columns, _converted(row, converters), strict=True)) for row in batch]
        connection.execute(insert(target), values)
        count += len(batch)
    return count


def _type(kind: str) -> TypeEngine[Any]:
    # JSON columns are written as the texts that they are.
    return Text() if kind == "json" else BigInteger() if kind == "integer" else KINDS[kind][0]()


def _converters(head: TableHead) -> list[tuple[int, Callable[[str], datetime]]]:
    return [(index, _moment) for index, kind in enumerate(head.columns.values()) if kind == "time"]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(timezone.utc)


def _converted(row: list[Any], converters: list[tuple[int, Callable[[str], datetime]]]) -> list[Any]:
    for index, convert in converters:
        if row[index] is not None:
            row[index] = convert(row[index])
    return row


def blob_hashes(path: Path) -> list[str]:
    """Return the hashes of the submitted files that a backup names.

    Args:
        path: The file of the rows of ``blob``.

    Returns:
        The hashes.

    Raises:
        OSError: The file cannot be read.
        RowFileError: The file is damaged.

    """
    head, rows = read_rows(path)
    position = list(head.columns).index("sha256")
    return [row[position] for row in rows]
