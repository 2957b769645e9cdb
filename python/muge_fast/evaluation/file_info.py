"""Recognition of MUGE's files by their content."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from muge_fast import _core, tasks
from muge_fast._internal.display import truncate_id
from muge_fast._internal.field_names import FEATURE, FieldNames
from muge_fast._internal.paths import PathLike, magic_bytes_problem, refuse_pipes
from muge_fast.datasets.fields import TextList
from muge_fast.datasets.image_tsv import PROBLEMS
from muge_fast.datasets.limits import Limits
from muge_fast.datasets.problem_groups import format_groups
from muge_fast.datasets.row_reader import RowReader
from muge_fast.datasets.rows import Rows
from muge_fast.tasks.task import Task

# Bytes at the beginning of a file from which its kind is recognized.
HEAD_BYTES = 1 << 16
# Errors of a file that are listed.
MAX_ERRORS = 5
LIMITS = Limits(file_bytes=1 << 34, max_reported=MAX_ERRORS)
# Files of these kinds are not opened further.
ARCHIVES = ("gzip", "zip")
BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")
# Minimum length of base64 that counts as an image, and the number of characters that are checked.
MIN_IMAGE, MAX_SAMPLE = 33, 4096


def describe(path: PathLike) -> dict[str, Any]:
    """Recognize a file of MUGE by its content, count its rows and check them.

    Args:
        path: A file, or a folder of files.

    Returns:
        For a file, ``path``, ``bytes`` and ``kind``, such as ``"caption gold"``, ``"images"`` or ``"unknown"``.
        Depending on the kind also ``rows``; ``ids``, the smallest and the largest; ``references`` or ``items`` per row,
        ``length`` of texts in characters (``bytes_of_text`` in a TSV file), ``base64_bytes`` of images, each with
        ``min``, ``mean`` and ``max``; ``distinct_items``; ``dimensions`` of features; ``problems``, their number; and
        the first ``errors``. For a
        folder, ``path``, ``kind`` and ``files``, a list of such dictionaries.

    Raises:
        OSError: The path does not exist or cannot be read.
        ValueError: The path is a pipe or a device.

    Example:
        >>> from importlib.resources import files
        >>> from muge_fast.evaluation import describe
        >>> info = describe(files("muge_fast") / "samples" / "caption" / "IC_sample.jsonl")
        >>> info["kind"], info["rows"], info["references"]["mean"]
        ('caption gold', 64, 4.0)

    """
    path = Path(path)
    if path.is_dir():
        files = [describe(file) for file in sorted(path.iterdir()) if file.is_file() and not file.name.startswith(".")]
        return {"path": str(path), "kind": "folder", "files": files}
    refuse_pipes(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return {"path": str(path), "bytes": size, **_describe_content(path, head)}


def _describe_content(path: Path, head: bytes) -> dict[str, Any]:
    code = magic_bytes_problem(head)
    if code in ARCHIVES:
        return {"kind": code}
    return _describe_json_lines(path, head) if head.lstrip()[:1] == b"{" else _describe_tsv(path, head)


# JSON Lines


class _Reading(NamedTuple):
    """A file that was read as the gold file or a submission of a task."""

    task: Task
    role: str
    rows: Rows


def _describe_json_lines(path: Path, head: bytes) -> dict[str, Any]:
    first = head.lstrip().partition(b"\n")[0]
    if _has_field(first, FEATURE):
        return _describe_features(path)
    readings = [
        _Reading(task, role, RowReader(row_format, LIMITS).read(path))
        for task in map(tasks.get, tasks.names())
        if any(_has_fields(first, names) for names in task.fields)
        for role, row_format in (("gold", task.gold_format), ("submission", task.submission_format))
    ]
    if not readings:
        return {"kind": "unknown JSON lines"}
    # The format with the fewest problems; on a tie the submission, whose format is narrower.
    best = min(readings, key=lambda reading: (reading.rows.problem_count, reading.role == "gold"))
    role = "gold or submission" if best.task.gold == best.task.submission else best.role
    return {"kind": f"{best.task.name} {role}", **_describe_rows(best.task, best.rows)}


def _has_field(line: bytes, name: str) -> bool:
    return b'"%b"' % name.encode() in line


def _has_fields(line: bytes, names: FieldNames) -> bool:
    return _has_field(line, names.id) and _has_field(line, names.value)


def _describe_rows(task: Task, rows: Rows) -> dict[str, Any]:
    info: dict[str, Any] = {"rows": len(rows.values)}
    if rows.values:
        info["ids"] = _min_max(list(rows.values))
    lists = [value for value in rows.values.values() if isinstance(value, list)]
    texts = [value for value in rows.values.values() if isinstance(value, str)]
    if lists:
        has_texts = isinstance(task.gold, TextList)
        info["references" if has_texts else "items"] = _min_mean_max([len(value) for value in lists])
        texts += [text for value in lists for text in value if isinstance(text, str)]
        if not has_texts:
            info["distinct_items"] = len({item for value in lists for item in value if isinstance(item, int)})
    if texts:
        info["length"] = _min_mean_max([len(text) for text in texts])
    return {**info, **_problems(format_groups(rows.groups, "en"), rows.problem_count)}


def _describe_features(path: Path) -> dict[str, Any]:
    try:
        ids, features = _core.read_features(str(path))
    except ValueError as error:
        return {"kind": "features", **_problems([str(error)], 1)}
    repeated = len(ids) - len(np.unique(ids))
    info = {"rows": len(ids), "dimensions": features.shape[1], "ids": _min_max(ids.tolist())}
    return {"kind": "features", **info, **_problems(_repeated_ids(repeated), repeated)}


# TSV files


def _describe_tsv(path: Path, head: bytes) -> dict[str, Any]:
    first = head.partition(b"\n")[0].rstrip(b"\r")
    key, tab, value = first.partition(b"\t")
    if not tab or not key.strip():
        return {"kind": "unknown"}
    # A short text may look like base64, but an image is never that short.
    is_image = len(value) >= MIN_IMAGE and BASE64.issuperset(value[:MAX_SAMPLE])
    ids, _, lengths, _, broken = _core.index_images(str(path))
    repeated = len(ids) - len(set(ids))
    errors = [f"line {line} {PROBLEMS[code]}" for line, code in broken] + _repeated_ids(repeated)
    info: dict[str, Any] = {"kind": "images" if is_image else "texts", "rows": len(ids)}
    if ids:
        info["ids"] = _min_max([int(key) for key in ids] if all(key.isdecimal() for key in ids) else ids)
        info["base64_bytes" if is_image else "bytes_of_text"] = _min_mean_max(lengths.tolist())
    return {**info, **_problems(errors, len(broken) + repeated)}


# Parts of a description


def _min_max(ids: Sequence[Any]) -> list[Any]:
    return [truncate_id(min(ids)), truncate_id(max(ids))]


def _min_mean_max(values: Sequence[int]) -> dict[str, float]:
    return {"min": min(values), "mean": sum(values) / len(values), "max": max(values)}


def _repeated_ids(count: int) -> list[str]:
    return [f"{count} line{'s' if count > 1 else ''} repeat{'' if count > 1 else 's'} an earlier id"] if count else []


def _problems(errors: list[str], count: int) -> dict[str, Any]:
    return {"problems": count, **({"errors": errors[:MAX_ERRORS]} if errors else {})}
