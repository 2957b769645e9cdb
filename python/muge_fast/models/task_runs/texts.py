"""Texts that models return."""

from __future__ import annotations

from muge_fast._internal.display import format_argument


def checked_text(what: str, key: object, text: object) -> str:
    r"""Return the text that a model returned for an item, in one line.

    Args:
        what: What the text is, for errors.
        key: Id of the item.
        text: The text.

    Returns:
        The text without white space around it; line ends in it become spaces.

    Raises:
        TypeError: It is not a string.

    Example:
        >>> from muge_fast.models.task_runs.texts import checked_text
        >>> checked_text("caption", "a1b2", " 红色\n长裙 ")
        '红色 长裙'

    """
    if not isinstance(text, str):
        raise TypeError(f"the {what} of {format_argument(key)} is {type(text).__name__}, needs a string")
    return " ".join(filter(None, (line.strip() for line in text.splitlines())))
