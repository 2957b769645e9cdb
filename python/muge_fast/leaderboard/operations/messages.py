"""Sentences for organizers, in English and Chinese."""

from __future__ import annotations

from typing import NamedTuple


class Message(NamedTuple):
    """A sentence in both languages.

    Attributes:
        en: In English.
        zh: In Chinese.

    Example:
        >>> from muge_fast.leaderboard.operations.messages import Message
        >>> Message("the disk is full", "磁盘已满").text("zh")
        '磁盘已满'

    """

    en: str
    zh: str

    def text(self, lang: str) -> str:
        """Return the sentence in a language.

        Args:
            lang: ``"en"`` or ``"zh"``.

        Returns:
            One line of text.

        """
        return self.zh if lang == "zh" else self.en


class OperationError(Exception):
    """Raised where an operation on a board cannot be done; ``str`` of it is the English message.

    Attributes:
        message: What is wrong and what to do, in both languages.

    """

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en, zh)  # Both arguments, so that it can be pickled.
        self.message = Message(en, zh)

    def __str__(self) -> str:
        return self.message.en
