"""Text files of the text-to-image task, and the pools of retrieval tasks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from muge_fast import _core
from muge_fast._internal.display import format_path, format_value
from muge_fast._internal.file_kinds import HEAD_BYTES
from muge_fast._internal.paths import IncompleteLineError, PathLike, each_line, open_file, read_whole
from muge_fast.datasets.fields import INT64
from muge_fast.datasets.image_tsv import PROBLEMS
from muge_fast.datasets.problems import Problem
from muge_fast.datasets.recognition import binary_problem, pool_problem, tsv_problem

# Length of the longest integer of 64 bits, -2**63.
INTEGER_LENGTH = 20


def read_texts(path: PathLike) -> dict[str, str]:
    r"""Read a text file of the text-to-image task: in each line an id, a tab, and a text.

    White space around ids and texts is removed, and blank lines are ignored.

    Args:
        path: The file, UTF-8. Also an open stream, ``/dev/stdin`` or ``/dev/fd/…``.

    Returns:
        Texts by id, in the order of the file.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line lacks the tab, the id or the text, or is not UTF-8; or an id occurs more than once. The
            message names the file and the line. Or the file is not a TSV of texts, such as
            a compressed file, JSON or a TSV of images, or ``path`` is another pipe or device.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.datasets import read_texts
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "T2I_val.text.tsv"
        ...     _ = path.write_text("a1b2\t红色连衣裙", encoding="utf-8")
        ...     read_texts(path)
        {'a1b2': '红色连衣裙'}

    """
    data = read_whole(path)
    _refuse(path, tsv_problem(data, has_images=False))
    return _pairs(data, path, "text")


def read_clusters(path: PathLike) -> dict[str, str]:
    r"""Read a file of clusters: in each line the id of an item, a tab, and the key of its cluster.

    White space around ids and keys is removed, and blank lines are ignored.

    Args:
        path: The file, UTF-8. Also an open stream, ``/dev/stdin`` or ``/dev/fd/…``.

    Returns:
        Keys by id, in the order of the file.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line lacks the tab, the id or the key, or is not UTF-8; or an id occurs more than once. The
            message names the file and the line. Or the file is a compressed one, or another pipe or device.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.datasets.texts import read_clusters
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "users.tsv"
        ...     _ = path.write_text("8426\tuser 7\n8427\tuser 3\n")
        ...     read_clusters(path)
        {'8426': 'user 7', '8427': 'user 3'}

    """
    data = read_whole(path)
    _refuse(path, binary_problem(data))
    return _pairs(data, path, "key")


def _pairs(data: bytes, path: PathLike, name: str) -> dict[str, str]:
    """Return what stands behind the tab of each line, by what stands before it."""
    pairs: dict[str, str] = {}

    def add(_: int, line: bytes) -> None:
        key, _tab, value = (part.strip() for part in _decode(line).partition("\t"))
        if not key or not value:
            raise IncompleteLineError(f"needs an id, a tab and a {name}, got {format_value(_decode(line))}")
        if key in pairs:
            raise ValueError(f"id {format_value(key)} occurs more than once")
        pairs[key] = value

    each_line(data, path, add)
    return pairs


def read_pool(path: PathLike) -> frozenset[int]:
    r"""Read the pool of a retrieval task: the ids of the items that may be retrieved.

    Args:
        path: A TSV of images (``.tsv``), of which only the ids are read, or a text file with one id in each line.

    Returns:
        The ids.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line is not UTF-8, or an id is not an integer of at most 64 bits. The message names the file and
            the line. Or the file is neither of the two, such as a compressed file or JSON. Or ``path`` is a pipe or a
            device, except that ids in a text file may come from an open stream, ``/dev/stdin`` or ``/dev/fd/…``.

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
    data = read_whole(path)
    _refuse(path, pool_problem(data))
    pool: set[int] = set()
    each_line(data, path, lambda _, line: pool.add(_integer(_decode(line).strip())))
    return frozenset(pool)


def _refuse(path: PathLike, problem: Problem | None) -> None:
    """Raise for a file that is not in the format at all."""
    if problem is not None:
        raise ValueError(f"{format_path(path)}: {problem.message()}")


def _image_ids(path: PathLike) -> Iterator[int]:
    name = os.fspath(path)
    with open_file(path) as file:
        head = file.read(HEAD_BYTES)
    _refuse(path, pool_problem(head, is_tsv=True))
    ids, _, _, lines, broken, _ = _core.index_images(name, most_broken=1)
    if broken:
        raise ValueError(f"{name}, line {broken[0][0]}: {PROBLEMS[broken[0][1]]}")
    for number, key in zip(lines.tolist(), ids, strict=True):
        try:
            yield _integer(key)
        except ValueError as error:  # noqa: PERF203 - raised once
            raise ValueError(f"{name}, line {number}: {error}") from None


def _integer(text: str) -> int:
    is_integer = text.isascii() and text.removeprefix("-").isdigit() and len(text) <= INTEGER_LENGTH
    if not is_integer or int(text) not in INT64:
        raise ValueError(f"expected an integer of at most 64 bits, got {format_value(text)}")
    return int(text)


def _decode(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"invalid UTF-8 at byte {error.start}") from None
