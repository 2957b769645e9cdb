"""The reference: docstrings of all public names of a module, and links from the list of public names to them."""

import inspect
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain
from sphinx.environment import BuildEnvironment
from sphinx.ext.autodoc.mock import _MockObject, mock
from sphinx.util.nodes import nested_parse_with_titles

LIST = Path(__file__).parent.parent / "api.md"
TITLE = re.compile(r"^## `([\w.]+)`", re.MULTILINE)
PRIVATE = re.compile(r"""(?:, \*)?(?:, _\w+=(?:None|''|""))+(?=[,)])""")
ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive ``public-names``, and links to the list of public names.

    Args:
        app: The application that builds the site.

    Returns:
        What Sphinx asks of an extension.

    """
    app.add_directive("public-names", PublicNames)
    app.connect("source-read", add_links)
    app.connect("missing-reference", resolve_alias)
    app.connect("autodoc-process-signature", hide_private)
    # Stand-ins for torch.Tensor occur in unions of types.
    _MockObject.__or__ = _MockObject.__ror__ = lambda tensor, _: tensor
    with mock(app.config.autodoc_mock_imports):
        for module, names in listed().items():
            for name in names:
                getattr(import_module(module), name)  # Names are loaded when they are first used.
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class PublicNames(Directive):
    """Insert the documentation of the public names of a module, apart from those that another page documents.

    Instead of a module, ``others`` stands for all modules without a page.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the documentation of the names in the order of ``__all__``."""
        lines = []
        for module in modules_without_pages() if self.arguments[0] == "others" else self.arguments:
            titled = [module, "~" * len(module), ""] if self.arguments[0] == "others" else []
            lines += [*titled, f".. py:module:: {module}", "", f".. py:currentmodule:: {module}", ""]
            for name in import_module(module).__all__:
                if documented_in(module, name) == module:
                    lines += documentation(import_module(module), name)
        node = nodes.Element()
        nested_parse_with_titles(self.state, StringList(lines, source=self.arguments[0]), node)
        return node.children


def modules_without_pages() -> list[str]:
    """Return the listed modules that no page of the reference is about."""
    pages = "".join(path.read_text(encoding="utf-8") for path in (LIST.parent / "reference").glob("*.md"))
    return [module for module in listed() if f".. public-names:: {module}\n" not in pages]


def documentation(module: ModuleType, name: str) -> list[str]:
    """Return the directive that documents a name, as lines of reStructuredText."""
    value = getattr(module, name)
    if inspect.ismodule(value):
        return []
    if inspect.isclass(value):
        kind = "exception" if issubclass(value, BaseException) else "class"
        names = members(value)
        options = [f"   :members: {', '.join(names)}"] if names else []  # Without names, the option stands for all.
        return [f".. auto{kind}:: {name}", *options, ""]
    return [f".. auto{'function' if callable(value) else 'data'}:: {name}", ""]


def members(cls: type) -> list[str]:
    """Return the documented attributes of a class that this package defines, not those of frameworks and builtins."""
    owners = [owner for owner in cls.__mro__ if owner.__module__.startswith("muge_fast")]
    fields = getattr(cls, "_fields", ())  # Those of a NamedTuple are in its own docstring.
    pairs = [(name, value) for owner in owners for name, value in vars(owner).items() if not name.startswith("_")]
    documented = [(name, value) for name, value in pairs if inspect.getdoc(value) and name not in fields]
    return list(dict.fromkeys(name for name, value in documented if is_method_or_property(value)))


def is_method_or_property(value: object) -> bool:
    """Return whether a value of a class is documented by its own docstring."""
    return inspect.isroutine(value) or isinstance(value, property)


def listed() -> dict[str, list[str]]:
    """Return the names of each module in the list of public names."""
    parts = TITLE.split(LIST.read_text(encoding="utf-8"))[1:]
    return {module: ROW.findall(text) for module, text in zip(parts[::2], parts[1::2], strict=True)}


def documented_in(module: str, name: str) -> str:
    """Return the module whose page documents a name: the most specific one that offers the same object."""
    value = getattr(import_module(module), name)
    offering = [other for other, names in listed().items() if name in names and other != "muge_fast"]
    same = [other for other in offering if getattr(import_module(other), name) is value]
    return same[0] if same else module


def hide_private(*event: object) -> tuple[str, object] | None:
    """Remove private parameters, which only the package itself passes, from a signature."""
    *_, arguments, returned = event
    if not isinstance(arguments, str):
        return None
    return PRIVATE.sub("", arguments), returned


def add_links(_: Sphinx, document: str, source: list[str]) -> None:
    """Make each name in the list of public names a link to its documentation; a missing one stops the build."""
    if document != "api":
        return
    parts = TITLE.split(source[0])
    text = parts[0]
    for module, rows in zip(parts[1::2], parts[2::2], strict=True):
        linked = ROW.sub(lambda row, module=module: f"| {link(module, row[1])} |", rows)
        text += f"## `{module}`{linked}"
    source[0] = text


def resolve_alias(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Node
) -> nodes.reference | None:
    """Resolve ``muge_fast.score_captions`` and the like, which are documented under the name of a package below."""
    package, name, *member = [*node["reftarget"].split("."), "", ""]
    if node.get("refdomain") != "py" or name not in listed().get(package, ()):
        return None
    domain = env.domains["py"]
    assert isinstance(domain, PythonDomain)
    target = ".".join([documented_in(package, name), name, *filter(None, member)])
    node["refspecific"] = False
    return domain.resolve_xref(env, node["refdoc"], app.builder, node["reftype"], target, node, content)


def link(module: str, name: str) -> str:
    """Return a link to the documentation of a name, in MyST."""
    return f"{{py:obj}}`{name} <{documented_in(module, name)}.{name}>`"
