"""Text files of the text-to-image task, and lists of the items of a retrieval task."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

from muge_fast import _core
from muge_fast.files import each_line

PathLike = str | os.PathLike[str]


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
        try:
            key, _tab, text = (part.strip() for part in line.decode("utf-8").partition("\t"))
        except UnicodeDecodeError as error:
            raise ValueError(f"not UTF-8 at byte {error.start}") from None
        if not key or not text:
            raise ValueError(f"needs an id, a tab and a text, found {line[:40]!r}")
        if key in texts:
            raise ValueError(f"id {key!r} comes a second time")
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
        ValueError: A line whose id is no integer. The message names the line.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.datasets import read_pool
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "ids.txt"
        ...     _ = path.write_text("3\n5\n")
        ...     sorted(read_pool(path))
        [3, 5]

    """
    name = os.fspath(path)
    if Path(path).suffix.lower() == ".tsv":
        ids, _, _, lines, problems = _core.index_images(name, most_broken=1)
        if problems:
            raise ValueError(f"{name}: line {problems[0][0]} {problems[0][1]}")
        rows = list(zip(lines.tolist(), ids, strict=True))
    else:
        text = Path(path).read_text(encoding="utf-8").split("\n")
        rows = [(number, line.strip()) for number, line in enumerate(text, 1) if line.strip()]
    pool = set()
    for number, key in rows:
        if not (key.isascii() and key.removeprefix("-").isdigit() and len(key) < 20):  # noqa: PLR2004 - 64 bits
            raise ValueError(f"{name}: line {number}: expected an integer, found {key[:40]!r}")
        pool.add(int(key))
    return frozenset(pool)
