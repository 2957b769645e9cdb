"""Recognition of the task that rows of JSON Lines belong to, by their fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from muge_fast._internal.field_names import (
    CAPTION,
    FEATURE,
    FEATURE_IDS,
    LABEL,
    QUERY,
    QUERY_TEXTS,
    RETRIEVAL,
    TEXT_TO_IMAGE,
)
from muge_fast._internal.file_kinds import HEAD_BYTES
from muge_fast._internal.json_text import parse_json

# Rows at the beginning of a file from which its task is recognized.
MAX_ROWS = 100
# Items of a retrieval submission, and the number from which the same number in most rows may be a wrong submission.
SUBMITTED_ITEMS = 10
MIN_SUBMITTED_ITEMS = 5

# Names in English and Chinese by task and role.
NAMES: dict[tuple[str, str | None], tuple[str, str]] = {
    ("caption", None): ("a caption file", "图像描述文件"),
    ("caption", "gold"): ("a caption gold file", "图像描述的标准答案文件"),
    ("caption", "submission"): ("a caption submission", "图像描述的提交文件"),
    ("retrieval", None): ("a retrieval file", "检索文件"),
    ("retrieval", "gold"): ("a retrieval gold file", "检索的标准答案文件"),
    ("retrieval", "submission"): ("a retrieval submission", "检索的提交文件"),
    ("classification", None): ("a classification file", "分类文件"),
    ("vqa", None): ("a file of answers to questions", "视觉问答文件"),
    ("vcr", None): ("a VCR file", "VCR 文件"),
    ("queries", None): ("a file of queries without items, as of a test split", "没有 item 的查询文件（如测试集）"),
    ("features", None): ("a feature file", "特征文件"),
    ("coco", None): ("a file of COCO captions", "COCO 描述文件"),
}

# Names of tasks after "not" in a message.
TASK_NAMES = {
    "caption": ("a caption one", "图像描述文件"),
    "retrieval": ("a retrieval one", "检索文件"),
    "classification": ("a classification one", "分类文件"),
    "vqa": ("a vqa one", "视觉问答文件"),
    "vcr": ("a vcr one", "VCR 文件"),
    "features": ("a feature file", "特征文件"),
}

# Fields by which a row is recognized, the id first; rows that have more than one pair are of the first.
FIELDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    *(("retrieval", (names.id, names.value)) for names in RETRIEVAL),
    *(("features", (name, FEATURE)) for name in FEATURE_IDS),
    ("caption", (CAPTION.id, CAPTION.value)),
    ("classification", (LABEL.id, LABEL.value)),
    ("vqa", ("question_id", "answer")),
    ("vcr", ("annot_id", "choice")),
    ("coco", ("image_id", "caption")),
    ("queries", (QUERY.id, QUERY_TEXTS[0])),
    ("queries", (TEXT_TO_IMAGE.id, QUERY_TEXTS[1])),
)


class RowKind(NamedTuple):
    """A recognized kind of rows.

    Attributes:
        task: ``"caption"``, ``"retrieval"``, ``"classification"``, ``"vqa"``, ``"vcr"``, ``"queries"`` (without items),
            ``"features"``, ``"coco"`` or ``"other"``.
        role: ``"gold"``, ``"submission"``, or None if they do not differ.
        fields: Names of the fields by which the rows were recognized, the id first.

    Example:
        >>> from muge_fast._internal.row_kinds import RowKind
        >>> RowKind("retrieval", "submission", ("query_id", "item_ids")).name()
        'a retrieval submission'

    """

    task: str
    role: str | None
    fields: tuple[str, ...]

    def name(self, *, lang: str = "en") -> str:
        """Return the name for a message.

        Args:
            lang: ``"en"`` or ``"zh"``.

        Returns:
            The name, with an article in English.

        """
        return NAMES[self.task, self.role][lang == "zh"]


def row_kind(head: bytes, expected: Collection[tuple[str, ...]] = ()) -> RowKind | None:
    """Return the kind of most rows at the beginning of a file of JSON Lines, or None.

    Args:
        head: The first bytes of the file; ``HEAD_BYTES`` of them are enough.
        expected: Fields that the reader expects. Rows that have them are of that kind, whatever else they have.

    Returns:
        The kind that more than half of the valid JSON objects have; None if there is no such kind.

    Example:
        >>> from muge_fast._internal.row_kinds import row_kind
        >>> row_kind(b'{"query_id": 1, "item_ids": [2]}')
        RowKind(task='retrieval', role='gold', fields=('query_id', 'item_ids'))

    """
    rows = list(_rows(head[:HEAD_BYTES]))
    if not rows:
        return _kind_of_long_row(head)
    kinds = [kind_of_row(row, expected) for row in rows]
    kind, count = Counter(kinds).most_common(1)[0]
    if kind is None or count * 2 <= len(rows):
        return None
    return kind._replace(role=_role(kind, [row for row, found in zip(rows, kinds, strict=True) if found == kind]))


def kind_of_row(row: Mapping[str, Any], expected: Collection[tuple[str, ...]] = ()) -> RowKind | None:
    """Return the kind of a row by its fields, without its role, or None.

    Args:
        row: The row.
        expected: Fields that come before all others, as for :func:`row_kind`.

    Returns:
        The kind; of expected fields that no task of the benchmark has, the task is ``"other"``.

    Example:
        >>> from muge_fast._internal.row_kinds import kind_of_row
        >>> kind_of_row({"image_id": "a", "text": ["红裙"]}).task
        'caption'

    """
    pairs = (*expected, *(fields for _, fields in FIELDS))
    fields = next((fields for fields in pairs if all(field in row for field in fields)), None)
    return None if fields is None else RowKind(task_of(fields) or "other", None, fields)


def task_of(fields: tuple[str, ...]) -> str | None:
    """Return the task that rows with these fields belong to, or None.

    Args:
        fields: Names of the fields, the id first.

    Returns:
        The task, as in :class:`RowKind`.

    Example:
        >>> from muge_fast._internal.row_kinds import task_of
        >>> task_of(("image_id", "label"))
        'classification'

    """
    return next((task for task, known in FIELDS if known == fields), None)


def _role(kind: RowKind, rows: list[dict[str, Any]]) -> str | None:
    """Return the role of most rows: references are lists, and a submission has the same number of items in each row."""
    values = [row[kind.fields[1]] for row in rows]
    if kind.task == "caption":
        lists, texts = (sum(isinstance(value, kind_of_value) for value in values) for kind_of_value in (list, str))
        return "gold" if lists * 2 > len(values) else "submission" if texts * 2 > len(values) else None
    if kind.task != "retrieval":
        return None
    flat: list[list[object]] = [value for value in values if isinstance(value, list) and _is_flat(value)]
    if len(flat) * 2 <= len(values):
        return None
    length, count = Counter(map(len, flat)).most_common(1)[0]
    if length == SUBMITTED_ITEMS and count * 2 > len(values):
        return "submission"
    return "gold" if length < MIN_SUBMITTED_ITEMS or count * 2 < len(values) else None


def _is_flat(items: list[object]) -> bool:
    return not any(isinstance(item, list | dict) for item in items)


def _rows(head: bytes) -> Iterator[dict[str, Any]]:
    """Yield the first rows that are complete JSON objects."""
    for line in head.split(b"\n", MAX_ROWS)[:MAX_ROWS]:
        try:
            row = parse_json(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            yield row


def _kind_of_long_row(head: bytes) -> RowKind | None:
    """Return the kind of a first row that is longer than the head, as rows of features may be."""
    start = head[:HEAD_BYTES].lstrip()
    id_field = next((name for name in FEATURE_IDS if b'"%b"' % name.encode() in start), None)
    is_feature = start.startswith(b"{") and b'"%b"' % FEATURE.encode() in start
    return RowKind("features", None, (id_field, FEATURE)) if id_field is not None and is_feature else None
