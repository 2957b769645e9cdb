"""The language of what commands print, from ``--lang`` or the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import click

from muge_fast.cli.chinese import CHINESE
from muge_fast.datasets.problems import LANGUAGES

VARIABLE = "MUGE_FAST_LANG"
"""Environment variable with the default of ``--lang``."""

# Key of the language among the data of a context, which the contexts of a group and its command have in common.
KEY = "muge_fast.lang"


# Translations of commands outside of this package.
_added: dict[str, str] = {}


def language(context: click.Context | None = None) -> str:
    """Return the language of the command that runs.

    Args:
        context: Context of the command; None for the current one.

    Returns:
        ``"en"`` or ``"zh"``; ``"en"`` outside of commands.

    Example:
        >>> from muge_fast.cli.language import language
        >>> language()
        'en'

    """
    context = context or click.get_current_context(silent=True)
    found: str = "en" if context is None else context.meta.get(KEY, "en")
    return found


def add_translations(texts: Mapping[str, str]) -> None:
    """Add translations of commands that are imported when they are first asked for.

    Args:
        texts: Chinese by English texts.

    Example:
        >>> from muge_fast.cli.language import add_translations
        >>> add_translations({})

    """
    _added.update(texts)


def translate(text: str, context: click.Context | None = None) -> str:
    """Return a text of the command in its language.

    Args:
        text: The English text, a key of :data:`muge_fast.cli.chinese.CHINESE`.
        context: Context of the command; None for the current one.

    Returns:
        The Chinese text for ``--lang zh``; otherwise, or if there is no translation, the text itself.

    Example:
        >>> from muge_fast.cli.language import translate
        >>> translate("Error: ")
        'Error: '

    """
    return _in_chinese(text) if language(context) == "zh" else text


def _in_chinese(text: str) -> str:
    return CHINESE.get(text) or _added.get(text, text)


def counted(count: int, unit: str, context: click.Context | None = None) -> str:
    """Return a number with its unit.

    Args:
        count: The number.
        unit: The unit in the singular, such as ``"row"``; the plural has an ``s``, or ``ies`` for a ``y``.
        context: Context of the command; None for the current one.

    Returns:
        The number with thousands separators, and the unit.

    Example:
        >>> from muge_fast.cli.language import counted
        >>> counted(1, "problem"), counted(5000, "row")
        ('1 problem', '5,000 rows')

    """
    if language(context) == "zh":
        return f"{count:,} {_in_chinese(unit)}"
    plural = unit.removesuffix("y") + "ies" if unit.endswith("y") else f"{unit}s"
    return f"{count:,} {unit if count == 1 else plural}"


def listed(names: Sequence[str], context: click.Context | None = None) -> str:
    """Return names as a list in a sentence.

    Args:
        names: The names.
        context: Context of the command; None for the current one.

    Returns:
        The names with commas, and "and" before the last one.

    Example:
        >>> from muge_fast.cli.language import listed
        >>> listed(["score", "compare", "demo"]), listed(["score"])
        ('score, compare and demo', 'score')

    """
    comma = "、" if language(context) == "zh" else ", "
    *first, last = names
    return translate(" and ", context).join(filter(None, (comma.join(first), last)))


def duration(seconds: float, context: click.Context | None = None) -> str:
    """Return a time in the unit that suits its size.

    Args:
        seconds: The time in seconds.
        context: Context of the command; None for the current one.

    Returns:
        Milliseconds, seconds, or minutes and seconds.

    Example:
        >>> from muge_fast.cli.language import duration
        >>> duration(0.0051), duration(29.707), duration(130.2)
        ('5 ms', '29.7 s', '2 min 10 s')

    """
    minute, second, millisecond = (translate(unit, context) for unit in ("min", "s", "ms"))
    if seconds < 0.9995:  # noqa: PLR2004 - rounds to a second
        return f"{seconds * 1000:.0f} {millisecond}"
    if seconds < 59.95:  # noqa: PLR2004 - rounds to a minute
        return f"{seconds:.1f} {second}"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} {minute} {rest} {second}"


def note_language(context: click.Context, arguments: Sequence[str]) -> None:
    """Take the language from the environment and from arguments that are not parsed yet, for errors and the help.

    Args:
        context: Context of the command.
        arguments: Arguments of the command.

    """
    if (default := os.environ.get(VARIABLE)) in LANGUAGES:
        context.meta.setdefault(KEY, default)
    for name, value in zip(["", *arguments], [*arguments, ""], strict=True):
        given = value if name == "--lang" else name.removeprefix("--lang=") if name.startswith("--lang=") else None
        if given in LANGUAGES:
            context.meta[KEY] = given
