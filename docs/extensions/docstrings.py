"""Docstrings of this package, by napoleon: results and properties are described by text, which begins with no type."""

from typing import Any

from sphinx.application import Sphinx
from sphinx.ext.napoleon import GoogleDocstring


def setup(app: Sphinx) -> dict[str, Any]:
    """Let napoleon convert docstrings, but take what stands before a colon for text.

    Args:
        app: The application that builds the site.

    Returns:
        What Sphinx asks of an extension.

    """
    app.setup_extension("sphinx.ext.napoleon")
    GoogleDocstring._consume_returns_section = returned  # noqa: SLF001 - there is no option for it
    GoogleDocstring._consume_inline_attribute = attribute  # noqa: SLF001
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def returned(docstring: GoogleDocstring, preprocess_types: bool = False) -> list[tuple[str, str, list[str]]]:  # noqa: ARG001
    """Return the text of a section as a description without a type."""
    lines = docstring._dedent(docstring._consume_to_next_section())  # noqa: SLF001
    return [("", "", lines)] if lines else []


def attribute(docstring: GoogleDocstring) -> tuple[str, list[str]]:
    """Return the text of a property as a description without a type."""
    return "", docstring._dedent(docstring._consume_to_end())  # noqa: SLF001
