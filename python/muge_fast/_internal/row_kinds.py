"""Recognition of the task that rows of JSON Lines belong to, by their fields."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from muge_fast._internal.field_names import CAPTION, FEATURE, FEATURE_IDS, LABEL, QUERY_TEXTS, RETRIEVAL
from muge_fast._internal.file_kinds import HEAD_BYTES

# Rows at the beginning of a file from which its task is recognized.
MAX_ROWS = 100
# Items of a retrieval submission.
SUBMITTED_ITEMS = 10

# Names in English and Chinese by task and role.
NAMES: dict[tuple[str, str | None], tuple[str, str]] = {
    ("caption", None): ("a caption file", "图像描述文件"),
    ("caption", "gold"): ("a caption gold file", "图像描述的标准答案文件"),
    ("caption", "submission"): ("a caption submission", "图像描述的提交文件"),
    ("retrieval", None): ("a retrieval file", "检索文件"),
    ("retrieval", "gold"): ("a retrieval gold file", "检索的标准答案文件"),
    ("retrieval", "submission"): ("a retrieval submission", "检索的提交文件"),
    ("classification", None): ("a classification file", "分类文件"),
    ("queries", None): ("a file of queries without items, as of a test split", "没有 item 的查询文件（如测试集）"),
    ("features", None): ("a feature file", "特征文件"),
    ("coco", None): ("a file of COCO captions", "COCO 描述文件"),
}


class RowKind(NamedTuple):
    """A recognized kind of rows.

    Attributes:
        task: ``"caption"``, ``"retrieval"``, ``"classification"``, ``"queries"`` (without items), ``"features"`` or
            ``"coco"``.
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


def row_kind(head: bytes) -> RowKind | None:
    """Return the kind of most rows at the beginning of a file of JSON Lines, or None.

    Args:
        head: The first bytes of the file; ``HEAD_BYTES`` of them are enough.

    Returns:
        The kind that more than half of the valid JSON objects have; None if there is no such kind.

    Example:
        >>> from muge_fast._internal.row_kinds import row_kind
        >>> row_kind(b'{"query_id": 1, "item_ids": [2]}')
        RowKind(task='retrieval', role='gold', fields=('query_id', 'item_ids'))

    """
    kinds = [kind_of_row(row) for row in _rows(head[:HEAD_BYTES])]
    if not kinds:
        return _kind_of_long_row(head)
    kind, count = Counter(kinds).most_common(1)[0]
    if kind is None or count * 2 > len(kinds):
        return kind
    # The same fields in both roles.
    fields, count = Counter((kind.task, kind.fields) for kind in kinds if kind is not None).most_common(1)[0]
    return RowKind(fields[0], None, fields[1]) if count * 2 > len(kinds) else None


def kind_of_row(row: Mapping[str, Any]) -> RowKind | None:
    """Return the kind of a row by its fields, or None.

    Args:
        row: The row.

    Returns:
        The kind.

    Example:
        >>> from muge_fast._internal.row_kinds import kind_of_row
        >>> kind_of_row({"image_id": "a", "text": ["红裙"]}).role
        'gold'

    """
    for names in RETRIEVAL:
        if names.id in row and names.value in row:
            items = row[names.value]
            role = "submission" if isinstance(items, list) and len(items) == SUBMITTED_ITEMS else "gold"
            return RowKind("retrieval", role, (names.id, names.value))
    id_field = next((name for name in FEATURE_IDS if name in row), None)
    if id_field is not None and FEATURE in row:
        return RowKind("features", None, (id_field, FEATURE))
    if CAPTION.id in row and CAPTION.value in row:
        role = "gold" if isinstance(row[CAPTION.value], list) else "submission"
        return RowKind("caption", role, (CAPTION.id, CAPTION.value))
    if LABEL.id in row and LABEL.value in row:
        return RowKind("classification", None, (LABEL.id, LABEL.value))
    if "image_id" in row and "caption" in row:
        return RowKind("coco", None, ("image_id", "caption"))
    query = next(
        (pair for pair in (("query_id", QUERY_TEXTS[0]), ("text_id", QUERY_TEXTS[1])) if set(pair) <= set(row)), None
    )
    return None if query is None else RowKind("queries", None, query)


def _rows(head: bytes) -> Iterator[dict[str, Any]]:
    """Yield the first rows that are complete JSON objects."""
    for line in head.split(b"\n", MAX_ROWS)[:MAX_ROWS]:
        try:
            row = json.loads(line)
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
