"""Problems that a file can have, and their messages in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from muge_fast._internal.display import format_id

LANGUAGES = ("en", "zh")

# Placeholders: {subject} is the row, such as "query_id 7"; {at} is the same followed by a colon, or empty if the row
# has no valid id; {field} is the field; all others are details of the problem.
MESSAGES: dict[str, tuple[str, str]] = {
    # The file
    "directory": ("the path is a directory, expected a file", "路径是目录，应为文件"),
    "not_regular": ("the path is not a regular file", "路径不是普通文件"),
    "too_large": (
        "the file has {size} bytes, more than the limit of {limit}",
        "文件大小为 {size} 字节，超过上限 {limit} 字节",
    ),
    "empty": ("the file has no rows", "文件中没有数据"),
    "gzip": ("the file is compressed with gzip; decompress it first", "文件经过 gzip 压缩，请先解压"),
    "zip": ("the file is a zip archive; unpack it first", "文件是 zip 压缩包，请先解压"),
    "utf16": ("the file is encoded in UTF-16; save it as UTF-8", "文件采用 UTF-16 编码，请另存为 UTF-8"),
    "bom": (
        "the file starts with a byte order mark; save it as UTF-8 without BOM",
        "文件以字节顺序标记（BOM）开头，请另存为不带 BOM 的 UTF-8",
    ),
    "changed": ("the file changed while it was being read; try again", "文件在读取期间被修改，请重试"),
    # A line
    "long_line": (
        "the line has {size} bytes, more than the limit of {limit}",
        "该行长度为 {size} 字节，超过上限 {limit} 字节",
    ),
    "not_utf8": ("invalid UTF-8 at byte {position}", "字节偏移 {position} 处不是有效的 UTF-8"),
    "not_json": ("invalid JSON at character {position}: {reason}", "字符偏移 {position} 处不是有效的 JSON：{reason}"),
    "truncated": (
        "the file ends in the middle of this line; it may be incomplete",
        "文件在该行中途结束，可能不完整",
    ),
    "nan": ("{value} is not a valid JSON number", "{value} 不是有效的 JSON 数字"),
    "too_deep": ("lists or objects are nested too deeply", "列表或对象嵌套过深"),
    "not_object": ("expected a JSON object {{…}}, got {actual}", "应为 JSON 对象 {{…}}，实际为：{actual}"),
    "repeated_field": ("field {field} occurs more than once", "字段 {field} 重复出现"),
    "missing_field": ("field {field} is missing", "缺少字段 {field}"),
    "unknown_field": ("unknown field {field}; allowed fields: {expected}", "未知字段 {field}，允许的字段：{expected}"),
    "other_form": (
        "the fields are {actual}, but the first line has {expected}",
        "字段为 {actual}，与第一行的 {expected} 不一致",
    ),
    "mixed_names": (
        "the fields {actual} are names of different forms; use {expected} in all rows",
        "字段 {actual} 混用了不同格式的名称，所有行应使用 {expected}",
    ),
    "other_names": (
        "the fields are {actual}, but the gold file has {expected}; rename the fields of the submission",
        "字段为 {actual}，与标准答案文件的 {expected} 不一致，请修改提交文件的字段名",
    ),
    "blank_line": (
        "the line is blank, and the evaluation script of the benchmark rejects blank lines; remove it",
        "该行为空行，基准的评测脚本不接受空行，请删除",
    ),
    "carriage_return": (
        "a carriage return without a line feed ends a line for the evaluation script of the benchmark; use line feeds",
        "回车符后没有换行符，基准的评测脚本会将其视为行尾，请使用换行符",
    ),
    # A value
    "wrong_type": ("{at}{field} is {actual}, expected {expected}", "{at}{field} 应为{expected}，实际为：{actual}"),
    "out_of_range": (
        "{at}{field} has {value}, outside the range of 64-bit integers",
        "{at}{field} 的值 {value} 超出 64 位整数范围",
    ),
    "wrong_count": (
        "{subject} has {actual} {field}, needs exactly {expected}",
        "{subject} 有 {actual} 个 {field}，应恰好为 {expected} 个",
    ),
    "too_few": ("{subject} has no {field}, needs at least one", "{subject} 没有 {field}，至少需要一个"),
    "repeated_item": (
        "{subject} has {value} more than once in {field}",
        "{subject} 的 {field} 中 {value} 重复出现",
    ),
    "empty_text": ("{at}{field} is empty", "{at}{field} 为空"),
    "not_unicode": (
        "{at}{field} is not valid Unicode: it contains a lone surrogate",
        "{at}{field} 不是有效的 Unicode 文本：含有孤立的代理码位",
    ),
    # An image
    "no_tab": ("no tab after the id", "ID 后缺少制表符"),
    "no_id": ("no id before the tab", "制表符前缺少 ID"),
    "bad_id": ("the id is not valid UTF-8", "ID 不是有效的 UTF-8"),
    "no_image": ("no image after the tab", "制表符后缺少图像"),
    "second_image": ("the id occurs more than once", "ID 重复出现"),
    "broken_image": ("{at}the image cannot be decoded: {reason}", "{at}图像无法解码：{reason}"),
    # Rows together
    "repeated_id": (
        "{subject} occurs more than once, first in line {first}",
        "{subject} 重复出现，首次出现在第 {first} 行",
    ),
    "conflicting_id": (
        "{subject} occurs more than once with different values, first in line {first}",
        "{subject} 重复出现且内容不同，首次出现在第 {first} 行",
    ),
    "missing_id": ("{subject} is missing", "缺少 {subject}"),
    "unknown_id": ("{subject} is not in the gold file", "{subject} 不在标准答案文件中"),
    "not_in_pool": ("{at}{value} in {field} is not in the pool", "{at}{field} 中的 {value} 不在候选池中"),
}

# Valid submissions that may still be a mistake.
WARNINGS = {
    "all_alike": ("all {rows} rows have the same prediction", "全部 {rows} 行的预测都相同"),
    "extra_fields": (
        "fields that are not used: {fields}; {rows} of the rows have any",
        "有 {rows} 行含有未使用的字段：{fields}",
    ),
    "unofficial": ("not an official result: {reason}", "非官方结果：{reason}"),
    "script_accepts": (
        "the evaluation script of the benchmark accepts this file and gives it {score:.2f}; the check here is stricter",
        "基准的评测脚本接受该文件，得分为 {score:.2f}；此处的检查更严格",
    ),
    "stricter": (
        "the evaluation script accepts this file, evaluate and check do not: {problem}",
        "评测脚本接受该文件，但 evaluate 和 check 不接受：{problem}",
    ),
}

# Types that a message expects.
EXPECTED = {
    "an integer": "整数",
    "a string": "字符串",
    "a list of integers": "整数列表",
    "a list of strings": "字符串列表",
}


class Problem(NamedTuple):
    """One problem of a file, and where it is.

    Attributes:
        code: Kind of the problem, a key of ``MESSAGES``.
        line: Line number, from 1; None for the file as a whole.
        id_field: Name of the field with the id.
        id: Id of the row; None if it is missing or invalid.
        field: Name of the field with the problem; None if it is not in one field.
        details: Values of the other placeholders of the message; with ``"index"`` if it is about one element of a list.

    Example:
        >>> from muge_fast.datasets.problems import Problem
        >>> problem = Problem("wrong_count", 17, "query_id", 352962, "item_ids", {"actual": 9, "expected": 10})
        >>> problem.message()
        'line 17: query_id 352962 has 9 item_ids, needs exactly 10'
        >>> problem.message(lang="zh")
        '第 17 行：query_id 352962 有 9 个 item_ids，应恰好为 10 个'

    """

    code: str
    line: int | None = None
    id_field: str = "id"
    id: object = None
    field: str | None = None
    details: Mapping[str, object] = {}

    def message(self, *, lang: str = "en") -> str:
        """Return the message in a language, with the line number.

        Args:
            lang: ``"en"`` or ``"zh"``.

        Returns:
            One line of text.

        Example:
            >>> from muge_fast.datasets.problems import Problem
            >>> Problem("empty").message()
            'the file has no rows'

        """
        language = LANGUAGES.index(lang)
        name = None if self.id is None else f"{self.id_field} {format_id(self.id)}"
        subject = ("the row", "该行")[language] if name is None else name
        at = "" if name is None else name + (": ", "：")[language]
        details = {key: _chinese(value) if language else value for key, value in self.details.items()}
        field = f"{self.field}[{details.pop('index')}]" if "index" in details else self.field
        text = MESSAGES[self.code][language].format(subject=subject, at=at, field=field, **details)
        if self.line is None:
            return text
        return (f"line {self.line}: {text}", f"第 {self.line} 行：{text}")[language]


def format_problems(problems: Sequence[Problem], count: int, lang: str) -> Iterator[str]:
    """Yield the messages of problems, then the number of further problems.

    Args:
        problems: The problems that are listed.
        count: Number of all problems.
        lang: ``"en"`` or ``"zh"``.

    Yields:
        One line each.

    Example:
        >>> from muge_fast.datasets.problems import Problem, format_problems
        >>> list(format_problems([Problem("empty")], 3, "en"))
        ['the file has no rows', 'and 2 more problems']

    """
    for problem in problems:
        yield problem.message(lang=lang)
    if count > len(problems):
        more = count - len(problems)
        yield f"and {more} more problem{'s' if more > 1 else ''}" if lang == "en" else f"另有 {more} 个问题"


def _chinese(value: object) -> object:
    """Translate an expected type, and the values that ``format_value`` describes in words."""
    if not isinstance(value, str):
        return value
    if value == "an object":
        return "对象"
    length = re.fullmatch(r"a list of (\d+)", value)
    return f"长度为 {length[1]} 的列表" if length else EXPECTED.get(value, value)
