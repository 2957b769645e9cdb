"""Names of teams and accounts: which are accepted, in which form they are stored, and which look the same.

A name is text of a stranger that everyone sees. Pages must escape it and isolate it with ``<bdi>`` all the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from wcwidth import iter_graphemes

from muge_fast._internal.display import format_argument
from muge_fast.leaderboard.rules.confusables import fold_confusables
from muge_fast.leaderboard.rules.refusals import RefusalError

MAX_LENGTH = 40  # graphemes
MAX_CODE_POINTS = 200
MAX_SYMBOLS = 3
MAX_MARKS = 2  # on one letter: a vowel and a tone in Thai

# Format characters, among them bidi controls and zero-width ones; controls; surrogates; private and unassigned
# characters; separators of lines and paragraphs.
REFUSED_CATEGORIES = ("Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp")

# Letters and symbols that are not seen; NFC keeps them, and their category is that of letters.
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# These choose the form of an emoji, and are seen only after one.
EMOJI_SELECTORS = frozenset("\ufe0e\ufe0f")
VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f\u180b-\u180f\U000e0100-\U000e01ef]")

# A spreadsheet calculates a cell that begins with one of these; the forms of full width too.
FORMULA = frozenset("=+-@＝＋－＠")

RESERVED = (
    *("admin", "administrator", "root", "system", "staff", "moderator", "anonymous"),
    *("host", "official", "organizer", "organiser", "baseline", "muge", "muge fast"),
    *("管理员", "系统", "官方", "主办方", "组委会", "匿名", "基线"),
)


def clean_name(name: str) -> str:
    """Return a name in the form in which it is stored and shown, or raise if it is not accepted.

    White space of any kind becomes one space, and is removed at both ends. The result is in Unicode's form NFC, has 1
    to 40 graphemes (characters as a reader counts them), at least one letter or digit, and at most three symbols such
    as emoji.

    Args:
        name: The name of a team or an account, from a stranger.

    Returns:
        The name to store.

    Raises:
        TypeError: ``name`` is not a string.
        RefusalError: The name is not accepted; codes begin with ``name_``.

    Example:
        >>> from muge_fast.leaderboard.rules.names import clean_name
        >>> clean_name("  红裙　一队 ")
        '红裙 一队'
        >>> try:
        ...     clean_name("=HYPERLINK(1)")
        ... except ValueError as error:
        ...     print(error)
        a name must not begin with '=': begin with a letter or a digit

    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, got {format_argument(name)}")
    # First, as everything below takes time that grows with the length.
    if len(name) > MAX_CODE_POINTS:
        raise _too_long()
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if not name:
        raise RefusalError(
            "name_empty", "the name is empty: give at least one letter or digit", "名称为空：请至少包含一个文字或数字"
        )
    _check_characters(name)
    _check_shape(name)
    if skeleton(name) in _RESERVED_SKELETONS:
        raise RefusalError(
            "name_reserved",
            f"the name {format_argument(name)} is reserved for the host: choose another",
            f"名称 {format_argument(name)} 为主办方保留：请换一个",
        )
    return name


def _too_long() -> RefusalError:
    return RefusalError(
        "name_too_long",
        f"the name is too long: it may have {MAX_LENGTH} characters",
        f"名称过长：最多 {MAX_LENGTH} 个字符",
    )


def _check_characters(name: str) -> None:
    marks = 0
    for before, letter in zip("\0" + name, name, strict=False):
        category = unicodedata.category(letter)
        after_emoji = letter in EMOJI_SELECTORS and unicodedata.category(before) == "So"
        is_unseen = letter in BLANK or (VARIATION_SELECTORS.match(letter) and not after_emoji)
        if category in REFUSED_CATEGORIES or is_unseen:
            raise RefusalError(
                "name_invisible_character",
                f"the name has U+{ord(letter):04X}, which is invisible, a control or not a character: type it again "
                "without it",
                f"名称含有不可见字符、控制字符或无效字符 U+{ord(letter):04X}：请去掉后重新输入",
            )
        if letter in "<>":
            raise RefusalError(
                "name_markup", "a name must not contain < or >: leave them out", "名称不能含有 < 或 >：请去掉"
            )
        marks = marks + 1 if category in ("Mn", "Me") and not after_emoji else 0
        if marks > MAX_MARKS:
            raise RefusalError(
                "name_marks",
                f"the name has more than {MAX_MARKS} marks on one letter: leave them out",
                f"名称中一个字母上的附加符号超过 {MAX_MARKS} 个：请去掉",
            )


def _check_shape(name: str) -> None:
    # Zero-width joiners are refused, so a grapheme has few code points.
    if sum(1 for _ in iter_graphemes(name)) > MAX_LENGTH:
        raise _too_long()
    if name[0] in FORMULA:
        raise RefusalError(
            "name_formula",
            f"a name must not begin with {format_argument(name[0])}: begin with a letter or a digit",
            f"名称不能以 {format_argument(name[0])} 开头：请以文字或数字开头",
        )
    if unicodedata.category(name[0])[0] == "M":
        raise RefusalError(
            "name_marks",
            "a name must not begin with a mark: begin with a letter",
            "名称不能以附加符号开头：请以文字开头",
        )
    categories = [unicodedata.category(letter) for letter in name]
    if not any(category[0] in "LN" for category in categories):
        raise RefusalError(
            "name_without_letters",
            "the name has no letter or digit: add at least one",
            "名称不含文字或数字：请至少添加一个",
        )
    if sum(category in ("So", "Sk") for category in categories) > MAX_SYMBOLS:
        raise RefusalError(
            "name_symbols",
            f"the name has more than {MAX_SYMBOLS} symbols or emoji: leave some out",
            f"名称中的符号或表情超过 {MAX_SYMBOLS} 个：请减少",
        )


def skeleton(name: str) -> str:
    """Return a text that is equal for names that look the same; store it with a unique index.

    Case, width, accents, spaces and punctuation do not count, and letters that are confused, such as the Cyrillic ``а``
    and the Latin ``a``, count as one. Names with the same skeleton may differ a little ("Team 1" and "team-l"): the
    second team chooses another name, which costs less than an impersonation.

    Args:
        name: A name.

    Returns:
        The skeleton, which is not meant to be shown.

    Example:
        >>> from muge_fast.leaderboard.rules.names import skeleton
        >>> skeleton("Red Team 1") == skeleton("ｒеd-teаm I")
        True
        >>> skeleton("红裙") == skeleton("红群")
        False

    """
    return fold_confusables(name)


_RESERVED_SKELETONS = frozenset(skeleton(name) for name in RESERVED)


def check_unique(name: str, taken: Iterable[str]) -> None:
    """Raise if a name looks like one of the names that are taken.

    A store does the same with a unique index on :func:`skeleton`; this function words the refusal.

    Args:
        name: The new name.
        taken: Skeletons of the other names.

    Raises:
        RefusalError: A name that looks the same is taken (``name_taken``). The message does not say which, since teams
            that are on no board are not public.

    Example:
        >>> from muge_fast.leaderboard.rules.names import check_unique, skeleton
        >>> check_unique("Rеd Tеam", [skeleton("Blue Team")])
        >>> try:
        ...     check_unique("Rеd Tеam", [skeleton("Red Team")])
        ... except ValueError as error:
        ...     print(error)
        the name 'Rеd Tеam' is taken, or looks like one that is: choose another

    """
    if skeleton(name) in set(taken):
        raise RefusalError(
            "name_taken",
            f"the name {format_argument(name)} is taken, or looks like one that is: choose another",
            f"名称 {format_argument(name)} 已被使用，或与已有名称过于相似：请换一个",
        )
