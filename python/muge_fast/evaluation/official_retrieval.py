r"""The verdict of the public evaluation scripts of retrieval, rule by rule.

There are three scripts: ``src/eval/evaluation.py`` of MUGE-2021/image-retrieval-baseline, which its README calls "the
same as the MUGE evaluation server", and ``cn_clip/eval/evaluation.py`` and ``evaluation_tr.py`` of
OFA-Sys/Chinese-CLIP. They differ in the names of the fields alone. This module accepts and scores what they accept:

- The file is UTF-8. MUGE's script uses the encoding of the platform; this is its result where that is UTF-8. A byte
  order mark fails. Lines end in ``\n``, ``\r\n`` or ``\r``.
- Every line is a JSON object as Python's ``json`` reads it, with any white space around it. A blank line fails. ``NaN``
  is read, and of a repeated field the last value counts.
- Both fields must be there; other fields are ignored. An id is any integer, and ``true`` and ``false`` are the integers
  1 and 0. The list has exactly ten ids, all different.
- Queries that the gold file lacks are checked, but do not count. Of a repeated query the last line counts.
- Every query of the gold file must be there. The score is the mean of Recall@1, @5 and @10, times 100.

Two limits are those of this package: submissions of more than 128 MiB are not read, and pipes are read only as open
streams such as ``/dev/stdin``.

:func:`muge_fast.evaluate` refuses more; docs/verdicts.md compares the rules.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from muge_fast import tasks
from muge_fast._internal.display import format_value
from muge_fast._internal.field_names import QUERY, RETRIEVAL, FieldNames
from muge_fast._internal.file_kinds import MAGIC_LENGTH, magic_kind
from muge_fast._internal.json_text import is_deeper, on_large_stack
from muge_fast._internal.paths import FileTypeError, PathLike, is_regular, open_file
from muge_fast.datasets.problems import LANGUAGES, Problem
from muge_fast.datasets.recognition import file_problem
from muge_fast.evaluation.submission import GOLD_BYTES, GoldError
from muge_fast.tasks.task import Task

GOLD_FORMAT = tasks.get("retrieval").gold_format

ITEMS = 10
KS = (1, 5, 10)
FILE_BYTES = 1 << 27

OTHER_SCRIPT = (
    (
        "the gold file has {actual}, but the evaluation script needs {expected}; `muge-fast official retrieval` "
        "evaluates files with the names of MUGE, `python -m muge_fast.compat.chinese_clip` those of Chinese-CLIP"
    ),
    (
        "标准答案文件的字段为 {actual}，但评测脚本需要 {expected}；"
        "`muge-fast official retrieval` 评测 MUGE 字段名的文件，"
        "`python -m muge_fast.compat.chinese_clip` 评测 Chinese-CLIP 字段名的文件"
    ),
)


class OfficialError(ValueError):
    """A submission that the public scripts reject.

    Attributes:
        problem: The first problem of the file.
        more: Number of further problems of this kind, where they were counted.

    """

    def __init__(self, problem: Problem, more: int = 0) -> None:
        super().__init__(problem, more)
        self.problem, self.more = problem, more

    def __str__(self) -> str:
        return self.message("en")

    def message(self, lang: str) -> str:
        """Return the message in a language.

        Args:
            lang: ``"en"`` or ``"zh"``.

        Returns:
            One line of text.

        """
        text = self.problem.message(lang=lang)
        if not self.more:
            return text
        return f"{text}（另有 {self.more} 个）" if lang == "zh" else f"{text} (and {self.more} more)"


class GoldNamesError(GoldError):
    """A gold file with the field names of another public script."""


class RecallScores(NamedTuple):
    """Scores of the public scripts, times 100, computed in their order of operations.

    Attributes:
        mean_recall: Mean of the three.
        r1: Recall@1.
        r5: Recall@5.
        r10: Recall@10.

    """

    mean_recall: float
    r1: float
    r5: float
    r10: float


@dataclass(frozen=True)
class PublishedGold:
    """A gold file as the public scripts read it.

    Attributes:
        names: Names of the two fields that a script requires.
        relevant: Relevant items by query, in any type that the file has them.

    """

    names: FieldNames
    relevant: dict[object, set[object]]

    @classmethod
    def read(
        cls, path: PathLike, names: FieldNames = QUERY, submission: PathLike | None = None, lang: str = "en"
    ) -> PublishedGold:
        """Read a gold file.

        Args:
            path: The file.
            names: Names of its fields.
            submission: The submission, to recognize swapped files.
            lang: Language of errors, ``"en"`` or ``"zh"``.

        Returns:
            The relevant items of each query; of a repeated query, those of its last line.

        Raises:
            OSError: The file does not exist or cannot be read.
            GoldError: The scripts cannot use the file: a line is not JSON, lacks a field, or has an id or items of a
                type that they cannot use; or the file has no lines.

        Example:
            >>> import pathlib, tempfile
            >>> from muge_fast.evaluation.official_retrieval import PublishedGold
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     path = pathlib.Path(folder) / "gold.jsonl"
            ...     _ = path.write_text('{"query_id": 1, "item_ids": [4, 5]}')
            ...     PublishedGold.read(path).relevant
            {1: {4, 5}}

        """
        data = b""
        try:
            data = read_bytes(path, GOLD_BYTES)
            return cls.parse(data, names)
        except OfficialError as error:
            if error.problem.code == "other_names":
                message = OTHER_SCRIPT[LANGUAGES.index(lang)].format(**error.problem.details)
                raise GoldNamesError(path, [message]) from None
            other = file_problem(data, GOLD_FORMAT, submission) if data else None
            kinds = [] if other is None else [other.message(lang=lang)]
            raise GoldError(path, list(dict.fromkeys([*kinds, error.message(lang)]))) from None

    @classmethod
    def parse(cls, data: bytes, names: FieldNames = QUERY) -> PublishedGold:
        """Read the content of a gold file.

        Args:
            data: All bytes of the file.
            names: Names of its fields.

        Returns:
            The relevant items of each query; of a repeated query, those of its last line.

        Raises:
            OfficialError: The scripts cannot use the file.

        Example:
            >>> from muge_fast.evaluation.official_retrieval import PublishedGold
            >>> PublishedGold.parse(b'{"query_id": 1, "item_ids": [4, 5]}').relevant
            {1: {4, 5}}

        """
        rows = on_large_stack(_read_gold_rows, data, names)
        relevant = {query: _relevant_items(*row, names) for query, row in rows.items()}
        if not relevant:
            raise OfficialError(Problem("empty"))
        return cls(names, relevant)

    def score(self, data: bytes) -> RecallScores:
        """Score a submission.

        Args:
            data: Content of the submission.

        Returns:
            The scores, 0 to 100.

        Raises:
            OfficialError: The scripts reject the submission.

        """
        ranked = on_large_stack(self._read_rows, data)
        missing = [query for query in self.relevant if query not in ranked]
        if missing:
            name = self.names.id
            raise OfficialError(Problem("missing_id", None, name, missing[0], name), len(missing) - 1)
        hits = [sum(not self.relevant[query].isdisjoint(items[:k]) for query, items in ranked.items()) for k in KS]
        r1, r5, r10 = (count * 1.0 / len(self.relevant) for count in hits)
        return RecallScores((r1 + r5 + r10) / 3.0 * 100, r1 * 100, r5 * 100, r10 * 100)

    def _read_rows(self, data: bytes) -> dict[object, list[int]]:
        """Return the items of each query of the gold file that a submission has."""
        ranked: dict[object, list[int]] = {}
        for number, line in _lines(data):
            query, items = _read_row(number, _parse(number, line), self.names)
            # Unknown queries do not count. They are not kept, so that no ids can be chosen to collide.
            if query in self.relevant:
                ranked[query] = items
        return ranked


def score_as_published(gold: PathLike, submission: PathLike, *, names: FieldNames = QUERY) -> RecallScores:
    """Score a retrieval submission as the public evaluation scripts do.

    Args:
        gold: The gold file.
        submission: The submission. It is untrusted.
        names: Names of the fields that the script requires: those of MUGE, or those of Chinese-CLIP.

    Returns:
        The scores, 0 to 100.

    Raises:
        OSError: A file does not exist or cannot be read.
        OfficialError: The script rejects the submission. The message names the line.
        GoldError: The script cannot use the gold file.

    Example:
        >>> import json, pathlib, tempfile
        >>> from muge_fast.evaluation.official_retrieval import score_as_published
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     gold, submission = (pathlib.Path(folder) / name for name in ("gold.jsonl", "pred.jsonl"))
        ...     _ = gold.write_text(json.dumps({"query_id": 1, "item_ids": [4]}))
        ...     _ = submission.write_text(json.dumps({"query_id": 1, "item_ids": list(range(10))}))
        ...     score_as_published(gold, submission).r5
        100.0

    """
    return PublishedGold.read(gold, names).score(read_bytes(submission))


def has_script(task: Task) -> bool:
    """Return whether a public script evaluates submissions of a task.

    Args:
        task: The task.

    Returns:
        True for retrieval.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.evaluation.official_retrieval import has_script
        >>> has_script(mf.tasks.get("retrieval"))
        True

    """
    return task.name == "retrieval"


def read_bytes(path: PathLike, limit: int = FILE_BYTES) -> bytes:
    """Return the content of a regular file, or of an open stream named like ``/dev/stdin``.

    Args:
        path: The file.
        limit: Most bytes that it may have.

    Returns:
        All bytes.

    Raises:
        OSError: The file does not exist or cannot be read.
        OfficialError: The path is a folder, a pipe or a device, or the file is too large.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.evaluation.official_retrieval import read_bytes
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     read_bytes(folder)
        Traceback (most recent call last):
        muge_fast.evaluation.official_retrieval.OfficialError: the path is a directory, expected a file

    """
    try:
        file = open_file(path, streams=True)
    except FileTypeError as error:
        raise OfficialError(Problem(error.code)) from None
    with file:
        size = os.fstat(file.fileno()).st_size
        # Python reserves as many bytes as it is asked to read.
        data = file.read(size + 1 if is_regular(file) else FILE_BYTES + 1) if size <= limit else b""
    size = max(size, len(data))
    if size > limit:
        raise OfficialError(Problem("too_large", details={"size": size, "limit": limit}))
    return data


# Rows


def _relevant_items(number: int, items: object, names: FieldNames) -> set[object]:
    try:
        return set(items)  # type: ignore[call-overload, no-any-return]
    except TypeError:
        details = {"actual": format_value(items), "expected": "a list of ids"}
        raise OfficialError(Problem("wrong_type", number, field=names.value, details=details)) from None


def _read_gold_rows(data: bytes, names: FieldNames) -> dict[object, tuple[int, object]]:
    """Return line number and items of each query; only the last line of a repeated query has to be right."""
    rows: dict[object, tuple[int, object]] = {}
    for number, line in _lines(data):
        row = _parse(number, line)
        _check_fields(number, row, names)
        try:
            rows[row[names.id]] = number, row[names.value]  # type: ignore[index]
        except TypeError:
            raise _id_error(number, row[names.id], names.id) from None  # type: ignore[index]
    return rows


def _read_row(number: int, row: object, names: FieldNames) -> tuple[int, list[int]]:
    _check_fields(number, row, names)
    assert isinstance(row, dict)  # noqa: S101 - for the type checker
    query, items = row[names.id], row[names.value]
    if not isinstance(query, int):
        raise _id_error(number, query, names.id)
    if not isinstance(items, list):
        details = {"actual": format_value(items), "expected": "a list of integers"}
        raise _row_error("wrong_type", number, names, query, details)
    if len(items) != ITEMS:
        raise _row_error("wrong_count", number, names, query, {"actual": len(items), "expected": ITEMS})
    for index, item in enumerate(items):
        if not isinstance(item, int):
            actual = format_value(item)
            raise _row_error(
                "wrong_type", number, names, query, {"actual": actual, "expected": "an integer", "index": index}
            )
    if len(set(items)) != ITEMS:
        repeated = next(item for index, item in enumerate(items) if item in items[:index])
        raise _row_error("repeated_item", number, names, query, {"value": format_value(repeated)})
    return query, items


def _row_error(
    code: str, number: int, names: FieldNames, query: object, details: Mapping[str, object]
) -> OfficialError:
    return OfficialError(Problem(code, number, names.id, query, names.value, details))


def _check_fields(number: int, row: object, names: FieldNames) -> None:
    """Raise unless a row is an object with both fields."""
    if not isinstance(row, dict):
        raise OfficialError(Problem("not_object", number, details={"actual": format_value(row)}))
    missing = [name for name in (names.id, names.value) if name not in row]
    if not missing:
        return
    for other in RETRIEVAL:
        if other.id in row and other.value in row:
            details = {"actual": str(other), "expected": str(names)}
            raise OfficialError(Problem("other_names", number, details=details))
    raise OfficialError(Problem("missing_field", number, field=missing[0]))


def _id_error(number: int, value: object, name: str) -> OfficialError:
    details = {"actual": format_value(value), "expected": "an integer"}
    return OfficialError(Problem("wrong_type", number, name, field=name, details=details))


# Lines


def _lines(data: bytes) -> Iterator[tuple[int, str]]:
    """Yield the lines that Python's text files have, with their numbers, without the white space around them."""
    code = magic_kind(data[:MAGIC_LENGTH])
    if code is not None:
        raise OfficialError(Problem(code))
    try:
        for number, line in enumerate(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"), 1):
            yield number, line.strip()
    except UnicodeDecodeError:
        raise OfficialError(_not_utf8(data)) from None


def _not_utf8(data: bytes) -> Problem:
    """Return the problem of the first byte that is not UTF-8; a text file reports its position in a buffer."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    position = len(before) - before.rfind(b"\n") - 1
    return Problem("not_utf8", before.count(b"\n") + 1, details={"position": position})


def _parse(number: int, line: str) -> object:
    if is_deeper(line):
        raise OfficialError(Problem("too_deep", number))
    try:
        try:
            return json.loads(line)
        except RecursionError:
            return on_large_stack(_parse_first, line, always=True)
    except RecursionError:
        raise OfficialError(Problem("too_deep", number)) from None
    except ValueError as error:
        raise OfficialError(_not_json(number, line, error)) from None


def _parse_first(line: str) -> object:
    """Parse a deeply nested line with as many calls below the parser as the scripts have.

    Python limits the depth of calls and of lists together, so a caller's own calls would lower the limit.
    """
    value, end = json.JSONDecoder().raw_decode(line)
    if end != len(line):
        raise json.JSONDecodeError("Extra data", line, end)
    return value


def _not_json(number: int, line: str, error: ValueError) -> Problem:
    if not line:
        return Problem("blank_line", number)
    if isinstance(error, json.JSONDecodeError):
        return Problem("not_json", number, details={"position": error.pos, "reason": error.msg})
    # Python limits the digits of an integer, because converting them takes quadratic time.
    return Problem("not_json", number, details={"position": 0, "reason": str(error).partition(";")[0]})
