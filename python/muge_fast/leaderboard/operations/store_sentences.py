"""Faults that the store finds, in both languages: its functions return sentences in English."""

from __future__ import annotations

import re

from muge_fast.leaderboard.operations.messages import Message

SENTENCES = (
    (r"audit entries (\d+) to (-?\d+) are missing", r"审计日志缺少第 \1 至 \2 条"),
    (r"audit entry (\d+) does not follow the entry before it", r"审计日志第 \1 条与前一条不衔接"),
    (r"audit entry (\d+) was changed", r"审计日志第 \1 条被修改过"),
    (
        r"the audit log lacks an entry that was noted before: its end was cut, or it was written again",
        r"审计日志缺少先前记录过的一条：末尾被截断，或日志被重写",
    ),
    (r"the rows of (\S+), revision (\d+), were changed", r"\1 第 \2 次修订的内容被修改过"),
    (r"a row of (\w+) refers to a missing row of (\w+)", r"\1 的一行引用了 \2 中不存在的行"),
)


def bilingual(sentence: str) -> Message:
    """Return a fault that the store found, in both languages.

    Args:
        sentence: The sentence in English.

    Returns:
        The message; a sentence without a translation is the same in both.

    Example:
        >>> from muge_fast.leaderboard.operations.store_sentences import bilingual
        >>> bilingual("audit entry 7 was changed").zh
        '审计日志第 7 条被修改过'

    """
    for pattern, chinese in SENTENCES:
        if found := re.fullmatch(pattern, sentence):
            return Message(sentence, found.expand(chinese))
    return Message(sentence, sentence)
