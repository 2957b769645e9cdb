"""Problems of a file that is not in the format that a reader expects, found by its first bytes."""

from __future__ import annotations

from muge_fast._internal.field_names import FieldNames
from muge_fast._internal.file_kinds import HEAD_BYTES, MESSAGES, binary_kind, text_kind, wrapper_key
from muge_fast._internal.paths import PathLike, read_head
from muge_fast._internal.row_kinds import TASK_NAMES, RowKind, row_kind, task_of
from muge_fast.datasets.fields import Integer, IntegerList, RowFormat, Text, TextList
from muge_fast.datasets.problems import LANGUAGES, Problem

# Examples of values in a row.
EXAMPLES: dict[type, str] = {Integer: "1", Text: '"…"', TextList: '["…"]', IntegerList: "[1, 2]"}

# Codes of problems that are about the file, not about its lines.
FILE_PROBLEMS = {*MESSAGES, "wrong_task", "wrong_role", "swapped", "empty"}

A_JSON_FILE = ("a JSON file", "JSON 文件")

REASONS = {
    "caption": {
        "gold": ("text is a list of references", "text 是参考描述的列表"),
        "submission": ("text is one string", "text 是单个字符串"),
    },
    "retrieval": {
        "gold": ("most rows do not have exactly 10 items", "多数行的 item 不是恰好 10 个"),
        "submission": ("the rows have exactly 10 items", "各行恰好有 10 个 item"),
    },
}


def file_problem(data: bytes, row_format: RowFormat, counterpart: PathLike | bytes | None = None) -> Problem | None:
    r"""Return the problem of a file that is not JSON Lines of a format, or None.

    Args:
        data: The content of the file, or its beginning.
        row_format: Format that the reader expects.
        counterpart: The gold file of a submission, or the submission of a gold file, to recognize swapped files: its
            path, or its first bytes.

    Returns:
        The problem.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.datasets.recognition import file_problem
        >>> file_problem(b"\x1f\x8b\x08", mf.tasks.get("caption").gold_format).code
        'gzip'

    """
    return binary_problem(data) or lines_problem(data, row_format, counterpart)


def is_file_problem(problem: Problem) -> bool:
    """Return whether a problem says what the file is instead of the one that is expected.

    Args:
        problem: The problem.

    Returns:
        Whether it comes before all problems of lines.

    Example:
        >>> from muge_fast.datasets.problems import Problem
        >>> from muge_fast.datasets.recognition import is_file_problem
        >>> is_file_problem(Problem("csv")), is_file_problem(Problem("not_json", 1))
        (True, False)

    """
    return problem.code in FILE_PROBLEMS


def binary_problem(data: bytes) -> Problem | None:
    r"""Return the problem of a file that is not plain UTF-8 text, or None.

    Args:
        data: The content of the file, or its beginning.

    Returns:
        The problem.

    Example:
        >>> from muge_fast.datasets.recognition import binary_problem
        >>> binary_problem(b"\x1f\x8b\x08").message()
        'the file is compressed with gzip; decompress it first'

    """
    code = binary_kind(data[:HEAD_BYTES])
    return None if code is None else Problem(code)


def lines_problem(data: bytes, row_format: RowFormat, counterpart: PathLike | bytes | None = None) -> Problem | None:
    """Return the problem of a text file that does not have the rows of a format, or None.

    Args:
        data: The content of the file, or its beginning, without a byte order mark.
        row_format: Format that the reader expects.
        counterpart: The gold file of a submission, or the submission of a gold file, to recognize swapped files: its
            path, or its first bytes. It is read only if this file seems to have the other role.

    Returns:
        The problem: text that is not JSON Lines, rows of another task, or a gold file in place of a submission and the
        reverse. Rows in which only some fields are wrong have no such problem.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.datasets.recognition import lines_problem
        >>> row_format = mf.tasks.get("caption").submission_format
        >>> lines_problem(b'{"query_id": 1, "item_ids": [2]}', row_format).message()
        'this looks like a retrieval gold file, not a caption one: the rows have query_id and item_ids'

    """
    head = data[:HEAD_BYTES]
    names = [_pair(names) for names in row_format.names]
    code = text_kind(head, [name for pair in names for name in pair])
    if code is not None:
        return Problem(code, details={"row": _example(row_format), "jq": _program(code, head, row_format)})
    kind = row_kind(head, names)
    if kind is None:
        return None
    if kind.fields not in names:
        return _wrong_task(kind, row_format)
    return _role_problem(kind, _role(row_format), counterpart)


def tsv_problem(data: bytes, *, has_images: bool) -> Problem | None:
    """Return the problem of a file that is not a TSV file of images or texts, or None.

    Args:
        data: The content of the file, or its beginning.
        has_images: Whether the reader expects images; else texts.

    Returns:
        The problem.

    Example:
        >>> from muge_fast.datasets.recognition import tsv_problem
        >>> tsv_problem(b'{"image_id": "a", "text": "x"}', has_images=True).message()
        'this looks like a caption submission, not a TSV of images: each line needs an id, a tab and an image in base64'

    """
    problem = binary_problem(data)
    if problem is not None:
        return problem
    head = data[:HEAD_BYTES]
    kind = row_kind(head)
    if kind is not None:
        actual = _names(kind)
    elif head.lstrip()[:2] in {b'{"', b"[{", b'["'} and b"\t" not in head.partition(b"\n")[0]:
        actual = A_JSON_FILE
    elif text_kind(head) == ("tsv" if has_images else "image_tsv") and _is_sure(head, has_images=has_images):
        actual = ("a TSV of texts", "文本的 TSV") if has_images else ("a TSV of images", "图像的 TSV")
    else:
        return None
    return Problem("not_images" if has_images else "not_texts", details={"actual": actual})


def pool_problem(data: bytes, *, is_tsv: bool = False) -> Problem | None:
    """Return the problem of a file that has no ids of a pool, or None.

    Args:
        data: The content of the file, or its beginning.
        is_tsv: Whether the name of the file is that of a TSV file.

    Returns:
        The problem.

    Example:
        >>> from muge_fast.datasets.recognition import pool_problem
        >>> pool_problem(b'{"query_id": 1, "item_ids": [2]}').message().partition(":")[0]
        'this looks like a retrieval gold file, not a pool'

    """
    problem = binary_problem(data)
    if problem is not None:
        return problem
    head = data[:HEAD_BYTES]
    kind = row_kind(head)
    if kind is not None:
        actual = _names(kind)
    elif head.lstrip()[:1] in {b"{", b"["}:
        actual = A_JSON_FILE
    elif not is_tsv and b"\t" in head.partition(b"\n")[0]:
        actual = ("a TSV file", "TSV 文件")
    else:
        return None
    return Problem("not_pool", details={"actual": actual})


def _names(kind: RowKind) -> tuple[str, ...]:
    """Return the name of a kind of rows in each language."""
    return tuple(kind.name(lang=lang) for lang in LANGUAGES)


def _is_sure(head: bytes, *, has_images: bool) -> bool:
    """Return whether the first value is text and no broken image, or the beginning of an image and no text."""
    value = head.partition(b"\n")[0].partition(b"\t")[2].strip()
    if has_images:
        return not value.isascii() or b" " in value
    return value.startswith((b"/9j/", b"iVBORw0KGgo", b"R0lGOD", b"UklGR", b"Qk", b"SUkq", b"TU0A"))


def _wrong_task(kind: RowKind, row_format: RowFormat) -> Problem:
    expected = task_of(_pair(row_format.names[0]))
    a_file = TASK_NAMES[expected] if expected in TASK_NAMES else (f"rows of {row_format.names[0]}",) * 2
    actual = _names(kind)
    fields = (" and ".join(kind.fields), "、".join(kind.fields))
    return Problem("wrong_task", details={"actual": actual, "expected": a_file, "fields": fields})


def _role_problem(kind: RowKind, role: str | None, counterpart: PathLike | bytes | None) -> Problem | None:
    """Return the problem of a gold file in place of a submission or the reverse, or None."""
    if role is None or kind.task not in REASONS or kind.role == role or (kind.task == "retrieval" and role == "gold"):
        # A query can have ten relevant items as well as any other number.
        return None
    reasons = REASONS[kind.task]
    if counterpart is not None and not isinstance(counterpart, bytes):
        counterpart = read_head(counterpart, HEAD_BYTES)
    other = None if counterpart is None else row_kind(counterpart)
    if other is not None and (other.task, other.role) == (kind.task, role):
        (gold, gold_zh), (submission, submission_zh) = reasons["submission"], reasons["gold"]
        reason = (
            f"in the gold file {gold}, in the submission {submission}",
            f"标准答案文件：{gold_zh}；提交文件：{submission_zh}",
        )
        return Problem("swapped", details={"reason": reason})
    if kind.role is None:
        return None
    expected = _names(kind._replace(role=role))
    return Problem("wrong_role", details={"actual": _names(kind), "expected": expected, "reason": reasons[kind.role]})


def _role(row_format: RowFormat) -> str | None:
    value = row_format.value
    if isinstance(value, IntegerList):
        return "gold" if value.count is None else "submission"
    return "gold" if isinstance(value, TextList) else "submission" if isinstance(value, Text) else None


def _pair(names: FieldNames) -> tuple[str, str]:
    return names.id, names.value


def _example(row_format: RowFormat) -> str:
    """Return an example of a row."""
    names = row_format.names[0]
    fields = {names.id: row_format.id, names.value: row_format.value}
    return "{" + ", ".join(f'"{name}": {EXAMPLES.get(type(kind), "…")}' for name, kind in fields.items()) + "}"


def _program(code: str, head: bytes, row_format: RowFormat) -> str:
    """Return the program for jq that converts a JSON document to rows."""
    names = row_format.names[0]
    if code == "json_mapping":
        key = "(.key | tonumber)" if isinstance(row_format.id, Integer) else ".key"
        return f"to_entries[] | {{{names.id}: {key}, {names.value}: .value}}"
    if code == "json_array":
        # Results of COCO captions have other names and types.
        is_coco = b'"caption"' in head and b'"text"' not in head and names.value == "text"
        return ".[] | {image_id: (.image_id | tostring), text: .caption}" if is_coco else ".[]"
    if code == "json_wrapper":
        return f".{wrapper_key(head, (names.id, names.value))}[]"
    return "."
