"""Letters that readers confuse, and texts in which one letter stands for each group of them.

The groups are those of Unicode's confusables (UTS 39) that a keyboard of Latin, Greek, Cyrillic, Armenian or Japanese
can type, so that no table of 10,000 lines is needed. Chinese characters are compared as they are: 己 and 已 are
different names.
"""

from __future__ import annotations

import unicodedata

# Capitals of Greek and Cyrillic look like Latin capitals that their small letters need not look like: Ν and ν.
CAPITALS = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹАВЕЗКМНОРСТУХЅІЈԚԜҮ", "abezhikmnoptyxcabe3kmhopctyxsijqwy")

# The letter that stands for a group, and the other letters of it, after case is folded.
GROUPS = {
    "a": "αаɑ",
    "b": "βвьƅ",
    "c": "сϲᴄ",
    "d": "ԁɗժ",
    "e": "εеєɛҽ",
    "f": "ƒϝ",
    "g": "ɡցᶃ",
    "h": "нһհ",
    "j": "јϳ",
    "k": "κкĸ",
    "l": "1i|ıιіӏɩǀ丨",
    "m": "м",
    "n": "ηпոɴ",
    "o": "0οσоօ○〇",
    "p": "ρр",
    "q": "ԛզ",
    "r": "гᴦɼ",
    "s": "ѕꜱ",
    "t": "τт",
    "u": "υսʋ",
    "v": "νѵ",
    "w": "ωԝɯшѡ",
    "x": "χх×",
    "y": "γуүʏ",
    "z": "ᴢ",
    "3": "зӡʒȝэ",
    "4": "ч",
    "6": "бϭ",
    "th": "þ",
    "ae": "æӕ",
    "oe": "œ",
    "一": "ー",
    "二": "ニ",
    "八": "ハ",
    "力": "カ",
    "卜": "ト",
    "口": "ロ",
    "夕": "タ",
    "工": "エ",
}
PAIRS = {"rn": "m", "vv": "w"}

LETTERS = str.maketrans({letter: chosen for chosen, letters in GROUPS.items() for letter in letters})

# Accents of Latin, Greek and Cyrillic. Marks of other scripts are part of their letters: か and が are two.
ACCENTS = ((0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F))


def fold_confusables(text: str) -> str:
    """Return a text with the letters that readers confuse replaced, and without case, accents, spaces and punctuation.

    Args:
        text: Any text.

    Returns:
        Text for comparison; the same again if it is folded twice.

    Example:
        >>> from muge_fast.leaderboard.rules.confusables import fold_confusables
        >>> fold_confusables("Мuge-Teаm №1") == fold_confusables("muge team nol")
        True

    """
    while (folded := _fold(text)) != text:
        text = folded
    return text


def _fold(text: str) -> str:
    # Case is folded before and after compatible characters are replaced, as each makes work for the other.
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).translate(CAPITALS).casefold())
    text = "".join(letter for letter in text.casefold().translate(LETTERS) if not _is_dropped(letter))
    for pair, letter in PAIRS.items():
        text = text.replace(pair, letter)
    return text


def _is_dropped(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category[0] in "PZC" or any(first <= ord(letter) <= last for first, last in ACCENTS)
