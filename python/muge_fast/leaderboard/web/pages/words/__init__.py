"""Words of the pages in English and Chinese: a module for each group of pages."""

from __future__ import annotations

from muge_fast.leaderboard.web.pages.words import accounts, admin, boards, rules, site, submissions

WORDS: dict[str, tuple[str, str]] = {
    **site.WORDS,
    **boards.WORDS,
    **submissions.WORDS,
    **accounts.WORDS,
    **admin.WORDS,
    **rules.WORDS,
}
"""English and Chinese by key."""


class Words:
    """Words in one language.

    Args:
        language: ``"en"`` or ``"zh"``.

    Example:
        >>> from muge_fast.leaderboard.web.pages.words import Words
        >>> Words("zh")("nav_months"), Words("en").count("n_teams", 1), Words("en").count("n_teams", 1200)
        ('月榜', '1 team', '1,200 teams')

    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._index = 1 if language == "zh" else 0

    def __call__(self, key: str, *values: object) -> str:
        """Return the words of a key, with values in place of its braces."""
        words = WORDS[key][self._index]
        return words.format(*values) if values else words

    def count(self, key: str, number: int) -> str:
        """Return the words for a number of things.

        Args:
            key: A key whose English has a singular and a plural, separated by a bar.
            number: The number.

        Returns:
            The words with the number.

        """
        singular, _, plural = WORDS[key][self._index].partition("|")
        return (singular if number == 1 or not plural else plural).format(f"{number:,}")

    def pick(self, pair: tuple[str, str]) -> str:
        """Return the one of two texts, English and Chinese, that is in the language.

        Args:
            pair: The texts.

        Returns:
            The text.

        """
        return pair[self._index]
