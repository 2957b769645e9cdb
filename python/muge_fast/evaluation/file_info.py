"""Recognition of MUGE's files by their content."""

from __future__ import annotations

import codecs
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from muge_fast import tasks
from muge_fast._internal.field_names import FieldNames
from muge_fast._internal.file_kinds import HEAD_BYTES, TEXT_KINDS, binary_kind, text_kind
from muge_fast._internal.ids import count_distinct
from muge_fast._internal.paths import PathLike, open_file
from muge_fast._internal.row_kinds import RowKind, row_kind
from muge_fast.datasets.fields import RowFormat, TextList
from muge_fast.datasets.limits import Limits
from muge_fast.datasets.problem_groups import format_groups
from muge_fast.datasets.row_reader import RowReader
from muge_fast.datasets.rows import Rows
from muge_fast.evaluation.binary_info import (
    BINARY_READERS,
    MAX_ERRORS,
    describe_features,
    min_max,
    problems_of,
    refused_file,
)
from muge_fast.evaluation.tsv_info import describe_tsv
from muge_fast.features import arrow
from muge_fast.tasks.task import Task

LIMITS = Limits(file_bytes=1 << 34, max_reported=MAX_ERRORS)
# Kinds of text that hold no lines of rows.
NOT_LINES = {*TEXT_KINDS} - {"tsv", "image_tsv"}


def describe(path: PathLike, *, lang: str = "en") -> dict[str, Any]:
    """Recognize a file of MUGE by its content, count its rows and check them.

    Args:
        path: A file, or a folder of files.
        lang: Language of ``errors``, ``"en"`` or ``"zh"``.

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
        files = [
            describe(file, lang=lang)
            for file in sorted(path.iterdir())
            if file.is_file() and not file.name.startswith(".")
        ]
        return {"path": str(path), "kind": "folder", "files": files}
    with open_file(path) as file:
        size, head = os.fstat(file.fileno()).st_size, file.read(HEAD_BYTES)
    return {"path": str(path), "bytes": size, **_describe_content(path, head, lang)}


def _describe_content(path: Path, head: bytes, lang: str) -> dict[str, Any]:
    if path.suffix.lower() in arrow.FORMATS:
        return describe_features(path)
    code = binary_kind(head)
    if code in BINARY_READERS:
        return BINARY_READERS[code](path, lang)
    if code is not None and code != "bom":
        return refused_file(code, lang)
    text = head.removeprefix(codecs.BOM_UTF8)
    code = text_kind(text)
    if code in NOT_LINES:
        return refused_file(code, lang)
    if text.lstrip()[:1] == b"{":
        return _describe_json_lines(path, text, lang)
    return refused_file("bom", lang) if head.startswith(codecs.BOM_UTF8) else describe_tsv(path, text)


# JSON Lines


class _Reading(NamedTuple):
    """A file that was read as the gold file or a submission of a task."""

    task: Task
    role: str
    rows: Rows


def _describe_json_lines(path: Path, head: bytes, lang: str) -> dict[str, Any]:
    kind = row_kind(head)
    if kind is not None and kind.task == "features":
        return describe_features(path)
    readings = [
        _Reading(task, role, RowReader(row_format, LIMITS).read(path))
        for task in map(tasks.get, tasks.names())
        if _has_rows(task, kind, head)
        for role, row_format in (("gold", task.gold_format), ("submission", _submission_format(task)))
        if kind is None or role in _roles(kind)
    ]
    if not readings:
        return {"kind": "unknown JSON lines" if kind is None else kind.name().partition(" ")[2]}
    # The format with the fewest problems; on a tie the submission, whose format is narrower.
    best = min(readings, key=lambda reading: (reading.rows.problem_count, reading.role == "gold"))
    if best.role == "submission" and best.task.submission_format.strict_lines:
        best = best._replace(rows=RowReader(best.task.submission_format, LIMITS).read(path))
    role = "gold or submission" if best.task.gold == best.task.submission else best.role
    return {"kind": f"{best.task.name} {role}", **_describe_rows(best.task, best.rows, lang)}


def _roles(kind: RowKind) -> set[str]:
    """Return the roles that rows may have; a wrong number of items in all rows is that of a submission."""
    if kind.role is None:
        return {"submission"} if kind.task == "retrieval" else {"gold", "submission"}
    return {kind.role}


def _has_rows(task: Task, kind: RowKind | None, head: bytes) -> bool:
    """Return whether most rows have the fields of a task; for unknown rows, whether the first has them."""
    if kind is not None:
        return kind.fields in [(names.id, names.value) for names in task.fields]
    first = head.lstrip().partition(b"\n")[0]
    return any(_has_fields(first, names) for names in task.fields)


def _submission_format(task: Task) -> RowFormat:
    # A blank line does not make a submission a gold file.
    return replace(task.submission_format, strict_lines=False)


def _has_field(line: bytes, name: str) -> bool:
    return b'"%b"' % name.encode() in line


def _has_fields(line: bytes, names: FieldNames) -> bool:
    return _has_field(line, names.id) and _has_field(line, names.value)


def _describe_rows(task: Task, rows: Rows, lang: str) -> dict[str, Any]:
    info: dict[str, Any] = {"rows": len(rows.values)}
    if rows.values:
        info["ids"] = min_max(list(rows.values))
    lists = [value for value in rows.values.values() if isinstance(value, list)]
    texts = [value for value in rows.values.values() if isinstance(value, str)]
    if lists:
        has_texts = isinstance(task.gold, TextList)
        info["references" if has_texts else "items"] = _min_mean_max([len(value) for value in lists])
        texts += [text for value in lists for text in value if isinstance(text, str)]
        if not has_texts:
            info["distinct_items"] = count_distinct(item for value in lists for item in value if isinstance(item, int))
    if texts:
        info["length"] = _min_mean_max([len(text) for text in texts])
    return {**info, **problems_of(format_groups(rows.groups, lang), rows.problem_count)}


def _min_mean_max(values: Sequence[int]) -> dict[str, float]:
    return {"min": min(values), "mean": sum(values) / len(values), "max": max(values)}
