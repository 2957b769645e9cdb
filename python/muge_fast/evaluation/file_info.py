"""What a file is, and what is in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from muge_fast import _core, tasks
from muge_fast._internal.display import truncate_id
from muge_fast._internal.paths import magic_bytes_problem, refuse_pipes
from muge_fast.datasets.image_tsv import PROBLEMS
from muge_fast.datasets.row_reader import Limits, RowReader, Rows, messages
from muge_fast.tasks.task import Task

PathLike = str | os.PathLike[str]

HEAD = 1 << 16
# How many problems of a file are told.
LISTED = 5
# What is told of a file that begins like this is its kind alone.
ARCHIVES = ("gzip", "zip")


def describe(path: PathLike) -> dict[str, Any]:
    """Recognise a file of MUGE, and count what is in it.

    Args:
        path: A file, or a folder of files.

    Returns:
        ``path``, ``kind``, and what there is to tell: ``rows``, ``ids`` (the least and the largest), ``references`` or
        ``items`` of each row and ``length`` of texts (least, mean and largest), ``problems`` (their number) and the
        first ``errors``. A folder has ``files``, one such object each.

    Raises:
        OSError: The path is not there or may not be read.
        ValueError: The path is a pipe or a device.

    Example:
        >>> from importlib.resources import files
        >>> from muge_fast.evaluation import describe
        >>> found = describe(files("muge_fast") / "samples" / "caption" / "IC_sample.jsonl")
        >>> found["kind"], found["rows"], found["references"]["mean"]
        ('caption gold', 64, 4.0)

    """
    path = Path(path)
    if path.is_dir():
        files = [describe(file) for file in sorted(path.iterdir()) if file.is_file() and not file.name.startswith(".")]
        return {"path": str(path), "kind": "folder", "files": files}
    refuse_pipes(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD)
    start = magic_bytes_problem(head)
    found = (
        {"kind": start} if start in ARCHIVES else _jsonl(path, head) if head.lstrip()[:1] == b"{" else _tsv(path, head)
    )
    return {"path": str(path), "bytes": size, **found}


def _jsonl(path: Path, head: bytes) -> dict[str, Any]:
    first = head.lstrip().partition(b"\n")[0]
    if b'"feature"' in first:
        return _features(path)
    readings = [
        (task, side, RowReader(task, kind, Limits(file_bytes=1 << 34, listed=LISTED)).read(path))
        for task in map(tasks.get, tasks.names())
        for side, kind in (("gold", task.gold), ("submission", task.submission))
        if any(b'"%b"' % form.id.encode() in first and b'"%b"' % form.value.encode() in first for form in task.forms)
    ]
    if not readings:
        return {"kind": "unknown JSON lines"}
    # The kind that has least to say against it. What may be either side is the one that asks for more.
    task, side, rows = min(readings, key=lambda reading: (reading[2].count, reading[1] == "gold"))
    if type(task.gold) is type(task.submission) and task.gold.count == task.submission.count:
        side = "gold or submission"
    return {"kind": f"{task.name} {side}", **_rows(task, rows)}


def _rows(task: Task, rows: Rows) -> dict[str, Any]:
    found: dict[str, Any] = {"rows": len(rows.values)}
    if rows.values:
        found["ids"] = _range(list(rows.values))
    lists = [value for value in rows.values.values() if isinstance(value, list)]
    texts = [value for value in rows.values.values() if isinstance(value, str)]
    if lists:
        is_texts = task.gold.quick == "texts"
        found["references" if is_texts else "items"] = _spread([len(value) for value in lists])
        texts += [text for value in lists for text in value if isinstance(text, str)]
        if not is_texts:
            found["different_items"] = len({item for value in lists for item in value if isinstance(item, int)})
    if texts:
        found["length"] = _spread([len(text) for text in texts])
    return {**found, **_problems(list(messages(rows.problems, rows.count, "en")), rows.count)}


def _features(path: Path) -> dict[str, Any]:
    try:
        ids, features = _core.read_features(str(path))
    except ValueError as error:
        return {"kind": "features", **_problems([str(error)], 1)}
    twice = len(ids) - len(np.unique(ids))
    errors = [f"{twice} ids come a second time"] if twice else []
    found = {"rows": len(ids), "dimensions": features.shape[1], "ids": _range(ids.tolist())}
    return {"kind": "features", **found, **_problems(errors, twice)}


def _tsv(path: Path, head: bytes) -> dict[str, Any]:
    first = head.partition(b"\n")[0].rstrip(b"\r")
    key, tab, value = first.partition(b"\t")
    if not tab or not key.strip():
        return {"kind": "unknown"}
    is_image = len(value) > 32 and not set(value[:4096]) - set(_BASE64)  # noqa: PLR2004 - shorter texts say nothing
    ids, _, lengths, _, broken = _core.index_images(str(path))
    twice = len(ids) - len(set(ids))
    errors = [f"line {line} {PROBLEMS[code]}" for line, code in broken]
    errors += [f"{twice} ids come a second time"] if twice else []
    found: dict[str, Any] = {"kind": "images" if is_image else "texts", "rows": len(ids)}
    if ids:
        found["ids"] = _range([int(key) for key in ids] if all(key.isdecimal() for key in ids) else ids)
        found["base64_bytes" if is_image else "bytes_of_text"] = _spread(lengths.tolist())
    return {**found, **_problems(errors, len(broken) + twice)}


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_="


def _range(ids: Sequence[Any]) -> list[Any]:
    return [truncate_id(min(ids)), truncate_id(max(ids))]


def _spread(values: Sequence[int]) -> dict[str, float]:
    return {"least": min(values), "mean": sum(values) / len(values), "largest": max(values)}


def _problems(errors: list[str], count: int) -> dict[str, Any]:
    return {"problems": count, **({"errors": errors[:LISTED]} if errors else {})}
