"""Errors that participants and organizers read, in English and Chinese."""

from __future__ import annotations


class RefusalError(ValueError):
    """Raised where a rule refuses a request; ``str`` of it is the English message.

    Attributes:
        code: Kind of the refusal, for programs, such as ``"name_too_long"``.
        en: What is wrong and what to do, in English.
        zh: The same in Chinese.

    Example:
        >>> from muge_fast.leaderboard.rules.refusals import RefusalError
        >>> refusal = RefusalError("name_empty", "the name is empty: give a letter", "名称为空：请至少包含一个文字")
        >>> str(refusal), refusal.message("zh")
        ('the name is empty: give a letter', '名称为空：请至少包含一个文字')

    """

    def __init__(self, code: str, en: str, zh: str) -> None:
        super().__init__(code, en, zh)  # All arguments, so that it can be pickled.
        self.code = code
        self.en = en
        self.zh = zh

    def __str__(self) -> str:
        return self.en

    def message(self, lang: str) -> str:
        """Return the message in a language.

        Args:
            lang: ``"en"`` or ``"zh"``.

        Returns:
            One line of text.

        Example:
            >>> from muge_fast.leaderboard.rules.refusals import RefusalError
            >>> RefusalError("code", "no", "不行").message("en")
            'no'

        """
        return self.zh if lang == "zh" else self.en
