"""What can be wrong with a file, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from muge_fast._internal.display import format_id

LANGUAGES = ("en", "zh")

MESSAGES: dict[str, tuple[str, str]] = {
    # The file
    "directory": ("the path is a folder, needs a file", "路径是文件夹，需要一个文件"),
    "not_regular": ("the path is no regular file", "路径不是普通文件"),
    "too_large": ("the file has {size} bytes, more than {limit}", "文件有 {size} 字节，超过上限 {limit}"),
    "empty": ("the file has no rows", "文件没有任何行"),
    "gzip": ("the file is compressed with gzip; unpack it first", "文件是 gzip 压缩的，请先解压"),
    "zip": ("the file is a zip archive; unpack it first", "文件是 zip 压缩包，请先解压"),
    "utf16": ("the file is UTF-16; save it as UTF-8", "文件是 UTF-16 编码，请另存为 UTF-8"),
    "bom": (
        "the file starts with a byte order mark; save it as UTF-8 without BOM",
        "文件以 BOM 开头，请另存为无 BOM 的 UTF-8",
    ),
    "changed": ("the file was changed while it was read", "文件在读取过程中被修改"),
    # A line
    "long_line": ("the line has {size} bytes, more than {limit}", "该行有 {size} 字节，超过上限 {limit}"),
    "not_utf8": ("not UTF-8 at byte {place}", "第 {place} 字节不是 UTF-8"),
    "not_json": ("not JSON at character {place}: {reason}", "第 {place} 个字符处不是合法的 JSON：{reason}"),
    "truncated": ("the file ends in the middle of this line", "文件在该行中间被截断"),
    "nan": ("{value} is no JSON number", "{value} 不是合法的 JSON 数字"),
    "too_deep": ("lists or objects are nested too deeply", "列表或对象嵌套过深"),
    "not_object": ("expected an object {{…}}, found {found}", "应为对象 {{…}}，实际是 {found}"),
    "repeated_field": ("field {field} comes twice", "字段 {field} 出现了两次"),
    "missing_field": ("field {field} is missing", "缺少字段 {field}"),
    "unknown_field": ("field {field} is unknown; the fields are {known}", "未知字段 {field}，应为 {known}"),
    "other_form": ("the fields are {found}, those of the first line are {known}", "字段为 {found}，而第一行为 {known}"),
    # A value
    "wrong_type": ("{subject}: {field} is {found}, needs {needed}", "{subject}：{field} 是 {found}，需要{needed}"),
    "out_of_range": ("{subject}: {field} is beyond 64 bits", "{subject}：{field} 超出 64 位整数范围"),
    "wrong_count": (
        "{subject} has {count} {field}, needs exactly {needed}",
        "{subject} 有 {count} 个 {field}，需要正好 {needed} 个",
    ),
    "too_few": ("{subject} has no {field}, needs at least one", "{subject} 没有 {field}，至少需要一个"),
    "repeated_item": ("{subject} has {value} twice in {field}", "{subject} 的 {field} 中 {value} 出现了两次"),
    "empty_text": ("{subject}: {field} is empty", "{subject}：{field} 为空"),
    "not_unicode": ("{subject}: {field} has half a surrogate pair", "{subject}：{field} 含有不完整的代理对"),
    # An image
    "no_tab": ("no tab after the id", "ID 后缺少制表符"),
    "no_id": ("no id before the tab", "制表符前缺少 ID"),
    "bad_id": ("the id is not UTF-8", "ID 不是 UTF-8"),
    "no_image": ("no image after the tab", "制表符后缺少图像"),
    "second_image": ("the id comes a second time", "ID 重复出现"),
    "broken_image": ("{subject}: the image cannot be decoded: {reason}", "{subject}：图像无法解码：{reason}"),
    # Rows together
    "repeated_id": ("{subject} comes a second time, first in line {first}", "{subject} 重复出现，首次在第 {first} 行"),
    "conflicting_id": (
        "{subject} comes a second time with other content, first in line {first}",
        "{subject} 重复出现且内容不同，首次在第 {first} 行",
    ),
    "missing_id": ("{subject} is missing", "缺少 {subject}"),
    "unknown_id": ("{subject} is not in the gold file", "{subject} 不在标准答案文件中"),
    "not_in_pool": ("{subject}: {value} in {field} is not in the pool", "{subject}：{field} 中的 {value} 不在候选池中"),
}

# What is allowed and may still be a mistake.
WARNINGS = {
    "all_alike": ("all {rows} rows say the same", "全部 {rows} 行内容相同"),
    "other_names": (
        "the fields are {found}, those of the gold file are {known}",
        "字段为 {found}，而标准答案文件为 {known}",
    ),
}

# What a value should have been.
NEEDED = {
    "integer": "整数",
    "string": "字符串",
    "list of integers": "整数列表",
    "list of strings": "字符串列表",
    "string or list of strings": "字符串或字符串列表",
}


class Problem(NamedTuple):
    """One thing that is wrong, and where.

    Attributes:
        code: Its kind, a key of ``MESSAGES``.
        line: Number of the line, from 1; None for the file as a whole.
        id_field: What the id of the row is called.
        id: The id of the row, if it could be read.
        field: The field it is about.
        details: What the message tells beyond that.

    Example:
        >>> from muge_fast.datasets.problems import Problem
        >>> problem = Problem("wrong_count", 17, "query_id", 352962, "item_ids", {"count": 9, "needed": 10})
        >>> problem.message()
        'line 17: query_id 352962 has 9 item_ids, needs exactly 10'
        >>> problem.message("zh")
        '第 17 行：query_id 352962 有 9 个 item_ids，需要正好 10 个'

    """

    code: str
    line: int | None = None
    id_field: str = "id"
    id: Any = None
    field: str | None = None
    details: Mapping[str, Any] = {}

    def message(self, lang: str = "en") -> str:
        """Tell it in a language, ``"en"`` or ``"zh"``, with the number of the line.

        Example:
            >>> from muge_fast.datasets.problems import Problem
            >>> Problem("empty").message()
            'the file has no rows'

        """
        language = LANGUAGES.index(lang)
        nameless = ("the row", "该行")[language]
        subject = nameless if self.id is None else f"{self.id_field} {format_id(self.id)}"
        details = dict(self.details)
        if language and "needed" in details:
            details["needed"] = NEEDED.get(details["needed"], details["needed"])
        text = MESSAGES[self.code][language].format(subject=subject, field=self.field, **details)
        if self.line is None:
            return text
        return (f"line {self.line}: {text}", f"第 {self.line} 行：{text}")[language]
