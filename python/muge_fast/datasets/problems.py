"""Problems that a file can have, and their messages in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from muge_fast._internal.display import format_id, printable
from muge_fast._internal.file_kinds import DETAILS
from muge_fast._internal.file_kinds import MESSAGES as FILE_KINDS

LANGUAGES = ("en", "zh")

# Placeholders: {subject} is the row, such as "query_id 7"; {at} is the same followed by a colon, or empty if the row
# has no valid id; {field} is the field; {line} is the line, where a message does not begin with it; all others are
# details of the problem.
MESSAGES: dict[str, tuple[str, str]] = {
    **FILE_KINDS,
    # The file
    "directory": ("the path is a directory, expected a file", "路径是目录，应为文件"),
    "not_regular": ("the path is not a regular file", "路径不是普通文件"),
    "too_large": (
        "the file has {size} bytes, more than the limit of {limit}",
        "文件大小为 {size} 字节，超过上限 {limit} 字节",
    ),
    "empty": ("the file has no rows", "文件中没有数据"),
    "wrong_task": (
        "this looks like {actual}, not {expected}: the rows have {fields}",
        "文件看起来是{actual}，而不是{expected}：各行的字段为 {fields}",
    ),
    "wrong_role": (
        "this looks like {actual}, not {expected}: {reason}",
        "文件看起来是{actual}，而不是{expected}：{reason}",
    ),
    "not_images": (
        "this looks like {actual}, not a TSV of images: each line needs an id, a tab and an image in base64",
        "文件看起来是{actual}，而不是图像的 TSV：每行应有 ID、制表符和 base64 图像",
    ),
    "not_texts": (
        "this looks like {actual}, not a TSV of texts: each line needs an id, a tab and a text",
        "文件看起来是{actual}，而不是文本的 TSV：每行应有 ID、制表符和文本",
    ),
    "not_pool": (
        "this looks like {actual}, not a pool: write one id per line, or name a TSV of images that ends in .tsv",
        "文件看起来是{actual}，而不是候选池：每行写一个 ID，或使用以 .tsv 结尾的图像 TSV",
    ),
    "swapped": (
        "gold and submission seem to be swapped: {reason}",
        "标准答案文件与提交文件似乎颠倒了：{reason}",
    ),
    "no_shared_id": (
        "no id of the submission is in the gold file; the files may be of different splits",
        "提交文件与标准答案文件没有相同的 ID，两者可能来自不同的数据划分",
    ),
    "stopped": (
        "reading stopped after {count} problems; there may be more",
        "发现 {count} 个问题后停止读取，可能还有更多",
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
        "the file ends in the middle of line {line}: it was cut off",
        "文件在第 {line} 行中途结束，内容不完整",
    ),
    "nan": ("{value} is not a valid JSON number", "{value} 不是有效的 JSON 数字"),
    "too_deep": ("lists or objects are nested too deeply", "列表或对象嵌套过深"),
    "not_object": ("expected a JSON object {{…}}, got {actual}", "应为 JSON 对象 {{…}}，实际为：{actual}"),
    "repeated_field": ("field {field} occurs more than once", "字段 {field} 重复出现"),
    "missing_field": ("field {field} is missing", "缺少字段 {field}"),
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
    "colliding_ids": (
        "the ids are chosen so that a table of them takes very long; use other ids",
        "ID 经过特意构造，会使哈希表极慢，请使用其他 ID",
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
    "same_file": (
        "the submission has the same content as the gold file: was one of the two passed in the place of the other?",
        "提交文件与标准答案文件的内容完全相同：请确认没有用错文件",
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

# Types that a message expects, and reasons.
EXPECTED = {
    "an integer": "整数",
    "a string": "字符串",
    "a list of integers": "整数列表",
    "a list of strings": "字符串列表",
    "a list of ids": "由 ID 组成的列表",
    # Reasons of Python's reader of JSON
    "Expecting value": "此处应为值",
    "Expecting property name enclosed in double quotes": "此处应为双引号中的字段名",
    "Expecting ':' delimiter": "此处应为冒号",
    "Expecting ',' delimiter": "此处应为逗号",
    "Illegal trailing comma before end of object": "对象末尾有多余的逗号",
    "Illegal trailing comma before end of array": "数组末尾有多余的逗号",
    "Extra data": "多余的内容",
    "Unterminated string starting at": "字符串没有结束",
    "Invalid control character at": "字符串中有控制字符",
    "Invalid \\escape": "无效的转义",
    "Invalid \\uXXXX escape": "无效的 \\u 转义",
}

# Beginning of the message with which Python refuses to convert a long integer.
TOO_MANY_DIGITS = "Exceeds the limit ("

# Hints, which follow the messages of problems that have one of these keys as the detail "hint".
HINTS = {
    "row_has": ("; the row has {actual}", "，该行的字段为 {actual}"),
    "quote": ("; write the integer in quotes", "；请给该整数加上引号"),
    "unquote": ("; write the integer without quotes", "；请去掉该整数的引号"),
    "whole": ("; write the integer without a fraction", "；请去掉小数部分，写成整数"),
    "gold_integer": ("; the id is there as an int, here it is a str", "；该 ID 在标准答案中是整数，此处是字符串"),
    "gold_string": ("; the id is there as a str, here it is an int", "；该 ID 在标准答案中是字符串，此处是整数"),
    "gold_zeros": ("; the id there has other leading zeros", "；标准答案文件中该 ID 的前导零不同"),
    "gold_spaces": ("; the id there differs in white space", "；标准答案文件中该 ID 的空白字符不同"),
    "gold_unicode": (
        "; the id there differs in characters that look alike or are invisible",
        "；标准答案中该 ID 含有形似或不可见的不同字符",
    ),
    "gold_case": ("; the id there differs in upper and lower case", "；标准答案中该 ID 的大小写不同"),
    "gold_folder": ("; the id there has no folder", "；标准答案中该 ID 不含目录"),
    "gold_number": ("; the id there is the same number, written differently", "；标准答案中该 ID 是写法不同的同一数字"),
    "gold_suffix": ("; the id there differs in the suffix of an image file", "；标准答案中该 ID 的图像文件后缀不同"),
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
        details = {key: in_language(value, lang) for key, value in self.details.items()}
        field = f"{self.field}[{details.pop('index')}]" if "index" in details else self.field
        template = MESSAGES[self.code][language]
        hint = HINTS[str(self.details["hint"])][language] if "hint" in self.details else ""
        values = {**DETAILS, **details, "subject": subject, "at": at, "field": field, "line": self.line}
        text = printable((template + hint).format(**values))
        if self.line is None or "{line}" in template:
            return text
        return (f"line {self.line}: {text}", f"第 {self.line} 行：{text}")[language]


def in_language(value: object, lang: str) -> object:
    """Return a detail of a problem in a language.

    Args:
        value: The detail: a pair of texts in English and Chinese, or any other value. Expected types are translated,
            and values that :func:`muge_fast._internal.display.format_value` describes in words.
        lang: ``"en"`` or ``"zh"``.

    Returns:
        The value for a message.

    Example:
        >>> from muge_fast.datasets.problems import in_language
        >>> in_language("a list of 3", "zh"), in_language(("file", "文件"), "zh"), in_language(7, "zh")
        ('长度为 3 的列表', '文件', 7)

    """
    if isinstance(value, tuple):
        return value[LANGUAGES.index(lang)]
    if lang == "en" or not isinstance(value, str):
        return value
    if value == "an object":
        return "对象"
    if value.startswith(TOO_MANY_DIGITS):
        return "整数的位数过多"
    from muge_fast.datasets.image_reasons import chinese_reason  # noqa: PLC0415 - few problems are of images

    length = re.fullmatch(r"a list of (\d+)", value)
    return f"长度为 {length[1]} 的列表" if length else EXPECTED.get(value) or chinese_reason(value) or value
