"""The checklists in docs/architecture.md, "Adding things", name every file that an existing example needs."""

import ast
import re
from functools import cache

import pytest

from source_files import BINDINGS, CORE, PYTHON, ROOT, read, relative, tree

DOCUMENT = read(ROOT / "docs" / "architecture.md")

# Files that mention an example but need no change for a new one, and why.
NOT_NEEDED = {
    "13a": {},
    "rouge_l": {
        "python/muge_fast/_internal/metric_names.py": "a metric without a title is shown by its name",
        "python/muge_fast/cli/demo_data.py": "the demo shows these metrics",
        "python/muge_fast/compat/pycocoevalcap/rouge.py": "has the metrics of pycocoevalcap",
        "python/muge_fast/integrations/lmms_eval.py": "one function for each metric",
        "python/muge_fast/integrations/torchmetrics/captions.py": "one class for each metric",
        "python/muge_fast/tasks/caption.py": "the official result has these keys",
    },
    "ndcg": {"python/muge_fast/_internal/metric_names.py": "a metric without a title is shown by its name"},
    "classification": {
        "python/muge_fast/cli/demo_data.py": "the demo shows these tasks",
        "python/muge_fast/leaderboard/samples.py": "sample boards have these tasks",
        "python/muge_fast/tasks/__init__.py": "a type for editors has these names",
    },
    "not_utf8": {"python/muge_fast/evaluation/official_retrieval.py": "has the rules of the public scripts"},
}

# Titles of the checklists, and the name that is looked for in code.
EXAMPLES = {
    "A tokenizer": "13a",
    "A caption metric": "rouge_l",
    "A retrieval metric": "ndcg",
    "A task": "classification",
    "A kind of error in files": "not_utf8",
}


def listed(title: str) -> set[str]:
    """Return the source files that a checklist names."""
    text = re.search(rf"^\*\*{title}\*\*.*?\n\n((?:\d\. .*\n(?:   .*\n)*)+)", DOCUMENT, re.MULTILINE)[1]
    return {path for path in re.findall(r"`([\w./]+\.(?:py|rs))`", text) if not path.startswith("tests/")}


def mentions(name: str) -> set[str]:
    """Return the files with a name in their code: as an identifier, as a string, or as the name of the file."""
    python = {relative(path) for path in PYTHON if name in names_of_python(path) or path.stem == name}
    quoted = re.compile(rf'"{name}"|\b{name}\b' if name.isidentifier() else rf'"{name}"')
    rust = {relative(path) for path in CORE + BINDINGS if quoted.search(rust_code(path)) or path.stem == name}
    return python | rust


@cache
def names_of_python(path) -> set[str]:
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)
        elif isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
    return names


@cache
def rust_code(path) -> str:
    return re.sub(r"^\s*//.*$", "", read(path).partition("#[cfg(test)]\nmod ")[0], flags=re.MULTILINE)


@pytest.mark.parametrize("title", EXAMPLES)
def test_checklists_are_complete(title):
    name = EXAMPLES[title]
    assert mentions(name) - set(NOT_NEEDED[name]) <= listed(title)
    assert set(NOT_NEEDED[name]) <= mentions(name)


@pytest.mark.parametrize("title", EXAMPLES)
def test_checklists_are_short(title):
    assert 1 <= len(listed(title)) <= 6


def test_every_checklist_has_an_example():
    section = DOCUMENT.partition("## Adding things")[2]
    assert re.findall(r"^\*\*(.+?)\*\* \(example", section, re.MULTILINE) == list(EXAMPLES)


def folders_of_the_tree() -> set[str]:
    """Return the folders in the tree of docs/architecture.md."""
    block = re.search(r"## Where things are\n\n```\n(.*?)```", DOCUMENT, re.DOTALL)[1]
    folders, base = set(), ""
    for line in block.splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            base = name
        if name.endswith("/"):
            folders.add(name if not line.startswith(" ") else base + name)
    return folders


def test_the_tree_in_the_architecture_names_every_folder():
    source = [path.parent for path in [*PYTHON, *CORE, *BINDINGS]]
    others = {"python/muge_fast/samples/", "docs/", "examples/", "examples/notebooks/", "tests/", "benches/"}
    folders = {f"{relative(folder)}/" for folder in source} | others
    assert folders_of_the_tree() == folders
