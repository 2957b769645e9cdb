"""Titles of the kinds of problems, and what to do about each, in English and Chinese."""

from __future__ import annotations

from typing import NamedTuple

from muge_fast.datasets.problems import LANGUAGES


class _Kind(NamedTuple):
    title: tuple[str, str]
    hint: tuple[str, str]


_KINDS: dict[str, _Kind] = {
    "directory": _Kind(("A folder", "路径是目录"), ("Submit the file itself.", "请提交文件本身。")),
    "not_regular": _Kind(("Not a file", "不是普通文件"), ("Write it to a file first.", "请先写入普通文件。")),
    "too_large": _Kind(
        ("File too large", "文件过大"),
        ("Check that this is the right file, without duplicate rows.", "请确认文件正确且没有重复行。"),
    ),
    "empty": _Kind(("No rows", "没有数据"), ("Write one row for each id.", "请为每个 ID 写一行。")),
    "changed": _Kind(("File changed", "文件被修改"), ("Submit it again when it is complete.", "请在写完后重新提交。")),
    "wrong_task": _Kind(
        ("File of another task", "其他任务的文件"), ("Check the task and the file.", "请检查任务与文件。")
    ),
    "wrong_role": _Kind(("Another file", "文件错误"), ("Check which file was given.", "请检查所提供的文件。")),
    "not_images": _Kind(("Not images", "不是图像文件"), ("", "")),
    "not_texts": _Kind(("Not texts", "不是文本文件"), ("", "")),
    "not_pool": _Kind(("Not a pool", "不是候选池"), ("", "")),
    "swapped": _Kind(("Swapped files", "文件颠倒"), ("Exchange gold and submission.", "请交换标准答案与提交文件。")),
    "no_shared_id": _Kind(
        ("No id in common", "没有相同的 ID"),
        ("Check that both files are of the same split.", "请确认两个文件属于同一划分。"),
    ),
    "stopped": _Kind(
        ("Reading stopped", "停止读取"), ("Correct these problems and check again.", "请修正这些问题后重新检查。")
    ),
    "blank_line": _Kind(("Blank line", "空行"), ("", "")),
    "mixed_names": _Kind(("Names of several forms", "混用字段名"), ("", "")),
    "long_line": _Kind(
        ("Line too long", "行过长"),
        ("Check for missing line ends and for images that are too large.", "请检查是否缺少换行，或图像过大。"),
    ),
    "not_utf8": _Kind(
        ("Not UTF-8", "不是 UTF-8"), ("Open the output with encoding='utf-8'.", "写文件时请指定 encoding='utf-8'。")
    ),
    "not_json": _Kind(
        ("Not JSON", "不是 JSON"),
        (
            "Write each line with json.dumps: double quotes, no trailing commas.",
            "请用 json.dumps 写每一行：双引号，无多余逗号。",
        ),
    ),
    "truncated": _Kind(
        ("Cut off", "文件不完整"),
        ("Close the output file before submitting, and upload it again.", "请关闭输出文件后再提交，并重新上传。"),
    ),
    "nan": _Kind(("NaN or Infinity", "NaN 或 Infinity"), ("JSON has no such numbers.", "JSON 中没有这样的数字。")),
    "too_deep": _Kind(
        ("Nested too deeply", "嵌套过深"), ("Write one flat object in each line.", "每行写一个不嵌套的对象。")
    ),
    "not_object": _Kind(
        ("Not an object", "不是对象"),
        (
            "Write one JSON object in each line, not one list for the whole file.",
            "每行写一个 JSON 对象，而不是整个文件一个列表。",
        ),
    ),
    "repeated_field": _Kind(("Repeated field", "字段重复"), ("Write each field once.", "每个字段只写一次。")),
    "missing_field": _Kind(
        ("Missing field", "缺少字段"), ("Check the spelling of the fields.", "请检查字段名的拼写。")
    ),
    "other_form": _Kind(
        ("Other names of fields", "字段名不一致"), ("Use the same names in all lines.", "所有行请使用相同的字段名。")
    ),
    "other_names": _Kind(
        ("Other names than the gold file", "字段名与标准答案不同"),
        ("Rename the fields as in the gold file.", "请按标准答案文件修改字段名。"),
    ),
    "carriage_return": _Kind(("Carriage return", "回车符"), ("End lines with line feeds.", "请以换行符结束每一行。")),
    "wrong_type": _Kind(
        ("Wrong type", "类型错误"),
        ('Numbers have no quotes, strings have them: 7 is not "7".', '数字不加引号，字符串加引号：7 与 "7" 不同。'),
    ),
    "out_of_range": _Kind(("Number too large", "数值超出范围"), ("Ids have at most 64 bits.", "ID 最多 64 位。")),
    "wrong_count": _Kind(
        ("Wrong number of items", "条目数错误"),
        (
            "Write exactly the number of items that the task asks for, best first.",
            "请恰好写出任务要求的条目数，由好到差。",
        ),
    ),
    "too_few": _Kind(("No items", "没有条目"), ("Write at least one.", "请至少写一个。")),
    "repeated_item": _Kind(
        ("Repeated item", "条目重复"), ("Write each item of a row once.", "一行中每个条目只写一次。")
    ),
    "empty_text": _Kind(("Empty text", "文本为空"), ("Write a text for each row.", "请为每一行写出文本。")),
    "not_unicode": _Kind(
        ("Lone surrogate", "孤立的代理码位"),
        (
            "Cut texts between characters, not between halves of a character.",
            "请在字符之间截断文本，不要截断半个字符。",
        ),
    ),
    "no_tab": _Kind(("No tab", "缺少制表符"), ("Write an id, a tab, and base64.", "请写 ID、制表符和 base64。")),
    "no_id": _Kind(("No id", "缺少 ID"), ("Write an id, a tab, and base64.", "请写 ID、制表符和 base64。")),
    "bad_id": _Kind(
        ("Id not UTF-8", "ID 不是 UTF-8"), ("Copy the id of the gold file.", "请使用标准答案文件中的 ID。")
    ),
    "no_image": _Kind(("No image", "缺少图像"), ("Write an image for each id.", "请为每个 ID 写出图像。")),
    "second_image": _Kind(("Second image of an id", "ID 重复"), ("Write one line for each id.", "每个 ID 只写一行。")),
    "broken_image": _Kind(
        ("Broken image", "图像损坏"),
        (
            "Encode the whole image file in base64, not an array of pixels.",
            "请对完整的图像文件做 base64，而不是像素数组。",
        ),
    ),
    "repeated_id": _Kind(("Repeated id", "ID 重复"), ("Write one line for each id.", "每个 ID 只写一行。")),
    "conflicting_id": _Kind(
        ("Repeated id with another value", "ID 重复且内容不同"),
        ("Write one line for each id, and decide for one of the values.", "每个 ID 只写一行，并确定其中一个值。"),
    ),
    "colliding_ids": _Kind(
        ("Ids that collide", "ID 冲突"),
        ("Use the ids of the gold file, or integers in sequence.", "请使用标准答案文件中的 ID，或连续的整数。"),
    ),
    "missing_id": _Kind(
        ("Missing id", "缺少 ID"), ("Add a row for each id of the gold file.", "请为标准答案文件的每个 ID 添加一行。")
    ),
    "unknown_id": _Kind(
        ("Unknown id", "未知 ID"),
        (
            "Check that the submission is for this gold file, for example not for another split.",
            "请确认提交文件对应该标准答案，例如不是其他划分。",
        ),
    ),
    "not_in_pool": _Kind(
        ("Item outside the pool", "条目不在候选池中"),
        ("Retrieve only items of the pool.", "只能检索候选池中的条目。"),
    ),
}

_OTHER = _Kind(("Wrong kind of file", "文件类型不符"), ("", ""))


def problem_title(code: str, lang: str) -> str:
    """Return the title of a kind of problem.

    Args:
        code: Code of the problem.
        lang: ``"en"`` or ``"zh"``.

    Returns:
        The title; a general one for a file that is not what a reader expects, whose messages name its kind.

    Example:
        >>> from muge_fast.evaluation.report_page.problem_kinds import problem_title
        >>> problem_title("missing_id", "en"), problem_title("gzip", "en")
        ('Missing id', 'Wrong kind of file')

    """
    return _KINDS.get(code, _OTHER).title[LANGUAGES.index(lang)]


def problem_hint(code: str, lang: str) -> str:
    """Return what to do about a kind of problem.

    Args:
        code: Code of the problem.
        lang: ``"en"`` or ``"zh"``.

    Returns:
        A sentence; an empty text where the message says it.

    """
    return _KINDS.get(code, _OTHER).hint[LANGUAGES.index(lang)]
