"""Text from files and callers within Markdown."""

from __future__ import annotations

import re

from muge_fast._internal.display import printable

# Text that no renderer takes for markup or for an address: words, also with an underscore between letters.
PLAIN = re.compile(r"[^\W_]+(?:_[^\W_]+|[ ,:，：]+[^\W_]+)*")


def plain_markdown(text: str) -> str:
    """Return a text without markup, because it may come from a submission: as it is, or as code.

    Only code keeps all renderers from making links of bare addresses, of names after ``@`` and of numbers after ``#``,
    whatever is escaped.

    Args:
        text: The text.

    Returns:
        Markdown that is rendered as the text. Within a table, bars still have to be escaped.

    Example:
        >>> from muge_fast._internal.markdown import plain_markdown
        >>> plain_markdown("red dress"), plain_markdown("[a](http://b)")
        ('red dress', '`[a](http://b)`')

    """
    text = printable(text) or " "
    if PLAIN.fullmatch(text):
        return text
    # Longer than all others in the text, so that none of them can end the code.
    mark = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    # A renderer takes one space from both ends away.
    space = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{mark}{space}{text}{space}{mark}"
