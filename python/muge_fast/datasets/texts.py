"""Text files of the text-to-image task, and lists of the items of a retrieval task."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from pathlib import Path

from muge_fast import _core
from muge_fast._internal.display import format_value
from muge_fast._internal.paths import each_line, refuse_pipes
from muge_fast.datasets.image_tsv import PROBLEMS
from muge_fast.datasets.jsonl import INT64

PathLike = str | os.PathLike[str]

# The text of the least integer of 64 bits.
LONGEST = 20


def read_texts(path: PathLike) -> dict[str, str]:
    r"""Read a text file of the text-to-image task: on each line an id, a tab, and a text.

    Args:
        path: The file, UTF-8. Blank lines are skipped.

    Returns:
        Texts by id, in the order of the file.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line without tab, id or text, an id that comes twice, or a byte order mark, which would become a
            part of the id. The message names the line.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.datasets import read_texts
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "T2I_val.text.tsv"
        ...     _ = path.write_text("a1b2\t红色连衣裙", encoding="utf-8")
        ...     read_texts(path)
        {'a1b2': '红色连衣裙'}

    """
    texts: dict[str, str] = {}

    def add(_: int, line: bytes) -> None:
        if line.startswith(codecs.BOM_UTF8):
            raise ValueError("starts with a byte order mark, needs UTF-8 without it")
        key, _tab, text = (part.strip() for part in _text(line).partition("\t"))
        if not key or not text:
            raise ValueError(f"needs an id, a tab and a text, found {line[:40]!r}")
        if key in texts:
            raise ValueError(f"id {format_value(key)} comes a second time")
        texts[key] = text

    each_line(path, add)
    return texts


def read_pool(path: PathLike) -> frozenset[int]:
    r"""Read the ids of the items that a query may find.

    Args:
        path: An image TSV, of which only the ids are read, or a text file with an id on each line.

    Returns:
        The ids.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line that is not UTF-8 or whose id is no integer of 64 bits. The message names the line.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.datasets import read_pool
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "ids.txt"
        ...     _ = path.write_text("3\n5\n")
        ...     sorted(read_pool(path))
        [3, 5]

    """
    if Path(path).suffix.lower() == ".tsv":
        return frozenset(_image_ids(path))
    pool: set[int] = set()
    each_line(path, lambda _, line: pool.add(_integer(_text(line).strip())))
    return frozenset(pool)


def _image_ids(path: PathLike) -> Iterator[int]:
    """The ids of an image TSV."""
    name = os.fspath(path)
    refuse_pipes(path)
    ids, _, _, lines, broken = _core.index_images(name, most_broken=1)
    if broken:
        raise ValueError(f"{name}, line {broken[0][0]}: {PROBLEMS[broken[0][1]]}")
    for number, key in zip(lines.tolist(), ids, strict=True):
        try:
            yield _integer(key)
        except ValueError as error:  # noqa: PERF203 - raised once
            raise ValueError(f"{name}, line {number}: {error}") from None


def _integer(key: str) -> int:
    is_integer = key.isascii() and key.removeprefix("-").isdigit() and len(key) <= LONGEST
    if not is_integer or int(key) not in INT64:
        raise ValueError(f"expected an integer of at most 64 bits, found {key[:40]!r}")
    return int(key)


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None
