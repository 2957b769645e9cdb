"""Chinese translations of errors that organizers meet, by their English text with placeholders.

Errors of the rules and most of the store have their Chinese text where they are raised.
"""

from __future__ import annotations

from functools import cache

from muge_fast._internal.templates import Templates
from muge_fast.cli.error_language import in_chinese

SETTINGS = {
    "unknown key: {hint}": "未知的键：{hint}",
    "remove it, or choose from {names}; did you mean {name}?": "请删除，或从 {names} 中选择；您是否想用 {name}？",
    "remove it, or choose from {names}": "请删除，或从 {names} 中选择",
    "must be {form}, got {value}": "应为{form}，实际为 {value}",
    'text in quotes, such as "MUGE"': '带引号的文本，例如 "MUGE"',
    "true or false, without quotes": "不带引号的 true 或 false",
    "a whole number, without quotes": "不带引号的整数",
    "at least {least}": "不小于 {least} 的数",
    "at most {most}": "不大于 {most} 的数",
    "a list of {count}": "有 {count} 项的列表",
    "a list of names from {names}, such as {example}": "由 {names} 组成的列表，例如 {example}",
    "a date and time without quotes, such as {example}": "不带引号的日期和时间，例如 {example}",
    "a table: write {head} above its keys": "表：请在其各键上方写 {head}",
    "{value} is unknown: choose one of {names}; did you mean {name}?": (
        "{value} 未知：请从 {names} 中选择；您是否想用 {name}？"
    ),
    "{value} is unknown: choose one of {names}": "{value} 未知：请从 {names} 中选择",
    "has {value} twice: remove one": "{value} 重复出现：请删除一个",
    "this system has no time zones: pip install tzdata": "系统没有时区数据：请运行 pip install tzdata",
    "there is no zone {zone}; did you mean {name}?": "没有时区 {zone}；您是否想用 {name}？",
    "there is no zone {zone}: write a name such as {name}": "没有时区 {zone}：请写成 {name} 这样的名称",
    "missing: add the path of the file, relative to the folder, such as {example}": (
        "缺少：请写上相对于该目录的文件路径，例如 {example}"
    ),
    "is not a path: write one that is relative to the folder": "不是路径：请写相对于该目录的路径",
    "{path} is not inside the folder: write a path relative to it, and copy or link the file there": (
        "{path} 不在该目录中：请写相对路径，并把文件复制或链接到目录中"
    ),
    "is not a name for addresses: use small letters of ASCII, digits and hyphens, 40 at most": (
        "不能用于网址：请用小写英文字母、数字和连字符，最多 40 个"
    ),
    "missing: add a table such as {example}": "缺少：请添加表，例如 {example}",
    "there is no scorer {name}: write scorer = with one of {names}; did you mean {other}?": (
        "没有评分器 {name}：请写 scorer = 加上 {names} 之一；您是否想用 {other}？"
    ),
    "there is no scorer {name}: write scorer = with one of {names}": (
        "没有评分器 {name}：请写 scorer = 加上 {names} 之一"
    ),
    "a larger {score} is better: remove the key": "{score} 越大越好：请删除该键",
    "a smaller {score} is better: remove the key": "{score} 越小越好：请删除该键",
    "missing: write true if a larger {score} is better, or false": "缺少：{score} 越大越好时请写 true，否则写 false",
    "is not after opens: give a later date": "不晚于 opens：请给出更晚的日期",
    "cannot be used: {reason}": "无法使用：{reason}",
    "cannot be loaded: {reason}": "无法加载：{reason}",
    "there is no file {path} in the folder: copy it there": "目录中没有文件 {path}：请复制到其中",
    "the file is not in UTF-8 (byte {position}): save it as UTF-8": (
        "文件不是 UTF-8 编码（第 {position} 字节）：请保存为 UTF-8"
    ),
    "the file is not TOML: {reason}": "文件不是有效的 TOML：“{reason}”",
    "{both} is less than {name}, {valid}: write at least {least}, or 0 for no limit": (
        "{both} 小于 {name} 的 {valid}：请写不小于 {least} 的数，或用 0 表示不限"
    ),
}

OTHERS = {
    "there is no board.toml in {folder}: make a board with `muge-fast board init`": (
        "{folder} 中没有 board.toml：请用 `muge-fast board init` 创建评测平台"
    ),
    "there is no database {path}: make a board with muge-fast board init": (
        "没有数据库 {path}：请用 muge-fast board init 创建评测平台"
    ),
    "the address of the database cannot be read: write postgresql://USER@HOST/NAME": (
        "无法解析数据库地址：请写成 postgresql://用户@主机/名称"
    ),
    "databases of {kind} are not supported: use PostgreSQL or a file of SQLite": (
        "不支持 {kind} 数据库：请用 PostgreSQL 或 SQLite 文件"
    ),
    "the address {address} is not of a storage of files: name a folder, or s3://BUCKET/PREFIX": (
        "地址 {address} 不是文件存储：请指定目录，或 s3://BUCKET/PREFIX"
    ),
    "the address {address} has no bucket: write s3://BUCKET/PREFIX": "地址 {address} 缺少 bucket：请写成 s3://BUCKET/PREFIX",
    "there is no folder {folder}": "目录 {folder} 不存在",
    "the gold file of {task} was changed while it was read: try again": "{task} 的标准答案文件在读取时被更改：请重试",
    "a password has between {least} and {most} bytes": "密码应为 {least} 至 {most} 字节",
    "a rejudge set needs a reason": "重新评测须说明原因",
    "a correction of a month needs a reason": "更正月度结果须说明原因",
    "the leaderboard needs {package}, which is not installed: pip install 'muge-fast[leaderboard]'": (
        "排行榜需要未安装的 {package}：请运行 pip install 'muge-fast[leaderboard]'"
    ),
}


@cache
def _templates() -> Templates:
    return Templates({**SETTINGS, **OTHERS})


def error_in_chinese(message: str) -> str:
    """Return a message about a board in Chinese.

    Args:
        message: The message in English.

    Returns:
        The message in Chinese; parts that have no translation stay in English.

    Example:
        >>> from muge_fast.leaderboard.commands.chinese_errors import error_in_chinese
        >>> error_in_chinese("must be a whole number, without quotes, got '8'")
        "应为不带引号的整数，实际为 '8'"

    """
    found = _templates().translated(message, error_in_chinese)
    return in_chinese(message) if found is None else found
