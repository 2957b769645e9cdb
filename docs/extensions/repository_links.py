"""Links of pages to files of the repository that are no pages."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent.parent


def setup(app: Sphinx) -> dict[str, Any]:
    """Resolve links to files of the repository.

    Args:
        app: The application that builds the site.

    Returns:
        What Sphinx asks of an extension.

    """
    app.add_config_value("repository", "", "env")
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def resolve(app: Sphinx, _: object, node: pending_xref, content: nodes.Node) -> nodes.reference | None:
    """Return a link to the file on the site of the repository, or None if there is no such file."""
    if node.get("reftype") != "myst":
        return None
    target, _, anchor = node["reftarget"].partition("#")
    path = (Path(app.srcdir) / node["refdoc"]).parent.joinpath(target).resolve()
    if not path.exists() or not path.is_relative_to(ROOT):
        return None
    address = f"{app.config.repository}/blob/main/{path.relative_to(ROOT).as_posix()}{'#' * bool(anchor)}{anchor}"
    return nodes.reference("", "", content, refuri=address, internal=False)
