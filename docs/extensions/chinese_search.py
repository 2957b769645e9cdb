"""The search of the site: English words by their stems, Chinese text by pairs of characters.

Chinese has no spaces between words, and dictionaries cut the same words differently in different sentences. Pairs of
neighbouring characters are found wherever they stand.
"""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

HAN = re.compile("([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]+)")
QUESTIONS = frozenset(["什么", "怎么", "怎样", "如何", "哪些", "为什"])


class EnglishAndChinese(SearchEnglish):
    """Terms of the search index, and of queries in the browser."""

    lang = "en-zh"
    stopwords = SearchEnglish.stopwords | QUESTIONS
    js_splitter_code = Path(__file__).with_name("split_query.js").read_text(encoding="utf-8")

    def split(self, input: str) -> list[str]:  # noqa: A002 - its name in Sphinx
        """Return the words of a text, and the characters and pairs of characters of Chinese ones."""
        return [term for word in super().split(input) for part in HAN.split(word) for term in terms(part)]


def terms(part: str) -> list[str]:
    """Return the terms of a part of a word that is Chinese or has no Chinese character; none of an empty one."""
    if not HAN.fullmatch(part):
        return [part] if part else []
    return [*part, *map("".join, pairwise(part))]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the language, which ``html_search_language`` names.

    Args:
        app: The application that builds the site.

    Returns:
        What Sphinx asks of an extension.

    """
    app.add_search_language(EnglishAndChinese)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
