"""Imports: what ``import muge_fast`` loads, which package may import which, and where imports stand."""

import ast
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from inspect import ismodule

import pytest

import muge_fast as mf
from source_files import PYTHON, ROOT, module_name, read, relative, tree

MODULES = {module_name(path): path for path in PYTHON}

# Modules of the package that are imported inside functions, and why.
LAZY = {
    "muge_fast.image.extractors": "needs torch",
    "muge_fast.image.distributed": "needs torch",
    "muge_fast.retrieval.top_k_torch": "needs torch",
    "muge_fast._internal.text_encodings": "few files are not UTF-8",
    "muge_fast.datasets.image_reasons": "few problems are of images",
    "muge_fast.datasets.image_lzma": "few images have such data",
    "muge_fast.datasets.image_tags": "few programs decode images",
    "muge_fast.evaluation.similar_ids": "few submissions have other ids",
    "muge_fast.evaluation.report_page": "few evaluations need a page",
    "muge_fast.text.ptb": "few texts are tokenized by its rules",
    "muge_fast.significance": "few scores need an interval",
    "muge_fast.caption.bleu_sums": "few scores are resampled",
    "muge_fast.caption.meteor": "few scores are METEOR, and its data needs modules that read archives",
    "muge_fast.caption.meteor_sums": "few scores are resampled",
    "muge_fast.comparison.page": "few comparisons need a page",
    "muge_fast.comparison.plot": "few comparisons need a plot",
    "muge_fast.features.arrow_buffers": "few files are tables",
    "muge_fast.features.parquet_pages": "few files are tables",
    "muge_fast._internal.output_tables": "few results become tables",
    "muge_fast._internal.states": "few objects are saved",
    "muge_fast._internal.tables": "few callers have tables",
    "muge_fast._internal.vectors": "few callers have columns of vectors",
    "muge_fast._internal.score_states": "few scores are saved",
    "muge_fast.retrieval.search_states": "few searches are saved",
    "muge_fast._internal.distributed": "needs torch",
    "muge_fast.models.adapters": "needs torch",
}

# Other modules that are imported inside functions: the optional dependencies, and what few calls need.
LAZY_FOREIGN = {
    "torch": "an extra",
    "torchvision": "an extra",
    "transformers": "an extra",
    "PIL": "an extra",
    "matplotlib": "an extra",
    "pandas": "optional",
    "pyarrow": "an extra",
    "tqdm": "shown only on a terminal or on request",
    "importlib.metadata": "takes as long to import as the whole package",
    "queue": "used only to decode images",
    "csv": "few reports are written as CSV",
    "unicodedata": "used only for hints about ids with other letters than ASCII",
    "importlib": "only where a sub-package is first used",
    "mmap": "used only by the command",
    "tabulate": "few programs print tables",
    "statistics": "few calls need quantiles of the normal distribution",
}


# What is loaded


def modules_after(statement: str) -> set[str]:
    script = f"{statement}; import sys; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())  # noqa: S603 - our own script


def roots(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_importing_the_package_imports_only_numpy():
    added = modules_after("import muge_fast") - modules_after("import numpy")
    assert roots(added) - sys.stdlib_module_names <= {"muge_fast", "numpy"}
    # Import time is mostly the number of modules; those of the standard library are larger than our own.
    assert len([name for name in added if not name.startswith("muge_fast")]) < 50
    assert len(added) < 120


def test_importing_the_image_metrics_imports_only_numpy():
    added = modules_after("import muge_fast.image") - modules_after("import numpy")
    assert roots(added) - sys.stdlib_module_names <= {"muge_fast", "numpy"}


def test_the_scorer_imports_nothing_of_the_leaderboard():
    loaded = modules_after("import " + ", ".join(f"muge_fast.{name}" for name in PACKAGES))
    assert not {name for name in loaded if name.startswith("muge_fast.leaderboard")}


def test_scoring_imports_no_reference_implementation():
    script = "import muge_fast as mf; mf.tokenize(['红裙'], 'jieba'); mf.score_captions(['红', '裙'], [['红'], ['裙']])"
    assert not roots(modules_after(script)) & {"torch", "scipy", "jieba", "sacrebleu", "pycocoevalcap", "pandas"}


PACKAGES = [
    "caption",
    "compat",
    "datasets",
    "evaluation",
    "features",
    "image",
    "integrations",
    "retrieval",
    "tasks",
    "text",
]


@pytest.mark.parametrize("name", [*PACKAGES, "scores"])
def test_packages_are_attributes_after_import(name):
    script = f"import muge_fast as mf; assert '{name}' in dir(mf); assert mf.{name}.__name__ == 'muge_fast.{name}'"
    modules_after(script)


@pytest.mark.parametrize("name", ["compat.pycocoevalcap", "compat.chinese_clip", "image.score_images"])
def test_members_of_packages_are_attributes_after_import(name):
    modules_after(f"import muge_fast as mf; mf.{name}")


def test_an_unknown_attribute_is_named():
    with pytest.raises(AttributeError, match="'muge_fast' has no attribute 'bleu'"):
        mf.bleu  # noqa: B018


# Which package may import which


def layers() -> list[list[str]]:
    """Read the table of layers in docs/architecture.md, lowest first; names are relative to ``muge_fast``.

    A package inside of another, such as ``leaderboard.client``, may have a layer that differs from it.
    """
    lines = read(ROOT / "docs" / "architecture.md").splitlines()
    start = lines.index("| layer | packages | purpose |")
    rows = [line.split("|") for line in lines[start + 2 :]]
    table = [re.findall(r"`([\w.]+)`", row[2]) for row in rows[: next(i for i, row in enumerate(rows) if len(row) < 4)]]
    assert len(table) > 4
    return table


RANKS = {name: rank for rank, names in enumerate(layers()) for name in names}


def component(module: str) -> str:
    """Return the package of the table that a module is in; ``muge_fast`` for the top itself."""
    parts = module.split(".")
    inner = ".".join(parts[1:3])
    return inner if inner in RANKS else parts[1] if len(parts) > 1 else parts[0]


def imports(path, *, inside_functions: bool | None = None):
    """Yield each module that a file imports, with its line; type-only imports count.

    A name that is imported from a package counts as the module of that name if there is one.
    """
    for name, line, inside in all_imports(path):
        if inside_functions in (None, inside):
            yield name, line


@cache
def all_imports(path) -> list[tuple[str, int, bool]]:
    """Return each imported module with its line, and whether that is inside a function."""
    lazy = {id(child) for node in ast.walk(tree(path)) if is_function(node) for child in ast.walk(node)}
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}:{node.lineno}: relative import"
            inner = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            is_module = {name: full in MODULES or full == "muge_fast._core" for name, full in inner.items()}
            names = [inner[name] if is_module[name] else node.module for name in inner]
        else:
            continue
        found += [(name, node.lineno, id(node) in lazy) for name in names]
    return found


def is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def own_imports(module: str) -> set[str]:
    return {name for name, _ in imports(MODULES[module]) if name in MODULES}


def test_every_package_has_a_layer():
    assert {component(module) for module in MODULES} | {"_core"} == set(RANKS)


@pytest.mark.parametrize("module", MODULES)
def test_modules_import_only_lower_layers(module):
    here = component(module)
    wrong = [
        f"{relative(MODULES[module])}:{line} imports {name}"
        for name, line in imports(MODULES[module])
        if name.split(".")[0] == "muge_fast" and component(name) != here and RANKS[component(name)] >= RANKS[here]
    ]
    assert not wrong


def test_no_module_imports_itself_through_others():
    assert not find_cycle({module: own_imports(module) for module in MODULES})


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """Return the modules of one import cycle, the first one again at the end; an empty list if there is none."""
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        for imported in sorted(graph[module]):
            if cycle := visit(imported, [*path, module]):
                return cycle
        done.add(module)
        return []

    return next((cycle for module in sorted(graph) if (cycle := visit(module, []))), [])


def test_cycles_are_found():
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert find_cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


# Where imports stand


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_imports_inside_functions_are_of_what_may_be_missing(path):
    if path.parent.name in ("cli", "commands"):
        return  # A command imports what it alone needs.
    wrong = [
        f"{relative(path)}:{line} imports {name}"
        for name, line in imports(path, inside_functions=True)
        if not any(name == allowed or name.startswith(allowed + ".") for allowed in [*LAZY, *LAZY_FOREIGN])
    ]
    assert not wrong


def test_every_exception_for_imports_is_used():
    lazy = [name for path in PYTHON for name, _ in imports(path, inside_functions=True)]
    used = [any(name == allowed or name.startswith(allowed + ".") for name in lazy) for allowed in LAZY]
    assert [name for name, is_used in zip(LAZY, used, strict=True) if not is_used] == []


# Names of modules


def public_names(path) -> set[str]:
    """Return ``__all__`` of a module as it is written; empty if it has none."""
    assigned = [node for node in tree(path).body if isinstance(node, ast.Assign)]
    lists = [node.value for node in assigned if getattr(node.targets[0], "id", "") == "__all__"]
    return set(ast.literal_eval(lists[0])) if lists else set()


@pytest.mark.parametrize("package", [name for name, path in MODULES.items() if path.name == "__init__.py"])
def test_no_module_has_the_name_of_a_public_object_of_its_package(package):
    modules = {name.rpartition(".")[2] for name in MODULES if name.rpartition(".")[0] == package}
    shared = modules & public_names(MODULES[package])
    loaded = import_module(package) if shared else None
    assert {name for name in shared if not is_module(loaded, name)} == set()


def is_module(package, name: str) -> bool:
    try:
        return ismodule(getattr(package, name))
    except ImportError:
        # A module of integrations, whose framework is not installed.
        return True


def test_layers_of_the_package_are_strictly_ordered():
    names = [name for row in layers() for name in row]
    assert len(names) == len(set(names))
    assert all(layers())
