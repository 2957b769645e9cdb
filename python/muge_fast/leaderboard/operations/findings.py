"""Results of a diagnosis."""

from __future__ import annotations

from typing import Literal, NamedTuple

from muge_fast.leaderboard.operations.messages import Message

Level = Literal["ok", "note", "warning", "fault"]


class Finding(NamedTuple):
    """A result of the diagnosis.

    Attributes:
        name: What was looked at, for programs, such as ``"free_disk"``.
        level: ``"ok"``, ``"note"``, ``"warning"`` or ``"fault"``.
        message: What was found, and for warnings and faults what to do.

    """

    name: str
    level: Level
    message: Message


def finding(name: str, level: Level, en: str, zh: str) -> Finding:
    """Return a result.

    Args:
        name: What was looked at.
        level: The level.
        en: What was found, in English.
        zh: The same in Chinese.

    Returns:
        The result.

    """
    return Finding(name, level, Message(en, zh))
